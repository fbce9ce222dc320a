// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension StateStore {
    /// The reject of `key`, or nil.
    ///
    /// - Throws: ``StateError``.
    package func reject(for key: Fingerprint) throws(StateError) -> RejectRecord? {
        try read { connection throws(StateError) in try RejectTable(connection: connection).find(key) }
    }

    /// Rejects in the order of their runs and rows.
    ///
    /// - Parameters:
    ///   - code: Only rejects with this code.
    ///   - run: Only rejects of the run with this number.
    /// - Throws: ``StateError``.
    package func rejects(
        code: String? = nil, run: Int64? = nil, limit: Int, offset: Int = 0
    ) throws(StateError) -> [RejectRecord] {
        try read { connection throws(StateError) in
            try RejectTable(connection: connection).list(code: code, run: run, limit: limit, offset: offset)
        }
    }

    /// Visits all rejects in the order in which their keys first came, a page in memory at a time; `body` may call
    /// this store.
    ///
    /// - Throws: ``StateError``, and what `body` throws, which ends the visit.
    package func forEachReject(_ body: (RejectRecord) throws -> Void) throws {
        var position: Int64 = 0
        while true {
            let start = position
            let page = try read { connection throws(StateError) in
                try RejectTable(connection: connection).page(after: start, limit: StateStore.pageSize)
            }
            for record in page.records { try body(record) }
            guard page.records.count == StateStore.pageSize else { return }
            position = page.position
        }
    }

    /// The rejects by code, the most frequent code first.
    ///
    /// - Throws: ``StateError``.
    package func rejectSummary() throws(StateError) -> [RejectSummary] {
        try read { connection throws(StateError) in try RejectTable(connection: connection).summary() }
    }

    /// How many rejects there are.
    ///
    /// - Throws: ``StateError``.
    package func countRejects() throws(StateError) -> Int64 {
        try read { connection throws(StateError) in try RejectTable(connection: connection).count() }
    }

    /// Removes the settled rejects last seen before a moment, in milliseconds since 1970-01-01T00:00:00Z.
    ///
    /// - Returns: How many were removed.
    /// - Throws: ``StateError``; none is removed then.
    package func removeSettledRejects(lastSeenBefore milliseconds: Int64) throws(StateError) -> Int {
        try write { connection throws(StateError) in
            try RejectTable(connection: connection).removeSettled(before: milliseconds)
        }
    }
}
