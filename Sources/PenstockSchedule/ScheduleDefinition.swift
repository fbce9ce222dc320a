// SPDX-License-Identifier: Apache-2.0

/// When a sync runs by itself.
package struct ScheduleDefinition: Sendable, Hashable {
    /// What makes a run due.
    package enum Timing: Sendable, Hashable {
        /// A cron expression of five fields.
        case cron(String)
        /// So many microseconds from start to start.
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
    /// The zone in which times are meant, as in the time zone database.
    package var timezone: String
    /// The first start, in milliseconds since 1970-01-01T00:00:00 as a clock in the zone shows them, or nil.
    package var start: Int64?
    /// The most microseconds by which a start is put off at random.
    package var jitter: Int64
    /// What happens after a time in which nothing ran.
    package var catchUp: CatchUp
    /// What happens while the run before still runs.
    package var overlap: Overlap
    /// Which of several due syncs starts first: the one with the higher number.
    package var priority: Int
    /// Whether the schedule counts.
    package var isEnabled: Bool

    /// A schedule.
    package init(
        timing: Timing, timezone: String = "UTC", start: Int64? = nil, jitter: Int64 = 0,
        catchUp: CatchUp = .latest, overlap: Overlap = .skip, priority: Int = 0, isEnabled: Bool = true
    ) {
        self.timing = timing
        self.timezone = timezone
        self.start = start
        self.jitter = jitter
        self.catchUp = catchUp
        self.overlap = overlap
        self.priority = priority
        self.isEnabled = isEnabled
    }
}
