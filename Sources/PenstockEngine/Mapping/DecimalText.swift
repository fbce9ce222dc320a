// SPDX-License-Identifier: Apache-2.0

/// An exact decimal number of any length: what a decimal text says, with its digits kept.
///
/// Equality and order are those of the numbers: `1.50` equals `1.5`.
package struct DecimalText: Sendable {
    /// How large an exponent may be, so that a short text cannot ask for a long number.
    package static let exponentMax = 100_000

    private let isNegative: Bool
    /// Digits, most significant first, without leading zeros; empty for zero.
    private let digits: [UInt8]
    /// How many of the digits stand after the point; never negative.
    private let scale: Int

    private init(isNegative: Bool, digits: [UInt8], scale: Int) {
        let significant = Array(digits.drop { $0 == 0 })
        self.isNegative = isNegative && !significant.isEmpty
        self.digits = significant
        self.scale = scale
    }

    /// Reads `[+-]digits[.digits][e[+-]digits]`; at least one digit must stand before or after the point.
    package init?(_ text: some StringProtocol) { self.init(utf8: Array(text.utf8)) }

    /// Reads the bytes of a decimal text, as ``init(_:)``.
    package init?(utf8 bytes: [UInt8]) {
        var position = 0
        var isNegative = false
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            position = 1
        }
        var digits: [UInt8] = []
        digits.reserveCapacity(bytes.count)
        var point: Int?
        while position < bytes.count {
            let byte = bytes[position]
            if byte &- 0x30 < 10 {
                digits.append(byte - 0x30)
            } else if byte == UInt8(ascii: "."), point == nil {
                point = digits.count
            } else {
                break
            }
            position += 1
        }
        guard !digits.isEmpty else { return nil }
        var exponent = 0
        if position < bytes.count {
            guard let written = DecimalText.exponent(bytes[position...]) else { return nil }
            exponent = written
        }
        var scale = digits.count - (point ?? digits.count) - exponent
        if scale < 0 {
            if digits.contains(where: { $0 != 0 }) { digits += [UInt8](repeating: 0, count: -scale) }
            scale = 0
        }
        self.init(isNegative: isNegative, digits: digits, scale: scale)
    }

    /// An integer.
    package init(_ value: some BinaryInteger) {
        self.init(
            isNegative: value < 0, digits: String(value.magnitude).utf8.map { $0 - 0x30 }, scale: 0)
    }

    /// A finite double, by its shortest text that reads back as the same double; nil for the others.
    package init?(_ value: Double) {
        guard value.isFinite else { return nil }
        let text = "\(value)"
        self.init(text.hasSuffix(".0") ? text.dropLast(2) : text[...])
    }

    private static func exponent(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard let mark = bytes.first, mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E"),
            let value = Int(String(decoding: bytes.dropFirst(), as: UTF8.self)), abs(value.clamped) <= exponentMax
        else { return nil }
        return value
    }

    /// Whether this is greater than zero.
    package var isPositive: Bool { !isNegative && !digits.isEmpty }

    /// The number with the digits it was written with, without exponent, sign `+` and leading zeros.
    package var text: String { text(dropping: 0) }

    /// The one text of the number: as ``text``, without zeros at the end of the fraction.
    package var canonicalText: String {
        var surplus = 0
        while surplus < scale, surplus < digits.count, digits[digits.count - 1 - surplus] == 0 { surplus += 1 }
        return text(dropping: digits.isEmpty ? scale : surplus)
    }

    private func text(dropping surplus: Int) -> String {
        let kept = digits.dropLast(surplus)
        let scale = self.scale - surplus
        var out: [UInt8] = isNegative ? [UInt8(ascii: "-")] : []
        let whole = kept.count - scale
        if whole <= 0 { out.append(UInt8(ascii: "0")) } else { out += kept.prefix(whole).map { $0 + 0x30 } }
        if scale > 0 {
            out.append(UInt8(ascii: "."))
            out += [UInt8](repeating: 0x30, count: max(0, -whole))
            out += kept.dropFirst(max(0, whole)).map { $0 + 0x30 }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The number as an integer, or nil where it has a fraction or does not fit.
    package func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T? { T(canonicalText) }

    /// The largest integer that is not greater.
    package var roundedDown: DecimalText {
        let whole = Array(digits.dropLast(min(scale, digits.count)))
        let rest = digits.suffix(min(scale, digits.count))
        let floor = DecimalText(isNegative: isNegative, digits: whole, scale: 0)
        guard isNegative, rest.contains(where: { $0 != 0 }) else { return floor }
        return floor - DecimalText(1)
    }

    /// The exact difference.
    package static func - (left: DecimalText, right: DecimalText) -> DecimalText {
        let scale = max(left.scale, right.scale)
        let a = left.aligned(to: scale)
        let b = right.aligned(to: scale)
        if left.isNegative != right.isNegative {
            return DecimalText(isNegative: left.isNegative, digits: sum(a, b), scale: scale)
        }
        if compareMagnitudes(a, b) >= 0 {
            return DecimalText(isNegative: left.isNegative, digits: difference(a, b), scale: scale)
        }
        return DecimalText(isNegative: !left.isNegative, digits: difference(b, a), scale: scale)
    }

    /// Negative, zero or positive, as the left number is less than, equal to or greater than the right one.
    package static func compare(_ left: DecimalText, _ right: DecimalText) -> Int {
        if left.isNegative != right.isNegative { return left.isNegative ? -1 : 1 }
        let scale = max(left.scale, right.scale)
        let order = compareMagnitudes(left.aligned(to: scale), right.aligned(to: scale))
        return left.isNegative ? -order : order
    }

    private func aligned(to scale: Int) -> [UInt8] {
        digits.isEmpty ? [] : digits + [UInt8](repeating: 0, count: scale - self.scale)
    }

    /// Compares two numbers without leading zeros.
    private static func compareMagnitudes(_ a: [UInt8], _ b: [UInt8]) -> Int {
        if a.count != b.count { return a.count < b.count ? -1 : 1 }
        for index in a.indices where a[index] != b[index] { return a[index] < b[index] ? -1 : 1 }
        return 0
    }

    private static func sum(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: max(a.count, b.count) + 1)
        var carry: UInt8 = 0
        for place in 0..<out.count {
            let total = digit(a, place) + digit(b, place) + carry
            out[out.count - 1 - place] = total % 10
            carry = total / 10
        }
        return out
    }

    /// `a - b`, where `a` is not the smaller one.
    private static func difference(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
        var out = a
        var borrow: UInt8 = 0
        for place in 0..<a.count {
            let taken = digit(b, place) + borrow
            let top = digit(a, place)
            borrow = top < taken ? 1 : 0
            out[a.count - 1 - place] = top + borrow * 10 - taken
        }
        return out
    }

    private static func digit(_ digits: [UInt8], _ place: Int) -> UInt8 {
        place < digits.count ? digits[digits.count - 1 - place] : 0
    }
}

extension DecimalText: Comparable, Hashable {
    package static func == (left: DecimalText, right: DecimalText) -> Bool { compare(left, right) == 0 }

    package static func < (left: DecimalText, right: DecimalText) -> Bool { compare(left, right) < 0 }

    package func hash(into hasher: inout Hasher) { hasher.combine(canonicalText) }
}

extension Int {
    fileprivate var clamped: Int { Swift.max(self, -Int.max) }
}
