// SPDX-License-Identifier: Apache-2.0

/// Dates, times and instants as text, exact to the microsecond in both directions.
public enum TimeText {
    /// Microseconds of a day.
    public static var dayLength: Int64 { 86_400_000_000 }

    /// A date and time as written, with its offset from UTC where one was written.
    public struct Stamp: Sendable, Hashable {
        /// Microseconds since 1970-01-01T00:00:00, in local time.
        public let local: Int64
        /// Minutes east of UTC, or nil where the text names no zone.
        public let offset: Int64?

        /// Microseconds since 1970-01-01T00:00:00Z, or nil without a zone.
        public var instant: Int64? {
            guard let offset else { return nil }
            let (result, overflow) = local.subtractingReportingOverflow(offset * 60_000_000)
            return overflow ? nil : result
        }
    }

    /// The day that a moment falls on, counted from 1970-01-01.
    ///
    /// - Parameter microseconds: Microseconds since 1970-01-01T00:00:00.
    public static func day(of microseconds: Int64) -> Int64 { floorDivided(microseconds, by: dayLength) }

    /// A date as `YYYY-MM-DD`, or nil more than 10⁹ days from 1970.
    ///
    /// Years before 0 and after 9999 carry a sign.
    public static func date(_ days: Int64) -> String? { CivilDate(days: days)?.text }

    /// `HH:MM:SS`, with six digits of a fraction where there is one.
    public static func time(_ microseconds: Int64) -> String {
        var bytes: [UInt8] = []
        writeTime(microseconds, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `YYYY-MM-DDTHH:MM:SS`, with six digits of a fraction where there is one.
    public static func timestamp(_ microseconds: Int64) -> String {
        var bytes: [UInt8] = []
        writeTimestamp(microseconds, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// As ``timestamp(_:)``, with `Z`.
    public static func instant(_ microseconds: Int64) -> String { timestamp(microseconds) + "Z" }

    /// Appends ``timestamp(_:)``.
    public static func writeTimestamp(_ microseconds: Int64, into out: inout [UInt8]) {
        let day = day(of: microseconds)
        let sinceMidnight = microseconds % dayLength
        CivilDate(near: day).write(into: &out)
        out.append(UInt8(ascii: "T"))
        writeTime(sinceMidnight < 0 ? sinceMidnight + dayLength : sinceMidnight, into: &out)
    }

    private static func writeTime(_ microseconds: Int64, into out: inout [UInt8]) {
        let seconds = microseconds / 1_000_000
        let fraction = microseconds % 1_000_000
        out.append(decimal: seconds / 3600, width: 2)
        out.append(UInt8(ascii: ":"))
        out.append(decimal: seconds / 60 % 60, width: 2)
        out.append(UInt8(ascii: ":"))
        out.append(decimal: seconds % 60, width: 2)
        guard fraction != 0 else { return }
        out.append(UInt8(ascii: "."))
        out.append(decimal: fraction, width: 6)
    }

    /// Days since 1970-01-01 of `YYYY-MM-DD`, or nil for anything else.
    ///
    /// A year with a sign may have more than four digits.
    public static func parseDate(_ text: some StringProtocol) -> Int64? {
        let bytes = Array(text.utf8)
        var position = 0
        guard let days = date(bytes.span, &position), position == bytes.count else { return nil }
        return days
    }

    /// Microseconds since midnight of `HH:MM`, `HH:MM:SS` or `HH:MM:SS.ffffff`, or nil for anything else.
    public static func parseTime(_ text: some StringProtocol) -> Int64? {
        let bytes = Array(text.utf8)
        var position = 0
        guard let time = TimeScanner.time(bytes.span, &position), position == bytes.count else { return nil }
        return time
    }

    /// A date and a time with `T` or a space between, and a zone or nothing after; nil for anything else.
    ///
    /// The zone is `Z`, `±HH`, `±HHMM` or `±HH:MM`.
    public static func parseStamp(_ text: some StringProtocol) -> Stamp? {
        let bytes = Array(text.utf8)
        var position = 0
        guard let days = date(bytes.span, &position), TimeScanner.separator(bytes.span, &position),
            let time = TimeScanner.time(bytes.span, &position)
        else { return nil }
        let offset = position < bytes.count ? TimeScanner.offset(bytes.span, &position) : nil
        guard position == bytes.count, let local = Int64(exactly: Int128(days) * Int128(dayLength) + Int128(time))
        else { return nil }
        return Stamp(local: local, offset: offset)
    }

    private static func date(_ bytes: Span<UInt8>, _ position: inout Int) -> Int64? {
        guard let sign = bytes.isEmpty ? nil : bytes[0], sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") else {
            return TimeScanner.date(bytes, &position)
        }
        var end = 1
        var year: Int64 = 0
        while end < bytes.count, year < 1_000_000, let digit = TimeScanner.digit(bytes[end]) {
            year = year * 10 + digit
            end += 1
        }
        guard end >= 5, let days = TimeScanner.monthAndDay(bytes, &end, year: sign == UInt8(ascii: "-") ? -year : year)
        else { return nil }
        position = end
        return days
    }
}
