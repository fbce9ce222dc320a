// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The rows of `reject`.
struct RejectTable {
    let connection: SQLiteConnection

    private static let columns =
        "key, key_text, run, row, stage, code, field, value, message, record, remote_id, http_status, is_settled, "
        + "attempts, first_seen, last_seen, \"check\""

    func find(_ key: Fingerprint) throws(StateError) -> RejectRecord? {
        let statement = try connection.statement("SELECT \(RejectTable.columns) FROM reject WHERE key = ?1")
        return try statement.first([.fingerprint(key)]) { row throws(StateError) in try RejectTable.decode(row) }
    }

    func list(
        code: String?, run: Int64?, limit: Int, offset: Int
    ) throws(StateError) -> [RejectRecord] {
        let sql = """
            SELECT \(RejectTable.columns) FROM reject
            WHERE (?1 IS NULL OR code = ?1) AND (?2 IS NULL OR run = ?2)
            ORDER BY run, row, id LIMIT ?3 OFFSET ?4
            """
        let values = [SQLiteValue(code), SQLiteValue(run), .integer(Int64(limit)), .integer(Int64(offset))]
        var records: [RejectRecord] = []
        try connection.statement(sql).rows(values) { row throws(StateError) in
            records.append(try RejectTable.decode(row))
        }
        return records
    }

    /// The records behind position `after`, in the order in which their keys first came, and the last one's position.
    func page(after position: Int64, limit: Int) throws(StateError) -> (records: [RejectRecord], position: Int64) {
        let sql = "SELECT \(RejectTable.columns), id FROM reject WHERE id > ?1 ORDER BY id LIMIT ?2"
        var records: [RejectRecord] = []
        var last = position
        try connection.statement(sql).rows([.integer(position), .integer(Int64(limit))]) { row throws(StateError) in
            records.append(try RejectTable.decode(row))
            last = row.integer(17)
        }
        return (records, last)
    }

    func summary() throws(StateError) -> [RejectSummary] {
        var groups: [(code: String, count: Int64, last: Int64)] = []
        let sql = "SELECT code, count(*), max(last_seen) FROM reject GROUP BY code ORDER BY count(*) DESC, code"
        try connection.statement(sql).rows([]) { row in
            groups.append((row.text(0) ?? "", row.integer(1), row.integer(2)))
        }
        let example = try connection.statement(
            """
            SELECT \(RejectTable.columns) FROM reject WHERE code = ?1 AND last_seen = ?2 ORDER BY id DESC LIMIT 1
            """)
        var summaries: [RejectSummary] = []
        for group in groups {
            let record = try example.first([.text(group.code), .integer(group.last)]) { row throws(StateError) in
                try RejectTable.decode(row)
            }
            guard let record else { throw .damaged("the index of the rejects with code \(group.code)") }
            summaries.append(
                RejectSummary(
                    code: group.code, count: group.count, lastSeenMilliseconds: group.last, example: record))
        }
        return summaries
    }

    func count() throws(StateError) -> Int64 { try connection.integer("SELECT count(*) FROM reject") }

    func isEmpty() throws(StateError) -> Bool {
        try connection.integer("SELECT NOT EXISTS (SELECT 1 FROM reject)") == 1
    }

    func upsert(_ record: RejectRecord) throws(StateError) {
        var record = record
        if let earlier = try find(record.key) {
            record.firstSeenMilliseconds = min(record.firstSeenMilliseconds, earlier.firstSeenMilliseconds)
        }
        let statement = try connection.statement(
            """
            INSERT INTO reject (\(RejectTable.columns))
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
            ON CONFLICT (key) DO UPDATE SET key_text = ?2, run = ?3, row = ?4, stage = ?5, code = ?6, field = ?7,
                value = ?8, message = ?9, record = ?10, remote_id = ?11, http_status = ?12, is_settled = ?13,
                attempts = ?14, first_seen = ?15, last_seen = ?16, "check" = ?17
            """)
        try statement.execute([
            .fingerprint(record.key), .text(record.keyText), .integer(record.run), .integer(record.row),
            .text(record.stage), .text(record.code), .text(record.field), .text(record.value),
            .text(record.message), .text(record.record), SQLiteValue(record.remoteID),
            .integer(Int64(record.httpStatus)), .integer(record.isSettled ? 1 : 0),
            .integer(Int64(record.attempts)), .integer(record.firstSeenMilliseconds),
            .integer(record.lastSeenMilliseconds), .integer(RejectTable.check(record)),
        ])
    }

    func remove(_ key: Fingerprint) throws(StateError) {
        try connection.statement("DELETE FROM reject WHERE key = ?1").execute([.fingerprint(key)])
    }

    func removeOutdated(before run: Int64) throws(StateError) {
        try connection.statement("DELETE FROM reject WHERE run < ?1").execute([.integer(run)])
    }

    /// Removes the settled rejects last seen before `milliseconds`, and says how many.
    func removeSettled(before milliseconds: Int64) throws(StateError) -> Int {
        try connection.statement("DELETE FROM reject WHERE is_settled = 1 AND last_seen < ?1")
            .execute([.integer(milliseconds)])
        return connection.changes
    }

    private static func decode(_ row: SQLiteStatement) throws(StateError) -> RejectRecord {
        guard let key = row.fingerprint(0) else { throw .damaged("a reject without a key") }
        let record = RejectRecord(
            key: key, keyText: row.text(1) ?? "", run: row.integer(2), row: row.integer(3), stage: row.text(4) ?? "",
            code: row.text(5) ?? "", field: row.text(6) ?? "", value: row.text(7) ?? "", message: row.text(8) ?? "",
            record: row.text(9) ?? "", remoteID: row.text(10), httpStatus: Int(row.integer(11)),
            isSettled: row.integer(12) != 0, attempts: Int(row.integer(13)), firstSeenMilliseconds: row.integer(14),
            lastSeenMilliseconds: row.integer(15))
        guard check(record) == row.integer(16) else { throw .damaged("the reject of key \(key.hex)") }
        return record
    }

    private static func check(_ record: RejectRecord) -> Int64 {
        var check = RowCheck("reject")
        check.add(record.key)
        check.add(record.keyText)
        check.add(record.run)
        check.add(record.row)
        for text in [record.stage, record.code, record.field, record.value, record.message, record.record] {
            check.add(text)
        }
        check.add(record.remoteID)
        check.add(Int64(record.httpStatus))
        check.add(record.isSettled ? 1 : 0)
        check.add(Int64(record.attempts))
        check.add(record.firstSeenMilliseconds)
        check.add(record.lastSeenMilliseconds)
        return check.value
    }
}
