// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Dates and times in the shapes that the API uses, in UTC.
enum Timestamp {
    /// `2021-01-01T00:00:00Z`.
    static func text(_ seconds: Int64) -> String { TimeText.instant(seconds * 1_000_000) }

    /// `2021-01-01 00:00:00`, the shape of v1.
    static func v1Text(_ seconds: Int64) -> String {
        String(TimeText.timestamp(seconds * 1_000_000).map { $0 == "T" ? " " : $0 })
    }

    /// Days since 1970-01-01 of `YYYY-MM-DD`, or nil where there is no such day.
    static func days(_ text: some StringProtocol) -> Int64? {
        let bytes = Array(text.utf8)
        var end = 0
        guard let days = TimeScanner.date(bytes.span, &end), end == bytes.count else { return nil }
        return days
    }

    /// Seconds of `HH:MM:SS`, or of `HH:MM` where `short` allows it, or nil.
    static func clock(_ text: some StringProtocol, short: Bool = false) -> Int64? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3 || (short && parts.count == 2), let hours = digits(parts[0], 2),
            let minutes = digits(parts[1], 2), let seconds = parts.count == 3 ? digits(parts[2], 2) : 0,
            hours < 24, minutes < 60, seconds < 60
        else { return nil }
        return hours * 3600 + minutes * 60 + seconds
    }

    /// Seconds since 1970 of an RFC 3339 text, or nil; fractions of a second are refused as the live API does.
    static func parse(_ text: String) -> Int64? {
        let halves = text.split(separator: "T", omittingEmptySubsequences: false)
        guard halves.count == 2, let days = days(halves[0]), halves[1].utf8.count >= 9,
            let clock = clock(halves[1].prefix(8)), let offset = offset(halves[1].dropFirst(8))
        else { return nil }
        return days * 86_400 + clock - offset
    }

    private static func offset(_ text: Substring) -> Int64? {
        if text == "Z" { return 0 }
        guard let sign = text.first, sign == "+" || sign == "-", text.utf8.count == 6,
            let seconds = clock(text.dropFirst(), short: true)
        else { return nil }
        return sign == "+" ? seconds : -seconds
    }

    private static func digits(_ text: some StringProtocol, _ count: Int) -> Int64? {
        guard text.utf8.count == count, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text)
    }
}
