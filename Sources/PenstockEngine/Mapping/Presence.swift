// SPDX-License-Identifier: Apache-2.0

/// Which fields each row of a mapped batch sets: one bit per row and target.
package struct Presence: Sendable, Hashable {
    /// How many targets there are.
    package let targetCount: Int
    /// How many words the bits of one target take.
    let stride: Int
    /// Target after target, one bit a row, least significant first.
    private(set) var words: [UInt64]

    /// Presence of no field in any of `rowCount` rows.
    package init(rowCount: Int, targetCount: Int) {
        self.targetCount = targetCount
        stride = (rowCount + 63) >> 6
        words = [UInt64](repeating: 0, count: stride * targetCount)
    }

    /// Whether row `row` sets target `target`.
    package subscript(row: Int, target: Int) -> Bool {
        get { words[target * stride + row >> 6] & 1 << UInt64(row & 63) != 0 }
        set {
            let mask: UInt64 = 1 << UInt64(row & 63)
            if newValue {
                words[target * stride + row >> 6] |= mask
            } else {
                words[target * stride + row >> 6] &= ~mask
            }
        }
    }

    /// Sets a target for 64 rows at once, from row `word * 64` on; bits behind the last row must be 0.
    mutating func set(_ target: Int, word: Int, _ bits: UInt64) { words[target * stride + word] = bits }

    /// Makes row `row` set nothing.
    mutating func clear(_ row: Int) {
        for target in 0..<targetCount { self[row, target] = false }
    }

    /// Whether row `row` sets no field at all, or none but `target`.
    package func isEmpty(_ row: Int, besides target: Int? = nil) -> Bool {
        (0..<targetCount).allSatisfy { $0 == target || !self[row, $0] }
    }

    /// A row's bits as a write's presence column has them, where `reserved` columns stand before the fields.
    ///
    /// The bits of reserved columns are 0.
    package func bits(_ row: Int, reserved: Int) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: (targetCount + reserved + 7) >> 3)
        for target in 0..<targetCount where self[row, target] {
            out[(target + reserved) >> 3] |= 1 << UInt8((target + reserved) & 7)
        }
        return out
    }
}
