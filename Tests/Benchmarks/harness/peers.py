# SPDX-License-Identifier: Apache-2.0
"""Other programs that do the same work: measured where they are installed, named where they are not."""

import os
import shutil
import subprocess

from .data import MAPPED
from .project import put
from .tools import Task

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peer.py")


class Peers:
    """What is installed: on the path, or by `BENCH_PEERS=install` in a virtual environment below `.build`."""

    def __init__(self, tools):
        self.tools = tools
        folder = os.path.join(tools.work, "peers", "bin")
        self.path = folder + os.pathsep + os.environ["PATH"]
        self.python = shutil.which("python3", path=self.path)
        self.versions, self.absent = {}, []
        for name in ("psql", "mariadb", "sqlite3"):
            self.look(name, [name, "--version"])
        for name in ("duckdb", "polars", "dlt"):
            self.look(name, [self.python, "-c", f"import {name}; print('{name}', {name}.__version__)"])
        self.sling = self.find_sling()
        self.look("sling", [self.sling, "--version"])
        self.look("drt", ["drt", "--version"])

    def find_sling(self):
        """The program itself: its package starts it through Python."""
        try:
            found = subprocess.run(
                [self.python, "-c", "import sling_linux_amd64 as s; print(s.__path__[0])"], capture_output=True,
                text=True, check=True).stdout.strip()
            return os.path.join(found, "bin", "sling-linux-amd64")
        except (subprocess.CalledProcessError, OSError):
            return shutil.which("sling", path=self.path) or "sling"

    def look(self, name, command):
        """Keeps the version of a program, or that it is not there."""
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=120,
                env={**self.tools.env, "PATH": self.path})
            lines = (done.stdout or done.stderr).strip().splitlines()
            self.versions[name] = next((line for line in lines if any(c.isdigit() for c in line)), "?").strip()
        except (OSError, subprocess.SubprocessError):
            self.absent.append(name)

    def script(self, name, *words, env=None):
        return Task(name, [self.python, SCRIPT, *words], is_peer=True, env=env)

    # ---- by case ------------------------------------------------------------------------------------------

    def copy(self, server, source, name):
        """psql's COPY binary of the same columns."""
        if "psql" not in self.versions:
            return []
        query = f"COPY (SELECT {', '.join(MAPPED)} FROM {source.table}) TO STDOUT (FORMAT binary)"
        return [Task(name, ["psql", "-X", "-q", "-o", "/dev/null", "-c", query, server.conninfo], is_peer=True)]

    def clients(self, source, servers, name):
        """The database's own client reading the same columns, to /dev/null."""
        query = source.floor[-1]
        commands = {
            "sqlite": ("sqlite3", ["sqlite3", "-batch", source.floor[1], query]),
            "mariadb": ("mariadb", lambda: [*servers["mariadb"].client(["bench"]), "--quick", "-N", "-e", query]),
        }
        if source.name == "postgres":
            return self.copy(servers["postgres"], source, name)
        program, command = commands.get(source.name, (None, None))
        if program not in self.versions:
            return []
        words = command() if callable(command) else command
        return [Task(name, ["sh", "-c", 'exec "$@" >/dev/null', "sh", *words], is_peer=True)]

    def csv(self, path):
        """DuckDB and Polars on one thread, with the same types, and what their start costs."""
        tasks = []
        for name in ("duckdb", "polars"):
            if name in self.versions:
                env = {"POLARS_MAX_THREADS": "1"}
                tasks.append(self.script(f"P6/{name}", f"{name}-csv", path, env=env))
                tasks.append(self.script(f"P6/{name} start", f"{name}-start", env=env))
        return tasks

    def bodies(self, server, source):
        """PostgreSQL's own JSON through psql, sling and dlt."""
        columns = ", ".join(MAPPED)
        tasks = []
        if "psql" in self.versions:
            query = f"COPY (SELECT row_to_json(c) FROM (SELECT {columns} FROM {source.table}) c) TO STDOUT"
            tasks.append(Task(
                "P5/psql", ["psql", "-X", "-q", "-o", "/dev/null", "-c", query, server.conninfo], is_peer=True))
        folder = os.path.join(self.tools.work, "peers-out")
        os.makedirs(folder, exist_ok=True)
        if "sling" in self.versions:
            url = f"postgresql://bench@127.0.0.1:{server.port}/postgres?sslmode=disable"
            tasks.append(Task(
                "P5/sling",
                [self.sling, "run", "--src-conn", "BENCH", "--src-stream", f"SELECT {columns} FROM {source.table}",
                 "--tgt-object", f"file://{folder}/sling.jsonl", "--mode", "full-refresh"],
                env={"BENCH": url, "SLING_DISABLE_TELEMETRY": "TRUE", "SLING_HOME_DIR": folder}, is_peer=True))
        if "dlt" in self.versions:
            tasks.append(self.script(
                "P5/dlt", "dlt-bodies", server.conninfo, f"SELECT {columns} FROM {source.table}", folder,
                env={"RUNTIME__DLTHUB_TELEMETRY": "false"}))
        if "drt" in self.versions:
            tasks.append(self.drt(server, f"SELECT {columns} FROM {source.table}", folder))
        return tasks

    def drt(self, server, query, folder):
        """drt into a file of JSON lines; its project and its home are in a folder of their own."""
        home = os.path.join(folder, "drt")
        put(home, "drt_project.yml", "name: bench\nprofile: bench\n")
        put(home, ".drt/profiles.yml", (
            f"bench:\n  type: postgres\n  host: 127.0.0.1\n  port: {server.port}\n  dbname: postgres\n"
            "  user: bench\n  password: none\n"))
        put(home, "syncs/bodies.yml", (
            f"name: bodies\nmodel: {query}\ndestination:\n  type: file\n  path: {home}/bodies.jsonl\n"
            "  format: jsonl\nsync:\n  mode: full\n  batch_size: 10000\n"))
        program = shutil.which("drt", path=self.path)
        return Task("P5/drt", [program, "run", "--select", "bodies"], env={"HOME": home}, cwd=home, is_peer=True)

    def starts(self):
        """The lightest command of those that are started as programs."""
        found = []
        if "sling" in self.versions:
            found.append(Task("P9/sling", [self.sling, "--version"], is_peer=True))
        for name in ("drt", "dlt"):
            program = shutil.which(name, path=self.path)
            if name in self.versions and program:
                found.append(Task(f"P9/{name}", [program, "--version"], is_peer=True))
        return found
