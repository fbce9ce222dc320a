// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension StateStore {
    /// Gives the rest of a run up: the run is marked, and what is open of its rows is forgotten, but for their records.
    ///
    /// A row whose create may have been applied is then sent again by the next run: asking first is the caller's part.
    ///
    /// - Throws: ``StateError``; nothing is given up then.
    package func abandon(_ run: RunRecord, at milliseconds: Int64) throws(StateError) {
        var record = run
        record.status = .abandoned
        record.finishedAtMilliseconds = milliseconds
        let abandoned = record
        let open = try openEntries(of: run.number)
        try write { connection throws(StateError) in
            try RunTable(connection: connection).update(abandoned)
            let table = LedgerTable(connection: connection)
            for var entry in open {
                guard let outcome = entry.outcome.abandoned(hasRecord: entry.remoteID != nil) else {
                    try table.forget(entry.key)
                    continue
                }
                entry.outcome = outcome
                entry.intent = nil
                entry.run = 0
                try table.put([entry])
            }
        }
    }

    /// The entries of a run that are not settled.
    ///
    /// - Throws: ``StateError``.
    package func openEntries(of run: Int64) throws(StateError) -> [LedgerEntry] {
        var entries: [LedgerEntry] = []
        do {
            try forEachUnsettled(run: run) { entries.append($0) }
        } catch let error as StateError {
            throw error
        } catch {
            throw .internal("The ledger could not be looked through: \(error)")
        }
        return entries
    }

    /// Whether a record was created by this sync, or stands for one of its rows.
    ///
    /// - Throws: ``StateError``.
    package func owns(remoteID: String) throws(StateError) -> Bool {
        let isCreated = try read { connection throws(StateError) in
            try CreatedTable(connection: connection).contains(remoteID)
        }
        if isCreated { return true }
        return try !entries(remoteID: remoteID, limit: 1).isEmpty
    }
}

extension LedgerEntry.Outcome {
    /// What an open row is once its run is given up; nil where it is forgotten.
    ///
    /// - Parameter hasRecord: Whether a record stands for the row.
    package func abandoned(hasRecord: Bool) -> Self? {
        // What was to be replayed is a reject again.
        if self == .retry { return .rejected }
        return hasRecord ? .notTried : nil
    }
}
