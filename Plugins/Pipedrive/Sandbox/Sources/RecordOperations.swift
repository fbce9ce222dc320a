// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension SandboxState {
    private static let listParameters: Set<String> = [
        "filter_id", "ids", "owner_id", "updated_since", "updated_until", "sort_by", "sort_direction", "limit",
        "cursor",
    ]

    /// - Parameter archived: Whether it is the list of archived records.
    func list(_ table: Table, _ target: RequestTarget, archived: Bool = false) -> SandboxAnswer {
        let object = table.object
        var allowed = Self.listParameters.union(RecordView.parameters).union(object.filters)
        if object.hasStatus { allowed.insert("status") }
        if object.name == "person" { allowed.insert("deal_id") }
        if archived { allowed.subtract(["include_option_labels", "include_labels"]) }
        if let refused = unexpected(target, allowed: allowed) { return refused }
        let view = RecordView(table, target, features: features)
        var parsed = ListParameters(target, object)
        parsed.reasons += view.reasons
        if object.hasArchive { parsed.query.isArchived = archived }
        if let text = target["deal_id"] {
            guard let id = Int(text) else { return .invalid(["deal_id: must be an integer"]) }
            let deals = tables.first { $0.object.name == "deal" }?.store
            parsed.query.ids = [deals?[id]?.properties["person_id"]?.intValue].compactMap { $0 }
        }
        guard parsed.reasons.isEmpty else { return .invalid(parsed.reasons) }
        let page = table.store.page(parsed.query)
        let next = page.next.map { entry in
            Cursor(
                field: parsed.query.order.rawValue, value: entry.key, descending: parsed.query.descending, id: entry.id)
        }
        return .page(.array(page.records.map(view.json)), next: next)
    }

    func read(_ table: Table, _ id: String, _ target: RequestTarget) -> SandboxAnswer {
        if let refused = unexpected(target, allowed: RecordView.parameters) { return refused }
        let view = RecordView(table, target, features: features)
        guard view.reasons.isEmpty else { return .invalid(view.reasons) }
        return withRecord(table, id) { .data(view.json($0), id: $0.id) }
    }

    private func withRecord(_ table: Table, _ id: String, _ body: (SandboxRecord) -> SandboxAnswer) -> SandboxAnswer {
        guard let number = Int(id), number > 0 else { return .invalid(["id: must be a positive integer"]) }
        guard let record = table.store[number] else {
            var answer = SandboxAnswer.notFound(table.object.title)
            answer.recordID = number
            return answer
        }
        return body(record)
    }

    mutating func create(_ object: Int, _ body: JSONObject, now: Int64) -> SandboxAnswer {
        let check = checked(object, body, creating: true)
        if let refused = refusal(check) { return refused }
        var properties = check.properties
        properties["owner_id"] = properties["owner_id"] ?? .integer(UserDirectory.you)
        properties["visible_to"] = properties["visible_to"] ?? .integer(3)
        let seconds = now / 1_000_000_000
        let change = RecordChange(old: nil, named: check.named, now: seconds, sales: sales)
        if let refused = tables[object].object.finish?(&properties, change) { return refused }
        let record = tables[object].store.create(
            properties, custom: check.customFields.filter { !$0.value.isNull }, addTime: check.addTime ?? seconds,
            updateTime: seconds)
        counters.created += 1
        return .data(whole(record, object), id: record.id)
    }

    mutating func update(_ object: Int, _ id: String, _ body: JSONObject, now: Int64) -> SandboxAnswer {
        let check = checked(object, body, creating: false)
        if let refused = refusal(check) { return refused }
        let seconds = now / 1_000_000_000
        var changed: SandboxRecord?
        let answer = withRecord(tables[object], id) { old in
            var record = old
            record.properties.merge(check.properties) { $1 }
            let change = RecordChange(old: old.properties, named: check.named, now: seconds, sales: sales)
            if let refused = tables[object].object.finish?(&record.properties, change) { return refused }
            if check.clearsCustomFields { record.customFields = [:] }
            for (code, value) in check.customFields { record.customFields[code] = value.isNull ? nil : value }
            let isSame = record.properties == old.properties && record.customFields == old.customFields
            if !isSame { record.updateTime = max(old.updateTime, seconds) }
            if !isSame { changed = record }
            return .data(whole(record, object), id: record.id)
        }
        guard answer.status == 200 else { return answer }
        guard let changed else {
            counters.unchanged += 1
            return answer
        }
        tables[object].store.replace(changed)
        counters.updated += 1
        return answer
    }

    /// The answer to a body that cannot be carried out, or nil.
    private func refusal(_ check: BodyOutcome) -> SandboxAnswer? {
        guard check.reasons.isEmpty else { return .invalid(check.reasons) }
        return check.withoutFeature.map { name in
            .failure(403, "\(name): the feature is not enabled for this company", code: "ERR_FEATURE_NOT_ENABLED")
        }
    }

    mutating func delete(_ object: Int, _ id: String, _ target: RequestTarget, now: Int64) -> SandboxAnswer {
        if let refused = unexpected(target, allowed: []) { return refused }
        let answer = withRecord(tables[object], id) { .data(.members(["id": .integer($0.id)]), id: $0.id) }
        guard answer.status == 200, let number = answer.recordID else { return answer }
        tables[object].store.remove(number, now: now / 1_000_000_000)
        counters.deleted += 1
        return answer
    }

    private func whole(_ record: SandboxRecord, _ object: Int) -> JSON {
        RecordView(tables[object], RequestTarget("/"), features: features).json(record)
    }

    private func checked(_ object: Int, _ body: JSONObject, creating: Bool) -> BodyOutcome {
        let stores = Dictionary(uniqueKeysWithValues: tables.map { ($0.object.name, $0.store) })
        var check = BodyCheck(
            tables[object], self, creating: creating, recordExists: { name, id in stores[name]?[id] != nil })
        check.check(body)
        return check.outcome
    }
}

/// The parameters of a list, with what is wrong with them.
private struct ListParameters {
    var query = RecordStore.Query()
    var reasons: [String] = []

    init(_ target: RequestTarget, _ object: SandboxObject) {
        if let text = target["sort_by"] {
            if let order = RecordStore.Order(rawValue: text) { query.order = order } else { refuse("sort_by", text) }
        }
        if let text = target["sort_direction"] {
            query.descending = text == "desc"
            if text != "asc", text != "desc" { refuse("sort_direction", text) }
        }
        query.limit = PageLimit.parse(target, &reasons)
        query.updatedSince = time("updated_since", target)
        query.updatedUntil = time("updated_until", target)
        if let text = target["owner_id"] {
            query.ownerID = Int(text)
            if query.ownerID == nil { reasons.append("owner_id: must be an integer") }
        }
        for name in object.filters {
            guard let text = target[name] else { continue }
            query.numbers[name] = Int(text)
            if Int(text) == nil { reasons.append("\(name): must be an integer") }
        }
        if let text = target["status"], object.hasStatus {
            let statuses = Set(text.split(separator: ",").map(String.init))
            query.statuses = statuses
            if !statuses.isSubset(of: ["open", "won", "lost", "deleted"]) { refuse("status", text) }
        }
        if let text = target["filter_id"] { refuse("filter_id", text) }
        if let text = target["ids"] { readIDs(text) }
        if let text = target["cursor"] { readCursor(text) }
    }

    private mutating func refuse(_ name: String, _ value: String) {
        reasons.append("\(name): '\(value)' is not a valid value")
    }

    private mutating func time(_ name: String, _ target: RequestTarget) -> Int64? {
        guard let text = target[name] else { return nil }
        let time = Timestamp.parse(text)
        if time == nil { reasons.append("\(name): must be a date and time in RFC 3339") }
        return time
    }

    private mutating func readIDs(_ text: String) {
        let parts = text.split(separator: ",")
        let ids = parts.compactMap { Int($0) }
        if ids.count != parts.count { reasons.append("ids: must be a comma separated list of integers") }
        if ids.count > 100 { reasons.append("ids: must name at most 100 ids") }
        query.ids = ids
    }

    private mutating func readCursor(_ text: String) {
        guard let cursor = Cursor(text), cursor.field == query.order.rawValue, cursor.descending == query.descending
        else { return reasons.append("cursor: is not valid") }
        query.start = OrderedIndex.Entry(key: cursor.value, id: cursor.id)
    }
}

/// The `limit` parameter.
enum PageLimit {
    /// 1 to 500; 100 where it is not given.
    static func parse(_ target: RequestTarget, _ reasons: inout [String]) -> Int {
        guard let text = target["limit"] else { return 100 }
        guard let limit = Int(text), (1...500).contains(limit) else {
            reasons.append("limit: must be an integer from 1 to 500")
            return 100
        }
        return limit
    }
}
