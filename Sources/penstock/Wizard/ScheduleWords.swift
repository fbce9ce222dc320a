// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockProject

/// Schedules at prompts: what is wrong with one, and what it means.
enum ScheduleWords {
    /// The zone of this machine.
    static var localZone: String { TimeZone.current.identifier == "GMT" ? "UTC" : TimeZone.current.identifier }

    /// What is wrong with a schedule; nil where nothing is.
    static func problem(_ schedule: SyncDraft.Schedule) -> String? { schedule.problem }

    /// What is wrong with the name of a zone; nil where nothing is.
    static func problem(ofZone name: String) -> String? {
        guard TimeZone(identifier: name) == nil else { return nil }
        let near = NearestName.of(name, in: TimeZone.knownTimeZoneIdentifiers).map { "; did you mean \($0)?" } ?? ""
        return "\"\(name.printable)\" is not a time zone" + near
    }

    /// Says a schedule in words.
    static func say(_ schedule: SyncDraft.Schedule, zone: String?, _ questions: Questions) {
        questions.say("                  \(frequency(schedule, zone: zone))", indent: 18)
    }

    /// How often a schedule is due, in words.
    static func frequency(_ schedule: SyncDraft.Schedule, zone: String?) -> String {
        switch schedule {
        case .manual: "by hand"
        case .every(let length, let start): "every \(length)" + (start.map { ", from \($0) on" } ?? "")
        case .cron(let expression): "at the times of \"\(expression)\"" + (zone.map { " in \($0)" } ?? "")
        }
    }

    /// A schedule of a sync in words, in the middle of a sentence.
    static func words(_ schedule: ScheduleDefinition) -> String {
        switch schedule.timing {
        case .cron(let expression): "at the times of \"\(expression)\" in \(schedule.timezone)"
        case .every(let length): "every " + TimeDisplay.duration(milliseconds: length / 1_000)
        }
    }

    /// The next runs, for people; none where they cannot be told.
    static func next(_ schedule: ScheduleDefinition, after now: Int64, count: Int) -> [String] { [] }
}
