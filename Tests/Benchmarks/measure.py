# SPDX-License-Identifier: Apache-2.0
"""Measures Penstock beside floors in the same run, and prints ratios. Started by ./run."""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys

import companies
import limits
import project


class Tools:
    """The programs to measure, and where things are put."""

    def __init__(self, options):
        self.work = options.work
        self.penstock = os.path.join(options.bin, "penstock")
        self.floor = os.path.join(options.work, "floor")

    def time(self, *command, exits=(0,)):
        """Runs a command once; its wall time, CPU time and peak memory."""
        out = os.path.join(self.work, "time.json")
        if os.path.exists(out):
            os.remove(out)
        done = subprocess.run([self.floor, "time", out, *command], capture_output=True, text=True, check=False)
        if done.returncode not in exits:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        with open(out, encoding="utf-8") as file:
            sample = json.load(file)
        return {
            "wall": sample["wall"], "cpu": sample["user"] + sample["system"], "rss": sample["rss_kib"] / 1024,
            "output": done.stdout,
        }


def median(samples, name):
    return statistics.median(sample[name] for sample in samples)


def table(title, head, rows):
    print(f"\n### {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


def reading(tools, options):
    """Plans over whole tables against floors that only read them."""
    counts = [options.rows // 10, options.rows]
    samples = {}
    with project.Sandbox(tools, "--burst", "1000000") as sandbox:
        cases = []
        for count in counts:
            sources = companies.make(tools.work, count)
            folder = os.path.join(tools.work, f"plan_{count}")
            project.write(folder, sources, sandbox, 1_000_000)
            cases.append(("csv", "floor", count, [tools.floor, "csv", sources[0]]))
            cases.append(("sqlite", "floor", count, [tools.floor, "sqlite", sources[1], "companies"]))
            for source in ("csv", "sqlite"):
                for mode in ("append", "update"):
                    command = [tools.penstock, "-C", folder, "plan", f"{source}_{mode}", "--json", "--diff", "0"]
                    cases.append((source, mode, count, command))
        for _ in range(options.rounds):
            for source, mode, count, command in cases:
                sample = tools.time(*command)
                samples.setdefault((source, mode, count), []).append(sample)
    rows, results = [], []
    for (source, mode, count), taken in samples.items():
        if mode == "floor":
            continue
        floor = samples[(source, "floor", count)]
        wall, cpu, rss = (median(taken, name) for name in ("wall", "cpu", "rss"))
        floor_wall, floor_cpu = median(floor, "wall"), median(floor, "cpu")
        rows.append([
            source, mode, f"{count:,}", f"{wall / floor_wall:.1f} ×", f"{cpu / floor_cpu:.1f} ×",
            f"{count / wall / 1e3:,.0f} k", f"{cpu / count * 1e6:.2f}", f"{rss:.0f} MiB",
            f"{floor_wall:.3f} s / {wall:.2f} s",
        ])
        results.append({
            "source": source, "mode": mode, "rows": count, "wall": wall, "cpu": cpu, "rss_mib": rss,
            "floor_wall": floor_wall, "floor_cpu": floor_cpu, "wall_ratio": wall / floor_wall,
        })
    table(
        "penstock plan against a C program that only reads",
        ["source", "mode", "rows", "wall : floor", "CPU : floor", "rows/s", "CPU µs/row", "peak memory",
         "floor / plan"], rows)
    return results


def starting(tools, options):
    """How long the program takes to start."""
    rows, results = [], []
    for words in (["--version"], ["connector", "list"]):
        taken = [tools.time(tools.penstock, *words) for _ in range(20)]
        wall, cpu = median(taken, "wall"), median(taken, "cpu")
        rows.append([" ".join(["penstock", *words]), f"{wall * 1e3:.1f} ms", f"{cpu * 1e3:.1f} ms"])
        results.append({"command": " ".join(words), "wall": wall, "cpu": cpu})
    table("Start (median of 20)", ["command", "wall", "CPU"], rows)
    return results


def run_sync(tools, folder, sources, sandbox, burst):
    """Runs csv_append once in a new project; the sample, and what the sandbox counted for the run."""
    project.write(folder, sources, sandbox, burst)
    before = sandbox.counters()
    sample = tools.time(
        tools.penstock, "-C", folder, "run", "csv_append", "--json", "--progress", "none")
    after = sandbox.counters()
    counted = {name: after[name] - before[name] for name in ("requests", "created", "burst_429")}
    return sample, counted


def rate(tools, options):
    """Creates under a limit of 40 requests per 2 s: the share of the permitted rate."""
    sources = companies.make(tools.work, options.rows_api)
    folder = os.path.join(tools.work, "rate")
    rows, results = [], []
    for latency in options.latencies.split():
        with project.Sandbox(tools, "--latency", f"{latency}ms", "--burst", "40") as sandbox:
            sample, counted = run_sync(tools, folder, sources, sandbox, 40)
        # The shortest time in which a window of 40 per 2 s lets so many requests through.
        least = 2.0 * (math.ceil(counted["requests"] / 40) - 1) + float(latency) / 1e3
        share = least / sample["wall"]
        rows.append([
            f"{latency} ms", f"{share * 100:.1f} %", str(counted["burst_429"]), f"{counted['created']:,}",
            f"{sample['cpu'] / counted['created'] * 1e6:.0f}", f"{sample['rss']:.0f} MiB",
            f"{least:.1f} s / {sample['wall']:.1f} s",
        ])
        results.append({"latency_ms": float(latency), "share": share, "least": least, **counted,
                        "wall": sample["wall"], "cpu": sample["cpu"], "rss_mib": sample["rss"]})
    table(
        f"{options.rows_api:,} creates, 40 requests per 2 s permitted",
        ["latency", "share of the permitted rate", "429s", "created", "CPU µs/write", "peak memory",
         "least possible / run"], rows)
    return results


def shared_limits(tools, options):
    """The burst limit as one process keeps it, and as two keep it together."""
    rows, results = limits.measure(tools, options)
    table(
        f"{options.rows_limits:,} creates, 40 requests per 2 s permitted, by one process and by two on one credential",
        ["latency", "processes", "share of the permitted rate", "429s", "the smaller one's share", "created",
         "CPU of all / wall", "least possible / run"], rows)
    return results


def writes(tools, options):
    """Creates without a limit: what one write costs."""
    sources = companies.make(tools.work, options.rows_writes)
    folder = os.path.join(tools.work, "writes")
    taken = []
    with project.Sandbox(tools, "--burst", "1000000") as sandbox:
        for _ in range(options.rounds):
            sample, counted = run_sync(tools, folder, sources, sandbox, 1_000_000)
            taken.append({**sample, **counted})
    wall, cpu, created = median(taken, "wall"), median(taken, "cpu"), median(taken, "created")
    table(
        "Creates without a limit",
        ["created", "writes/s", "CPU µs/write", "peak memory"],
        [[f"{created:,}", f"{created / wall:,.0f}", f"{cpu / created * 1e6:.0f}", f"{median(taken, 'rss'):.0f} MiB"]])
    return [{"created": created, "wall": wall, "cpu": cpu, "rss_mib": median(taken, "rss")}]


def main():
    parser = argparse.ArgumentParser()
    for name, kind in (("bin", str), ("work", str), ("rows", int), ("rounds", int), ("rows-api", int),
                       ("rows-limits", int), ("latencies", str), ("latencies-limits", str), ("only", str), ("out", str)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    parser.add_argument("--rows-writes", type=int, default=5_000)
    options = parser.parse_args()
    tools = Tools(options)
    parts = {"read": reading, "start": starting, "writes": writes, "rate": rate, "limits": shared_limits}
    chosen = options.only.split() or [name for name in parts if name != "limits"]
    results = {}
    for name in chosen:
        results[name] = parts[name](tools, options)
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump({"rows": options.rows, "rounds": options.rounds, "results": results}, file, indent=2)
    print(f"\nWritten to {os.path.relpath(options.out)}")


if __name__ == "__main__":
    main()
