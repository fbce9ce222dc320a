// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The rows of `pack`: settled entries of the ledger, in blocks, under their positions.
struct PackTable {
    let connection: SQLiteConnection

    private static let salt: UInt64 = 0x7061_636b_2062_6c6f
    /// Beyond so many positions without a row a new block begins.
    private static let gapMax: Int64 = 64

    // MARK: - Reading

    /// The block to which `position` belongs, or nil.
    func block(at position: Int64) throws(StateError) -> PackBlock? {
        guard let block = try block(before: position), block.last >= position else { return nil }
        return block
    }

    /// The last block that begins at `position` or before it, or nil.
    func block(before position: Int64) throws(StateError) -> PackBlock? {
        try one("SELECT first, \"check\", data FROM pack WHERE first <= ?1 ORDER BY first DESC LIMIT 1", position)
    }

    /// The first block that begins behind `position`, or nil.
    func block(after position: Int64) throws(StateError) -> PackBlock? {
        try one("SELECT first, \"check\", data FROM pack WHERE first > ?1 ORDER BY first LIMIT 1", position)
    }

    /// The block to which `position` belongs, or else the first one behind it, or nil.
    func block(from position: Int64) throws(StateError) -> PackBlock? {
        if let block = try block(at: position) { return block }
        return try block(after: position)
    }

    private func one(_ sql: String, _ position: Int64) throws(StateError) -> PackBlock? {
        try connection.statement(sql).first([.integer(position)]) { row throws(StateError) in
            let bytes = row.bytes(2)
            let first = row.integer(0)
            guard PackCheck.value(bytes, id: first, salt: PackTable.salt) == row.integer(1) else {
                throw .damaged("the block \(first) of the ledger")
            }
            return try PackBlock(bytes, first: first)
        }
    }

    private func firstPosition(after position: Int64) throws(StateError) -> Int64? {
        try connection.statement("SELECT first FROM pack WHERE first > ?1 ORDER BY first LIMIT 1")
            .first([.integer(position)]) { $0.integer(0) }
    }

    /// The position of the last row, 0 where there is none.
    func lastPosition() throws(StateError) -> Int64 { try block(before: .max)?.last ?? 0 }

    /// Whether there are any blocks.
    func isEmpty() throws(StateError) -> Bool { try firstPosition(after: 0) == nil }

    // MARK: - Writing

    /// Puts items into their blocks, in place of what is at their positions.
    func put(_ settled: inout PackItems) throws(StateError) {
        settled.sort()
        let ownTexts = settled.texts.count
        var place = 0
        while place < settled.items.count {
            var open = try openBlock(for: settled.items[place].position, &settled.texts)
            // Bounded, so that a long tail does not gather in memory.
            let end = min(settled.items.count, place + 2_000)
            while place < end {
                let item = settled.items[place]
                guard item.position < open.end, open.takes(item.position) else { break }
                open.add(item)
                place += 1
            }
            try write(open, settled.texts)
            settled.texts.removeLast(settled.texts.count - ownTexts)
        }
    }

    /// A block that is being changed.
    private struct OpenBlock {
        var first: Int64
        /// The first position that belongs to another block.
        let end: Int64
        var items: [PackItem]

        /// Whether a position is near enough to the last one.
        func takes(_ position: Int64) -> Bool {
            guard let last = items.last?.position else { return true }
            return position <= last + PackTable.gapMax && position < first + Int64(PackBlock.spanMax)
        }

        mutating func add(_ item: PackItem) {
            guard let last = items.last, last.position >= item.position else { return items.append(item) }
            var (low, high) = (0, items.count)
            while low < high {
                let middle = (low + high) >> 1
                if items[middle].position < item.position { low = middle + 1 } else { high = middle }
            }
            if items[low].position == item.position { items[low] = item } else { items.insert(item, at: low) }
        }
    }

    /// The block to which an item at `position` goes; its texts are added to `texts`.
    private func openBlock(for position: Int64, _ texts: inout [UInt8]) throws(StateError) -> OpenBlock {
        let end = try firstPosition(after: position) ?? .max
        guard let block = try block(before: position), position <= block.last + Self.gapMax,
            position < block.first + Int64(PackBlock.spanMax)
        else { return OpenBlock(first: position, end: end, items: []) }
        return OpenBlock(first: block.first, end: end, items: try block.items(texts: &texts))
    }

    private func write(_ open: OpenBlock, _ texts: [UInt8]) throws(StateError) {
        // A key takes 16 bytes, so it need not be tried whether more of them fit.
        if open.items.count < 2 || open.items.count * 16 <= PackBlock.room {
            let bytes = PackBlock.bytes(open.items[...], texts, first: open.first)
            if bytes.count <= PackBlock.room || open.items.count < 2 { return try store(bytes, first: open.first) }
        }
        var first = open.first
        for group in groups(open, texts) {
            try store(PackBlock.bytes(open.items[group], texts, first: first), first: first)
            // Places between two blocks belong to the later one, which has room for them.
            if group.upperBound < open.items.count {
                first = max(
                    open.items[group.upperBound - 1].position + 1, open.items[group.upperBound].position - Self.gapMax)
            }
        }
    }

    /// How the items are shared out among blocks: each full but the last one at the end of the ledger, evenly
    /// elsewhere.
    private func groups(_ open: OpenBlock, _ texts: [UInt8]) -> [Range<Int>] {
        let items = open.items
        var room = PackBlock.roomAtFirst - Self.headSize
        let sizes = items.indices.map { PackBlock.size(items[$0], after: $0 > 0 ? items[$0 - 1] : nil, texts) }
        // The first item of a block has nothing before it to share a beginning with. Of a beginning that fills half a
        // block no more is counted, so that a block that is longer than a page has many items at least.
        let most = max(1, room / 2)
        func sizeAtFirst(_ index: Int) -> Int {
            max(sizes[index], min(PackBlock.size(items[index], after: nil, texts), most))
        }
        if open.end != .max {
            let total = sizes.reduce(0, +)
            let count = max(2, (total + room - 1) / room)
            // The blocks but the first one begin anew, somewhere behind the middle of the first.
            let more = sizeAtFirst(items.count - 1) - sizes[items.count - 1]
            room = min(room, (total + more * (count - 1)) / count + 64)
        }
        var groups: [Range<Int>] = []
        var (start, used) = (0, 0)
        for index in items.indices {
            if used + sizes[index] > room, index > start {
                groups.append(start..<index)
                (start, used) = (index, sizeAtFirst(index))
            } else {
                used += index == 0 ? sizeAtFirst(0) : sizes[index]
            }
        }
        groups.append(start..<items.count)
        return groups
    }

    /// What a block takes beside its rows: numbers, kinds, the bits of its slots.
    private static let headSize = 40

    private func store(_ bytes: [UInt8], first: Int64) throws(StateError) {
        try connection.statement("INSERT OR REPLACE INTO pack (first, \"check\", data) VALUES (?1, ?2, ?3)")
            .execute([
                .integer(first), .integer(PackCheck.value(bytes, id: first, salt: Self.salt)), .bytes(bytes),
            ])
    }
}
