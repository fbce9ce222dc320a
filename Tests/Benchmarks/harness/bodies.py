# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL to a JSON body per row: Penstock's own way without sending, the floor, and what others take."""

import json
import os

from . import stats
from .data import MAPPED
from .reading import below, floor_task, memory, per_row, seconds, show_ratio
from .tools import Failure, Task


def count(rows):
    """Holds the number of rows that a program says against what it must be."""
    def check(sample):
        if not sample["output"].startswith(f"{rows} rows"):
            raise Failure(f"{rows} rows were expected: {sample['output'][:200]}")
    return check


def p5(bench):
    """A body per row: read, mapped and rendered as a request would have it, and nothing sent."""
    source = bench.source("postgres")
    if not source:
        return
    server, rows, tasks = bench.servers["postgres"], bench.rows, []
    if not bench.compares:
        tasks.append(floor_task(bench, "P5/floor", "json", source.floor))
        tasks += bench.peers.bodies(server, source)
    settings = json.dumps({"host": server.folder, "port": server.port, "user": "bench", "dbname": "postgres"})
    for program in bench.tools.programs:
        folder = os.path.dirname(program.path)
        bodies = os.path.join(folder, "penstock-bodies")
        if not os.path.exists(bodies):
            bench.tools.skipped.append(f"P5/{program.name}: {bodies} is not built")
            continue
        library = os.path.join(folder, "libpenstock-postgres.so")
        tasks.append(Task(
            f"P5/{program.name}", [bodies, library, settings, source.table, *MAPPED], after=count(rows)))
    bench.tools.measure(tasks, bench.rounds)
    table, met, values = [], [], []
    for program in bench.tools.programs:
        name = f"P5/{program.name}"
        found = bench.figures(name)
        to_floor = bench.ratio(name, "P5/floor", "cpu")
        peers = {peer: bench.ratio(f"P5/{peer}", name, "cpu") for peer in ("sling", "dlt", "drt")}
        met += [below(to_floor, 2.0)] + [
            None if not peers[peer] else peers[peer]["median"] >= 10 for peer in ("sling", "dlt")]
        table.append([
            program.name, show_ratio(to_floor), *(show_ratio(ratio) for ratio in peers.values()),
            per_row(found, rows), seconds(found), memory(found)])
        values.append({"program": program.name, "cpu_to_floor": to_floor, **peers})
    for name in ("floor", "psql", "sling", "dlt", "drt"):
        if found := bench.figures(f"P5/{name}"):
            table.append([
                {"floor": "the C floor", "psql": "psql, row_to_json"}.get(name, name), "", "", "", "",
                stats.amount(found["cpu"]["median"] / rows * 1e6), seconds(found), memory(found)])
    bench.finish(
        "P5", "≥ 10 × less CPU per row than sling and dlt; ≤ 2 × the C floor",
        ["program", "CPU : floor", "sling's CPU : its", "dlt's", "drt's", "CPU µs/row", "wall s", "MiB"], table, met,
        values=values)
