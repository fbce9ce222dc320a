// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// How a column lies in Arrow memory, among the layouts that are accepted.
package enum ArrowFormat: Hashable {
    /// The unit of a time.
    package enum Unit: Hashable {
        case second
        case millisecond
        case microsecond
        case nanosecond
    }

    case null
    case bool
    case int8
    case uint8
    case int16
    case uint16
    case int32
    case uint32
    case int64
    case uint64
    case float32
    case float64
    case text(isLarge: Bool)
    case binary(isLarge: Bool)
    case fixedBinary(width: Int)
    case decimal128(scale: Int)
    case date32
    case date64
    case time32(Unit)
    case time64(Unit)
    case timestamp(Unit, hasZone: Bool)

    /// The layout that a format string of Arrow names, or nil for one that is not accepted.
    init?(_ format: String) {
        if let simple = Self.simple[format] {
            self = simple
        } else if format.hasPrefix("w:"), let width = Int(format.dropFirst(2)), width > 0, width <= 1 << 20 {
            self = .fixedBinary(width: width)
        } else if format.hasPrefix("d:") {
            let parts = format.dropFirst(2).split(separator: ",", omittingEmptySubsequences: false)
            guard parts.count == 2 || parts.count == 3 && parts[2] == "128", let digits = Int(parts[0]),
                let scale = Int(parts[1]), (1...38).contains(digits), (-38...38).contains(scale)
            else { return nil }
            self = .decimal128(scale: scale)
        } else if format.hasPrefix("ts"), let colon = format.firstIndex(of: ":"),
            let unit = Self.units[format[..<colon].dropFirst(2)]
        {
            self = .timestamp(unit, hasZone: format.index(after: colon) != format.endIndex)
        } else {
            return nil
        }
    }

    private static let simple: [String: ArrowFormat] = [
        "n": .null, "b": .bool, "c": .int8, "C": .uint8, "s": .int16, "S": .uint16, "i": .int32, "I": .uint32,
        "l": .int64, "L": .uint64, "f": .float32, "g": .float64, "u": .text(isLarge: false),
        "U": .text(isLarge: true), "z": .binary(isLarge: false), "Z": .binary(isLarge: true), "tdD": .date32,
        "tdm": .date64, "tts": .time32(.second), "ttm": .time32(.millisecond), "ttu": .time64(.microsecond),
        "ttn": .time64(.nanosecond),
    ]

    private static let units: [Substring: Unit] = [
        "s": .second, "m": .millisecond, "u": .microsecond, "n": .nanosecond,
    ]

    /// The logical type of a column in this layout.
    ///
    /// - Parameter tag: What the column's metadata say under ``typeKey``, if anything.
    /// - Returns: The type, or nil for a tag that does not go with the layout.
    func type(tag: String?) -> DataType? {
        switch self {
        case .text:
            switch tag {
            case nil, "text", "uuid": return .text
            case "decimal": return .decimal
            case "json": return .json
            default: return nil
            }
        case .null: return tag == nil ? .text : nil
        case .bool: return tag == nil ? .bool : nil
        case .int8, .uint8, .int16, .uint16, .int32, .uint32, .int64: return tag == nil ? .int64 : nil
        case .uint64: return tag == nil ? .uint64 : nil
        case .float32, .float64: return tag == nil ? .float64 : nil
        case .binary, .fixedBinary: return tag == nil ? .bytes : nil
        case .decimal128: return tag == nil || tag == "decimal" ? .decimal : nil
        case .date32, .date64: return tag == nil ? .date : nil
        case .time32, .time64: return tag == nil ? .time : nil
        case .timestamp(_, let hasZone): return tag == nil ? (hasZone ? .instant : .timestamp) : nil
        }
    }

    /// How many buffers such a column has.
    package var bufferCount: Int64 {
        switch self {
        case .null: 0
        case .text, .binary: 3
        default: 2
        }
    }

    /// The metadata key for what a text column really holds.
    static let typeKey = "penstock.type"
    /// The metadata key for the source's own name of the type.
    static let nativeTypeKey = "penstock.native_type"

    /// The format string and the type tag under which a column of `type` is sent.
    static func sent(_ type: DataType) -> (format: String, tag: String?) {
        switch type {
        case .bool: ("b", nil)
        case .int64: ("l", nil)
        case .uint64: ("L", nil)
        case .float64: ("g", nil)
        case .decimal: ("u", "decimal")
        case .text: ("u", nil)
        case .bytes: ("z", nil)
        case .date: ("tdD", nil)
        case .time: ("ttu", nil)
        case .timestamp: ("tsu:", nil)
        case .instant: ("tsu:UTC", nil)
        case .json: ("u", "json")
        }
    }
}
