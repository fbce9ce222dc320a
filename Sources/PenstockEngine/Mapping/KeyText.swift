// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Incremental key values as text, exact in both directions: what the state stores and people read.
package enum KeyText {
    /// Why a text is not a key value.
    package struct Problem: Error, Sendable, Hashable {
        /// `not-a-key-type`, `not-a-number`, `out-of-range`, `not-a-date`, `not-a-timestamp`, `zone-missing` or
        /// `zone-not-allowed`.
        package let code: String
        /// One sentence: what is expected.
        package let message: String
    }

    /// The one text of a key value.
    ///
    /// - Returns: Nil for what cannot be a key: NULL, NaN and the infinities (a watermark at infinity would hide
    ///   every later row), a decimal that is not a number, and types that are not ordered as keys.
    package static func text(of value: Value) -> String? {
        switch value {
        case .int64(let number): String(number)
        case .uint64(let number): String(number)
        case .float64(let number): number.isFinite ? JSON.double(number == 0 ? 0 : number).numberText : nil
        case .decimal(let text): DecimalText(text)?.canonicalText
        case .text(let text): text
        case .date(let days): TimeText.date(days)
        case .timestamp(let microseconds): TimeText.timestamp(microseconds)
        case .instant(let microseconds): TimeText.instant(microseconds)
        case .null, .bool, .bytes, .time, .json: nil
        }
    }

    /// Reads a key value of `type` from its text: one of ``text(of:)``, or `fetch.start` as people write it.
    ///
    /// A timestamp may be a date alone, which means its midnight. An instant must name its zone; a timestamp must
    /// not, because the column has none and nothing says which one was meant.
    package static func value(from text: String, type: DataType) throws(Problem) -> Value {
        switch type {
        case .int64: return .int64(try integer(text))
        case .uint64: return .uint64(try integer(text))
        case .float64:
            guard DecimalText(text) != nil, let number = Double(text), number.isFinite else {
                throw Problem(code: "not-a-number", message: "The key column holds numbers: write a number.")
            }
            return .float64(number)
        case .decimal:
            guard let number = DecimalText(text) else {
                throw Problem(code: "not-a-number", message: "The key column holds decimals: write a number.")
            }
            return .decimal(number.canonicalText)
        case .text: return .text(text)
        case .date:
            guard let days = TimeText.parseDate(text) else {
                throw Problem(code: "not-a-date", message: "The key column holds dates: write YYYY-MM-DD.")
            }
            return .date(days)
        case .timestamp: return .timestamp(try timestamp(text))
        case .instant: return .instant(try instant(text))
        case .bool, .bytes, .time, .json:
            throw Problem(
                code: "not-a-key-type", message: "A column of type \(type.rawValue) cannot be an Incremental Key.")
        }
    }

    private static func integer<T: FixedWidthInteger>(_ text: String) throws(Problem) -> T {
        guard let number = DecimalText(text) else {
            throw Problem(code: "not-a-number", message: "The key column holds integers: write an integer.")
        }
        guard let value = number.integer(T.self) else {
            throw Problem(
                code: "out-of-range", message: "The key column holds integers from \(T.min) to \(T.max): write one.")
        }
        return value
    }

    private static func timestamp(_ text: String) throws(Problem) -> Int64 {
        if let days = TimeText.parseDate(text) {
            let (midnight, overflow) = days.multipliedReportingOverflow(by: TimeText.dayLength)
            guard !overflow else {
                throw Problem(code: "out-of-range", message: "The date is too far away: write a nearer one.")
            }
            return midnight
        }
        guard let stamp = TimeText.parseStamp(text) else {
            throw Problem(
                code: "not-a-timestamp",
                message: "The key column holds dates with times: write YYYY-MM-DDTHH:MM:SS or YYYY-MM-DD.")
        }
        guard stamp.offset == nil else {
            throw Problem(
                code: "zone-not-allowed",
                message: "The key column has no time zone: write the time as the column has it, without a zone.")
        }
        return stamp.local
    }

    private static func instant(_ text: String) throws(Problem) -> Int64 {
        if let stamp = TimeText.parseStamp(text) {
            guard stamp.offset != nil else {
                throw Problem(
                    code: "zone-missing", message: "The key column holds instants: end the time with Z or an offset.")
            }
            guard let instant = stamp.instant else {
                throw Problem(code: "out-of-range", message: "The time is too far away: write a nearer one.")
            }
            return instant
        }
        if TimeText.parseDate(text) != nil {
            throw Problem(
                code: "zone-missing",
                message: "The key column holds instants: write a time and a zone, as in 2026-01-01T00:00:00Z.")
        }
        throw Problem(
            code: "not-a-timestamp", message: "The key column holds instants: write YYYY-MM-DDTHH:MM:SSZ.")
    }
}
