// SPDX-License-Identifier: Apache-2.0

/// Some of the positions of a ledger, a bit each.
struct PositionSet {
    /// The last position that may be in it.
    let last: Int64
    private var words: [UInt64]

    /// An empty set of positions from 1 to `last`.
    init(last: Int64) {
        self.last = last
        words = [UInt64](repeating: 0, count: Int(last >> 6) + 1)
    }

    /// Adds a position; false where it was there.
    mutating func insert(_ position: Int64) -> Bool {
        let bit: UInt64 = 1 << UInt64(position & 63)
        let word = Int(position >> 6)
        guard words[word] & bit == 0 else { return false }
        words[word] |= bit
        return true
    }

    /// Whether a position is in it.
    func contains(_ position: Int64) -> Bool { words[Int(position >> 6)] & 1 << UInt64(position & 63) != 0 }
}

extension PositionSet {
    /// The first positions from `position` on that are not in the set, up to the next one that is; nil for none.
    func gap(from position: Int64) -> ClosedRange<Int64>? {
        guard let first = next(from: position, isIn: false) else { return nil }
        return first...((next(from: first, isIn: true) ?? last + 1) - 1)
    }

    private func next(from position: Int64, isIn: Bool) -> Int64? {
        guard position <= last else { return nil }
        var word = Int(position >> 6)
        var bits = (isIn ? words[word] : ~words[word]) & (UInt64.max << UInt64(position & 63))
        while bits == 0 {
            word += 1
            guard word < words.count else { return nil }
            bits = isIn ? words[word] : ~words[word]
        }
        let found = Int64(word) << 6 + Int64(bits.trailingZeroBitCount)
        return found <= last ? found : nil
    }
}
