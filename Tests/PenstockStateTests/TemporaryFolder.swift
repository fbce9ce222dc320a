// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import PenstockModel
import PenstockState

/// A folder of a test's own, removed with all its files when the test lets go of it.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/penstock-state-test-XXXXXX".utf8CString)
        path = mkdtemp(&template) == nil ? "" : String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
        precondition(!path.isEmpty, "A folder under /tmp is needed.")
    }

    deinit {
        // A folder that stays behind fails no test.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// A folder inside that does not exist yet.
    var state: String { "\(path)/project/state" }

    /// The permission bits of a file inside.
    func mode(_ name: String) -> UInt32? {
        var status = stat()
        return stat("\(path)/\(name)", &status) == 0 ? status.st_mode & 0o7777 : nil
    }

    /// The names inside a folder, sorted; none where there is no folder.
    static func names(_ folder: String) -> [String] {
        // No folder has no names, which is what tests of refused folders expect.
        (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []
    }

    /// The bytes of a file, or nil where there is none.
    static func read(_ path: String) -> [UInt8]? { FileManager.default.contents(atPath: path).map(Array.init) }

    /// Puts bytes into a file for this user only.
    static func write(_ bytes: some Collection<UInt8>, to path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        let array = Array(bytes)
        precondition(descriptor >= 0 && Glibc.write(descriptor, array, array.count) == array.count)
        close(descriptor)
    }
}

/// The owner most tests write as.
let someOwner = LockOwner(pid: 4711, runID: "01JD0000000000000000000000", startedAtMilliseconds: 1_700_000_000_000)

/// The digest of a number, for keys.
func digest(_ number: some BinaryInteger) -> Fingerprint {
    var hasher = FingerprintHasher()
    hasher.combine(UInt64(number))
    return hasher.finish()
}

extension StateStore {
    /// The store most tests write to.
    static func writing(_ folder: TemporaryFolder) throws -> StateStore {
        try openForWriting(folder: folder.state, sync: "people", owner: someOwner)
    }
}

/// An entry; the source row of what is settled is kept of rejects only.
func entry(_ number: Int64, run: Int64 = 1, outcome: LedgerEntry.Outcome = .created) -> LedgerEntry {
    LedgerEntry(
        key: digest(number), keyText: "id=\(number)", remoteID: "r\(number)", payload: digest(number + 1_000_000),
        source: outcome.isSettled && outcome != .rejected ? nil : digest(number + 2_000_000),
        cursor: "2026-01-01 00:00:00.\(number)", run: run, outcome: outcome)
}

/// An entry that lies in a row of its own.
func openEntry(_ number: Int64) -> LedgerEntry { entry(number, outcome: .notTried) }

/// A reject.
func reject(_ number: Int64, run: Int64 = 1, code: String = "missing-name", seen: Int64 = 100) -> RejectRecord {
    RejectRecord(
        key: digest(number), keyText: "id=\(number)", run: run, row: number, stage: "check", code: code,
        field: "name", value: " ", message: "The name is empty.", record: #"{"id":\#(number)}"#, isSettled: true,
        firstSeenMilliseconds: seen, lastSeenMilliseconds: seen)
}
