// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockSchedule

/// Schedules for people: what is wrong with one, what it means, and its next runs.
enum ScheduleWords {
    /// The zone of this machine.
    static var localZone: String {
        let name = TimeZone.current.identifier
        return name == "GMT" || !ZoneDatabase.system.names.contains(name) ? "UTC" : name
    }

    /// What is wrong with a schedule, in one line; nil where nothing is.
    static func problem(_ schedule: SyncDraft.Schedule, zone: String? = nil) -> String? {
        schedule.problem(zone: zone).map { $0.message + ($0.suggestion.map { "; \($0)" } ?? "") }
    }

    /// Says a schedule in words, with its next runs.
    static func say(_ schedule: SyncDraft.Schedule, zone: String?, _ questions: Questions) {
        // What is wrong with it was said before.
        guard let recurrence = try? schedule.recurrence(zone: zone) else { return }
        let next = next(recurrence, after: WallClock.milliseconds, count: 3)
        let text = next.isEmpty ? "It is never due." : "Next: " + next.joined(separator: ", ")
        questions.say("                  \(recurrence.words). \(text)", indent: 18)
    }

    /// How often a schedule is due, in words, in the middle of a sentence.
    static func frequency(_ schedule: SyncDraft.Schedule, zone: String?) -> String {
        // What is wrong with it was said before.
        guard let recurrence = try? schedule.recurrence(zone: zone) else { return "by hand" }
        // The day that begins with its next run: the first start may be far away.
        guard let first = recurrence.next(after: WallClock.milliseconds) else { return "never" }
        let count = recurrence.occurrences(after: first - 1, through: first + 86_399_999, limit: 2_000).count
        return count > 1 ? "\(count.grouped) times a day" : lowercased(recurrence.words)
    }

    /// A schedule of a sync in words, for the beginning of a sentence.
    static func words(_ schedule: ScheduleDefinition) -> String {
        // A schedule that is none is among the findings of the project.
        guard let recurrence = try? Recurrence(schedule) else { return "By its schedule" }
        return "\(recurrence.words) (\(schedule.timezone))"
    }

    /// The next runs of a sync, for people, in its own zone.
    static func next(_ schedule: ScheduleDefinition, after now: Int64, count: Int) -> [String] {
        // A schedule that is none has no next run.
        guard let recurrence = try? Recurrence(schedule) else { return [] }
        return next(recurrence, after: now, count: count)
    }

    private static func next(_ recurrence: Recurrence, after now: Int64, count: Int) -> [String] {
        recurrence.occurrences(after: now, through: .max, limit: count).map { time in
            day(recurrence.zone.local(time))
        }
    }

    /// A local time as `Wed 25 Nov 06:15`.
    private static func day(_ local: Int64) -> String {
        let names = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let days = local >= 0 ? local / 86_400_000 : (local - 86_399_999) / 86_400_000
        let text = TimeText.timestamp(local * 1_000)
        let parts = text.prefix { $0 != "T" }.split(separator: "-").compactMap { Int($0) }
        guard parts.count == 3, months.indices.contains(parts[1] - 1) else { return text }
        let time = text.drop { $0 != "T" }.dropFirst().prefix(5)
        return "\(names[Int((days % 7 + 7) % 7)]) \(parts[2]) \(months[parts[1] - 1]) \(time)"
    }

    private static func lowercased(_ text: String) -> String { text.prefix(1).lowercased() + text.dropFirst() }
}
