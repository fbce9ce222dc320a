// SPDX-License-Identifier: Apache-2.0

import ConnectorTesting
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockState
import Testing

/// A source that is cut off in the middle of a read.
@Suite struct CutReadTests {
    private static let map = [MapEntry(target: "name", from: "name")]
    private static let incremental = FetchDefinition(mode: .incremental, key: "at")

    private func row(_ number: Int, at: Int64) -> [Value] {
        let key = String(1_000_000 + number)
        return [.text(key), .null, .text("n" + key), .text("c"), .int64(at)]
    }

    private func bench(rows: Int, fetch: FetchDefinition = FetchDefinition(), isOrdered: Bool = true) throws -> Bench {
        try Bench(
            (0..<rows).map { row($0, at: Int64($0 / 3_000)) }, map: Self.map, fetch: fetch, isOrdered: isOrdered)
    }

    @Test("It goes on behind its last row: none is missing, none is there twice", arguments: [false, true])
    func goesOn(isIncremental: Bool) throws {
        let bench = try bench(rows: 10_000, fetch: isIncremental ? Self.incremental : FetchDefinition())
        bench.connector.setCuts([1, 0, 1])
        let report = try bench.run()
        #expect(report.stop == nil)
        #expect(report.counts.created == 10_000 && report.counts.fetched == 10_000)
        #expect(report.continuations == 3)
        #expect(bench.connector.reads == 4)
        #expect(Set(bench.names).count == 10_000)
    }

    @Test("Without an order it stops, and keeps what is settled")
    func stopsWithoutOrder() throws {
        let bench = try bench(rows: 10_000, isOrdered: false)
        bench.connector.setCuts([1])
        let report = try bench.run()
        guard case .connector(let error, _, _) = report.stop else {
            Issue.record("it did not stop")
            return
        }
        #expect(error.code == .unavailable)
        #expect(error.message.contains("source.key"))
        #expect(report.counts.created == 4_000)
        let rest = try bench.run()
        #expect(rest.counts.created == 10_000 && rest.counts.recovered == 4_000)
        #expect(Set(bench.names).count == 10_000 && bench.names.count == 10_000)
    }

    @Test("A column that has gone stops it, with its name")
    func columnGone() throws {
        let bench = try bench(rows: 10_000)
        let connector = bench.connector
        bench.connector.setCuts([1]) {
            var table = RecordBatch(
                Schema([.init("k", .text), .init("id", .text), .init("name", .int64), .init("at", .int64)]))
            table.append([.text("9"), .null, .int64(1), .int64(1)])
            connector.setTable(table)
        }
        let report = try bench.run()
        guard case .connector(let error, _, _) = report.stop else {
            Issue.record("it did not stop")
            return
        }
        #expect(error.code == .schemaChanged && error.field == "name")
        #expect(report.counts.created == 4_000, "what was read before goes all the same")
    }

    @Test("A row that changes while the read is cut is left to the next run, and not lost")
    func changedMeanwhile() throws {
        let bench = try bench(rows: 9_000, fetch: Self.incremental)
        let connector = bench.connector
        bench.connector.setCuts([1]) { [self] in
            var rows = (1..<9_000).map { row($0, at: Int64($0 / 3_000)) }
            rows.append(row(0, at: 50))
            connector.setTable(Bench.table(rows))
        }
        let report = try bench.run()
        #expect(report.counts.created == 9_000 && report.counts.rejected == 0)
        #expect(report.run.watermarkAfter == "2", "the row that was changed lies past it")
        bench.connector.setCuts([])
        let next = try bench.run()
        #expect(next.counts.created == 1, "Append inserts a row again whose key has moved")
        #expect(next.run.watermarkAfter == "50")
    }
}

/// Rows that are committed behind the back of a read.
@Suite struct LateCommitRunTests {
    private func row(_ key: String, at: Int64) -> [Value] { [.text(key), .null, .text(key), .text("c"), .int64(at)] }

    @Test("While others write, a sequence holds the watermark, and the late row is found")
    func sequences() throws {
        let bench = try Bench(
            [row("a", at: 1), row("c", at: 3)], map: [MapEntry(target: "name", from: "name")],
            fetch: FetchDefinition(mode: .incremental, key: "at"), isOrdered: true)
        bench.connector.setOpenWriters(OpenWriters(hasWriters: true))
        let first = try bench.run()
        #expect(first.counts.created == 2 && first.holdsWatermark && first.isLimitedByWriters)
        bench.set([row("a", at: 1), row("b", at: 2), row("c", at: 3)])
        bench.connector.setOpenWriters(OpenWriters(hasWriters: false))
        let second = try bench.run()
        #expect(second.counts.created == 1 && second.counts.reread == 2)
        #expect(second.run.watermarkAfter == "3" && !second.isLimitedByWriters)
        #expect(bench.names == ["a", "c", "b"])
    }

    @Test("Only a read with an Incremental Key asks the source who else is writing")
    func whoAsks() throws {
        let map = [MapEntry(target: "name", from: "name")]
        let whole = try Bench([row("a", at: 1)], map: map, isOrdered: true)
        #expect(try whole.run().counts.created == 1)
        #expect(whole.connector.readsWithWriters == 0)
        let keyed = try Bench(
            [row("a", at: 1)], map: map, fetch: FetchDefinition(mode: .incremental, key: "at"), isOrdered: true)
        #expect(try keyed.run().counts.created == 1)
        #expect(keyed.connector.readsWithWriters == 1)
    }

    @Test("Where somebody always writes, a sequence moves to what was seen before all of them began")
    func busyServers() throws {
        let bench = try Bench(
            [row("a", at: 1), row("c", at: 3)], map: [MapEntry(target: "name", from: "name")],
            fetch: FetchDefinition(mode: .incremental, key: "at"), isOrdered: true)
        bench.connector.setOpenWriters(OpenWriters(hasWriters: true, since: 50, clock: 100))
        #expect(try bench.run().holdsWatermark)
        bench.set([row("a", at: 1), row("b", at: 2), row("c", at: 3), row("d", at: 4)])
        bench.connector.setOpenWriters(OpenWriters(hasWriters: true, since: 90, clock: 200))
        let second = try bench.run()
        #expect(second.holdsWatermark, "somebody who was writing then has not ended")
        #expect(second.counts.created == 2 && second.counts.reread == 2)
        bench.connector.setOpenWriters(OpenWriters(hasWriters: true, since: 101, clock: 300))
        let third = try bench.run()
        #expect(third.run.watermarkAfter == "3" && third.isLimitedByWriters, "as far as the first run saw")
        bench.connector.setOpenWriters(OpenWriters(hasWriters: true, since: 301, clock: 400))
        #expect(try bench.run().run.watermarkAfter == "4")
        #expect(bench.names == ["a", "c", "b", "d"])
    }
}
