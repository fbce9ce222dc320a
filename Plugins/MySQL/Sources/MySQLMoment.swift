// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// A date, a time or both as the server sends them, which need not be any that exist.
struct MySQLMoment: Hashable, Sendable {
    var year: Int64
    var month: Int64
    var day: Int64
    var hour: Int64
    var minute: Int64
    var second: Int64
    var microsecond: Int64
    var isNegative: Bool

    /// Days since 1970-01-01; nil where there is no such day, for example `0000-00-00` or `2024-02-00`.
    var days: Int64? {
        guard (1...12).contains(month), (1...28).contains(day) || CivilDate(year: year, month: month, day: day) != nil
        else { return nil }
        return Self.days(year, month, day)
    }

    /// Days since 1970-01-01 of a day that exists; the year is 0 to 9999.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        // Years start in March here, so that the leap day is the last one; 400 years more keep them positive.
        let marchYear = (month > 2 ? year : year - 1) + 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 719_468 - 146_097
    }

    /// Microseconds since 1970-01-01T00:00:00; nil where there is no such moment.
    var timestamp: Int64? { days.map { $0 * TimeText.dayLength + sinceMidnight } }

    /// Microseconds since midnight; nil where this is no time of a day but a span before or beyond it.
    var timeOfDay: Int64? {
        guard !isNegative, day == 0, sinceMidnight < TimeText.dayLength else { return nil }
        return sinceMidnight
    }

    private var sinceMidnight: Int64 { ((hour * 60 + minute) * 60 + second) * 1_000_000 + microsecond }

    /// The date as MySQL writes it.
    var dateText: String { "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))" }

    /// The time as MySQL writes it; the hours may be more than 23.
    var timeText: String {
        let whole = "\(Self.padded(day * 24 + hour, 2)):\(Self.padded(minute, 2)):\(Self.padded(second, 2))"
        return (isNegative ? "-" : "") + whole + (microsecond == 0 ? "" : "." + Self.padded(microsecond, 6))
    }

    /// Date and time as MySQL writes them.
    var text: String {
        var time = self
        time.day = 0
        return "\(dateText) \(time.timeText)"
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
