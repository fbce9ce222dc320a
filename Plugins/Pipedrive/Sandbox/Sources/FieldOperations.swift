// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension SandboxState {
    private static let namespaces = ["ui_visibility", "important_fields", "required_fields"]

    func listFields(_ table: Table, _ target: RequestTarget) -> SandboxAnswer {
        if let refused = unexpected(target, allowed: ["include_fields", "limit", "cursor"]) { return refused }
        var reasons: [String] = []
        let include = Self.namespaces(target, &reasons)
        let limit = PageLimit.parse(target, &reasons)
        var start = 0
        if let text = target["cursor"] {
            let cursor = Cursor(text)
            if cursor?.field != "field" { reasons.append("cursor: is not valid") }
            start = Int(cursor?.value ?? 0)
        }
        guard reasons.isEmpty else { return .invalid(reasons) }
        let fields = table.fields.fields.filter { $0.feature.map(features.contains) ?? true }.dropFirst(start)
        let next = fields.count > limit ? Cursor(field: "field", value: Int64(start + limit)) : nil
        return .page(.array(fields.prefix(limit).map { $0.json(table.object.name, include: include) }), next: next)
    }

    func readField(_ table: Table, _ code: String, _ target: RequestTarget) -> SandboxAnswer {
        if let refused = unexpected(target, allowed: ["include_fields"]) { return refused }
        var reasons: [String] = []
        let include = Self.namespaces(target, &reasons)
        guard reasons.isEmpty else { return .invalid(reasons) }
        return table.fields[code].map { .data($0.json(table.object.name, include: include)) } ?? .notFound("Field")
    }

    private static func namespaces(_ target: RequestTarget, _ reasons: inout [String]) -> [String] {
        let names = target["include_fields"].map { $0.split(separator: ",").map(String.init) } ?? []
        for name in names where !namespaces.contains(name) {
            reasons.append("include_fields: '\(name)' is not allowed")
        }
        return names
    }

    mutating func createField(_ object: Int, _ body: JSONObject) -> SandboxAnswer {
        var reasons: [String] = []
        let described = tables[object].object.name == "deal" ? ["description"] : []
        let known = ["field_name", "field_type", "options"] + described + Self.namespaces
        for key in body.keys where !known.contains(key) {
            reasons.append("\(key): Parameter '\(key)' is not allowed for this request")
        }
        for key in described where body[key].map({ $0.stringValue == nil }) ?? false {
            reasons.append("\(key): must be a string")
        }
        for key in Self.namespaces {
            if let value = body[key], value.objectValue == nil { reasons.append("\(key): must be an object") }
        }
        let name = body["field_name"]?.stringValue ?? ""
        if !(1...255).contains(name.unicodeScalars.count) {
            reasons.append("field_name: must be a string of 1 to 255 characters")
        }
        let type = body["field_type"]?.stringValue.flatMap { FieldType(rawValue: $0) }
        if !(type?.isCreatable ?? false) { reasons.append("field_type: is not a valid value") }
        let labels = optionLabels(body["options"], type, &reasons)
        guard reasons.isEmpty, let type else { return .invalid(reasons) }
        let field = tables[object].fields.create(name, type, options: labels)
        return .data(field.json(tables[object].object.name, include: []))
    }

    private func optionLabels(_ options: JSON?, _ type: FieldType?, _ reasons: inout [String]) -> [String]? {
        let takesOptions = type == .enum || type == .set
        guard let options else {
            if takesOptions { reasons.append("options: is required for this field type") }
            return nil
        }
        guard takesOptions else {
            reasons.append("options: is not allowed for this field type")
            return nil
        }
        let items = options.arrayValue ?? []
        let labels = items.compactMap { $0["label"]?.stringValue }
        let isWhole = labels.count == items.count && items.allSatisfy { $0.objectValue?.count == 1 }
        if items.isEmpty || !isWhole { reasons.append("options: must be a non-empty array of objects with a label") }
        return labels
    }
}
