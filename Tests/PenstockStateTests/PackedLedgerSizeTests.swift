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
        try store.integrityCheck()
        store.close()
        let bytes = try bytesPerRow()
        print("packed ledger: \(bytes) bytes a row beside the key, incremental: \(isIncremental)")
        #expect(bytes <= 60)
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
        try store.integrityCheck()
        store.close()
        let bytes = try bytesPerRow()
        print("packed ledger: \(bytes) bytes a row beside the key after five runs that changed 1 %")
        #expect(bytes <= 60)
    }

    @Test func aLedgerOfVersion2GoesOnExactly() throws {
        let old = try StateStore.openForWriting(
            folder: folder.state, sync: "people", owner: someOwner, migrations: Array(StateSchema.migrations.prefix(2)))
        old.close()
        let rows = (1...3_000).map { number -> LedgerEntry in
            var entry = Self.settled(number, run: Int64(number % 3))
            entry.source = digest(number + 4)
            if number % 10 == 0 { entry.outcome = .notTried }
            if number % 100 == 0 { entry.remoteID = "r\(number)" }
            return entry
        }
        try writeVersion2(rows)
        let kept = rows.map { entry -> LedgerEntry in
            var entry = entry
            if entry.outcome.isSettled { entry.source = nil }
            return entry
        }
        let store = try StateStore.writing(folder)
        #expect(try visited(store) == rows)
        #expect(try store.owns(remoteID: "77777"))
        store.close()
        let again = try StateStore.writing(folder)
        #expect(try visited(again) == kept)
        #expect(try again.owns(remoteID: "77777"))
        #expect(try again.owns(remoteID: "text"))
        #expect(try !again.owns(remoteID: "77778"))
        try again.integrityCheck()
        let left = try again.read { connection throws(StateError) in
            try connection.integer("SELECT (SELECT count(*) FROM ledger) * 100 + (SELECT count(*) FROM created)")
        }
        #expect(left == 300 * 100 + 1)
    }

    private func visited(_ store: StateStore) throws -> [LedgerEntry] {
        var entries: [LedgerEntry] = []
        try store.forEachEntry { entries.append($0) }
        return entries
    }

    /// Writes rows as version 2 did, with its checksums.
    private func writeVersion2(_ rows: [LedgerEntry]) throws {
        let file = try SQLiteConnection(path: folder.state + "/people.db", access: .readWrite)
        try file.execute("BEGIN; INSERT INTO created VALUES ('77777'), ('text');")
        let insert = try file.statement(
            """
            INSERT INTO ledger (key, key_text, remote_id, payload, source, run, outcome, "check")
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            """)
        for row in rows {
            try insert.execute([
                .fingerprint(row.key), .text(row.keyText), SQLiteValue(row.remoteID), SQLiteValue(row.payload),
                SQLiteValue(row.source), .integer(row.run), .integer(row.outcome.rawValue), .integer(check(row)),
            ])
        }
        try file.execute("COMMIT")
    }

    private func check(_ row: LedgerEntry) -> Int64 {
        var hasher = FingerprintHasher()
        hasher.combine("ledger")
        func add(_ digest: Fingerprint?) {
            hasher.combine(digest == nil ? 0 : 1)
            guard let digest else { return }
            hasher.combine(digest.low)
            hasher.combine(digest.high)
        }
        func add(_ text: String?) {
            hasher.combine(text == nil ? 0 : 1)
            if let text { hasher.combine(text) }
        }
        func add(_ number: Int64) {
            hasher.combine(1)
            hasher.combine(UInt64(bitPattern: number))
        }
        add(row.key)
        add(row.keyText)
        add(row.remoteID)
        add(row.payload)
        add(row.source)
        hasher.combine(0)
        add(row.run)
        add(row.outcome.rawValue)
        hasher.combine(0)
        hasher.combine(0)
        return Int64(bitPattern: hasher.finish().low)
    }
}
