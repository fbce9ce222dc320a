// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// What the setting `types` may declare a column as.
package enum CSVType: String, Sendable, Hashable, CaseIterable {
    /// Signed, 64 bits.
    case integer
    /// Exact, of any length.
    case decimal
    /// An IEEE 754 double.
    case number
    /// True or false.
    case boolean
    /// A calendar date.
    case date
    /// A time of day.
    case time
    /// A date and time without a zone.
    case timestamp
    /// A date and time with an offset.
    case instant
    /// A JSON text.
    case json
    /// Text, which is what a column is that is not declared.
    case text

    /// The logical type of the values.
    package var dataType: DataType {
        switch self {
        case .integer: .int64
        case .decimal: .decimal
        case .number: .float64
        case .boolean: .bool
        case .date: .date
        case .time: .time
        case .timestamp: .timestamp
        case .instant: .instant
        case .json: .json
        case .text: .text
        }
    }

    /// What a value that does not convert is told, after the value itself.
    func complaint(about bytes: Span<UInt8>) -> String {
        switch self {
        case .integer:
            CSVConversion.isDigits(bytes) ? "does not fit an integer of 64 bits" : "is not an integer"
        case .decimal: "is not a decimal number without an exponent"
        case .number: "is not a number that a 64-bit float can hold"
        case .boolean: "is not a boolean (true, false, t, f, yes, no, 1 or 0)"
        case .date: "is not a date (YYYY-MM-DD)"
        case .time: "is not a time (HH:MM[:SS[.ffffff]])"
        case .timestamp: "is not a timestamp (YYYY-MM-DD HH:MM[:SS[.ffffff]], without a zone)"
        case .instant: "is not an instant (YYYY-MM-DD HH:MM[:SS[.ffffff]] with Z or an offset)"
        case .json: "is not JSON"
        case .text: "is not text"
        }
    }
}
