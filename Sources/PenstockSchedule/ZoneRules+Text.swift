// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension ZoneRules {
    /// What a clock in the zone shows, with the weekday and the offset: `Thu 2026-11-26 06:15 +01:00`.
    ///
    /// Seconds are written where there are some.
    package func text(at time: Int64) -> String {
        let offset = offset(at: time)
        return Self.text(ofLocal: time + offset) + " " + Self.text(ofOffset: offset)
    }

    /// A local time with its weekday and without an offset: `Thu 2026-11-26 06:15`.
    package static func text(ofLocal local: Int64) -> String {
        let names = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        return names[CronExpression.weekday(TimeText.day(of: local * 1_000))] + " " + Recurrence.text(local)
    }

    /// The time of the day of a local time: `06:15`.
    package static func clock(ofLocal local: Int64) -> String {
        String(Recurrence.text(local).drop { $0 != " " }.dropFirst())
    }

    /// `+01:00`.
    private static func text(ofOffset offset: Int64) -> String {
        let minutes = abs(offset) / 60_000
        func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + "\(number)" }
        return (offset < 0 ? "-" : "+") + two(minutes / 60) + ":" + two(minutes % 60)
    }
}

extension ClockChange {
    /// The change and what it means, in words: `Sun 2027-03-28, 02:00 → 03:00: 02:30 is skipped, and runs at 03:00`.
    package var words: String {
        let before = change.at + change.offsetBefore
        let after = change.at + change.offsetAfter
        let clocks =
            "\(ZoneRules.text(ofLocal: before).prefix(14)), \(ZoneRules.clock(ofLocal: before)) → "
            + ZoneRules.clock(ofLocal: after)
        func list(_ times: [Int64]) -> String {
            let shown = times.prefix(4).map { ZoneRules.clock(ofLocal: $0) }.joined(separator: ", ")
            return times.count > 4 ? shown + " and \(times.count - 4) more" : shown
        }
        return switch effect {
        case .none: "\(clocks): not affected"
        case .realTime: "\(clocks): runs on by the time that passes"
        case .skipped(let times):
            "\(clocks): \(list(times)) \(times.count == 1 ? "is" : "are") skipped; runs once, at "
                + ZoneRules.clock(ofLocal: after)
        case .repeated(let times):
            "\(clocks): \(list(times)) \(times.count == 1 ? "comes" : "come") twice; runs the first time"
        }
    }
}
