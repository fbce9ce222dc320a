// SPDX-License-Identifier: Apache-2.0

/// A decimal number of any length, exact.
package struct SQLiteDecimal: Comparable, Sendable {
    private let isNegative: Bool
    /// ASCII digits; the first is not a zero unless it stands alone before the point.
    private let digits: [UInt8]
    /// How many of ``digits`` stand before the point; at least 1.
    private let wholeDigits: Int

    /// The largest exponent that is written out in digits.
    private static let exponentMax = 400

    /// Reads `[sign]digits[.digits][e[sign]digits]`, or nil.
    ///
    /// Nothing may stand around it, and an exponent beyond ±400 is refused: a double never has one.
    package init?(_ text: some Collection<UInt8>) {
        var rest = text[...]
        func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
        let sign = rest.first
        if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest = rest.dropFirst() }
        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix(while: isDigit)
            rest = rest.dropFirst(1 + fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty, let exponent = Self.exponent(rest) else { return nil }
        var digits = Array(whole) + Array(fraction)
        var point = whole.count + exponent
        if point < 1 {
            digits.insert(contentsOf: repeatElement(0x30, count: 1 - point), at: 0)
            point = 1
        } else if point > digits.count {
            digits.append(contentsOf: repeatElement(0x30, count: point - digits.count))
        }
        let zeros = min(digits.prefix { $0 == 0x30 }.count, point - 1)
        self.digits = Array(digits.dropFirst(zeros))
        wholeDigits = point - zeros
        isNegative = sign == UInt8(ascii: "-") && digits.contains { $0 != 0x30 }
    }

    private static func exponent(_ text: some Collection<UInt8>) -> Int? {
        guard let first = text.first else { return 0 }
        guard first | 0x20 == UInt8(ascii: "e") else { return nil }
        let number = String(decoding: text.dropFirst(), as: UTF8.self)
        guard let exponent = Int(number), abs(exponent) <= exponentMax else { return nil }
        return exponent
    }

    /// The number without an exponent, with the fraction digits it was written with.
    package var text: String {
        let whole = String(decoding: digits.prefix(wholeDigits), as: UTF8.self)
        let fraction = String(decoding: digits.dropFirst(wholeDigits), as: UTF8.self)
        return (isNegative ? "-" : "") + whole + (fraction.isEmpty ? "" : "." + fraction)
    }

    package static func < (first: SQLiteDecimal, second: SQLiteDecimal) -> Bool {
        if first.isNegative != second.isNegative { return first.isNegative }
        return first.isNegative ? second.isSmaller(than: first) : first.isSmaller(than: second)
    }

    package static func == (first: SQLiteDecimal, second: SQLiteDecimal) -> Bool {
        !(first < second) && !(second < first)
    }

    /// Compares without the signs.
    private func isSmaller(than other: SQLiteDecimal) -> Bool {
        if wholeDigits != other.wholeDigits { return wholeDigits < other.wholeDigits }
        for index in 0..<max(digits.count, other.digits.count) {
            let left = index < digits.count ? digits[index] : 0x30
            let right = index < other.digits.count ? other.digits[index] : 0x30
            if left != right { return left < right }
        }
        return false
    }
}
