// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Dates and times as SQLite's own functions write them: ISO 8601 with a blank or a `T`.
///
/// Strict: no value is rounded and no field is carried into the next. A fraction finer than a microsecond is none
/// of these texts unless the digits too many are zeros.
package enum SQLiteTime {
    /// A date and time, in microseconds: since 1970-01-01T00:00:00Z where it had a zone, else of its own clock.
    package struct Moment: Equatable, Sendable {
        /// The microseconds.
        package var microseconds: Int64
        /// Whether the text had a zone.
        package var isZoned: Bool
    }

    /// The days since 1970-01-01 of `YYYY-MM-DD`, or nil.
    package static func date(_ text: Span<UInt8>) -> Int64? {
        var end = 0
        guard let day = TimeScanner.date(text, &end), end == text.count else { return nil }
        return day
    }

    /// The microseconds since midnight of `HH:MM[:SS[.fff]]`, or nil.
    package static func time(_ text: Span<UInt8>) -> Int64? {
        var end = 0
        guard let time = TimeScanner.time(text, &end), end == text.count else { return nil }
        return time
    }

    /// The moment of `YYYY-MM-DD[ HH:MM[:SS[.fff]]][zone]`, or nil; a date alone is its midnight.
    ///
    /// The zone is `Z`, `±HH`, `±HH:MM` or `±HHMM`, at most 14:59.
    package static func moment(_ text: Span<UInt8>) -> Moment? {
        if text.count == "YYYY-MM-DD".utf8.count {
            return date(text).map { Moment(microseconds: $0 * TimeText.dayLength, isZoned: false) }
        }
        var end = 0
        guard let local = TimeScanner.timestamp(text, &end) else { return nil }
        if end == text.count { return Moment(microseconds: local, isZoned: false) }
        guard let offset = TimeScanner.offset(text, &end), end == text.count, abs(offset) < 15 * 60 else { return nil }
        return Moment(microseconds: local - offset * 60_000_000, isZoned: true)
    }

    /// `YYYY-MM-DD` of a day, moved to the nearest day of the years 0000 to 9999.
    package static func text(day: Int64) -> String { CivilDate(near: min(max(day, -719_528), 2_932_896)).text }

    /// `HH:MM` of a time of day, its seconds left out.
    package static func minuteText(_ microseconds: Int64) -> String {
        String(TimeText.time(min(max(microseconds, 0), TimeText.dayLength - 1)).prefix(5))
    }
}
