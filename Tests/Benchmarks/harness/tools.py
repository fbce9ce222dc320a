# SPDX-License-Identifier: Apache-2.0
"""Runs programs under the stopwatch, task by task and round by round."""

import json
import os
import shutil
import subprocess
import sys


class Failure(Exception):
    """Something that was to be measured did not work."""


class Skipped(Exception):
    """Something is not there, or an old revision cannot do it."""


def say(text):
    print(text, file=sys.stderr, flush=True)


class Program:
    """One build of Penstock, with a folder for its projects."""

    def __init__(self, name, path, tools):
        self.name = name
        self.path = path
        self.folder = os.path.join(tools.work, "projects", name)
        os.makedirs(self.folder, exist_ok=True)


class Task:
    """A command to measure: what it is called, and what has to be done before each round."""

    def __init__(self, name, command, before=None, after=None, env=None, exits=(0,), is_peer=False, cwd=None):
        self.name, self.command, self.before, self.after = name, command, before, after
        self.env, self.exits, self.is_peer, self.cwd = env or {}, exits, is_peer, cwd


class Tools:
    """The built programs, and where things are put."""

    def __init__(self, work, package, programs):
        self.work = work
        self.package = package
        self.floor = os.path.join(package, "floor")
        self.home = os.path.join(work, "home")
        self.errors, self.skipped, self.samples = [], [], {}
        connectors = os.path.join(work, "connectors")
        os.makedirs(connectors, exist_ok=True)
        os.makedirs(self.home, exist_ok=True)
        # A new file, for another run may have the old one loaded.
        shutil.copy(os.path.join(package, "libpenstock-void.so"), os.path.join(connectors, "void.part"))
        os.replace(os.path.join(connectors, "void.part"), os.path.join(connectors, "libpenstock-void.so"))
        # The state's marks, logins and budgets of a benchmark stay in its own home.
        self.env = {
            **os.environ, "PENSTOCK_CONNECTOR_PATH": connectors, "HOME": self.home, "XDG_STATE_HOME": self.home,
            "XDG_CONFIG_HOME": self.home, "XDG_DATA_HOME": self.home, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1",
        }
        self.programs = [Program(name, path, self) for name, path in programs]

    def time(self, command, exits=(0,), env=None, cwd=None, seconds=3600):
        """Runs a command once; its wall time, CPU time, peak memory and what it printed."""
        out = os.path.join(self.work, f"time-{os.getpid()}-{id(command)}.json")
        try:
            done = subprocess.run(
                [self.floor, "time", out, *command], capture_output=True, text=True, check=False, cwd=cwd,
                stdin=subprocess.DEVNULL, env={**self.env, **(env or {})}, timeout=seconds, errors="replace")
            if done.returncode not in exits:
                raise Failure(
                    f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-600:]} {done.stderr[-600:]}")
            with open(out, encoding="utf-8") as file:
                sample = json.load(file)
        except subprocess.TimeoutExpired as problem:
            raise Failure(f"{' '.join(command)} took more than {seconds} s") from problem
        finally:
            if os.path.exists(out):
                os.remove(out)
        return {
            "wall": sample["wall"], "user": sample["user"], "system": sample["system"],
            "cpu": sample["user"] + sample["system"], "rss_mib": sample["rss_kib"] / 1024, "output": done.stdout,
        }

    def run(self, command, **options):
        """Runs a command that is not measured; what it printed."""
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=self.env, stdin=subprocess.DEVNULL, **options)
        if done.returncode != 0:
            raise Failure(
                f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-600:]} {done.stderr[-600:]}")
        return done.stdout

    def floor_of(self, source):
        """The floor of a source, or of the case that `source` names: a program for each set of libraries."""
        name = "floor" if source[0] in ("csv", "sqlite") else f"floor-{source[0]}"
        return os.path.join(self.package, name)

    def sandbox_help(self):
        """What the sandbox of the first program can do; the other revision is measured against the same one."""
        return self.run([self.programs[0].path, "sandbox", "pipedrive", "serve", "--help"])

    def stream(self, command, file):
        """Runs a command that is not measured, into a file."""
        if subprocess.run(command, stdout=file, stdin=subprocess.DEVNULL, env=self.env, check=False).returncode != 0:
            raise Failure(f"{' '.join(command)} failed")

    def measure(self, tasks, rounds):
        """Runs every task once a round, in turn; the samples by the task's name.

        A task that fails is left out from then on: of a peer it is named, of ours it is an error too.
        """
        broken = set()
        for number in range(rounds):
            for task in tasks:
                if task.name in broken:
                    continue
                try:
                    self.once(task)
                    last = self.samples[task.name][-1]
                    say(f"  {number + 1}/{rounds} {task.name}: {last['wall']:.3f} s, CPU {last['cpu']:.3f} s, "
                        f"{last['rss_mib']:.0f} MiB")
                except (Failure, Skipped, OSError, ValueError, KeyError) as problem:
                    broken.add(task.name)
                    self.note(task.name, problem, task.is_peer)
        return self.samples

    def once(self, task):
        if task.before:
            task.before()
        sample = self.time(task.command, exits=task.exits, env=task.env, cwd=task.cwd)
        if task.after:
            sample.update(task.after(sample) or {})
        sample.pop("output")
        self.samples.setdefault(task.name, []).append(sample)
        return sample

    def note(self, name, problem, is_peer=False):
        """Keeps what did not work; the run goes on without it."""
        text = " ".join(f"{name}: {problem}".split())[:900]
        say(f"  not measured: {text}")
        (self.skipped if is_peer or isinstance(problem, Skipped) else self.errors).append(text)

    def of(self, name):
        """The samples of a task, an empty list where it did not run."""
        return self.samples.get(name, [])
