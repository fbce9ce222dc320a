// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Turns what SQLite stored into the value of a column's type, or says why it does not fit.
enum SQLiteValues {
    /// Up to here every integer is a double.
    private static let exactDoubleMax: Int64 = 1 << 53

    /// Appends the value of the row that `row` stands on.
    ///
    /// - Parameter position: The column of `row`.
    /// - Returns: Nil, or what is wrong with the value; then a NULL was appended.
    static func append(_ row: SQLiteStatement, _ position: Int, to column: inout Column) -> String? {
        let fault: String? =
            switch row.storage(position) {
            case .null: nil
            case .integer: appendInteger(row.integer(position), to: &column)
            case .real: appendReal(row.real(position), to: &column)
            case .text: appendText(row, position, to: &column)
            case .blob: appendBlob(row, position, to: &column)
            }
        if fault != nil || row.storage(position) == .null { column.appendNull() }
        return fault
    }

    /// The value as far as it can be shown.
    static func shown(_ row: SQLiteStatement, _ position: Int) -> String {
        switch row.storage(position) {
        case .null: "NULL"
        case .integer: String(row.integer(position))
        case .real: "\(row.real(position))"
        case .text:
            row.withBytes(position) { bytes in
                String(decoding: bytes.prefix(200), as: UTF8.self) + (bytes.count > 200 ? "…" : "")
            }
        case .blob:
            row.withBytes(position) { bytes in
                "x'" + bytes.prefix(32).map(hexadecimal).joined() + (bytes.count > 32 ? "…'" : "'")
            }
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.utf8.count < 2 ? "0" + digits : digits
    }

    private static func appendInteger(_ value: Int64, to column: inout Column) -> String? {
        switch column.type {
        case .int64: column.append(value)
        case .bool:
            guard value == 0 || value == 1 else { return "is neither 0 nor 1" }
            column.append(value)
        case .float64:
            guard value.magnitude <= Self.exactDoubleMax.magnitude || Double(exactly: value) != nil else {
                return "is an integer that a double cannot hold exactly"
            }
            column.append(Double(value))
        case .decimal, .text, .json: column.append(bytes: String(value).utf8)
        default: return unfit("an integer", column.type)
        }
        return nil
    }

    private static func appendReal(_ value: Double, to column: inout Column) -> String? {
        guard value.isFinite else { return "is not a finite number" }
        switch column.type {
        case .float64: column.append(value)
        case .text: column.append(bytes: value.description.utf8)
        case .decimal, .json:
            let text = value.description
            guard let plain = SQLiteDecimal(text.utf8)?.text else { return unfit("a double", column.type) }
            column.append(bytes: plain.utf8)
        default: return unfit("a double", column.type)
        }
        return nil
    }

    private static func appendText(_ row: SQLiteStatement, _ position: Int, to column: inout Column) -> String? {
        switch column.type {
        case .text:
            return row.appendText(position, to: &column) ? nil : "is not UTF-8 text without NUL characters"
        case .decimal:
            guard let plain = row.withBytes(position, { SQLiteDecimal($0)?.text }) else {
                return unfit("a text", column.type)
            }
            column.append(bytes: plain.utf8)
            return nil
        case .json: return appendJSON(row, position, to: &column)
        case .date: return append(row.withBytes(position) { SQLiteTime.date($0.span) }, to: &column)
        case .time: return append(row.withBytes(position) { SQLiteTime.time($0.span) }, to: &column)
        case .timestamp, .instant:
            guard let moment = row.withBytes(position, { SQLiteTime.moment($0.span) }) else {
                return unfit("a text", column.type)
            }
            if moment.isZoned != (column.type == .instant) {
                return moment.isZoned
                    ? "has a time zone, in a column whose values have none"
                    : "has no time zone, in a column whose values have one"
            }
            column.append(moment.microseconds)
            return nil
        default: return unfit("a text", column.type)
        }
    }

    private static func append(_ value: Int64?, to column: inout Column) -> String? {
        guard let value else { return unfit("a text", column.type) }
        column.append(value)
        return nil
    }

    private static func appendJSON(_ row: SQLiteStatement, _ position: Int, to column: inout Column) -> String? {
        do throws(JSONError) {
            _ = try JSON(parsing: row.withBytes(position) { Array($0) })
        } catch {
            return "is not JSON: \(error)"
        }
        row.withBytes(position) { column.append(bytes: $0) }
        return nil
    }

    private static func appendBlob(_ row: SQLiteStatement, _ position: Int, to column: inout Column) -> String? {
        guard column.type == .bytes else { return unfit("a blob", column.type) }
        row.withBytes(position) { column.append(bytes: $0) }
        return nil
    }

    private static func unfit(_ storage: String, _ type: DataType) -> String {
        switch type {
        case .date: "is \(storage) and no date of the form YYYY-MM-DD"
        case .time: "is \(storage) and no time of the form HH:MM:SS with at most six digits of fraction"
        case .timestamp, .instant:
            "is \(storage) and no date and time of the form YYYY-MM-DD HH:MM:SS with at most six digits of fraction"
        default: "is \(storage) and does not fit the type \(type.rawValue)"
        }
    }
}
