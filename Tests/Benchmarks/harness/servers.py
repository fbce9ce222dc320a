# SPDX-License-Identifier: Apache-2.0
"""Throwaway servers of PostgreSQL and MariaDB, on sockets in a folder of their own, stopped by their process ids."""

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .data import COLUMNS, MAPPED
from .tools import Failure, Skipped


def handed_over():
    """What stands before a server's command: it ends with this process, and is nobody's where root would start it."""
    leash = ["setpriv", "--pdeathsig", "TERM"]
    if os.geteuid() != 0:
        return leash
    return [*leash, "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


class Server:
    """A server process; it ends with the `with` block."""

    def __init__(self, tools):
        self.tools = tools
        self.folder = tempfile.mkdtemp(prefix="penstock-bench-", dir="/tmp")
        if os.geteuid() == 0:
            os.chown(self.folder, pwd.getpwnam("nobody").pw_uid, -1)
        self.process = None

    def __enter__(self):
        try:
            self.prepare()
            log = open(os.path.join(self.folder, "log"), "ab")
            with log:
                self.process = subprocess.Popen(
                    handed_over() + self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
            deadline = time.monotonic() + 180
            while not self.is_ready():
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Failure(f"the server did not start: {self.last_lines()}")
                time.sleep(0.1)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def last_lines(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return " | ".join(file.read().splitlines()[-4:])

    def setup(self, *command):
        """Runs a command of the preparation as the server's user."""
        env = {"PATH": os.environ["PATH"], "HOME": self.folder, "LANG": "C.UTF-8"}
        done = subprocess.run(
            handed_over() + list(command), cwd=self.folder, env=env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"{command[0]} ended with {done.returncode}: {done.stderr[-400:]}")


class Postgres(Server):
    stop_signal = signal.SIGINT
    name = "postgres"

    def __init__(self, tools):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
        if not found or not shutil.which("psql"):
            raise Skipped("PostgreSQL is not installed")
        self.binaries = os.path.dirname(found[-1])
        super().__init__(tools)
        # Beside the socket, for peers that know only TCP.
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.conninfo = f"host={self.folder} port={self.port} user=bench dbname=postgres"
        self.version = tools.run([os.path.join(self.binaries, "postgres"), "--version"]).strip()

    def prepare(self):
        self.setup(
            f"{self.binaries}/initdb", "-D", "data", "-U", "bench", "-A", "trust", "-N", "--locale=C", "-E", "UTF8")

    def command(self):
        return [
            f"{self.binaries}/postgres", "-D", f"{self.folder}/data", "-c", "listen_addresses=127.0.0.1", "-c",
            f"port={self.port}", "-c",
            f"unix_socket_directories={self.folder}", "-c", "fsync=off", "-c", "shared_buffers=256MB", "-c",
            "max_wal_size=4GB"]

    def is_ready(self):
        return subprocess.run(
            ["psql", "-X", self.conninfo, "-c", "SELECT 1"], capture_output=True, check=False).returncode == 0

    def load(self, table, csv):
        columns = ", ".join(f"{column.name} {column.postgres}" for column in COLUMNS)
        self.run(f"CREATE TABLE {table} ({columns})", f"\\copy {table} FROM '{csv}' (FORMAT csv, HEADER)",
                 f"ALTER TABLE {table} ADD PRIMARY KEY (id)", f"VACUUM (ANALYZE, FREEZE) {table}")

    def run(self, *statements):
        words = [word for statement in statements for word in ("-c", statement)]
        return self.tools.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", self.conninfo, *words])

    def floor(self, table, order=""):
        return ["postgres", self.conninfo, f"SELECT {', '.join(MAPPED)} FROM {table}{order}"]

    def settings(self):
        return f"connector: postgres, host: {self.folder}, port: {self.port}, user: bench, dbname: postgres"


class MariaDB(Server):
    stop_signal = signal.SIGTERM
    name = "mariadb"

    def __init__(self, tools):
        if not shutil.which("mariadbd", path=os.environ["PATH"] + ":/usr/sbin") or not shutil.which("mariadb"):
            raise Skipped("MariaDB is not installed")
        super().__init__(tools)
        self.socket = os.path.join(self.folder, "socket")
        self.version = tools.run(["mariadb", "--version"]).strip()

    def prepare(self):
        # A server that starts removes the temporary tables of all that share its folder for them.
        self.setup("mkdir", f"{self.folder}/tmp")
        self.setup(
            "mariadb-install-db", "--no-defaults", f"--datadir={self.folder}/data", f"--tmpdir={self.folder}/tmp",
            "--auth-root-authentication-method=normal", "--skip-test-db")

    def command(self):
        return [
            shutil.which("mariadbd", path=os.environ["PATH"] + ":/usr/sbin"), "--no-defaults",
            f"--datadir={self.folder}/data", f"--tmpdir={self.folder}/tmp", f"--socket={self.socket}",
            f"--pid-file={self.folder}/pid", "--skip-networking", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin",
            "--innodb-buffer-pool-size=512M", "--secure-file-priv=", "--local-infile=1"]

    def client(self, database=()):
        return ["mariadb", "--no-defaults", f"--socket={self.socket}", "-u", "root", "--default-character-set=utf8mb4",
                "--local-infile=1", *database]

    def is_ready(self):
        if subprocess.run([*self.client(), "-e", "SELECT 1"], capture_output=True, check=False).returncode != 0:
            return False
        self.tools.run([*self.client(), "-e", "CREATE DATABASE IF NOT EXISTS bench CHARACTER SET utf8mb4"])
        return True

    def load(self, table, csv):
        columns = ", ".join(f"{column.name} {column.mariadb}" for column in COLUMNS)
        read = ", ".join(f"@{column.name}" for column in COLUMNS)
        given = ", ".join(f"{column.name} = {column.of_text('@' + column.name)}" for column in COLUMNS)
        self.tools.run([*self.client(["bench"]), "-e", (
            f"CREATE TABLE {table} ({columns}, PRIMARY KEY (id)) ENGINE=InnoDB CHARACTER SET utf8mb4;"
            f"LOAD DATA LOCAL INFILE '{csv}' INTO TABLE {table} CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' "
            "OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' LINES TERMINATED BY '\\n' IGNORE 1 LINES "
            f"({read}) SET {given}; ANALYZE TABLE {table}")])

    def floor(self, table, order=""):
        return ["mariadb", self.socket, f"SELECT {', '.join(MAPPED)} FROM {table}{order}"]

    def settings(self):
        return f"connector: mysql, socket: {self.socket}, user: root, database: bench"
