// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Changes of the ledger, in a transaction of a ``StateStore``.
///
/// What is settled goes to the blocks at once: a row that is created is written twice, as its intent and as its entry,
/// and one that is updated once.
extension LedgerTable {
    /// Takes entries over, which have different keys.
    func put(_ entries: [LedgerEntry]) throws(StateError) {
        var settled = PackItems()
        var places: [UInt64] = []
        for entry in entries {
            if settled.isFull {
                try pack(&settled, places)
                settled.removeAll()
                places = []
            }
            try put(entry, &settled, &places)
        }
        try pack(&settled, places)
    }

    /// Takes an entry over; one that is settled only once it is packed with others, and has lost its row meanwhile.
    ///
    /// - Parameter hasRows: False where it is known that no key has a row.
    func put(
        _ entry: LedgerEntry, _ settled: inout PackItems, _ places: inout [UInt64], hasRows: Bool = true
    ) throws(StateError) {
        guard entry.outcome.isSettled, entry.intent == nil else {
            return try putRow(entry, at: locate(entry.key).position)
        }
        let row = hasRows ? try takeRow(entry.key) : nil
        let position: Int64
        if let (block, place) = try packedPlace(entry.key) {
            position = block.first + Int64(block.rows[place].slot)
        } else {
            if let row { position = row } else { position = try nextPosition() }
            places.append(try PackIndex.place(entry.key, position))
        }
        settled.append(entry, at: position)
    }

    /// Packs what was gathered.
    func pack(_ settled: inout PackItems, _ places: [UInt64]) throws(StateError) {
        guard !settled.items.isEmpty else { return }
        try pack.put(&settled)
        if !places.isEmpty { try index.add(places) }
    }

    /// What is known of a key, and its position where it has one.
    func locate(_ key: Fingerprint) throws(StateError) -> (entry: LedgerEntry?, position: Int64?) {
        if let row = try row(key) { return (row.entry, row.position) }
        guard let packed = try packed(key) else { return (nil, nil) }
        return (packed.entry, packed.position)
    }

    /// Writes the row of an entry that is open, at the position of its key, or the next one where it has none.
    func putRow(_ entry: LedgerEntry, at position: Int64?) throws(StateError) {
        if let position { try write(entry, at: position) } else { try write(entry, at: nextPosition()) }
    }

    private static let putRow = """
        INSERT OR REPLACE INTO ledger (\(columns), id) VALUES
            (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
        """

    private func write(_ entry: LedgerEntry, at position: Int64) throws(StateError) {
        try connection.statement(Self.putRow).execute([
            .fingerprint(entry.key), .text(entry.keyText), SQLiteValue(entry.remoteID), SQLiteValue(entry.payload),
            SQLiteValue(entry.source), SQLiteValue(entry.cursor), .integer(entry.run),
            .integer(entry.outcome.rawValue), SQLiteValue(entry.intent?.payload),
            SQLiteValue(entry.intent?.startedAtMilliseconds), .integer(LedgerTable.check(entry)),
            SQLiteValue(entry.intent?.marker), SQLiteValue(entry.intent?.deadlineMilliseconds),
            SQLiteValue(entry.intent?.boot), SQLiteValue(entry.intent?.serverTimeMilliseconds),
            entry.intent?.row.map(SQLiteValue.bytes) ?? .null, .integer(position),
        ])
    }

    /// Removes the row of a key from `ledger`.
    ///
    /// - Returns: Its position, or nil where there was none.
    func takeRow(_ key: Fingerprint) throws(StateError) -> Int64? {
        // RETURNING would do it in one, and make a table of its own for that each time.
        let position = try connection.statement("SELECT id FROM ledger WHERE key = ?1")
            .first([.fingerprint(key)]) { $0.integer(0) }
        guard let position else { return nil }
        // Known before the row goes: until its entry is packed, nothing in the file says that its position is taken.
        _ = try knownNextPosition()
        try connection.statement("DELETE FROM ledger WHERE id = ?1").execute([.integer(position)])
        return position
    }

    /// Forgets what is known of a key; its place in the order is kept where it is packed.
    func forget(_ key: Fingerprint) throws(StateError) {
        _ = try takeRow(key)
        guard let (block, place) = try packedPlace(key) else { return }
        let position = block.first + Int64(block.rows[place].slot)
        var vacated = PackItems()
        vacated.appendVacated(key, at: position)
        try pack.put(&vacated)
    }

    /// Forgets everything.
    func removeAll() throws(StateError) {
        try connection.execute(
            "DELETE FROM ledger; DELETE FROM pack; DELETE FROM pack_index; DELETE FROM pack_segment")
        connection.ledger = LedgerCache()
    }

    /// Takes the position of a key that comes for the first time.
    private func nextPosition() throws(StateError) -> Int64 {
        let position = try knownNextPosition()
        guard position <= PackIndex.lastPosition else { throw PackIndex.full }
        connection.ledger.nextPosition = position + 1
        return position
    }

    /// The position that the next new key will have; it is looked up once, and counted from there.
    private func knownNextPosition() throws(StateError) -> Int64 {
        try index.load()
        if let next = connection.ledger.nextPosition { return next }
        let next = try lastPosition() + 1
        connection.ledger.nextPosition = next
        return next
    }

    // MARK: - Checking

    /// Reads every block and the whole index, and compares them; and holds the rows of `ledger` against both.
    ///
    /// - Throws: ``StateError``, `damaged`.
    func check() throws(StateError) {
        try checkBlocks()
        try checkRows()
    }

    private func checkBlocks() throws(StateError) {
        var (sum, count): (UInt64, Int64) = (0, 0)
        var position: Int64 = 0
        while let block = try pack.block(after: position) {
            for row in block.rows {
                sum &+= PackIndex.mix(try PackIndex.place(row.key, block.first + Int64(row.slot)))
            }
            count += Int64(block.rows.count)
            position = block.last
        }
        guard try index.sum() == (sum, count) else {
            throw .damaged("\(connection.path), the index of the ledger is not that of its blocks")
        }
    }

    /// A row is at the position of its key: at that of another one it would hide it.
    private func checkRows() throws(StateError) {
        guard try connection.integer("SELECT coalesce(min(id), 1) FROM ledger") > 0 else {
            throw .damaged("\(connection.path), a ledger row at no position")
        }
        _ = try lastPosition()
        let lastPacked = try pack.lastPosition()
        var (position, block): (Int64, PackBlock) = (0, PackBlock())
        while let row = try rowKey(after: position) {
            position = row.position
            if position > block.last, position <= lastPacked, let found = try pack.block(at: position) { block = found }
            let there = block.index(of: position).map { block.rows[$0].key }
            let packed = try packedPlace(row.key).map { $0.first + Int64($0.rows[$1].slot) }
            guard packed ?? position == position, there ?? row.key == row.key else {
                throw .damaged("\(connection.path), the ledger row of key \(row.key.hex) is at another one's position")
            }
        }
    }

    private func rowKey(after position: Int64) throws(StateError) -> (key: Fingerprint, position: Int64)? {
        try connection.statement("SELECT key, id FROM ledger WHERE id > ?1 ORDER BY id LIMIT 1")
            .first([.integer(position)]) { row throws(StateError) in
                guard let key = row.fingerprint(0) else { throw .damaged("a ledger row without a key") }
                return (key, row.integer(1))
            }
    }
}
