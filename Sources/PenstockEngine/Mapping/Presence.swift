// SPDX-License-Identifier: Apache-2.0

/// Which fields each row of a mapped batch sets: one bit per row and target.
package struct Presence: Sendable, Hashable {
    /// How many targets there are.
    package let targetCount: Int
    private let stride: Int
    private var bytes: [UInt8]

    /// Presence of no field in any of `rowCount` rows.
    package init(rowCount: Int, targetCount: Int) {
        self.targetCount = targetCount
        stride = (targetCount + 7) >> 3
        bytes = [UInt8](repeating: 0, count: rowCount * stride)
    }

    /// Whether row `row` sets target `target`.
    package subscript(row: Int, target: Int) -> Bool {
        get { bytes[row * stride + target >> 3] & 1 << UInt8(target & 7) != 0 }
        set {
            let mask: UInt8 = 1 << UInt8(target & 7)
            if newValue {
                bytes[row * stride + target >> 3] |= mask
            } else {
                bytes[row * stride + target >> 3] &= ~mask
            }
        }
    }

    /// Makes row `row` set nothing.
    mutating func clear(_ row: Int) {
        for place in (row * stride)..<((row + 1) * stride) { bytes[place] = 0 }
    }

    /// Whether row `row` sets no field at all, or none but `target`.
    package func isEmpty(_ row: Int, besides target: Int? = nil) -> Bool {
        guard let target else { return bytes[(row * stride)..<((row + 1) * stride)].allSatisfy { $0 == 0 } }
        return (0..<targetCount).allSatisfy { $0 == target || !self[row, $0] }
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
