// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// The folders `.penstock/runs/<id>`, with what every run leaves in them.
struct RunFolders {
    /// The folder of all runs.
    let folder: String

    /// How large a log of one run may become before its beginning is put aside.
    static let logBytesMax = 16 << 20

    private let stateFolder: String

    /// The folders of a project.
    init(root: String) {
        folder = root + "/.penstock/runs"
        stateFolder = root + "/.penstock/state"
    }

    /// The folder of one run.
    func path(_ run: String) -> String { "\(folder)/\(run)" }

    /// The events of one run.
    func events(_ run: String) -> String { path(run) + "/events.jsonl" }

    /// What was sent in one run.
    func requests(_ run: String) -> String { path(run) + "/requests.jsonl" }

    /// The ids of the runs that have a folder.
    var ids: [String] {
        // A project in which nothing ran has no folder.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.utf8.count == 26 && RunID.normalized($0) == $0 }.sorted()
    }

    /// What the run has left as its result, or nil.
    func result(_ run: String) -> JSON? {
        guard let data = FileManager.default.contents(atPath: path(run) + "/run_results.json") else { return nil }
        // A file that is no document says nothing.
        return (try? JSON(parsing: [UInt8](data)))?["data"]
    }

    /// Makes the folder of a run, for this user only.
    ///
    /// - Returns: Whether it is there.
    func make(_ run: String) -> Bool {
        do {
            try FileManager.default.createDirectory(
                atPath: path(run), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            return true
        } catch {
            return false
        }
    }

    /// Removes the folder of a run.
    func remove(_ run: String) {
        // What cannot be removed stays, and is tried again by the next run.
        try? FileManager.default.removeItem(atPath: path(run))
    }

    /// The lines of a log, oldest first; what is not a line of JSON is passed over.
    func forEachLine(_ path: String, _ body: (JSON) throws -> Void) rethrows {
        for file in [RunLog.older(path), path] {
            guard let handle = FileHandle(forReadingAtPath: file) else { continue }
            var rest: [UInt8] = []
            // A log that cannot be read further has no more lines.
            while let piece = try? handle.read(upToCount: 1 << 16), !piece.isEmpty {
                rest += piece
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = Array(rest[..<end])
                    rest.removeFirst(end + 1)
                    // The last line of a process that died may be a piece.
                    if let json = try? JSON(parsing: line) { try body(json) }
                }
            }
        }
    }

    /// When a run began, as its id says; milliseconds since 1970.
    static func startOf(_ run: String) -> Int64 {
        let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        return run.prefix(10).reduce(0) { $0 << 5 | Int64(alphabet.firstIndex(of: $1) ?? 0) }
    }

    // MARK: - Runs that could not begin

    /// Leaves a note of a run that could not begin.
    ///
    /// - Parameter id: The id that it was to have, or nil. A disk that failed may have kept the run, and a note under
    ///   another id would be that of a second one.
    /// - Returns: Its id, or nil where nothing can be written.
    @discardableResult
    func recordFailure(_ sync: String, _ failure: CommandFailure, id: String? = nil) -> String? {
        let now = WallClock.milliseconds
        let id = id ?? RunID.make(milliseconds: now)
        guard make(id) else { return nil }
        var object = failure.json(sync: sync).objectValue ?? [:]
        object["run"] = .string(id)
        object["began"] = .bool(false)
        object["started_at"] = .string(TimeDisplay.utc(now))
        object["message"] = .string(failure.sentence)
        let text = Document(kind: "run_results", data: .object(object)).text
        let isWritten = FileManager.default.createFile(
            atPath: path(id) + "/run_results.json", contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        return isWritten ? id : nil
    }

    // MARK: - Retention

    /// Forgets runs that are older than is kept: those of `store`, and their folders.
    ///
    /// - Returns: The ids of the runs.
    @discardableResult
    func prune(_ store: StateStore, _ policy: HistoryPolicy, now: Int64) throws(StateError) -> [String] {
        let removed = try store.removeExpiredRuns(
            startedBefore: now - policy.keepMilliseconds, keeping: policy.runs)
        for id in removed { remove(id) }
        try BeforeImages.forget(runs: removed, folder: stateFolder, sync: store.sync)
        return removed
    }

    /// The runs that no state knows, for example because they could not begin, and that are older than is kept.
    ///
    /// - Parameter known: The ids of all runs of all states.
    func expiredStrays(_ policy: HistoryPolicy, known: Set<String>, now: Int64) -> [String] {
        let strays = ids.filter { !known.contains($0) }
        let old = strays.filter { Self.startOf($0) < now - policy.keepMilliseconds }
        return old + strays.dropLast(policy.runs).filter { !old.contains($0) }
    }
}
