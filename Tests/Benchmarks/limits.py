# SPDX-License-Identifier: Apache-2.0
"""Creates under a limit of 40 requests per 2 s, by one process and by two that share the credential."""

import json
import math
import os
import shutil
import subprocess
import sys
import time
import urllib.request

import project

BURST = 40


def prepare(folder, sandbox, letters, rows):
    """A project with one CSV file and one sync per letter; the companies are called `A 1`, `A 2`, …"""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "syncs"))
    os.makedirs(os.path.join(folder, "data"))
    project.put(folder, "penstock.yml", "version: 1\nproject: limits\n")
    project.put(folder, "token", "sandbox-token\n", 0o600)
    project.put(
        folder, "connections.yml",
        "version: 1\nconnections:\n  files: {connector: csv, path: ./data/*.csv}\n"
        f"  crm:\n    connector: pipedrive\n    base_url: {sandbox.url}\n    api_token: ${{file:./token}}\n"
        f"    budget: {{burst: {BURST}, window: 2s, daily_tokens: 100000000}}\n")
    for letter in letters:
        lines = "".join(f"{row},{letter} {row}\n" for row in range(1, rows + 1))
        project.put(folder, f"data/{letter}.csv", "key,company\n" + lines)
        project.put(
            folder, f"syncs/{letter}.yml",
            f"version: 1\nsource: {{connection: files, table: {letter}, key: [key]}}\n"
            "destination: {connection: crm, object: organization}\nmap: {name: company}\ninsert: {mode: Append}\n")


def run(tools, folder, letters):
    """Runs the syncs at the same time; the wall time until the last has ended, and the CPU time of each."""
    started, begun = [], time.monotonic()
    for letter in letters:
        out = os.path.join(tools.work, f"limits_{letter}.json")
        if os.path.exists(out):
            os.remove(out)
        command = [tools.floor, "time", out, tools.penstock, "-C", folder, "run", letter, "--json", "--progress", "none"]
        started.append((out, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)))
    cpu = []
    for out, process in started:
        output, errors = process.communicate()
        if process.returncode != 0:
            sys.exit(f"a run ended with {process.returncode}:\n{output[-2000:]}\n{errors[-2000:]}")
        with open(out, encoding="utf-8") as file:
            sample = json.load(file)
        cpu.append(sample["user"] + sample["system"])
    return time.monotonic() - begun, cpu


def shares(sandbox):
    """The smaller one's share of what was created while both had rows, after the first window."""
    with urllib.request.urlopen(sandbox.url + "/_sandbox/state") as answer:
        rows = json.load(answer)["data"]["organization_rows"]
    letters = [row["name"][0] for row in sorted(rows, key=lambda row: row["id"])]
    kinds = sorted(set(letters))
    if len(kinds) < 2:
        return None
    start = max(letters.index(kind) for kind in kinds) + BURST
    end = min(len(letters) - 1 - letters[::-1].index(kind) for kind in kinds)
    both = letters[start:end]
    return min(both.count(kind) for kind in kinds) / max(1, len(both))


def measure(tools, options):
    """The table of the limiter: one and two processes at each latency."""
    rows, results = [], []
    for latency in options.latencies_limits.split():
        for letters in ("A", "AB"):
            with project.Sandbox(tools, "--latency", f"{latency}ms", "--burst", str(BURST)) as sandbox:
                folder = os.path.join(tools.work, "limits")
                prepare(folder, sandbox, letters, options.rows_limits // len(letters))
                wall, cpu = run(tools, folder, letters)
                counted = sandbox.counters()
                smaller = shares(sandbox)
            # The shortest time in which a window of 40 per 2 s lets so many requests through.
            least = 2.0 * (math.ceil(counted["requests"] / BURST) - 1) + float(latency) / 1e3
            rows.append([
                f"{latency} ms", str(len(letters)), f"{least / wall * 100:.1f} %", str(counted["burst_429"]),
                "" if smaller is None else f"{smaller * 100:.0f} %", f"{counted['created']:,}",
                f"{sum(cpu) / wall * 100:.1f} %", f"{least:.1f} s / {wall:.1f} s",
            ])
            print("  ".join(rows[-1]), file=sys.stderr, flush=True)
            results.append({
                "latency_ms": float(latency), "processes": len(letters), "share": least / wall, "wall": wall,
                "least": least, "smaller_share": smaller, "cpu": cpu, "burst_429": counted["burst_429"],
                "created": counted["created"], "requests": counted["requests"],
            })
    return rows, results
