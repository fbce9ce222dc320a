// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// The binary form of `numeric`: groups of four digits, a weight and a scale.
enum PostgresNumeric {
    /// Appends the number as the server prints it, with all digits of its scale.
    ///
    /// - Returns: Nil, or what is wrong with the value; then nothing was appended.
    static func append(_ cell: PostgresBytes, to column: inout Column, _ digits: inout [UInt8]) -> String? {
        guard cell.count >= 8 else { return "is cut short" }
        let groups = Int(cell.integer(0, as: Int16.self))
        let weight = Int(cell.integer(2, as: Int16.self))
        let sign: UInt16 = cell.integer(4)
        let scale = Int(cell.integer(6, as: UInt16.self) & 0x3FFF)
        guard cell.count == 8 + 2 * groups else { return "is cut short" }
        switch sign {
        case 0x0000, 0x4000: break
        case 0xC000: return "is NaN, which is no decimal number"
        default: return "is infinite, which is no decimal number"
        }
        digits.removeAll(keepingCapacity: true)
        if sign == 0x4000 { digits.append(UInt8(ascii: "-")) }
        func group(_ position: Int) -> Int {
            (0..<groups).contains(position) ? Int(cell.integer(8 + 2 * position, as: Int16.self)) : 0
        }
        if weight < 0 { digits.append(UInt8(ascii: "0")) }
        var position = 0
        while position <= weight {
            append(group(position), to: &digits, isFirst: position == 0)
            position += 1
        }
        if scale > 0 {
            digits.append(UInt8(ascii: "."))
            let end = digits.count + scale
            position = weight + 1
            while digits.count < end {
                append(group(position), to: &digits, isFirst: false)
                position += 1
            }
            digits.removeLast(digits.count - end)
        }
        column.append(bytes: digits)
        return nil
    }

    /// Appends four digits; of the first group without the zeros before it.
    private static func append(_ group: Int, to digits: inout [UInt8], isFirst: Bool) {
        let zero = UInt8(ascii: "0")
        if !isFirst || group >= 1000 { digits.append(zero + UInt8(truncatingIfNeeded: group / 1000)) }
        if !isFirst || group >= 100 { digits.append(zero + UInt8(truncatingIfNeeded: group / 100 % 10)) }
        if !isFirst || group >= 10 { digits.append(zero + UInt8(truncatingIfNeeded: group / 10 % 10)) }
        digits.append(zero + UInt8(truncatingIfNeeded: group % 10))
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
