// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What was looked at in a state file that is whole.
package struct StateInspection: Sendable, Hashable {
    /// How many rows of the ledger, the rejects and the runs were compared with their checksums.
    package var rows: Int64
    /// How many pages the file has.
    package var pages: Int64
    /// The number of the last run, 0 before the first.
    package var run: Int64
    /// How many transactions have changed the file.
    package var sequence: Int64
}

extension StateStore {
    /// Reads the whole file: every page, every index against its table, every row against its checksum.
    ///
    /// - Throws: ``StateError``, `damaged` with the first place found.
    package func inspect() throws -> StateInspection {
        do {
            var inspection = try readWhole()
            try forEachEntry { _ in inspection.rows += 1 }
            try forEachReject { _ in inspection.rows += 1 }
            return inspection
        } catch StateError.internal(let sentence) {
            // What is asked is right, so what cannot be answered is the file.
            throw StateError.unanswered(sentence)
        }
    }

    private func readWhole() throws(StateError) -> StateInspection {
        try read { connection throws(StateError) in
            try OpenState.checkWhole(connection)
            let meta = MetaTable(connection: connection)
            _ = try meta.watermark()
            let runs = try RunTable(connection: connection).select("ORDER BY number")
            return StateInspection(
                rows: Int64(runs.count), pages: try connection.integer("PRAGMA page_count"),
                run: runs.last?.number ?? 0, sequence: try meta.sequence())
        }
    }

    /// Gives the file a new identity, so that no other copy of it is taken for it.
    ///
    /// - Throws: ``StateError``; it keeps its identity then.
    func renewIdentity() throws(StateError) {
        try write { connection throws(StateError) in
            try MetaTable(connection: connection).set(MetaTable.identity, StateMark.newIdentity())
        }
    }
}

extension StateMark {
    /// The mark of a file that nobody has open.
    ///
    /// - Throws: ``StateError``.
    init(ofClosedFile path: String) throws(StateError) {
        let content = try StateFolder.digest(of: path)
        let connection = try SQLiteConnection(path: path, access: .readOnly)
        let meta = MetaTable(connection: connection)
        self.init(
            identity: try meta.value(MetaTable.identity) ?? "",
            run: try RunTable(connection: connection).nextNumber() - 1, sequence: try meta.sequence(),
            content: content)
    }
}
