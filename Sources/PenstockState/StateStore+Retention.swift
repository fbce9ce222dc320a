// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension StateStore {
    /// The runs that are older than is kept and that nothing needs any more.
    ///
    /// Needed are runs that are not done, the last two, and those whose rejects or open rows are still there.
    ///
    /// - Parameters:
    ///   - milliseconds: Runs that began before this moment, in milliseconds since 1970-01-01T00:00:00Z, are too old.
    ///   - newest: Runs beyond the newest so many are too many.
    /// - Returns: Their ids, the oldest first.
    /// - Throws: ``StateError``.
    package func expiredRuns(startedBefore milliseconds: Int64, keeping newest: Int) throws(StateError) -> [String] {
        try read { connection throws(StateError) in
            try StateStore.expired(connection, milliseconds, newest)
        }
    }

    /// Forgets those runs.
    ///
    /// - Returns: Their ids, the oldest first.
    /// - Throws: ``StateError``; none is forgotten then.
    package func removeExpiredRuns(
        startedBefore milliseconds: Int64, keeping newest: Int
    ) throws(StateError) -> [String] {
        // Most runs find nothing to forget, and then need no transaction.
        guard try !expiredRuns(startedBefore: milliseconds, keeping: newest).isEmpty else { return [] }
        return try write { connection throws(StateError) in
            let ids = try StateStore.expired(connection, milliseconds, newest)
            for id in ids { try connection.statement("DELETE FROM run WHERE id = ?1").execute([.text(id)]) }
            return ids
        }
    }

    private static func expired(
        _ connection: SQLiteConnection, _ milliseconds: Int64, _ newest: Int
    ) throws(StateError) -> [String] {
        let statement = try connection.statement(
            """
            SELECT id FROM run
            WHERE (started_at < ?1
                OR number <= coalesce((SELECT number FROM run ORDER BY number DESC LIMIT 1 OFFSET ?2), 0))
                AND status NOT IN ('running', 'unfinished')
                AND number <= (SELECT max(number) FROM run) - 2
                AND number NOT IN (SELECT run FROM reject)
                AND number NOT IN (SELECT run FROM ledger WHERE outcome >= 16)
            ORDER BY number
            """)
        var ids: [String] = []
        try statement.rows([.integer(milliseconds), .integer(Int64(newest))]) { row in ids.append(row.text(0) ?? "") }
        return ids
    }

    /// What is known of the rows whose source key reads like this for people, and their rejects.
    ///
    /// Reads the whole ledger.
    ///
    /// - Throws: ``StateError``.
    package func rows(
        keyText: String, limit: Int = 20
    ) throws(StateError) -> (entries: [LedgerEntry], rejects: [RejectRecord]) {
        try read { connection throws(StateError) in
            let entries = try LedgerTable(connection: connection).find(keyText: keyText, limit: limit)
            var refused: [Fingerprint] = []
            try connection.statement("SELECT key FROM reject WHERE key_text = ?1 ORDER BY id DESC LIMIT ?2")
                .rows([.text(keyText), .integer(Int64(limit))]) { row in
                    if let key = row.fingerprint(0) { refused.append(key) }
                }
            let rejectTable = RejectTable(connection: connection)
            var rejects: [RejectRecord] = []
            for key in refused { if let reject = try rejectTable.find(key) { rejects.append(reject) } }
            return (entries, rejects)
        }
    }

    /// The run with this number, or nil.
    ///
    /// - Throws: ``StateError``.
    package func run(number: Int64) throws(StateError) -> RunRecord? {
        try read { connection throws(StateError) in
            try RunTable(connection: connection).select("WHERE number = ?1", [.integer(number)]).first
        }
    }
}
