// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// How records are to be shown: what `custom_fields`, `include_fields` and the label parameters ask for.
struct RecordView {
    /// The query parameters that shape the answer.
    static let parameters: Set<String> = ["include_fields", "custom_fields", "include_option_labels", "include_labels"]

    private let table: SandboxState.Table
    private let features: Set<SandboxFeature>
    private var customCodes: [String]?
    private var included: [String] = []
    private var showsOptionLabels = false
    private var showsLabels = false
    private(set) var reasons: [String] = []

    init(_ table: SandboxState.Table, _ target: RequestTarget, features: Set<SandboxFeature>) {
        self.table = table
        self.features = features
        if let text = target["custom_fields"] {
            let codes = text.split(separator: ",").map(String.init)
            if codes.count > 15 { reasons.append("custom_fields: must name at most 15 keys") }
            customCodes = codes
        }
        if let text = target["include_fields"] {
            included = text.split(separator: ",").map(String.init)
            let marketing = features.contains(.campaigns) ? [] : ["marketing_status", "doi_status"]
            for name in included where !table.object.includable.contains(name) || marketing.contains(name) {
                reasons.append("include_fields: '\(name)' is not allowed")
            }
        }
        showsOptionLabels = flag("include_option_labels", target)
        showsLabels = flag("include_labels", target)
    }

    private mutating func flag(_ name: String, _ target: RequestTarget) -> Bool {
        guard let text = target[name] else { return false }
        if text != "true", text != "false" { reasons.append("\(name): must be a boolean") }
        return text == "true"
    }

    /// The record as it is answered; custom fields without a value are null.
    func json(_ record: SandboxRecord) -> JSON {
        var object = JSONObject()
        object.append("id", .integer(record.id))
        object.append("add_time", .string(Timestamp.text(record.addTime)))
        object.append("update_time", .string(Timestamp.text(record.updateTime)))
        object.append("is_deleted", .bool(record.isDeleted))
        for property in table.object.properties where isAnswered(property) {
            switch property.rule {
            case .timestamp, .notTrue: break
            case .customFields: object.append(property.name, customFields(record))
            case .optionList: object.append(property.name, record.properties[property.name] ?? .array([]))
            default: object.append(property.name, record.properties[property.name] ?? .null)
            }
        }
        for (name, value) in table.object.answered { object.append(name, record.properties[name] ?? value) }
        if showsLabels { object.append("labels", labels(record)) }
        for name in included {
            object.append(name, record.properties[name] ?? (name.hasSuffix("_count") ? .integer(0) : .null))
        }
        return .object(object)
    }

    private func isAnswered(_ property: SandboxObject.Property) -> Bool {
        property.isAnswered && !property.isOnDemand && (property.feature.map(features.contains) ?? true)
    }

    private func labels(_ record: SandboxRecord) -> JSON {
        guard let field = table.fields["label_ids"], let ids = record.properties["label_ids"]?.arrayValue else {
            return .array([])
        }
        return .array(ids.map { named($0, field) })
    }

    private func customFields(_ record: SandboxRecord) -> JSON {
        var object = JSONObject()
        for field in table.fields.custom where customCodes?.contains(field.code) ?? true {
            let value = record.customFields[field.code] ?? .null
            object.append(field.code, showsOptionLabels ? withLabels(value, field) : value)
        }
        return .object(object)
    }

    private func withLabels(_ value: JSON, _ field: FieldDefinition) -> JSON {
        switch (field.type, value) {
        case (.enum, .number): named(value, field)
        case (.set, .array(let items)): .array(items.map { named($0, field) })
        default: value
        }
    }

    private func named(_ id: JSON, _ field: FieldDefinition) -> JSON {
        let label = (field.options ?? []).first { $0.id == id.intValue }?.label
        return .members(["id": id, "label": label.map { .string($0) } ?? .null])
    }
}
