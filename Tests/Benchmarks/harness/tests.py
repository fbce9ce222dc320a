# SPDX-License-Identifier: Apache-2.0
"""Tests of the harness itself, and of the floors where PENSTOCK_FLOORS names the folder of their programs."""

import io
import itertools
import json
import os
import subprocess
import tempfile
import types
import unittest
from contextlib import redirect_stderr

from . import __main__ as program
from . import project, reading, report, stats
from .data import COLUMNS, MAPPED, check_disk
from .delivery import COSTS, minimum
from .tools import Failure, Skipped, Task, Tools


def samples(*walls):
    return [{"wall": wall, "cpu": wall / 2, "user": wall / 2, "system": 0.0, "rss_mib": 10.0} for wall in walls]


class NumberTests(unittest.TestCase):
    def test_a_ratio_is_taken_round_by_round(self):
        found = stats.ratio(samples(2, 20, 6), samples(1, 10, 2), "wall")
        self.assertEqual(found, {"median": 2, "min": 2, "max": 3})

    def test_what_is_taken_off_leaves_something_to_divide_by(self):
        found = stats.ratio(samples(2), samples(1), "wall", less=0.5)
        self.assertEqual(found["median"], 4)
        self.assertGreater(stats.ratio(samples(2), samples(1), "wall", less=5.0)["median"], 0)

    def test_there_is_no_ratio_to_what_was_not_measured(self):
        self.assertIsNone(stats.ratio(samples(1), [], "wall"))
        self.assertEqual(reading.show_ratio(None), "-")
        self.assertIsNone(reading.below(None, 1.0))

    def test_the_least_time_counts_whole_windows(self):
        self.assertEqual(stats.least_seconds(0, 40, 2.0, 0.05), 0)
        self.assertEqual(stats.least_seconds(40, 40, 2.0, 0.05), 0.05)
        self.assertEqual(stats.least_seconds(41, 40, 2.0, 0.0), 2.0)
        self.assertEqual(stats.least_seconds(1200, 40, 2.0, 0.0), 58.0)

    def test_linear_growth_is_one(self):
        self.assertAlmostEqual(stats.scale([1.0, 10.0], [100, 1000]), 1.0)
        self.assertAlmostEqual(stats.scale([1.0, 12.0], [100, 1000]), 1.2)

    def test_the_bytes_of_keys_are_those_of_their_digits(self):
        with tempfile.TemporaryDirectory() as folder:
            project.put(folder, ".penstock/state/a.db", "x" * 5_000)
            keys = sum(len(str(id)) for id in range(1, 124))
            self.assertAlmostEqual(reading.state_bytes(folder, "a", 123), (5_000 - keys) / 123)

    def test_amounts_have_three_digits_that_count(self):
        self.assertEqual([stats.amount(value) for value in (None, 0, 0.0123, 1.234, 12.34, 1234.5)],
                         ["-", "0", "0.0123", "1.23", "12.3", "1,234"])


class TokenTests(unittest.TestCase):
    def test_the_minimum_is_that_of_an_enumeration(self):
        """Every split of the rows among groups, single reads and rows that are sent unseen."""
        costs = {"write": 5, "one": 1, "ids": 10, "ids_max": 4, "page": 10, "page_max": 6}
        for rows, records in itertools.product(range(0, 14), range(0, 14)):
            for changed in range(rows + 1):
                least = min(
                    [costs["write"] * rows, costs["page"] * -(-records // 6) + costs["write"] * changed] + [
                        costs["ids"] * groups + max(0, rows - 4 * groups) * costs["one"] + costs["write"] * changed
                        for groups in range(5)])
                self.assertEqual(stats.least_tokens(rows, changed, records, costs)[0], least, (rows, records, changed))

    def test_who_does_not_know_the_records_does_not_list_them(self):
        self.assertEqual(stats.least_tokens(350, 10, 400, COSTS), (60, "list all"))
        self.assertEqual(stats.least_tokens(350, 10, None, COSTS), (90, "read by ids"))

    def test_what_the_ledger_knows_is_not_looked_at(self):
        self.assertEqual(minimum(1000, 1000, 10, "auto", True)[0], (50, "ledger"))
        self.assertEqual(minimum(400, 400, 0, "none", False)[0], (2000, "send all"))


class ToolTests(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        # Stands in for the stopwatch: the numbers are made up, the command is run.
        project.put(self.folder.name, "floor", (
            "#!/bin/sh\nout=$2; shift 2; \"$@\"; code=$?\n"
            "echo '{\"wall\": 1.5, \"user\": 1.0, \"system\": 0.25, \"rss_kib\": 2048}' >\"$out\"\nexit $code\n"),
            0o755)
        project.put(self.folder.name, "libpenstock-void.so", "")
        self.tools = Tools(self.folder.name, self.folder.name, [("penstock", "/bin/true")])

    def tearDown(self):
        self.folder.cleanup()

    def measure(self, *tasks, rounds=2):
        with redirect_stderr(io.StringIO()):
            return self.tools.measure(list(tasks), rounds)

    def test_tasks_take_turns_and_bring_what_they_prepare(self):
        order = []
        self.measure(
            Task("a", ["true"], before=lambda: order.append("a")),
            Task("b", ["echo", "7"], before=lambda: order.append("b"),
                 after=lambda sample: {"said": sample["output"].strip()}))
        self.assertEqual(order, ["a", "b", "a", "b"])
        self.assertEqual(self.tools.of("b")[1], {
            "wall": 1.5, "user": 1.0, "system": 0.25, "cpu": 1.25, "rss_mib": 2.0, "said": "7"})

    def test_a_task_that_fails_is_an_error_and_a_peer_that_fails_is_named(self):
        def refuse(_):
            raise Failure("wrong counts")

        self.measure(Task("ours", ["false"]), Task("wrong", ["true"], after=refuse),
                     Task("peer", ["false"], is_peer=True), Task("good", ["true"]))
        self.assertEqual([text.split(":")[0] for text in self.tools.errors], ["ours", "wrong"])
        self.assertEqual([text.split(":")[0] for text in self.tools.skipped], ["peer"])
        self.assertEqual(len(self.tools.of("good")), 2)
        self.assertEqual(self.tools.of("ours"), [])

    def test_what_is_not_there_is_no_error(self):
        def absent():
            raise Skipped("it is not installed")

        self.measure(Task("a", ["true"], before=absent))
        self.assertEqual((self.tools.errors, len(self.tools.skipped)), ([], 1))

    def test_wrong_counts_are_no_sample(self):
        said = json.dumps({"data": [{"counts": {"fetched": 3}}]})
        self.assertEqual(project.expect({"output": said}, fetched=3), {})
        for output, count in ((said, 4), ("no JSON", 3)):
            with self.assertRaises(Failure):
                project.expect({"output": output}, fetched=count)


class ReportTests(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.tools = types.SimpleNamespace(
            samples={"P1/new/9": samples(1, 2), "P1/old/9": samples(2, 4), "P1/new/8": samples(1)}, skipped=["a: b"],
            errors=[])
        self.bench = types.SimpleNamespace(tools=self.tools, rows=9, rounds=2, results={
            "P1": {"target": "fast", "met": False, "head": ["a", "b"], "rows": [["x|y", "2"]], "notes": ["So."],
                   "values": [{"v": 1}]}})

    def tearDown(self):
        self.folder.cleanup()

    def test_the_report_has_a_verdict_per_target_and_one_document(self):
        options = types.SimpleNamespace(commit="abc", out=os.path.join(self.folder.name, "out"))
        text = report.write(self.bench, options, {"psql": "15"}, ["duckdb"], (1.0, 1.0, 1.0))
        for part in ("| P1 |", "| MISS |", "x\\|y", "So.", "- duckdb", "- a: b", "commit abc", "| psql | 15 |"):
            self.assertIn(part, text)
        with open(os.path.join(options.out, "results.json"), encoding="utf-8") as file:
            document = json.load(file)
        self.assertEqual((document["schema_version"], document["kind"]), ("1.0", "benchmarks"))
        self.assertEqual(document["cases"]["P1"]["met"], False)
        self.assertEqual(len(document["samples"]["P1/new/9"]), 2)

    def test_a_comparison_has_what_both_ran(self):
        text = report.comparison(self.tools.samples, "new", "old")
        self.assertIn("| P1/9 | 0.50 (0.50–0.50)", text)
        self.assertNotIn("P1/8", text)


class OptionTests(unittest.TestCase):
    GIVEN = ["--program", "penstock=/p", "--package", "k", "--work", "w", "--out", "o"]

    def test_cases_bring_those_that_they_need_in_order(self):
        self.assertEqual(program.chosen_cases(["P10"]), ["P9", "P1", "P2", "P10"])
        self.assertEqual(set(report.TITLES), set(program.CASES))

    def test_commas_and_blanks_divide(self):
        found = program.options([*self.GIVEN, "--only", "P1,P2 P3", "--latencies", "3,50"])
        self.assertEqual((found.only, found.latencies), (["P1", "P2", "P3"], [3.0, 50.0]))
        self.assertEqual(program.options(self.GIVEN).only, list(program.CASES))

    def test_an_unknown_case_is_refused(self):
        for wrong in (["--only", "P12"], ["--sources", "oracle"], ["--rows", "3"]):
            with self.assertRaises(SystemExit), redirect_stderr(io.StringIO()):
                program.options([*self.GIVEN, *wrong])

    def test_a_full_disk_is_told_before_anything_is_made(self):
        with self.assertRaises(SystemExit) as problem:
            check_disk("/", 10**12)
        self.assertIn("GB are free", str(problem.exception))


class DataTests(unittest.TestCase):
    def test_every_column_but_the_last_is_mapped(self):
        self.assertEqual(len(COLUMNS), 12)
        self.assertEqual(MAPPED, [column.name for column in COLUMNS[:11]])
        mapped = {"id"} | {
            column.strip("{}").split(":")[1].split(",")[0].strip() if column.startswith("{") else column
            for column in project.VOID_MAP.values()}
        self.assertEqual(mapped, set(MAPPED))

    def test_a_sync_reads_as_it_is_meant(self):
        text = project.void_sync("csv", "companies", "update")
        for line in ("source: {connection: csv, table: companies, key: [id]}", "  id: id", "  segment: {from: segment",
                     "insert: {mode: Update, match: id, compare: ledger}"):
            self.assertIn(line, text)
        self.assertNotIn("  id: id", project.void_sync("csv", "companies", "append"))


@unittest.skipUnless(os.environ.get("PENSTOCK_FLOORS"), "PENSTOCK_FLOORS is not set")
class FloorTests(unittest.TestCase):
    """The floors do the work: all sources have the same digests, and every change is found."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.floor = os.path.join(os.environ["PENSTOCK_FLOORS"], "floor")
        for name, every in (("same", "0"), ("changed", "100")):
            with open(cls.path(f"{name}.csv"), "wb") as file:
                subprocess.run([cls.floor, "companies", "3000", every], stdout=file, check=True)
        cls.run_floor("load-sqlite", cls.path("same.csv"), cls.path("same.db"))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    @classmethod
    def run_floor(cls, *words):
        return subprocess.run([cls.floor, *words], capture_output=True, text=True, check=True).stdout.strip()

    def test_the_rows_are_the_same_every_time_and_read_as_python_reads_them(self):
        import csv
        import sqlite3

        with open(self.path("same.csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        self.assertEqual((len(rows), {len(row) for row in rows}), (3001, {12}))
        values = sum(cell != "" for row in rows[1:] for cell in row)
        self.assertIn(f"3000 rows, {values} values", self.run_floor("read", "csv", self.path("same.csv")))
        texts = {row[5] for row in rows[1:]}
        self.assertTrue(any("\n" in text for text in texts) and any('"' in text for text in texts) and "" in texts)
        kept = sqlite3.connect(self.path("same.db")).execute(
            "SELECT id, name, notes FROM companies ORDER BY id").fetchall()
        self.assertEqual(kept, [(int(row[0]), row[2], row[5] or None) for row in rows[1:]])

    def test_what_has_changed_is_found_by_table_and_by_merge(self):
        state = self.path("state")
        self.run_floor("first", state, "csv", self.path("same.csv"))
        self.assertEqual(os.path.getsize(state), 3000 * 32)
        for command in ("diff", "merge"):
            for file, changed in (("same.csv", 0), ("changed.csv", 30)):
                self.assertEqual(
                    self.run_floor(command, state, "csv", self.path(file)),
                    f"3000 rows, 0 created, {changed} changed, 0 removed")

    def test_what_is_new_and_what_is_gone_is_found(self):
        few, state = self.path("few.csv"), self.path("few")
        with open(few, "wb") as file:
            subprocess.run([self.floor, "companies", "1000"], stdout=file, check=True)
        self.run_floor("first", state, "csv", few)
        for command in ("diff", "merge"):
            self.assertEqual(
                self.run_floor(command, state, "csv", self.path("same.csv")),
                "3000 rows, 2000 created, 0 changed, 0 removed")
        self.run_floor("first", state, "csv", self.path("same.csv"))
        for command in ("diff", "merge"):
            self.assertEqual(
                self.run_floor(command, state, "csv", few), "1000 rows, 0 created, 0 changed, 2000 removed")

    def test_bodies_are_json_with_the_values(self):
        import csv

        done = subprocess.run(
            [self.floor, "json", "csv", self.path("same.csv")], capture_output=True, text=True, check=True,
            env={**os.environ, "FLOOR_PRINT": "1"})
        with open(self.path("same.csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        bodies = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(bodies), 3000)
        for row, body in zip(rows, bodies):
            self.assertEqual((body["name"], body["address"]["value"]), (row["name"], row["address"] or None))
            self.assertEqual(body["employee_count"], int(row["employees"]) if row["employees"] else None)


if __name__ == "__main__":
    unittest.main()
