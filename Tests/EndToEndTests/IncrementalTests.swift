// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

/// INCREMENTAL loses nothing and doubles nothing.
@Suite struct IncrementalTests {
    private func project(
        _ rows: [String], fetch: String, insert: String = "{mode: Append}", id: String = "",
        _ source: Combination.Source = .csv, more: String = ""
    ) throws -> TemporaryProject {
        let project = try TemporaryProject(types: Rows.types)
        try Rows(rows).write(project, source)
        try project.sync(
            """
            source: {connection: \(source.connection), table: orgs, key: key}
            map: {\(id)name: company}
            fetch: \(fetch)
            insert: \(insert)
            \(more)
            """)
        return project
    }

    @Test("A row that is committed late is read with lookback", arguments: Combination.Source.typed)
    func lookback(source: Combination.Source) throws {
        let first = [
            "k1,,Alpha,,,2026-03-01 10:00:00", "k2,,Beta,,,2026-03-01 10:20:00", "k3,,Gamma,,,2026-03-01 10:30:00",
        ]
        let project = try project(first, fetch: "{mode: INCREMENTAL, key: updated_at, lookback: 15m}", source)
        #expect(try project.runAsPlanned().counts == "fetched 3, created 3")
        let late = ["k4,,Late,,,2026-03-01 10:15:00", "k5,,Too late,,,2026-03-01 10:14:59"]
        try Rows(first + late).write(project, source)
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched 1, created 1, reread 2", "rows that were settled before cost nothing")
        #expect(report.tokens == 15)
        #expect(report["watermark"]["after"]?.stringValue == "2026-03-01T10:30:00")
        #expect(project.server.names.sorted() == ["Alpha", "Beta", "Gamma", "Late"])
    }

    @Test("Without lookback a row before the watermark stays out")
    func noLookback() throws {
        let first = ["k1,,Alpha,,,2026-03-01 10:00:00"]
        let project = try project(first, fetch: "{mode: INCREMENTAL, key: updated_at}")
        _ = try project.runAsPlanned()
        try Rows(first + ["k2,,Late,,,2026-03-01 09:00:00"]).write(project)
        #expect(try project.runAsPlanned().counts == "reread 1")
        let report = try project.run("--full-refresh")
        #expect(report.counts == "fetched 1, created 1, reread 1", "all is read, and what is known is not sent again")
    }

    @Test("A row with a NULL key is rejected and counted", arguments: Combination.Source.typed)
    func rejectsNullKeys(source: Combination.Source) throws {
        let rows = ["k1,,Alpha,,,2026-03-01 10:00:00", "k2,,Beta,,,"]
        let project = try project(rows, fetch: "{mode: INCREMENTAL, key: updated_at}", source)
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched 2, created 1, rejected 1, null_keys 1")
        #expect(report.rejects == "fetch-key-null 1")
        #expect(report.status == 65)
        #expect(project.server.names == ["Alpha"])
    }

    @Test("A row with a NULL key is sent once where that is asked for", arguments: Combination.Source.typed)
    func includesNullKeys(source: Combination.Source) throws {
        let rows = ["k1,,Alpha,,,2026-03-01 10:00:00", "k2,,Beta,,,"]
        let fetch = "{mode: INCREMENTAL, key: updated_at, null_key: include}"
        let project = try project(rows, fetch: fetch, source)
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched 2, created 2, null_keys 1")
        #expect(report["watermark"]["after"]?.stringValue == "2026-03-01T10:00:00")
        #expect(try project.runAsPlanned().counts == "reread 2", "an unchanged row is not sent again")
        #expect(project.server.names.sorted() == ["Alpha", "Beta"])
        try Rows([rows[0], "k2,,Changed,,,"]).write(project, source)
        #expect(try project.runAsPlanned().counts == "fetched 1, created 1, reread 1, null_keys 1")
    }

    @Test("Keys are compared to the microsecond", arguments: Combination.Source.typed)
    func microseconds(source: Combination.Source) throws {
        let first = ["k1,,Alpha,,,2026-03-01 10:00:00.999999"]
        let project = try project(first, fetch: "{mode: INCREMENTAL, key: updated_at}", source)
        #expect(try project.runAsPlanned()["watermark"]["after"]?.stringValue == "2026-03-01T10:00:00.999999")
        let next = ["k2,,Before,,,2026-03-01 10:00:00.999998", "k3,,After,,,2026-03-01 10:00:01.000000"]
        try Rows(first + next).write(project, source)
        #expect(try project.runAsPlanned().counts == "fetched 1, created 1, reread 1")
        #expect(project.server.names == ["Alpha", "After"])
    }

    @Test("Integers beyond what a double holds keep their order")
    func largeIntegers() throws {
        let project = try TemporaryProject()
        try project.sql(
            """
            CREATE TABLE big (key INTEGER PRIMARY KEY, name TEXT);
            INSERT INTO big VALUES (9007199254740993, 'First');
            """)
        try project.sync(
            "source: {connection: base, table: big}\nmap: {name: name}\nfetch: {mode: INCREMENTAL, key: key}")
        #expect(try project.runAsPlanned()["watermark"]["after"]?.stringValue == "9007199254740993")
        try project.sql("INSERT INTO big VALUES (9007199254740992, 'Lower'), (9007199254740994, 'Higher')")
        #expect(try project.runAsPlanned().counts == "fetched 1, created 1, reread 1")
        #expect(project.server.names == ["First", "Higher"])
    }

    @Test("A first run starts where it is told to")
    func start() throws {
        let rows = [
            "k1,,Before,,,2026-02-28 23:59:59", "k2,,At,,,2026-03-01 00:00:00", "k3,,After,,,2026-03-02 00:00:00",
        ]
        let project = try project(rows, fetch: "{mode: INCREMENTAL, key: updated_at, start: 2026-03-01}")
        #expect(try project.runAsPlanned().counts == "fetched 2, created 2")
        #expect(project.server.names.sorted() == ["After", "At"])
    }

    @Test("A limited run never moves the watermark, and nothing is lost or doubled after it")
    func limit() throws {
        let rows = (1...5).map { "k\($0),,Org \($0),,,2026-03-01 10:00:0\($0)" }
        let project = try project(rows, fetch: "{mode: INCREMENTAL, key: updated_at}")
        let limited = try project.run("--limit", "2")
        #expect(limited.counts == "fetched 2, created 2")
        #expect(limited["watermark"]["after"]?.isNull == true)
        let rest = try project.runAsPlanned()
        #expect(rest.count("created") == 3)
        #expect(project.server.names.sorted() == (1...5).map { "Org \($0)" })
        #expect(rest["watermark"]["after"]?.stringValue == "2026-03-01T10:00:05")
    }

    @Test("A reject holds the watermark back no longer than it is stored")
    func rejectsAreSettled() throws {
        let rows = ["k1,,Alpha,,,2026-03-01 10:00:00", "k2,,,,,2026-03-01 10:00:01"]
        let project = try project(rows, fetch: "{mode: INCREMENTAL, key: updated_at}")
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched 2, created 1, rejected 1")
        #expect(report["watermark"]["after"]?.stringValue == "2026-03-01T10:00:01")
        try Rows([rows[0], "k2,,Mended,,,2026-03-01 10:00:01"]).write(project)
        #expect(try project.runAsPlanned().count("created") == 1, "a mended row at the boundary goes")
        #expect(project.server.names == ["Alpha", "Mended"])
    }

    @Test("An update at a new key changes the record that the row has")
    func updatesAgain() throws {
        let project = try project(
            ["k1,1,First,,,2026-03-01 10:00:00"], fetch: "{mode: INCREMENTAL, key: updated_at}",
            insert: "{mode: Update}", id: "id: pd, ")
        try project.server.create(["name": .string("Old")])
        #expect(try project.runAsPlanned().counts == "fetched 1, updated 1")
        try Rows(["k1,1,Second,,,2026-03-01 10:00:01"]).write(project)
        #expect(try project.runAsPlanned().counts == "fetched 1, updated 1")
        #expect(project.server.names == ["Second"])
    }
}
