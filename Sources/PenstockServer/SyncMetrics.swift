// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel

/// What the runs of a sync add up to, in a small file beside its state.
///
/// A run writes it at its end, whole and under another name first; whoever reads it waits for nobody. A run that dies
/// leaves its rows to the run that goes on with it, and its tokens uncounted.
package struct SyncMetrics: Sendable, Hashable {
    /// What one run adds.
    package struct RunEnd: Sendable {
        /// The destination's connection.
        package var connection = ""
        /// What became of the rows; empty where the run is not finished, because the run that goes on counts them.
        package var rows: [(name: String, value: Int64)] = []
        /// How long its phases took, in seconds.
        package var phases: [(name: String, seconds: Double)] = []
        /// Tokens by what the requests did.
        package var tokens: [(name: String, value: Int64)] = []
        /// What is left of the connection's budget, or nil.
        package var tokensLeft: Int64?
        /// Seconds that requests were held back, by limit.
        package var waits: [(name: String, seconds: Double)] = []
        /// The exit code.
        package var exitCode: Int32 = 0
        /// Whether every row that was asked for is where it belongs.
        package var isSuccess = false
        /// When it ended, in milliseconds since 1970-01-01T00:00:00Z.
        package var endedAt: Int64 = 0

        /// A run that did nothing.
        package init() {}
    }

    /// The destination's connection.
    package var connection = ""
    /// Rows by result, of all runs.
    package var rows: [String: Int64] = [:]
    /// Seconds by phase, of the last run.
    package var phases: [String: Double] = [:]
    /// Tokens by what the requests did, of all runs.
    package var tokens: [String: Int64] = [:]
    /// What was left of the connection's budget at the end of the last run, or nil.
    package var tokensLeft: Int64?
    /// Seconds that requests were held back, by limit, of all runs.
    package var waits: [String: Double] = [:]
    /// The exit code of the last run, or nil.
    package var exitCode: Int32?
    /// When the last good run ended, in milliseconds since 1970-01-01T00:00:00Z, or nil.
    package var lastSuccess: Int64?
    /// When the last run ended, or nil.
    package var lastEnd: Int64?

    /// No run.
    package init() {}

    /// Adds a run.
    package mutating func add(_ end: RunEnd) {
        connection = end.connection
        for row in end.rows { rows[row.name, default: 0] += row.value }
        phases = Dictionary(end.phases.map { ($0.name, $0.seconds) }, uniquingKeysWith: { $1 })
        for token in end.tokens { tokens[token.name, default: 0] += token.value }
        tokensLeft = end.tokensLeft ?? tokensLeft
        for wait in end.waits { waits[wait.name, default: 0] += wait.seconds }
        exitCode = end.exitCode
        lastEnd = end.endedAt
        if end.isSuccess { lastSuccess = end.endedAt }
    }

    // MARK: - The file

    /// The file of a sync.
    package static func path(stateFolder: String, sync: String) -> String { "\(stateFolder)/\(sync).metrics" }

    /// What the file at `path` holds; nil where there is none, or it cannot be read.
    package init?(reading path: String) {
        // A file that is not there, or not whole, tells nothing.
        guard let data = FileManager.default.contents(atPath: path), let json = try? JSON(parsing: [UInt8](data)) else {
            return nil
        }
        connection = json["connection"]?.stringValue ?? ""
        rows = Self.integers(json["rows"])
        tokens = Self.integers(json["tokens"])
        phases = Self.doubles(json["phases"])
        waits = Self.doubles(json["waits"])
        tokensLeft = json["tokens_left"]?.intValue.map(Int64.init)
        exitCode = json["exit_code"]?.intValue.map { Int32(truncatingIfNeeded: $0) }
        lastSuccess = json["last_success"]?.intValue.map(Int64.init)
        lastEnd = json["last_end"]?.intValue.map(Int64.init)
    }

    /// Writes the file, whole or not at all.
    ///
    /// - Returns: Whether that was possible.
    package func write(to path: String) -> Bool {
        var object = JSONObject()
        object["connection"] = .string(connection)
        object["rows"] = Self.json(rows) { .integer($0) }
        object["tokens"] = Self.json(tokens) { .integer($0) }
        object["phases"] = Self.json(phases) { .double($0) }
        object["waits"] = Self.json(waits) { .double($0) }
        object["tokens_left"] = tokensLeft.map { .integer($0) } ?? .null
        object["exit_code"] = exitCode.map { .integer($0) } ?? .null
        object["last_success"] = lastSuccess.map { .integer($0) } ?? .null
        object["last_end"] = lastEnd.map { .integer($0) } ?? .null
        return AtomicFile.write(JSON.object(object).text + "\n", to: path, mode: 0o600)
    }

    private static func integers(_ json: JSON?) -> [String: Int64] {
        var found: [String: Int64] = [:]
        for member in json?.objectValue?.members ?? [] { found[member.key] = member.value.intValue.map(Int64.init) }
        return found
    }

    private static func doubles(_ json: JSON?) -> [String: Double] {
        var found: [String: Double] = [:]
        for member in json?.objectValue?.members ?? [] { found[member.key] = member.value.doubleValue }
        return found
    }

    private static func json<T>(_ values: [String: T], _ make: (T) -> JSON) -> JSON {
        var object = JSONObject()
        for (key, value) in values.sorted(by: { $0.key < $1.key }) { object.append(key, make(value)) }
        return .object(object)
    }
}

/// A file that readers see whole, as it was or as it is.
package enum AtomicFile {
    /// Writes `text` under another name first.
    ///
    /// - Returns: Whether that was possible.
    package static func write(_ text: String, to path: String, mode: mode_t) -> Bool {
        let draft = "\(path).\(getpid()).part"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { return false }
        var rest = ArraySlice(text.utf8)
        while !rest.isEmpty {
            let part = Array(rest.prefix(1 << 16))
            let count = Foundation.write(descriptor, part, part.count)
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        let isWhole = rest.isEmpty && fsync(descriptor) == 0
        close(descriptor)
        guard isWhole, rename(draft, path) == 0 else {
            unlink(draft)
            return false
        }
        return true
    }
}
