# SPDX-License-Identifier: Apache-2.0
"""The cases without an API: reading, comparing, the first sync, parsing, and growth."""

import os

from . import project, stats
from .tools import Task


def show_ratio(found):
    if not found:
        return "-"
    return f"{found['median']:.2f} × ({found['min']:.2f}–{found['max']:.2f})"


def below(found, limit):
    return None if not found else found["median"] <= limit


def per_row(figures, rows):
    return stats.amount(figures["cpu"]["median"] / rows * 1e6) if figures else "-"


def seconds(figures, name="wall"):
    return stats.amount(figures[name]["median"]) if figures else "-"


def memory(figures):
    return f"{figures['rss_mib']['median']:.0f}" if figures else "-"


def floor_task(bench, name, command, source, *words):
    return Task(name, [bench.tools.floor_of(source), command, *words, *source])


# ---- P1: reading, mapping, digesting ---------------------------------------------------------------------------


def p1(bench):
    """`plan` over PostgreSQL: every row is read, mapped and digested, and nothing is sent."""
    tasks = []
    for rows in (bench.small, bench.rows):
        source = bench.source("postgres", rows)
        if not source:
            continue
        if not bench.compares:
            tasks.append(floor_task(bench, f"P1/floor/{rows}", "read", source.floor))
            tasks += bench.peers.copy(bench.servers["postgres"], source, f"P1/psql/{rows}")
        for program in bench.tools.programs:
            folder = bench.void_project(program, f"p1_{rows}", [source])
            tasks.append(Task(
                f"P1/{program.name}/{rows}", bench.plan(program, folder, "postgres_append"),
                after=lambda sample, rows=rows: project.expect(sample, fetched=rows, created=rows)))
    bench.tools.measure(tasks, bench.rounds)
    table, met, values = [], [], []
    for program in bench.tools.programs:
        name = f"P1/{program.name}/{bench.rows}"
        found = bench.figures(name)
        to_psql = bench.ratio(name, f"P1/psql/{bench.rows}")
        cpu = found["cpu"]["median"] / bench.rows * 1e6 if found else None
        met += [below(to_psql, 1.3), None if cpu is None else cpu <= 1.5]
        table.append([
            program.name, show_ratio(to_psql), show_ratio(bench.ratio(name, f"P1/floor/{bench.rows}")),
            show_ratio(bench.ratio(name, f"P1/floor/{bench.rows}", "cpu")), stats.amount(cpu), seconds(found),
            memory(found)])
        values.append({"program": program.name, "wall_to_psql": to_psql, "cpu_us_per_row": cpu})
    bench.finish(
        "P1", "wall ≤ 1.3 × psql's COPY binary; client CPU ≤ 1.5 s per million rows",
        ["program", "wall : psql", "wall : floor", "CPU : floor", "CPU µs/row", "wall s", "MiB"], table, met,
        values=values)


# ---- P2: an unchanged table --------------------------------------------------------------------------------------


def p2_tasks(bench, rows):
    sources = bench.there(rows)
    tasks = []
    for source in sources:
        if bench.compares:
            break
        state = os.path.join(bench.tools.work, f"floor_{source.name}_{rows}.state")
        bench.tools.run([bench.tools.floor_of(source.floor), "first", state, *source.floor])
        tasks.append(floor_task(bench, f"P2/{source.name}/floor/{rows}", "diff", source.floor, state))
        tasks.append(floor_task(bench, f"P2/{source.name}/merge/{rows}", "merge", source.sorted_floor, state))
        tasks += bench.peers.clients(source, bench.servers, f"P2/{source.name}/client/{rows}")
    for program in bench.tools.programs:
        folder = bench.void_project(program, f"p2_{rows}", sources)
        for source in sources:
            name = f"P2/{source.name}/{program.name}/{rows}"
            first = Task(
                f"first/{source.name}/{program.name}/{rows}", bench.run(program, folder, f"{source.name}_update"),
                after=lambda sample: project.expect(sample, fetched=rows, updated=rows))
            bench.tools.measure([first], 1)
            if not bench.tools.of(first.name):
                continue
            tasks.append(Task(
                name, bench.run(program, folder, f"{source.name}_update"),
                after=lambda sample: project.expect(sample, fetched=rows, unchanged=rows)))
    return tasks


def p2(bench):
    """A FULL sync of a table in which nothing has changed since the last run."""
    tasks = p2_tasks(bench, bench.small) + p2_tasks(bench, bench.rows)
    bench.tools.measure(tasks, bench.rounds)
    table, met, values = [], [], []
    for source in bench.there():
        for program in bench.tools.programs:
            base = f"P2/{source.name}"
            name, small = f"{base}/{program.name}/{bench.rows}", f"{base}/{program.name}/{bench.small}"
            floor, found, few = f"{base}/floor/{bench.rows}", bench.figures(name), bench.figures(small)
            to_floor = bench.ratio(name, floor)
            rss = found["rss_mib"]["median"] if found else None
            is_flat = None if not found or not few else rss <= max(few["rss_mib"]["median"] * 1.1, 40)
            met += [below(to_floor, 1.5), None if rss is None else rss <= 64, is_flat]
            table.append([
                source.name, program.name, show_ratio(to_floor), show_ratio(bench.ratio(name, floor, "cpu")),
                per_row(found, bench.rows), seconds(bench.figures(floor)),
                seconds(bench.figures(f"{base}/merge/{bench.rows}")),
                seconds(bench.figures(f"{base}/client/{bench.rows}")), seconds(found), memory(found), memory(few)])
            values.append({
                "source": source.name, "program": program.name, "wall_to_floor": to_floor,
                "cpu_to_floor": bench.ratio(name, floor, "cpu"), "rss_mib": rss})
    bench.finish(
        "P2", "wall ≤ 1.5 × the C floor of that source; peak memory ≤ 64 MiB and flat",
        ["source", "program", "wall : floor", "CPU : floor", "CPU µs/row", "floor s", "merging floor s",
         "its client reads s", "wall s", "MiB", f"MiB at {bench.small:,}"], table, met,
        ["The client is psql with COPY binary, mariadb --quick, and sqlite3; it reads the same columns and compares "
         "nothing."], values)


# ---- P3: the first sync ------------------------------------------------------------------------------------------


def state_bytes(folder, name, rows):
    """Bytes of a state a row beside the key's own, which here are the digits of the id."""
    base = os.path.join(folder, ".penstock", "state", f"{name}.db")
    size = sum(os.path.getsize(base + end) for end in ("", "-wal") if os.path.exists(base + end))
    width, keys, start = 1, 0, 1
    while start <= rows:
        keys += width * (min(rows, start * 10 - 1) - start + 1)
        width, start = width + 1, start * 10
    return (size - keys) / rows


def p3(bench):
    """A first sync into a destination that answers at once, with everything that must survive a crash on disk."""
    tasks = []
    source, small = bench.main(), bench.main(bench.small)
    if not source or not small:
        return
    state = os.path.join(bench.tools.work, "floor_first.state")
    if not bench.compares:
        tasks.append(floor_task(bench, f"P3/floor/{bench.rows}", "first", source.floor, state))
    # What is measured, the mode of its sync, the rows, the count that they end in, whether updates ask for leave.
    kinds = [
        ("updates", "update", source, "updated", False), ("updates that ask", "update", small, "updated", True),
        ("creates", "append", small, "created", True)]
    for program in bench.tools.programs:
        for kind, mode, taken, count, asks in kinds:
            folder = bench.void_project(program, f"p3_{kind.replace(' ', '_')}", [taken], asks=asks)
            name = f"{taken.name}_{mode}"

            def after(sample, folder=folder, name=name, rows=taken.rows, count=count):
                project.expect(sample, **{"fetched": rows, count: rows})
                return {"state": state_bytes(folder, name, rows)}

            tasks.append(Task(
                f"P3/{kind}/{program.name}", bench.run(program, folder, name),
                before=lambda folder=folder: project.forget(folder), after=after))
    bench.tools.measure(tasks, bench.rounds)
    table, met, values = [], [], []
    for program in bench.tools.programs:
        for kind, _, taken, _, _ in kinds:
            name = f"P3/{kind}/{program.name}"
            found, samples = bench.figures(name), bench.tools.of(name)
            to_floor = bench.ratio(name, f"P3/floor/{bench.rows}") if taken is source else None
            width = stats.median(samples, "state") if samples else None
            if taken is source:
                met += [below(to_floor, 2.5), None if width is None else width <= 60]
            table.append([
                f"{taken.rows:,} {kind}", program.name, show_ratio(to_floor),
                per_row(found, taken.rows), stats.amount(width), seconds(bench.figures(f"P3/floor/{bench.rows}")),
                seconds(found), memory(found)])
            values.append({"kind": kind, "program": program.name, "wall_to_floor": to_floor, "state_bytes": width})
    bench.finish(
        "P3", "wall ≤ 2.5 × floor; state ≤ 60 bytes a row beside the key's own",
        ["rows", "program", "wall : floor", "CPU µs/row", "state bytes/row", "floor s", "wall s", "MiB"], table, met,
        [f"Read from {source.name}. The updates of the target ask nobody for leave, for there is no API whose limit they "
         "could exceed; those that do take the slot of a request each, which is written to a file that processes share. "
         "Of creates each intent is on disk before its request; updates may be repeated."],
        values)


# ---- P4: a few rows have changed ---------------------------------------------------------------------------------


class Changing:
    """The main source with a table of which every hundredth row changes at each turn."""

    def __init__(self, bench):
        self.bench, self.turn = bench, 0
        self.source = bench.main()
        self.is_database = self.source.name == "postgres"
        if self.is_database:
            server = bench.servers["postgres"]
            server.run(
                "DROP VIEW IF EXISTS changing",
                "CREATE TABLE IF NOT EXISTS changed AS SELECT "
                + ", ".join("(arr_eur + (id % 100 = 0)::int)::numeric(14,2) AS arr_eur" if name == "arr_eur" else name
                            for name in project.MAPPED)
                + f" FROM companies_{bench.rows}")
            self.taken = type(self.source)(
                "postgres", bench.rows, self.source.settings, "public.changing", None, None)
        else:
            self.folder = os.path.join(bench.tools.work, "data", "changing")
            os.makedirs(self.folder, exist_ok=True)
            path = os.path.join(self.folder, "companies.csv")
            self.taken = type(self.source)("csv", bench.rows, project.csv_settings(path), "companies", None, None)
        self.set(0)

    def set(self, turn):
        self.turn = turn
        if self.is_database:
            table = f"companies_{self.bench.rows}" if turn % 2 == 0 else "changed"
            self.bench.servers["postgres"].run(f"CREATE OR REPLACE VIEW changing AS SELECT "
                                               f"{', '.join(project.MAPPED)} FROM {table}")
            return
        files = project.Companies(self.bench.tools, self.bench.rows)
        path = os.path.join(self.folder, "companies.csv")
        os.link(files.csv(100 if turn % 2 else 0), path + ".part")
        os.replace(path + ".part", path)


def p4(bench):
    """Every hundredth row has changed: the time of P2, the time of so many writes at the permitted rate, no more."""
    if not bench.main() or bench.rows < 1000:
        return
    changing, writes = Changing(bench), bench.rows // 100
    burst = max(1, writes // 4)
    api = stats.least_seconds(writes, burst, 2.0, 0)
    tasks = []
    for program in bench.tools.programs:
        folder = bench.void_project(program, "p4", [changing.taken])
        name = f"{changing.taken.name}_update"
        changing.set(0)
        bench.tools.measure([Task(f"P4/first/{program.name}", bench.run(program, folder, name))], 1)
        if not bench.tools.of(f"P4/first/{program.name}"):
            continue
        project.put(folder, "connections.yml", project.connections_text(
            {changing.taken.name: changing.taken.settings, "nowhere": project.void_settings(folder, (burst, "2s"))}))

        def after(sample):
            project.expect(sample, fetched=bench.rows, updated=writes, unchanged=bench.rows - writes)
            return {"tokens": project.document(sample)["api"]["tokens"]}

        # Every program has its own ledger, so each meets the change at its own turn.
        turns = {"turn": 0}

        def turn(turns=turns):
            turns["turn"] += 1
            changing.set(turns["turn"])

        tasks.append(Task(f"P4/changed/{program.name}", bench.run(program, folder, name), before=turn, after=after))
        tasks.append(Task(f"P4/same/{program.name}", bench.run(program, folder, name)))
    bench.tools.measure(tasks, bench.rounds)
    table, met, values = [], [], []
    for program in bench.tools.programs:
        changed, same = bench.tools.of(f"P4/changed/{program.name}"), bench.tools.of(f"P4/same/{program.name}")
        if not changed or not same:
            continue
        wall, quiet = stats.median(changed, "wall"), stats.median(same, "wall")
        tokens = stats.median(changed, "tokens")
        met += [wall <= (quiet + api) * 1.05, tokens == 5 * writes]
        table.append([
            program.name, f"{writes:,}", f"{wall:.2f}", f"{quiet:.2f}", f"{api:.2f}",
            f"{wall / (quiet + api):.2f} ×", f"{tokens:,.0f} / {5 * writes:,}"])
        values.append({"program": program.name, "wall": wall, "same": quiet, "api": api, "tokens": tokens})
    bench.finish(
        "P4", "P2 and the API time of the writes, nothing more (5 % for noise); tokens are the exact minimum",
        ["program", "writes", "wall s", "unchanged s", "API s", "wall : both", "tokens / minimum"], table, met,
        [f"Read from {changing.taken.name}; {burst:,} writes per 2 s are permitted."], values)


# ---- P6: CSV -----------------------------------------------------------------------------------------------------


def p6(bench):
    """CSV to mapped rows, beside others that parse the same types on one thread."""
    source = bench.source("csv")
    if not source:
        return
    tasks = []
    if not bench.compares:
        tasks.append(floor_task(bench, "P6/floor", "read", source.floor))
        tasks += bench.peers.csv(source.floor[1])
    for program in bench.tools.programs:
        folder = bench.void_project(program, "p6", [source])
        tasks.append(Task(
            f"P6/{program.name}", bench.plan(program, folder, "csv_append"),
            after=lambda sample: project.expect(sample, fetched=bench.rows, created=bench.rows)))
    bench.tools.measure(tasks, bench.rounds)
    table, met, values = [], [], []
    for program in bench.tools.programs:
        name = f"P6/{program.name}"
        found, ratios = bench.figures(name), {}
        for peer in ("duckdb", "polars"):
            start, whole = bench.figures(f"P6/{peer} start"), bench.figures(f"P6/{peer}")
            started = start["wall"]["median"] if start else 0.0
            # What is left of a peer's time has to be more than the noise of its start.
            is_telling = whole and whole["wall"]["median"] - started > 0.5 * started
            ratios[peer] = bench.ratio(name, f"P6/{peer}", less=started) if is_telling else None
            met.append(below(ratios[peer], 1.0))
        table.append([
            program.name, *(show_ratio(ratios[peer]) for peer in ratios), show_ratio(bench.ratio(name, "P6/floor")),
            per_row(found, bench.rows), seconds(found), memory(found)])
        values.append({"program": program.name, **{f"wall_to_{peer}": found for peer, found in ratios.items()}})
    bench.finish(
        "P6", "faster than DuckDB and Polars on one thread",
        ["program", "wall : DuckDB", "wall : Polars", "wall : floor", "CPU µs/row", "wall s", "MiB"], table, met,
        ["The start of Python and the import are taken off the peers' times, and nothing off Penstock's. Where little "
         "is left of a peer's time then, there is no ratio: take more rows."], values)


# ---- P10: growth -------------------------------------------------------------------------------------------------


def p10(bench):
    """How time and memory grow from a tenth of the rows to all of them; uses the samples of P1 and P2."""
    table, met, values = [], [], []
    names = [("plan, postgres", "P1/{program}/{rows}")] + [
        (f"unchanged, {source.name}", f"P2/{source.name}/{{program}}/{{rows}}") for source in bench.there()]
    for title, pattern in names:
        for program in bench.tools.programs:
            few, many = (
                bench.figures(pattern.format(program=program.name, rows=rows)) for rows in (bench.small, bench.rows))
            if not few or not many:
                continue
            start = bench.figures(f"P9/--version/{program.name}")
            started = start["cpu"]["median"] if start else 0.0
            grown = stats.scale(
                [figures["cpu"]["median"] - started for figures in (few, many)], [bench.small, bench.rows])
            memory_grown = many["rss_mib"]["median"] / few["rss_mib"]["median"]
            met += [None if grown is None else grown <= 1.1, memory_grown <= 1.1]
            table.append([
                title, program.name, "-" if grown is None else f"{grown:.2f} ×", memory(few), memory(many),
                f"{memory_grown:.2f} ×"])
            values.append({"what": title, "program": program.name, "time": grown, "memory": memory_grown})
    bench.finish(
        "P10", "time linear within 10 %, memory flat",
        ["what", "program", f"CPU a row, {bench.rows:,} : {bench.small:,}", f"MiB at {bench.small:,}",
         f"MiB at {bench.rows:,}", "growth"], table, met,
        ["CPU time, less that of the program's start."], values)
