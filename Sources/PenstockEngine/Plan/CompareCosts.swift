// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What it costs to look at records, and to change them: exact arithmetic over the costs that a connector declares.
package struct CompareCosts: Sendable, Hashable {
    private let costs: RequestCosts

    /// The arithmetic for one object.
    package init(_ costs: RequestCosts) { self.costs = costs }

    /// The most records that one request for records by id can answer; 0 where there is none.
    package var groupMax: Int { costs.readByIDsMax }

    /// Whether records can be read one by one.
    package var readsOne: Bool { costs.readOne > 0 }

    /// What one page of the list costs.
    package var page: Int64 { costs.readPage }

    /// How many records a page of the list has; 0 where there is no list.
    package var pageRecords: Int { costs.readPage > 0 ? costs.readPageMax : 0 }

    /// What one update costs.
    package var update: Int64 { costs.update }

    /// How many of `rows` records, fewer than fit one group, are read one by one rather than together.
    ///
    /// All of them, or none: together they cost the same however many there are.
    package func readsOneByOne(_ rows: Int) -> Bool {
        readsOne && (groupMax == 0 || Int64(rows) * costs.readOne < costs.readByIDs)
    }

    /// The least that reading `rows` records by id can cost; nil where they cannot be read by id.
    ///
    /// Full groups, and the rest of fewer rows than a group together or one by one, whichever costs less.
    package func readByID(_ rows: Int64) -> Int64? {
        guard rows > 0 else { return 0 }
        guard groupMax > 0 else { return readsOne ? rows * costs.readOne : nil }
        let groups = rows / Int64(groupMax)
        let rest = Int(rows % Int64(groupMax))
        let full = readsOneByOne(groupMax) ? Int64(groupMax) * costs.readOne : costs.readByIDs
        let tail = rest == 0 ? 0 : readsOneByOne(rest) ? Int64(rest) * costs.readOne : costs.readByIDs
        return groups * full + tail
    }

    /// What reading a list of so many records costs; nil where there is no list.
    package func list(_ records: Int64) -> Int64? {
        guard costs.readPage > 0, costs.readPageMax > 0 else { return nil }
        return max(1, (records + Int64(costs.readPageMax) - 1) / Int64(costs.readPageMax)) * costs.readPage
    }

    /// What the writes cost.
    package func writes(creates: Int64, updates: Int64) -> Int64 {
        creates * costs.create + updates * costs.update
    }
}
