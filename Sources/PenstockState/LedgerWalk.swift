// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Walks through the blocks of a ledger beside the rows of a source, which mostly come in the same order.
///
/// The next row of the source is looked for where the last one was found: behind it, then a little further on, where
/// rows are gone from the source. Only what is not there is looked up, and the walk goes on from where that lies. Where
/// nearly all must be looked up, the order is another one, and the rest of the keys is looked up together: sorted, so
/// that each page is read once.
struct LedgerWalk: Sendable {
    /// The positions of the rows that came.
    private(set) var matched: PositionSet
    /// The texts of the last matches.
    private(set) var texts: [UInt8] = []
    private var block = PackBlock()
    private var next = 0
    private var isAtEnd = false
    /// The positions of the block's rows that `ledger` says something newer of.
    private var replaced: [Int64] = []
    private var hasRows = false
    private var misses = 0

    /// So many rows of the ledger may be gone from the source one after the other without a look-up.
    private static let window = 16
    private static let missesMax = 32

    /// A walk through the positions up to `last`.
    init(last: Int64) { matched = PositionSet(last: last) }

    /// What the ledger says of each of `keys`.
    mutating func match(
        _ keys: [Fingerprint], _ connection: SQLiteConnection
    ) throws(StateError) -> [LedgerMatch] {
        texts.removeAll(keepingCapacity: true)
        var matches = [LedgerMatch](repeating: LedgerMatch(), count: keys.count)
        guard matched.last > 0 else { return matches }
        let table = LedgerTable(connection: connection)
        try begin(table)
        for (index, key) in keys.enumerated() {
            if let place = try follow(key, table) {
                matches[index] = try take(place, table)
                next = place + 1
                misses = max(0, misses - 1)
                continue
            }
            misses += 1
            guard misses <= Self.missesMax else {
                try lookUp(keys, from: index, &matches, table)
                break
            }
            matches[index] = try lookUp(key, table)
        }
        return matches
    }

    private mutating func begin(_ table: LedgerTable) throws(StateError) {
        let exists = try table.connection.statement("SELECT EXISTS (SELECT 1 FROM ledger WHERE id <= ?1)")
            .first([.integer(matched.last)]) { $0.integer(0) }
        hasRows = exists == 1
        isAtEnd = false
        // A run may have written since; a few tries to follow are left where the order was another one.
        let position = block.rows.indices.contains(next) ? block.first + Int64(block.rows[next].slot) : block.last + 1
        var found = try table.pack.block(from: max(1, position))
        // At the end the last block stays open, as it is now.
        if found == nil { found = try table.pack.block(at: block.last) }
        if let found {
            try open(found, table)
            next = block.rows.firstIndex { block.first + Int64($0.slot) >= position } ?? block.rows.count
        }
        misses = min(misses, Self.missesMax - 8)
    }

    private mutating func open(_ found: PackBlock, _ table: LedgerTable) throws(StateError) {
        block = found
        next = 0
        replaced = hasRows ? try table.rowPositions(from: found.first, through: found.last) : []
    }

    /// The place in the block where the walk goes on with `key`, or nil.
    private mutating func follow(_ key: Fingerprint, _ table: LedgerTable) throws(StateError) -> Int? {
        if next >= block.rows.count, !isAtEnd {
            guard block.last < matched.last, let found = try table.pack.block(from: block.last + 1) else {
                isAtEnd = true
                return nil
            }
            try open(found, table)
        }
        let end = min(next + Self.window, block.rows.count)
        var place = next
        while place < end {
            if block.rows[place].key == key { return place }
            place += 1
        }
        return nil
    }

    // MARK: - Look-ups

    private mutating func lookUp(_ key: Fingerprint, _ table: LedgerTable) throws(StateError) -> LedgerMatch {
        for position in try table.index.positions(PackIndex.hash(key)) where position <= matched.last {
            if block.index(of: position) == nil {
                let found = try table.pack.block(at: position)
                guard let found, let place = found.index(of: position), found.rows[place].key == key else { continue }
                try open(found, table)
                isAtEnd = false
            }
            guard let place = block.index(of: position), block.rows[place].key == key else { continue }
            next = place + 1
            return try take(place, table)
        }
        guard hasRows, let row = try table.row(key), row.position <= matched.last else { return LedgerMatch() }
        return match(row.entry, row.position)
    }

    /// Looks up the keys from `start` on, in the order in which they lie in the ledger.
    private mutating func lookUp(
        _ keys: [Fingerprint], from start: Int, _ matches: inout [LedgerMatch], _ table: LedgerTable
    ) throws(StateError) {
        var order = (start..<keys.count).map { UInt64(PackIndex.hash(keys[$0])) << 32 | UInt64($0) }
        order.sort()
        var found: [(position: Int64, index: Int)] = []
        for item in order {
            for position in try table.index.positions(UInt32(item >> 32)) where position <= matched.last {
                found.append((position, Int(item & 0xFFFF_FFFF)))
            }
        }
        found.sort { ($0.position, $0.index) < ($1.position, $1.index) }
        var lastIndex = -1
        var resume: Int64 = 0
        for (position, index) in found {
            if block.index(of: position) == nil {
                guard let other = try table.pack.block(at: position) else { continue }
                try open(other, table)
            }
            guard let place = block.index(of: position), block.rows[place].key == keys[index] else { continue }
            matches[index] = try take(place, table)
            if index > lastIndex { (lastIndex, resume) = (index, position) }
        }
        if hasRows {
            for index in start..<keys.count where !matches[index].isKnown {
                guard let row = try table.row(keys[index]), row.position <= matched.last else { continue }
                matches[index] = match(row.entry, row.position)
            }
        }
        if resume > 0, let last = try table.pack.block(at: resume) {
            try open(last, table)
            next = (block.index(of: resume) ?? -1) + 1
        }
    }

    // MARK: - Matches

    private mutating func take(_ place: Int, _ table: LedgerTable) throws(StateError) -> LedgerMatch {
        let row = block.rows[place]
        let position = block.first + Int64(row.slot)
        guard position <= matched.last else { return LedgerMatch() }
        if !replaced.isEmpty, replaced.contains(position), let newer = try table.row(row.key) {
            return match(newer.entry, position)
        }
        let wasMatched = !matched.insert(position)
        guard let outcome = row.kind.outcome else { return LedgerMatch() }
        var match = LedgerMatch()
        match.position = position
        match.wasMatchedBefore = wasMatched
        match.outcome = outcome
        match.run = row.run
        if row.kind.hasPayload { match.payload = row.payload }
        if row.kind.hasSource { match.source = row.source }
        if row.kind.hasRemoteNumber {
            match.remoteKind = .number
            match.remoteNumber = row.remoteNumber
        } else if row.kind.hasRemoteText {
            match.remoteKind = .text
            match.remoteText = keep(row.remoteText)
        }
        if row.kind.hasCursor { match.cursorText = keep(row.cursor) }
        return match
    }

    private mutating func match(_ entry: LedgerEntry, _ position: Int64) -> LedgerMatch {
        var match = LedgerMatch()
        match.position = position
        match.payload = entry.payload
        match.source = entry.source
        match.run = entry.run
        match.outcome = entry.outcome
        match.isHot = true
        match.wasMatchedBefore = !matched.insert(position)
        if let id = entry.remoteID {
            if let number = PackKind.number(id) {
                match.remoteKind = .number
                match.remoteNumber = number
            } else {
                match.remoteKind = .text
                match.remoteText = keep(id)
            }
        }
        if let cursor = entry.cursor { match.cursorText = keep(cursor) }
        return match
    }

    private mutating func keep(_ text: PackText) -> PackText {
        let start = texts.count
        texts += block.texts[Int(text.start)..<Int(text.start + text.count)]
        return PackText(start: Int32(start), count: text.count)
    }

    private mutating func keep(_ text: String) -> PackText {
        let start = texts.count
        texts += text.utf8
        return PackText(start: Int32(start), count: Int32(texts.count - start))
    }
}
