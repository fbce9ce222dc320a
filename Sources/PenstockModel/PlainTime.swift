// SPDX-License-Identifier: Apache-2.0

/// Dates and times in the one form that most sources write, read without looking at every byte for its own sake.
///
/// Nil says only that a text is not of that form: ``TimeScanner`` decides then. What is read is what it would read.
public enum PlainTime {
    /// Days since 1970-01-01 of `YYYY-MM-DD`; nil for another form, and for no day of the calendar.
    @inline(__always)
    public static func date(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard text.count == 10, let start = text.baseAddress else { return nil }
        return date(at: start)
    }

    /// Microseconds since 1970-01-01T00:00:00 of `YYYY-MM-DD HH:MM:SS`, with a blank or a `T` between.
    @inline(__always)
    public static func timestamp(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard text.count == 19, let start = text.baseAddress else { return nil }
        return timestamp(at: start)
    }

    /// Microseconds since 1970-01-01T00:00:00Z of the same with a `Z` behind it.
    @inline(__always)
    public static func instant(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard text.count == 20, let start = text.baseAddress, start[19] == UInt8(ascii: "Z") else { return nil }
        return timestamp(at: start)
    }

    private static func timestamp(at text: UnsafePointer<UInt8>) -> Int64? {
        guard let days = date(at: text) else { return nil }
        let separator = text[10]
        guard separator == UInt8(ascii: " ") || separator == UInt8(ascii: "T"), text[13] == UInt8(ascii: ":"),
            text[16] == UInt8(ascii: ":")
        else { return nil }
        var isBad = false
        let hour = pair(text + 11, &isBad)
        let minute = pair(text + 14, &isBad)
        let second = pair(text + 17, &isBad)
        guard !isBad, hour < 24, minute < 60, second < 60 else { return nil }
        return days &* 86_400_000_000 &+ ((hour &* 60 &+ minute) &* 60 &+ second) &* 1_000_000
    }

    private static func date(at text: UnsafePointer<UInt8>) -> Int64? {
        var isBad = text[4] != UInt8(ascii: "-") || text[7] != UInt8(ascii: "-")
        let year = pair(text, &isBad) &* 100 &+ pair(text + 2, &isBad)
        let month = pair(text + 5, &isBad)
        let day = pair(text + 8, &isBad)
        guard !isBad, month >= 1, month <= 12, day >= 1 else { return nil }
        // The days that only some months have are for the calendar to say.
        if day > 28 { return CivilDate(year: year, month: month, day: day)?.days }
        // Years start in March here, so that the leap day is the last one; 400 years more keep them positive.
        let marchYear = UInt64(bitPattern: (month > 2 ? year : year &- 1) &+ 400)
        let marchMonth = UInt64(bitPattern: month > 2 ? month &- 3 : month &+ 9)
        let dayOfYear = (153 &* marchMonth &+ 2) / 5 &+ UInt64(bitPattern: day) &- 1
        let days = marchYear &* 365 &+ marchYear / 4 &- marchYear / 100 &+ marchYear / 400 &+ dayOfYear
        return Int64(bitPattern: days) &- 719_468 &- 146_097
    }

    /// The number of two digits; `isBad` where they are none.
    @inline(__always)
    private static func pair(_ text: UnsafePointer<UInt8>, _ isBad: inout Bool) -> Int64 {
        let tens = text[0] &- 48
        let ones = text[1] &- 48
        isBad = isBad || tens > 9 || ones > 9
        return Int64(tens) &* 10 &+ Int64(ones)
    }
}
