// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension DestinationField {
    /// The fields as they cross the boundary.
    package static func document(_ fields: [DestinationField]) -> JSON {
        Document.list("fields", fields.map(\.document))
    }

    /// The fields in a document.
    package static func list(document: JSON) throws(DocumentError) -> [DestinationField] {
        try document.decoded("fields") { item throws(DocumentError) in try DestinationField(document: item) }
    }

    private var document: JSON {
        var object: JSONObject = [
            "key": .string(key), "label": .string(label), "kind": .string(kind.rawValue),
            "custom": .bool(isCustom), "required_on_create": .bool(isRequiredOnCreate),
            "writable_on_create": .bool(isWritableOnCreate), "writable_on_update": .bool(isWritableOnUpdate),
            "clearable": .bool(isClearable),
        ]
        if let lengthMax { object["length_max"] = .integer(lengthMax) }
        if !options.isEmpty { object["options"] = .array(options.map(\.document)) }
        if !parts.isEmpty { object["parts"] = .strings(parts) }
        if !referenceObject.isEmpty { object["reference_object"] = .string(referenceObject) }
        if optionsCost != 0 { object["options_cost"] = .integer(optionsCost) }
        if !optionsWithin.isEmpty { object["options_within"] = .string(optionsWithin) }
        if let condition { object["only_when"] = condition.document }
        if content != .plain { object["content"] = .string(content.rawValue) }
        if locksRecord { object["locks_record"] = .bool(true) }
        if !note.isEmpty { object["note"] = .string(note) }
        return .object(object)
    }

    private init(document: JSON) throws(DocumentError) {
        let kindName = try document.text("kind")
        guard let kind = Kind(rawValue: kindName) else {
            throw DocumentError(reason: "the kind \(kindName) does not exist")
        }
        let contentName = try document.textIfPresent("content") ?? Content.plain.rawValue
        guard let content = Content(rawValue: contentName) else {
            throw DocumentError(reason: "the content \(contentName) does not exist")
        }
        self.init(
            try document.text("key"), kind, label: try document.textIfPresent("label") ?? "",
            isCustom: try document.flag("custom", false),
            isRequiredOnCreate: try document.flag("required_on_create", false),
            isWritableOnCreate: try document.flag("writable_on_create", kind != .id),
            isWritableOnUpdate: try document.flag("writable_on_update", kind != .id),
            isClearable: try document.flag("clearable", false), lengthMax: try document.integer("length_max"),
            options: try document.decoded("options") { item throws(DocumentError) in
                try FieldOption(document: item)
            },
            parts: try document.texts("parts"),
            referenceObject: try document.textIfPresent("reference_object") ?? "",
            optionsCost: Int64(try document.integer("options_cost") ?? 0),
            optionsWithin: try document.textIfPresent("options_within") ?? "",
            condition: try FieldCondition.condition(document["only_when"]), content: content,
            locksRecord: try document.flag("locks_record", false), note: try document.textIfPresent("note") ?? "")
    }
}

extension FieldCondition {
    fileprivate var document: JSON {
        var object: JSONObject = ["field": .string(field), "values": .strings(values)]
        if !initial.isEmpty { object["initial"] = .string(initial) }
        return .object(object)
    }

    fileprivate static func condition(_ document: JSON?) throws(DocumentError) -> FieldCondition? {
        guard let document, !document.isNull else { return nil }
        return FieldCondition(
            try document.text("field"), try document.texts("values"),
            initial: try document.textIfPresent("initial") ?? "")
    }
}

extension FieldOption {
    fileprivate var document: JSON {
        var object: JSONObject = ["id": .string(id), "label": .string(label)]
        if !aliases.isEmpty { object["aliases"] = .strings(aliases) }
        if !isActive { object["active"] = .bool(false) }
        if !group.isEmpty { object["group"] = .string(group) }
        return .object(object)
    }

    fileprivate init(document: JSON) throws(DocumentError) {
        self.init(
            id: try document.text("id"), label: try document.text("label"),
            aliases: try document.texts("aliases"), isActive: try document.flag("active", true),
            group: try document.textIfPresent("group") ?? "")
    }
}
