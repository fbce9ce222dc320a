// SPDX-License-Identifier: Apache-2.0

/// A change of the clocks, and what it means for a schedule.
package struct ClockChange: Sendable, Hashable {
    /// What the change means.
    package enum Effect: Sendable, Hashable {
        /// No time of the schedule is touched.
        case none
        /// The schedule goes by the time that passes: it runs on as if nothing had happened.
        case realTime
        /// These local times are skipped; one run comes at the end of the gap.
        case skipped([Int64])
        /// These local times come twice; they run the first time.
        case repeated([Int64])
    }

    /// When, and by how much.
    package var change: ZoneRules.Change
    /// What it means for the schedule.
    package var effect: Effect
}

extension Recurrence {
    /// The changes of the clocks in a span of time, ascending, each with what it means for this schedule.
    ///
    /// - Parameters:
    ///   - time: Changes after this, in milliseconds since 1970 UTC.
    ///   - end: The last time that counts.
    package func clockChanges(after time: Int64, through end: Int64) -> [ClockChange] {
        var found: [ClockChange] = []
        var last = time
        while found.count < 100, let change = zone.change(after: last), change.at <= end {
            found.append(ClockChange(change: change, effect: effect(of: change)))
            last = change.at
        }
        return found
    }

    /// Whether a time of the schedule is skipped in one of the years around 2026, in which rules for clocks are known.
    package var isEverSkipped: Bool {
        clockChanges(after: 1_735_689_600_000, through: 1_893_456_000_000).contains {
            if case .skipped = $0.effect { true } else { false }
        }
    }

    /// Whether it runs in both of the hours in which clocks show the same, by rules that are in force from 2025 on.
    package var runsInRepeatedHours: Bool {
        guard case .cron(let cron) = pattern, cron.runsEveryHour else { return false }
        return zone.change(after: 1_735_689_600_000) != nil
    }

    private func effect(of change: ZoneRules.Change) -> ClockChange.Effect {
        switch pattern {
        case .elapsed: return .realTime
        case .cron(let cron) where cron.runsEveryHour: return .realTime
        case .cron, .days: break
        }
        let skipped = localTimes(in: change.skipped)
        let repeated = localTimes(in: change.repeated)
        if !skipped.isEmpty { return .skipped(skipped) }
        return repeated.isEmpty ? .none : .repeated(repeated)
    }
}
