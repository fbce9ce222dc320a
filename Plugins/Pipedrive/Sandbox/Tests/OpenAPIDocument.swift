// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel
import Yams

/// One of Pipedrive's official OpenAPI files, as far as the tests read it.
struct OpenAPIDocument {
    /// The path of the v2 file, as the environment names it.
    static var path: String? { getenv("PENSTOCK_OPENAPI").map { String(cString: $0) } }

    /// The path of the v1 file beside it, where there is one.
    static var version1Path: String? {
        guard let path, let range = path.firstRange(of: "v2"), path.contains("openapi-v2") else { return nil }
        let candidate = path.replacingCharacters(in: range, with: "v1")
        return access(candidate, R_OK) == 0 ? candidate : nil
    }

    private var paths: [String: JSON] = [:]

    /// Parses the file once and keeps the wanted paths.
    init(_ path: String, wanted: (String) -> Bool) throws {
        let root = try compose(yaml: TestFile.text(path) ?? "")
        for (key, value) in root?["paths"]?.mapping ?? [:] {
            if let name = key.string, wanted(name) { paths[name] = Self.json(value) }
        }
    }

    /// An operation, or nil where the file has none.
    subscript(method: String, path: String) -> OpenAPIOperation? {
        paths[path]?[method.lowercased()].map { OpenAPIOperation(json: $0) }
    }

    private static func json(_ node: Node) -> JSON {
        if let mapping = node.mapping {
            var object = JSONObject()
            for (key, value) in mapping { object[key.scalar?.string ?? ""] = json(value) }
            return .object(object)
        }
        if let sequence = node.sequence { return .array(sequence.map(json)) }
        guard let scalar = node.scalar else { return .null }
        guard scalar.style == .plain else { return .string(scalar.string) }
        switch scalar.string {
        case "true", "false": return .bool(scalar.string == "true")
        case "null", "": return .null
        default: return Int(scalar.string) == nil ? .string(scalar.string) : .number(scalar.string)
        }
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}

/// One operation of an OpenAPI file.
struct OpenAPIOperation {
    let json: JSON

    var cost: Int? { json["x-token-cost"]?.intValue }

    var statuses: [String] { json["responses"]?.objectValue?.keys ?? [] }

    /// The schema of the body that a request sends.
    var request: JSON? { json["requestBody"]?["content"]?["application/json"]?["schema"] }

    /// The schema of the answer with status 200.
    var response: JSON? { json["responses"]?["200"]?["content"]?["application/json"]?["schema"] }

    /// The names of the query parameters.
    var queryParameters: [String] {
        (json["parameters"]?.arrayValue ?? []).filter { $0["in"]?.stringValue == "query" }
            .compactMap { $0["name"]?.stringValue }
    }
}

/// Holds JSON values against OpenAPI 3.0 schemas.
///
/// A null is accepted everywhere, since the file is known to declare it in too few places.
struct SchemaCheck {
    /// Properties that the live API answers although the file does not name them.
    static let undeclared: Set<String> = ["formatted_address"]

    private(set) var findings: [String] = []

    /// The properties of a schema, those of its `allOf` parts included.
    static func properties(_ schema: JSON) -> [String: JSON] {
        var all: [String: JSON] = [:]
        for part in schema["allOf"]?.arrayValue ?? [] { all.merge(properties(part)) { $1 } }
        for member in schema["properties"]?.objectValue ?? [:] { all[member.key] = member.value }
        return all
    }

    mutating func check(_ json: JSON, _ schema: JSON, at path: String) {
        if json.isNull { return }
        if let choices = schema["oneOf"]?.arrayValue {
            let fits = choices.contains { choice in
                var attempt = SchemaCheck()
                attempt.check(json, choice, at: path)
                return attempt.findings.isEmpty
            }
            if !fits { findings.append("\(path): fits none of the choices") }
            return
        }
        if let values = schema["enum"]?.arrayValue, !values.contains(json) {
            findings.append("\(path): \(json.text) is not one of the values")
        }
        let properties = Self.properties(schema)
        let type = schema["type"]?.stringValue ?? (properties.isEmpty ? nil : "object")
        switch (type, json) {
        case ("object", .object(let object)): checkMembers(object, properties, schema, path)
        case ("array", .array(let items)):
            guard let element = schema["items"] else { return }
            for (index, item) in items.enumerated() { check(item, element, at: "\(path)[\(index)]") }
        case ("string", .string), ("boolean", .bool), ("number", .number), (nil, _): break
        case ("integer", .number(let text)) where Int(text) != nil: break
        default: findings.append("\(path): \(json.text) is not of type \(type ?? "any")")
        }
    }

    private mutating func checkMembers(
        _ object: JSONObject, _ properties: [String: JSON], _ schema: JSON, _ path: String
    ) {
        for name in schema["required"]?.arrayValue?.compactMap(\.stringValue) ?? [] where object[name] == nil {
            findings.append("\(path): \(name) is missing")
        }
        let isOpen = schema["additionalProperties"] != nil || properties.isEmpty
        for member in object {
            if let property = properties[member.key] {
                check(member.value, property, at: "\(path).\(member.key)")
            } else if !isOpen, !Self.undeclared.contains(member.key) {
                findings.append("\(path): \(member.key) is not declared")
            }
        }
    }
}
