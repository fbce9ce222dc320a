// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Turns the binary form of a value into one of a column's type, or says why it does not fit.
enum PostgresValues {
    /// Appends one value.
    ///
    /// - Returns: Nil, or what is wrong with the value; then a NULL was appended.
    @inline(__always)
    static func append(_ cell: PostgresBytes, _ wire: PostgresType.Wire, to column: ColumnBuilder) -> String? {
        switch wire {
        case .text:
            if cell.appendText(to: column) { return nil }
            column.appendNull()
            return notText
        case .int64 where cell.count == 8:
            column.append(cell.integer(0, as: Int64.self))
            return nil
        case .int32 where cell.count == 4:
            column.append(Int64(cell.integer(0, as: Int32.self)))
            return nil
        case .numeric:
            guard let fault = PostgresNumeric.append(cell, to: column) else { return nil }
            column.appendNull()
            return fault
        default: return appendOther(cell, wire, to: column)
        }
    }

    /// Appends a value of a kind that fewer columns have, or one that does not fit; apart, so that the rest stays
    /// small.
    @inline(never)
    private static func appendOther(
        _ cell: PostgresBytes, _ wire: PostgresType.Wire, to column: ColumnBuilder
    ) -> String? {
        let fault: String? =
            if let size = size(wire), cell.count != size {
                "has \(cell.count) bytes where the server sends \(size)"
            } else {
                value(cell, wire, to: column)
            }
        if fault != nil { column.appendNull() }
        return fault
    }

    private static var notText: String { "is not UTF-8 text" }

    private static func size(_ wire: PostgresType.Wire) -> Int? {
        switch wire {
        case .bool: 1
        case .int16: 2
        case .int32, .oid, .float32, .date: 4
        case .int64, .float64, .time, .moment: 8
        case .uuid: 16
        case .numeric, .text, .bytes, .json, .jsonb: nil
        }
    }

    private static func value(
        _ cell: PostgresBytes, _ wire: PostgresType.Wire, to column: ColumnBuilder
    ) -> String? {
        switch wire {
        case .bool: column.append(Int64(cell[0] == 0 ? 0 : 1))
        case .int16: column.append(Int64(cell.integer(0, as: Int16.self)))
        case .int32: column.append(Int64(cell.integer(0, as: Int32.self)))
        case .oid: column.append(Int64(cell.integer(0, as: UInt32.self)))
        case .int64: column.append(cell.integer(0, as: Int64.self))
        case .float32: return append(Float(bitPattern: cell.integer(0)), to: column)
        case .float64: return append(Double(bitPattern: cell.integer(0)), to: column)
        case .numeric: return PostgresNumeric.append(cell, to: column)
        case .text, .json: return cell.appendText(to: column) ? nil : notText
        case .jsonb:
            guard cell.count > 0, cell[0] == 1 else { return "is a jsonb of a version that is not known here" }
            cell.slice(1, cell.count - 1).append(to: column)
        case .bytes: cell.append(to: column)
        case .uuid: appendUUID(cell, to: column)
        case .date: return appendDate(cell.integer(0, as: Int32.self), to: column)
        case .time:
            let time: Int64 = cell.integer(0)
            guard time < TimeText.dayLength else { return "is 24:00:00, which is no time of a day" }
            column.append(time)
        case .moment: return appendMoment(cell.integer(0, as: Int64.self), to: column)
        }
        return nil
    }

    /// A real is delivered as the double that its shortest text names, so that 0.1 stays 0.1.
    private static func append(_ value: Float, to column: ColumnBuilder) -> String? {
        guard value.isFinite, let double = Double(value.description) else { return notFinite(value.isNaN) }
        column.append(double)
        return nil
    }

    private static func append(_ value: Double, to column: ColumnBuilder) -> String? {
        guard value.isFinite else { return notFinite(value.isNaN) }
        column.append(value)
        return nil
    }

    private static func notFinite(_ isNaN: Bool) -> String {
        isNaN ? "is NaN, which is no number" : "is infinite, which is no number"
    }

    private static func appendUUID(_ cell: PostgresBytes, to column: ColumnBuilder) {
        let digits = column.room(for: 36)
        var end = 0
        for index in 0..<16 {
            if index == 4 || index == 6 || index == 8 || index == 10 {
                digits[end] = UInt8(ascii: "-")
                end += 1
            }
            digits[end] = hexadecimal(cell[index] >> 4)
            digits[end + 1] = hexadecimal(cell[index] & 15)
            end += 2
        }
        column.endBytes(end)
    }

    private static func hexadecimal(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
    }

    private static func appendDate(_ day: Int32, to column: ColumnBuilder) -> String? {
        guard day != .max, day != .min else { return "is infinite, which is no date" }
        column.append(Int64(day) + PostgresTime.epochDay)
        return nil
    }

    private static func appendMoment(_ moment: Int64, to column: ColumnBuilder) -> String? {
        guard moment != .max, moment != .min else { return "is infinite, which is no date and time" }
        let (microseconds, overflow) = moment.addingReportingOverflow(PostgresTime.epochMoment)
        guard !overflow else { return "is after the year 294246, the last that microseconds since 1970 can hold" }
        column.append(microseconds)
        return nil
    }

    /// The value as far as it can be shown.
    static func shown(_ cell: PostgresBytes, _ wire: PostgresType.Wire) -> String {
        switch wire {
        case .float32 where cell.count == 4: return shown(Double(Float(bitPattern: cell.integer(0))))
        case .float64 where cell.count == 8: return shown(Double(bitPattern: cell.integer(0)))
        case .numeric where cell.count >= 8:
            let sign: UInt16 = cell.integer(4)
            return sign == 0xC000 ? "NaN" : sign == 0xF000 ? "-Infinity" : "Infinity"
        case .date where cell.count == 4: return cell.integer(0, as: Int32.self) < 0 ? "-infinity" : "infinity"
        case .time: return "24:00:00"
        case .moment where cell.count == 8:
            let moment: Int64 = cell.integer(0)
            if moment == .max || moment == .min { return moment < 0 ? "-infinity" : "infinity" }
            let day = TimeText.day(of: moment)
            let date = TimeText.date(day + PostgresTime.epochDay) ?? ""
            return "\(date)T\(TimeText.time(moment - day * TimeText.dayLength))"
        case .text, .json: return cell.text(200) + (cell.count > 200 ? "…" : "")
        default:
            var text = "\\x"
            for position in 0..<min(32, cell.count) {
                text.unicodeScalars.append(Unicode.Scalar(hexadecimal(cell[position] >> 4)))
                text.unicodeScalars.append(Unicode.Scalar(hexadecimal(cell[position] & 15)))
            }
            return text
        }
    }

    private static func shown(_ value: Double) -> String {
        value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
    }
}
