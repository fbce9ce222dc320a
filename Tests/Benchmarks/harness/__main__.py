# SPDX-License-Identifier: Apache-2.0
"""Measures P1 to P11 beside floors and peers, or two revisions beside each other. Started by ./run and ./compare."""

import argparse
import os
import signal
import sys
from contextlib import ExitStack

from . import bodies, delivery, reading, report
from .bench import SOURCES, Bench
from .data import check_disk
from .peers import Peers
from .tools import Tools, say

# In this order: P10 uses samples of P1, P2 and P9.
CASES = {
    "P9": delivery.p9, "P1": reading.p1, "P2": reading.p2, "P3": reading.p3, "P4": reading.p4, "P5": bodies.p5,
    "P6": reading.p6, "P8": delivery.p8, "P7": delivery.p7, "P10": reading.p10, "P11": delivery.p11,
}
NEEDS = {"P10": ["P9", "P1", "P2"]}
SERVERS_FOR = {"P1", "P2", "P3", "P4", "P5"}


def words(text):
    return [word for word in text.replace(",", " ").split() if word]


def options(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", action="append", required=True, help="NAME=FILE; a second one is compared with")
    parser.add_argument("--package", required=True, help="the folder of floor and libpenstock-void.so")
    parser.add_argument("--work", required=True, help="where data, projects and servers' files are put")
    parser.add_argument("--out", required=True, help="the folder of report.md and results.json")
    parser.add_argument("--commit", default="unknown")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows-api", type=int, default=5_000)
    parser.add_argument("--rows-limits", type=int, default=1_200)
    parser.add_argument("--latencies", type=lambda text: [float(word) for word in words(text)], default="3 50 150 300")
    parser.add_argument("--jitter", default="20ms")
    parser.add_argument("--only", type=words, default="")
    parser.add_argument("--sources", type=words, default=" ".join(SOURCES))
    found = parser.parse_args(arguments)
    found.only = found.only or list(CASES)
    for name, chosen, known in (("ONLY", found.only, CASES), ("SOURCES", found.sources, SOURCES)):
        if unknown := [word for word in chosen if word not in known]:
            parser.error(f"{name}: {', '.join(unknown)}: these are {', '.join(known)}")
    if found.rows < 10 or found.rounds < 1:
        parser.error("ROWS is at least 10, ROUNDS at least 1")
    return found


def chosen_cases(only):
    """The cases to run, in their order, with those whose samples they use."""
    wanted = set(only)
    for case in only:
        wanted.update(NEEDS.get(case, []))
    return [case for case in CASES if case in wanted]


def run_cases(bench, cases):
    with ExitStack() as stack:
        if SERVERS_FOR & set(cases):
            bench.open_servers(stack)
        for case in cases:
            say(f"== {case}: {report.TITLES[case]}")
            try:
                CASES[case](bench)
            except Exception as problem:  # The other cases go on, and the run ends as an error.
                bench.tools.note(case, f"{type(problem).__name__}: {problem}")
    order = sorted(bench.results, key=lambda case: int(case[1:]))
    bench.results = {case: bench.results[case] for case in order}


def main(arguments):
    # A harness that is told to stop takes its servers with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = options(arguments)
    os.makedirs(chosen.work, exist_ok=True)
    check_disk(chosen.work, chosen.rows)
    before = os.getloadavg()
    tools = Tools(chosen.work, chosen.package, [text.split("=", 1) for text in chosen.program])
    peers = Peers(tools)
    bench = Bench(tools, chosen, peers)
    run_cases(bench, chosen_cases(chosen.only))
    versions = dict(peers.versions)
    for program in tools.programs:
        versions[f"penstock ({program.name})"] = tools.run([program.path, "--version"]).strip()
    for server in bench.servers.values():
        versions[f"{server.name} (server)"] = server.version
    text = report.write(bench, chosen, versions, peers.absent, before)
    if bench.compares:
        text = report.comparison(tools.samples, tools.programs[0].name, tools.programs[1].name)
        with open(os.path.join(chosen.out, "compare.md"), "w", encoding="utf-8") as file:
            file.write(text + "\n")
    print(text)
    say(f"written to {os.path.relpath(chosen.out)}")
    if tools.errors:
        say("errors:\n" + "\n".join(f"  {text}" for text in tools.errors))
    return 1 if tools.errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
