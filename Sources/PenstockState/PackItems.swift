// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A row with its position in the ledger, on its way into a block; its texts lie elsewhere.
struct PackItem: Sendable, BitwiseCopyable {
    var position: Int64
    /// What the block is to say of it; the slot is not used.
    var row: PackRow
}

/// Rows on their way into blocks, with their texts: plain numbers, so that a copy of one owns nothing.
struct PackItems: Sendable {
    private(set) var items: [PackItem] = []
    /// The texts of the items, one after the other.
    var texts: [UInt8] = []

    /// So many bytes of texts are enough, because places among them have 32 bits.
    private static let textsMax = 16 << 20

    /// Whether what there is must be packed before more is added.
    var isFull: Bool { texts.count > Self.textsMax }

    /// Adds an entry, which is settled.
    mutating func append(_ entry: LedgerEntry, at position: Int64) {
        var row = PackRow()
        row.key = entry.key
        row.run = entry.run
        var kind = UInt8(entry.outcome.rawValue)
        if let payload = entry.payload {
            kind |= PackKind.payload
            row.payload = payload
        }
        if let source = entry.packedSource {
            kind |= PackKind.source
            row.source = source
        }
        if let id = entry.remoteID {
            if let number = PackKind.number(id) {
                kind |= PackKind.remoteNumber
                row.remoteNumber = number
            } else {
                kind |= PackKind.remoteText
                row.remoteText = add(id)
            }
        }
        if let cursor = entry.cursor {
            kind |= PackKind.cursor
            row.cursor = add(cursor)
        }
        row.keyText = add(entry.keyText)
        row.kind = PackKind(kind)
        items.append(PackItem(position: position, row: row))
    }

    /// Adds a key of which nothing is known any more; its place is kept.
    mutating func appendVacated(_ key: Fingerprint, at position: Int64) {
        var row = PackRow()
        row.key = key
        row.keyText = add("")
        items.append(PackItem(position: position, row: row))
    }

    private mutating func add(_ text: String) -> PackText {
        let start = texts.count
        texts.append(contentsOf: text.utf8)
        return PackText(start: Int32(start), count: Int32(texts.count - start))
    }

    /// Puts the items in the order of their positions, which they mostly have.
    mutating func sort() {
        let isSorted = items.indices.dropFirst().allSatisfy { items[$0 - 1].position < items[$0].position }
        if !isSorted { items.sort { $0.position < $1.position } }
    }

    /// Forgets all items and keeps the room for them.
    mutating func removeAll() {
        items.removeAll(keepingCapacity: true)
        texts.removeAll(keepingCapacity: true)
    }
}

extension LedgerEntry {
    /// The source row as a block keeps it: of what is settled it is only asked for again where it was refused.
    fileprivate var packedSource: Fingerprint? { outcome == .rejected && cursor != nil ? source : nil }
}

extension PackBlock {
    /// All rows, to be changed; their texts are added to `texts`.
    ///
    /// - Throws: ``StateError``, `damaged`.
    func items(texts: inout [UInt8]) throws(StateError) -> [PackItem] {
        var block = self
        try block.readKeyTexts()
        let start = Int32(texts.count)
        texts += block.texts
        return block.rows.map { row in
            var row = row
            row.remoteText.start += start
            row.cursor.start += start
            row.keyText.start += start
            if row.kind.outcome == nil { row.kind = PackKind(0) }
            return PackItem(position: block.first + Int64(row.slot), row: row)
        }
    }
}
