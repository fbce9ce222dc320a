// SPDX-License-Identifier: Apache-2.0

import ConnectorTesting
import Foundation
import PenstockEngine
import PenstockModel
import PenstockState
import Testing

@testable import PenstockHost

/// Rows are held against a plan in little memory, and looked at by its guard in small groups.
@Suite struct PlanMatchTests {
    private let map = [MapEntry(target: "id", from: "id"), MapEntry(target: "name", from: "name")]

    private func row(_ number: Int, _ word: String = "New") -> [Value] {
        [.text("k\(number)"), .text("\(number)"), .text("\(word) \(number)"), .text("c"), .int64(0)]
    }

    private func bench(_ rows: [[Value]] = [], rowsAtOnce: Int = 0) throws -> Bench {
        try Bench(rows, map: map, insert: InsertDefinition(mode: .update), rowsAtOnce: rowsAtOnce)
    }

    private func makeFolder(_ bench: Bench) throws {
        try FileManager.default.createDirectory(
            atPath: bench.folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    private func sealed(_ bench: Bench, _ entries: [PlanEntry], isGuarded: Bool = false) throws -> SealedPlan {
        try makeFolder(bench)
        let draft = try PlanDraft(folder: bench.folder)
        for entry in entries { try draft.append(entry) }
        var header = PlanHeader(
            sync: "sync", madeAt: 1, madeBy: "test", salt: "s", numbers: PlanNumbers(), pins: try PlanPin.state(nil))
        header.isGuarded = isGuarded
        let path = bench.folder + "/a.plan"
        try draft.seal(header, to: path)
        return try SealedPlan(path: path)
    }

    private func key(_ number: Int) -> Fingerprint { Fingerprint(low: UInt64(number), high: 7) }

    private func entries(_ numbers: ClosedRange<Int>) -> [PlanEntry] {
        numbers.map {
            PlanEntry(.create, row: Int64($0), key: key($0), keyText: "k\($0)", payload: Fingerprint(low: 1, high: 1))
        }
    }

    /// Rows that become these, as one chunk; rows of keys that a plan has not are 1,000 and more.
    private func chunk(_ sync: OpenSync, _ numbers: ClosedRange<Int>, _ fate: (Int) -> DecidedRow.Fate) -> DecidedChunk
    {
        let batch = Bench.table(numbers.map { row($0) })
        let rows = numbers.enumerated().map { place, number in
            DecidedRow(
                number: Int64(number), row: place, key: key(number), keyText: "k\(number)", cursor: .null,
                cursorText: nil, source: nil, payload: Fingerprint(low: 1, high: 1), known: nil, fate: fate(number))
        }
        return DecidedChunk(source: batch, mapped: sync.mapping.map(batch), rows: rows)
    }

    @Test("Of planned rows that do not come the first are named, and none is kept")
    func planned() throws {
        let bench = try bench()
        let sync = try bench.open()
        defer { sync.close() }
        let match = PlanMatch(try sealed(bench, entries(1...500)), sync, PlanMask(), folder: bench.folder)
        try match.take(chunk(sync, 2...2) { _ in .create })
        let said = try match.finish()
        #expect(
            said == [
                "499 rows are planned, and nothing is to be sent for it now: row 1, key k1 (create); "
                    + "row 3, key k3 (create); row 4, key k4 (create), and 496 more"
            ])
        #expect(match.waitingCount == 0)
    }

    @Test("Where too many rows are new or elsewhere, both are counted")
    func many() throws {
        let bench = try bench()
        let sync = try bench.open()
        defer { sync.close() }
        let plan = try sealed(bench, entries(1...50))
        let match = PlanMatch(plan, sync, PlanMask(), folder: bench.folder, waitingMax: 20)
        try match.take(chunk(sync, 1_000...1_009) { _ in .create })
        #expect(match.waitingCount == 20)
        let problem = #expect(throws: PlanFileProblem.self) {
            try match.take(chunk(sync, 1_010...1_010) { _ in .create })
        }
        let said = problem?.message ?? ""
        #expect(
            said.hasPrefix("11 rows are new, or come in another place than planned, and 11 planned ones"), "\(said)")
    }

    @Test("Any number of rows for which a guarded plan has found nothing to send may come before its rows")
    func unplanned() throws {
        let bench = try bench()
        let sync = try bench.open()
        defer { sync.close() }
        let entries = (101...150).map {
            PlanEntry(
                .update, row: Int64($0), key: key($0), keyText: "k\($0)", remoteID: "\($0)",
                payload: Fingerprint(low: 1, high: 1))
        }
        let plan = try sealed(bench, entries, isGuarded: true)
        let match = PlanMatch(plan, sync, PlanMask(), folder: bench.folder, waitingMax: 20)
        for start in [1, 51, 101] {
            try match.take(chunk(sync, start...start + 49) { .update(id: "\($0)", changes: nil) })
        }
        #expect(try match.finish() == [])
        #expect(match.seen.unplanned == 100)
    }

    @Test("The first rows of a difference are named in whatever order they come")
    func difference() {
        var differences = PlanDifferences(PlanMask())
        for row in [90, 7, 50, 3, 8, 100, 1] as [Int64] { differences.note(.added, row: row, keyText: "k", "create") }
        #expect(
            differences.clauses == [
                "7 rows are to be sent and not in the plan: row 1, key k (create); row 3, key k (create); "
                    + "row 7, key k (create), and 4 more"
            ])
    }

    /// Chunks from memory.
    private final class Chunks: DecidedRows {
        var left: [DecidedChunk]
        var onNext: () -> Void = {}
        var isExhausted: Bool { left.isEmpty }
        let isAtLimit = false
        let postponedFrom: Value? = nil
        let openWriters: OpenWriters? = nil
        let continuations = 0
        let secondLook: SecondLook? = nil
        var keepUp: (() throws(RunStop) -> Void)?

        init(_ chunks: [DecidedChunk]) { left = chunks }

        func next() throws(RunStop) -> DecidedChunk? {
            onNext()
            return left.isEmpty ? nil : left.removeFirst()
        }
        func removedRows() throws(RunStop) -> RemovedRows? { nil }
        func countRest(within milliseconds: Int64) -> Int64? { nil }
        func noteListCost(in store: StateStore) throws(RunStop) {}
        func close() {}
    }

    private func pipeline(_ bench: Bench, _ sync: OpenSync) throws -> RowPipeline {
        try makeFolder(bench)
        return try RowPipeline(
            sync, ledger: nil, runNumber: 1, fetchStart: .everything, scratchFolder: bench.folder,
            limit: RunLimit(nil), isFullRefresh: false, stateFolder: bench.folder, isGuarded: true)
    }

    @Test("While a row waits for a look, rows that need nothing are counted, and their chunks are not kept")
    func quiet() throws {
        let bench = try bench()
        bench.connector.addRecord(["name": .text("Old")])
        let sync = try bench.open()
        defer { sync.close() }
        let pipeline = try pipeline(bench, sync)
        defer { pipeline.close() }
        var quiet = chunk(sync, 1...1) { _ in .create }
        quiet.rows = []
        quiet.quiet.unchanged = 4_000
        let base = Chunks(
            [chunk(sync, 1...1) { .update(id: "\($0)", changes: nil) }] + (0..<100).map { _ in quiet })
        let guarded = GuardedRows(base, pipeline, nil)
        var most = 0
        base.onNext = { [unowned guarded] in most = max(most, guarded.waitingCount) }
        var (unchanged, rows) = (Int64(0), 0)
        while let next = try guarded.next() {
            unchanged += next.quiet.unchanged
            rows += next.rows.count
        }
        #expect(unchanged == 400_000 && rows == 1 && most == 1)
    }

    @Test("The parts of a chunk are known to be of one source, and a chunk that was made smaller to be of another")
    func origin() throws {
        let bench = try bench()
        for _ in 1...250 { bench.connector.addRecord(["name": .text("Old")]) }
        let sync = try bench.open()
        defer { sync.close() }
        let pipeline = try pipeline(bench, sync)
        defer { pipeline.close() }
        let whole = chunk(sync, 1...250) { .update(id: "\($0)", changes: nil) }
        let guarded = GuardedRows(Chunks([whole]), pipeline, nil)
        var parts: [DecidedChunk] = []
        while let next = try guarded.next() { parts.append(next) }
        #expect(parts.map(\.rows.count) == [100, 100, 50])
        #expect(parts.allSatisfy { $0.origin === whole.origin })
        var small = whole
        small.rows = [whole.rows[9]]
        small.shrink()
        #expect(small.source.rowCount == 1 && small.origin !== whole.origin)
    }

    @Test("Between the look and the request lie 200 rows at most, however many the object takes at once")
    func openRows() throws {
        let bench = try bench((1...1_500).map { row($0) }, rowsAtOnce: 16_384)
        for number in 1...1_500 { bench.connector.addRecord(["name": .text("Old \(number)")]) }
        let planned = try bench.plan {
            $0.isGuarded = true
            $0.salt = "s"
        }
        let plan = try sealed(bench, planned.told, isGuarded: true)
        var (most, hasBegun) = (0, false)
        let report = try bench.run {
            $0.preflight.plan = plan
        } observe: { event in
            if case .began = event { hasBegun = true }
            if case .progress(let progress) = event, hasBegun { most = max(most, progress.openRows) }
        }
        #expect(report.counts.updated == 1_500)
        #expect(most <= 2 * GuardedRows.openMax, "\(most) rows were open")
    }
}
