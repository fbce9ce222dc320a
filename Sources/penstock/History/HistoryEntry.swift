// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockProject
import PenstockState

/// One run, from the state of its sync, or from the note of a run that could not begin.
struct HistoryEntry {
    /// How a run ended, in one word.
    enum Result: String, CaseIterable {
        /// Every row is settled, and no more were rejected than allowed.
        case ok
        /// Every row is settled, and more were rejected than allowed.
        case partial
        /// It failed, or could not begin.
        case failed
        /// Rows are open: the next run goes on with it.
        case unfinished
        /// It was given up.
        case abandoned

        /// The word of a command line; `finished`, as lists show it, is `ok`.
        init?(argument: String) { self.init(rawValue: argument == "finished" ? Self.ok.rawValue : argument) }
    }

    /// The sync.
    var sync: String
    /// The run's id.
    var id: String
    /// Where it stands, as the state has it; `failed` for one that could not begin.
    var status: RunRecord.Status
    /// How it ended.
    var result: Result
    /// When it began, in milliseconds since 1970.
    var startedAt: Int64
    /// What the state has of it; nil for a run that could not begin.
    var record: RunRecord?
    /// What went wrong, or empty.
    var message: String

    /// A run of the state.
    init(_ file: SyncFile, _ record: RunRecord) {
        sync = file.name
        id = record.id
        status = record.status
        startedAt = record.startedAtMilliseconds
        self.record = record
        message = record.message
        result =
            switch record.status {
            case .finished: file.allows(record) ? .ok : .partial
            case .running, .unfinished: .unfinished
            case .failed: .failed
            case .abandoned: .abandoned
            }
    }

    /// The note of a run that could not begin; nil where the document is none.
    init?(note: JSON, id: String) {
        guard note["began"]?.boolValue == false, let sync = note["sync"]?.stringValue else { return nil }
        self.sync = sync
        self.id = id
        status = .failed
        result = .failed
        startedAt = RunFolders.startOf(id)
        message = note["message"]?.stringValue ?? ""
    }

    /// One of the counts; 0 where there is none.
    func count(_ name: String) -> Int64 { record?.counts[name] ?? 0 }

    /// What it was: `run`, `full-refresh` or `undo`.
    var kind: String { record?.kind ?? "run" }

    /// Whether it has changed records, or may have.
    var hasChanges: Bool {
        guard let record else { return false }
        return record.status != .finished || count("created") + count("updated") + count("deleted") > 0
    }

    /// How long it took, or nil.
    var milliseconds: Int64? {
        record?.finishedAtMilliseconds.map { max(0, $0 - startedAt) }
    }

    /// The entry for programs.
    var json: JSON {
        var counts = JSONObject()
        for name in Self.countNames { if let value = record?.counts[name] { counts[name] = .integer(value) } }
        return .object([
            "run": .string(id), "sync": .string(sync), "kind": .string(kind),
            "status": .string(status.rawValue),
            "result": .string(result.rawValue), "started_at": .string(TimeDisplay.utc(startedAt)),
            "finished_at": record?.finishedAtMilliseconds.map { .string(TimeDisplay.utc($0)) } ?? .null,
            "attempts": .integer(record?.attempts ?? 1), "counts": .object(counts),
            "watermark_before": record?.watermarkBefore.map { .string($0) } ?? .null,
            "watermark_after": record?.watermarkAfter.map { .string($0) } ?? .null, "message": .string(message),
        ])
    }

    /// The names of counts, in the order in which they are shown.
    static let countNames = [
        "fetched", "created", "updated", "unchanged", "skipped", "rejected", "unknown", "not_tried", "reread",
        "recovered", "null_keys", "conflicts", "removed", "deleted",
    ]
}

extension SyncFile {
    /// Whether a run has no more rejects than the sync allows.
    func allows(_ run: RunRecord) -> Bool {
        let rejected = run.counts["rejected"] ?? 0
        return switch definition.rejectsMax {
        case .count(let limit): rejected <= Int64(limit)
        case .basisPoints(let points): rejected * 10_000 <= Int64(points) * (run.counts["fetched"] ?? 0)
        }
    }
}

/// The runs of a project.
struct History {
    /// The runs, newest first.
    private(set) var entries: [HistoryEntry] = []
    /// The code to end with when they have been shown: that of a state that could not be read.
    let ending: ExitCode
    /// The folders of the runs.
    let folders: RunFolders
    private let sync: String?

    /// The runs of the sync called `sync`, or of all.
    init(_ workspace: Workspace, sync: String? = nil) throws {
        let folders = RunFolders(root: try workspace.root.get())
        self.sync = sync
        self.folders = folders
        var known: Set<String> = []
        var found: [HistoryEntry] = []
        ending = try workspace.forEachState(of: sync) { file, store in
            let runs = try store.runs(limit: .max)
            found += runs.map { HistoryEntry(file, $0) }
            known.formUnion(runs.map(\.id))
        }
        for index in found.indices where found[index].result == .unfinished {
            // How the process took it is not in the state: a person must act, or time will do.
            let code = folders.result(found[index].id)?["exit_code"]?.intValue.flatMap { Int32(exactly: $0) }
            if let code = code.flatMap(ExitCode.init), code.isFailure { found[index].result = .failed }
        }
        // Only what no state has can be the note of a run that could not begin.
        for id in folders.ids.reversed() where !known.contains(id) {
            guard let note = folders.result(id), let entry = HistoryEntry(note: note, id: id) else { continue }
            if sync == nil || entry.sync == sync { found.append(entry) }
        }
        entries = found.sorted { ($0.startedAt, $0.id) > ($1.startedAt, $1.id) }
    }

    /// The run with this id, or the only one whose id begins so, or the newest for `latest`.
    ///
    /// - Throws: ``CommandFailure`` 64 where there is none, or more than one.
    func entry(_ text: String) throws -> HistoryEntry {
        if text == "latest", let newest = entries.first { return newest }
        let prefix = RunID.normalized(text)
        let found = prefix.map { prefix in entries.filter { $0.id.hasPrefix(prefix) } } ?? []
        if let only = found.first, found.count == 1 || only.id == prefix { return only }
        if found.isEmpty {
            try CommandFailure.end(unlessOK: ending)
            let whose = sync.map { " of \($0)" } ?? ""
            guard text != "latest" else {
                throw CommandFailure(
                    .usage, code: "unknown-run", sync == nil ? "nothing has run yet" : "nothing\(whose) has run yet",
                    notes: ["penstock history list"])
            }
            let near = NearestName.of(text.uppercased(), in: entries.prefix(500).map(\.id))
            throw CommandFailure(
                .usage, code: "unknown-run", "there is no run \"\(text)\"\(whose)",
                notes: [near.map { "did you mean \($0)?" }, "penstock history list"].compactMap { $0 })
        }
        throw CommandFailure(
            .usage, code: "ambiguous-run", "several runs begin with \"\(text)\"",
            notes: found.prefix(10).map { "\($0.id)   \($0.sync), \(TimeDisplay.local($0.startedAt))" })
    }
}
