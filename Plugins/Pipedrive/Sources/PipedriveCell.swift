// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Brings values from answers into the columns of their kinds.
package enum PipedriveCell {
    /// Appends `value`, or NULL.
    ///
    /// - Returns: Whether the value was understood; if not, NULL was appended.
    package static func append(_ value: JSON, _ field: DestinationField, to column: inout Column) -> Bool {
        guard !value.isNull else {
            column.appendNull()
            return true
        }
        switch converted(value, field) {
        case .some(let cell):
            column.append(cell)
            return true
        case nil:
            column.appendNull()
            return false
        }
    }

    private static func converted(_ value: JSON, _ field: DestinationField) -> Value? {
        switch field.kind {
        case .text: (value.stringValue ?? value.numberText).map { .text($0) }
        case .id, .option, .user, .reference: id(value).map { .text($0) }
        case .number: number(value).map { .decimal($0) }
        case .integer: integer(value).map { .int64($0) }
        case .boolean: value.boolValue.map { .bool($0) }
        case .date: value.stringValue.flatMap(PipedriveTime.days).map { .date($0) }
        case .instant: value.stringValue.flatMap(PipedriveTime.microseconds).map { .instant($0) }
        case .money: members(value, ["value", "currency"])
        case .dateRange: members(value, ["value", "until"])
        case .time: members(value, ["value", "timezone_name"])
        case .timeRange: members(value, ["value", "until", "timezone_name"])
        case .address: address(value, field.parts)
        case .options: ids(value)
        case .contacts, .texts: value.arrayValue.map { $0.isEmpty ? .null : .json(value.text) }
        case .json: .json(value.text)
        }
    }

    /// An id: a number, a text, or an object that has it as `id` or `value`.
    private static func id(_ value: JSON) -> String? {
        value.numberText ?? value.stringValue ?? value["id"]?.numberText ?? value["value"]?.numberText
    }

    private static func number(_ value: JSON) -> String? {
        if let text = value.numberText { return text }
        guard let text = value.stringValue, PipedriveBody.isNumber(Array(text.utf8)[...]) else { return nil }
        return text
    }

    private static func integer(_ value: JSON) -> Int64? { number(value).flatMap { Int64($0) } }

    private static func ids(_ value: JSON) -> Value? {
        guard let items = value.arrayValue else { return nil }
        let ids = items.compactMap(id)
        guard ids.count == items.count else { return nil }
        return ids.isEmpty ? .null : .json(JSON.strings(ids).text)
    }

    /// The members of an address, with the names of those that nobody needs to have set.
    private static func address(_ value: JSON, _ parts: [String]) -> Value? {
        guard let object = value.objectValue, !(object["value"] ?? .null).isNull else {
            return members(value, ["value"])
        }
        var kept = named(object, ["value"] + parts)
        let derived = PipedriveAddress.derivedParts(object, parts)
        if !derived.isEmpty { kept.append(DestinationField.derivedParts, JSON.strings(derived)) }
        return .json(JSON.object(kept).text)
    }

    /// The named members that are not null, in this order; NULL where there is no `value`.
    private static func members(_ value: JSON, _ names: [String]) -> Value? {
        if value.stringValue != nil { return .json(JSON.object(["value": value] as JSONObject).text) }
        guard let object = value.objectValue else { return nil }
        guard let main = object["value"], !main.isNull else { return .null }
        return .json(JSON.object(named(object, names)).text)
    }

    private static func named(_ object: JSONObject, _ names: [String]) -> JSONObject {
        var kept = JSONObject()
        for name in names {
            if let part = object[name], !part.isNull { kept.append(name, part) }
        }
        return kept
    }
}
