// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The parts of a compound field, and the JSON that carries them.
struct CompoundShape: Sendable {
    private let kind: DestinationField.Kind
    private let lengthMax: Int?
    /// The parts, the main one first.
    let parts: [String]
    /// The parts without which there is no value.
    let required: [String]

    /// The part that a bare value fills.
    static let mainPart = "value"

    /// The shape of a field, or nil for a kind without parts.
    init?(_ field: DestinationField) {
        switch field.kind {
        case .money: (parts, required) = (["value", "currency"], ["value"])
        case .dateRange: (parts, required) = (["value", "until"], ["value", "until"])
        case .time: (parts, required) = (["value", "timezone_name"], ["value"])
        case .timeRange: (parts, required) = (["value", "until", "timezone_name"], ["value", "until"])
        case .address: (parts, required) = (["value"] + field.parts.filter { $0 != "value" }, ["value"])
        default: return nil
        }
        kind = field.kind
        lengthMax = field.lengthMax
    }

    /// The types of columns that can fill a part.
    func sourceTypes(ofPart part: String) -> Set<DataType> {
        switch (kind, part) {
        case (.money, "value"): DestinationField.Kind.number.sourceTypes
        case (.dateRange, _): DestinationField.Kind.date.sourceTypes
        case (.time, "value"), (.timeRange, "value"), (.timeRange, "until"): [.time, .text]
        case (.address, _): DestinationField.Kind.text.sourceTypes.subtracting([.json])
        default: [.text]
        }
    }

    /// The JSON of a part's value; NULL never comes here.
    func convert(_ value: Value, part: String) throws(CellFault) -> JSON {
        switch (kind, part) {
        case (.money, "value"): return .number(try ScalarConversion.number(value).text)
        case (.money, _): return .string(try currency(value))
        case (.dateRange, _): return .string(TimeText.date(try ScalarConversion.date(value)) ?? "")
        case (.time, "value"), (.timeRange, "value"), (.timeRange, "until"):
            return .string(try ScalarConversion.time(value))
        default:
            let text = try ScalarConversion.text(value, lengthMax: lengthMax)
            if kind != .address && text.isBlank {
                throw CellFault(.emptyValue, "The time zone is empty; map NULL to leave it out.")
            }
            return .string(text)
        }
    }

    private func currency(_ value: Value) throws(CellFault) -> String {
        let text = try ScalarConversion.text(value, lengthMax: 16)
        guard !text.isEmpty, !text.unicodeScalars.contains(where: \.properties.isWhitespace) else {
            throw CellFault(.currencyInvalid, "This is not the code of a currency: write it as in EUR.")
        }
        return text
    }

    /// The whole value from its parts, those that are NULL left out; nil where all are NULL.
    func assembled(_ values: [String: JSON]) throws(CellFault) -> JSON? {
        guard !values.isEmpty else { return nil }
        for part in required where values[part] == nil {
            // A constant part (the currency, a time zone) says nothing about a value that is not there.
            if kind != .dateRange && kind != .timeRange && kind != .address { return nil }
            throw CellFault(faultCode, "The part \"\(part)\" is NULL and the others are not; fill all or none.")
        }
        if kind == .dateRange, let first = values["value"]?.stringValue, let last = values["until"]?.stringValue,
            last < first
        {
            throw CellFault(.rangeInvalid, "The range ends before it begins.")
        }
        try checkAddress(values[Self.mainPart])
        var object = JSONObject()
        for part in parts { if let value = values[part] { object.append(part, value) } }
        return .object(object)
    }

    var faultCode: RowReject.Code {
        switch kind {
        case .money: .moneyInvalid
        case .address: .addressInvalid
        case .time: .notATime
        default: .rangeInvalid
        }
    }

    /// The value of one cell that holds the whole: a text, a number, or JSON.
    func whole(_ value: Value) throws(CellFault) -> JSON? {
        switch value {
        case .json(let text): return try whole(json: parsed(text))
        case .text(let text):
            let trimmed = text.trimmed
            if trimmed.isEmpty {
                throw CellFault(.emptyValue, "The text is empty; map NULL to leave the field out.")
            }
            if trimmed.utf8.first == UInt8(ascii: "{") { return try whole(json: parsed(text)) }
            guard kind == .dateRange || kind == .timeRange else { break }
            return try range(String(trimmed))
        default: break
        }
        return try assembled(main: convert(value, part: Self.mainPart))
    }

    /// The whole value from its main part alone.
    private func assembled(main value: JSON) throws(CellFault) -> JSON? {
        guard required.count == 1 else { return try assembled([Self.mainPart: value]) }
        try checkAddress(value)
        var object = JSONObject()
        object.append(Self.mainPart, value)
        return .object(object)
    }

    private func checkAddress(_ value: JSON?) throws(CellFault) {
        guard kind == .address, value?.stringValue?.isBlank == true else { return }
        throw CellFault(.emptyValue, "The address is empty; map NULL to leave it out.")
    }

    private func parsed(_ text: String) throws(CellFault) -> JSON {
        do {
            return try JSON(parsing: text)
        } catch {
            throw CellFault(faultCode, "The text is not JSON, from byte \(error.offset) on.")
        }
    }

    private func range(_ text: String) throws(CellFault) -> JSON? {
        for mark in ["..", "/"] {
            let ends = text.elements(separatedBy: mark)
            guard ends.count == 2 else { continue }
            return try assembled([
                "value": convert(.text(ends[0]), part: "value"), "until": convert(.text(ends[1]), part: "until"),
            ])
        }
        throw CellFault(.rangeInvalid, "A range has a beginning and an end: write them as begin/end.")
    }

    private func whole(json: JSON) throws(CellFault) -> JSON? {
        switch json {
        case .null: return nil
        case .object(let object):
            var values: [String: JSON] = [:]
            for member in object where !member.value.isNull {
                guard parts.contains(member.key) else {
                    let known = parts.joined(separator: ", ")
                    throw CellFault(
                        faultCode, "The object has a member that is no part of the field; the parts are \(known).")
                }
                values[member.key] = try convert(scalar(member.value), part: member.key)
            }
            return try assembled(values)
        case .string, .number:
            if kind == .dateRange || kind == .timeRange, let text = json.stringValue { return try range(text) }
            return try assembled(["value": convert(scalar(json), part: "value")])
        case .bool, .array: throw CellFault(faultCode, "The JSON is neither an object nor a single value.")
        }
    }

    private func scalar(_ json: JSON) throws(CellFault) -> Value {
        switch json {
        case .string(let text): return .text(text)
        case .number(let text): return .decimal(text)
        default: throw CellFault(faultCode, "A part of the value is neither a text nor a number.")
        }
    }
}
