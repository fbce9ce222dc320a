# SPDX-License-Identifier: Apache-2.0
"""Writes the project that is measured, and starts the sandbox that it talks to."""

import json
import os
import shutil
import subprocess
import urllib.request

from companies import COLUMNS

FIELDS = {
    "name": "name",
    "website": "website",
    "address": "address",
    "Account notes": "notes",
    "Customer key": "customer_key",
    "Segment": "{from: segment, option: label}",
    "employee_count": "employees",
    "ARR (EUR)": "arr_eur",
    "Account tier": "tier",
    "Customer since": "customer_since",
}


class Sandbox:
    """A sandbox process; it ends with the `with` block."""

    def __init__(self, tools, *options):
        self.process = subprocess.Popen(
            [tools.penstock, "sandbox", "--daily-tokens", "100000000", *options],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def counters(self):
        with urllib.request.urlopen(self.url + "/_sandbox/state?rows=false") as answer:
            return json.load(answer)["data"]["counters"]


def write(folder, sources, sandbox, burst):
    """A project with one sync per source and mode: csv_append, csv_update, sqlite_append, sqlite_update."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "syncs"))
    types = ", ".join(f"{name}: {kind}" for name, _, kind in COLUMNS if kind != "text")
    put(folder, "penstock.yml", "version: 1\nproject: benchmarks\n")
    put(folder, "token", "sandbox-token\n", 0o600)
    put(
        folder, "connections.yml",
        "version: 1\nconnections:\n"
        f"  csv:\n    connector: csv\n    path: {sources[0]}\n    types: {{{types}}}\n"
        f"  sqlite:\n    connector: sqlite\n    path: {sources[1]}\n"
        f"  crm:\n    connector: pipedrive\n    base_url: {sandbox.url}\n    api_token: ${{file:./token}}\n"
        f"    budget: {{burst: {burst}, window: 2s, daily_tokens: 100000000}}\n")
    tables = {"csv": os.path.basename(sources[0]).removesuffix(".csv"), "sqlite": "companies"}
    for source, table in tables.items():
        for mode in ("append", "update"):
            put(folder, f"syncs/{source}_{mode}.yml", sync(source, table, mode))


def sync(source, table, mode):
    fields = "".join(f"  {target}: {column}\n" for target, column in FIELDS.items())
    insert = "  mode: Append\n" if mode == "append" else "  mode: Update\n  match: id\n  compare: ledger\n"
    key = "  id: id\n" if mode == "update" else ""
    return (
        f"version: 1\nname: {source}_{mode}\n"
        f"source:\n  connection: {source}\n  table: {table}\n  key: [id]\n"
        f"destination:\n  connection: crm\n  object: organization\n"
        f"map:\n{key}{fields}fetch:\n  mode: FULL\ninsert:\n{insert}")


def put(folder, name, text, mode=0o644):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
