// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Turns the bytes of a field into a typed value; nil where they are not one.
///
/// Nothing around the value is skipped, not even blanks: that is what the setting `trim` is for.
package enum CSVConversion {
    /// Whether `bytes` are digits after an optional sign.
    static func isDigits(_ bytes: Span<UInt8>) -> Bool {
        let start = signLength(bytes)
        return start < bytes.count && digitsEnd(bytes, start) == bytes.count
    }

    /// A signed 64-bit integer.
    package static func integer(_ bytes: Span<UInt8>) -> Int64? {
        let start = signLength(bytes)
        guard start < bytes.count else { return nil }
        let isNegative = bytes[0] == UInt8(ascii: "-")
        var value: Int64 = 0
        for index in start..<bytes.count {
            guard let digit = digit(bytes[index]) else { return nil }
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, carries) =
                isNegative
                ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            if overflows || carries { return nil }
            value = sum
        }
        return value
    }

    /// A decimal as its text: `+` is dropped, and a point gets a digit before it and none needless after it.
    package static func decimal(_ bytes: Span<UInt8>) -> [UInt8]? {
        let start = signLength(bytes)
        let point = digitsEnd(bytes, start)
        let hasPoint = point < bytes.count && bytes[point] == UInt8(ascii: ".")
        let end = hasPoint ? digitsEnd(bytes, point + 1) : point
        let fractionCount = hasPoint ? end - point - 1 : 0
        guard end == bytes.count, point - start + fractionCount > 0 else { return nil }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + 1)
        if start == 1 && bytes[0] == UInt8(ascii: "-") { text.append(bytes[0]) }
        if point == start { text.append(UInt8(ascii: "0")) }
        for index in start..<(fractionCount > 0 ? end : point) { text.append(bytes[index]) }
        return text
    }

    /// Whether a decimal is written as ``decimal(_:)`` would write it: digits, or digits with a point between them.
    package static func isPlainDecimal(_ bytes: Span<UInt8>) -> Bool {
        guard !bytes.isEmpty else { return false }
        let start = bytes[0] == UInt8(ascii: "-") ? 1 : 0
        let point = digitsEnd(bytes, start)
        guard point > start else { return false }
        if point == bytes.count { return true }
        return bytes[point] == UInt8(ascii: ".") && point + 1 < bytes.count
            && digitsEnd(bytes, point + 1) == bytes.count
    }

    /// The double nearest to a decimal number with or without an exponent; nil for what it cannot hold.
    package static func number(_ bytes: Span<UInt8>) -> Double? {
        let start = signLength(bytes)
        let point = digitsEnd(bytes, start)
        var end = point
        var digitCount = point - start
        if end < bytes.count && bytes[end] == UInt8(ascii: ".") {
            end = digitsEnd(bytes, point + 1)
            digitCount += end - point - 1
        }
        guard digitCount > 0 else { return nil }
        if end == bytes.count && digitCount <= 15 { return exactNumber(bytes, start) }
        if end < bytes.count {
            guard bytes[end] | 0x20 == UInt8(ascii: "e"), end + 1 < bytes.count else { return nil }
            let isSigned = bytes[end + 1] == UInt8(ascii: "-") || bytes[end + 1] == UInt8(ascii: "+")
            let exponent = end + (isSigned ? 2 : 1)
            guard exponent < bytes.count, digitsEnd(bytes, exponent) == bytes.count else { return nil }
        }
        guard let value = Double(text(bytes)), value.isFinite else { return nil }
        return value
    }

    /// A number of at most 15 digits: both it and its power of ten are exact, so one division rounds once.
    private static func exactNumber(_ bytes: Span<UInt8>, _ start: Int) -> Double {
        var digits: Int64 = 0
        var power = 1.0
        var isFraction = false
        for index in start..<bytes.count {
            guard let digit = digit(bytes[index]) else {
                isFraction = true
                continue
            }
            digits = digits * 10 + digit
            if isFraction { power *= 10 }
        }
        let value = Double(digits) / power
        return bytes[0] == UInt8(ascii: "-") ? -value : value
    }

    /// 1 or 0.
    package static func boolean(_ bytes: Span<UInt8>) -> Int64? {
        guard 1...5 ~= bytes.count else { return nil }
        var word: UInt64 = 0
        for index in 0..<bytes.count {
            let byte = bytes[index]
            word = word << 8 | UInt64(0x41...0x5A ~= byte ? byte | 0x20 : byte)
        }
        switch word {
        case 0x7472_7565, 0x74, 0x0079_6573, 0x31: return 1
        case 0x0066_616C_7365, 0x66, 0x6E6F, 0x30: return 0
        default: return nil
        }
    }

    /// Days since 1970-01-01; the year is 0001 to 9999.
    package static func date(_ bytes: Span<UInt8>) -> Int64? {
        var end = 0
        guard bytes.count == "YYYY-MM-DD".utf8.count, let days = TimeScanner.date(bytes, &end) else { return nil }
        return CivilDate.fourDigitDays.contains(days) ? days : nil
    }

    /// Microseconds since midnight.
    package static func time(_ bytes: Span<UInt8>) -> Int64? {
        var end = 0
        guard let value = TimeScanner.time(bytes, &end), end == bytes.count else { return nil }
        return value
    }

    /// Microseconds since 1970-01-01T00:00:00.
    package static func timestamp(_ bytes: Span<UInt8>) -> Int64? {
        var end = 0
        guard let value = dateAndTime(bytes, &end), end == bytes.count else { return nil }
        return value
    }

    /// Microseconds since 1970-01-01T00:00:00Z; the offset is `Z`, `±HH`, `±HHMM` or `±HH:MM`, at most 15:59.
    package static func instant(_ bytes: Span<UInt8>) -> Int64? {
        var end = 0
        guard let local = dateAndTime(bytes, &end), let offset = TimeScanner.offset(bytes, &end), end == bytes.count,
            abs(offset) < 16 * 60
        else { return nil }
        let value = local - offset * 60_000_000
        return isInRange(value) ? value : nil
    }

    /// Whether `bytes` are a JSON text.
    package static func isJSON(_ bytes: [UInt8]) -> Bool {
        do {
            _ = try JSON(parsing: bytes)
            return true
        } catch {
            return false
        }
    }

    private static func dateAndTime(_ bytes: Span<UInt8>, _ end: inout Int) -> Int64? {
        guard let value = TimeScanner.timestamp(bytes, &end), isInRange(value) else { return nil }
        return value
    }

    private static func isInRange(_ microseconds: Int64) -> Bool {
        let days = CivilDate.fourDigitDays
        return microseconds >= days.lowerBound * TimeText.dayLength
            && microseconds < (days.upperBound + 1) * TimeText.dayLength
    }

    private static func signLength(_ bytes: Span<UInt8>) -> Int {
        !bytes.isEmpty && (bytes[0] == UInt8(ascii: "-") || bytes[0] == UInt8(ascii: "+")) ? 1 : 0
    }

    private static func digit(_ byte: UInt8) -> Int64? {
        let value = byte &- 48
        return value < 10 ? Int64(value) : nil
    }

    private static func digitsEnd(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        while index < bytes.count && bytes[index] &- 48 < 10 { index += 1 }
        return index
    }

    /// The characters of `bytes`, which are ASCII.
    private static func text(_ bytes: Span<UInt8>) -> String {
        var text = ""
        for index in 0..<bytes.count { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
        return text
    }
}
