// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Turns what SQLite stored into the value of a column's type, or says why it does not fit.
enum SQLiteValues {
    /// Up to here every integer is a double.
    private static let exactDoubleMax: Int64 = 1 << 53

    /// Appends a value.
    ///
    /// - Returns: Nil, or what is wrong with the value; then a NULL was appended.
    static func append(_ cell: SQLiteCell, to column: ColumnBuilder) -> String? {
        let fault: String?
        switch cell.storage {
        case .null:
            column.appendNull()
            return nil
        case .integer:
            if column.type == .int64 {
                column.append(cell.integer)
                return nil
            }
            fault = appendInteger(cell.integer, to: column)
        case .real: fault = appendReal(cell.real, to: column)
        case .text:
            if column.type == .text, column.append(textWithoutNUL: cell.text) { return nil }
            fault = appendText(cell, to: column)
        case .blob: fault = appendBlob(cell, to: column)
        }
        if fault != nil { column.appendNull() }
        return fault
    }

    /// The value as far as it can be shown.
    static func shown(_ cell: SQLiteCell) -> String {
        switch cell.storage {
        case .null: "NULL"
        case .integer: String(cell.integer)
        case .real: "\(cell.real)"
        case .text:
            String(decoding: cell.text.prefix(200), as: UTF8.self) + (cell.text.count > 200 ? "…" : "")
        case .blob:
            "x'" + cell.blob.prefix(32).map(hexadecimal).joined() + (cell.blob.count > 32 ? "…'" : "'")
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.utf8.count < 2 ? "0" + digits : digits
    }

    private static func appendInteger(_ value: Int64, to column: ColumnBuilder) -> String? {
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
        case .decimal, .text, .json: column.append(digits: value)
        default: return unfit("an integer", column.type)
        }
        return nil
    }

    private static func appendReal(_ value: Double, to column: ColumnBuilder) -> String? {
        guard value.isFinite else { return "is not a finite number" }
        switch column.type {
        case .float64: column.append(value)
        case .text: column.append(bytes: value.description.utf8)
        case .decimal, .json:
            if column.append(shortDecimal: value) { break }
            let text = value.description
            guard let plain = SQLiteDecimal(text.utf8)?.text else { return unfit("a double", column.type) }
            column.append(bytes: plain.utf8)
        default: return unfit("a double", column.type)
        }
        return nil
    }

    private static func appendText(_ cell: SQLiteCell, to column: ColumnBuilder) -> String? {
        let text = cell.text
        switch column.type {
        case .text: return "is not UTF-8 text without NUL characters"
        case .decimal:
            guard let plain = SQLiteDecimal(text)?.text else { return unfit("a text", column.type) }
            column.append(bytes: plain.utf8)
            return nil
        case .json: return appendJSON(cell, to: column)
        case .date: return append(PlainTime.date(text) ?? SQLiteTime.date(text.span), to: column)
        case .time: return append(SQLiteTime.time(text.span), to: column)
        case .timestamp, .instant:
            if column.type == .timestamp, let plain = PlainTime.timestamp(text) {
                column.append(plain)
                return nil
            }
            guard let moment = SQLiteTime.moment(text.span) else { return unfit("a text", column.type) }
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

    private static func append(_ value: Int64?, to column: ColumnBuilder) -> String? {
        guard let value else { return unfit("a text", column.type) }
        column.append(value)
        return nil
    }

    private static func appendJSON(_ cell: SQLiteCell, to column: ColumnBuilder) -> String? {
        do throws(JSONError) {
            _ = try JSON(parsing: Array(cell.text))
        } catch {
            return "is not JSON: \(error)"
        }
        column.append(bytes: cell.text)
        return nil
    }

    private static func appendBlob(_ cell: SQLiteCell, to column: ColumnBuilder) -> String? {
        guard column.type == .bytes else { return unfit("a blob", column.type) }
        column.append(bytes: cell.blob)
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
