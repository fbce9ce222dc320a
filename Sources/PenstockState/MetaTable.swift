// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The rows of `watermark` and `meta`.
struct MetaTable {
    let connection: SQLiteConnection

    /// The setting that tells this state file from every other.
    static let identity = "identity"
    /// The setting that counts the transactions that have changed the file.
    static let sequenceKey = "sequence"
    /// The setting that is there while a process has the file open for writing.
    static let open = "open"
    /// The setting that is drawn anew whenever the ledger is forgotten.
    static let reset = "reset"
    /// The setting that says what the rows of `created` are together.
    static let created = "created"

    /// How many transactions have changed the file.
    func sequence() throws(StateError) -> Int64 {
        guard let text = try value(MetaTable.sequenceKey) else { return 0 }
        guard let number = Int64(text) else { throw .damaged("the setting \(MetaTable.sequenceKey)") }
        return number
    }

    func watermark() throws(StateError) -> Watermark? {
        let sql = "SELECT column_name, type, text, run, \"check\" FROM watermark WHERE id = 1"
        return try connection.statement(sql).first([]) { row throws(StateError) in
            guard let type = DataType(rawValue: row.text(1) ?? "") else { throw .damaged("the watermark") }
            let watermark = Watermark(
                column: row.text(0) ?? "", type: type, text: row.text(2) ?? "", run: row.integer(3))
            guard MetaTable.check(watermark) == row.integer(4) else { throw .damaged("the watermark") }
            return watermark
        }
    }

    func setWatermark(_ watermark: Watermark?) throws(StateError) {
        guard let watermark else { return try connection.statement("DELETE FROM watermark").execute([]) }
        try connection.statement("INSERT OR REPLACE INTO watermark VALUES (1, ?1, ?2, ?3, ?4, ?5)").execute([
            .text(watermark.column), .text(watermark.type.rawValue), .text(watermark.text),
            .integer(watermark.run), .integer(MetaTable.check(watermark)),
        ])
    }

    func value(_ key: String) throws(StateError) -> String? {
        try connection.statement("SELECT value, \"check\" FROM meta WHERE key = ?1").first([.text(key)]) {
            row throws(StateError) in
            let value = row.text(0) ?? ""
            guard MetaTable.check(key, value) == row.integer(1) else { throw .damaged("the setting \(key)") }
            return value
        }
    }

    func set(_ key: String, _ value: String?) throws(StateError) {
        guard let value else {
            return try connection.statement("DELETE FROM meta WHERE key = ?1").execute([.text(key)])
        }
        try connection.statement("INSERT OR REPLACE INTO meta VALUES (?1, ?2, ?3)")
            .execute([.text(key), .text(value), .integer(MetaTable.check(key, value))])
    }

    /// Compares every setting with its checksum: one whose key has changed is not met otherwise, it is just not there.
    ///
    /// - Throws: ``StateError``, `damaged`.
    func check() throws(StateError) {
        try connection.statement("SELECT key, value, \"check\" FROM meta").rows([]) { row throws(StateError) in
            let (key, value) = (row.text(0) ?? "", row.text(1) ?? "")
            guard MetaTable.check(key, value) == row.integer(2) else { throw .damaged("the setting \(key)") }
        }
    }

    private static func check(_ watermark: Watermark) -> Int64 {
        var check = RowCheck("watermark")
        check.add(watermark.column)
        check.add(watermark.type.rawValue)
        check.add(watermark.text)
        check.add(watermark.run)
        return check.value
    }

    private static func check(_ key: String, _ value: String) -> Int64 {
        var check = RowCheck("meta")
        check.add(key)
        check.add(value)
        return check.value
    }
}
