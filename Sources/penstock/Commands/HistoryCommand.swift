// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockModel
import PenstockProject
import PenstockState

/// `penstock history`.
struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "What ran, and how it ended.", discussion: "Example: penstock history list",
        subcommands: [List.self, Show.self])

    @OptionGroup var options: GlobalOptions

    /// `penstock history list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List runs, newest first.",
            discussion: "Example: penstock history list --limit 5")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync; all where none is named.")
        var sync: String?

        @Option(name: .long, help: "How many runs of each sync.")
        var limit: Int = 20

        func run() throws {
            var runs: [(sync: String, run: RunRecord)] = []
            let ending = try Workspace(options).forEachState(of: sync) { file, store in
                runs += try store.runs(limit: limit).map { (file.name, $0) }
            }
            var listing = Listing(
                kind: "history.list",
                columns: [
                    .init(cutFirst: "RUN"), .init("SYNC"), .init("STATUS"), .init("STARTED"), .init(number: "FETCHED"),
                    .init(number: "CREATED"), .init(number: "UPDATED"), .init(number: "REJECTED"),
                ])
            for (sync, run) in runs.sorted(by: { $0.run.startedAtMilliseconds > $1.run.startedAtMilliseconds }) {
                let numbers = ["fetched", "created", "updated", "rejected"].map { (run.counts[$0] ?? 0).grouped }
                listing.add(
                    [run.id, sync, run.status.rawValue, options.listed(run.startedAtMilliseconds)] + numbers,
                    HistoryText.json(sync, run))
            }
            listing.emptyNote = "Nothing has run yet."
            Terminal.write(listing.text(options.format, width: options.tableWidth))
            try CommandFailure.end(unlessOK: ending)
        }
    }

    /// `penstock history show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show one run.", discussion: "Example: penstock history show latest")

        @OptionGroup var options: GlobalOptions

        @Argument(help: ArgumentHelp("A run's id, or its first characters, or latest.", valueName: "run"))
        var id: String

        func run() throws {
            var found: [(sync: String, run: RunRecord)] = []
            let ending = try Workspace(options).forEachState { file, store in
                let record = id == "latest" ? try store.lastRun() : try store.run(id: id)
                if let record { found.append((file.name, record)) }
            }
            if found.isEmpty { try CommandFailure.end(unlessOK: ending) }
            guard let newest = found.max(by: { $0.run.startedAtMilliseconds < $1.run.startedAtMilliseconds }) else {
                throw CommandFailure(
                    .usage, code: "unknown-run", "there is no run \"\(id)\"", notes: ["penstock history list"])
            }
            guard id == "latest" || found.count == 1 else {
                throw CommandFailure(
                    .usage, code: "ambiguous-run", "several runs begin with \"\(id)\"", notes: found.map(\.run.id))
            }
            let json = HistoryText.json(newest.sync, newest.run)
            Terminal.write(
                options.isMachineReadable
                    ? Document(kind: "history.show", data: json).text(options.format)
                    : HistoryText.page(newest.sync, newest.run))
            try CommandFailure.end(unlessOK: ending)
        }
    }
}

/// Runs as text.
enum HistoryText {
    /// One page.
    static func page(_ sync: String, _ run: RunRecord) -> String {
        var lines = [
            "run \(run.id)   \(sync)   \(run.status.rawValue)",
            "  started     \(TimeDisplay.local(run.startedAtMilliseconds))",
        ]
        if let end = run.finishedAtMilliseconds { lines.append("  ended       \(TimeDisplay.local(end))") }
        if run.attempts > 1 { lines.append("  attempts    \(run.attempts)") }
        if let before = run.watermarkBefore { lines.append("  watermark   from \(before)") }
        if let after = run.watermarkAfter { lines.append("  watermark   to \(after)") }
        if !run.message.isEmpty { lines.append("  message     \(run.message)") }
        for name in countNames {
            if let value = run.counts[name] {
                lines.append("  " + name.fitted(to: 10) + value.grouped.fitted(to: 12, alignedRight: true))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static let countNames = [
        "fetched", "created", "updated", "unchanged", "skipped", "rejected", "unknown", "not_tried", "reread",
        "recovered", "null_keys",
    ]

    /// The same for programs.
    static func json(_ sync: String, _ run: RunRecord) -> JSON {
        var counts = JSONObject()
        for name in countNames { if let value = run.counts[name] { counts[name] = .integer(value) } }
        return .object([
            "run": .string(run.id), "sync": .string(sync), "status": .string(run.status.rawValue),
            "started_at": .string(TimeDisplay.utc(run.startedAtMilliseconds)),
            "finished_at": run.finishedAtMilliseconds.map { .string(TimeDisplay.utc($0)) } ?? .null,
            "attempts": .integer(run.attempts), "counts": .object(counts),
            "watermark_before": run.watermarkBefore.map { .string($0) } ?? .null,
            "watermark_after": run.watermarkAfter.map { .string($0) } ?? .null, "message": .string(run.message),
        ])
    }
}
