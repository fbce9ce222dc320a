// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockSchedule
import Testing

/// The times of random expressions against a clock that is looked at every minute, with Foundation's time zones.
@Suite struct RecurrencePropertyTests {
    private static let zones = [
        "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "America/Havana",
        "Asia/Kathmandu", "Pacific/Chatham", "Europe/Dublin", "UTC",
    ]

    /// What every clock in the zone shows, minute by minute: local minutes since 1970.
    private func minutes(_ zone: TimeZone, from first: Int64, count: Int) -> [Int64] {
        (0..<count).map { index in
            let time = first + Int64(index) * 60_000
            let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(time / 1_000)))
            return (time / 1_000 + Int64(offset)) / 60
        }
    }

    /// The rules, minute by minute.
    private func reference(_ cron: RandomCron, _ clock: [Int64], first: Int64) -> [Int64] {
        var times: [Int64] = []
        var shown = clock[0]
        for (index, local) in clock.enumerated().dropFirst() {
            let isDue: Bool
            if cron.hours.count == 24 {
                isDue = cron.matches(local)
            } else {
                // What was shown before came the first time then; what is left out comes now.
                isDue = local > shown && (shown + 1...local).contains { cron.matches($0) }
                shown = max(shown, local)
            }
            if isDue { times.append(first + Int64(index) * 60_000) }
        }
        return times
    }

    @Test(arguments: 1...24 as ClosedRange<UInt64>)
    func timesAreThoseOfAClockThatIsLookedAtEveryMinute(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let name = Self.zones[Int(seed) % Self.zones.count]
        let zone = try #require(TimeZone(identifier: name))
        let year = Int.random(in: 2008...2036, using: &random)
        // Near a change of the clocks where the zone has them, with days on both sides.
        let from = utc("\(year)-01-01T00:00Z") + Int64.random(in: 0..<300, using: &random) * 86_400_000
        let rules = try ZoneDatabase.system.rules(name)
        let first = (rules.change(after: from)?.at ?? from) / 3_600_000 * 3_600_000 - 3 * 86_400_000
        let count = 7 * 1_440
        let clock = minutes(zone, from: first, count: count)
        for _ in 0..<25 {
            let cron = RandomCron(using: &random)
            // An expression that never runs is refused, and that is another test's matter.
            guard let recurrence = try? Recurrence(ScheduleDefinition(timing: .cron(cron.text), timezone: name)) else {
                continue
            }
            let expected = reference(cron, clock, first: first)
            let times = recurrence.occurrences(
                after: first, through: first + Int64(count - 1) * 60_000, limit: .max)
            #expect(times == expected, "seed \(seed): \(cron.text) in \(name) from \(first)")
        }
    }

    @Test(arguments: 101...112 as ClosedRange<UInt64>)
    func overYearsEveryDayHasAsManyTimesAsTheExpressionSays(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let name = Self.zones[Int(seed) % Self.zones.count]
        let firstDay = try #require(CivilDate(year: Int64.random(in: 1990...2090, using: &random), month: 1, day: 1))
            .days
        for _ in 0..<6 {
            var cron = RandomCron(using: &random)
            // One time a day keeps years short, and noon is on no zone's change.
            let rest = cron.text.split(separator: " ").dropFirst(2)
            cron.text = (["7", "12"] + rest).joined(separator: " ")
            guard
                // The same: what never runs is refused.
                let recurrence = try? Recurrence(ScheduleDefinition(timing: .cron(cron.text), timezone: name))
            else { continue }
            let days = firstDay..<firstDay + 6 * 366
            let expected = days.filter { cron.matches(day: $0) }.map { ($0 * 1_440 + 12 * 60 + 7) * 60_000 }
            let zone = recurrence.zone
            let times = recurrence.occurrences(
                after: zone.instant(ofLocal: days.lowerBound * 86_400_000) - 1,
                through: zone.instant(ofLocal: days.upperBound * 86_400_000) - 1, limit: .max)
            #expect(times.map(zone.local) == expected, "seed \(seed): \(cron.text) in \(name)")
        }
    }
}
