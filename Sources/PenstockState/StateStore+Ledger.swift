// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension StateStore {
    /// How many rows a visit holds in memory at a time.
    static let pageSize = 500

    /// What is known about `key`, or nil.
    ///
    /// - Throws: ``StateError``.
    package func entry(for key: Fingerprint) throws(StateError) -> LedgerEntry? {
        try read { connection throws(StateError) in try LedgerTable(connection: connection).find(key) }
    }

    /// What is known about `keys`; those of which nothing is known are missing from the answer.
    ///
    /// - Throws: ``StateError``.
    package func entries(for keys: [Fingerprint]) throws(StateError) -> [Fingerprint: LedgerEntry] {
        try read { connection throws(StateError) in try LedgerTable(connection: connection).find(keys) }
    }

    /// Up to `limit` entries that hold the record `remoteID`; more than one source key may.
    ///
    /// - Throws: ``StateError``.
    package func entries(remoteID: String, limit: Int = 2) throws(StateError) -> [LedgerEntry] {
        try read { connection throws(StateError) in
            try LedgerTable(connection: connection).find(remoteID: remoteID, limit: limit)
        }
    }

    /// Visits entries in the order in which their keys first came, a page in memory at a time.
    ///
    /// `body` may call this store. It sees what it has changed behind the page it is in, new entries included.
    ///
    /// - Parameters:
    ///   - outcome: Only entries with this outcome; for one that is not settled the others are not even looked at.
    ///   - run: Only entries that this run touched last.
    /// - Throws: ``StateError``, and what `body` throws, which ends the visit.
    package func forEachEntry(
        where outcome: LedgerEntry.Outcome? = nil, run: Int64? = nil, _ body: (LedgerEntry) throws -> Void
    ) throws {
        if let outcome, !outcome.isSettled { return try forEachUnsettled(where: outcome, run: run, body) }
        var position: Int64? = 1
        while let start = position {
            let page = try read { connection throws(StateError) in
                try LedgerTable(connection: connection).places(from: start, through: .max, limit: StateStore.pageSize)
            }
            for (entry, _) in page.found {
                if outcome.map({ $0 == entry.outcome }) ?? true, run.map({ $0 == entry.run }) ?? true {
                    try body(entry)
                }
            }
            position = page.next
        }
    }

    /// Whether anything is known of any key.
    ///
    /// - Throws: ``StateError``.
    package func hasEntries() throws(StateError) -> Bool {
        try read { connection throws(StateError) in try LedgerTable(connection: connection).lastPosition() > 0 }
    }

    /// Visits entries that are not settled, in the order in which their keys first came, as ``forEachEntry``.
    ///
    /// - Throws: ``StateError``, and what `body` throws, which ends the visit.
    package func forEachUnsettled(
        where outcome: LedgerEntry.Outcome? = nil, run: Int64? = nil, _ body: (LedgerEntry) throws -> Void
    ) throws {
        var position: Int64 = 0
        while true {
            let start = position
            let page = try read { connection throws(StateError) in
                try LedgerTable(connection: connection)
                    .unsettled(after: start, outcome: outcome, run: run, limit: StateStore.pageSize)
            }
            for (entry, _) in page { try body(entry) }
            guard page.count == StateStore.pageSize, let last = page.last?.position else { return }
            position = last
        }
    }

    /// How many entries there are with each outcome, of those that `run` touched last, or of all for nil.
    ///
    /// Reads the whole ledger, without the checks of its rows.
    ///
    /// - Throws: ``StateError``.
    package func countEntries(run: Int64? = nil) throws(StateError) -> [LedgerEntry.Outcome: Int64] {
        try read { connection throws(StateError) in try LedgerTable(connection: connection).count(run: run) }
    }
}
