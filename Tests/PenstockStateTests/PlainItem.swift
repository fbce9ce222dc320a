// SPDX-License-Identifier: Apache-2.0

import PenstockModel

@testable import PenstockState

/// An entry of a block, and blocks as they are made of entries: the plain way, which says what the quick one must make.
struct PlainItem {
    var position: Int64
    var entry: LedgerEntry
    /// Whether nothing is known of the key any more.
    var isVacated: Bool

    /// What stands for a key of which nothing is known any more.
    static func vacated(_ key: Fingerprint) -> LedgerEntry {
        LedgerEntry(key: key, keyText: "", run: 0, outcome: .notTried)
    }

    /// An entry as blocks keep it.
    static func kept(_ entry: LedgerEntry) -> LedgerEntry {
        guard entry.source != nil, entry.outcome != .rejected || entry.cursor == nil else { return entry }
        var kept = entry
        kept.source = nil
        return kept
    }

    /// Which parts it has, and its outcome.
    private var kind: UInt8 {
        guard !isVacated else { return 0 }
        var byte = UInt8(entry.outcome.rawValue)
        if entry.payload != nil { byte |= 8 }
        if entry.source != nil { byte |= 16 }
        if let id = entry.remoteID { byte |= PackKind.number(id) == nil ? 64 : 32 }
        if entry.cursor != nil { byte |= 128 }
        return byte
    }

    // MARK: - Bytes

    /// The bytes of a block with these items.
    static func bytes(_ items: ArraySlice<PlainItem>, first: Int64) -> [UInt8] {
        let span = items.last.map { Int($0.position - first) + 1 } ?? 0
        var bytes: [UInt8] = [1] + number(UInt64(span)) + number(UInt64(items.count))
        if items.count < span {
            bytes += bits((0..<span).map { slot in items.contains { $0.position == first + Int64(slot) } })
        }
        bytes += items.flatMap(\.entry.key.bytes)
        bytes += kinds(items)
        let known = items.filter { !$0.isVacated }.map(\.entry)
        bytes += known.flatMap { $0.payload?.bytes ?? [] }
        bytes += known.flatMap { $0.source?.bytes ?? [] }
        var before: UInt64 = 0
        for number in known.compactMap({ $0.remoteID.flatMap(PackKind.number) }) {
            bytes += signed(Int64(bitPattern: number &- before))
            before = number
        }
        bytes += texts(known.compactMap(\.cursor))
        bytes += texts(known.compactMap(\.remoteID).filter { PackKind.number($0) == nil })
        return bytes + texts(items.map(\.entry.keyText))
    }

    private static func kinds(_ items: ArraySlice<PlainItem>) -> [UInt8] {
        var kinds: [[UInt8]] = []
        var numbers: [Int] = []
        for item in items {
            let kind = [item.kind] + signed(item.entry.run)
            if !kinds.contains(kind) { kinds.append(kind) }
            numbers.append(kinds.firstIndex(of: kind) ?? 0)
        }
        var width = 0
        while 1 << width < kinds.count { width += 1 }
        return number(UInt64(kinds.count)) + kinds.flatMap { $0 }
            + bits(numbers.flatMap { number in (0..<width).map { number >> $0 & 1 != 0 } })
    }

    private static func bits(_ flags: [Bool]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: (flags.count + 7) / 8)
        for (place, flag) in flags.enumerated() where flag { bytes[place / 8] |= 1 << UInt8(place % 8) }
        return bytes
    }

    private static func number(_ number: UInt64) -> [UInt8] {
        number > 0x7F ? [UInt8(number & 0x7F) | 0x80] + self.number(number >> 7) : [UInt8(number)]
    }

    private static func signed(_ number: Int64) -> [UInt8] {
        self.number(UInt64(bitPattern: number << 1 ^ number >> 63))
    }

    private static func texts(_ texts: [String]) -> [UInt8] {
        zip(texts, [""] + texts).flatMap { text, before in
            let shared = shared(text, before)
            return number(UInt64(shared)) + number(UInt64(text.utf8.count - shared)) + text.utf8.dropFirst(shared)
        }
    }

    private static func shared(_ first: String, _ second: String) -> Int {
        zip(first.utf8, second.utf8).prefix { $0 == $1 }.count
    }

    // MARK: - Sizes

    /// How many bytes an item takes, as blocks are shared out.
    static func size(_ item: PlainItem, after previous: PlainItem?) -> Int {
        let entry = item.entry
        var size = 16
        if entry.payload != nil { size += 16 }
        if entry.source != nil { size += 16 }
        size += Self.size(entry.keyText, after: previous?.entry.keyText)
        if let cursor = entry.cursor { size += Self.size(cursor, after: previous?.entry.cursor) }
        if let id = entry.remoteID {
            if let number = PackKind.number(id) {
                let before = previous?.entry.remoteID.flatMap(PackKind.number) ?? 0
                size += (Int.bitWidth - Int(bitPattern: UInt(number &- before)).magnitude.leadingZeroBitCount) / 7 + 1
            } else {
                size += Self.size(id, after: previous?.entry.remoteID)
            }
        }
        if let previous { size += Int(min(64, item.position - previous.position - 1)) * 42 }
        return size
    }

    private static func size(_ text: String, after previous: String?) -> Int {
        let count = text.utf8.count
        return count - (previous.map { shared(text, $0) } ?? 0) + (count < 128 ? 2 : 4)
    }
}
