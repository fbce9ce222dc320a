// SPDX-License-Identifier: Apache-2.0

/// Reads durations: `10m`, `1h30m`, `250ms`, `2d`, or ISO 8601 as `PT10M` and `P30D`.
package enum DurationText {
    private static let second: Int64 = 1_000_000
    private static let short: [String: Int64] = [
        "us": 1, "ms": 1_000, "s": second, "m": 60 * second, "min": 60 * second, "h": 3_600 * second,
        "d": 86_400 * second, "w": 604_800 * second,
    ]
    private static let dateUnits: [String: Int64] = ["D": 86_400 * second, "W": 604_800 * second]
    private static let timeUnits: [String: Int64] = ["H": 3_600 * second, "M": 60 * second, "S": second]

    /// The duration in microseconds, or nil where `text` is none or does not fit.
    ///
    /// Months and years have no fixed length and are refused.
    package static func microseconds(_ text: String) -> Int64? {
        guard text.hasPrefix("P") else { return sum(text[...], short) }
        let parts = text.dropFirst().split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
        guard let date = parts.first, parts.count == 1 || !parts[1].isEmpty else { return nil }
        guard parts.count == 2 else { return sum(date, dateUnits) }
        guard let time = sum(parts[1], timeUnits) else { return nil }
        guard !date.isEmpty else { return time }
        guard let days = sum(date, dateUnits) else { return nil }
        let total = days.addingReportingOverflow(time)
        return total.overflow ? nil : total.partialValue
    }

    private static func sum(_ text: Substring, _ units: [String: Int64]) -> Int64? {
        guard !text.isEmpty else { return nil }
        var total: Int64 = 0
        var rest = text
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let number = Int64(digits), let factor = units[String(unit)] else { return nil }
            let part = number.multipliedReportingOverflow(by: factor)
            let next = total.addingReportingOverflow(part.partialValue)
            guard !part.overflow, !next.overflow else { return nil }
            total = next.partialValue
        }
        return total
    }
}
