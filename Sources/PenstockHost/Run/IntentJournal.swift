// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockState
import Synchronization

/// Makes the intent to create a row durable when the connector asks for leave to send it.
final class IntentJournal: Sendable {
    private struct Row {
        var key: Fingerprint
        var keyText: String
        var payload: Fingerprint
    }

    private let ledger: RunLedger
    private let batches = Mutex<[UInt64: [Row]]>([:])
    private let broken = Mutex<StateError?>(nil)

    /// Why an intent could not be stored, or nil.
    var failure: StateError? { broken.withLock { $0 } }

    /// A journal that writes into `ledger`.
    init(_ ledger: RunLedger) { self.ledger = ledger }

    /// Takes note of the rows of a batch, before it is submitted.
    func register(_ rows: [DecidedRow], _ batch: UInt64) {
        let rows = rows.map { Row(key: $0.key, keyText: $0.keyText, payload: $0.payload ?? $0.source) }
        batches.withLock { $0[batch] = rows }
    }

    /// Forgets a batch all of whose rows have their results.
    func forget(_ batch: UInt64) { batches.withLock { $0[batch] = nil } }

    /// Makes the intent to create a row durable.
    ///
    /// Any thread; returns when it is on disk.
    ///
    /// - Throws: ``ConnectorError``: the row must not be sent.
    func intend(_ row: BatchRow) throws(ConnectorError) {
        let found = batches.withLock { batches -> Row? in
            guard let rows = batches[row.batch], rows.indices.contains(row.row) else { return nil }
            return rows[row.row]
        }
        guard let found else {
            throw ConnectorError(.contractBreach, "The connector asked for leave to send a row that it was not given.")
        }
        do {
            try ledger.intend(key: found.key, keyText: found.keyText, payload: found.payload)
        } catch {
            broken.withLock { $0 = error }
            throw ConnectorError(.broken, "The intent to create a record could not be stored.", detail: error.message)
        }
    }
}
