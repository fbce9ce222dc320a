# SPDX-License-Identifier: Apache-2.0
"""What the cases share: the sources with their rows, the options, and the results."""

import os

from . import project, stats
from .data import MAPPED, Companies
from .servers import MariaDB, Postgres
from .tools import Failure, Skipped, say

SOURCES = ("csv", "sqlite", "postgres", "mariadb")


class Source:
    """One source with so many companies: its connection, its table, and how a floor reads it."""

    def __init__(self, name, rows, settings, table, floor, sorted_floor):
        self.name, self.rows, self.settings, self.table = name, rows, settings, table
        self.floor, self.sorted_floor = floor, sorted_floor


class Bench:
    def __init__(self, tools, options, peers):
        self.tools, self.options, self.peers = tools, options, peers
        self.rows, self.rounds = options.rows, options.rounds
        self.small = max(1, options.rows // 10)
        self.compares = len(tools.programs) > 1
        self.sources, self.servers, self.results, self.done = {}, {}, {}, set()

    # ---- sources ------------------------------------------------------------------------------------------

    def open_servers(self, stack):
        """Starts the servers that are installed; the others are named."""
        for kind in (Postgres, MariaDB):
            if kind.name not in self.options.sources:
                continue
            try:
                say(f"starting {kind.name}")
                self.servers[kind.name] = stack.enter_context(kind(self.tools))
            except (Skipped, Failure) as problem:
                self.tools.note(kind.name, problem)

    def source(self, name, rows=None):
        """The source with so many rows, made at first use; None where it is not there."""
        rows = rows or self.rows
        if (name, rows) not in self.sources:
            try:
                self.sources[(name, rows)] = self.make(name, rows)
            except Failure as problem:
                self.tools.note(f"{name} with {rows:,} rows", problem)
                self.sources[(name, rows)] = None
        return self.sources[(name, rows)]

    def make(self, name, rows):
        if name not in self.options.sources or (name in ("postgres", "mariadb") and name not in self.servers):
            return None
        say(f"making {rows:,} companies for {name}")
        files = Companies(self.tools, rows)
        query = f"SELECT {', '.join(MAPPED)} FROM companies ORDER BY id"
        if name == "csv":
            words = ["csv", files.csv()]
            return Source(name, rows, project.csv_settings(files.csv()), "companies", words, words)
        if name == "sqlite":
            words = ["sqlite", files.sqlite(), query]
            return Source(name, rows, f"connector: sqlite, path: {files.sqlite()}", "companies", words, words)
        server, table = self.servers[name], f"companies_{rows}"
        server.load(table, files.csv())
        shown = f"public.{table}" if name == "postgres" else table
        return Source(
            name, rows, server.settings(), shown, server.floor(table), server.floor(table, " ORDER BY id"))

    def there(self, rows=None):
        """The sources that are there."""
        return [source for name in SOURCES if (source := self.source(name, rows))]

    def main(self, rows=None):
        """The source of the cases that need one: PostgreSQL where it is there."""
        return self.source("postgres", rows) or next(iter(self.there(rows)), None)

    # ---- projects -----------------------------------------------------------------------------------------

    def void_project(self, program, name, sources, limit=project.NO_LIMIT, asks=True):
        """A project with a sync SOURCE_append and SOURCE_update for each source, into the void."""
        folder = os.path.join(program.folder, name)
        connections = {source.name: source.settings for source in sources}
        syncs = {
            f"{source.name}_{mode}": project.void_sync(source.name, source.table, mode)
            for source in sources for mode in ("append", "update")}
        project.write(folder, {**connections, "nowhere": project.void_settings(folder, limit, asks)}, syncs)
        return folder

    def plan(self, program, folder, name):
        return [program.path, "-C", folder, "plan", name, "--json", "--diff", "0"]

    def run(self, program, folder, name):
        return [program.path, "-C", folder, "run", name, "--json", "--progress", "none"]

    # ---- results ------------------------------------------------------------------------------------------

    def finish(self, case, target, head, rows, met, notes=(), values=None):
        """Keeps the table of a case; `met` is a list of what held, None where it could not be told."""
        known = [value for value in met if value is not None]
        self.results[case] = {
            "target": target, "met": all(known) if known else None, "head": head, "rows": rows, "notes": list(notes),
            "values": values or [],
        }

    def figures(self, name):
        """Median, spread and rounds of a task's samples; None without any."""
        samples = self.tools.of(name)
        return stats.summary(samples) if samples else None

    def ratio(self, above, below, name="wall", less=0.0):
        return stats.ratio(self.tools.of(above), self.tools.of(below), name, less)
