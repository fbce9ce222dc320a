// SPDX-License-Identifier: Apache-2.0

import ConnectorTesting
import Foundation
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockState
import Testing

/// Rows that need nothing are told from the others by their digests; nothing else may come of it.
@Suite struct QuietRowsTests {
    private let upsert = [MapEntry(target: "id", from: "id"), MapEntry(target: "name", from: "name")]

    private func row(_ key: String?, id: String? = nil, _ name: String, at: Int64? = 0) -> [Value] {
        [
            key.map { .text($0) } ?? .null, id.map { .text($0) } ?? .null, .text(name), .text("c"),
            at.map { .int64($0) } ?? .null,
        ]
    }

    /// A run with a limit looks at every row as it comes: nothing is quiet then.
    @Test("A run counts and writes the same whether quiet rows are kept apart or not")
    func quietRowsChangeNothing() throws {
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init)
        let first = seed ?? UInt64.random(in: 0...UInt64.max)
        print("quietRowsChangeNothing: seed \(first)")
        for scenario in 0..<24 {
            var random = SplitMix(state: first &+ UInt64(scenario))
            let fetch = FetchDefinition(
                mode: Bool.random(using: &random) ? .full : .incremental, key: nil,
                nullKey: Bool.random(using: &random) ? .reject : .include)
            var incremental = fetch
            if fetch.mode == .incremental { incremental.key = "at" }
            let isAppend = Int.random(in: 0..<4, using: &random) == 0
            let compare: InsertDefinition.Compare =
                [.auto, .ledger, .remote, .none].randomElement(using: &random) ?? .auto
            let insert =
                isAppend
                ? InsertDefinition() : InsertDefinition(mode: .update, onMissing: .create, compare: compare)
            let map = isAppend ? [MapEntry(target: "name", from: "name")] : upsert
            let key = Int.random(in: 0..<4, using: &random) == 0 && isAppend ? [] : ["k"]
            let quiet = try Bench([], key: key, map: map, fetch: incremental, insert: insert, isOrdered: true)
            let plain = try Bench([], key: key, map: map, fetch: incremental, insert: insert, isOrdered: true)
            for bench in [quiet, plain] { for id in 1...3 { bench.connector.addRecord(["name": .text("Old \(id)")]) } }
            var table: [[Value]] = []
            for run in 0..<5 {
                change(&table, run, &random)
                quiet.set(table)
                plain.set(table)
                let place: Comment = "scenario \(scenario), run \(run): \(incremental), \(insert)"
                try expectSamePlan(quiet, place)
                // A table of few rows may well shrink to none.
                let left = try quiet.run { $0.preflight.limits.off.insert(.shrink) }
                let right = try plain.run { $0.rowsMax = 1_000_000 }
                var counts = left.counts
                counts.removed = 0
                #expect(counts == right.counts, place)
                #expect(left.rejectsByCode.map(\.code) == right.rejectsByCode.map(\.code), place)
                #expect(left.run.watermarkAfter == right.run.watermarkAfter, place)
                #expect(quiet.connector.records == plain.connector.records, place)
            }
        }
    }

    /// A plan that tells of few rows, or of none, counts as one that tells of all; and those few are the first ones.
    private func expectSamePlan(_ bench: Bench, _ place: Comment) throws {
        let whole = try bench.plan()
        for most in [0, 1, 3] {
            let short = try bench.plan { $0.examplesMax = most }
            #expect(short.report.counts == whole.report.counts, place)
            #expect(short.report.counts.addUp, place)
            #expect(short.report.rejectsByCode.map(\.code) == whole.report.rejectsByCode.map(\.code), place)
            #expect(short.report.createCost == whole.report.createCost, place)
            #expect(short.report.updateCost == whole.report.updateCost, place)
            var told: [PlanEntry.Action: Int] = [:]
            let first = whole.told.filter { entry in
                told[entry.action, default: 0] += 1
                return told[entry.action, default: 0] <= most
            }
            #expect(short.told == first, place)
        }
    }

    private func change(_ table: inout [[Value]], _ run: Int, _ random: inout SplitMix) {
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            let key = Int.random(in: 0..<12, using: &random) == 0 ? nil : "k\(Int.random(in: 0..<10, using: &random))"
            let id = Int.random(in: 0..<3, using: &random) == 0 ? "\(Int.random(in: 1...4, using: &random))" : nil
            let at = Int.random(in: 0..<10, using: &random) == 0 ? nil : Int64(run * 10 + table.count % 10)
            table.append(row(key, id: id, "name \(Int.random(in: 0..<5, using: &random))", at: at))
        }
        for place in table.indices where Int.random(in: 0..<4, using: &random) == 0 {
            table[place][2] = .text("name \(Int.random(in: 0..<5, using: &random))")
            if Bool.random(using: &random) { table[place][4] = .int64(Int64(run * 10 + 9)) }
        }
        if !table.isEmpty, Bool.random(using: &random) {
            table.remove(at: Int.random(in: table.indices, using: &random))
        }
    }

    @Test func rowsThatHaveLeftTheSourceAreCountedAndNamed() throws {
        let bench = try Bench(
            [row("a", "Alpha"), row("b", "Beta"), row("c", "Gamma")], map: upsert,
            insert: InsertDefinition(mode: .update, onMissing: .create))
        let first = try bench.run()
        #expect(first.counts.removed == 0)
        bench.set([row("b", "Beta"), row("d", "Delta")])
        let second = try bench.run()
        #expect(second.counts.unchanged == 1)
        #expect(second.counts.created == 1)
        #expect(second.counts.removed == 2)
        #expect(second.counts.addUp)
        #expect(second.removed?.examples.map(\.keyText) == ["a", "c"])
        #expect(bench.connector.records.count == 4, "nothing is deleted")
        bench.set([row("a", "Alpha"), row("b", "Beta"), row("d", "Delta")])
        #expect(try bench.run().counts.removed == 1, "a row that came back is none of them")
    }

    @Test func nothingIsSaidOfRemovedRowsWhereNotEveryRowIsRead() throws {
        let rows = [row("a", "Alpha", at: 1), row("b", "Beta", at: 2)]
        let limited = try Bench(rows, map: upsert, insert: InsertDefinition(mode: .update, onMissing: .create))
        _ = try limited.run()
        limited.set([rows[1]])
        #expect(try limited.run { $0.rowsMax = 1 }.removed == nil)
        let incremental = try Bench(
            rows, map: upsert, fetch: FetchDefinition(mode: .incremental, key: "at"),
            insert: InsertDefinition(mode: .update, onMissing: .create))
        _ = try incremental.run()
        incremental.set([rows[1]])
        #expect(try incremental.run().removed == nil)
        let silent = try Bench(
            rows, map: upsert, fetch: FetchDefinition(onRemoved: .ignore),
            insert: InsertDefinition(mode: .update, onMissing: .create))
        _ = try silent.run()
        silent.set([rows[1]])
        let report = try silent.run()
        #expect(report.removed == nil && report.counts.removed == 0)
    }

    @Test func aQuietRowKeepsItsRecordFromOthers() throws {
        let bench = try Bench(
            [row("a", "Alpha")], map: upsert, insert: InsertDefinition(mode: .update, onMissing: .create))
        #expect(try bench.run().counts.created == 1)
        let id = try #require(bench.connector.records.keys.first)
        bench.set([row("a", "Alpha"), row("b", id: "\(id)", "Beta")])
        let after = try bench.run()
        #expect(after.counts.unchanged == 1)
        #expect(after.rejectsByCode.map(\.code) == ["duplicate-target"])
        bench.set([row("b", id: "\(id)", "Beta"), row("a", "Alpha")])
        let before = try bench.run()
        #expect(before.counts.updated == 1, "the first one goes")
        #expect(before.rejectsByCode.map(\.code) == ["duplicate-target"])
        #expect(bench.names == ["Beta"])
    }
}

/// The generator SplitMix64, so that a test's numbers follow from its seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
