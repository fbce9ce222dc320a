// SPDX-License-Identifier: Apache-2.0

/// The ids that are waited for, where they are numbers, by the page of the list that has their record at the latest.
///
/// A list in the order of its ids, which are different numbers from 1 on, has shown every id up to `n × pageRecords`
/// after `n` pages.
package struct WaitingIDs: Sendable, Hashable {
    private let pageRecords: UInt64
    private var counts: [UInt64: Int] = [:]

    /// No id.
    ///
    /// - Parameter pageRecords: How many records a page has; 0 where there is no list.
    package init(pageRecords: Int) { self.pageRecords = UInt64(max(0, pageRecords)) }

    /// The pages that have ids, and how many of the ids each of them has at the latest; pages are counted from 0.
    ///
    /// - Parameters:
    ///   - first: The first page that is asked for.
    ///   - most: How many pages are asked for.
    package func pages(from first: UInt64, atMost most: Int64) -> [(page: UInt64, count: Int)] {
        guard most > 0 else { return [] }
        let last = first.addingReportingOverflow(UInt64(most) - 1)
        let asked = first...(last.overflow ? .max : last.partialValue)
        // Few pages are looked at one by one; of many, only those that have ids.
        let pages = most <= counts.count ? Array(asked) : counts.keys.filter(asked.contains).sorted()
        return pages.compactMap { page in counts[page].map { (page, $0) } }
    }

    /// Takes an id in; one that is no number is on no page.
    package mutating func add(_ id: String) {
        if let page = page(of: id) { counts[page, default: 0] += 1 }
    }

    /// Takes an id out that was taken in.
    package mutating func remove(_ id: String) {
        guard let page = page(of: id), let count = counts[page] else { return }
        counts[page] = count > 1 ? count - 1 : nil
    }

    private func page(of id: String) -> UInt64? {
        guard pageRecords > 0, let number = Self.number(id) else { return nil }
        return (number - 1) / pageRecords
    }

    /// The number that an id is, from 1 on; nil where it is none.
    package static func number(_ id: String) -> UInt64? {
        guard let first = id.utf8.first, first != UInt8(ascii: "0"), first != UInt8(ascii: "+") else { return nil }
        return UInt64(id)
    }
}

/// Rows that wait for a look at their records, by record, in the order in which they came.
package struct CompareQueue<Place: Sendable>: Sendable {
    private struct Entry {
        var places: [Place]
        var mustLook: Bool
    }

    private var order: [String] = []
    private var start = 0
    private var entries: [String: Entry] = [:]
    /// The records that are waited for.
    package private(set) var ids: WaitingIDs

    /// An empty queue.
    ///
    /// - Parameter pageRecords: How many records a page of the list has; 0 where there is no list.
    package init(pageRecords: Int = 0) { ids = WaitingIDs(pageRecords: pageRecords) }

    /// How many different records are waited for.
    package var count: Int { entries.count }

    /// Takes a row in that waits for the record `id`.
    ///
    /// - Parameter mustLook: Whether it has to be looked at, whatever that costs.
    package mutating func add(_ id: String, _ place: Place, mustLook: Bool) {
        if entries[id] == nil {
            order.append(id)
            ids.add(id)
        }
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
    package mutating func take(_ id: String) -> [Place] {
        guard let entry = entries.removeValue(forKey: id) else { return [] }
        ids.remove(id)
        return entry.places
    }
}
