// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Logging
import PenstockModel

/// How log lines are written.
enum LogFormat: String, CaseIterable, ExpressibleByArgument {
    /// Time, level, message, `key=value` pairs.
    case text
    /// One JSON object a line, with `ts`, `level`, `event`, `msg`, `run_id`, `sync` and what else there is.
    case json
}

/// The lines of the log.
enum LogLine {
    /// Whether standard error goes straight to the system's journal, which takes levels as prefixes and has times
    /// itself.
    static let isJournal: Bool = {
        guard let stream = ProcessInfo.processInfo.environment["JOURNAL_STREAM"] else { return false }
        var status = stat()
        return fstat(2, &status) == 0 && stream == "\(status.st_dev):\(status.st_ino)"
    }()

    /// One line with its newline.
    static func text(
        _ format: LogFormat, _ level: Logger.Level, _ message: String, _ metadata: [String: String], at date: Date,
        isJournal: Bool = isJournal
    ) -> String {
        let prefix = isJournal ? "<\(priority(level))>" : ""
        switch format {
        case .text:
            let pairs = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            let time = isJournal ? "" : "\(TimeDisplay.log(date)) "
            return "\(prefix)\(time)\(level) \(message)\(pairs)".printable + "\n"
        case .json:
            var object = JSONObject()
            let milliseconds = Int64(date.timeIntervalSince1970 * 1_000)
            object.append("ts", .string(TimeText.instant(milliseconds * 1_000)))
            object.append("level", .string(level.rawValue))
            object.append("event", .string(metadata["event"] ?? "log"))
            object.append("msg", .string(message))
            let first = ["run_id", "sync"]
            for key in first { if let value = metadata[key] { object.append(key, .string(value)) } }
            let taken = Set(first + ["ts", "level", "event", "msg"])
            for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where !taken.contains(key) {
                object.append(key, .string(value))
            }
            return prefix + JSON.object(object).text + "\n"
        }
    }

    /// The priority of syslog.
    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
