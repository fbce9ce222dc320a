// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The rows of `run`.
struct RunTable {
    let connection: SQLiteConnection

    private static let columns =
        "number, id, kind, status, started_at, finished_at, definition, counts, watermark_before, watermark_after, "
        + "message, exit_code, attempts, \"check\""

    func select(_ rest: String, _ values: [SQLiteValue] = []) throws(StateError) -> [RunRecord] {
        var records: [RunRecord] = []
        try connection.statement("SELECT \(RunTable.columns) FROM run \(rest)").rows(values) {
            row throws(StateError) in records.append(try RunTable.decode(row))
        }
        return records
    }

    func nextNumber() throws(StateError) -> Int64 {
        try connection.integer("SELECT coalesce(max(number), 0) + 1 FROM run")
    }

    func insert(_ record: RunRecord) throws(StateError) {
        let statement = try connection.statement(
            """
            INSERT INTO run (\(RunTable.columns))
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
            """)
        try statement.execute(RunTable.values(record))
    }

    func update(_ record: RunRecord) throws(StateError) {
        let statement = try connection.statement(
            """
            UPDATE run SET id = ?2, kind = ?3, status = ?4, started_at = ?5, finished_at = ?6, definition = ?7,
                counts = ?8, watermark_before = ?9, watermark_after = ?10, message = ?11, exit_code = ?12,
                attempts = ?13, "check" = ?14
            WHERE number = ?1
            """)
        try statement.execute(RunTable.values(record))
        guard connection.changes == 1 else { throw .internal("There is no run \(record.number) to update.") }
    }

    private static func values(_ record: RunRecord) -> [SQLiteValue] {
        let counts = countsText(record.counts)
        return [
            .integer(record.number), .text(record.id), .text(record.kind), .text(record.status.rawValue),
            .integer(record.startedAtMilliseconds), SQLiteValue(record.finishedAtMilliseconds),
            .fingerprint(record.definition), .text(counts), SQLiteValue(record.watermarkBefore),
            SQLiteValue(record.watermarkAfter), .text(record.message), SQLiteValue(record.exitCode.map(Int64.init)),
            .integer(Int64(record.attempts)), .integer(check(record, counts)),
        ]
    }

    private static func decode(_ row: SQLiteStatement) throws(StateError) -> RunRecord {
        let damaged = StateError.damaged("the row of run \(row.integer(0))")
        let text = row.text(7) ?? ""
        guard let status = RunRecord.Status(rawValue: row.text(3) ?? ""), let definition = row.fingerprint(6),
            let counts = counts(text)
        else { throw damaged }
        let record = RunRecord(
            number: row.integer(0), id: row.text(1) ?? "", kind: row.text(2) ?? "", status: status,
            startedAtMilliseconds: row.integer(4), finishedAtMilliseconds: row.optionalInteger(5),
            definition: definition, counts: counts, watermarkBefore: row.text(8), watermarkAfter: row.text(9),
            message: row.text(10) ?? "", exitCode: row.optionalInteger(11).map { Int32(truncatingIfNeeded: $0) },
            attempts: Int(row.integer(12)))
        guard check(record, text) == row.integer(13) else { throw damaged }
        return record
    }

    private static func countsText(_ counts: [String: Int64]) -> String {
        var object = JSONObject()
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) { object.append(name, .integer(count)) }
        return JSON.object(object).text
    }

    private static func counts(_ text: String) -> [String: Int64]? {
        // A text that is not JSON was not written here; nil makes the caller report the row as damaged.
        guard let object = (try? JSON(parsing: text))?.objectValue else { return nil }
        var counts: [String: Int64] = [:]
        for member in object {
            guard let count = member.value.intValue else { return nil }
            counts[member.key] = Int64(count)
        }
        return counts
    }

    private static func check(_ record: RunRecord, _ counts: String) -> Int64 {
        var check = RowCheck("run")
        check.add(record.number)
        check.add(record.id)
        check.add(record.kind)
        check.add(record.status.rawValue)
        check.add(record.startedAtMilliseconds)
        check.add(record.finishedAtMilliseconds)
        check.add(record.definition)
        check.add(counts)
        check.add(record.watermarkBefore)
        check.add(record.watermarkAfter)
        check.add(record.message)
        check.add(record.exitCode.map(Int64.init))
        check.add(Int64(record.attempts))
        return check.value
    }
}
