// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension SandboxState {
    private static let searchable = ["name", "address", "notes", "custom_fields"]

    /// Searches by looking at every record: the sandbox has no search index, and no indexing delay either.
    func search(_ table: Table, _ target: RequestTarget) -> SandboxAnswer {
        let allowed: Set<String> = ["term", "fields", "exact_match", "limit", "cursor"]
        if let refused = unexpected(target, allowed: allowed) { return refused }
        var reasons: [String] = []
        let isExact = target["exact_match"] == "true"
        let term = (target["term"] ?? "").lowercased()
        if term.count < (isExact ? 1 : 2) {
            reasons.append("term: must be at least \(isExact ? 1 : 2) characters long")
        }
        let fields = target["fields"].map { $0.split(separator: ",").map(String.init) } ?? Self.searchable
        for field in fields where !Self.searchable.contains(field) {
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
            searchTexts(record, table, fields).contains { text in
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
        if fields.contains("name"), let name = record.properties["name"]?.stringValue { texts.append(name) }
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

    private func item(_ record: SandboxRecord, _ table: Table, score: Double) -> JSON {
        let item = JSON.members([
            "id": .integer(record.id), "type": .string(table.object.name),
            "name": record.properties["name"] ?? .null, "address": record.properties["address"]?["value"] ?? .null,
            "visible_to": record.properties["visible_to"] ?? .null,
            "owner": .members(["id": record.properties["owner_id"] ?? .null]),
            "custom_fields": .strings(searchTexts(record, table, ["custom_fields"]).sorted()), "notes": .array([]),
        ])
        return .members(["result_score": .double(score), "item": item])
    }
}
