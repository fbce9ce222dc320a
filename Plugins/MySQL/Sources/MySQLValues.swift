// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Turns what the server sent into the value of a column's type, or says why it does not fit.
enum MySQLValues {
    /// Appends the value of the row that `row` stands on.
    ///
    /// - Parameter position: The column of `row`.
    /// - Returns: Nil, or what is wrong with the value; then a NULL was appended.
    static func append(_ row: MySQLStatement, _ position: Int, to column: ColumnBuilder) -> String? {
        if row.isNull(position) {
            column.appendNull()
            return nil
        }
        let fault = appendValue(row, position, row.wires[position], column)
        if fault != nil { column.appendNull() }
        return fault
    }

    private static func appendValue(
        _ row: MySQLStatement, _ position: Int, _ wire: MySQLField.Wire, _ column: ColumnBuilder
    ) -> String? {
        switch wire {
        case .integer:
            if column.type == .uint64 {
                column.append(row.unsigned(position))
                return nil
            }
            return append(integer: row.integer(position), column)
        case .double:
            column.append(row.double(position))
            return nil
        case .float:
            column.append(shortest(row.float(position)))
            return nil
        case .date: return append(row.moment(position).days, "is no day of the calendar", column)
        case .dateTime: return append(row.moment(position).timestamp, "is no day of the calendar", column)
        case .time: return append(row.moment(position).timeOfDay, "is no time of a day (00:00 to 24:00)", column)
        case .text, .json, .decimal, .geometry: return appendBytes(row, position, wire, column)
        case .bit:
            let number = bits(row, position)
            if column.type == .bool { column.append(Int64(number)) } else { column.append(number) }
            return nil
        case .null:
            column.appendNull()
            return nil
        }
    }

    private static func append(integer value: Int64, _ column: ColumnBuilder) -> String? {
        guard column.type != .bool || value == 0 || value == 1 else { return "is neither 0 nor 1" }
        column.append(value)
        return nil
    }

    private static func append(_ value: Int64?, _ fault: String, _ column: ColumnBuilder) -> String? {
        guard let value else { return fault }
        column.append(value)
        return nil
    }

    private static func appendBytes(
        _ row: MySQLStatement, _ position: Int, _ wire: MySQLField.Wire, _ column: ColumnBuilder
    ) -> String? {
        switch column.type {
        case .bytes:
            row.appendBytes(position, to: column)
            return nil
        case .decimal:
            row.withBytes(position) { bytes in
                // Only ZEROFILL writes zeros in front.
                let isNegative = bytes.first == UInt8(ascii: "-")
                let digits = isNegative ? bytes.dropFirst() : bytes[...]
                if digits.count > 1, digits.first == UInt8(ascii: "0"),
                    digits[digits.startIndex + 1] != UInt8(ascii: ".")
                {
                    column.append(bytes: withoutZeros(digits, isNegative))
                } else {
                    column.append(bytes: bytes)
                }
            }
            return nil
        case .json:
            if let fault = row.withBytes(position, { jsonFault(Array($0)) }) { return fault }
            return row.appendText(position, to: column) ? nil : "is not UTF-8 text without NUL characters"
        default:
            guard wire == .geometry else {
                return row.appendText(position, to: column) ? nil : "is not UTF-8 text without NUL characters"
            }
            guard let text = row.withBytes(position, { MySQLGeometry.text($0.span) }) else {
                return "is a geometry of a kind that is not known"
            }
            column.append(bytes: text.utf8)
            return nil
        }
    }

    private static func jsonFault(_ bytes: [UInt8]) -> String? {
        do throws(JSONError) {
            _ = try JSON(parsing: bytes)
            return nil
        } catch {
            return "is not JSON: \(error)"
        }
    }

    private static func withoutZeros(_ digits: Slice<some Collection<UInt8>>, _ isNegative: Bool) -> [UInt8] {
        var rest = Array(digits.drop { $0 == UInt8(ascii: "0") })
        if rest.first == nil || rest.first == UInt8(ascii: ".") { rest.insert(UInt8(ascii: "0"), at: 0) }
        return (isNegative ? [UInt8(ascii: "-")] : []) + rest
    }

    private static func bits(_ row: MySQLStatement, _ position: Int) -> UInt64 {
        row.withBytes(position) { $0.reduce(0) { $0 << 8 | UInt64($1) } }
    }

    /// The double that is written like this float: 0.1, where the float itself is 0.100000001490116….
    static func shortest(_ value: Float) -> Double {
        // Integers of 24 bits are exact in both.
        if value.magnitude < 16_777_216, value == value.rounded(.towardZero) { return Double(value) }
        return Double(value.description) ?? Double(value)
    }

    /// The value as far as it can be shown.
    static func shown(_ row: MySQLStatement, _ position: Int) -> String {
        let field = row.columns[position]
        if row.isNull(position) { return "NULL" }
        switch field.wire {
        case .integer: return field.isUnsigned ? String(row.unsigned(position)) : String(row.integer(position))
        case .float: return "\(row.float(position))"
        case .double: return "\(row.double(position))"
        case .date: return row.moment(position).dateText
        case .dateTime: return row.moment(position).text
        case .time: return row.moment(position).timeText
        case .bit: return String(bits(row, position))
        case .null: return "NULL"
        case .text, .json, .decimal, .geometry:
            return row.withBytes(position) { bytes in
                if field.isBinary, field.wire != .decimal, field.wire != .json {
                    return "x'\(MySQLNames.hexadecimal(bytes.prefix(32)))\(bytes.count > 32 ? "…'" : "'")"
                }
                return String(decoding: bytes.prefix(200), as: UTF8.self) + (bytes.count > 200 ? "…" : "")
            }
        }
    }
}
