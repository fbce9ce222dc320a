# SPDX-License-Identifier: Apache-2.0
"""Writes the projects that are measured, and starts the sandbox that some of them talk to."""

import json
import os
import shutil
import subprocess
import urllib.request

from .data import COLUMNS, MAPPED, Companies
from .tools import Failure

# Without a limit that could be reached: what is measured then is Penstock's own work.
NO_LIMIT = (1_000_000_000, "2s")

# The fields of the void's company, and of the sandbox's organization.
VOID_MAP = {
    "name": "name", "website": "website", "address": "address", "employee_count": "employees",
    "customer_key": "customer_key", "notes": "notes", "segment": "{from: segment, option: label}",
    "arr_eur": "arr_eur", "is_active": "is_active", "customer_since": "customer_since",
}
API_MAP = {
    "name": "name", "website": "website", "address": "address", "employee_count": "employees",
    "Customer key": "customer_key", "Account notes": "notes", "Segment": "{from: segment, option: label}",
    "ARR (EUR)": "arr_eur", "Customer since": "customer_since",
}


def put(folder, name, text, mode=0o644):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def csv_settings(path):
    types = ", ".join(f"{column.name}: {column.kind}" for column in COLUMNS if column.kind != "text")
    return f"connector: csv, path: {path}, types: {{{types}}}"


def void_settings(place, limit=NO_LIMIT, asks=True):
    """Connections of one place share their limits with all processes of the user, so each project has its own."""
    budget = f"{{burst: {limit[0]}, window: {limit[1]}, daily_tokens: 1000000000000}}"
    return f"connector: void, place: {place}, asks: {str(asks).lower()}, budget: {budget}"


def sandbox_settings(url, burst):
    return (f"connector: pipedrive, base_url: {url}, api_token: \"${{file:./token}}\", "
            f"budget: {{burst: {burst}, window: 2s, daily_tokens: 1000000000}}")


def connections_text(connections):
    """The text of connections.yml; each connection is the inside of a map."""
    lines = "".join(f"  {name}: {{{settings}}}\n" for name, settings in connections.items())
    return f"version: 1\nconnections:\n{lines}"


def write(folder, connections, syncs):
    """A new project: connections by name as the inside of a map, syncs by name as text."""
    shutil.rmtree(folder, ignore_errors=True)
    put(folder, "penstock.yml", "version: 1\nproject: benchmarks\n")
    put(folder, "token", "sandbox-token\n", 0o600)
    put(folder, "connections.yml", connections_text(connections))
    for name, text in syncs.items():
        put(folder, f"syncs/{name}.yml", text)


def sync(source, table, destination, fields, insert):
    """The text of a sync; `insert` is the inside of a map."""
    lines = "".join(f"  {target}: {column}\n" for target, column in fields.items())
    return (
        f"version: 1\nsource: {{connection: {source}, table: {table}, key: [id]}}\n"
        f"destination: {{{destination}}}\nmap:\n{lines}insert: {{{insert}}}\n")


def void_sync(source, table, mode):
    """`append` creates every row; `update` writes rows by their id, and knows from the ledger what it wrote."""
    fields, insert = (VOID_MAP, "mode: Append") if mode == "append" else (
        {"id": "id", **VOID_MAP}, "mode: Update, match: id, compare: ledger")
    return sync(source, table, "connection: nowhere, object: company", fields, insert)


def forget(folder):
    """Makes the project anew without its state: a folder of another identity is another project."""
    fresh = folder + ".fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(folder, fresh, ignore=shutil.ignore_patterns(".penstock", "penstock.lock"))
    shutil.rmtree(folder)
    os.rename(fresh, folder)


def document(sample):
    """What `run --json` and `plan --json` say of their one sync."""
    try:
        return json.loads(sample["output"])["data"][0]
    except (ValueError, KeyError, IndexError) as problem:
        raise Failure(f"the output is not what was expected: {sample['output'][:300]}") from problem


def expect(sample, **counts):
    """Holds the counts of a plan or a run against what they must be; a benchmark of wrong results is none."""
    found = document(sample)["counts"]
    for name, count in counts.items():
        if found[name] != count:
            raise Failure(f"{name} is {found[name]} and should be {count}: {found}")
    return {}


class Sandbox:
    """A sandbox process; it ends with the `with` block."""

    def __init__(self, tools, *options, jitter=None):
        words = [tools.programs[0].path, "sandbox", "--daily-tokens", "1000000000", *options]
        self.has_jitter = bool(jitter) and "--jitter" in tools.sandbox_help()
        if self.has_jitter:
            words += ["--jitter", jitter]
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=tools.env)
        line = self.process.stdout.readline().split()
        if not line:
            raise Failure(f"{' '.join(words)} ended at once")
        self.url = line[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, path, method="GET", body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["data"]

    def counters(self):
        return self.ask("/_sandbox/state?rows=false")["counters"]
