// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What is known of every key: settled entries lie packed in blocks, the others in rows of `ledger`.
///
/// Every key has a position, which it keeps: keys lie in the order in which they first came. Where there is a row and a
/// packed entry of one position, the row says what is true.
struct LedgerTable {
    let connection: SQLiteConnection

    static let columns =
        "key, key_text, remote_id, payload, source, cursor, run, outcome, intent_payload, intent_started_at, \"check\", "
        + "intent_marker, intent_deadline, intent_boot, intent_server_time, intent_row"

    private static let rowOfKey = "SELECT \(columns), id FROM ledger WHERE key = ?1"

    var pack: PackTable { PackTable(connection: connection) }
    var index: PackIndex { PackIndex(connection: connection) }

    // MARK: - One key

    func find(_ key: Fingerprint) throws(StateError) -> LedgerEntry? {
        if let entry = try row(key)?.entry { return entry }
        return try packed(key)?.entry
    }

    func find(_ keys: [Fingerprint]) throws(StateError) -> [Fingerprint: LedgerEntry] {
        var entries: [Fingerprint: LedgerEntry] = [:]
        entries.reserveCapacity(keys.count)
        for key in keys { entries[key] = try find(key) }
        return entries
    }

    /// The row of `ledger` of `key`, or nil.
    func row(_ key: Fingerprint) throws(StateError) -> (entry: LedgerEntry, position: Int64)? {
        let statement = try connection.statement(Self.rowOfKey)
        return try statement.first([.fingerprint(key)]) { row throws(StateError) in
            (try LedgerTable.decode(row), row.integer(16))
        }
    }

    /// The packed entry of `key`, whatever a row of `ledger` says; nil where there is none.
    ///
    /// The entry is nil where nothing is known of the key any more.
    func packed(_ key: Fingerprint) throws(StateError) -> (entry: LedgerEntry?, position: Int64)? {
        guard let (found, place) = try packedPlace(key) else { return nil }
        var block = found
        try block.readKeyTexts()
        return (block.entry(place), block.first + Int64(block.rows[place].slot))
    }

    /// The block in which `key` lies, and its place there; nil where it is not packed.
    func packedPlace(_ key: Fingerprint) throws(StateError) -> (PackBlock, Int)? {
        for position in try index.positions(PackIndex.hash(key)) {
            guard let block = try pack.block(at: position), let place = block.index(of: position) else {
                throw .damaged("the index of the ledger, position \(position)")
            }
            if block.rows[place].key == key { return (block, place) }
        }
        return nil
    }

    // MARK: - Many

    /// The entries of positions from `first` through `last`, at most `limit`.
    ///
    /// - Returns: What was found, and the position from which there is more; nil where that is all.
    func places(
        from first: Int64, through last: Int64, limit: Int
    ) throws(StateError) -> (found: [(entry: LedgerEntry, position: Int64)], next: Int64?) {
        let sql = "SELECT \(LedgerTable.columns), id FROM ledger WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3"
        var rows: [(entry: LedgerEntry, position: Int64)] = []
        try connection.statement(sql).rows([.integer(first), .integer(last), .integer(Int64(limit))]) {
            row throws(StateError) in rows.append((try LedgerTable.decode(row), row.integer(16)))
        }
        // Behind the last row that was read there may be more of them.
        let horizon = rows.count < limit ? last : rows.last?.position ?? last
        var found: [(entry: LedgerEntry, position: Int64)] = []
        var nextRow = 0
        var position = first
        while position <= horizon, found.count < limit, var block = try pack.block(from: position) {
            try block.readKeyTexts()
            for (place, row) in block.rows.enumerated() {
                let own = block.first + Int64(row.slot)
                guard own >= position else { continue }
                while nextRow < rows.count, rows[nextRow].position <= min(own, horizon) {
                    found.append(rows[nextRow])
                    nextRow += 1
                }
                guard own <= horizon else { break }
                if found.last?.position != own, let entry = block.entry(place) { found.append((entry, own)) }
            }
            guard block.last < .max - 1 else { break }
            position = block.last + 1
        }
        if found.count < limit { found += rows[nextRow...] }
        if found.count > limit { found.removeLast(found.count - limit) }
        let end = found.count < limit ? horizon : found.last?.position ?? horizon
        return (found, end < last ? end + 1 : nil)
    }

    /// The entries behind `position` that are not settled, in the order in which their keys first came.
    func unsettled(
        after position: Int64, outcome: LedgerEntry.Outcome?, run: Int64?, limit: Int
    ) throws(StateError) -> [(entry: LedgerEntry, position: Int64)] {
        // Spelled out because SQLite uses a partial index only where its condition is part of the query.
        var conditions = "id > ?1 AND outcome >= 16"
        if let outcome { conditions += " AND outcome = \(outcome.rawValue)" }
        if let run { conditions += " AND run = \(run)" }
        let sql = "SELECT \(LedgerTable.columns), id FROM ledger WHERE \(conditions) ORDER BY id LIMIT ?2"
        var entries: [(entry: LedgerEntry, position: Int64)] = []
        try connection.statement(sql).rows([.integer(position), .integer(Int64(limit))]) { row throws(StateError) in
            entries.append((try LedgerTable.decode(row), row.integer(16)))
        }
        return entries
    }

    /// Up to `limit` entries with this record, in the order in which their keys first came; reads all blocks.
    func find(remoteID: String, limit: Int) throws(StateError) -> [LedgerEntry] {
        let sql = "SELECT \(LedgerTable.columns), id FROM ledger WHERE remote_id = ?1 ORDER BY id LIMIT ?2"
        var found: [(entry: LedgerEntry, position: Int64)] = []
        try connection.statement(sql).rows([.text(remoteID), .integer(Int64(limit))]) { row throws(StateError) in
            found.append((try LedgerTable.decode(row), row.integer(16)))
        }
        let number = PackKind.number(remoteID)
        let wanted = Array(remoteID.utf8)
        var matches = 0
        try forEachBlock { block, isReplaced throws(StateError) in
            for (place, row) in block.rows.enumerated() where matches < limit {
                let isSame =
                    number != nil
                    ? row.kind.hasRemoteNumber && row.remoteNumber == number
                    : row.kind.hasRemoteText && row.remoteText.bytes(block.texts).elementsEqual(wanted)
                guard isSame, !isReplaced(block.first + Int64(row.slot)) else { continue }
                try block.readKeyTexts()
                guard let entry = block.entry(place) else { continue }
                found.append((entry, block.first + Int64(row.slot)))
                matches += 1
            }
            return matches < limit
        }
        return found.sorted { $0.position < $1.position }.prefix(limit).map(\.entry)
    }

    /// The newest `limit` entries whose key reads like this, the last one first; reads all blocks.
    func find(keyText: String, limit: Int) throws(StateError) -> [LedgerEntry] {
        let sql = "SELECT \(LedgerTable.columns), id FROM ledger WHERE key_text = ?1 ORDER BY id DESC LIMIT ?2"
        var found: [(entry: LedgerEntry, position: Int64)] = []
        try connection.statement(sql).rows([.text(keyText), .integer(Int64(limit))]) { row throws(StateError) in
            found.append((try LedgerTable.decode(row), row.integer(16)))
        }
        let wanted = Array(keyText.utf8)
        try forEachBlock { block, isReplaced throws(StateError) in
            try block.readKeyTexts()
            for (place, row) in block.rows.enumerated() where Int(row.keyText.count) == wanted.count {
                guard row.keyText.bytes(block.texts).elementsEqual(wanted),
                    !isReplaced(block.first + Int64(row.slot)), let entry = block.entry(place)
                else { continue }
                found.append((entry, block.first + Int64(row.slot)))
            }
            return true
        }
        return found.sorted { $0.position > $1.position }.prefix(limit).map(\.entry)
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
        try forEachBlock { block, isReplaced throws(StateError) in
            for row in block.rows where run == nil || row.run == run {
                guard let outcome = row.kind.outcome, !isReplaced(block.first + Int64(row.slot)) else { continue }
                counts[outcome, default: 0] += 1
            }
            return true
        }
        return counts
    }

    /// Calls `body` with each block, and with what tells which of its positions have a row, until it gives false.
    private func forEachBlock(
        _ body: (inout PackBlock, (Int64) -> Bool) throws(StateError) -> Bool
    ) throws(StateError) {
        var position: Int64 = 0
        while var block = try pack.block(after: position) {
            let rows = try rowPositions(from: block.first, through: block.last)
            guard try body(&block, { !rows.isEmpty && rows.contains($0) }) else { return }
            position = block.last
        }
    }

    /// The positions of the rows of `ledger` from `first` through `last`.
    func rowPositions(from first: Int64, through last: Int64) throws(StateError) -> [Int64] {
        var positions: [Int64] = []
        try connection.statement("SELECT id FROM ledger WHERE id BETWEEN ?1 AND ?2 ORDER BY id")
            .rows([.integer(first), .integer(last)]) { row in positions.append(row.integer(0)) }
        return positions
    }

    /// The last position of all, 0 where there is none.
    ///
    /// - Throws: ``StateError``, `damaged` where it is none that a ledger can have.
    func lastPosition() throws(StateError) -> Int64 {
        let last = max(try connection.integer("SELECT coalesce(max(id), 0) FROM ledger"), try pack.lastPosition())
        guard last <= PackIndex.lastPosition else {
            throw .damaged("\(connection.path), position \(last) of the ledger")
        }
        return last
    }

    // MARK: - The coding of a row

    static func decode(_ row: SQLiteStatement) throws(StateError) -> LedgerEntry {
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

    static func check(_ entry: LedgerEntry) -> Int64 {
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
