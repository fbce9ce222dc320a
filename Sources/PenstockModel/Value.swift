// SPDX-License-Identifier: Apache-2.0

/// One cell: a value with its logical type, or NULL.
public enum Value: Sendable, Hashable {
    /// The SQL NULL. It is not an empty text.
    case null
    /// A ``DataType/bool``.
    case bool(Bool)
    /// A ``DataType/int64``.
    case int64(Int64)
    /// A ``DataType/uint64``.
    case uint64(UInt64)
    /// A ``DataType/float64``.
    case float64(Double)
    /// A ``DataType/decimal``, as its text.
    case decimal(String)
    /// A ``DataType/text``.
    case text(String)
    /// A ``DataType/bytes``.
    case bytes([UInt8])
    /// A ``DataType/date``, in days since 1970-01-01.
    case date(Int64)
    /// A ``DataType/time``, in microseconds since midnight.
    case time(Int64)
    /// A ``DataType/timestamp``, in microseconds since 1970-01-01T00:00:00.
    case timestamp(Int64)
    /// A ``DataType/instant``, in microseconds since 1970-01-01T00:00:00Z.
    case instant(Int64)
    /// A ``DataType/json``, as its text.
    case json(String)

    /// The logical type, or nil for NULL.
    public var type: DataType? {
        switch self {
        case .null: nil
        case .bool: .bool
        case .int64: .int64
        case .uint64: .uint64
        case .float64: .float64
        case .decimal: .decimal
        case .text: .text
        case .bytes: .bytes
        case .date: .date
        case .time: .time
        case .timestamp: .timestamp
        case .instant: .instant
        case .json: .json
        }
    }

    /// Whether this is NULL.
    public var isNull: Bool { self == .null }
}
