// SPDX-License-Identifier: Apache-2.0

import CSVConnector
import Glibc
import PenstockEngine
import PenstockModel

extension FuzzTarget {
    /// Dates, times, moments and numbers as text: the calendar of the C library, and back to the same text.
    static let text = FuzzTarget(
        "text",
        pieces: [
            "2026-02-29", "2024-02-29", "-0001-12-31", "+10000-01-01", "T", " ", "23:59:59.999999", "24:00", "Z",
            "+14:00", "-0530", ".5", "1e5", "1E-5", "-0", "+1", "9223372036854775808", "0.1", "00", "_", "e", "١",
        ]
    ) { bytes, isPlanted in
        let text = String(decoding: bytes, as: UTF8.self)
        // The planted fault: a moment with a fraction and a zone.
        let stamp = TimeText.parseStamp(text)
        if isPlanted, let stamp, stamp.offset != nil, stamp.local % 1_000_000 != 0 { return "planted" }
        return dateFault(text) ?? stampFault(stamp) ?? numberFault(bytes, text) ?? decimalFault(text)
    }

    /// Days since 1970-01-01 of exactly `YYYY-MM-DD`, as the C library counts them; nil where it is no such day.
    private static func referenceDays(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        let isShaped = bytes.enumerated().allSatisfy { place, byte in
            place == 4 || place == 7 ? byte == UInt8(ascii: "-") : (0x30...0x39).contains(byte)
        }
        guard bytes.count == 10, isShaped else { return nil }
        func number(_ range: Range<Int>) -> Int32 { bytes[range].reduce(0) { $0 * 10 + Int32($1 - 0x30) } }
        var wanted = tm()
        wanted.tm_year = number(0..<4) - 1900
        wanted.tm_mon = number(5..<7) - 1
        wanted.tm_mday = number(8..<10)
        var found = wanted
        let seconds = timegm(&found)
        let isSame = (found.tm_year, found.tm_mon, found.tm_mday) == (wanted.tm_year, wanted.tm_mon, wanted.tm_mday)
        return isSame ? Int64(seconds) / 86_400 : nil
    }

    private static func dateFault(_ text: String) -> String? {
        let days = TimeText.parseDate(text)
        let isSigned = text.utf8.first == UInt8(ascii: "-") || text.utf8.first == UInt8(ascii: "+")
        if !isSigned, days != referenceDays(text) {
            return
                "the date is \(String(describing: days)), by the C library \(String(describing: referenceDays(text)))"
        }
        guard let days, let written = TimeText.date(days) else { return nil }
        return TimeText.parseDate(written) == days ? nil : "the date \(days) is written as \(written)"
    }

    private static func stampFault(_ stamp: TimeText.Stamp?) -> String? {
        guard let stamp else { return nil }
        let written = TimeText.timestamp(stamp.local)
        if TimeText.parseStamp(written)?.local != stamp.local { return "the moment is written as \(written)" }
        guard let instant = stamp.instant else { return nil }
        let text = TimeText.instant(instant)
        return TimeText.parseStamp(text)?.instant == instant ? nil : "the instant is written as \(text)"
    }

    private static func numberFault(_ bytes: [UInt8], _ text: String) -> String? {
        if CSVConversion.integer(bytes.span) != (text.utf8.elementsEqual(bytes) ? Int64(text) : nil) {
            return "the integer is \(String(describing: CSVConversion.integer(bytes.span)))"
        }
        if let number = CSVConversion.number(bytes.span) {
            let expected = strtod(text, nil)
            if number != expected || number.sign != expected.sign { return "the number is \(number), not \(expected)" }
        }
        if let decimal = CSVConversion.decimal(bytes.span) {
            let written = String(decoding: decimal, as: UTF8.self)
            if DecimalText(written) != DecimalText(text) { return "the decimal became \(written)" }
        }
        return nil
    }

    private static func decimalFault(_ text: String) -> String? {
        guard text.utf8.count < 64, let decimal = DecimalText(text) else { return nil }
        let canonical = decimal.canonicalText
        // A short text with a large exponent is a long number; the arithmetic on it is tried with shorter ones.
        guard canonical.utf8.count < 400 else { return nil }
        guard let again = DecimalText(canonical), again == decimal, again.canonicalText == canonical else {
            return "the decimal's one text is \(canonical)"
        }
        guard let plain = DecimalText(decimal.text), plain == decimal else {
            return "the decimal reads \(decimal.text)"
        }
        let zero = decimal - decimal
        if zero != DecimalText(0) || zero.canonicalText != "0" { return "the decimal minus itself is \(zero.text)" }
        let fraction = decimal - decimal.roundedDown
        if fraction < DecimalText(0) || fraction >= DecimalText(1) { return "rounded down it is further than 1" }
        // The C library rounds to a double; what is larger there is not smaller here.
        let half = strtod(canonical, nil)
        if half > 0.5, decimal < DecimalText(0) { return "a positive number is less than zero" }
        return nil
    }
}
