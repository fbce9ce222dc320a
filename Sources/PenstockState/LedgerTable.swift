// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The rows of `ledger`.
struct LedgerTable {
    let connection: SQLiteConnection

    private static let columns =
        "key, key_text, remote_id, payload, source, cursor, run, outcome, intent_payload, intent_started_at, \"check\", "
        + "intent_marker, intent_deadline, intent_boot, intent_server_time, intent_row"

    func find(_ key: Fingerprint) throws(StateError) -> LedgerEntry? {
        let statement = try connection.statement("SELECT \(LedgerTable.columns) FROM ledger WHERE key = ?1")
        return try statement.first([.fingerprint(key)]) { row throws(StateError) in try LedgerTable.decode(row) }
    }

    func find(_ keys: [Fingerprint]) throws(StateError) -> [Fingerprint: LedgerEntry] {
        let statement = try connection.statement("SELECT \(LedgerTable.columns) FROM ledger WHERE key = ?1")
        var entries: [Fingerprint: LedgerEntry] = [:]
        entries.reserveCapacity(keys.count)
        for key in keys {
            entries[key] = try statement.first([.fingerprint(key)]) { row throws(StateError) in
                try LedgerTable.decode(row)
            }
        }
        return entries
    }

    /// The entry of `key` with its position, or nil.
    func place(_ key: Fingerprint) throws(StateError) -> (LedgerEntry, Int64)? {
        let statement = try connection.statement("SELECT \(LedgerTable.columns), id FROM ledger WHERE key = ?1")
        return try statement.first([.fingerprint(key)]) { row throws(StateError) in
            (try LedgerTable.decode(row), row.integer(16))
        }
    }

    /// The entry at `position`, or nil.
    func find(position: Int64) throws(StateError) -> LedgerEntry? {
        let statement = try connection.statement("SELECT \(LedgerTable.columns) FROM ledger WHERE id = ?1")
        return try statement.first([.integer(position)]) { row throws(StateError) in try LedgerTable.decode(row) }
    }

    /// The entries behind `position`, each with its own.
    func places(after position: Int64, limit: Int) throws(StateError) -> [(LedgerEntry, Int64)] {
        let sql = "SELECT \(LedgerTable.columns), id FROM ledger WHERE id > ?1 ORDER BY id LIMIT ?2"
        var found: [(LedgerEntry, Int64)] = []
        try connection.statement(sql).rows([.integer(position), .integer(Int64(limit))]) { row throws(StateError) in
            found.append((try LedgerTable.decode(row), row.integer(16)))
        }
        return found
    }

    func find(remoteID: String, limit: Int) throws(StateError) -> [LedgerEntry] {
        let sql = "SELECT \(LedgerTable.columns) FROM ledger WHERE remote_id = ?1 ORDER BY id LIMIT ?2"
        var entries: [LedgerEntry] = []
        try connection.statement(sql).rows([.text(remoteID), .integer(Int64(limit))]) { row throws(StateError) in
            entries.append(try LedgerTable.decode(row))
        }
        return entries
    }

    /// The entries behind position `after`, in the order in which their keys first came, and the last one's position.
    func page(
        after position: Int64, outcome: LedgerEntry.Outcome?, run: Int64?, limit: Int
    ) throws(StateError) -> (entries: [LedgerEntry], position: Int64) {
        var conditions = "id > ?1"
        if let outcome {
            conditions += " AND outcome = \(outcome.rawValue)"
            // Spelled out because SQLite uses a partial index only where its condition is part of the query.
            if !outcome.isSettled { conditions += " AND outcome >= 16" }
        }
        if let run { conditions += " AND run = \(run)" }
        let sql = "SELECT \(LedgerTable.columns), id FROM ledger WHERE \(conditions) ORDER BY id LIMIT ?2"
        var entries: [LedgerEntry] = []
        var last = position
        try connection.statement(sql).rows([.integer(position), .integer(Int64(limit))]) { row throws(StateError) in
            entries.append(try LedgerTable.decode(row))
            last = row.integer(16)
        }
        return (entries, last)
    }

    func count(run: Int64?) throws(StateError) -> [LedgerEntry.Outcome: Int64] {
        // Not GROUP BY: that would hold all rows in memory to sort them.
        let sums = LedgerEntry.Outcome.allCases.map { "count(*) FILTER (WHERE outcome = \($0.rawValue))" }
        let sql = "SELECT count(*), \(sums.joined(separator: ", ")) FROM ledger WHERE ?1 IS NULL OR run = ?1"
        var counts: [LedgerEntry.Outcome: Int64] = [:]
        var total: Int64 = 0
        try connection.statement(sql).rows([SQLiteValue(run)]) { row in
            total = row.integer(0)
            for (index, outcome) in LedgerEntry.Outcome.allCases.enumerated() {
                let count = row.integer(Int32(index + 1))
                if count > 0 { counts[outcome] = count }
            }
        }
        guard counts.values.reduce(0, +) == total else {
            throw .damaged("\(connection.path), a ledger row with an unknown outcome")
        }
        return counts
    }

    func upsert(_ entry: LedgerEntry) throws(StateError) {
        let statement = try connection.statement(
            """
            INSERT INTO ledger (\(LedgerTable.columns)) VALUES
                (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
            ON CONFLICT (key) DO UPDATE SET key_text = ?2, remote_id = ?3, payload = ?4, source = ?5, cursor = ?6,
                run = ?7, outcome = ?8, intent_payload = ?9, intent_started_at = ?10, "check" = ?11,
                intent_marker = ?12, intent_deadline = ?13, intent_boot = ?14, intent_server_time = ?15,
                intent_row = ?16
            """)
        try statement.execute([
            .fingerprint(entry.key), .text(entry.keyText), SQLiteValue(entry.remoteID), SQLiteValue(entry.payload),
            SQLiteValue(entry.source), SQLiteValue(entry.cursor), .integer(entry.run),
            .integer(entry.outcome.rawValue), SQLiteValue(entry.intent?.payload),
            SQLiteValue(entry.intent?.startedAtMilliseconds), .integer(LedgerTable.check(entry)),
            SQLiteValue(entry.intent?.marker), SQLiteValue(entry.intent?.deadlineMilliseconds),
            SQLiteValue(entry.intent?.boot), SQLiteValue(entry.intent?.serverTimeMilliseconds),
            entry.intent?.row.map(SQLiteValue.bytes) ?? .null,
        ])
    }

    private static func decode(_ row: SQLiteStatement) throws(StateError) -> LedgerEntry {
        guard let key = row.fingerprint(0) else { throw .damaged("a ledger row without a key") }
        guard let outcome = LedgerEntry.Outcome(rawValue: row.integer(7)) else {
            throw .damaged("the ledger row of key \(key.hex)")
        }
        let intent = row.fingerprint(8).map {
            LedgerEntry.Intent(
                payload: $0, startedAtMilliseconds: row.integer(9), marker: row.text(11),
                deadlineMilliseconds: row.optionalInteger(12), boot: row.optionalInteger(13),
                serverTimeMilliseconds: row.optionalInteger(14), row: row.isNull(15) ? nil : row.bytes(15))
        }
        let entry = LedgerEntry(
            key: key, keyText: row.text(1) ?? "", remoteID: row.text(2), payload: row.fingerprint(3),
            source: row.fingerprint(4), cursor: row.text(5), run: row.integer(6), outcome: outcome, intent: intent)
        guard check(entry) == row.integer(10) else { throw .damaged("the ledger row of key \(key.hex)") }
        return entry
    }

    /// Adds what intents have held since version 2; those of version 1 have none of it and keep their checksums.
    private static func add(_ intent: LedgerEntry.Intent, to check: inout RowCheck) {
        let numbers = [intent.deadlineMilliseconds, intent.boot, intent.serverTimeMilliseconds]
        guard intent.marker != nil || intent.row != nil || numbers.contains(where: { $0 != nil }) else { return }
        check.add(intent.marker)
        for number in numbers { check.add(number) }
        check.add(intent.row)
    }

    private static func check(_ entry: LedgerEntry) -> Int64 {
        var check = RowCheck("ledger")
        check.add(entry.key)
        check.add(entry.keyText)
        check.add(entry.remoteID)
        check.add(entry.payload)
        check.add(entry.source)
        check.add(entry.cursor)
        check.add(entry.run)
        check.add(entry.outcome.rawValue)
        check.add(entry.intent?.payload)
        check.add(entry.intent?.startedAtMilliseconds)
        if let intent = entry.intent { add(intent, to: &check) }
        return check.value
    }
}
