// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The one text of a source value, as a text field gets it and people read it.
package enum CellText {
    /// The text of a value; empty for NULL.
    ///
    /// Integers and booleans as usual, decimals with the digits of the source, doubles by their shortest text
    /// without exponent, dates and times as ISO 8601, JSON as it stands, bytes in hexadecimal after `\x`.
    package static func of(_ value: Value) -> String {
        switch value {
        case .null: ""
        case .bool(let flag): flag ? "true" : "false"
        case .int64(let number): String(number)
        case .uint64(let number): String(number)
        case .float64(let number):
            DecimalText(number)?.text ?? (number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity")
        case .decimal(let text), .text(let text), .json(let text): text
        case .bytes(let bytes):
            "\\x" + bytes.prefix(RowReject.valueMax).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        case .date(let days): TimeText.date(days) ?? String(days)
        case .time(let microseconds): TimeText.time(microseconds)
        case .timestamp(let microseconds): TimeText.timestamp(microseconds)
        case .instant(let microseconds): TimeText.instant(microseconds)
        }
    }
}
