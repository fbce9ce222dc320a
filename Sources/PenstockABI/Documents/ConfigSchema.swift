// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The settings of a connector as the JSON Schema subset of the boundary.
package enum ConfigSchema {
    /// The schema that describes `fields`, and how a connection gets its credential in a browser.
    static func document(_ fields: [ConfigField], login: BrowserLogin? = nil) -> JSON {
        var properties = JSONObject()
        for (order, field) in fields.enumerated() { properties[field.name] = .object(property(field, order)) }
        var object: JSONObject = [
            "v": .integer(1), "type": .string("object"), "properties": .object(properties),
            "required": .strings(fields.filter(\.isRequired).map(\.name)),
        ]
        object[BrowserLogin.keyword] = login?.json
        return .object(object)
    }

    /// The fields that a schema describes, in the order of `x-order`, else of their appearance.
    package static func fields(document: JSON) throws(DocumentError) -> [ConfigField] {
        guard document["type"]?.stringValue == "object" else {
            throw DocumentError(reason: "the type of the settings is not object")
        }
        try refuseUnknown(document, ["v", "type", "properties", "required", "title", "description", "$schema"])
        let required = try document.texts("required")
        var placed: [(order: Int, field: ConfigField)] = []
        for member in document["properties"]?.objectValue?.members ?? [] {
            do {
                let field = try field(member.key, member.value, isRequired: required.contains(member.key))
                placed.append((try member.value.integer("x-order") ?? placed.count, field))
            } catch {
                throw DocumentError(reason: "the setting \(member.key): \(error.reason)")
            }
        }
        for name in required where !placed.contains(where: { $0.field.name == name }) {
            throw DocumentError(reason: "required names \(name), which is not a property")
        }
        // Swift's sort is stable, so that equal orders keep their appearance.
        return placed.sorted { $0.order < $1.order }.map(\.field)
    }

    // MARK: - Writing

    private static func property(_ field: ConfigField, _ order: Int) -> JSONObject {
        var object = type(field.kind)
        object["description"] = .string(field.summary)
        if let value = field.defaultValue { object["default"] = value }
        if !field.example.isEmpty { object["examples"] = .array([example(field)]) }
        object["x-order"] = .integer(order)
        if field.isAdvanced { object["x-advanced"] = .bool(true) }
        return object
    }

    private static func type(_ kind: ConfigField.Kind) -> JSONObject {
        switch kind {
        case .string: return ["type": .string("string")]
        case .secret: return ["type": .string("string"), "x-secret": .bool(true)]
        case .path: return ["type": .string("string"), "x-path": .bool(true)]
        case .boolean: return ["type": .string("boolean")]
        case .choice(let values): return ["type": .string("string"), "enum": .strings(values)]
        case .strings:
            return ["type": .string("array"), "items": .object(["type": .string("string")] as JSONObject)]
        case .integer(let bounds):
            var object: JSONObject = ["type": .string("integer")]
            if bounds.lowerBound != .min { object["minimum"] = .integer(bounds.lowerBound) }
            if bounds.upperBound != .max { object["maximum"] = .integer(bounds.upperBound) }
            return object
        case .map(let values):
            var inner: JSONObject = ["type": .string("string")]
            if !values.isEmpty { inner["enum"] = .strings(values) }
            return ["type": .string("object"), "additionalProperties": .object(inner)]
        }
    }

    private static func example(_ field: ConfigField) -> JSON {
        switch field.kind {
        case .boolean where field.example == "true" || field.example == "false":
            return .bool(field.example == "true")
        case .integer:
            if let number = Int(field.example), String(number) == field.example { return .integer(number) }
            return .string(field.example)
        default: return .string(field.example)
        }
    }

    // MARK: - Reading

    private static let known: Set<String> = [
        "type", "title", "description", "default", "examples", "enum", "minimum", "maximum", "items",
        "additionalProperties",
    ]

    private static func refuseUnknown(_ object: JSON, _ known: Set<String>) throws(DocumentError) {
        for key in object.objectValue?.keys ?? [] where !known.contains(key) && !key.hasPrefix("x-") {
            throw DocumentError(reason: "the keyword \(key) is not part of the subset")
        }
    }

    private static func field(
        _ name: String, _ property: JSON, isRequired: Bool
    ) throws(DocumentError) -> ConfigField {
        try refuseUnknown(property, known)
        let example = try property.list("examples").first.map { $0.stringValue ?? $0.text }
        let defaultValue = property["default"].flatMap { $0.isNull ? nil : $0 }
        return ConfigField(
            name, try kind(property), try property.textIfPresent("description") ?? "",
            defaultValue: defaultValue, isRequired: isRequired, example: example ?? "",
            isAdvanced: try property.flag("x-advanced", false))
    }

    private static func kind(_ property: JSON) throws(DocumentError) -> ConfigField.Kind {
        let type = try property.text("type")
        switch type {
        case "string":
            if try property.flag("x-secret", false) { return .secret }
            if try property.flag("x-path", false) { return .path }
            let values = try property.texts("enum")
            return values.isEmpty ? .string : .choice(values)
        case "integer":
            let lower = try property.integer("minimum") ?? .min
            let upper = try property.integer("maximum") ?? .max
            guard lower <= upper else { throw DocumentError(reason: "its minimum is above its maximum") }
            return .integer(lower...upper)
        case "boolean": return .boolean
        case "array":
            guard property["items"]?["type"]?.stringValue == "string" else {
                throw DocumentError(reason: "only lists of strings are part of the subset")
            }
            return .strings
        case "object":
            guard let inner = property["additionalProperties"], inner["type"]?.stringValue == "string" else {
                throw DocumentError(reason: "only objects with strings as additionalProperties are part of the subset")
            }
            return .map(try inner.texts("enum"))
        default: throw DocumentError(reason: "the type \(type) is not part of the subset")
        }
    }
}
