// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// One record of an object.
package struct SandboxRecord: Sendable {
    /// The record's id.
    package let id: Int
    /// The built-in properties that a request can set, by name, as they are answered.
    package var properties: [String: JSON]
    /// The custom fields that have a value, by code, as they are answered.
    package var customFields: [String: JSON]
    /// Seconds since 1970 of the creation.
    package let addTime: Int64
    /// Seconds since 1970 of the last change.
    package var updateTime: Int64
    /// Whether the record was deleted.
    package var isDeleted = false
}

/// Ids in the order of a key, then of the id.
struct OrderedIndex: Sendable {
    struct Entry: Sendable, Hashable, Comparable {
        let key: Int64
        let id: Int

        static func < (left: Entry, right: Entry) -> Bool {
            left.key == right.key ? left.id < right.id : left.key < right.key
        }
    }

    private(set) var entries: [Entry] = []

    init() {}

    /// An index of entries that are in order.
    init(sorted entries: some Sequence<Entry>) { self.entries = Array(entries) }

    /// The first position whose entry is not before `entry`.
    func lowerBound(_ entry: Entry) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle] < entry { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func insert(_ entry: Entry) {
        if let last = entries.last, entry < last {
            entries.insert(entry, at: lowerBound(entry))
        } else {
            entries.append(entry)
        }
    }

    mutating func remove(_ entry: Entry) {
        let position = lowerBound(entry)
        if position < entries.count, entries[position] == entry { entries.remove(at: position) }
    }
}
