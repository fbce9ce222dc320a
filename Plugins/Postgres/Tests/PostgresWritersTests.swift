// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import DatabaseServers
import Foundation
import Testing

/// A transaction has to be a tenth of a second old to be the earliest that is still possible.
@Suite(PostgresServer.isThere) struct PostgresWritersTests {
    private static let table =
        "CREATE TABLE t (id int PRIMARY KEY, at timestamptz DEFAULT now(), local timestamp DEFAULT now());"

    private func writers(_ fixture: PostgresFixture, _ source: (any Source)? = nil) throws -> OpenWriters {
        let stream = try (source ?? fixture.source()).read(ReadRequest(.object("t")))
        defer { stream.close() }
        return try #require(stream.openWriters)
    }

    private func microseconds(_ fixture: PostgresFixture, _ sql: String) throws -> Int64 {
        let text = try fixture.run("SELECT round(extract(epoch FROM \(sql)) * 1000000)::int8")
        return try #require(Int64(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    @Test func withNobodyElseTheClockBeforeTheSnapshotIsTheEarliest() throws {
        let fixture = try PostgresFixture(Self.table)
        let before = try microseconds(fixture, "clock_timestamp()")
        let found = try writers(fixture)
        let after = try microseconds(fixture, "clock_timestamp()")
        let since = try #require(found.since)
        #expect(since >= before - 100_000 && since <= after - 100_000)
    }

    @Test func aRowThatIsCommittedLaterIsNeverBeforeSince() throws {
        let fixture = try PostgresFixture(Self.table)
        let slow = try fixture.session()
        let fast = try fixture.session()
        try slow.execute("BEGIN; INSERT INTO t (id) VALUES (1); SELECT pg_sleep(0.2);")
        try fast.execute("SELECT pg_sleep(0.05); INSERT INTO t (id) VALUES (2);")
        let stream = try fixture.source().read(ReadRequest(.object("t"), columns: ["id", "at"]))
        let batch = try #require(try stream.next()?.batch)
        #expect(batch.columns[0].int64s == [2])
        let writers = try #require(stream.openWriters)
        stream.close()
        #expect(writers.hasWriters)
        let since = try #require(writers.since)
        #expect(since < batch.columns[1].int64s[0])
        try slow.execute("COMMIT;")
        #expect(try microseconds(fixture, "(SELECT at FROM t WHERE id = 1)") == since)
        let bound = ReadRequest.LowerBound(column: "at", value: .instant(since), isInclusive: true)
        let request = ReadRequest(.object("t"), columns: ["id"], order: ["id"], lowerBound: bound)
        #expect(try fixture.column(request) == [.int64(1), .int64(2)])
    }

    @Test func writersOfAnotherDatabaseDoNotCount() throws {
        let fixture = try PostgresFixture(Self.table)
        let other = try PostgresFixture(Self.table)
        let busy = try other.session()
        try busy.execute("BEGIN; INSERT INTO t (id) VALUES (1);")
        #expect(try !writers(fixture).hasWriters)
        #expect(try writers(other).hasWriters)
        try busy.execute("ROLLBACK;")
    }

    @Test func aTransactionThatHasNotWrittenYetCounts() throws {
        let fixture = try PostgresFixture(Self.table)
        let idle = try fixture.session()
        try idle.execute("BEGIN; SELECT pg_sleep(0.2);")
        let writers = try writers(fixture)
        #expect(writers.hasWriters)
        try idle.execute("INSERT INTO t (id) VALUES (1); COMMIT;")
        #expect(try microseconds(fixture, "(SELECT at FROM t)") == writers.since)
    }

    @Test func aPreparedTransactionCounts() throws {
        let fixture = try PostgresFixture(Self.table)
        try fixture.run("BEGIN; INSERT INTO t (id) VALUES (1); PREPARE TRANSACTION '\(fixture.database)'")
        // A database that goes on is not the subject of this test.
        defer { _ = try? fixture.run("ROLLBACK PREPARED '\(fixture.database)'") }
        let writers = try writers(fixture)
        #expect(writers.hasWriters)
        #expect(writers.since == nil, "the server tells when it was prepared, and not when it began")
    }

    @Test(arguments: ["Asia/Kolkata", "America/St_Johns", "UTC"])
    func theLocalMomentIsThatOfTheDatabasesOwnZone(zone: String) throws {
        let fixture = try PostgresFixture(Self.table)
        try fixture.run("ALTER DATABASE \(fixture.database) SET TimeZone = '\(zone)'")
        let slow = try fixture.session()
        try slow.execute("BEGIN; INSERT INTO t (id) VALUES (1); SELECT pg_sleep(0.2);")
        let writers = try writers(fixture)
        try slow.execute("COMMIT;")
        let (rows, _) = try fixture.read(ReadRequest(.object("t"), columns: ["at", "local"]))
        #expect(try rows == [[.instant(#require(writers.since)), .timestamp(#require(writers.localSince))]])
    }

    @Test func aRoleThatSeesNobodySaysSoOnce() throws {
        let fixture = try PostgresFixture(Self.table)
        let role = "blind_\(fixture.database)"
        try fixture.run("CREATE ROLE \(role) LOGIN PASSWORD 'blind-canary'; GRANT SELECT ON t TO \(role)")
        let busy = try fixture.session()
        try busy.execute("BEGIN; INSERT INTO t (id) VALUES (1);")
        var parts = try #require(URLComponents(string: fixture.url))
        parts.user = role
        parts.password = "blind-canary"
        let source = try fixture.source(as: parts.string)
        let unwatched = try source.read(ReadRequest(.object("t"), needsOpenWriters: false))
        #expect(unwatched.openWriters == nil && !fixture.host.lines.contains { $0.contains("pg_read_all_stats") })
        unwatched.close()
        for _ in 0..<2 {
            #expect(try writers(fixture, source) == OpenWriters(hasWriters: true))
        }
        #expect(fixture.host.lines.count { $0.contains("pg_read_all_stats") && $0.contains("lookback") } == 1)
        try fixture.run("GRANT pg_read_all_stats TO \(role)")
        let seen = try writers(fixture, source)
        #expect(seen.since != nil)
        try busy.execute("ROLLBACK;")
        try fixture.run("REVOKE ALL ON t FROM \(role); DROP ROLE \(role)")
    }

    @Test func zonesOfSessionsAndTheRepeatedHourChangeNothing() throws {
        let fixture = try PostgresFixture(
            """
            CREATE TABLE t (id int, at timestamptz);
            SET TimeZone = 'Europe/Berlin';
            INSERT INTO t VALUES (1, timestamptz '2024-10-27 00:30:00Z'), (2, timestamptz '2024-10-27 01:30:00Z'),
                (3, timestamptz '2024-10-27 01:30:00.000001Z'), (4, NULL);
            """)
        try fixture.run("ALTER DATABASE \(fixture.database) SET TimeZone = 'Europe/Berlin'")
        let bound = ReadRequest.LowerBound(column: "at", value: .instant(1_729_992_600_000_000), isInclusive: false)
        let request = ReadRequest(.object("t"), columns: ["id", "at"], order: ["id"], lowerBound: bound)
        #expect(
            try fixture.read(request).rows == [[.int64(3), .instant(1_729_992_600_000_001)], [.int64(4), .null]])
    }
}
