// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What a block says of one position; texts lie in the block.
struct PackRow: Sendable, BitwiseCopyable {
    var slot: Int32 = 0
    var kind = PackKind(0)
    var key = Fingerprint(low: 0, high: 0)
    var payload = Fingerprint(low: 0, high: 0)
    var source = Fingerprint(low: 0, high: 0)
    var run: Int64 = 0
    var remoteNumber: UInt64 = 0
    var remoteText = PackText()
    var cursor = PackText()
    var keyText = PackText()
}

/// Which of its parts a row has, and its outcome, in a byte.
struct PackKind: Sendable, Equatable, BitwiseCopyable {
    let byte: UInt8

    static let payload: UInt8 = 8
    static let source: UInt8 = 16
    static let remoteNumber: UInt8 = 32
    static let remoteText: UInt8 = 64
    static let cursor: UInt8 = 128

    init(_ byte: UInt8) { self.byte = byte }

    /// The outcome, or nil where nothing is known of the key any more.
    var outcome: LedgerEntry.Outcome? { LedgerEntry.Outcome(rawValue: Int64(byte & 7)) }
    var hasPayload: Bool { byte & Self.payload != 0 }
    var hasSource: Bool { byte & Self.source != 0 }
    var hasRemoteNumber: Bool { byte & Self.remoteNumber != 0 }
    var hasRemoteText: Bool { byte & Self.remoteText != 0 }
    var hasCursor: Bool { byte & Self.cursor != 0 }

    /// The number that `id` spells in its shortest form, or nil.
    static func number(_ id: String) -> UInt64? {
        let utf8 = id.utf8
        guard let first = utf8.first, utf8.count <= 19, first != 0x30 || utf8.count == 1 else { return nil }
        var number: UInt64 = 0
        for byte in utf8 {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            number = number * 10 + UInt64(byte - 0x30)
        }
        return number
    }
}

/// Neighbours of the ledger, packed into the bytes that one page of the file holds.
struct PackBlock: Sendable {
    /// The position of the first slot.
    let first: Int64
    /// How many positions belong to the block, with those of rows that are not in it.
    let span: Int
    /// The rows, in the order of their slots.
    private(set) var rows: [PackRow] = []
    private(set) var texts: [UInt8] = []
    private let bytes: [UInt8]
    private var keyTexts = 0

    /// The last position.
    var last: Int64 { first + Int64(span) - 1 }

    // MARK: - Reading

    /// A block before all others, without rows.
    init() {
        first = 0
        span = 1
        bytes = []
        keyTexts = -1
    }

    /// The block of these bytes, all but the texts of its keys.
    ///
    /// - Throws: ``StateError``, `damaged`.
    init(_ bytes: [UInt8], first: Int64) throws(StateError) {
        self.bytes = bytes
        self.first = first
        var reader = PackReader(bytes)
        let version = reader.byte()
        span = reader.count()
        let count = reader.count()
        guard version == Self.version, count <= span, span <= Self.spanMax, !reader.isDamaged else {
            throw .damaged("the block \(first) of the ledger")
        }
        rows = [PackRow](repeating: PackRow(), count: count)
        readSlots(&reader)
        for index in 0..<count { rows[index].key = reader.fingerprint() }
        readKinds(&reader)
        readParts(&reader)
        keyTexts = reader.position
        guard !reader.isDamaged else { throw .damaged("the block \(first) of the ledger") }
    }

    private mutating func readSlots(_ reader: inout PackReader) {
        guard rows.count < span else {
            for index in rows.indices { rows[index].slot = Int32(index) }
            return
        }
        let start = reader.skip((span + 7) >> 3)
        guard !reader.isDamaged else { return }
        var index = 0
        for slot in 0..<span where bytes[start + slot >> 3] & 1 << UInt8(slot & 7) != 0 && index < rows.count {
            rows[index].slot = Int32(slot)
            index += 1
        }
    }

    private mutating func readKinds(_ reader: inout PackReader) {
        let count = reader.count()
        guard count > 0, count <= 1 << 20 else { return }
        var kinds: [(kind: PackKind, run: Int64)] = []
        for _ in 0..<count where !reader.isDamaged { kinds.append((PackKind(reader.byte()), reader.signed())) }
        let width = Self.width(count)
        let start = reader.skip((rows.count * width + 7) >> 3)
        guard !reader.isDamaged else { return }
        for index in rows.indices {
            var number = 0
            for bit in 0..<width {
                let place = index * width + bit
                if bytes[start + place >> 3] & 1 << UInt8(place & 7) != 0 { number |= 1 << bit }
            }
            guard number < kinds.count else { continue }
            rows[index].kind = kinds[number].kind
            rows[index].run = kinds[number].run
        }
    }

    private mutating func readParts(_ reader: inout PackReader) {
        for index in rows.indices where rows[index].kind.hasPayload { rows[index].payload = reader.fingerprint() }
        for index in rows.indices where rows[index].kind.hasSource { rows[index].source = reader.fingerprint() }
        var number: UInt64 = 0
        for index in rows.indices where rows[index].kind.hasRemoteNumber {
            number &+= UInt64(bitPattern: reader.signed())
            rows[index].remoteNumber = number
        }
        var cursor = PackText()
        for index in rows.indices where rows[index].kind.hasCursor {
            cursor = reader.text(into: &texts, after: cursor)
            rows[index].cursor = cursor
        }
        var remote = PackText()
        for index in rows.indices where rows[index].kind.hasRemoteText {
            remote = reader.text(into: &texts, after: remote)
            rows[index].remoteText = remote
        }
    }

    /// Reads the texts of the keys too, once.
    ///
    /// - Throws: ``StateError``, `damaged`.
    mutating func readKeyTexts() throws(StateError) {
        guard keyTexts >= 0 else { return }
        var reader = PackReader(bytes, position: keyTexts)
        keyTexts = -1
        var text = PackText()
        for index in rows.indices {
            text = reader.text(into: &texts, after: text)
            rows[index].keyText = text
        }
        guard reader.isAtEnd else { throw .damaged("the block \(first) of the ledger") }
    }

    /// The place among ``rows`` of the row at `position`, or nil.
    func index(of position: Int64) -> Int? {
        guard position >= first, position <= last else { return nil }
        let slot = Int32(position - first)
        var (low, high) = (0, min(rows.count, Int(slot) + 1))
        while low < high {
            let middle = (low + high) >> 1
            if rows[middle].slot < slot { low = middle + 1 } else { high = middle }
        }
        return low < rows.count && rows[low].slot == slot ? low : nil
    }

    /// Everything that is known of the row at place `index`; nil where that is nothing any more.
    ///
    /// The texts of the keys must have been read.
    func entry(_ index: Int) -> LedgerEntry? {
        let row = rows[index]
        guard let outcome = row.kind.outcome else { return nil }
        return LedgerEntry(
            key: row.key, keyText: row.keyText.string(texts) ?? "",
            remoteID: row.kind.hasRemoteNumber ? String(row.remoteNumber) : row.remoteText.string(texts),
            payload: row.kind.hasPayload ? row.payload : nil, source: row.kind.hasSource ? row.source : nil,
            cursor: row.cursor.string(texts), run: row.run, outcome: outcome)
    }

    // MARK: - Writing

    private static let version: UInt8 = 1
    /// The most positions of a block.
    static let spanMax = 4_096
    /// The most bytes that one page of the file holds beside what SQLite needs.
    static let room = 4_040
    /// How many bytes a new block may have, so that a few changes still find room in it.
    static let roomAtFirst = 3_960

    /// The bytes of a block with these items, whose positions rise, from `first` on.
    static func bytes(_ items: ArraySlice<PackItem>, _ texts: [UInt8], first: Int64) -> [UInt8] {
        var writer = PackWriter(capacity: room + 64)
        let span = items.last.map { Int($0.position - first) + 1 } ?? 0
        writer.add(byte: version)
        writer.add(span)
        writer.add(items.count)
        if items.count < span {
            var slots = [UInt8](repeating: 0, count: (span + 7) >> 3)
            for item in items {
                let slot = Int(item.position - first)
                slots[slot >> 3] |= 1 << UInt8(slot & 7)
            }
            writer.add(raw: slots)
        }
        for item in items { writer.add(item.row.key) }
        addKinds(items, to: &writer)
        addParts(items, texts, to: &writer)
        return writer.bytes
    }

    private static func addKinds(_ items: ArraySlice<PackItem>, to writer: inout PackWriter) {
        var kinds: [(kind: PackKind, run: Int64)] = []
        var numbers: [Int] = []
        numbers.reserveCapacity(items.count)
        for item in items {
            let (kind, run) = (item.row.kind, item.row.run)
            // Searched from the end: neighbours are mostly alike.
            if let found = kinds.lastIndex(where: { $0.kind == kind && $0.run == run }) {
                numbers.append(found)
            } else {
                numbers.append(kinds.count)
                kinds.append((kind, run))
            }
        }
        writer.add(kinds.count)
        for kind in kinds {
            writer.add(byte: kind.kind.byte)
            writer.add(signed: kind.run)
        }
        let width = width(kinds.count)
        var bits = [UInt8](repeating: 0, count: (numbers.count * width + 7) >> 3)
        for (index, number) in numbers.enumerated() where number > 0 {
            for bit in 0..<width where number >> bit & 1 != 0 {
                let place = index * width + bit
                bits[place >> 3] |= 1 << UInt8(place & 7)
            }
        }
        writer.add(raw: bits)
    }

    private static func addParts(_ items: ArraySlice<PackItem>, _ texts: [UInt8], to writer: inout PackWriter) {
        for item in items where item.row.kind.hasPayload { writer.add(item.row.payload) }
        for item in items where item.row.kind.hasSource { writer.add(item.row.source) }
        var before: UInt64 = 0
        for item in items where item.row.kind.hasRemoteNumber {
            writer.add(signed: Int64(bitPattern: item.row.remoteNumber &- before))
            before = item.row.remoteNumber
        }
        var text = PackText()
        for item in items where item.row.kind.hasCursor {
            writer.add(item.row.cursor, after: text, in: texts)
            text = item.row.cursor
        }
        text = PackText()
        for item in items where item.row.kind.hasRemoteText {
            writer.add(item.row.remoteText, after: text, in: texts)
            text = item.row.remoteText
        }
        text = PackText()
        for item in items {
            writer.add(item.row.keyText, after: text, in: texts)
            text = item.row.keyText
        }
    }

    /// How many bits tell `count` things apart.
    private static func width(_ count: Int) -> Int { count < 2 ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount }

    /// How many bytes an item takes, and the places before it that wait for their rows, but for a few per block.
    static func size(_ item: PackItem, after previous: PackItem?, _ texts: [UInt8]) -> Int {
        let (row, before) = (item.row, previous?.row ?? PackRow())
        var size = 16
        if row.kind.hasPayload { size += 16 }
        if row.kind.hasSource { size += 16 }
        size += Self.size(row.keyText, after: before.keyText, texts)
        if row.kind.hasCursor { size += Self.size(row.cursor, after: before.cursor, texts) }
        if row.kind.hasRemoteNumber {
            let number = before.kind.hasRemoteNumber ? before.remoteNumber : 0
            let difference = Int64(bitPattern: row.remoteNumber &- number).magnitude
            size += (Int.bitWidth - difference.leadingZeroBitCount) / 7 + 1
        } else if row.kind.hasRemoteText {
            size += Self.remoteSize(row, after: before, texts)
        }
        if let previous { size += Int(min(64, item.position - previous.position - 1)) * 42 }
        return size
    }

    private static func remoteSize(_ row: PackRow, after before: PackRow, _ texts: [UInt8]) -> Int {
        guard before.kind.hasRemoteNumber else { return size(row.remoteText, after: before.remoteText, texts) }
        // Numbers are no texts in a block; the estimate has always taken them for such, and so does where blocks end.
        let number = Array(String(before.remoteNumber).utf8)
        let (start, count) = (Int(row.remoteText.start), Int(row.remoteText.count))
        var shared = 0
        while shared < min(count, number.count), texts[start + shared] == number[shared] { shared += 1 }
        return count - shared + (count < 128 ? 2 : 4)
    }

    private static func size(_ text: PackText, after previous: PackText, _ texts: [UInt8]) -> Int {
        let count = Int(text.count)
        return count - PackWriter.shared(text, previous, in: texts) + (count < 128 ? 2 : 4)
    }
}
