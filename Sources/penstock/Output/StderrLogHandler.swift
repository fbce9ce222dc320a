// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging

/// Writes log lines to standard error.
struct StderrLogHandler: LogHandler {
    var logLevel: Logger.Level = .warning
    var metadata: Logger.Metadata = [:]
    /// How the lines are written.
    var format = LogFormat.text

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let pairs = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
        Terminal.writeError(LogLine.text(format, event.level, "\(event.message)", pairs, at: Date()))
    }
}
