# SPDX-License-Identifier: Apache-2.0
"""Writes what was measured: a table per target for people, and one JSON document for programs."""

import json
import os
import platform
import time

from . import stats

TITLES = {
    "P1": "PostgreSQL → Arrow → mapped → digested, nothing sent",
    "P2": "FULL sync of an unchanged table",
    "P3": "First sync into a destination that answers at once",
    "P4": "One row in a hundred has changed",
    "P5": "PostgreSQL → JSON bodies",
    "P6": "CSV → mapped rows",
    "P7": "Rate under a limit",
    "P8": "CPU of an API write",
    "P9": "Start",
    "P10": "Growth with the rows",
    "P11": "Tokens of a plan",
}
SCHEMA_VERSION = "1.0"


def machine():
    """One line about where this was measured."""
    model = platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    load = os.getloadavg()
    return {
        "cpu": model, "cores": len(os.sched_getaffinity(0)), "kernel": platform.release(),
        "system": platform.system(), "load": [round(value, 2) for value in load],
        "text": f"{model}, {len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.release()}",
    }


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def markdown(document, results):
    """The report for people."""
    where, begin, end = document["machine"], document["load"]["before"], document["load"]["after"]
    lines = [
        "# Benchmarks", "",
        f"{document['time']} · {where['text']} · load {begin[0]} before, {end[0]} after · "
        f"{document['rows']:,} rows, {document['rounds']} rounds, interleaved · commit {document['commit']}", "",
        "Ratios are medians of the ratios of the rounds, with the least and the greatest in brackets; other numbers "
        "are medians. A MISS is a number, not an error.", "",
        table(["target", "measure", "must be", "verdict"], [
            [case, TITLES[case], results[case]["target"], stats.verdict(results[case]["met"])] for case in results]),
    ]
    for case, result in results.items():
        lines += ["", f"## {case}: {TITLES[case]}", "", f"Target: {result['target']}. "
                  f"**{stats.verdict(result['met'])}**", "", table(result["head"], result["rows"])]
        lines += [line for note in result["notes"] for line in ("", note)]
    lines += ["", "## Programs", "", table(["program", "version"], sorted(document["versions"].items()))]
    for title, texts in (("Not there", document["absent"]), ("Left out", document["skipped"]),
                         ("Errors", document["errors"])):
        if texts:
            lines += ["", f"## {title}", ""] + [f"- {text}" for text in texts]
    return "\n".join(lines) + "\n"


def write(bench, options, versions, absent, load_before):
    """Writes report.md and results.json, and returns the text of the first."""
    tools = bench.tools
    where = machine()
    document = {
        "schema_version": SCHEMA_VERSION, "kind": "benchmarks",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "commit": options.commit, "rows": bench.rows,
        "rounds": bench.rounds, "machine": where,
        "load": {"before": [round(value, 2) for value in load_before], "after": where["load"]},
        "versions": versions, "absent": absent, "skipped": tools.skipped, "errors": tools.errors,
        "cases": {
            case: {"title": TITLES[case], "target": result["target"], "met": result["met"], "values": result["values"],
                   "notes": result["notes"]}
            for case, result in bench.results.items()},
        "samples": tools.samples,
    }
    text = markdown(document, bench.results)
    os.makedirs(options.out, exist_ok=True)
    with open(os.path.join(options.out, "results.json"), "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1, ensure_ascii=False)
    with open(os.path.join(options.out, "report.md"), "w", encoding="utf-8") as file:
        file.write(text)
    return text


def comparison(samples, new, old):
    """A row per task that both programs ran: the ratios of new to old."""
    rows = []
    for name in samples:
        words = name.split("/")
        if new not in words:
            continue
        other = "/".join(old if word == new else word for word in words)
        if other not in samples or name.startswith(("first/", "P4/first")):
            continue
        ratios = [stats.ratio(samples[name], samples[other], kind) for kind in ("cpu", "wall", "rss_mib")]
        rows.append(["/".join(word for word in words if word != new)] + [
            f"{found['median']:.2f} ({found['min']:.2f}–{found['max']:.2f})" for found in ratios] + [
            f"{stats.median(samples[other], 'cpu'):.3f} → {stats.median(samples[name], 'cpu'):.3f}"])
    return table(["measure", "CPU new : old", "wall new : old", "memory new : old", "CPU s"], rows)
