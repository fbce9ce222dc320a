# SPDX-License-Identifier: Apache-2.0
"""The cases with an API: the rate under a limit, the CPU of a write, the start, and the tokens of plans."""

import os
from concurrent.futures import ThreadPoolExecutor

from . import project, stats
from .data import Companies
from .reading import memory, seconds, show_ratio
from .tools import Failure, Task, say

BURST = 40
COSTS = {"write": 5, "one": 1, "ids": 10, "ids_max": 100, "page": 10, "page_max": 500}
TOKENS_OF = {  # What a request of an update costs; the reads of fields and users are left out of the comparison.
    "GET /api/v2/organizations": 10, "GET /api/v2/organizations/{id}": 1, "PATCH /api/v2/organizations/{id}": 5,
    "POST /api/v2/organizations": 5,
}


def organization(source, table, insert, fields=None):
    return project.sync(source, table, "connection: crm, object: organization", fields or project.API_MAP, insert)


# ---- P7: the rate ------------------------------------------------------------------------------------------------


def rate_once(bench, program, latency, letters):
    """Creates by one process, or by two on one credential, against a sandbox of their own."""
    rows = bench.options.rows_limits // len(letters)
    name = f"p7_{program.name}_{latency}_{len(letters)}"
    folder = os.path.join(program.folder, name)
    with project.Sandbox(
            bench.tools, "--latency", f"{latency}ms", "--burst", str(BURST), jitter=bench.options.jitter) as sandbox:
        files = os.path.join(bench.tools.work, "data", name)
        for letter in letters:
            lines = "".join(f"{row},{letter} {row}\n" for row in range(1, rows + 1))
            project.put(files, f"{letter}.csv", "key,company\n" + lines)
        settings = {"files": f"connector: csv, path: {files}", "crm": project.sandbox_settings(sandbox.url, BURST)}
        syncs = {
            letter: organization("files", letter, "mode: Append", {"name": "company"}).replace("[id]", "[key]")
            for letter in letters}
        project.write(folder, settings, syncs)
        # A home of its own: the limits of another run are none of its business.
        env = {key: os.path.join(folder, "home") for key in ("HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")}
        with ThreadPoolExecutor(len(letters)) as pool:
            samples = list(pool.map(
                lambda letter: bench.tools.time(bench.run(program, folder, letter), env=env), letters))
        counted, has_jitter, smaller = sandbox.counters(), sandbox.has_jitter, smaller_share(sandbox)
    wall = max(sample["wall"] for sample in samples)
    least = stats.least_seconds(counted["requests"], BURST, 2.0, latency / 1e3)
    return {
        "program": program.name, "latency_ms": latency, "processes": len(letters), "share": least / wall,
        "least": least, "wall": wall, "burst_429": counted["burst_429"], "created": counted["created"],
        "smaller_share": smaller, "cpu": sum(sample["cpu"] for sample in samples), "jitter": has_jitter,
        "is_complete": counted["created"] == rows * len(letters),
    }


def smaller_share(sandbox):
    """Of two processes: the smaller one's part of what was created while both had rows, after the first window."""
    rows = sandbox.ask("/_sandbox/state")["organization_rows"]
    letters = [row["name"][0] for row in sorted(rows, key=lambda row: row["id"])]
    kinds = sorted(set(letters))
    if len(kinds) < 2:
        return None
    start = max(letters.index(kind) for kind in kinds) + BURST
    end = min(len(letters) - 1 - letters[::-1].index(kind) for kind in kinds)
    both = letters[start:end]
    return min(both.count(kind) for kind in kinds) / max(1, len(both))


def p7(bench):
    """The share of the permitted rate; all cases at once, since they hardly use a processor."""
    jobs = [
        (program, latency, letters) for program in bench.tools.programs for latency in bench.options.latencies
        for letters in ("A", "AB")]
    say(f"  {len(jobs)} runs at once, {bench.options.rows_limits:,} creates each at {BURST} requests per 2 s")
    with ThreadPoolExecutor(len(jobs)) as pool:
        found = list(pool.map(lambda job: guarded(bench, *job), jobs))
    values = [result for result in found if result]
    table, met = [], []
    for result in values:
        met.append(result["share"] >= 0.98 and result["burst_429"] == 0 and result["is_complete"])
        table.append([
            f"{result['latency_ms']:.0f} ms", str(result["processes"]), result["program"],
            f"{result['share'] * 100:.1f} %", str(result["burst_429"]),
            "" if result["smaller_share"] is None else f"{result['smaller_share'] * 100:.0f} %",
            f"{result['created']:,}",
            f"{result['cpu'] / result['created'] * 1e6:.0f}", f"{result['least']:.1f} / {result['wall']:.1f}"])
    jitter = bench.options.jitter if values and values[0]["jitter"] else "none: the sandbox has no --jitter"
    bench.finish(
        "P7", "≥ 98 % of the permitted rate, 0 × 429, any number of processes",
        ["latency", "processes", "program", "share", "429s", "smaller one's", "created", "CPU µs/write",
         "least / run s"], table, met,
        [f"Jitter: {jitter}. Of two processes the smaller one's part is that of what both created while both had rows. "
         "The share is that of the shortest time in which the limit lets so many through, from the start of the first "
         "program to the end of the last."], values)


def guarded(bench, program, latency, letters):
    try:
        return rate_once(bench, program, latency, letters)
    except (Failure, OSError, ValueError) as problem:
        return bench.tools.note(f"P7 {program.name}, {latency} ms, {len(letters)} processes", problem)


# ---- P8: the CPU of a write --------------------------------------------------------------------------------------


def p8(bench):
    """Creates and updates without a limit that could be reached: what one write costs, the whole program included."""
    rows = bench.options.rows_api
    path = Companies(bench.tools, rows).csv()
    tasks, stop = [], []
    sandbox = project.Sandbox(bench.tools, "--burst", "1000000000")
    stop.append(sandbox)
    with sandbox:
        def fresh():
            sandbox.ask("/_sandbox/reset", "POST", {"seed_organizations": 0})

        def seeded():
            sandbox.ask("/_sandbox/reset", "POST", {"seed_organizations": rows})

        url = f"{sandbox.url}/api/v2/organizations"
        if not bench.compares:
            for method, before in (("POST", fresh), ("PATCH", seeded)):
                tasks.append(Task(
                    f"P8/{method}/floor",
                    [bench.tools.floor_of(["http"]), method, url, "sandbox-token", str(rows), "16"], before=before))
        for program in bench.tools.programs:
            tasks += [write_task(bench, program, sandbox, path, *kind) for kind in (
                ("POST", fresh, "created", "mode: Append"),
                ("PATCH", seeded, "updated", "mode: Update, match: id, compare: none"))]
        bench.tools.measure(tasks, bench.rounds)
    table, met, values = [], [], []
    for method, word in (("POST", "create"), ("PATCH", "update")):
        for program in bench.tools.programs:
            name = f"P8/{method}/{program.name}"
            found, floor = bench.figures(name), bench.figures(f"P8/{method}/floor")
            if not found:
                continue
            cpu = found["cpu"]["median"] / rows * 1e6
            met.append(cpu <= 150)
            table.append([
                word, program.name, f"{cpu:.0f}", f"{floor['cpu']['median'] / rows * 1e6:.0f}" if floor else "-",
                show_ratio(bench.ratio(name, f"P8/{method}/floor", "cpu")), f"{rows / found['wall']['median']:,.0f}",
                memory(found)])
            values.append({"write": word, "program": program.name, "cpu_us": cpu})
    bench.finish(
        "P8", "≤ 150 µs CPU per write, everything included",
        ["write", "program", "CPU µs", "floor µs", "CPU : floor", "writes/s", "MiB"], table, met,
        [f"{rows:,} writes; the sandbox runs beside it on the same machine and is not counted."], values)


def write_task(bench, program, sandbox, path, method, before, count, insert):
    folder = os.path.join(program.folder, f"p8_{method}")
    fields = project.API_MAP if method == "POST" else {"id": "id", **project.API_MAP}
    project.write(
        folder, {"csv": project.csv_settings(path), "crm": project.sandbox_settings(sandbox.url, 1_000_000_000)},
        {"writes": organization("csv", "companies", insert, fields)})

    def prepared():
        before()
        project.forget(folder)

    rows = bench.options.rows_api
    return Task(
        f"P8/{method}/{program.name}", bench.run(program, folder, "writes"), before=prepared,
        after=lambda sample: project.expect(sample, **{"fetched": rows, count: rows}))


# ---- P9: the start -----------------------------------------------------------------------------------------------


def p9(bench):
    """How long the program takes to start."""
    limits = {"--version": 0.030, "connector list": 0.100}
    tasks = []
    if not bench.compares:
        bench.tools.measure(bench.peers.starts(), bench.rounds)
        tasks.append(Task("P9/floor", [bench.tools.floor_of(["nothing"])]))
    for program in bench.tools.programs:
        tasks += [Task(f"P9/{words}/{program.name}", [program.path, *words.split()]) for words in limits]
    bench.tools.measure(tasks, max(20, bench.rounds))
    table, met, values = [], [], []
    for words, limit in limits.items():
        for program in bench.tools.programs:
            found = bench.figures(f"P9/{words}/{program.name}")
            if not found:
                continue
            met.append(found["wall"]["median"] <= limit)
            table.append([
                f"penstock {words}", program.name, f"{found['wall']['median'] * 1e3:.1f}",
                f"{found['wall']['min'] * 1e3:.1f}–{found['wall']['max'] * 1e3:.1f}",
                f"{found['cpu']['median'] * 1e3:.1f}", memory(found)])
            values.append({"command": words, "program": program.name, "wall": found["wall"]["median"]})
    for name in ("floor", "drt", "dlt", "sling"):
        found = bench.figures(f"P9/{name}")
        if found:
            table.append([
                {"floor": "a C program that does nothing"}.get(name, f"{name}, its lightest command"), "",
                f"{found['wall']['median'] * 1e3:.1f}",
                f"{found['wall']['min'] * 1e3:.1f}–{found['wall']['max'] * 1e3:.1f}",
                f"{found['cpu']['median'] * 1e3:.1f}", memory(found)])
    bench.finish(
        "P9", "--version ≤ 30 ms, connector list ≤ 100 ms",
        ["command", "program", "wall ms", "spread", "CPU ms", "MiB"], table, met, values=values)


# ---- P11: tokens -------------------------------------------------------------------------------------------------

# Rows, records at the destination, changed rows, `compare`, and whether the ledger knows the rows.
SCENARIOS = [
    (1, 1000, 0, "auto", False), (7, 1000, 0, "auto", False), (7, 1000, 7, "none", False),
    (9, 1000, 2, "remote", False), (12, 1000, 1, "auto", False), (100, 1000, 3, "auto", False),
    (105, 1000, 3, "auto", False), (350, 400, 10, "auto", False), (1000, 1000, 10, "auto", False),
    (1000, 5000, 10, "remote", False), (400, 400, 400, "none", False), (1000, 1000, 0, "auto", True),
    (1000, 1000, 10, "auto", True),
]


def minimum(rows, records, changed, compare, is_known):
    """The fewest tokens and the strategy that spends them: for what is known before reading, and for all-knowing."""
    if is_known:
        best = COSTS["write"] * changed, "ledger"
        return best, best
    if compare == "none":
        best = COSTS["write"] * rows, "send all"
        return best, best
    return stats.least_tokens(rows, changed, None, COSTS), stats.least_tokens(rows, changed, records, COSTS)


def spent(before, after):
    """Tokens by route between two looks at the counters, of reading and writing organizations."""
    routes = {
        name: after["by_route"].get(name, 0) - before["by_route"].get(name, 0) for name in TOKENS_OF}
    return sum(TOKENS_OF[name] * count for name, count in routes.items()), routes


def scenario(bench, program, sandbox, number, rows, records, changed, compare, is_known):
    """Plans and runs one scenario; what was predicted, what the account was charged, and the minimum."""
    sandbox.ask("/_sandbox/reset", "POST", {"seed_organizations": records})
    names = {row["id"]: row["name"] for row in sandbox.ask("/_sandbox/state")["organization_rows"]}
    folder = os.path.join(program.folder, f"p11_{number}")
    path = os.path.join(folder, "data", "names.csv")

    def put(suffix):
        lines = "".join(
            f"{id},\"{names[id]}{suffix if id <= changed else ''}\"\n" for id in range(1, rows + 1))
        project.put(folder, "data/names.csv", "id,name\n" + lines)

    insert = f"mode: Update, match: id, compare: {'auto' if is_known else compare}"
    project.write(
        folder,
        {"csv": f"connector: csv, path: {path}, types: {{id: integer}}",
         "crm": project.sandbox_settings(sandbox.url, 1_000_000_000)},
        {"names": organization("csv", "names", insert, {"id": "id", "name": "name"})})
    if is_known:
        # What was accepted once is in the ledger: a first run sends everything.
        put(" AG")
        bench.tools.run(bench.run(program, folder, "names"))
        put(" Ltd")
        if changed == 0:
            put("")
            bench.tools.run(bench.run(program, folder, "names"))
    else:
        put(" Ltd")
    plan = project.document({"output": bench.tools.run(bench.plan(program, folder, "names"))})
    before = sandbox.counters()
    run = project.document({"output": bench.tools.run(bench.run(program, folder, "names"))})
    after = sandbox.counters()
    tokens, routes = spent(before, after)
    (least, strategy), (ideal, ideal_strategy) = minimum(rows, records, changed, compare, is_known)
    return {
        "program": program.name, "rows": rows, "records": records, "changed": changed, "compare": compare,
        "is_known": is_known, "minimum": least, "strategy": strategy, "ideal": ideal,
        "ideal_strategy": ideal_strategy, "spent": tokens, "routes": routes,
        "charged": after["tokens_spent"] - before["tokens_spent"], "said": run["api"]["tokens"],
        "predicted": plan["cost"]["tokens"],
    }


def p11(bench):
    """Tokens of plans and runs beside the minimum over the strategies that exist."""
    values = []
    with project.Sandbox(bench.tools, "--burst", "1000000000") as sandbox:
        for program in bench.tools.programs:
            for number, case in enumerate(SCENARIOS):
                try:
                    values.append(scenario(bench, program, sandbox, number, *case))
                except (Failure, OSError, ValueError, KeyError) as problem:
                    bench.tools.note(f"P11 {program.name}, scenario {case}", problem)
    table, met = [], []
    for value in values:
        is_exact = value["charged"] == value["said"] == value["predicted"]
        over = value["spent"] - value["minimum"]
        # A page of the list may be read to learn how long it is; that is no more than one page.
        met.append(over <= (COSTS["page"] if value["ideal"] != value["minimum"] else 0) and is_exact)
        table.append([
            f"{value['rows']:,}", f"{value['records']:,}", f"{value['changed']:,}", value["compare"],
            "known" if value["is_known"] else "new", value["program"], f"{value['minimum']:,} ({value['strategy']})",
            f"{value['ideal']:,} ({value['ideal_strategy']})", f"{value['spent']:,}",
            f"{value['predicted']:,} / {value['charged']:,}",
            stats.verdict(met[-1]) + (f", {over} more" if over > 0 else "")])
    bench.finish(
        "P11", "the minimum over the strategies that exist; predicted = charged",
        ["rows", "records", "changed", "compare", "ledger", "program", "minimum", "knowing all", "spent",
         "predicted / charged", ""], table, met,
        ["Minimum and spent are those of looking and writing; predicted and charged hold all requests of the run, "
         "those for fields and users too. The minimum is that of the strategies for what is known before reading; who "
         "knows how many records there are could also list them all."], values)
