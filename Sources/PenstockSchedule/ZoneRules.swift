// SPDX-License-Identifier: Apache-2.0

/// What clocks in a time zone show, and when they are changed.
///
/// All times are milliseconds: since 1970 UTC, or since 1970-01-01T00:00:00 as a clock in the zone shows them
/// ("local").
package struct ZoneRules: Sendable, Hashable {
    /// One change of the clocks.
    package struct Change: Sendable, Hashable {
        /// When.
        package var at: Int64
        /// How far the clocks were ahead of UTC.
        package var offsetBefore: Int64
        /// How far they are from then on.
        package var offsetAfter: Int64

        /// The local times that no clock shows; empty where the clocks are set back.
        package var skipped: Range<Int64> { at + offsetBefore..<max(at + offsetBefore, at + offsetAfter) }
        /// The local times that clocks show twice; empty where they are set forward.
        package var repeated: Range<Int64> { at + offsetAfter..<max(at + offsetAfter, at + offsetBefore) }
    }

    /// The zone's name.
    package let name: String
    private let offsetBefore: Int64
    /// Ascending; each really changes the offset.
    private let changes: [Change]

    /// UTC, which needs no database.
    package static let utc = ZoneRules(name: "UTC", offsetBefore: 0, steps: [])

    /// A zone of its steps, ascending: when, and how far clocks are ahead of UTC from then on.
    init(name: String, offsetBefore: Int64, steps: [(at: Int64, offset: Int64)]) {
        self.name = name
        self.offsetBefore = offsetBefore
        var changes: [Change] = []
        for step in steps {
            let before = changes.last?.offsetAfter ?? offsetBefore
            guard step.offset != before else { continue }
            changes.append(Change(at: step.at, offsetBefore: before, offsetAfter: step.offset))
        }
        self.changes = changes
    }

    /// How far the clocks are ahead of UTC at a time.
    package func offset(at time: Int64) -> Int64 {
        let index = firstChange(after: time)
        return index == 0 ? offsetBefore : changes[index - 1].offsetAfter
    }

    /// What a clock shows at a time.
    package func local(_ time: Int64) -> Int64 { time + offset(at: time) }

    /// The next change of the clocks after a time, or nil.
    package func change(after time: Int64) -> Change? {
        let index = firstChange(after: time)
        return index < changes.count ? changes[index] : nil
    }

    /// When clocks show `local`: the first time where they show it twice, and the end of the gap where they never do.
    ///
    /// Never falls where `local` grows.
    package func instant(ofLocal local: Int64) -> Int64 {
        // No zone was ever further than this from UTC.
        var index = firstChange(after: local - 26 * 3_600_000)
        while true {
            let offset = index == 0 ? offsetBefore : changes[index - 1].offsetAfter
            let start = index == 0 ? Int64.min : changes[index - 1].at
            if index == changes.count || local - offset < changes[index].at { return max(local - offset, start) }
            index += 1
        }
    }

    private func firstChange(after time: Int64) -> Int {
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].at <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
