// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import DatabaseServers
import Foundation
import Glibc
import MySQLConnector
import Testing

@Suite(MariaDBServer.isThere, .serialized) struct MySQLStreamTests {
    /// More than any buffer between the server and here takes.
    private static let large = """
        CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(500)); INSERT INTO t SELECT seq, REPEAT('x', 500) FROM seq_1_to_60000
        """

    @Test func batchesKeepToTheirLimits() throws {
        let fixture = try MySQLFixture(
            "CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(100)); INSERT INTO t SELECT seq, REPEAT('y', 100) FROM seq_1_to_1000"
        )
        func sizes(_ request: ReadRequest) throws -> [Int] {
            let stream = try fixture.source().read(request)
            defer { stream.close() }
            var sizes: [Int] = []
            while let next = try stream.next() { sizes.append(next.batch.rowCount) }
            return sizes
        }
        #expect(try sizes(ReadRequest(.object("t"), batchRowsMax: 300)) == [300, 300, 300, 100])
        #expect(try sizes(ReadRequest(.object("t"), batchRowsMax: 300, rowsMax: 301)) == [300, 1])
        #expect(try sizes(ReadRequest(.query("SELECT * FROM t"), rowsMax: 5)) == [5])
        #expect(try sizes(ReadRequest(.object("t"), batchBytesMax: 11_200)) == Array(repeating: 100, count: 10))
        #expect(try sizes(ReadRequest(.query("SELECT * FROM t WHERE FALSE"))) == [])
        #expect(try fixture.closesInTime())
    }

    @Test func oneReadSeesOneSnapshot() throws {
        let fixture = try MySQLFixture(Self.large)
        let stream = try fixture.source().read(ReadRequest(.object("t"), batchRowsMax: 1_000))
        defer { stream.close() }
        // Before the first row is asked for: the snapshot is taken by read, not by next.
        try fixture.run("INSERT INTO t VALUES (70000, 'late'); UPDATE t SET c = 'changed'; DELETE FROM t WHERE id = 1")
        var rows = 0
        while let next = try stream.next() {
            rows += next.batch.rowCount
            #expect(next.batch.columns[1].bytes.allSatisfy { $0 == UInt8(ascii: "x") })
        }
        #expect(rows == 60_000)
    }

    @Test func aReadThatIsAbandonedEndsWithinASecondAndLeavesNothingAtTheServer() throws {
        let fixture = try MySQLFixture(Self.large)
        let stream = try fixture.source().read(ReadRequest(.object("t"), batchRowsMax: 10))
        #expect(try stream.next()?.batch.rowCount == 10)
        #expect(try fixture.openConnections() == 1)
        let clock = ContinuousClock()
        let time = clock.measure { stream.close() }
        #expect(time < .seconds(1))
        #expect(try fixture.closesInTime())
    }

    @Test func aStatementThatSendsNothingIsEndedAtTheServerToo() throws {
        let fixture = try MySQLFixture()
        let stream = try fixture.source().read(ReadRequest(.query("SELECT SLEEP(30), COUNT(*) FROM dual")))
        // cancel is the one call that is allowed from any thread.
        nonisolated(unsafe) let shared = stream
        let canceller = Thread {
            usleep(300_000)
            shared.cancel()
        }
        canceller.start()
        let clock = ContinuousClock()
        var error: ConnectorError?
        let time = clock.measure { error = fixture.error { try stream.next() } }
        #expect(error?.code == .cancelled)
        #expect(time < .milliseconds(1_300))
        #expect(try fixture.closesInTime())
        #expect(fixture.error { try stream.next() }?.code == .cancelled)
        stream.close()
    }

    @Test func cancelBeforeTheFirstRowIsKept() throws {
        let fixture = try MySQLFixture(Self.large)
        let stream = try fixture.source().read(ReadRequest(.object("t")))
        stream.cancel()
        #expect(fixture.error { try stream.next() }?.code == .cancelled)
        stream.close()
        #expect(try fixture.closesInTime())
    }

    @Test func aConnectionThatIsKilledIsUnavailable() throws {
        let fixture = try MySQLFixture(Self.large)
        let stream = try fixture.source().read(ReadRequest(.object("t"), batchRowsMax: 10))
        defer { stream.close() }
        _ = try stream.next()
        let number = try fixture.run(
            "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
        try fixture.run("KILL \(number)")
        let error = fixture.error { while try stream.next() != nil {} }
        #expect(error?.code == .unavailable)
        #expect(try fixture.closesInTime())
    }

    @Test func aSlowReaderOutlivesTheServersPatience() throws {
        let fixture = try MySQLFixture(Self.large)
        let before = try fixture.run("SELECT @@GLOBAL.net_write_timeout")
        try fixture.run("SET GLOBAL net_write_timeout = 1")
        defer {
            // The server goes with the process, so that this helps only the tests that follow.
            _ = try? fixture.run("SET GLOBAL net_write_timeout = \(before)")
        }
        let stream = try fixture.source().read(ReadRequest(.object("t"), batchRowsMax: 100))
        defer { stream.close() }
        var rows = try stream.next()?.batch.rowCount ?? 0
        usleep(2_500_000)
        while let next = try stream.next() { rows += next.batch.rowCount }
        #expect(rows == 60_000)
    }

    @Test func aStatementThatTakesTooLongTimesOut() throws {
        let fixture = try MySQLFixture()
        let request = ReadRequest(.query("SELECT SLEEP(20)"))
        let error = fixture.error { try fixture.read(request, ["statement_timeout": .integer(300)]) }
        #expect(error?.code == .timedOut)
        #expect(error?.message.contains("statement_timeout (300 ms)") == true)
    }

    @Test func aTableThatChangesAfterItWasDescribedIsNamedWithTheDifference() throws {
        for (change, words) in [
            ("ALTER TABLE t DROP COLUMN b", "b"), ("ALTER TABLE t MODIFY b VARCHAR(20)", "was int64 and is now text"),
            ("DROP TABLE t", "t"),
        ] {
            let fixture = try MySQLFixture("CREATE TABLE t (a INT, b INT); INSERT INTO t VALUES (1, 2)")
            let stream = try fixture.source().read(ReadRequest(.object("t")))
            defer { stream.close() }
            try fixture.run(change)
            let error = fixture.error { try stream.next() }
            #expect(error?.code == .schemaChanged, "\(change): \(String(describing: error))")
            #expect(error?.message.contains(words) == true, "\(change): \(String(describing: error))")
        }
    }

    @Test func theSessionDoesNotDependOnTheServersHabits() throws {
        let fixture = try MySQLFixture(
            """
            CREATE TABLE t (id INT PRIMARY KEY, c CHAR(5), w TIMESTAMP NOT NULL);
            SET time_zone = '+00:00'; INSERT INTO t VALUES (1, 'ab', '2024-03-31 01:30:00')
            """)
        try fixture.run(
            "SET GLOBAL sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES'; "
                + "SET GLOBAL time_zone = '+09:00'; SET GLOBAL group_concat_max_len = 4; SET GLOBAL sql_select_limit = 1"
        )
        defer {
            // The server goes with the process, so that this helps only the tests that follow.
            _ = try? fixture.run(
                "SET GLOBAL sql_mode = DEFAULT; SET GLOBAL time_zone = 'SYSTEM'; SET GLOBAL group_concat_max_len = DEFAULT; "
                    + "SET GLOBAL sql_select_limit = DEFAULT")
        }
        let query = "SELECT c, w, \"a\\\"b\", GROUP_CONCAT('0123456789') FROM t UNION ALL SELECT 'x', NULL, 'y', 'z'"
        let rows = try fixture.read(ReadRequest(.query(query))).rows
        #expect(rows.count == 2)
        #expect(rows[0] == [.text("ab"), .instant(micros("2024-03-31T01:30:00")), .text("a\"b"), .text("0123456789")])
    }

    @Test func manyReadsLeaveNoFileOpen() throws {
        let fixture = try MySQLFixture("CREATE TABLE t (a INT); INSERT INTO t SELECT seq FROM seq_1_to_100")
        func openFiles() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
        _ = try fixture.read(ReadRequest(.object("t")))
        let before = try openFiles()
        for round in 0..<60 {
            let stream = try fixture.source().read(ReadRequest(.object("t"), batchRowsMax: 10))
            if round % 2 == 0 { _ = try stream.next() }
            stream.close()
        }
        // Tests that run beside this one open files of their own, and close them.
        var fewest = try openFiles()
        for _ in 0..<60 where fewest >= before + 45 {
            Thread.sleep(forTimeInterval: 0.5)
            fewest = min(fewest, try openFiles())
        }
        #expect(fewest < before + 45)
        #expect(try fixture.closesInTime())
    }
}
