// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// What is kept here of one source key.
struct RowStory {
    /// One request that concerned it, as it was written down.
    struct Request {
        /// The run.
        var run: String
        /// The line of the log.
        var line: JSON
        /// A text of the line; empty where there is none.
        func text(_ name: String) -> String { line[name]?.stringValue ?? line[name]?.numberText ?? "" }
        /// When it was, in local time.
        var time: String {
            let text = text("ts")
            // A log that was changed by hand is shown as it is.
            guard let date = try? Date(text, strategy: .iso8601) else { return text }
            return TimeDisplay.local(Int64(date.timeIntervalSince1970 * 1_000))
        }
    }

    /// What the ledger says, or nil.
    var entry: LedgerEntry?
    /// Its reject, or nil.
    var reject: RejectRecord?
    /// The run that touched it last, or nil where that is not kept any more.
    var lastRun: RunRecord?
    /// The newest run of the sync, or nil.
    var newestRun: RunRecord?
    /// The watermark, or nil.
    var watermark: Watermark?
    /// What was sent, oldest first.
    var requests: [Request] = []
    /// Whether some of the logs were not looked through, because there are too many.
    var isIncomplete = false

    private static let bytesMax = 512 << 20

    /// What the state of a sync has of the rows whose key reads like `key`; nil where it knows none.
    init?(_ key: String, _ store: StateStore) throws {
        let (entries, rejects) = try store.rows(keyText: key)
        entry = entries.first { $0.outcome != .rejected } ?? entries.first
        reject = entry.flatMap { entry in rejects.first { $0.key == entry.key } } ?? rejects.first
        newestRun = try store.lastRun()
        watermark = try store.watermark()
        let number = entry?.run ?? reject?.run
        lastRun = try number.flatMap { try store.run(number: $0) }
        if entry == nil, reject == nil { return nil }
    }

    /// Looks through the logs of the sync's runs, the newest first.
    mutating func readRequests(_ runs: [String], _ folders: RunFolders) {
        let digests = [entry?.key.hex, reject?.key.hex].compactMap { $0 }
        guard !digests.isEmpty else { return }
        var read = 0
        var found: [[Request]] = []
        for run in runs {
            let path = folders.requests(run)
            var lines: [Request] = []
            for file in [RunLog.older(path), path] {
                // A run that sent nothing has no such file.
                guard let data = try? Data(contentsOf: URL(fileURLWithPath: file), options: .alwaysMapped) else {
                    continue
                }
                read += data.count
                // Most logs do not hold the key: nothing of them is parsed.
                guard digests.contains(where: { data.range(of: Data($0.utf8)) != nil }) else { continue }
                for line in data.split(separator: UInt8(ascii: "\n")) {
                    guard digests.contains(where: { line.range(of: Data($0.utf8)) != nil }),
                        // The last line of a process that died may be a piece.
                        let json = try? JSON(parsing: [UInt8](line)),
                        digests.contains(json["key_digest"]?.stringValue ?? "")
                    else { continue }
                    lines.append(Request(run: run, line: json))
                }
            }
            found.append(lines)
            if read > Self.bytesMax {
                isIncomplete = true
                break
            }
        }
        requests = found.reversed().flatMap { $0 }
    }
}
