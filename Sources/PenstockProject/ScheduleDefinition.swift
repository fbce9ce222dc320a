// SPDX-License-Identifier: Apache-2.0

/// When a sync runs by itself.
package struct ScheduleDefinition: Sendable, Hashable {
    /// What makes a run due.
    package enum Timing: Sendable, Hashable {
        /// A cron expression of five fields.
        case cron(String)
        /// So many microseconds after the last start.
        case every(Int64)
    }

    /// What happens with runs that were due while nothing ran.
    package enum CatchUp: String, Sendable, Hashable, CaseIterable {
        /// They are left out.
        case none
        /// One run stands for all of them.
        case latest
        /// Each one runs.
        case all
    }

    /// What happens with a run that is due while the one before is still running.
    package enum Overlap: String, Sendable, Hashable, CaseIterable {
        /// It is left out.
        case skip
        /// It waits.
        case queue
    }

    /// What makes a run due.
    package var timing: Timing
    /// The zone in which cron is meant, as in the time zone database.
    package var timezone: String
    /// The most microseconds by which a start is put off at random.
    package var jitter: Int64
    /// What happens after a time in which nothing ran.
    package var catchUp: CatchUp
    /// What happens while the run before still runs.
    package var overlap: Overlap
    /// Whether the schedule counts.
    package var isEnabled: Bool

    /// A schedule.
    package init(
        timing: Timing, timezone: String = "UTC", jitter: Int64 = 0, catchUp: CatchUp = .latest,
        overlap: Overlap = .skip, isEnabled: Bool = true
    ) {
        self.timing = timing
        self.timezone = timezone
        self.jitter = jitter
        self.catchUp = catchUp
        self.overlap = overlap
        self.isEnabled = isEnabled
    }
}

/// What happens with rejects.
package struct RejectPolicy: Sendable, Hashable {
    /// How much of a reject's record is shown and exported.
    package enum Record: String, Sendable, Hashable, CaseIterable {
        /// All of it.
        case full
        /// All but the masked fields.
        case masked
        /// Only the source key.
        case keys
        /// Nothing.
        case none
    }

    /// How many microseconds settled rejects are kept.
    package var keep: Int64 = 30 * 86_400_000_000
    /// What is shown of them.
    package var record: Record = .masked

    /// Thirty days, masked.
    package init() {}
}

/// Upper limits for one run; nil where there is none.
package struct SyncLimits: Sendable, Hashable {
    /// The most tokens of the destination's budget.
    package var tokensPerRun: Int?
    /// The most rows.
    package var rows: Int?
    /// How many hundredths of a percent of the daily budget are left to others.
    package var reserveBasisPoints: Int?

    /// No limit.
    package init() {}
}
