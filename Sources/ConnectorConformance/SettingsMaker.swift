// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Settings that follow from their description alone.
enum SettingsMaker {
    /// Settings with a value for all that is required or has an example.
    ///
    /// - Parameter secret: The value of every secret.
    static func settings(_ fields: [ConfigField], secret: String) -> JSONObject {
        var settings = JSONObject()
        for field in fields {
            if let value = field.defaultValue {
                settings.append(field.name, value)
            } else if field.isRequired || field.isSecret || !field.example.isEmpty {
                settings.append(field.name, value(field, secret: secret))
            }
        }
        return settings
    }

    private static func value(_ field: ConfigField, secret: String) -> JSON {
        let example = field.example
        switch field.kind {
        case .string: return .string(example.isEmpty ? "example" : example)
        case .secret: return .string(secret)
        case .path: return .string("/nonexistent/penstock-check/" + example)
        case .integer(let range): return .integer(Int(example) ?? min(max(range.lowerBound, 1), range.upperBound))
        case .boolean: return .bool(example == "true")
        case .choice(let values): return .string(values.contains(example) ? example : values.first ?? "")
        case .strings: return .strings(example.isEmpty ? [] : [example])
        case .map: return .object([:] as JSONObject)
        }
    }

    /// A value of another type than the setting has.
    static func wrongValue(_ field: ConfigField) -> JSON {
        switch field.kind {
        case .string, .secret, .path, .choice: .integer(7)
        case .integer, .boolean: .string("neither a number nor a flag")
        case .strings, .map: .bool(true)
        }
    }

    /// What is wrong with a value of a setting, as a clause; nil where nothing is.
    static func fault(of value: JSON, in field: ConfigField) -> String? {
        switch field.kind {
        case .string, .secret, .path: return value.stringValue == nil ? "is not a string" : nil
        case .integer(let range):
            guard let number = value.intValue else { return "is not an integer" }
            return range.contains(number) ? nil : "is not from \(range.lowerBound) to \(range.upperBound)"
        case .boolean: return value.boolValue == nil ? "is not true or false" : nil
        case .choice(let values):
            return value.stringValue.map(values.contains) == true ? nil : "is none of \(values.joined(separator: ", "))"
        case .strings:
            return value.arrayValue?.allSatisfy { $0.stringValue != nil } == true ? nil : "is not a list of strings"
        case .map: return value.objectValue == nil ? "is not an object" : nil
        }
    }
}
