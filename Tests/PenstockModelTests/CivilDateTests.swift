// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Testing

@Suite struct CivilDateTests {
    @Test func daysFollowTheCalendarOneByOne() throws {
        var date = try #require(CivilDate(year: 1599, month: 12, day: 31))
        var days = date.days
        while date.year < 2101 {
            days += 1
            let next = try #require(CivilDate(days: days))
            #expect(next.days == days)
            let isSuccessor =
                next.year == date.year && next.month == date.month && next.day == date.day + 1
                || next.day == 1 && CivilDate(year: date.year, month: date.month, day: date.day + 1) == nil
            #expect(isSuccessor, "\(date) is followed by \(next)")
            date = next
        }
    }

    @Test(
        "Known dates have their days",
        arguments: [
            (1970, 1, 1, 0), (2000, 2, 29, 11_016), (1969, 12, 31, -1), (1, 1, 1, -719_162), (9999, 12, 31, 2_932_896),
        ] as [(Int64, Int64, Int64, Int64)])
    func knownDates(year: Int64, month: Int64, day: Int64, days: Int64) {
        #expect(CivilDate(year: year, month: month, day: day)?.days == days)
    }

    @Test func theFourDigitDaysAreThoseOfTheYears1To9999() {
        let days = CivilDate.fourDigitDays
        for day in [days.lowerBound - 1, days.lowerBound, days.upperBound, days.upperBound + 1] {
            #expect(CivilDate(days: day)?.hasFourDigitYear == days.contains(day))
        }
    }

    @Test func daysOutOfReachAreRefused() {
        #expect(CivilDate(days: 2_145_042_905)?.text == "+5874897-12-31", "the last day that PostgreSQL knows")
        #expect(CivilDate(days: 2_500_000_000)?.days == 2_500_000_000)
        #expect(CivilDate(days: -2_500_000_000)?.days == -2_500_000_000)
        #expect(CivilDate(days: 2_500_000_001) == nil)
        #expect(CivilDate(days: .min) == nil)
    }
}
