// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockSchedule

/// Random numbers that come again with their seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &+ 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

/// Milliseconds since 1970 UTC of `2026-03-29T01:00Z` and the like.
func utc(_ text: String) -> Int64 {
    guard let instant = TimeText.parseStamp(text)?.instant else { preconditionFailure("not a time: \(text)") }
    return instant / 1_000
}

/// Milliseconds since 1970-01-01T00:00:00 of `2026-03-29 01:00`.
func clock(_ text: String) -> Int64 {
    guard let stamp = TimeText.parseStamp(text) else { preconditionFailure("not a time: \(text)") }
    return stamp.local / 1_000
}

/// A time as a clock in a zone shows it, with its offset: `2026-03-29 03:00 +02:00`.
func shown(_ time: Int64, _ zone: ZoneRules) -> String {
    let offset = zone.offset(at: time) / 60_000
    let magnitude = abs(offset)
    let hours = String(format: "%02d:%02d", Int(magnitude / 60), Int(magnitude % 60))
    let text = TimeText.timestamp(zone.local(time) * 1_000)
    return text.replacingOccurrences(of: "T", with: " ").prefix(16) + " " + (offset < 0 ? "-" : "+") + hours
}

extension Recurrence {
    /// The times between two local days, as ``shown(_:_:)`` writes them.
    func shownTimes(from first: String, to last: String) -> [String] {
        let start = zone.instant(ofLocal: clock(first)) - 1
        return occurrences(after: start, through: zone.instant(ofLocal: clock(last)), limit: 1_000).map {
            shown($0, zone)
        }
    }
}

/// A cron expression made at random, with what it stands for worked out beside it.
struct RandomCron {
    var text: String
    var minutes: Set<Int>
    var hours: Set<Int>
    var days: Set<Int>
    var months: Set<Int>
    /// 0 is Sunday.
    var weekdays: Set<Int>
    var isEitherDay: Bool

    init(using random: inout SeededGenerator) {
        let minute = Self.field(0...59, &random)
        let hour = Self.field(0...23, &random)
        let day = Self.field(1...31, &random, wild: 0.6)
        let month = Self.field(1...12, &random, wild: 0.7)
        let weekday = Self.field(0...7, &random, wild: 0.6)
        text = [minute, hour, day, month, weekday].map(\.text).joined(separator: " ")
        minutes = minute.numbers
        hours = hour.numbers
        days = day.numbers
        months = month.numbers
        weekdays = Set(weekday.numbers.map { $0 % 7 })
        isEitherDay = !day.text.hasPrefix("*") && !weekday.text.hasPrefix("*")
    }

    /// Whether a local minute since 1970 is due.
    func matches(_ minute: Int64) -> Bool {
        minutes.contains(Int(minute % 60)) && hours.contains(Int(minute / 60 % 24)) && matches(day: minute / 1_440)
    }

    func matches(day: Int64) -> Bool {
        guard let date = CivilDate(days: day), months.contains(Int(date.month)) else { return false }
        let fits = (days.contains(Int(date.day)), weekdays.contains(Int((day + 4) % 7)))
        return isEitherDay ? fits.0 || fits.1 : fits.0 && fits.1
    }

    private static func field(
        _ range: ClosedRange<Int>, _ random: inout SeededGenerator, wild: Double = 0.3
    ) -> (text: String, numbers: Set<Int>) {
        let all = range.upperBound == 7 ? 0...6 : range
        if Double.random(in: 0..<1, using: &random) < wild { return ("*", Set(all)) }
        var items: [String] = []
        var numbers: Set<Int> = []
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let first = Int.random(in: range, using: &random)
            let last = Int.random(in: first...range.upperBound, using: &random)
            let step = Int.random(in: 1...max(1, range.upperBound / 2), using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                items.append("\(first)")
                numbers.insert(first)
            case 1:
                items.append("\(first)-\(last)")
                numbers.formUnion(first...last)
            case 2:
                items.append("\(first)-\(last)/\(step)")
                numbers.formUnion(stride(from: first, through: last, by: step))
            default:
                items.append("*/\(step)")
                numbers.formUnion(stride(from: all.lowerBound, through: all.upperBound, by: step))
            }
        }
        return (items.joined(separator: ","), numbers)
    }
}
