// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// `penstock run`.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run syncs: read, map, send, and write down what became of every row.",
        discussion: """
            A run that was interrupted, or that holds rows which are not settled, is finished first.

            Example: penstock run orgs_to_crm
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The syncs to run; all enabled ones where none is named.")
    var syncs: [String] = []

    @Option(name: .long, help: "Fetch only so many rows. The watermark then stays where it is.")
    var limit: Int64?

    @Flag(name: .long, help: "Read everything, whatever the watermark.")
    var fullRefresh = false

    @Flag(name: .long, help: "Give the rest of an unfinished run up and start a new one.")
    var new = false

    @Flag(
        inversion: .prefixedNo,
        help: "Wait until rows whose answer was lost can be asked about; with --no-wait the next run asks.")
    var wait = true

    @Flag(name: .long, help: "Refuse to run with connectors other than those in penstock.lock.")
    var locked = false

    @Option(
        name: .customLong("wait-for-budget"),
        help: ArgumentHelp(
            "Where the daily budget ends the run, wait and go on; =DURATION at most, else until it is renewed.",
            valueName: "duration"))
    var waitForBudget: BudgetWait?

    func validate() throws {
        guard limit ?? 1 > 0 else { throw ValidationError("--limit is a number of rows, 1 or more.") }
    }

    func run() throws {
        let workspace = Workspace(options)
        let project = try workspace.validProject()
        var lock = try LockFile(root: project.root)
        var documents: [JSON] = []
        var codes: [ExitCode] = []
        let chosen = try workspace.syncs(syncs, in: project)
        for file in chosen {
            do {
                guard !Interruption.cancellation.isCancelled else { throw CommandFailure.stopped }
                let wait = try BudgetPatience(waitForBudget, file, workspace, project, options)
                let (code, json) = try wait.repeating { try run(file, workspace, project, &lock) }
                codes.append(code)
                documents.append(json)
            } catch let failure as CommandFailure {
                if !failure.message.isEmpty { Terminal.writeError(failure.message + "\n") }
                codes.append(failure.exitCode)
                documents.append(failure.json(sync: file.name))
            }
        }
        if options.isMachineReadable {
            Terminal.write(Document(kind: "run", data: .array(documents)).text(options.format))
        }
        if chosen.count > 1, !options.isMachineReadable, !options.quiet { Terminal.write(RunRenderer.total(codes)) }
        try CommandFailure.end(unlessOK: ExitCode.mostSevere(codes))
    }

    private func run(
        _ file: SyncFile, _ workspace: Workspace, _ project: Project, _ lock: inout LockFile
    ) throws -> (ExitCode, JSON) {
        let folder = try workspace.stateFolder()
        let store = try workspace.reading(file.name) {
            try workspace.stateForWriting(of: file.name, as: file.name)
        }
        defer { store.close() }
        let results = RunResults(root: project.root)
        try results.prepare()
        let sync = try SyncPreparation(workspace, project, file, lock, isLocked: locked).open()
        defer { sync.close() }
        try lock.record(sync, workspace.libraries(of: file, in: project))
        announceAbandoned(store, file)
        let report = try execute(sync, store, file, folder)
        let renderer = RunRenderer(file, sync, report, width: options.tableWidth)
        if !options.isMachineReadable, !options.quiet { Terminal.write(renderer.text) }
        return finish(file, renderer, report, results) { try removeOldRejects(store, file) }
    }

    /// Writes down what the summary has said already; what fails now is said beside it, and never in its place.
    private func finish(
        _ file: SyncFile, _ renderer: RunRenderer, _ report: RunReport, _ results: RunResults,
        tidy: () throws -> Void
    ) -> (ExitCode, JSON) {
        do {
            try results.write(renderer.json, run: report.run.id)
            try tidy()
            return (renderer.exitCode, renderer.json)
        } catch {
            let failure = CommandFailure(stopping: error, sync: file.name)
            Terminal.writeError(failure.message + "\n")
            let code = ExitCode.mostSevere([renderer.exitCode, failure.exitCode])
            var document = renderer.json.objectValue ?? [:]
            document["exit_code"] = .integer(code.rawValue)
            return (code, .object(document))
        }
    }

    private func removeOldRejects(_ store: StateStore, _ file: SyncFile) throws {
        let oldest = WallClock.milliseconds - file.rejects.keep / 1_000
        _ = try Workspace(options).reading(file.name) { try store.removeSettledRejects(lastSeenBefore: oldest) }
    }

    private func execute(
        _ sync: OpenSync, _ store: StateStore, _ file: SyncFile, _ folder: String
    ) throws -> RunReport {
        var runOptions = RunOptions(stateFolder: folder)
        runOptions.rowsMax = file.rowsMax(limit)
        runOptions.isFullRefresh = fullRefresh
        runOptions.abandonsUnfinished = new
        runOptions.waitsForLost = wait
        let display = ProgressDisplay(file.name, options)
        defer { display.end() }
        do {
            return try SyncRunner(sync, store: store, options: runOptions) { display.show($0) }.run()
        } catch {
            throw CommandFailure(stopping: error, sync: file.name)
        }
    }

    /// Says what `--new` gives up.
    private func announceAbandoned(_ store: StateStore, _ file: SyncFile) {
        // The run itself reports a state that cannot be read; this is only a word before.
        guard new, let unfinished = try? store.unfinishedRun() else { return }
        let isWholeAppend = file.definition.fetch.mode == .full && file.definition.insert.mode == .append
        let what =
            isWholeAppend ? "all rows are inserted anew, those that it inserted too" : "its open rows are sent anew"
        Terminal.writeError(
            "warning[run-abandoned]: \(file.name): run \(unfinished.id) is given up; \(what), and a row whose fate is "
                + "unknown may then exist twice\n")
    }
}
