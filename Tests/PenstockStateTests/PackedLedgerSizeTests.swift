// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockState
import Testing

/// How much the packed ledger takes, and what becomes of a ledger that an earlier version kept.
@Suite struct PackedLedgerSizeTests {
    let folder = TemporaryFolder()

    private static let rows = 50_000

    /// The entry of a row after a first run that created its record.
    private static func settled(_ number: Int, run: Int64 = 1, cursor: String? = nil) -> LedgerEntry {
        LedgerEntry(
            key: digest(number), keyText: "id=\(number)", remoteID: String(1_000 + number * 3),
            payload: digest(number + 7_000_000), cursor: cursor, run: run, outcome: .created)
    }

    private func intent(_ number: Int) -> StateChange {
        .intent(
            LedgerEntry(
                key: digest(number), keyText: "id=\(number)", source: digest(number + 9), run: 1, outcome: .intent,
                intent: LedgerEntry.Intent(
                    payload: digest(number + 7_000_000), startedAtMilliseconds: 1_700_000_000_000)))
    }

    /// Creates records as a run does: intents first, outcomes a little out of order.
    private func create(_ store: StateStore, cursor: (Int) -> String? = { _ in nil }) throws {
        let group = 250
        for start in stride(from: 0, to: Self.rows, by: group) {
            var changes: [StateChange] = []
            if start > 0 {
                // The last ten of a group come with the next one.
                let from = max(0, start - group - 10)
                for number in from..<start - 10 {
                    changes.append(.ledger(Self.settled(number, cursor: cursor(number))))
                    changes.append(.rejectCleared(digest(number)))
                    changes.append(.created(remoteID: String(1_000 + number * 3)))
                }
            }
            changes += (start..<start + group).map { intent($0) }
            try store.commit(changes)
        }
        try store.commit(
            (Self.rows - group - 10..<Self.rows).map { .ledger(Self.settled($0, cursor: cursor($0))) })
    }

    private func bytesPerRow() throws -> Double {
        let size = try #require(TemporaryFolder.read(folder.state + "/people.db")).count
        #expect(TemporaryFolder.read(folder.state + "/people.db-wal")?.isEmpty ?? true)
        let keys = (0..<Self.rows).reduce(0) { $0 + "id=\($1)".utf8.count }
        return Double(size - keys) / Double(Self.rows)
    }

    @Test("A row takes at most 60 bytes beside its key's own", arguments: [false, true])
    func aRowTakesAtMost60BytesBesideItsKeysOwn(isIncremental: Bool) throws {
        let store = try StateStore.writing(folder)
        try create(store) { isIncremental ? "2026-01-01 10:\(10 + $0 / 1_000).\(100_000 + $0 * 7)" : nil }
        #expect(try store.countEntries() == [.created: Int64(Self.rows)])
        _ = try store.inspect()
        store.close()
        let bytes = try bytesPerRow()
        print("packed ledger: \(bytes) bytes a row beside the key, incremental: \(isIncremental)")
        #expect(bytes <= 60)
    }

    /// Texts that begin alike are short but for the first one of a block.
    @Test(
        "Blocks of texts that share a long beginning fit into a page or are few",
        arguments: [20, 700, 1_500, 1_900, 2_100, 4_500])
    func blocksOfTextsThatShareALongBeginning(shared: Int) throws {
        let rows = 1_500
        let store = try StateStore.writing(folder)
        let beginning = String(repeating: "b", count: shared / 3)
        func entry(_ number: Int, _ more: String) -> StateChange {
            var entry = Self.settled(number, cursor: beginning + "cursor \(number)" + more)
            entry.keyText = beginning + "id=\(number)"
            entry.remoteID = beginning + "record \(number)"
            return .ledger(entry)
        }
        for start in stride(from: 1, to: rows, by: 100) {
            try store.commit((start..<start + 100).map { entry($0, "") })
        }
        // Longer ones in the middle part blocks that are full.
        try store.commit(
            stride(from: 7, to: rows, by: 90).map { entry($0, ", and a little more of it than there was") })
        store.close()
        let file = try SQLiteConnection(path: folder.state + "/people.db", access: .readOnly)
        let blocks = try file.integer("SELECT count(*) FROM pack")
        #expect(Int(blocks) < rows / 8)
        // What one page of the file holds of a row.
        let long = try file.integer("SELECT count(*) FROM pack WHERE length(data) > 4040")
        #expect(long == 0 || shared > 1_900)
        print("shared \(shared): \(blocks) blocks, \(long) longer than a page")
    }

    @Test func aRowTakesNoMoreAfterRunsThatChangeSome() throws {
        let store = try StateStore.writing(folder)
        try create(store)
        var random = Randomness(state: 5)
        for run in 2...6 {
            var changes: [StateChange] = []
            for _ in 0..<Self.rows / 100 {
                var entry = Self.settled(Int(random.next() % UInt64(Self.rows)), run: Int64(run))
                entry.outcome = .updated
                changes.append(.ledger(entry))
            }
            try store.commit(changes)
        }
        _ = try store.inspect()
        store.close()
        let bytes = try bytesPerRow()
        print("packed ledger: \(bytes) bytes a row beside the key after five runs that changed 1 %")
        #expect(bytes <= 60)
    }
}
