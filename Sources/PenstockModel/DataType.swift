// SPDX-License-Identifier: Apache-2.0

/// The logical type of a source column, and of a column on its way to a destination.
public enum DataType: String, Sendable, Hashable, CaseIterable {
    /// True or false.
    case bool
    /// A signed 64-bit integer.
    case int64
    /// An unsigned 64-bit integer.
    case uint64
    /// An IEEE 754 double.
    case float64
    /// An exact decimal of any precision, held as its text, for example `-12.50`.
    case decimal
    /// Unicode text, held as UTF-8.
    case text
    /// Bytes without a meaning known here.
    case bytes
    /// A calendar date, held as days since 1970-01-01 (proleptic Gregorian).
    case date
    /// A time of day, held as microseconds since midnight.
    case time
    /// A date and time without a zone, held as microseconds since 1970-01-01T00:00:00.
    case timestamp
    /// An instant, held as microseconds since 1970-01-01T00:00:00Z.
    case instant
    /// A JSON text (RFC 8259), held as UTF-8.
    case json

    /// How the values of this type lie in a ``Column``.
    public var layout: Layout {
        switch self {
        case .bool, .int64, .date, .time, .timestamp, .instant: .int64
        case .uint64: .uint64
        case .float64: .float64
        case .decimal, .text, .bytes, .json: .bytes
        }
    }

    /// The four ways in which values are stored.
    public enum Layout: Sendable, Hashable {
        /// One `Int64` a row; booleans are 0 and 1.
        case int64
        /// One `UInt64` a row.
        case uint64
        /// One `Double` a row.
        case float64
        /// A run of bytes a row.
        case bytes
    }
}
