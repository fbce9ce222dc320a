// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension StateStore {
    /// Makes all `changes`, in order, in one transaction that is on disk when this returns.
    ///
    /// - Throws: ``StateError``; none of them is made then.
    package func commit(_ changes: [StateChange]) throws(StateError) {
        guard !changes.isEmpty else { return }
        try write { connection throws(StateError) in
            var batch = LedgerBatch(connection)
            for place in changes.indices { try StateStore.apply(changes[place], to: connection, &batch) }
            try batch.finish()
        }
    }

    private static func apply(
        _ change: StateChange, to connection: SQLiteConnection, _ batch: inout LedgerBatch
    ) throws(StateError) {
        switch change {
        case .ledger(let entry): try batch.put(entry)
        case .settled(let entry): try batch.putSettled(entry)
        case .intent(let entry): try batch.putIntent(entry)
        case .lost(let key, let keyText, let run, let payload):
            try batch.putLost(key, keyText, run: run, payload: payload)
        case .forgotten(let key): try batch.forget(key)
        case .reject(let record):
            batch.noteReject()
            try RejectTable(connection: connection).upsert(record)
        case .rejectCleared(let key): try batch.clearReject(key)
        case .created(let remoteID): batch.noteCreated(remoteID)
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

    /// A text that is another one after every ``reset(watermark:ledger:rejects:)`` of the ledger; nil before the first.
    ///
    /// - Throws: ``StateError``.
    package func lastReset() throws(StateError) -> String? { try meta(MetaTable.reset) }

    /// Forgets the watermark, the whole ledger, all rejects, or any of these, at once; runs are kept.
    ///
    /// Without the ledger the next run of an appending sync creates everything again; the caller asks first.
    ///
    /// - Throws: ``StateError``; nothing is forgotten then.
    package func reset(watermark: Bool = false, ledger: Bool = false, rejects: Bool = false) throws(StateError) {
        try write { connection throws(StateError) in
            if watermark { try connection.execute("DELETE FROM watermark") }
            if ledger {
                try LedgerTable(connection: connection).removeAll()
                try MetaTable(connection: connection).set(MetaTable.reset, StateMark.newIdentity())
            }
            if rejects { try connection.execute("DELETE FROM reject") }
        }
    }
}
