// SPDX-License-Identifier: Apache-2.0

/// Reads the parts of ISO 8601 dates and times from the front of bytes.
///
/// Each function reads at `position` and moves it behind what it read; where it returns nil it leaves it alone. Strict:
/// no value is rounded, no field is carried into the next, nothing around a part is skipped. Which parts a text may
/// have, and what may follow, is for the caller to say.
public enum TimeScanner {
    /// Days since 1970-01-01 of `YYYY-MM-DD` with a year from 0000 to 9999, or nil.
    public static func date(_ bytes: Span<UInt8>, _ position: inout Int) -> Int64? {
        guard let century = pair(bytes, position), let rest = pair(bytes, position + 2) else { return nil }
        var end = position + 4
        guard let days = monthAndDay(bytes, &end, year: century * 100 + rest) else { return nil }
        position = end
        return days
    }

    /// Microseconds since midnight of `HH:MM`, `HH:MM:SS` or `HH:MM:SS.f`, or nil.
    ///
    /// Digits past the sixth of the fraction must be zeros, because they would be lost.
    public static func time(_ bytes: Span<UInt8>, _ position: inout Int) -> Int64? {
        guard let hour = pair(bytes, position), let minute = pair(bytes, position + 3), hour < 24, minute < 60,
            bytes[position + 2] == UInt8(ascii: ":")
        else { return nil }
        var end = position + 5
        var value = (hour * 60 + minute) * 60_000_000
        if end < bytes.count, bytes[end] == UInt8(ascii: ":") {
            guard let second = pair(bytes, end + 1), second < 60 else { return nil }
            value += second * 1_000_000
            end += 3
            if end < bytes.count, bytes[end] == UInt8(ascii: ".") {
                guard let fraction = fraction(bytes, &end) else { return nil }
                value += fraction
            }
        }
        position = end
        return value
    }

    /// Microseconds since 1970-01-01T00:00:00 of a date, a `T`, `t` or space, and a time; or nil.
    public static func timestamp(_ bytes: Span<UInt8>, _ position: inout Int) -> Int64? {
        var end = position
        guard let days = date(bytes, &end), separator(bytes, &end), let time = time(bytes, &end) else { return nil }
        position = end
        return days * TimeText.dayLength + time
    }

    /// Minutes east of UTC, at most 23:59 either way, of `Z`, `z`, `±HH`, `±HHMM` or `±HH:MM`; or nil.
    public static func offset(_ bytes: Span<UInt8>, _ position: inout Int) -> Int64? {
        guard position < bytes.count else { return nil }
        let sign = bytes[position]
        if sign | 0x20 == UInt8(ascii: "z") {
            position += 1
            return 0
        }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), let hours = pair(bytes, position + 1), hours < 24
        else { return nil }
        var end = position + 3
        var minutes: Int64 = 0
        let hasColon = end < bytes.count && bytes[end] == UInt8(ascii: ":")
        if hasColon || end < bytes.count && digit(bytes[end]) != nil {
            end += hasColon ? 1 : 0
            guard let written = pair(bytes, end), written < 60 else { return nil }
            minutes = written
            end += 2
        }
        position = end
        let value = hours * 60 + minutes
        return sign == UInt8(ascii: "-") ? -value : value
    }

    /// Whether a `T`, `t` or space stands at `position`, as between a date and a time.
    static func separator(_ bytes: Span<UInt8>, _ position: inout Int) -> Bool {
        guard position < bytes.count else { return false }
        let byte = bytes[position]
        guard byte == UInt8(ascii: " ") || byte | 0x20 == UInt8(ascii: "t") else { return false }
        position += 1
        return true
    }

    /// Days since 1970-01-01 of the `-MM-DD` behind a year, or nil.
    @inline(__always)
    static func monthAndDay(_ bytes: Span<UInt8>, _ position: inout Int, year: Int64) -> Int64? {
        guard let month = pair(bytes, position + 1), let day = pair(bytes, position + 4),
            bytes[position] == UInt8(ascii: "-"), bytes[position + 3] == UInt8(ascii: "-"),
            let date = CivilDate(year: year, month: month, day: day)
        else { return nil }
        position += 6
        return date.days
    }

    /// The value of a digit.
    static func digit(_ byte: UInt8) -> Int64? {
        let value = byte &- 0x30
        return value < 10 ? Int64(value) : nil
    }

    /// Microseconds of a point and the digits behind it.
    @inline(__always)
    private static func fraction(_ bytes: Span<UInt8>, _ position: inout Int) -> Int64? {
        let start = position + 1
        var end = start
        var value: Int64 = 0
        var scale: Int64 = 100_000
        while end < bytes.count, let digit = digit(bytes[end]) {
            if scale == 0 && digit != 0 { return nil }
            value += digit * scale
            scale /= 10
            end += 1
        }
        guard end > start else { return nil }
        position = end
        return value
    }

    /// The number in the two digits at `position`.
    @inline(__always)
    private static func pair(_ bytes: Span<UInt8>, _ position: Int) -> Int64? {
        guard position + 1 < bytes.count, let tens = digit(bytes[position]), let ones = digit(bytes[position + 1])
        else { return nil }
        return tens * 10 + ones
    }
}
