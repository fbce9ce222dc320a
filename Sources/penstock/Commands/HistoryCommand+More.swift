// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

extension HistoryCommand {
    /// `penstock history log`.
    struct Log: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "log", abstract: "Show the events of one run.",
            discussion: "Example: penstock history log latest -f")

        @OptionGroup var options: GlobalOptions

        @Argument(help: ArgumentHelp("A run's id, or its first characters, or latest.", valueName: "run"))
        var id: String

        @Option(name: .long, help: "The sync whose run it is, for latest; that of any sync where none is named.")
        var sync: String?

        @Flag(name: .shortAndLong, help: "Go on with what is written from now on, until the run's process is done.")
        var follow = false

        func run() throws {
            let workspace = Workspace(options)
            let history = try History(workspace, sync: sync)
            let entry = try history.entry(id)
            let path = history.folders.events(entry.id)
            guard FileManager.default.fileExists(atPath: path) || (follow && entry.status == .running) else {
                throw CommandFailure(
                    .usage, code: "no-log", "run \(entry.id) has left no events",
                    notes: [
                        entry.record == nil
                            ? "it could not begin: \(entry.message)" : "it ran before they were kept"
                    ])
            }
            if options.format == .json, !follow {
                var lines: [JSON] = []
                history.folders.forEachLine(path) { lines.append($0) }
                return Terminal.write(Document(kind: "history.log", data: .array(lines)).text(options.format))
            }
            if !follow {
                history.folders.forEachLine(path) { show($0) }
                return
            }
            try goOn(path, entry.sync, try workspace.stateFolder())
        }

        /// Shows what is written until the process is done with the run, or gone.
        private func goOn(_ path: String, _ sync: String, _ folder: String) throws {
            var tail = FileTail(path)
            var isOver = false
            while !isOver {
                // Before the look, so that nothing is missed that a process writes last.
                let isGone = StateFileLock.isHeld(folder: folder, sync: sync) == false
                for line in tail.lines() {
                    show(line)
                    isOver = line["event"]?.stringValue == Self.lastEvent
                }
                isOver = isOver || isGone
                if !isOver, Interruption.cancellation.wait(milliseconds: 200) { throw CommandFailure.stopped }
            }
        }

        /// The event after which nothing is written unless the run goes on.
        private static let lastEvent = "run.closed"
        private static let common = ["ts", "level", "event", "msg", "run_id", "sync"]

        private func show(_ line: JSON) {
            guard !options.isMachineReadable else { return Terminal.write(line.text + "\n") }
            let details = (line.objectValue?.members ?? []).filter { !Self.common.contains($0.key) }
                .filter { !$0.value.isNull && $0.value.stringValue != "" }
                .map { "\($0.key)=\($0.value.stringValue ?? $0.value.text)" }
            let head = ["ts", "level", "event", "msg"].map { line[$0]?.stringValue ?? "" }
            Terminal.write((head + details).joined(separator: " ").printable + "\n")
        }
    }

    /// `penstock history compare`.
    struct Compare: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "compare", abstract: "Compare two runs: counts, time and tokens.",
            discussion: "Example: penstock history compare 01JD7KQ 01JD8AB")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The first run.")
        var first: String

        @Argument(help: "The second run.")
        var second: String

        func run() throws {
            let history = try History(Workspace(options))
            let entries = [try history.entry(first), try history.entry(second)]
            let results = entries.map { history.folders.result($0.id) }
            var listing = Listing(
                kind: "history.compare",
                columns: [
                    .init("WHAT"), .init(number: entries[0].id), .init(number: entries[1].id),
                    .init(number: "DIFFERENCE"),
                ])
            if entries[0].sync != entries[1].sync {
                Terminal.writeError(
                    "warning[other-sync]: the runs are of two syncs: \(entries[0].sync) and \(entries[1].sync)\n")
            }
            for name in HistoryEntry.countNames { add(name, entries.map { Int64($0.count(name)) }, &listing) }
            add("milliseconds", entries.map(\.milliseconds), &listing)
            for name in ["requests", "tokens", "retries"] {
                add(name, results.map { $0?["api"]?[name]?.intValue.map(Int64.init) }, &listing)
            }
            let codes = results.map { result in
                Dictionary(
                    (result?["rejects"]?.arrayValue ?? []).map {
                        ($0["code"]?.stringValue ?? "", Int64($0["count"]?.intValue ?? 0))
                    }, uniquingKeysWith: +)
            }
            for code in Set(codes.flatMap(\.keys)).sorted() {
                add("rejects \(code)", codes.map { $0[code] ?? 0 }, &listing)
            }
            Terminal.write(listing.text(options.format, width: nil))
        }

        private func add(_ what: String, _ values: [Int64?], _ listing: inout Listing) {
            let difference = values[0].flatMap { first in values[1].map { $0 - first } }
            let sign = (difference ?? 0) > 0 ? "+" : ""
            listing.add(
                [
                    what, values[0]?.grouped ?? "-", values[1]?.grouped ?? "-",
                    difference.map { sign + $0.grouped } ?? "-",
                ],
                .object([
                    "what": .string(what), "first": values[0].map { .integer($0) } ?? .null,
                    "second": values[1].map { .integer($0) } ?? .null,
                    "difference": difference.map { .integer($0) } ?? .null,
                ]))
        }
    }

    /// `penstock history prune`.
    struct Prune: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "prune", abstract: "Forget runs that are older than history: in penstock.yml says.",
            discussion: """
                Runs do that by themselves at their end. What an unfinished run or a reject needs stays.

                Example: penstock history prune --dry-run
                """)

        @OptionGroup var options: GlobalOptions

        @Flag(name: .long, help: "Only say which.")
        var dryRun = false

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let folders = RunFolders(root: project.root)
            let now = WallClock.milliseconds
            var removed: [(sync: String, run: String)] = []
            var known: Set<String> = []
            let ending = try workspace.forEachState { file, store in
                known.formUnion(try store.runs(limit: .max).map(\.id))
                removed += try expired(file, store, workspace, project.history, now).map { (file.name, $0) }
            }
            // A run whose state cannot be read must not be taken for one that no state has.
            if ending == .ok {
                removed += folders.expiredStrays(project.history, known: known, now: now).map { run in
                    (folders.result(run)?["sync"]?.stringValue ?? "", run)
                }
            }
            var listing = Listing(kind: "history.prune", columns: [.init("RUN"), .init("SYNC"), .init("STARTED")])
            for (sync, run) in removed {
                if !dryRun { folders.remove(run) }
                let start = RunFolders.startOf(run)
                listing.add(
                    [run, sync, options.listed(start)],
                    .object([
                        "run": .string(run), "sync": sync.isEmpty ? .null : .string(sync),
                        "started_at": .string(TimeDisplay.utc(start)),
                    ]))
            }
            listing.emptyNote = "Nothing is older than is kept."
            Terminal.write(listing.text(options.format, width: options.tableWidth))
            if !options.quiet, !removed.isEmpty {
                Terminal.writeError("\(counted(removed.count, "run")) \(dryRun ? "would be " : "")forgotten\n")
            }
            try CommandFailure.end(unlessOK: ending)
        }

        private func expired(
            _ file: SyncFile, _ store: StateStore, _ workspace: Workspace, _ policy: HistoryPolicy, _ now: Int64
        ) throws -> [String] {
            let oldest = now - policy.keepMilliseconds
            let ids = try store.expiredRuns(startedBefore: oldest, keeping: policy.runs)
            guard !dryRun, !ids.isEmpty else { return ids }
            let writer = try workspace.stateForWriting(of: file.name, as: "history prune")
            defer { writer.close() }
            let removed = try writer.removeExpiredRuns(startedBefore: oldest, keeping: policy.runs)
            try BeforeImages.forget(runs: removed, folder: try workspace.stateFolder(), sync: file.name)
            return removed
        }
    }
}

/// The lines of a log that grows, also where its beginning is put aside meanwhile.
struct FileTail {
    private let path: String
    private var handle: FileHandle?
    private var inode: UInt = 0
    private var rest: [UInt8] = []

    /// The lines of the file at `path`, from its beginning.
    init(_ path: String) { self.path = path }

    /// The lines that were added since.
    mutating func lines() -> [JSON] {
        var found = take()
        // The file of this name may be another one now: what is left in the old one comes first.
        var status = stat()
        if stat(path, &status) == 0, status.st_ino != inode {
            handle = FileHandle(forReadingAtPath: path)
            inode = status.st_ino
            rest = []
            found += take()
        }
        return found
    }

    private mutating func take() -> [JSON] {
        guard let handle else { return [] }
        // What cannot be read now is tried again with the next look.
        while let piece = try? handle.read(upToCount: 1 << 16), !piece.isEmpty { rest += piece }
        var lines: [JSON] = []
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            // What is no line of JSON says nothing.
            if let line = try? JSON(parsing: Array(rest[..<end])) { lines.append(line) }
            rest.removeFirst(end + 1)
        }
        return lines
    }
}
