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
