// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Times and durations, for people and for programs.
enum TimeDisplay {
    /// RFC 3339 in UTC, for programs.
    static func utc(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1_000).ISO8601Format()
    }

    /// Local time with offset to the second, for people.
    static func local(_ milliseconds: Int64) -> String {
        let date = Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
        var parts = tm()
        var seconds = time_t(date.timeIntervalSince1970)
        localtime_r(&seconds, &parts)
        let offset = parts.tm_gmtoff / 60
        return pad(parts.tm_year + 1900, 4) + "-" + pad(parts.tm_mon + 1, 2) + "-" + pad(parts.tm_mday, 2) + " "
            + pad(parts.tm_hour, 2) + ":" + pad(parts.tm_min, 2) + ":" + pad(parts.tm_sec, 2)
            + " " + (offset < 0 ? "-" : "+") + pad(Int32(abs(offset) / 60), 2) + ":" + pad(Int32(abs(offset) % 60), 2)
    }

    /// Local time in as few columns as possible: month, day, hour and minute.
    static func short(_ milliseconds: Int64) -> String {
        String(local(milliseconds).dropFirst("2026-".count).prefix("11-24 06:15".count))
    }

    /// The time of a log line.
    static func log(_ date: Date) -> String { date.ISO8601Format() }

    /// A duration: `0.4 s`, `12 s`, `1 min 19 s`, `2 h 05 min`.
    static func duration(milliseconds: Int64) -> String {
        let seconds = milliseconds / 1_000
        if milliseconds < 10_000 { return "\(seconds).\(milliseconds % 1_000 / 100) s" }
        if seconds < 60 { return "\(seconds) s" }
        if seconds < 3_600 { return "\(seconds / 60) min \(seconds % 60) s" }
        return "\(seconds / 3_600) h \(pad(Int32(seconds % 3_600 / 60), 2)) min"
    }

    private static func pad(_ number: Int32, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}

extension BinaryInteger {
    /// The number with a comma at every thousand.
    var grouped: String {
        let digits = Array(String(magnitude))
        var out = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { out.append(",") }
            out.append(digit)
        }
        return (self < 0 ? "-" : "") + out
    }
}
