// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// The binary form of `numeric`: groups of four digits, a weight and a scale.
enum PostgresNumeric {
    /// Appends the number as the server prints it, with all digits of its scale.
    ///
    /// - Returns: Nil, or what is wrong with the value; then nothing was appended.
    static func append(_ cell: PostgresBytes, to column: ColumnBuilder) -> String? {
        guard cell.count >= 8 else { return "is cut short" }
        let groups = Int(cell.integer(0, as: Int16.self))
        let weight = Int(cell.integer(2, as: Int16.self))
        let sign: UInt16 = cell.integer(4)
        let scale = Int(cell.integer(6, as: UInt16.self) & 0x3FFF)
        guard groups >= 0, cell.count == 8 + 2 * groups else { return "is cut short" }
        switch sign {
        case 0x0000, 0x4000: break
        case 0xC000: return "is NaN, which is no decimal number"
        default: return "is infinite, which is no decimal number"
        }
        // A sign, a zero or the groups before the point, the point, and the digits behind it in whole groups.
        let digits = column.room(for: 2 + 4 * max(weight + 1, 1) + 1 + scale + 4)
        var end = 0
        if sign == 0x4000 {
            digits[0] = UInt8(ascii: "-")
            end = 1
        }
        if weight < 0 {
            digits[end] = UInt8(ascii: "0")
            end += 1
        }
        var position = 0
        while position <= weight {
            let group = group(cell, position, groups)
            if position == 0 {
                end += DecimalDigits.writeShort(group, digits + end)
            } else {
                DecimalDigits.writeFour(group, digits + end)
                end += 4
            }
            position += 1
        }
        if scale > 0 {
            digits[end] = UInt8(ascii: ".")
            end += 1
            let last = end + scale
            position = weight + 1
            while end < last {
                DecimalDigits.writeFour(group(cell, position, groups), digits + end)
                end += 4
                position += 1
            }
            end = last
        }
        column.endBytes(end)
        return nil
    }

    /// The group at a position; 0 where none was sent.
    @inline(__always)
    private static func group(_ cell: PostgresBytes, _ position: Int, _ groups: Int) -> UInt32 {
        guard position >= 0, position < groups else { return 0 }
        return UInt32(truncatingIfNeeded: cell.integer(8 + 2 * position, as: UInt16.self))
    }

    /// Whether a text is digits with a sign, a point and an exponent at most, and so safe and meaningful in SQL.
    static func isPlain(_ text: String) -> Bool {
        var rest = text.utf8[...]
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest.removeFirst() }
        func digits() -> Int {
            let run = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(run.count)
            return run.count
        }
        var count = digits()
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            count += digits()
        }
        guard count > 0 else { return false }
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest.removeFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
