// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Conversion of one cell to one value that is not compound.
///
/// NULL never comes here. White space around a value is passed over, except in texts, where it belongs to the value.
enum ScalarConversion {
    /// Any text, unchanged; bytes are no text, and a map that wants them so does not compile.
    static func text(_ value: Value, lengthMax: Int?) throws(CellFault) -> String {
        let text = CellText.of(value)
        try checkText(text, lengthMax: lengthMax)
        return text
    }

    /// Refuses what no text field of a destination can hold.
    static func checkText(_ text: String, lengthMax: Int?) throws(CellFault) {
        if text.utf8.contains(0) {
            throw CellFault(.nulCharacter, "The text holds the character U+0000; remove it in the query.")
        }
        guard let lengthMax, text.utf8.count > lengthMax, text.unicodeScalars.count > lengthMax else { return }
        throw CellFault(
            .tooLong,
            "The text has \(text.unicodeScalars.count) characters and the field holds \(lengthMax); shorten it in the query."
        )
    }

    /// A number with all its digits.
    static func number(_ value: Value) throws(CellFault) -> DecimalText {
        switch value {
        case .int64(let number): return DecimalText(number)
        case .uint64(let number): return DecimalText(number)
        case .float64(let double):
            guard let number = DecimalText(double) else {
                throw CellFault(.notANumber, "NaN and infinity are not numbers that the field can hold.")
            }
            return number
        case .decimal(let text):
            guard let number = DecimalText(text) else {
                throw CellFault(.notANumber, "This is not a number that the field can hold.")
            }
            return number
        case .text(let text): return try number(text: text)
        default: throw CellFault(.notANumber, "This is not a number.")
        }
    }

    private static func number(text: String) throws(CellFault) -> DecimalText {
        let trimmed = text.trimmed
        if trimmed.isEmpty {
            throw CellFault(.emptyValue, "The text is empty, and no number is; map NULL to leave the field out.")
        }
        if trimmed.contains(",") || trimmed.contains("'") {
            throw CellFault(
                .notANumber, "A number has no thousands separator and no decimal comma: write it as in 1234.5.")
        }
        guard !trimmed.contains("e"), !trimmed.contains("E"), let number = DecimalText(trimmed) else {
            throw CellFault(.notANumber, "This is not a plain decimal number: write it as in 1234.5.")
        }
        return number
    }

    /// An integer of 64 bits.
    static func integer(_ value: Value) throws(CellFault) -> Int64 {
        if case .int64(let number) = value { return number }
        let number = try number(value)
        if let integer = number.integer(Int64.self) { return integer }
        guard number.canonicalText.contains(".") else {
            throw CellFault(.outOfRange, "The number is outside the 64 bits of an integer.")
        }
        throw CellFault(.notAnInteger, "The field holds integers and the number has a fraction; round it in the query.")
    }

    /// A positive integer, as text.
    static func id(_ value: Value) throws(CellFault) -> String {
        if case .text(let text) = value, text.isBlank {
            throw CellFault(.emptyValue, "The text is empty, and no id is; map NULL to leave it out.")
        }
        // What exactly is wrong with the number does not matter: the answer is the same.
        guard let number = try? number(value), number.isPositive, let id = number.integer(Int64.self) else {
            throw CellFault(.notAnID, "An id is a positive integer.")
        }
        return String(id)
    }

    /// True or false.
    static func boolean(_ value: Value) throws(CellFault) -> Bool {
        if case .bool(let flag) = value { return flag }
        if case .decimal(let text) = value, let number = DecimalText(text) {
            return try boolean(.text(number.canonicalText))
        }
        switch CellText.of(value).trimmed.lowercased() {
        case "true", "t", "yes", "1": return true
        case "false", "f", "no", "0": return false
        case "": throw CellFault(.emptyValue, "The text is empty; map NULL to leave the field out.")
        default: throw CellFault(.notABoolean, "This is none of true, false, yes, no, t, f, 1 and 0.")
        }
    }

    /// A date, in days since 1970-01-01.
    ///
    /// An instant is a date only at midnight UTC: no other zone is known here.
    static func date(_ value: Value) throws(CellFault) -> Int64 {
        let days: Int64
        switch value {
        case .date(let number): days = number
        case .timestamp(let microseconds), .instant(let microseconds):
            days = TimeText.day(of: microseconds)
            guard microseconds % TimeText.dayLength == 0 else { throw timeInDate }
        case .text(let text): days = try date(text: text)
        default: throw CellFault(.notADate, "This is not a date.")
        }
        guard let date = CivilDate(days: days), date.hasFourDigitYear else {
            throw CellFault(.outOfRange, "The date is not in the years 1 to 9999.")
        }
        return days
    }

    private static var timeInDate: CellFault {
        CellFault(.hasTime, "The field holds dates and the value has a time of day; cast it to a date in the query.")
    }

    private static func date(text: String) throws(CellFault) -> Int64 {
        let trimmed = text.trimmed
        if let days = TimeText.parseDate(trimmed) { return days }
        if trimmed.isEmpty {
            throw CellFault(.emptyValue, "The text is empty, and no date is; map NULL to leave the field out.")
        }
        guard let stamp = TimeText.parseStamp(trimmed) else {
            throw CellFault(.notADate, "This is not a date of the calendar: write YYYY-MM-DD.")
        }
        let value: Value = stamp.instant.map { .instant($0) } ?? .timestamp(stamp.local)
        return try date(value)
    }

    /// A time of day without a fraction of a second, as `HH:MM:SS`.
    static func time(_ value: Value) throws(CellFault) -> String {
        let microseconds: Int64
        switch value {
        case .time(let number): microseconds = number
        case .text(let text):
            if text.isBlank {
                throw CellFault(.emptyValue, "The text is empty, and no time is; map NULL to leave the field out.")
            }
            guard let parsed = TimeText.parseTime(text.trimmed) else {
                throw CellFault(.notATime, "This is not a time of day: write HH:MM or HH:MM:SS.")
            }
            microseconds = parsed
        default: throw CellFault(.notATime, "This is not a time of day.")
        }
        guard (0..<TimeText.dayLength).contains(microseconds) else {
            throw CellFault(.notATime, "A time of day goes from 00:00:00 to 23:59:59.")
        }
        guard microseconds % 1_000_000 == 0 else {
            throw CellFault(.notATime, "The field holds whole seconds; cut the fraction off in the query.")
        }
        return TimeText.time(microseconds)
    }

    /// An instant, in microseconds since 1970-01-01T00:00:00Z.
    static func instant(_ value: Value) throws(CellFault) -> Int64 {
        let instant: Int64
        switch value {
        case .instant(let microseconds): instant = microseconds
        case .text(let text):
            if text.isBlank {
                throw CellFault(.emptyValue, "The text is empty, and no time is; map NULL to leave the field out.")
            }
            guard let stamp = TimeText.parseStamp(text.trimmed) else {
                throw CellFault(.notAnInstant, "This is not a date and time: write YYYY-MM-DDTHH:MM:SSZ.")
            }
            guard stamp.offset != nil else {
                throw CellFault(.zoneMissing, "The time names no zone: end it with Z or an offset such as +02:00.")
            }
            guard let parsed = stamp.instant else {
                throw CellFault(.outOfRange, "The time is not in the years 1 to 9999.")
            }
            instant = parsed
        default: throw CellFault(.zoneMissing, "The value has no time zone; give it one in the query.")
        }
        guard let date = CivilDate(days: TimeText.day(of: instant)), date.hasFourDigitYear else {
            throw CellFault(.outOfRange, "The time is not in the years 1 to 9999.")
        }
        return instant
    }
}
