// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockSchedule

extension SyncDraft.Schedule {
    /// What is wrong with a schedule, in one clause.
    package struct Problem: Error, Sendable, Hashable {
        /// The option that is wrong.
        package var option: String
        /// What is wrong with it.
        package var message: String
        /// What to write instead, or nil.
        package var suggestion: String?
    }

    /// What is wrong with it; nil where nothing is.
    ///
    /// - Parameter zone: The zone; nil for the default.
    package func problem(zone: String?) -> Problem? {
        do {
            _ = try recurrence(zone: zone)
            return nil
        } catch {
            return error
        }
    }

    /// The times at which it is due; nil for a sync that is run by hand.
    ///
    /// - Throws: ``Problem``.
    package func recurrence(zone: String?) throws(Problem) -> Recurrence? {
        var definition: ScheduleDefinition
        switch self {
        case .manual: return nil
        case .cron(let expression): definition = ScheduleDefinition(timing: .cron(expression))
        case .every(let length, let start):
            guard let microseconds = DurationText.microseconds(length) else {
                throw Problem(option: "--every", message: "\"\(length)\" is not a duration such as 15m, 1h or 1d")
            }
            definition = ScheduleDefinition(timing: .every(microseconds))
            if let start {
                guard let first = Self.localTime(start) else {
                    throw Problem(
                        option: "--start-at", message: "\"\(start)\" is not a time such as 2026-12-01 06:00")
                }
                definition.start = first
            }
        }
        if let zone { definition.timezone = zone }
        do throws(ScheduleProblem) {
            return try Recurrence(definition)
        } catch {
            let option =
                switch error.subject {
                case .cron: "--cron"
                case .every: "--every"
                case .timezone: "--timezone"
                }
            throw Problem(option: option, message: error.message, suggestion: error.suggestion)
        }
    }

    /// A local time in milliseconds as the zone's clocks show it; nil for anything else, and where it has an offset.
    private static func localTime(_ text: String) -> Int64? {
        if let day = TimeText.parseDate(text) { return day * 86_400_000 }
        guard let stamp = TimeText.parseStamp(text), stamp.offset == nil else { return nil }
        return stamp.local / 1_000
    }
}
