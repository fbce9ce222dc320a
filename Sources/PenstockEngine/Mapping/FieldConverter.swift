// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What a cell becomes.
enum Converted: Sendable, Hashable {
    /// This, of the kind's column type.
    case value(Value)
    /// NULL; the sync's `on_null` says what that means.
    case null
    /// Nothing: `when_missing: skip` left nothing over, and the field stays as it is.
    case leftAlone
}

/// Converts cells of any type to the values of one target field.
struct FieldConverter: Sendable {
    let field: DestinationField
    let style: MapEntry.OptionStyle?
    let split: String?
    let whenMissing: MapEntry.WhenMissing
    let options: OptionIndex
    let shape: CompoundShape?

    /// - Parameter groups: The options of the field that ``DestinationField/optionsWithin`` names.
    init(_ entry: MapEntry, _ field: DestinationField, optionsKnown: Bool, groups: [FieldOption] = []) {
        self.field = field
        style = entry.option
        split = entry.split
        whenMissing = entry.whenMissing
        options = OptionIndex(field.options, isComplete: optionsKnown || !field.options.isEmpty, groups: groups)
        shape = CompoundShape(field)
    }

    /// Converts a value.
    ///
    /// - Parameter group: The group that an option must go with, or nil for any.
    func convert(_ value: Value, group: String? = nil) throws(CellFault) -> Converted {
        if value.isNull { return .null }
        switch field.kind {
        case .id, .reference: return .value(.text(try ScalarConversion.id(value)))
        case .text: return .value(.text(try ScalarConversion.text(value, lengthMax: field.lengthMax)))
        case .number: return .value(.decimal(try ScalarConversion.number(value).text))
        case .integer: return .value(.int64(try ScalarConversion.integer(value)))
        case .boolean: return .value(.bool(try ScalarConversion.boolean(value)))
        case .date: return .value(.date(try ScalarConversion.date(value)))
        case .instant: return .value(.instant(try ScalarConversion.instant(value)))
        case .option: return try option(value, group)
        case .user: return .value(.text(try options.userID(CellText.of(value), style: style)))
        case .options: return try optionList(value)
        case .texts: return try textList(value)
        case .contacts: return try contacts(value)
        case .json: return try json(value)
        case .money, .dateRange, .time, .timeRange, .address:
            guard let shape, let json = try shape.whole(value) else { return .null }
            return .value(.json(json.text))
        }
    }

    private func option(_ value: Value, _ group: String?) throws(CellFault) -> Converted {
        guard let id = try optionID(plain(value), group) else { return .leftAlone }
        return .value(.text(id))
    }

    /// The text by which a value names an option: `12.0` from a column of numbers names `12`.
    private func plain(_ value: Value) -> String {
        if case .decimal(let text) = value, let number = DecimalText(text) { return number.canonicalText }
        return CellText.of(value)
    }

    /// The id, or nil where the option is unknown and unknown ones are left out.
    private func optionID(_ text: String, _ group: String? = nil) throws(CellFault) -> String? {
        do {
            return try options.optionID(text, style: style, group: group)
        } catch {
            if whenMissing == .skip, error.code == .optionUnknown { return nil }
            throw error
        }
    }

    /// Ids without repetition, in one order whatever the order of the source, because the field is a set.
    private func optionList(_ value: Value) throws(CellFault) -> Converted {
        let elements = try optionElements(value)
        if elements.isEmpty { return .null }
        var ids: Set<String> = []
        for element in elements { if let id = try optionID(element) { ids.insert(id) } }
        if ids.isEmpty { return .leftAlone }
        let ordered = ids.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
        return .value(.json(JSON.strings(ordered).text))
    }

    private func optionElements(_ value: Value) throws(CellFault) -> [String] {
        guard case .text(let text) = value, split == nil else { return try elements(value) }
        let isArray = text.trimmed.utf8.first == UInt8(ascii: "[")
        // A label may begin with a bracket too: what is not JSON is taken as one.
        if isArray, let json = try? JSON(parsing: text) { return try elements(json) }
        return try elements(value)
    }

    /// The elements of a list: of a text split as the entry says, of a JSON array, or one.
    private func elements(_ value: Value) throws(CellFault) -> [String] {
        switch value {
        case .text(let text):
            if let split { return text.elements(separatedBy: split) }
            if text.isBlank { throw CellFault(.emptyValue, "The text is empty; map NULL to leave the field out.") }
            return [text]
        case .json(let text): return try elements(list(text))
        case .bytes: throw CellFault(.listInvalid, "Bytes are not a list; convert them in the query.")
        default: return [plain(value)]
        }
    }

    private func elements(_ json: JSON) throws(CellFault) -> [String] {
        switch json {
        case .null: return []
        case .string(let text): return [text]
        case .number(let text): return [text]
        case .array(let items):
            var out: [String] = []
            for item in items {
                guard let text = item.stringValue ?? item.numberText else {
                    throw CellFault(.listInvalid, "An element of the list is neither a text nor a number.")
                }
                out.append(text)
            }
            return out
        case .bool, .object: throw CellFault(.listInvalid, "The JSON is not a list of texts or numbers.")
        }
    }

    private func textList(_ value: Value) throws(CellFault) -> Converted {
        let texts = try elements(value)
        for text in texts { try ScalarConversion.checkText(text, lengthMax: field.lengthMax) }
        return texts.isEmpty ? .null : .value(.json(JSON.strings(texts).text))
    }

    private func contacts(_ value: Value) throws(CellFault) -> Converted {
        let list = ContactList(lengthMax: field.lengthMax)
        if let json = try contactJSON(value) { return try list.converted(json) }
        return try list.converted(.strings(elements(value)))
    }

    /// The JSON of a cell that holds some: no e-mail address and no phone number begins with a bracket.
    private func contactJSON(_ value: Value) throws(CellFault) -> JSON? {
        let text: String
        switch value {
        case .json(let json): text = json
        case .text(let written):
            let first = written.trimmed.utf8.first
            guard first == UInt8(ascii: "[") || first == UInt8(ascii: "{") else { return nil }
            text = written
        default: return nil
        }
        return try list(text)
    }

    private func list(_ text: String) throws(CellFault) -> JSON {
        do {
            return try JSON(parsing: text)
        } catch {
            throw CellFault(.listInvalid, "The text is not JSON, from byte \(error.offset) on.")
        }
    }

    private func json(_ value: Value) throws(CellFault) -> Converted {
        switch value {
        case .json(let text), .text(let text):
            do {
                let json = try JSON(parsing: text)
                return json.isNull ? .null : .value(.json(json.text))
            } catch {
                throw CellFault(.jsonInvalid, "The text is not JSON, from byte \(error.offset) on.")
            }
        case .bool(let flag): return .value(.json(JSON.bool(flag).text))
        case .int64, .uint64, .float64, .decimal:
            return .value(.json(JSON.number(try ScalarConversion.number(value).text).text))
        case .date, .time, .timestamp, .instant: return .value(.json(JSON.string(CellText.of(value)).text))
        case .null, .bytes: throw CellFault(.jsonInvalid, "Bytes are not JSON; convert them in the query.")
        }
    }
}
