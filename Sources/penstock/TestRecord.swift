// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockHost
import PenstockModel

/// When a connection was tried last, and what came of it: a small file in the project's own folder.
struct TestRecord {
    /// When, in milliseconds since 1970.
    var at: Int64
    /// The step or code that failed; empty where all was well.
    var failed: String

    /// What a report says now.
    init(_ report: CheckReport) {
        at = WallClock.milliseconds
        failed = report.steps.first { $0.failure != nil }?.id ?? ""
    }

    /// A failure before there was a report.
    init(failing code: String) {
        at = WallClock.milliseconds
        failed = code.isEmpty ? "config" : code
    }

    private init?(_ json: JSON?) {
        guard let at = json?["at_ms"]?.intValue else { return nil }
        self.at = Int64(at)
        failed = json?["failed"]?.stringValue ?? ""
    }

    /// `ok`, or what failed.
    var word: String { failed.isEmpty ? "ok" : "failed (\(failed))" }

    /// The record for programs.
    var json: JSON {
        .object([
            "ok": .bool(failed.isEmpty), "failed": .string(failed), "at": .string(TimeDisplay.utc(at)),
            "at_ms": .integer(at),
        ])
    }

    /// The record of a connection, or nil where it was never tried.
    static func read(_ connection: String, root: String) -> TestRecord? {
        guard let data = FileManager.default.contents(atPath: path(connection, root)) else { return nil }
        // What cannot be read says nothing.
        return TestRecord(try? JSON(parsing: [UInt8](data)))
    }

    /// Keeps the record; where that cannot be done, the test itself is what counts.
    func write(_ connection: String, root: String) {
        mkdir("\(root)/.penstock", 0o700)
        mkdir("\(root)/.penstock/tests", 0o700)
        // See above.
        try? Data(json.utf8).write(to: URL(fileURLWithPath: Self.path(connection, root)), options: .atomic)
        chmod(Self.path(connection, root), 0o600)
    }

    /// Forgets the record.
    static func remove(_ connection: String, root: String) { unlink(path(connection, root)) }

    private static func path(_ connection: String, _ root: String) -> String {
        "\(root)/.penstock/tests/\(connection).json"
    }
}
