// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import Foundation
import Testing

@Suite struct SQLiteStreamTests {
    private static let thousand = """
        CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);
        WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000)
        INSERT INTO t SELECT x, printf('%0100d', x) FROM n;
        """

    private func sizes(_ stream: any RecordStream) throws -> [Int] {
        var sizes: [Int] = []
        while let next = try stream.next() { sizes.append(next.batch.rowCount) }
        return sizes
    }

    @Test func batchesKeepToTheirRows() throws {
        let fixture = try SQLiteFixture(Self.thousand)
        let stream = try fixture.source().read(ReadRequest(.object("t"), batchRowsMax: 400))
        #expect(try sizes(stream) == [400, 400, 200])
        #expect(try stream.next() == nil)
    }

    @Test func batchesKeepToAboutTheirBytes() throws {
        let fixture = try SQLiteFixture(Self.thousand)
        let stream = try fixture.source().read(ReadRequest(.object("t"), batchBytesMax: 11_200))
        #expect(try sizes(stream) == [Int](repeating: 100, count: 10))
    }

    @Test(
        arguments: [(0, []), (1, [1]), (400, [400]), (401, [400, 1]), (5_000, [400, 400, 200])] as [(Int64, [Int])])
    func noMoreRowsAreReadThanAskedFor(rowsMax: Int64, expected: [Int]) throws {
        let fixture = try SQLiteFixture(Self.thousand)
        let request = ReadRequest(.object("t"), order: ["id"], batchRowsMax: 400, rowsMax: rowsMax)
        #expect(try sizes(fixture.source().read(request)) == expected)
    }

    @Test func rowsBelowALimitDoNotCountAgainstTheRowsAskedFor() throws {
        let fixture = try SQLiteFixture(
            "CREATE TABLE t (c DECIMAL); INSERT INTO t VALUES (1), (4.99999999999999999), (5), (6), (7)")
        let bound = ReadRequest.LowerBound(column: "c", value: .decimal("5.5"), isInclusive: true)
        let request = ReadRequest(.object("t"), order: ["c"], lowerBound: bound, rowsMax: 1)
        #expect(try fixture.column(request) == [.decimal("6")])
    }

    @Test func anEmptyTableHasNoBatch() throws {
        let fixture = try SQLiteFixture("CREATE TABLE t (a INTEGER)")
        #expect(try fixture.source().read(ReadRequest(.object("t"))).next() == nil)
    }

    @Test func aReadSeesOneSnapshotWhileAWriterCommits() throws {
        let fixture = try SQLiteFixture("PRAGMA journal_mode = WAL;" + Self.thousand)
        let stream = try fixture.source().read(ReadRequest(.object("t"), batchRowsMax: 100))
        try fixture.run("DELETE FROM t WHERE id > 500; INSERT INTO t VALUES (5000, 'new')")
        #expect(try sizes(stream).reduce(0, +) == 1_000)
        #expect(try fixture.column(ReadRequest(.query("SELECT count(*) FROM t"))) == [.int64(501)])
    }

    @Test func aStreamKeepsItsTypesAndSnapshotAfterItsSourceIsClosed() throws {
        let fixture = try SQLiteFixture("PRAGMA journal_mode = WAL;" + Self.thousand)
        let source = try fixture.source()
        let stream = try source.read(ReadRequest(.object("t")))
        source.close()
        try fixture.run("DROP TABLE t")
        #expect(try sizes(stream) == [1_000])
    }

    @Test func closingLetsAWriterGoOn() throws {
        let fixture = try SQLiteFixture("PRAGMA journal_mode = DELETE;" + Self.thousand)
        let stream = try fixture.source().read(ReadRequest(.object("t"), batchRowsMax: 10))
        _ = try stream.next()
        #expect(throws: SQLiteFixture.Failure.self) { try fixture.run("DELETE FROM t") }
        stream.close()
        try fixture.run("DELETE FROM t")
        #expect(try stream.next() == nil)
    }

    @Test func theLastRowLetsAWriterGoOnBeforeTheStreamIsClosed() throws {
        let fixture = try SQLiteFixture("PRAGMA journal_mode = DELETE;" + Self.thousand)
        let stream = try fixture.source().read(ReadRequest(.object("t")))
        _ = try stream.next()
        try fixture.run("DELETE FROM t")
        #expect(try stream.next() == nil)
    }

    @Test func cancelEndsTheNextCall() throws {
        let fixture = try SQLiteFixture(Self.thousand)
        let stream = try fixture.source().read(ReadRequest(.object("t"), batchRowsMax: 10))
        _ = try stream.next()
        stream.cancel()
        #expect(fixture.error { try stream.next() }?.code == .cancelled)
        stream.close()
        stream.cancel()
    }

    /// The thread that cancels and the one that reads share the stream, which allows that for `cancel`.
    private struct Shared: @unchecked Sendable {
        let stream: any RecordStream
    }

    @Test(.timeLimit(.minutes(1))) func cancelEndsACallThatWouldNeverReturn() throws {
        let fixture = try SQLiteFixture(Self.thousand)
        let query = "SELECT a.id FROM t a, t b, t c, t d, t e, t f WHERE a.id + b.id + c.id + d.id + e.id + f.id < 0"
        let shared = Shared(stream: try fixture.source().read(ReadRequest(.query(query))))
        Thread.detachNewThread { shared.stream.cancel() }
        #expect(fixture.error { try shared.stream.next() }?.code == .cancelled)
    }

    @Test func aCancelledHostEndsEveryCall() throws {
        let fixture = try SQLiteFixture(Self.thousand)
        let source = try fixture.source()
        let stream = try source.read(ReadRequest(.object("t")))
        fixture.host.cancel()
        #expect(fixture.error { try stream.next() }?.code == .cancelled)
        let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
        #expect(fixture.error { try source.describe(ReadRequest(.query(endless))) }?.code == .cancelled)
    }

    @Test func aFaultInTheMiddleOfAQueryEndsTheStreamWithSQLitesWords() throws {
        let fixture = try SQLiteFixture(
            "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1), (-9223372036854775808), (2)")
        let query = "SELECT a FROM t WHERE abs(a) > 0"
        let stream = try fixture.source().read(ReadRequest(.query(query), batchRowsMax: 1))
        #expect(try stream.next()?.batch.rowCount == 1)
        let error = try #require(fixture.error { try stream.next() })
        #expect(error.code == .badData)
        #expect(error.message.contains("integer overflow"))
    }

    @Test(arguments: ["DELETE", "WAL"])
    func readingLeavesNoFilesOfItsOwn(mode: String) throws {
        let fixture = try SQLiteFixture("PRAGMA journal_mode = \(mode);" + Self.thousand)
        let before = try fixture.files
        _ = try fixture.read(ReadRequest(.object("t"), order: ["name"]))
        _ = try fixture.source().discover(["t"])
        _ = try fixture.source().check()
        #expect(try fixture.files == before)
    }
}
