// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging

/// Writes log lines to standard error: time, level, message, `key=value` pairs.
struct StderrLogHandler: LogHandler {
    var logLevel: Logger.Level = .warning
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let pairs = metadata.merging(event.metadata ?? [:]) { $1 }
            .sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        Terminal.writeError("\(TimeDisplay.log(Date())) \(event.level) \(event.message)\(pairs)\n")
    }
}
