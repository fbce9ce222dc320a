// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// `penstock history`.
struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "What ran, and how it ended.", discussion: "Example: penstock history list",
        subcommands: [List.self, Show.self, Log.self, Compare.self, Prune.self])

    @OptionGroup var options: GlobalOptions

    /// `penstock history list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List runs, newest first.",
            discussion: "Example: penstock history list --since 7d --status failed")

        @OptionGroup var options: GlobalOptions
        @OptionGroup var selection: SelectionOptions

        @Argument(help: "The sync; all where none is named.")
        var sync: String?

        @Option(
            name: .long, help: ArgumentHelp("Only runs of this time until now, as 7d or 12h.", valueName: "duration"))
        var since: PastTime?

        @Option(name: .long, help: "Only runs that ended so: ok, partial, failed, unfinished or abandoned.")
        var status: HistoryEntry.Result?

        @Option(name: .long, help: "How many runs of each sync.")
        var limit: Int = 20

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit is a number of runs, 1 or more.") }
        }

        func run() throws {
            let isFiltered = since != nil || status != nil || selection.isGiven
            let workspace = Workspace(options)
            let history = try History(workspace, sync: sync)
            let chosen = try selected(workspace)
            let oldest = since.map { WallClock.milliseconds - $0.milliseconds } ?? .min
            var shown: [String: Int] = [:]
            let entries = history.entries.filter { entry in
                guard entry.startedAt >= oldest, status == nil || entry.result == status,
                    chosen?.contains(entry.sync) ?? true
                else { return false }
                shown[entry.sync, default: 0] += 1
                return shown[entry.sync, default: 0] <= limit
            }
            // Only undos delete: most tables need no column for it, and a terminal is narrow.
            let isNarrow = options.format == .table && entries.allSatisfy { $0.count("deleted") == 0 }
            let counts = ["fetched", "created", "updated"] + (isNarrow ? [] : ["deleted"]) + ["rejected"]
            var listing = Listing(kind: "history.list", columns: columns(counts, entries))
            for entry in entries {
                listing.add(
                    [entry.id, entry.sync, entry.kind, word(entry), options.listed(entry.startedAt)]
                        + counts.map { entry.count($0).grouped }, entry.json)
            }
            listing.emptyNote = isFiltered ? "There are no such runs." : "Nothing has run yet."
            Terminal.write(listing.text(options.format, width: options.tableWidth))
            try CommandFailure.end(unlessOK: history.ending)
        }

        /// The columns: what is the same in every run goes first where there is no room for all of them.
        private func columns(_ counts: [String], _ entries: [HistoryEntry]) -> [Listing.Column] {
            var kind = Listing.Column("KIND")
            if Set(entries.map(\.kind)).count < 2 { kind.leftOut = 0 }
            return [.init(cutFirst: "RUN"), .init("SYNC"), kind, .init("STATUS"), .init(whole: "STARTED")]
                + counts.map { name in
                    var column = Listing.Column(number: name.uppercased())
                    if name == "fetched" { column.leftOut = 2 }
                    if entries.allSatisfy({ $0.count(name) == 0 }) { column.leftOut = 1 }
                    return column
                }
        }

        /// The names of the syncs that are selected; nil for all.
        private func selected(_ workspace: Workspace) throws -> Set<String>? {
            guard selection.isGiven else { return nil }
            let (project, _) = try workspace.loadProject(resolves: false)
            return Set(try workspace.selected(selection, and: sync.map { [$0] } ?? [], in: project).map(\.name))
        }

        private func word(_ entry: HistoryEntry) -> String {
            entry.result == .partial || entry.record == nil ? entry.result.rawValue : entry.status.rawValue
        }
    }

    /// `penstock history show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show the summary of one run again.",
            discussion: "Example: penstock history show latest --requests")

        @OptionGroup var options: GlobalOptions

        @Argument(help: ArgumentHelp("A run's id, or its first characters, or latest.", valueName: "run"))
        var id: String

        @Option(name: .long, help: "The sync whose run it is, for latest; that of any sync where none is named.")
        var sync: String?

        @Flag(name: .long, help: "Show what was sent, row by row.")
        var requests = false

        func run() throws {
            let history = try History(Workspace(options), sync: sync)
            let entry = try history.entry(id)
            let result = history.folders.result(entry.id)
            if requests { return showRequests(entry, history.folders) }
            if options.isMachineReadable {
                var document = entry.json.objectValue ?? [:]
                document["summary"] = result ?? .null
                Terminal.write(Document(kind: "history.show", data: .object(document)).text(options.format))
            } else {
                Terminal.write(RunPage(entry, result).text)
            }
            try CommandFailure.end(unlessOK: history.ending)
        }

        private func showRequests(_ entry: HistoryEntry, _ folders: RunFolders) {
            var listing = Listing(
                kind: "history.requests",
                columns: [
                    .init("TIME"), .init(number: "ROW"), .init("KEY"), .init("OPERATION"), .init("RESULT"),
                    .init("HTTP"), .init("RECORD"), .init(number: "TOKENS"), .init(wrapped: "MESSAGE"),
                ])
            folders.forEachLine(folders.requests(entry.id)) { line in
                func text(_ name: String) -> String { line[name]?.stringValue ?? line[name]?.numberText ?? "" }
                listing.add(
                    [
                        text("ts"), text("row"), text("key"), text("operation"), text("result"), text("http"),
                        text("remote_id"), text("tokens"),
                        [text("code"), text("message")].filter { !$0.isEmpty }.joined(separator: ": "),
                    ], line)
            }
            listing.emptyNote = "Nothing that was sent in run \(entry.id) is written down."
            Terminal.write(listing.text(options.format, width: options.tableWidth))
        }
    }
}

/// A time that lies so far back: the value of `--since`.
struct PastTime: ExpressibleByArgument {
    /// How many milliseconds it lies back.
    let milliseconds: Int64

    init?(argument: String) {
        guard let microseconds = DurationText.microseconds(argument) else { return nil }
        milliseconds = microseconds / 1_000
    }
}

extension HistoryEntry.Result: ExpressibleByArgument {}
