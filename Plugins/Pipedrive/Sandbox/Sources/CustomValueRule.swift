// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The shapes of custom field values.
struct CustomValueRule {
    /// The object whose field it is, for the messages.
    let object: String
    /// Whether there is such a user.
    let userExists: (Int) -> Bool
    /// Whether there is such a record of an object.
    let recordExists: (_ object: String, _ id: Int) -> Bool

    /// Checks a value that is not null.
    func check(_ value: JSON, _ field: FieldDefinition) -> Checked {
        switch field.type {
        case .varchar, .varcharAuto, .phone: text(value, field, max: 255)
        case .text: text(value, field, max: 65_000)
        case .double: value.numberText == nil ? expected("number", field) : .right(value)
        case .int: value.intValue == nil ? expected("integer", field) : .right(value)
        case .boolean: value.boolValue == nil ? expected("boolean", field) : .right(value)
        case .visibleTo, .picture, .stage, .status, .varcharOptions: expected("a value of a built-in field", field)
        case .monetary: monetary(value, field)
        case .date: Self.isDate(value) ? .right(value) : expected("date", field)
        case .daterange: dateRange(value, field)
        case .time, .timerange: time(value, field)
        case .enum: option(value, field)
        case .set: options(value, field)
        case .user: reference(value, field, "User", userExists)
        case .org: reference(value, field, "Organization", { recordExists("organization", $0) })
        case .people: reference(value, field, "Person", { recordExists("person", $0) })
        case .address: address(value, field)
        }
    }

    private func expected(_ type: String, _ field: FieldDefinition) -> Checked {
        .wrong("Expected '\(type)' as value for \(object) custom field '\(field.code)'")
    }

    private func text(_ value: JSON, _ field: FieldDefinition, max: Int) -> Checked {
        guard let text = value.stringValue else { return expected("string", field) }
        guard text.unicodeScalars.count <= max else {
            return .wrong("Value of \(object) custom field '\(field.code)' is longer than \(max) characters")
        }
        return .right(value)
    }

    private static func isDate(_ value: JSON?) -> Bool {
        value?.stringValue.flatMap { Timestamp.days($0) } != nil
    }

    /// The object's members, where it names nothing but `allowed`.
    private func members(_ value: JSON, _ allowed: [String]) -> JSONObject? {
        guard let object = value.objectValue, object.keys.allSatisfy(allowed.contains) else { return nil }
        return object
    }

    private func monetary(_ value: JSON, _ field: FieldDefinition) -> Checked {
        guard let object = members(value, ["value", "currency"]), let amount = object["value"],
            amount.numberText != nil
        else { return expected("object with value and currency", field) }
        let currency = object["currency"] ?? .string("EUR")
        guard let code = currency.stringValue, code.utf8.count == 3,
            code.utf8.allSatisfy({ (0x41...0x5A).contains($0) })
        else { return expected("currency code", field) }
        return .right(.members(["value": amount, "currency": currency]))
    }

    private func dateRange(_ value: JSON, _ field: FieldDefinition) -> Checked {
        guard let object = members(value, ["value", "until"]), let start = object["value"], let end = object["until"],
            Self.isDate(start), Self.isDate(end)
        else { return expected("object with the dates value and until", field) }
        return .right(.members(["value": start, "until": end]))
    }

    private func time(_ value: JSON, _ field: FieldDefinition) -> Checked {
        let isRange = field.type == .timerange
        guard value.objectValue != nil else {
            return .wrong(
                "\(isRange ? "Time range" : "Time") custom field value expected 'object' for '\(field.code)'")
        }
        let names = ["value"] + (isRange ? ["until"] : [])
        let zones = ["timezone_id", "timezone_name"]
        guard let object = members(value, names + zones) else {
            return expected("object with \((names + zones).joined(separator: ", "))", field)
        }
        var answer = JSONObject()
        for name in names {
            guard let text = object[name]?.stringValue, Timestamp.clock(text, short: true) != nil else {
                return expected("HH:MM:SS in \(name)", field)
            }
            answer.append(name, .string(text.utf8.count == 5 ? text + ":00" : text))
        }
        if let zone = object["timezone_id"], zone.intValue == nil, !zone.isNull {
            return expected("integer in timezone_id", field)
        }
        if let zone = object["timezone_name"], zone.stringValue == nil, !zone.isNull {
            return expected("string in timezone_name", field)
        }
        for zone in zones { answer.append(zone, object[zone] ?? .null) }
        return .right(.object(answer))
    }

    private func option(_ value: JSON, _ field: FieldDefinition) -> Checked {
        guard let id = value.intValue else { return expected("number", field) }
        guard field.optionIDs.contains(id) else {
            return .wrong("Option \(id) does not exist in \(object) custom field '\(field.code)'")
        }
        return .right(value)
    }

    private func options(_ value: JSON, _ field: FieldDefinition) -> Checked {
        guard let items = value.arrayValue, !items.isEmpty else { return expected("non-empty array", field) }
        for item in items {
            if case .wrong(let reason) = option(item, field) { return .wrong(reason) }
        }
        return .right(value)
    }

    private func reference(
        _ value: JSON, _ field: FieldDefinition, _ noun: String, _ exists: (Int) -> Bool
    ) -> Checked {
        guard let id = value.intValue else { return expected("number", field) }
        guard exists(id) else {
            return .wrong("\(noun) \(id) of \(object) custom field '\(field.code)' not found or not accessible.")
        }
        return .right(value)
    }

    private func address(_ value: JSON, _ field: FieldDefinition) -> Checked {
        if case .wrong(let reason) = AddressRule.check(value) {
            return .wrong("\(reason) in \(object) custom field '\(field.code)'")
        }
        return AddressRule.check(value)
    }
}
