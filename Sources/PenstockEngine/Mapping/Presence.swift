// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Which fields each row of a mapped batch sets: one bit per row and target.
package struct Presence: Sendable, Hashable {
    /// How many rows there are.
    package let rowCount: Int
    /// How many targets there are.
    package let targetCount: Int
    /// How many words the bits of one target take.
    let stride: Int
    /// Target after target, one bit a row, least significant first.
    private(set) var words: [UInt64]

    /// Presence of no field in any of `rowCount` rows.
    package init(rowCount: Int, targetCount: Int) {
        self.rowCount = rowCount
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

    /// Whether the first of `rows` sets a target, and the end of those behind it that are like it in that.
    ///
    /// - Precondition: `rows` is not empty.
    package func run(of target: Int, _ rows: Range<Int>) -> (isSet: Bool, end: Int) {
        let isSet = self[rows.lowerBound, target]
        var row = rows.lowerBound
        while row < rows.upperBound {
            let word = words[target * stride + row >> 6]
            let others = (isSet ? ~word : word) >> UInt64(row & 63)
            if others != 0 { return (isSet, min(rows.upperBound, row + others.trailingZeroBitCount)) }
            row = (row | 63) + 1
        }
        return (isSet, rows.upperBound)
    }

    /// A row's bits as a write's presence column has them, where `reserved` columns stand before the fields.
    package func bits(_ row: Int, reserved: Int) -> [UInt8] {
        var bits: [UInt8] = []
        append(row..<row + 1, reserved: reserved, width: (targetCount + reserved + 7) >> 3, to: &bits)
        return bits
    }

    /// Appends the bits of rows as a write's presence column has them, with `reserved` columns before the fields.
    ///
    /// The bits of reserved columns are 0.
    ///
    /// - Parameter width: How many bytes the bits of a row take, enough for all columns.
    package func append(_ rows: Range<Int>, reserved: Int, width: Int, to bits: inout [UInt8]) {
        let start = bits.count
        bits.append(contentsOf: repeatElement(0, count: rows.count * width))
        for target in 0..<targetCount {
            let bit: UInt8 = 1 << UInt8((target + reserved) & 7)
            let first = start + (target + reserved) >> 3 - rows.lowerBound * width
            var row = rows.lowerBound
            while row < rows.upperBound {
                let (isSet, end) = run(of: target, row..<rows.upperBound)
                if isSet { for row in row..<end { bits[first + row * width] |= bit } }
                row = end
            }
        }
    }
}
