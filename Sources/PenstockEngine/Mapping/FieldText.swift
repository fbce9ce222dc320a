// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Values of a destination's fields for people.
package enum FieldText {
    /// The value in a few words: options by label, compound values by their parts; empty for nothing.
    package static func of(_ value: Value, _ field: DestinationField) -> String {
        let text = CellText.of(value)
        switch field.kind {
        case .option, .user: return label(text, field)
        case .options:
            return (json(text).arrayValue ?? []).map { label($0.stringValue ?? $0.text, field) }
                .joined(separator: ", ")
        case .texts: return (json(text).arrayValue ?? []).map { $0.stringValue ?? $0.text }.joined(separator: ", ")
        case .money, .dateRange, .time, .timeRange, .address, .contacts: return JSONComparison.display(json(text))
        case .id, .text, .number, .integer, .boolean, .date, .instant, .reference, .json: return text
        }
    }

    private static func label(_ id: String, _ field: DestinationField) -> String {
        guard !id.isEmpty, let option = field.options.first(where: { $0.id == id }), option.label != id else {
            return id
        }
        return "\(option.label) (\(id))"
    }

    private static func json(_ text: String) -> JSON {
        // What is no JSON is shown as it is.
        text.isEmpty ? .null : (try? JSON(parsing: text)) ?? .string(text)
    }
}

extension FieldEmptiness {
    /// Whether the value says nothing for a field of `kind`.
    package static func isEmpty(_ value: Value, _ kind: DestinationField.Kind) -> Bool {
        var one = Column(kind.columnType, capacity: 1)
        one.append(value)
        return isEmpty(one, 0, kind)
    }
}

extension RecordComparison {
    /// Whether a value that was wanted once is what row `row` of `held` has, for a field of `kind`.
    package static func isSame(_ value: Value, _ held: Column, _ row: Int, _ kind: DestinationField.Kind) -> Bool {
        var one = Column(kind.columnType, capacity: 1)
        one.append(value)
        return isSame(one, 0, held, row, kind)
    }
}
