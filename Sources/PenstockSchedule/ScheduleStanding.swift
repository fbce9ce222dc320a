// SPDX-License-Identifier: Apache-2.0

/// Whether a schedule is being kept.
///
/// All times are milliseconds since 1970 UTC.
package struct ScheduleStanding: Sendable, Hashable {
    /// What is known of a sync's last run.
    package struct Past: Sendable, Hashable {
        /// When a run last began or ended, or nil.
        package var lastActivity: Int64?
        /// When the sync's file was last changed: what was due before is not asked for.
        package var changedAt: Int64
        /// Whether it runs now.
        package var isRunning: Bool

        /// What is known.
        package init(lastActivity: Int64?, changedAt: Int64, isRunning: Bool) {
            self.lastActivity = lastActivity
            self.changedAt = changedAt
            self.isRunning = isRunning
        }
    }

    /// The first start that did not come, or nil where none is missing.
    package var overdueSince: Int64?

    /// How a schedule stands at a time.
    ///
    /// - Parameters:
    ///   - grace: How many milliseconds a start may be late, beside the schedule's jitter.
    package init(_ recurrence: Recurrence, jitter: Int64, _ past: Past, grace: Int64, now: Int64) {
        // A run of a time to come ran by a clock that was wrong.
        let last = past.lastActivity.flatMap { $0 > now + TickPlanner.aheadMax ? nil : $0 }
        let since = max(last ?? past.changedAt, past.changedAt)
        guard !past.isRunning, let due = recurrence.next(after: since), due + jitter / 1_000 + grace < now else {
            return
        }
        overdueSince = due
    }
}
