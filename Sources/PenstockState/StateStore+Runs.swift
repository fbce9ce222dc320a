// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension StateStore {
    /// Records that a run begins and gives it the next number.
    ///
    /// - Parameter id: See ``RunID``; ids are unique in a state file.
    /// - Throws: ``StateError``; no run is recorded then.
    package func beginRun(
        id: String, kind: String = "run", startedAtMilliseconds: Int64, definition: Fingerprint,
        watermarkBefore: String? = nil
    ) throws(StateError) -> RunRecord {
        try write { connection throws(StateError) in
            let table = RunTable(connection: connection)
            let record = RunRecord(
                number: try table.nextNumber(), id: id, kind: kind, startedAtMilliseconds: startedAtMilliseconds,
                definition: definition, watermarkBefore: watermarkBefore)
            try table.insert(record)
            return record
        }
    }

    /// Replaces the run of this number.
    ///
    /// - Throws: ``StateError``, `internal` where there is no such run.
    package func updateRun(_ record: RunRecord) throws(StateError) { try commit([.run(record)]) }

    /// The run that began last, or nil.
    ///
    /// - Throws: ``StateError``.
    package func lastRun() throws(StateError) -> RunRecord? { try runs(limit: 1).first }

    /// The newest run that is running or unfinished, or nil: what the next process has to finish first.
    ///
    /// - Throws: ``StateError``.
    package func unfinishedRun() throws(StateError) -> RunRecord? {
        try read { connection throws(StateError) in
            try RunTable(connection: connection)
                .select(
                    "WHERE status IN ('running', 'unfinished') AND kind <> ?1 ORDER BY number DESC LIMIT 1",
                    [.text(StateStore.undoKind)]
                ).first
        }
    }

    /// The kind of the runs that undo another one: nothing has to finish them before the sync may run again.
    package static let undoKind = "undo"

    /// The runs that undo another one and are not finished, the newest first.
    ///
    /// - Throws: ``StateError``.
    package func unfinishedUndos() throws(StateError) -> [RunRecord] {
        try read { connection throws(StateError) in
            try RunTable(connection: connection)
                .select(
                    "WHERE status IN ('running', 'unfinished') AND kind = ?1 ORDER BY number DESC",
                    [.text(StateStore.undoKind)])
        }
    }

    /// The newest runs, the last one first.
    ///
    /// - Throws: ``StateError``.
    package func runs(limit: Int) throws(StateError) -> [RunRecord] {
        try read { connection throws(StateError) in
            try RunTable(connection: connection)
                .select("ORDER BY number DESC LIMIT ?1", [.integer(Int64(limit))])
        }
    }

    /// The run whose id is or starts with `prefix`, or nil; case does not matter, I and L mean 1, O means 0.
    ///
    /// - Throws: ``StateError``, `ambiguousRun` where several ids start like this.
    package func run(id prefix: String) throws(StateError) -> RunRecord? {
        guard let first = RunID.normalized(prefix) else { return nil }
        let found = try read { connection throws(StateError) in
            // "~" sorts behind every character of an id.
            try RunTable(connection: connection)
                .select("WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 2", [.text(first), .text(first + "~")])
        }
        guard found.count < 2 else { throw .ambiguousRun(prefix) }
        return found.first
    }
}
