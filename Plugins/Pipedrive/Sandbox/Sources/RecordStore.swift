// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The records of one object, with an index for every order in which they can be listed.
struct RecordStore: Sendable {
    /// The orders of a list.
    enum Order: String, Sendable {
        case id
        case addTime = "add_time"
        case updateTime = "update_time"
    }

    /// What a list asks for.
    struct Query: Sendable {
        var ids: [Int]?
        var ownerID: Int?
        var updatedSince: Int64?
        var updatedUntil: Int64?
        var order = Order.id
        var descending = false
        var limit = 100
        var start: OrderedIndex.Entry?
        /// Properties that must have these numbers.
        var numbers: [String: Int] = [:]
        /// The statuses, of which `deleted` stands for records that are deleted; nil for all that are not.
        var statuses: Set<String>?
        /// Whether the records are archived ones, where the object has an archive.
        var isArchived: Bool?
    }

    private var records: [Int: SandboxRecord] = [:]
    private var byID = OrderedIndex()
    private var byAdd = OrderedIndex()
    private var byUpdate = OrderedIndex()
    private var nextID = 1
    private(set) var deletedCount = 0

    /// How many records are not deleted.
    var liveCount: Int { byID.entries.count }

    /// The records that are not deleted, by id.
    var live: some Sequence<SandboxRecord> { byID.entries.lazy.compactMap { records[$0.id] } }

    /// The record, unless it is deleted or never was.
    subscript(id: Int) -> SandboxRecord? {
        guard let record = records[id], !record.isDeleted else { return nil }
        return record
    }

    /// Adds a record with the next id.
    mutating func create(
        _ properties: [String: JSON], custom: [String: JSON], addTime: Int64, updateTime: Int64
    ) -> SandboxRecord {
        let record = SandboxRecord(
            id: nextID, properties: properties, customFields: custom, addTime: addTime, updateTime: updateTime)
        nextID += 1
        records[record.id] = record
        index(record)
        return record
    }

    /// Replaces a record that is not deleted.
    mutating func replace(_ record: SandboxRecord) {
        guard let old = self[record.id] else { return }
        if old.updateTime != record.updateTime {
            byUpdate.remove(.init(key: old.updateTime, id: old.id))
            byUpdate.insert(.init(key: record.updateTime, id: record.id))
        }
        records[record.id] = record
    }

    /// Marks a record as deleted, or forgets it where `purging`.
    mutating func remove(_ id: Int, now: Int64, purging: Bool = false) {
        guard var record = self[id] else { return }
        byID.remove(.init(key: Int64(id), id: id))
        byAdd.remove(.init(key: record.addTime, id: id))
        byUpdate.remove(.init(key: record.updateTime, id: id))
        record.isDeleted = true
        record.updateTime = now
        records[id] = purging ? nil : record
        deletedCount += purging ? 0 : 1
    }

    /// Forgets every record; ids go on counting.
    mutating func purge() {
        records = [:]
        byID = OrderedIndex()
        byAdd = OrderedIndex()
        byUpdate = OrderedIndex()
        deletedCount = 0
    }

    private mutating func index(_ record: SandboxRecord) {
        byID.insert(.init(key: Int64(record.id), id: record.id))
        byAdd.insert(.init(key: record.addTime, id: record.id))
        byUpdate.insert(.init(key: record.updateTime, id: record.id))
    }

    /// One page, and where the next one starts; the work follows the page, not the number of records, as long as the
    /// filters do not leave out most of what they look at.
    func page(_ query: Query) -> (records: [SandboxRecord], next: OrderedIndex.Entry?) {
        let index = candidates(query)
        var position: Int
        if let start = query.start {
            position = index.lowerBound(start)
            let beyond = position == index.entries.count || index.entries[position] != start
            if query.descending, beyond { position -= 1 }
        } else {
            position = query.descending ? index.entries.count - 1 : 0
        }
        var found: [SandboxRecord] = []
        while index.entries.indices.contains(position) {
            let entry = index.entries[position]
            if let record = records[entry.id], matches(record, query) {
                if found.count == query.limit { return (found, entry) }
                found.append(record)
            }
            position += query.descending ? -1 : 1
        }
        return (found, nil)
    }

    private func matches(_ record: SandboxRecord, _ query: Query) -> Bool {
        if let since = query.updatedSince, record.updateTime < since { return false }
        if let until = query.updatedUntil, record.updateTime >= until { return false }
        if let owner = query.ownerID, record.properties["owner_id"]?.intValue != owner { return false }
        if let archived = query.isArchived, record.properties["is_archived"] != .bool(archived) { return false }
        for (name, number) in query.numbers where record.properties[name]?.intValue != number { return false }
        guard let statuses = query.statuses else { return true }
        return statuses.contains(record.isDeleted ? "deleted" : record.properties["status"]?.stringValue ?? "")
    }

    private func key(_ record: SandboxRecord, _ order: Order) -> Int64 {
        switch order {
        case .id: Int64(record.id)
        case .addTime: record.addTime
        case .updateTime: record.updateTime
        }
    }

    /// The index to walk: a small one made for this query where the filters name few records, else a whole one.
    private func candidates(_ query: Query) -> OrderedIndex {
        if let ids = query.ids { return small(Set(ids), query.order) }
        if query.statuses?.contains("deleted") == true {
            let entries = records.values.map { OrderedIndex.Entry(key: key($0, query.order), id: $0.id) }
            return OrderedIndex(sorted: entries.sorted())
        }
        let whole = query.order == .id ? byID : query.order == .addTime ? byAdd : byUpdate
        guard query.updatedSince != nil || query.updatedUntil != nil else { return whole }
        let low = query.updatedSince.map { byUpdate.lowerBound(.init(key: $0, id: .min)) } ?? 0
        let high = query.updatedUntil.map { byUpdate.lowerBound(.init(key: $0, id: .min)) } ?? liveCount
        guard low < high else { return OrderedIndex() }
        if query.order == .updateTime { return OrderedIndex(sorted: byUpdate.entries[low..<high]) }
        if high - low > liveCount / 8 { return whole }
        return small(byUpdate.entries[low..<high].lazy.map(\.id), query.order)
    }

    private func small(_ ids: some Sequence<Int>, _ order: Order) -> OrderedIndex {
        let entries = ids.compactMap { id in self[id].map { OrderedIndex.Entry(key: key($0, order), id: id) } }
        return OrderedIndex(sorted: entries.sorted())
    }
}
