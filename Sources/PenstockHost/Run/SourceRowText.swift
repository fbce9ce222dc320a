// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

/// Source rows as texts, for rejects and previews.
package enum SourceRowText {
    /// The exact text of a value; bytes as `\x` and hexadecimal digits; NULL as an empty text.
    package static func text(of value: Value) -> String {
        switch value {
        case .null: ""
        case .bool(let flag): flag ? "true" : "false"
        case .int64(let number): String(number)
        case .uint64(let number): String(number)
        case .float64(let number): JSON.double(number).numberText ?? "\(number)"
        case .decimal(let text), .text(let text), .json(let text): text
        case .bytes(let bytes): "\\x" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        case .date, .timestamp, .instant: KeyText.text(of: value) ?? ""
        case .time(let microseconds): TimeText.time(microseconds)
        }
    }

    /// A row as a JSON object, numbers exact, in the order of the columns.
    package static func json(_ batch: RecordBatch, _ row: Int) -> JSON {
        var object = JSONObject()
        for (index, field) in batch.schema.fields.enumerated() { object[field.name] = json(batch.value(row, index)) }
        return .object(object)
    }

    private static func json(_ value: Value) -> JSON {
        switch value {
        case .null: .null
        case .bool(let flag): .bool(flag)
        case .int64(let number): .integer(number)
        case .uint64(let number): .integer(number)
        case .float64(let number): number.isFinite ? .double(number) : .string("\(number)")
        default: .string(text(of: value))
        }
    }
}
