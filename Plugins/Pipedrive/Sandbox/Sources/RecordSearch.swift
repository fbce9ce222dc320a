// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension SandboxState {
    /// Searches by looking at every record: the sandbox has no search index, and no indexing delay either.
    func search(_ table: Table, _ target: RequestTarget) -> SandboxAnswer {
        let object = table.object
        var allowed: Set<String> = ["term", "fields", "exact_match", "limit", "cursor"]
        allowed.formUnion(object.searchFilters.keys)
        if object.name == "deal" { allowed.insert("include_fields") }
        if object.name == "person" { allowed.insert("include_fields") }
        if let refused = unexpected(target, allowed: allowed) { return refused }
        var reasons: [String] = []
        let isExact = target["exact_match"] == "true"
        let term = (target["term"] ?? "").lowercased()
        if term.count < (isExact ? 1 : 2) {
            reasons.append("term: must be at least \(isExact ? 1 : 2) characters long")
        }
        let fields = target["fields"].map { $0.split(separator: ",").map(String.init) } ?? object.searchable
        for field in fields where !object.searchable.contains(field) {
            reasons.append("fields: '\(field)' is not a valid value")
        }
        let limit = PageLimit.parse(target, &reasons)
        var skipped: Int64 = 0
        if let text = target["cursor"] {
            let cursor = Cursor(text)
            if cursor?.field != "search" { reasons.append("cursor: is not valid") }
            skipped = cursor?.value ?? 0
        }
        guard reasons.isEmpty else { return .invalid(reasons) }
        let found = table.store.live.lazy.filter { record in
            for (parameter, property) in object.searchFilters {
                guard let wanted = target[parameter], let held = record.properties[property] else { continue }
                if (held.stringValue ?? held.text) != wanted { return false }
            }
            return searchTexts(record, table, fields).contains { text in
                isExact ? text.lowercased() == term : text.lowercased().contains(term)
            }
        }
        let page = Array(found.dropFirst(Int(skipped)).prefix(limit + 1))
        let items = page.prefix(limit).map { item($0, table, score: isExact ? 1 : 0.5) }
        let next = page.count > limit ? Cursor(field: "search", value: skipped + Int64(limit)) : nil
        return .page(.members(["items": .array(items)]), next: next)
    }

    private func searchTexts(_ record: SandboxRecord, _ table: Table, _ fields: [String]) -> [String] {
        var texts: [String] = []
        for name in ["name", "title"] where fields.contains(name) {
            if let text = record.properties[name]?.stringValue { texts.append(text) }
        }
        for (field, name) in [("email", "emails"), ("phone", "phones")] where fields.contains(field) {
            texts += Self.values(record, name)
        }
        if fields.contains("address"), let address = record.properties["address"]?["value"]?.stringValue {
            texts.append(address)
        }
        guard fields.contains("custom_fields") else { return texts }
        for (code, value) in record.customFields where table.fields[code]?.type.isSearchable ?? false {
            let plain = value["value"] ?? value
            if let text = plain.stringValue ?? plain.numberText { texts.append(text) }
        }
        return texts
    }

    private static func values(_ record: SandboxRecord, _ name: String) -> [String] {
        (record.properties[name]?.arrayValue ?? []).compactMap { $0["value"]?.stringValue }
    }

    private func item(_ record: SandboxRecord, _ table: Table, score: Double) -> JSON {
        let properties = record.properties
        var item: JSONObject = [
            "id": .integer(record.id), "type": .string(table.object.name),
            "visible_to": properties["visible_to"] ?? .null,
            "owner": .members(["id": properties["owner_id"] ?? .null]),
            "custom_fields": .strings(searchTexts(record, table, ["custom_fields"]).sorted()), "notes": .array([]),
        ]
        switch table.object.name {
        case "person":
            item["name"] = properties["name"] ?? .null
            item["phones"] = .strings(Self.values(record, "phones"))
            item["emails"] = .strings(Self.values(record, "emails"))
            item["organization"] = linked("organization", properties["org_id"], "name")
        case "deal":
            for name in ["title", "value", "currency", "status", "is_archived"] {
                item[name] = properties[name] ?? .null
            }
            let stage = sales.stages.first { $0.id == properties["stage_id"]?.intValue }
            item["stage"] = stage.map { .members(["id": .integer($0.id), "name": .string($0.name)]) } ?? .null
            item["person"] = linked("person", properties["person_id"], "name")
            item["organization"] = linked("organization", properties["org_id"], "name")
        default:
            item["name"] = properties["name"] ?? .null
            item["address"] = properties["address"]?["value"] ?? .null
        }
        return .members(["result_score": .double(score), "item": .object(item)])
    }

    private func linked(_ object: String, _ id: JSON?, _ name: String) -> JSON {
        guard let id = id?.intValue, let record = tables.first(where: { $0.object.name == object })?.store[id] else {
            return .null
        }
        return .members(["id": .integer(id), "name": record.properties[name] ?? .null])
    }
}
