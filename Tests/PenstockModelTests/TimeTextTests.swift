// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Testing

@Suite struct TimeTextTests {
    @Test(
        "Days that do not exist are refused",
        arguments: [
            "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-04-31", "2024-1-1", "24-01-01", "2024-01-01 ",
        ])
    func missingDaysAreRefused(text: String) { #expect(TimeText.parseDate(text) == nil) }

    @Test func timestampsSurviveTheirText() {
        let spread = (0..<2_000).map { Int64.min &+ $0 &* 9_223_372_036_854_771 }
        for value in spread + [.max, 0, -1, 1, -1_000_000] {
            #expect(TimeText.parseStamp(TimeText.timestamp(value))?.local == value)
            #expect(TimeText.parseStamp(TimeText.instant(value))?.instant == value)
        }
    }

    @Test(
        "Times are read to the microsecond and not further",
        arguments: [
            ("13:30", 48_600_000_000), ("00:00:00.000001", 1), ("23:59:59.9", 86_399_900_000),
            ("00:00:00.1000000", 100_000),
            ("00:00:00.0000001", nil), ("24:00:00", nil), ("1:00", nil), ("12:60", nil), ("12:00:", nil),
            ("12:00:00.", nil),
        ] as [(String, Int64?)])
    func timesAreExact(text: String, wanted: Int64?) { #expect(TimeText.parseTime(text) == wanted) }

    @Test(
        "Signed years are read and written",
        arguments: [("-0001-12-31", -719_529), ("+10000-01-01", 2_932_897), ("0000-01-01", -719_528)]
            as [(String, Int64)])
    func signedYearsSurvive(text: String, days: Int64) {
        #expect(TimeText.parseDate(text) == days)
        #expect(TimeText.date(days) == text)
    }

    @Test func aStampSaysItsZone() {
        #expect(TimeText.parseStamp("1970-01-01 01:00:00+01:30")?.local == 3_600_000_000)
        #expect(TimeText.parseStamp("1970-01-01 01:00:00+01:30")?.instant == -1_800_000_000)
        #expect(TimeText.parseStamp("1970-01-01T00:00")?.offset == nil)
        #expect(TimeText.parseStamp("1970-01-01T00:00")?.instant == nil)
        #expect(TimeText.parseStamp("1970-01-01T00:00 UTC") == nil)
    }
}
