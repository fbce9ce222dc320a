// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension StateStore {
    /// Makes all `changes`, in order, in one transaction that is on disk when this returns.
    ///
    /// - Throws: ``StateError``; none of them is made then.
    package func commit(_ changes: [StateChange]) throws(StateError) {
        guard !changes.isEmpty else { return }
        try write { connection throws(StateError) in
            for change in changes { try StateStore.apply(change, to: connection) }
        }
    }

    private static func apply(_ change: StateChange, to connection: SQLiteConnection) throws(StateError) {
        switch change {
        case .ledger(let entry): try LedgerTable(connection: connection).upsert(entry)
        case .intent(var entry):
            let table = LedgerTable(connection: connection)
            let earlier = try table.find(entry.key)
            entry.remoteID = earlier?.remoteID
            entry.payload = earlier?.payload
            entry.outcome = .intent
            try table.upsert(entry)
        case .lost(let key, let keyText, let run, let payload):
            let table = LedgerTable(connection: connection)
            var entry =
                try table.find(key) ?? LedgerEntry(key: key, keyText: keyText, run: run, outcome: .unknown)
            if entry.outcome != .intent || entry.intent == nil {
                entry.intent = LedgerEntry.Intent(payload: payload, startedAtMilliseconds: 0)
            }
            entry.run = run
            entry.outcome = .unknown
            try table.upsert(entry)
        case .reject(let record): try RejectTable(connection: connection).upsert(record)
        case .rejectCleared(let key): try RejectTable(connection: connection).remove(key)
        case .created(let remoteID):
            try connection.statement("INSERT INTO created (remote_id) VALUES (?1) ON CONFLICT DO NOTHING")
                .execute([.text(remoteID)])
        case .rejectsOutdated(let run): try RejectTable(connection: connection).removeOutdated(before: run)
        case .watermark(let watermark): try MetaTable(connection: connection).setWatermark(watermark)
        case .run(let record): try RunTable(connection: connection).update(record)
        }
    }

    /// The watermark, or nil.
    ///
    /// - Throws: ``StateError``.
    package func watermark() throws(StateError) -> Watermark? {
        try read { connection throws(StateError) in try MetaTable(connection: connection).watermark() }
    }

    /// The setting `key`, or nil.
    ///
    /// - Throws: ``StateError``.
    package func meta(_ key: String) throws(StateError) -> String? {
        try read { connection throws(StateError) in try MetaTable(connection: connection).value(key) }
    }

    /// Sets the setting `key`, or removes it for nil.
    ///
    /// - Throws: ``StateError``; it keeps its value then.
    package func setMeta(_ key: String, _ value: String?) throws(StateError) {
        try write { connection throws(StateError) in try MetaTable(connection: connection).set(key, value) }
    }

    /// Forgets the watermark, the whole ledger, all rejects, or any of these, at once; runs are kept.
    ///
    /// Without the ledger the next run of an appending sync creates everything again; the caller asks first.
    ///
    /// - Throws: ``StateError``; nothing is forgotten then.
    package func reset(watermark: Bool = false, ledger: Bool = false, rejects: Bool = false) throws(StateError) {
        try write { connection throws(StateError) in
            if watermark { try connection.execute("DELETE FROM watermark") }
            if ledger { try connection.execute("DELETE FROM ledger") }
            if rejects { try connection.execute("DELETE FROM reject") }
        }
    }

    /// Reads the whole file, compares every row with its checksum and every index with its table.
    ///
    /// - Throws: ``StateError``, `damaged` with the first place found.
    package func integrityCheck() throws {
        do {
            try checkFile()
            try forEachEntry { _ in }
            try forEachReject { _ in }
        } catch StateError.internal(let sentence) {
            throw StateError.unanswered(sentence)
        }
    }

    private func checkFile() throws(StateError) {
        try read { connection throws(StateError) in
            // Not the quick one: a damaged index hides rows, and a hidden ledger row is sent again.
            let answer = try connection.statement("PRAGMA integrity_check(1)").first([]) { $0.text(0) ?? "" }
            guard answer == "ok" else { throw .damaged("\(connection.path), \(answer ?? "no answer")") }
            let meta = MetaTable(connection: connection)
            _ = try meta.watermark()
            for key in try meta.keys() { _ = try meta.value(key) }
            _ = try RunTable(connection: connection).select("ORDER BY number")
        }
    }
}
