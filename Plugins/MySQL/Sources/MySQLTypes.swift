// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// What the server says about one column of a result.
struct MySQLField: Hashable, Sendable {
    /// How the values lie on the wire; the numbers of `enum_field_types`.
    enum Wire: Hashable, Sendable {
        case integer
        case float
        case double
        case decimal
        case date
        case dateTime
        case time
        case bit
        case geometry
        case json
        case text
        case null
    }

    /// The name of the column.
    var name: String
    /// How the values lie on the wire.
    var wire: Wire
    /// MySQL's own name of the type, as far as the wire tells it.
    var typeName: String
    /// Whether the values are not negative.
    var isUnsigned: Bool
    /// Whether the bytes have no character set.
    var isBinary: Bool
    /// Whether NULL cannot occur.
    var isNotNull: Bool
    /// Whether this is a TIMESTAMP, which has a zone, and not a DATETIME.
    var isInstant: Bool
    /// The declared length: digits, bits or bytes.
    var length: Int

    /// The type of what is delivered.
    var type: DataType {
        switch wire {
        case .integer:
            if typeName == "tinyint", length == 1, !isUnsigned {
                .bool
            } else if typeName == "bigint", isUnsigned {
                .uint64
            } else {
                .int64
            }
        case .float, .double: .float64
        case .decimal: .decimal
        case .date: .date
        case .dateTime: isInstant ? .instant : .timestamp
        case .time: .time
        case .bit: length == 1 ? .bool : .uint64
        case .json: .json
        case .geometry, .null: .text
        case .text: isBinary ? .bytes : .text
        }
    }

    /// How the wire and MariaDB's own names of types tell what a column is.
    ///
    /// - Parameters:
    ///   - number: The number of `enum_field_types`.
    ///   - special: MariaDB's name of a type that the wire has not; may be empty.
    ///   - format: MariaDB's name of a format, `json`; may be empty.
    static func wire(_ number: UInt32, special: String, format: String) -> (wire: Wire, name: String) {
        switch number {
        case 1: (.integer, "tinyint")
        case 2: (.integer, "smallint")
        case 3: (.integer, "int")
        case 8: (.integer, "bigint")
        case 9: (.integer, "mediumint")
        case 13: (.integer, "year")
        case 4: (.float, "float")
        case 5: (.double, "double")
        case 0, 246: (.decimal, "decimal")
        case 6: (.null, "null")
        case 10, 14: (.date, "date")
        case 7, 17: (.dateTime, "timestamp")
        case 12, 18: (.dateTime, "datetime")
        case 11, 19: (.time, "time")
        case 16: (.bit, "bit")
        case 245: (.json, "json")
        case 255: (.geometry, special.isEmpty ? "geometry" : special)
        default: format == "json" ? (.json, "json") : (.text, special.isEmpty ? textName(number) : special)
        }
    }

    private static func textName(_ number: UInt32) -> String {
        switch number {
        case 242: "vector"
        case 247: "enum"
        case 248: "set"
        case 249...252: "blob"
        case 254: "char"
        default: "varchar"
        }
    }
}

extension MySQLField {
    /// Whether the values have lengths of their own.
    var isLong: Bool {
        switch wire {
        case .decimal, .text, .json, .geometry, .bit: true
        default: false
        }
    }
}
