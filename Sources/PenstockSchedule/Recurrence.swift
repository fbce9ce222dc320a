// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The times at which a schedule is due.
///
/// All times are milliseconds since 1970 UTC. Whether the schedule is enabled, and its jitter, are left to the caller.
package struct Recurrence: Sendable, Hashable {
    enum Pattern: Sendable, Hashable {
        case cron(CronExpression)
        /// So many milliseconds that pass, counted from a time.
        case elapsed(Int64, anchor: Int64)
        /// So many days, counted from a local time.
        case days(Int64, anchor: Int64)
    }

    /// Monday, 2001-01-01, 00:00 by the zone's clocks: what `every` counts from where it has no start.
    static let anchor: Int64 = 978_307_200_000
    static let dayLength: Int64 = 86_400_000
    /// Years 1 to 9999.
    private static let times: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999
    /// More days than there are between two 29ths of February on the same weekday.
    private static let searchedDays: Int64 = 41 * 366

    /// The zone.
    package let zone: ZoneRules
    /// The first start as a clock in the zone shows it, or nil.
    package let start: Int64?
    let pattern: Pattern

    /// The times of a schedule.
    ///
    /// - Parameter database: Where zones are looked up.
    /// - Throws: ``ScheduleProblem``.
    package init(_ definition: ScheduleDefinition, database: ZoneDatabase = .system) throws(ScheduleProblem) {
        let zone = try database.rules(definition.timezone)
        let start = definition.start.map { min(max($0, Self.times.lowerBound), Self.times.upperBound) }
        switch definition.timing {
        case .cron(let text): pattern = .cron(try CronExpression(text))
        case .every(let microseconds):
            let length = microseconds / 1_000
            guard length >= 1_000 else { throw ScheduleProblem(.every, "every must be a second or longer") }
            let anchor = start ?? Self.anchor
            pattern =
                length % Self.dayLength == 0
                ? .days(length / Self.dayLength, anchor: anchor)
                : .elapsed(length, anchor: zone.instant(ofLocal: anchor))
        }
        self.zone = zone
        self.start = start
    }

    /// The first time after `time` at which the schedule is due; nil where there is none.
    package func next(after time: Int64) -> Int64? {
        var time = max(time, Self.times.lowerBound)
        if let start { time = max(time, zone.instant(ofLocal: start) - 1) }
        guard time <= Self.times.upperBound else { return nil }
        let next: Int64? =
            switch pattern {
            case .elapsed(let length, let anchor): anchor + (Self.floor(time - anchor, length) + 1) * length
            case .cron(let cron) where cron.runsEveryHour: nextByRealTime(after: time)
            case .cron, .days: nextByClock(after: time)
            }
        return next.flatMap { $0 <= Self.times.upperBound ? $0 : nil }
    }

    /// The times at which the schedule is due, ascending.
    ///
    /// - Parameters:
    ///   - time: The times are later than this.
    ///   - end: The last time that counts.
    ///   - limit: The most times.
    package func occurrences(after time: Int64, through end: Int64, limit: Int) -> [Int64] {
        var found: [Int64] = []
        var last = time
        while found.count < limit, let next = next(after: last), next <= end {
            found.append(next)
            last = next
        }
        return found
    }

    /// The local times that are due in a range, whether or not a clock shows them.
    func localTimes(in range: Range<Int64>) -> [Int64] {
        var found: [Int64] = []
        var from = range.lowerBound
        while let local = nextLocal(from: from), local < range.upperBound {
            found.append(local)
            from = local + 1
        }
        return found
    }

    /// Each local time once: the first time that it is shown, or at the end of the gap that it lies in.
    private func nextByClock(after time: Int64) -> Int64? {
        // What clocks show now came at the latest now, and what is earlier by the clock came earlier.
        var from = zone.local(time)
        while let local = nextLocal(from: from) {
            let instant = zone.instant(ofLocal: local)
            if instant > time { return instant }
            from = local + 1
        }
        return nil
    }

    /// Whenever clocks show a time that is due, however often they do.
    private func nextByRealTime(after time: Int64) -> Int64? {
        var from = time + 1
        for _ in 0...1_000 {
            let offset = zone.offset(at: from)
            let change = zone.change(after: from)
            let local = nextLocal(from: from + offset)
            if let local, local - offset < change?.at ?? .max { return local - offset }
            guard let change else { return nil }
            from = change.at
        }
        return nil
    }

    /// The first local time that is due from `local` on.
    private func nextLocal(from local: Int64) -> Int64? {
        switch pattern {
        case .elapsed: return nil
        case .days(let count, let anchor):
            let length = count * Self.dayLength
            return anchor - Self.floor(anchor - local, length) * length
        case .cron(let cron):
            let minute = -Self.floor(-local, 60_000)
            let firstDay = Self.floor(minute, 1_440)
            var from = Int(minute - firstDay * 1_440)
            for day in firstDay...firstDay + Self.searchedDays {
                if let found = cron.minuteOfDay(from: from), cron.includes(day: day) {
                    return (day * 1_440 + Int64(found)) * 60_000
                }
                from = 0
            }
            return nil
        }
    }

    private static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }
}
