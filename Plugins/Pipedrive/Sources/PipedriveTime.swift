// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Dates and instants as Pipedrive writes them.
package enum PipedriveTime {
    /// Appends `YYYY-MM-DDTHH:MM:SSZ`; a fraction of a second is left out.
    ///
    /// - Parameter microseconds: Microseconds since 1970-01-01T00:00:00Z.
    package static func writeInstant(_ microseconds: Int64, into out: inout [UInt8]) {
        let fraction = microseconds % 1_000_000
        TimeText.writeTimestamp(microseconds - fraction - (fraction < 0 ? 1_000_000 : 0), into: &out)
        out.append(UInt8(ascii: "Z"))
    }

    /// The last second of the year 9999, in milliseconds since 1970-01-01T00:00:00Z.
    package static let lastMilliseconds: Int64 = 253_402_300_799_000

    /// Whether a date lies in the years 0001 to 9999, which is what `YYYY-MM-DD` can hold.
    package static func isWritable(days: Int64) -> Bool { CivilDate.fourDigitDays.contains(days) }

    /// Whether an instant lies in the years 0001 to 9999.
    package static func isWritable(microseconds: Int64) -> Bool { isWritable(days: TimeText.day(of: microseconds)) }

    /// The days since 1970-01-01 of `YYYY-MM-DD`, or nil.
    package static func days(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        var end = 0
        guard let days = TimeScanner.date(bytes.span, &end), end == bytes.count else { return nil }
        return days
    }

    /// The microseconds since 1970-01-01T00:00:00Z of an RFC 3339 instant, or of `YYYY-MM-DD HH:MM:SS` in UTC; nil
    /// for other texts and for fractions finer than microseconds.
    package static func microseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        var end = 0
        // Behind the seconds, which both have, nothing stands, or `Z`, or `±HH:MM`.
        guard let local = TimeScanner.timestamp(bytes.span, &end), end >= "YYYY-MM-DD HH:MM:SS".utf8.count,
            [0, 1, 6].contains(bytes.count - end)
        else { return nil }
        if end == bytes.count { return local }
        guard let offset = TimeScanner.offset(bytes.span, &end), end == bytes.count else { return nil }
        return local - offset * 60_000_000
    }
}
