// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The types of fields that the sandbox knows.
enum FieldType: String, Sendable, CaseIterable {
    case varchar
    case varcharAuto = "varchar_auto"
    case text
    case double
    case monetary
    case date
    case daterange
    case time
    case timerange
    case `enum`
    case set
    case user
    case org
    case people
    case phone
    case address
    case int
    case boolean
    case visibleTo = "visible_to"
    case picture
    case stage
    case status
    case varcharOptions = "varchar_options"

    /// Whether a custom field of this type can be created.
    var isCreatable: Bool {
        switch self {
        case .int, .boolean, .visibleTo, .picture, .stage, .status, .varcharOptions: false
        default: true
        }
    }

    /// Whether search looks into custom fields of this type.
    var isSearchable: Bool {
        switch self {
        case .address, .varchar, .text, .varcharAuto, .double, .monetary, .phone: true
        default: false
        }
    }

    /// The parts of a compound type: code and the words before the field's name.
    var subfields: [(code: String, title: String)] {
        switch self {
        case .address: AddressRule.parts + [("formatted_address", "Formatted address")]
        case .monetary: [("value", "Amount"), ("currency", "Currency")]
        case .daterange: [("value", "Start"), ("until", "End")]
        case .time: [("value", "Time"), ("timezone_name", "Time zone")]
        case .timerange: [("value", "Start"), ("until", "End"), ("timezone_name", "Time zone")]
        default: []
        }
    }
}

/// An option of an enum, set or label field.
struct FieldOption: Sendable {
    let id: Int
    let label: String
    /// Built-in fields may name their options by strings.
    var idIsText = false

    var json: JSON {
        .members([
            "id": idIsText ? .string(String(id)) : .integer(id), "label": .string(label), "color": .null,
            "update_time": .null, "add_time": .null,
        ])
    }
}

/// A field of an object, as the fields endpoint describes it.
struct FieldDefinition: Sendable {
    let code: String
    var name: String
    let type: FieldType
    var options: [FieldOption]?
    var isCustom = true
    /// What the account must have for it, or nil.
    var feature: SandboxFeature?

    /// A field that is there without anybody creating it.
    static func builtIn(
        _ code: String, _ name: String, _ type: FieldType, _ options: [(Int, String)]? = nil, idIsText: Bool = false,
        feature: SandboxFeature? = nil
    ) -> FieldDefinition {
        FieldDefinition(
            code: code, name: name, type: type,
            options: options?.map { FieldOption(id: $0.0, label: $0.1, idIsText: idIsText) }, isCustom: false,
            feature: feature)
    }

    /// The field that says who sees a record.
    static let visibility = builtIn(
        "visible_to", "Visible to", .visibleTo,
        [(1, "Item owner"), (3, "Owner's visibility group"), (5, "Group and sub-groups"), (7, "Entire company")],
        idIsText: true)

    /// The options' ids.
    var optionIDs: Set<Int> { Set((options ?? []).map(\.id)) }

    /// The answer for this field of an object, with the namespaces that `include` names.
    func json(_ objectName: String, include: [String]) -> JSON {
        let isOfDeals = objectName == "deal"
        var object: JSONObject = [
            "field_name": .string(name), "field_code": .string(code), "field_type": .string(type.rawValue),
            "options": options.map { .array($0.map(\.json)) } ?? .null,
            "subfields": type.subfields.isEmpty ? .null : .array(type.subfields.map(subfield)),
            "is_custom_field": .bool(isCustom), "is_optional_response_field": .bool(false),
        ]
        if isOfDeals { object["description"] = .string("") }
        if include.contains("ui_visibility") { object["ui_visibility"] = visibility(on: objectName) }
        if include.contains("important_fields") {
            object["important_fields"] = .members(["enabled": .bool(false), "stage_ids": .array([])])
        }
        if include.contains("required_fields") {
            var required: JSONObject = ["enabled": .bool(code == "name" || code == "title")]
            if isOfDeals {
                required["stage_ids"] = .array([])
                required["statuses"] = .members([:])
            }
            object["required_fields"] = .object(required)
        }
        return .object(object)
    }

    private func visibility(on objectName: String) -> JSON {
        var object: JSONObject = ["add_visible_flag": .bool(!isCustom), "details_visible_flag": .bool(true)]
        if objectName == "deal" {
            object["projects_detail_visible_flag"] = .bool(false)
            object["show_in_pipelines"] = .members(["show_in_all": .bool(true), "pipeline_ids": .array([])])
        } else {
            let hidden: JSON = .members(["show": .bool(false), "order": .null])
            object["show_in_add_deal_dialog"] = hidden
            if objectName == "organization" { object["show_in_add_person_dialog"] = hidden }
        }
        return .object(object)
    }

    private func subfield(_ part: (code: String, title: String)) -> JSON {
        .members([
            "field_code": .string(part.code), "field_name": .string("\(part.title) of \(name)"),
            "field_type": .string("varchar"),
        ])
    }
}

/// The fields of one object, in the order in which they are listed.
struct FieldCatalog: Sendable {
    private(set) var fields: [FieldDefinition] = []
    private var positions: [String: Int] = [:]
    private var nextOptionID = 31

    init(_ fields: [FieldDefinition]) { for field in fields { add(field) } }

    /// The custom fields, in order.
    var custom: some Sequence<FieldDefinition> { fields.lazy.filter(\.isCustom) }

    subscript(code: String) -> FieldDefinition? { positions[code].map { fields[$0] } }

    /// The custom field with this label, or nil.
    func labelled(_ name: String) -> FieldDefinition? { fields.first { $0.isCustom && $0.name == name } }

    /// Adds a custom field; its code follows from its label alone where that code is still free.
    @discardableResult
    mutating func create(_ name: String, _ type: FieldType, options labels: [String]? = nil) -> FieldDefinition {
        var code = Self.code(of: name)
        var repetition = 2
        while positions[code] != nil {
            code = Self.code(of: "\(name)#\(repetition)")
            repetition += 1
        }
        let options = labels?.map { label in
            defer { nextOptionID += 1 }
            return FieldOption(id: nextOptionID, label: label)
        }
        let field = FieldDefinition(code: code, name: name, type: type, options: options)
        add(field)
        return field
    }

    /// Gives a custom field another label; its code stays.
    mutating func rename(_ label: String, to name: String) {
        guard let index = fields.firstIndex(where: { $0.isCustom && $0.name == label }) else { return }
        fields[index].name = name
    }

    private mutating func add(_ field: FieldDefinition) {
        positions[field.code] = fields.count
        fields.append(field)
    }

    /// 40 hexadecimal digits that follow from the label alone: FNV-1a over the label with three offsets.
    static func code(of label: String) -> String {
        var digits = ""
        for salt: UInt64 in 1...3 {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325 &+ salt
            for byte in label.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash ^= hash >> 29
            hash = hash &* 0xbf58_476d_1ce4_e5b9
            hash ^= hash >> 32
            let text = String(hash, radix: 16)
            digits += String(repeating: "0", count: 16 - text.count) + text
        }
        return String(digits.prefix(40))
    }
}
