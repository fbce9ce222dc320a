// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// A field of an account, with the way its values travel.
package struct PipedriveField: Sendable, Hashable {
    /// What the host is told.
    package var field: DestinationField
    /// How a value stands in a request.
    package var wire: WireShape
    /// Where its options come from.
    package var optionSource = OptionSource.listing
    /// Whether answers have it only where `include_fields` asks for it.
    package var isIncludedOnDemand = false
}

/// The fields of one object as an account has them.
package struct PipedriveFields: Sendable, Hashable {
    /// `id` first, then the vendor's in the order of the object's table, then the account's in its own order.
    package private(set) var all: [PipedriveField]

    /// The fields that follow from the account's list of definitions.
    ///
    /// - Parameter listing: The elements of `data` of every page, in order.
    package init(_ object: PipedriveObject, listing: [JSON]) {
        all = [Self.id]
        for builtIn in object.fields {
            let codes = [builtIn.field.key] + builtIn.listedAs
            let definition = listing.first { entry in
                entry["is_custom_field"]?.boolValue != true
                    && entry["field_code"]?.stringValue.map(codes.contains) ?? false
            }
            var field = builtIn.field
            if let label = definition?["field_name"]?.stringValue, !label.isEmpty { field.label = label }
            let options = Self.options(definition)
            if !options.isEmpty && builtIn.optionSource == .listing { field.options = options }
            if definition == nil && !builtIn.feature.isEmpty {
                field.isWritableOnCreate = false
                field.isWritableOnUpdate = false
                field.note = "This account does not have it: it needs \(builtIn.feature)."
            }
            all.append(
                PipedriveField(
                    field: field, wire: builtIn.wire, optionSource: builtIn.optionSource,
                    isIncludedOnDemand: builtIn.isIncludedOnDemand))
        }
        all += listing.compactMap(Self.custom)
    }

    private static let id = PipedriveField(
        field: DestinationField("id", .id, label: "ID", isWritableOnCreate: false, isWritableOnUpdate: false),
        wire: .id)

    /// The field with this key, or nil.
    package subscript(key: String) -> PipedriveField? { all.first { $0.field.key == key } }

    /// Whether one of `names` is the key or the label of a field whose options come from `source`.
    package func need(_ source: OptionSource, _ names: [String]) -> Bool {
        all.contains {
            $0.optionSource == source && (names.contains($0.field.key) || names.contains($0.field.label))
        }
    }

    /// Gives every field whose options come from `source` these to choose from.
    package mutating func setOptions(_ options: [FieldOption], from source: OptionSource) {
        for index in all.indices where all[index].optionSource == source { all[index].field.options = options }
    }

    /// Adds a text field that has just been made.
    mutating func addText(_ key: String, label: String) {
        all.append(
            PipedriveField(
                field: DestinationField(
                    key, .text, label: label, isCustom: true, isClearable: true, lengthMax: Self.shortTextMax),
                wire: .string))
    }

    private static let shortTextMax = 255

    private static func custom(_ definition: JSON) -> PipedriveField? {
        guard definition["is_custom_field"]?.boolValue == true,
            let key = definition["field_code"]?.stringValue, let type = definition["field_type"]?.stringValue
        else { return nil }
        let kind = kind(ofType: type)
        let isShort = ["varchar", "varchar_auto", "phone"].contains(type)
        let references = ["org": "organization", "people": "person", "deal": "deal"]
        let isWritable = kind != nil
        let field = DestinationField(
            key, kind ?? .json, label: definition["field_name"]?.stringValue ?? "", isCustom: true,
            isWritableOnCreate: isWritable, isWritableOnUpdate: isWritable, isClearable: isWritable,
            lengthMax: isShort ? shortTextMax : nil,
            options: kind == .option || kind == .options ? options(definition) : [],
            parts: kind == .address ? PipedriveObject.addressParts : [], referenceObject: references[type] ?? "",
            optionsCost: kind == .user ? PipedriveAPI.usersCost : 0, content: type == "phone" ? .phone : .plain,
            note: isWritable ? "" : "Pipedrive takes no value for a field of the type \(type).")
        return PipedriveField(
            field: field, wire: WireShape(field.kind), optionSource: kind == .user ? .users : .listing)
    }

    /// The kind of a custom field's type, or nil for types that cannot be made as custom fields.
    package static func kind(ofType type: String) -> DestinationField.Kind? {
        switch type {
        case "varchar", "varchar_auto", "text", "phone": .text
        case "double": .number
        case "int": .integer
        case "boolean": .boolean
        case "monetary": .money
        case "date": .date
        case "daterange": .dateRange
        case "time": .time
        case "timerange": .timeRange
        case "enum": .option
        case "set": .options
        case "user": .user
        case "org", "people", "deal": .reference
        case "address": .address
        default: nil
        }
    }

    private static func options(_ definition: JSON?) -> [FieldOption] {
        (definition?["options"]?.arrayValue ?? []).compactMap { option in
            guard let id = option["id"].flatMap({ $0.stringValue ?? $0.numberText }) else { return nil }
            return FieldOption(id: id, label: option["label"]?.stringValue ?? id)
        }
    }

    /// The users of an account, from the elements of `data` of `/v1/users`.
    package static func users(_ listing: [JSON]) -> [FieldOption] {
        listing.compactMap { user in
            guard let id = user["id"]?.numberText else { return nil }
            let isActive = user["active_flag"]?.boolValue ?? true
            return FieldOption(
                id: id, label: user["name"]?.stringValue ?? id, aliases: [user["email"]?.stringValue].compactMap { $0 },
                isActive: isActive && user["is_deleted"]?.boolValue != true)
        }
    }

    /// The pipelines of an account, from the elements of `data` of `/api/v2/pipelines`.
    package static func pipelines(_ listing: [JSON]) -> [FieldOption] {
        listing.compactMap { named($0, group: "") }
    }

    /// The stages of an account's pipelines, from the elements of `data` of `/api/v2/stages`.
    package static func stages(_ listing: [JSON]) -> [FieldOption] {
        listing.compactMap { named($0, group: $0["pipeline_id"]?.numberText ?? "") }
    }

    private static func named(_ item: JSON, group: String) -> FieldOption? {
        guard let id = item["id"]?.numberText else { return nil }
        return FieldOption(
            id: id, label: item["name"]?.stringValue ?? id, isActive: item["is_deleted"]?.boolValue != true,
            group: group)
    }
}
