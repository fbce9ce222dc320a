// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import DatabaseServers
import Foundation
import Testing

@Suite(PostgresServer.isThere) struct PostgresStreamTests {
    private static let thousand = """
        CREATE TABLE t (id int PRIMARY KEY, name text);
        INSERT INTO t SELECT n, lpad(n::text, 100, '0') FROM generate_series(1, 1000) n;
        """
    /// A query that sends rows for as long as anybody takes them.
    private static let endless = "SELECT generate_series(1, 1000000000), repeat('x', 1000)"
    /// A query that works for hours before its first row.
    private static let silent =
        "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b, generate_series(1, 9) c"

    /// The thread that cancels and the one that reads share the stream, which allows that for `cancel`.
    private struct Shared: @unchecked Sendable {
        let stream: any RecordStream
    }

    private func sizes(_ stream: any RecordStream) throws -> [Int] {
        var sizes: [Int] = []
        while let next = try stream.next() { sizes.append(next.batch.rowCount) }
        return sizes
    }

    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        let begin = Date()
        try body()
        return Date().timeIntervalSince(begin)
    }

    @Test func batchesKeepToTheirRowsAndToAboutTheirBytes() throws {
        let fixture = try PostgresFixture(Self.thousand)
        let source = try fixture.source()
        #expect(try sizes(source.read(ReadRequest(.object("t"), batchRowsMax: 400))) == [400, 400, 200])
        let narrow = try sizes(source.read(ReadRequest(.object("t"), batchBytesMax: 11_200)))
        #expect(narrow.dropLast().allSatisfy { $0 == 100 })
        #expect(narrow.reduce(0, +) == 1_000)
    }

    @Test(
        arguments: [(0, []), (1, [1]), (400, [400]), (401, [400, 1]), (5_000, [400, 400, 200])] as [(Int64, [Int])])
    func noMoreRowsAreReadThanAskedFor(rowsMax: Int64, expected: [Int]) throws {
        let fixture = try PostgresFixture(Self.thousand)
        let request = ReadRequest(.object("t"), order: ["id"], batchRowsMax: 400, rowsMax: rowsMax)
        #expect(try sizes(fixture.source().read(request)) == expected)
    }

    @Test func scansBeginAtTheStartOfATable() throws {
        let fixture = try PostgresFixture("CREATE TABLE t (a int)")
        let request = ReadRequest(.query("SELECT current_setting('synchronize_seqscans') AS a"))
        #expect(try fixture.column(request) == [.text("off")])
    }

    @Test func anEmptyTableHasNoBatchAndIsGivenBack() throws {
        let fixture = try PostgresFixture("CREATE TABLE t (a int)")
        let stream = try fixture.source().read(ReadRequest(.object("t")))
        #expect(try stream.next() == nil)
        #expect(try stream.next() == nil)
        #expect(try fixture.becomesIdle())
    }

    @Test func aReadSeesOneSnapshotWhileAWriterCommits() throws {
        let fixture = try PostgresFixture(Self.thousand)
        let stream = try fixture.source().read(ReadRequest(.object("t"), batchRowsMax: 100))
        defer { stream.close() }
        _ = try stream.next()
        try fixture.run("DELETE FROM t WHERE id > 500; INSERT INTO t VALUES (5000, 'new')")
        #expect(try sizes(stream).reduce(100, +) == 1_000)
        #expect(try fixture.column(ReadRequest(.query("SELECT count(*) FROM t"))) == [.int64(501)])
    }

    @Test func aStreamOutlivesItsSource() throws {
        let fixture = try PostgresFixture(Self.thousand)
        let source = try fixture.source()
        let stream = try source.read(ReadRequest(.object("t")))
        source.close()
        #expect(try sizes(stream) == [1_000])
    }

    @Test func theLastRowEndsTheSnapshotBeforeTheStreamIsClosed() throws {
        let fixture = try PostgresFixture(Self.thousand)
        let stream = try fixture.source().read(ReadRequest(.object("t")))
        #expect(try stream.next()?.batch.rowCount == 1_000)
        #expect(try stream.next() == nil)
        #expect(try fixture.becomesIdle())
        try fixture.run("SET lock_timeout = '1s'; DROP TABLE t")
    }

    @Test(arguments: [endless, silent])
    func closingAnUndrainedStreamIsQuickAndLeavesNoQueryBehind(query: String) throws {
        let fixture = try PostgresFixture()
        let stream = try fixture.source().read(ReadRequest(.query(query), batchRowsMax: 10))
        if query == Self.endless { _ = try stream.next() }
        #expect(try fixture.busySessions() == 1)
        #expect(seconds { stream.close() } < 1)
        #expect(try fixture.becomesIdle(within: 2))
        #expect(try stream.next() == nil)
    }

    @Test func lettingAStreamGoIsAsGoodAsClosingIt() throws {
        let fixture = try PostgresFixture()
        do { _ = try fixture.source().read(ReadRequest(.query(Self.silent))) }
        #expect(try fixture.becomesIdle(within: 2))
    }

    @Test func cancelEndsTheNextCall() throws {
        let fixture = try PostgresFixture()
        let stream = try fixture.source().read(ReadRequest(.query(Self.endless), batchRowsMax: 10))
        _ = try stream.next()
        stream.cancel()
        #expect(fixture.error { try stream.next() }?.code == .cancelled)
        #expect(try fixture.becomesIdle(within: 2))
        stream.close()
        stream.cancel()
    }

    @Test(.timeLimit(.minutes(1))) func cancelEndsACallThatWouldNeverReturn() throws {
        let fixture = try PostgresFixture()
        let shared = Shared(stream: try fixture.source().read(ReadRequest(.query(Self.silent))))
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 0.3)
            shared.stream.cancel()
        }
        let time = seconds { #expect(fixture.error { try shared.stream.next() }?.code == .cancelled) }
        #expect(time < 2)
        #expect(try fixture.becomesIdle(within: 2))
    }

    @Test func aCancelledHostEndsEveryCall() throws {
        let fixture = try PostgresFixture(Self.thousand)
        let source = try fixture.source()
        let stream = try source.read(ReadRequest(.object("t")))
        fixture.host.cancel()
        #expect(fixture.error { try stream.next() }?.code == .cancelled)
        #expect(fixture.error { try source.describe(ReadRequest(.object("t"))) }?.code == .cancelled)
        #expect(fixture.error { try source.check() }?.code == .cancelled)
        #expect(try fixture.becomesIdle())
    }

    @Test(arguments: [endless, silent])
    func aSessionThatIsEndedMidReadIsUnavailable(query: String) throws {
        let fixture = try PostgresFixture()
        let stream = try fixture.source().read(ReadRequest(.query(query), batchRowsMax: 10))
        if query == Self.endless { _ = try stream.next() }
        try fixture.run(
            """
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE datname = '\(fixture.database)' AND application_name = 'penstock'
            """)
        var error: ConnectorError?
        for _ in 0..<1_000_000 where error == nil { error = fixture.error { try stream.next() } }
        #expect(error?.code == .unavailable, "\(String(describing: error))")
        #expect(try stream.next() == nil)
    }

    @Test func aServerThatIsStoppedMidReadIsUnavailable() throws {
        let server = try PostgresServer(.good)
        let fixture = try PostgresFixture()
        let stream = try fixture.source(as: server.url).read(ReadRequest(.query(Self.silent)))
        server.stop()
        #expect(fixture.error { try stream.next() }?.code == .unavailable)
    }

    @Test func aColumnThatIsGoneOrAnotherSinceItWasDescribedIsNamed() throws {
        let fixture = try PostgresFixture("CREATE TABLE t (id int, amount int, note text)")
        let source = try fixture.source()
        let whole = ReadRequest(.object("t"))
        let some = ReadRequest(.object("t"), columns: ["id", "note"])
        _ = try source.describe(whole)
        _ = try source.describe(some)
        try fixture.run("ALTER TABLE t ALTER amount TYPE numeric(10,2)")
        let retyped = try #require(fixture.error { try source.read(whole) })
        #expect(retyped.code == .schemaChanged)
        #expect(retyped.field == "amount")
        #expect(retyped.message.contains("was integer and is numeric(10,2)"))
        try fixture.run("ALTER TABLE t DROP note")
        let dropped = try #require(fixture.error { try source.read(some) })
        #expect(dropped.code == .schemaChanged)
        #expect(dropped.message.contains("\"note\""))
        _ = try source.describe(whole)
        try fixture.run("ALTER TABLE t ADD extra date")
        #expect(fixture.error { try source.read(whole) }?.message.contains("\"extra\" is new") == true)
        try fixture.run("DROP TABLE t")
        #expect(fixture.error { try source.read(whole) }?.code == .schemaChanged)
        #expect(try fixture.becomesIdle())
    }

    @Test func theColumnsCannotChangeWhileTheyAreRead() throws {
        let fixture = try PostgresFixture(
            "CREATE TABLE t (a text); INSERT INTO t SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
        let stream = try fixture.source().read(ReadRequest(.object("t"), batchRowsMax: 10))
        _ = try stream.next()
        #expect(throws: (any Error).self) { try fixture.run("SET lock_timeout = '200ms'; ALTER TABLE t DROP a") }
        stream.close()
        #expect(try fixture.becomesIdle(within: 2))
        try fixture.run("SET lock_timeout = '2s'; ALTER TABLE t DROP a")
    }

    @Test func aValueOfManyMegabytesPasses() throws {
        let fixture = try PostgresFixture()
        let query = "SELECT repeat('ä', 20000000), 1"
        let (rows, _) = try fixture.read(ReadRequest(.query(query), batchBytesMax: 1_000))
        guard case .text(let text) = rows.first?.first else { return #expect(rows.isEmpty, "no text") }
        #expect(text.utf8.count == 40_000_000)
    }
}
