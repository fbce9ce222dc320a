// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Records read from a destination, to be found by their id or by the value of a match field.
///
/// Kept in a nameless SQLite file with a fixed cache; it goes with the object. One thread at a time may use it.
package final class RemoteIndex {
    /// One record.
    package struct Entry: Sendable, Hashable {
        /// Its id at the destination.
        package var id: String
        /// What was stored with it.
        package var record: [UInt8]
    }

    private let connection: SQLiteConnection
    /// How many different records there are.
    package private(set) var count = 0

    /// An index without records.
    ///
    /// - Parameter folder: On whose disk the file is made; it must exist.
    /// - Throws: ``StateError/cannotWrite(_:)``.
    package init(folder: String) throws(StateError) {
        connection = try SQLiteConnection.scratch(folder: folder)
        try connection.execute(
            """
            CREATE TABLE record (
                number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, matches TEXT NOT NULL, record BLOB NOT NULL
            ) STRICT;
            CREATE TABLE match (value TEXT, record INTEGER, PRIMARY KEY (value, record)) STRICT, WITHOUT ROWID;
            """)
    }

    /// Adds a record, or replaces the one with this id: a list that moves while it is read may show a record twice.
    ///
    /// - Parameter matches: The values it is found by; often one, none where the field is empty.
    /// - Throws: ``StateError/cannotWrite(_:)``; only releasing the object is allowed afterwards.
    package func add(matches: [String], id: String, record: [UInt8]) throws(StateError) {
        let matchesText = JSON.strings(matches).text
        let earlier = try connection.statement("SELECT number, matches FROM record WHERE id = ?1")
            .first([.text(id)]) { ($0.integer(0), $0.text(1) ?? "[]") }
        let number = earlier?.0 ?? Int64(count + 1)
        if let earlier {
            try forget(earlier.1, number: number)
        } else {
            count += 1
        }
        try connection.statement("INSERT OR REPLACE INTO record VALUES (?1, ?2, ?3, ?4)")
            .execute([.integer(number), .text(id), .text(matchesText), .bytes(record)])
        let insert = try connection.statement("INSERT OR IGNORE INTO match VALUES (?1, ?2)")
        for match in matches { try insert.execute([.text(match), .integer(number)]) }
    }

    /// Up to `limit` records that are found by `match`, in the order in which they were added.
    ///
    /// - Throws: ``StateError``.
    package func find(match: String, limit: Int) throws(StateError) -> [Entry] {
        let statement = try connection.statement(
            """
            SELECT record.id, record.record FROM match CROSS JOIN record ON record.number = match.record
            WHERE match.value = ?1 ORDER BY match.record LIMIT ?2
            """)
        var entries: [Entry] = []
        try statement.rows([.text(match), .integer(Int64(limit))]) { row in
            entries.append(Entry(id: row.text(0) ?? "", record: row.bytes(1)))
        }
        return entries
    }

    /// What was stored with the record `id`, or nil.
    ///
    /// - Throws: ``StateError``.
    package func find(id: String) throws(StateError) -> [UInt8]? {
        try connection.statement("SELECT record FROM record WHERE id = ?1").first([.text(id)]) { $0.bytes(0) }
    }

    private func forget(_ matchesText: String, number: Int64) throws(StateError) {
        // The text was written above and is JSON; one that is not would only leave a value that finds the new record.
        let matches = (try? JSON(parsing: matchesText))?.arrayValue ?? []
        let delete = try connection.statement("DELETE FROM match WHERE value = ?1 AND record = ?2")
        for match in matches.compactMap(\.stringValue) { try delete.execute([.text(match), .integer(number)]) }
    }
}
