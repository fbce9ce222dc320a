// SPDX-License-Identifier: Apache-2.0

/// A sync as the planner of ticks sees it.
///
/// A tick is a time at which the schedule of a sync makes a run due. All times are milliseconds since
/// 1970-01-01T00:00:00Z.
package struct TickSync: Sendable {
    /// What happens with ticks that were due while nothing could run.
    package typealias CatchUp = ScheduleDefinition.CatchUp
    /// What happens with a tick that is due while the sync is at work.
    package typealias Overlap = ScheduleDefinition.Overlap

    /// The sync's name.
    package var name: String
    /// A text that changes with the schedule's times, empty where the sync has no schedule that counts.
    package var definition: String
    /// The first ticks behind the first time and not behind the second, at most so many, in order.
    package var occurrences: @Sendable (_ after: Int64, _ through: Int64, _ limit: Int) -> [Int64]
    /// The first tick behind a time, or nil.
    package var next: @Sendable (_ after: Int64) -> Int64?
    /// The most milliseconds by which a start is put off.
    package var jitter: Int64
    /// What happens with missed ticks.
    package var catchUp: CatchUp
    /// What happens with ticks that overlap.
    package var overlap: Overlap
    /// The syncs that go first where they are due too.
    package var predecessors: [String]
    /// Who goes first among those that are due: the higher number.
    package var priority: Int

    /// A sync with a schedule.
    package init(
        name: String, definition: String, jitter: Int64 = 0, catchUp: CatchUp = .latest, overlap: Overlap = .skip,
        predecessors: [String] = [], priority: Int = 0,
        next: @escaping @Sendable (_ after: Int64) -> Int64?,
        occurrences: @escaping @Sendable (_ after: Int64, _ through: Int64, _ limit: Int) -> [Int64]
    ) {
        self.name = name
        self.definition = definition
        self.occurrences = occurrences
        self.next = next
        self.jitter = jitter
        self.catchUp = catchUp
        self.overlap = overlap
        self.predecessors = predecessors
        self.priority = priority
    }

    /// A sync that runs only when somebody asks for it.
    package init(unscheduled name: String, predecessors: [String] = [], priority: Int = 0) {
        self.init(
            name: name, definition: "", predecessors: predecessors, priority: priority, next: { _ in nil },
            occurrences: { _, _, _ in [] })
    }

    /// When a tick's run may start: the same time for the same tick wherever and whenever it is reckoned.
    package func start(of tick: Int64) -> Int64 {
        guard jitter > 0 else { return tick }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash ^= UInt64(bitPattern: tick)
        // The mixing steps of SplitMix64: neighbouring ticks get far different numbers.
        hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
        hash ^= hash >> 31
        return tick + Int64(hash % UInt64(jitter + 1))
    }
}
