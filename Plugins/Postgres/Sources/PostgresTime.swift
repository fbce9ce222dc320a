// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Days and microseconds between the server's epoch, 2000-01-01, and ours, 1970-01-01; and limits written in SQL.
enum PostgresTime {
    /// The day of the server's epoch.
    static let epochDay: Int64 = 10_957
    /// The microsecond of the server's epoch.
    static let epochMoment = epochDay * TimeText.dayLength
    /// The days that the server has dates for.
    private static let days: ClosedRange<Int64> = -2_440_588...2_145_042_905
    /// The earliest moment that the server has.
    private static let momentMin = days.lowerBound * TimeText.dayLength

    /// A day as SQL, exact; beyond the server's dates an infinity.
    static func sql(day: Int64) -> String {
        if day < days.lowerBound { return "'-infinity'::date" }
        return day > days.upperBound ? "'infinity'::date" : "(date '1970-01-01' + (\(day)))"
    }

    /// A moment as SQL, exact to the microsecond; before the server's first an infinity.
    ///
    /// - Parameter type: `timestamp`, or `timestamptz` in a session whose zone is UTC.
    static func sql(moment: Int64, _ type: String) -> String {
        if moment < momentMin { return "'-infinity'::\(type)" }
        let day = TimeText.day(of: moment)
        let time = TimeText.time(moment - day * TimeText.dayLength)
        return "(\(type) '1970-01-01 00:00:00' + interval '\(day) days +\(time)')"
    }
}
