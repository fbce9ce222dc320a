// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockSchedule
import Testing

@Suite struct RecurrenceTests {
    private func cron(_ text: String, _ zone: String = "Europe/Berlin", start: String? = nil) throws -> Recurrence {
        try Recurrence(ScheduleDefinition(timing: .cron(text), timezone: zone, start: start.map(clock)))
    }

    private func every(_ seconds: Int64, _ zone: String = "Europe/Berlin", start: String? = nil) throws -> Recurrence {
        try Recurrence(
            ScheduleDefinition(timing: .every(seconds * 1_000_000), timezone: zone, start: start.map(clock)))
    }

    // MARK: The rules, one by one: clocks in Berlin go from 02:00 to 03:00 on 2026-03-29, and from 03:00 to 02:00 on
    // 2026-10-25.

    @Test(arguments: [
        // A time that is skipped runs once, just after the gap.
        ("30 2 * * *", "2026-03-28", "2026-03-31", ["28 02:30 +01:00", "29 03:00 +02:00", "30 02:30 +02:00"]),
        // However many are skipped, and also where one is due at the end of the gap anyway.
        ("*/20 2,3 * * *", "2026-03-29", "2026-03-30", ["29 03:00 +02:00", "29 03:20 +02:00", "29 03:40 +02:00"]),
        (
            "0 */2 * * *", "2026-03-29", "2026-03-29 07:00",
            ["29 00:00 +01:00", "29 03:00 +02:00", "29 04:00 +02:00", "29 06:00 +02:00"]
        ),
        // What goes by the hour goes by the time that passes.
        (
            "15 * * * *", "2026-03-29", "2026-03-29 04:30",
            ["29 00:15 +01:00", "29 01:15 +01:00", "29 03:15 +02:00", "29 04:15 +02:00"]
        ),
        (
            "*/30 * * * *", "2026-03-29 01:00", "2026-03-29 03:30",
            ["29 01:00 +01:00", "29 01:30 +01:00", "29 03:00 +02:00", "29 03:30 +02:00"]
        ),
        // Only the day that has no such time is touched.
        ("30 2 * * SUN", "2026-03-22", "2026-04-06", ["22 02:30 +01:00", "29 03:00 +02:00", "05 02:30 +02:00"]),
    ])
    func clocksAreSetForward(_ text: String, _ from: String, _ to: String, _ expected: [String]) throws {
        let first = from.count == 10 ? from + " 00:00" : from
        let last = to.count == 10 ? to + " 00:00" : to
        #expect(try cron(text).shownTimes(from: first, to: last).map { String($0.dropFirst(8)) } == expected)
    }

    @Test(arguments: [
        // A time that comes twice runs the first time.
        ("30 2 * * *", "2026-10-24", "2026-10-27", ["24 02:30 +02:00", "25 02:30 +02:00", "26 02:30 +01:00"]),
        (
            "*/30 1,2 * * *", "2026-10-25", "2026-10-26",
            ["25 01:00 +02:00", "25 01:30 +02:00", "25 02:00 +02:00", "25 02:30 +02:00"]
        ),
        ("0 3 * * *", "2026-10-25", "2026-10-26", ["25 03:00 +01:00"]),
        (
            "15 * * * *", "2026-10-25 01:00", "2026-10-25 03:30",
            ["25 01:15 +02:00", "25 02:15 +02:00", "25 02:15 +01:00", "25 03:15 +01:00"]
        ),
        (
            "*/30 * * * *", "2026-10-25 02:00", "2026-10-25 03:00",
            ["25 02:00 +02:00", "25 02:30 +02:00", "25 02:00 +01:00", "25 02:30 +01:00", "25 03:00 +01:00"]
        ),
    ])
    func clocksAreSetBack(_ text: String, _ from: String, _ to: String, _ expected: [String]) throws {
        let first = from.count == 10 ? from + " 00:00" : from
        let last = to.count == 10 ? to + " 00:00" : to
        #expect(try cron(text).shownTimes(from: first, to: last).map { String($0.dropFirst(8)) } == expected)
    }

    @Test func aMidnightThatIsSkippedRunsAtOne() throws {
        // Havana's clocks go from 00:00 to 01:00.
        let daily = try cron("@daily", "America/Havana")
        #expect(
            daily.shownTimes(from: "2026-03-07 00:00", to: "2026-03-09 00:00")
                == ["2026-03-07 00:00 -05:00", "2026-03-08 01:00 -04:00", "2026-03-09 00:00 -04:00"])
    }

    @Test func aDayThatNeverWasRunsOnce() throws {
        // Apia went to the other side of the date line, and had no 30th of December.
        let daily = try cron("0 6 * * *", "Pacific/Apia")
        #expect(
            daily.occurrences(
                after: utc("2011-12-29T00:00Z"), through: utc("2012-01-01T00:00Z"), limit: 9
            ).map { shown($0, daily.zone) } == [
                "2011-12-29 06:00 -10:00", "2011-12-31 00:00 +14:00", "2011-12-31 06:00 +14:00",
                "2012-01-01 06:00 +14:00",
            ])
    }

    // MARK: Intervals

    @Test func hoursAreTimeThatPasses() throws {
        let times = try every(6 * 3_600, start: "2026-10-24 18:15").shownTimes(
            from: "2026-10-24 00:00", to: "2026-10-25 13:00")
        #expect(
            times == [
                "2026-10-24 18:15 +02:00", "2026-10-25 00:15 +02:00", "2026-10-25 05:15 +01:00",
                "2026-10-25 11:15 +01:00",
            ])
    }

    @Test func wholeDaysAreDaysOfTheClock() throws {
        let times = try every(2 * 86_400, start: "2026-03-27 02:30").shownTimes(
            from: "2026-03-01 00:00", to: "2026-04-01 00:00")
        #expect(times == ["2026-03-27 02:30 +01:00", "2026-03-29 03:00 +02:00", "2026-03-31 02:30 +02:00"])
        let back = try every(86_400, start: "2026-10-25 02:30").shownTimes(
            from: "2026-10-01 00:00", to: "2026-10-27 00:00")
        #expect(back == ["2026-10-25 02:30 +02:00", "2026-10-26 02:30 +01:00"])
    }

    @Test func withoutAStartItCountsFromAMondayInTheZone() throws {
        #expect(
            try every(8 * 3_600).shownTimes(from: "2026-11-26 00:00", to: "2026-11-26 23:00")
                == ["2026-11-26 00:00 +01:00", "2026-11-26 08:00 +01:00", "2026-11-26 16:00 +01:00"])
        #expect(
            try every(3_600, "Asia/Kolkata").shownTimes(from: "2026-11-26 00:00", to: "2026-11-26 01:00")
                == ["2026-11-26 00:00 +05:30", "2026-11-26 01:00 +05:30"])
        // A Monday.
        #expect(
            try every(7 * 86_400).shownTimes(from: "2026-11-20 00:00", to: "2026-12-01 00:00")
                == ["2026-11-23 00:00 +01:00", "2026-11-30 00:00 +01:00"])
    }

    @Test(arguments: [
        (900, nil), (420, nil), (5_400, "2026-11-01 06:15"), (86_400, nil), (259_200, "2026-11-01 06:15"),
    ])
    func theTimesAreTheSameFromWhereverOneLooks(_ seconds: Int64, _ start: String?) throws {
        let schedule = try every(seconds, start: start)
        let end = utc("2026-12-31T00:00Z")
        let all = schedule.occurrences(after: utc("2026-10-20T00:00Z"), through: end, limit: 100_000)
        #expect(all.count > 10)
        for time in all.dropFirst().prefix(200) {
            #expect(schedule.next(after: time - 1) == time)
            #expect(schedule.next(after: time) != time)
        }
    }

    @Test func nothingRunsBeforeItsStart() throws {
        #expect(
            try cron("0 6 * * *", start: "2026-11-28 06:00").shownTimes(
                from: "2026-11-01 00:00", to: "2026-11-30 00:00")
                == ["2026-11-28 06:00 +01:00", "2026-11-29 06:00 +01:00"])
        #expect(
            try cron("*/20 * * * *", start: "2026-11-28 06:30").next(after: 0)
                == utc("2026-11-28T05:40Z"))
        // A start that no clock shows is the end of the gap.
        #expect(try every(3_600, start: "2026-03-29 02:30").next(after: 0) == utc("2026-03-29T01:00Z"))
    }

    @Test func whatIsOutOfEverySenseIsNoTime() throws {
        let schedule = try cron("0 6 * * *")
        #expect(schedule.next(after: .max) == nil)
        #expect(schedule.next(after: .min) != nil)
        #expect(try every(Int64.max / 1_000_000).next(after: utc("2026-01-01T00:00Z")) == nil)
        #expect(try every(3_600, start: "9999-12-31 23:30").next(after: 0) != nil)
        #expect(throws: ScheduleProblem.self) { try every(0) }
        #expect(throws: ScheduleProblem.self) {
            try Recurrence(ScheduleDefinition(timing: .every(999_999)))
        }
    }

    @Test(arguments: [
        (900, nil, "Every 15 minutes"), (5_400, nil, "Every 90 minutes"), (3_600, nil, "Every hour"),
        (10, nil, "Every 10 seconds"), (86_400, nil, "Every day at 00:00"),
        (3_600, "2026-11-01 06:15", "Every hour, from 2026-11-01 06:15"),
        (172_800, "2026-11-01 06:15", "Every 2 days at 06:15, from 2026-11-01"),
    ])
    func intervalsAreSaidInWords(_ seconds: Int64, _ start: String?, _ words: String) throws {
        #expect(try every(seconds, start: start).words == words)
    }

    // MARK: What a change of the clocks means

    @Test func aChangeOfTheClocksSaysWhatItDoes() throws {
        let year = (utc("2026-01-01T00:00Z"), utc("2027-01-01T00:00Z"))
        func effects(_ recurrence: Recurrence) -> [ClockChange.Effect] {
            recurrence.clockChanges(after: year.0, through: year.1).map(\.effect)
        }
        #expect(effects(try cron("15 6 * * *")) == [.none, .none])
        #expect(
            effects(try cron("30 2 * * *"))
                == [.skipped([clock("2026-03-29 02:30")]), .repeated([clock("2026-10-25 02:30")])])
        #expect(effects(try cron("30 2 * * MON")) == [.none, .none])
        #expect(effects(try cron("5 * * * *")) == [.realTime, .realTime])
        #expect(effects(try every(3_600)) == [.realTime, .realTime])
        #expect(effects(try every(86_400, start: "2026-01-01 02:00"))[0] == .skipped([clock("2026-03-29 02:00")]))
        #expect(effects(try cron("30 2 * * *", "UTC")) == [])
    }
}
