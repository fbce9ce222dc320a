// SPDX-License-Identifier: Apache-2.0

/// Rows that wait for a look at their records, by record, in the order in which they came.
package struct CompareQueue<Place: Sendable>: Sendable {
    private struct Entry {
        var places: [Place]
        var mustLook: Bool
    }

    private var order: [String] = []
    private var start = 0
    private var entries: [String: Entry] = [:]

    /// An empty queue.
    package init() {}

    /// How many different records are waited for.
    package var count: Int { entries.count }

    /// Takes a row in that waits for the record `id`.
    ///
    /// - Parameter mustLook: Whether it has to be looked at, whatever that costs.
    package mutating func add(_ id: String, _ place: Place, mustLook: Bool) {
        if entries[id] == nil { order.append(id) }
        entries[id, default: Entry(places: [], mustLook: false)].places.append(place)
        if mustLook { entries[id]?.mustLook = true }
    }

    /// The first records that are waited for, at most so many.
    package mutating func first(_ most: Int) -> [String] {
        var ids: [String] = []
        var place = start
        while ids.count < most, place < order.count {
            if entries[order[place]] != nil { ids.append(order[place]) } else if ids.isEmpty { start = place + 1 }
            place += 1
        }
        if start > 4_096, start * 2 > order.count {
            order.removeFirst(start)
            start = 0
        }
        return ids
    }

    /// Whether one of these records has to be looked at.
    package func mustLook(_ ids: [String]) -> Bool { ids.contains { entries[$0]?.mustLook == true } }

    /// Takes the rows out that wait for the record `id`; none where nobody waits for it.
    package mutating func take(_ id: String) -> [Place] { entries.removeValue(forKey: id)?.places ?? [] }
}
