// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel
import PenstockNotify
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
    @OptionGroup var selection: SelectionOptions

    @Argument(help: "The syncs to run; all enabled ones where none is named.")
    var syncs: [String] = []

    @Option(
        name: .long, parsing: .unconditional,
        help: "Fetch only so many rows. The watermark then stays where it is."
    )
    var limit: Int64?

    @Flag(name: .long, help: "Read everything, whatever the watermark.")
    var fullRefresh = false

    @Flag(name: .long, help: "Give the rest of an unfinished run up and start a new one.")
    var new = false

    @Flag(
        inversion: .prefixedNo,
        help: "Wait until rows whose answer was lost can be asked about; with --no-wait the next run asks.")
    var wait = true

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Apply exactly this plan, or nothing: a file of \"plan -O\", or latest.", valueName: "file"))
    var plan: String?

    @Option(
        name: .customLong("yes-really"),
        help: ArgumentHelp("Exceed this limit of the sync once; repeat it for more.", valueName: "limit"))
    var yesReally: [String] = []

    @Flag(name: .long, help: "Refuse to run with connectors other than those in penstock.lock.")
    var locked = false

    @Option(
        name: .customLong("wait-for-budget"),
        help: ArgumentHelp(
            "Where the daily budget ends the run, wait and go on; =DURATION at most, else until it is renewed.",
            valueName: "duration"))
    var waitForBudget: BudgetWait?

    @Option(name: .long, help: "Append events of OpenLineage to this file.")
    var lineageFile: String?

    @Option(
        name: .customLong("metrics-textfile"),
        help: ArgumentHelp("Write the project's metrics into this folder, for node_exporter.", valueName: "dir"))
    var metricsTextfile: String?

    func validate() throws {
        guard limit ?? 1 > 0 else { throw ValidationError("--limit is a number of rows, 1 or more.") }
        guard options.output?.isForLists != true else {
            throw ValidationError("A run is no list: it is written with --output table, json or jsonl.")
        }
        guard plan != "" else {
            throw ValidationError("--plan is the path of a file that \"plan -O\" has written, or latest.")
        }
        guard plan == nil || (limit == nil && !fullRefresh && !new) else {
            throw ValidationError("A plan says itself what is read: give --limit, --full-refresh and --new to plan.")
        }
        _ = try passes()
    }

    /// The limits that may be exceeded.
    private func passes() throws -> Set<BlastLimits.Name> {
        let names = BlastLimits.Name.allCases.map(\.rawValue)
        return Set(
            try yesReally.map { word in
                if let name = BlastLimits.Name(rawValue: word) { return name }
                let near = NearestName.of(word, in: names).map { " Did you mean \"\($0)\"?" } ?? ""
                throw ValidationError(
                    "There is no limit \"\(word)\".\(near) Limits: \(names.joined(separator: ", ")).")
            })
    }

    func run() throws {
        let workspace = Workspace(options)
        let project = try runnableProject(workspace)
        var lock = try LockFile(root: project.root)
        var documents: [JSON] = []
        var codes: [ExitCode] = []
        var facts: [SyncFacts] = []
        let chosen = try workspace.syncs(syncs, selection: selection, in: project)
        let execution = try execution(workspace, project)
        let desk = AlertDesk(workspace, project)
        if let plan, plan != PlanFiles.latest, chosen.count > 1 {
            throw CommandFailure(
                .usage, code: "usage", "a file holds the plan of one sync, and \(chosen.count) are chosen",
                notes: ["name the sync: penstock run SYNC --plan \(plan)"])
        }
        // A plan is applied as it was reviewed, and so are several: what would stop the last stops the first.
        if plan != nil, chosen.count > 1 { execution.lookAhead(chosen, lock, waitForBudget) }
        defer { execution.planned.close() }
        for file in chosen {
            // What has ended is told before the next begins, which may take hours.
            if !facts.isEmpty { desk.tell(facts) }
            facts = []
            do {
                guard !Interruption.cancellation.isCancelled else { throw CommandFailure.stopped }
                if let failure = execution.planned.objection(to: file) { throw failure }
                let wait = try execution.patience(waitForBudget, file)
                var rounds = execution
                let (code, json) = try wait.repeating {
                    defer {
                        // What is run again after a wait is the run that has begun, and a limit is for one round.
                        rounds.abandonsUnfinished = false
                    }
                    return try rounds.run(file, &lock)
                }
                let status = json["status"]?.stringValue
                execution.planned.note(file.name, code, isFinished: status == RunRecord.Status.finished.rawValue)
                codes.append(code)
                documents.append(json)
                facts.append(RunFacts.of(file, code, json, project))
            } catch let failure as CommandFailure {
                if !failure.message.isEmpty { Terminal.writeError(failure.message + "\n") }
                execution.note(failure, of: file)
                execution.planned.note(file.name, failure.exitCode, isFinished: false)
                codes.append(failure.exitCode)
                documents.append(failure.json(sync: file.name))
                facts.append(execution.recorder.didFail(file, failure))
            }
        }
        if options.isMachineReadable {
            Terminal.write(Document(kind: "run", data: .array(documents)).text(options.format))
        }
        if chosen.count > 1, !options.isMachineReadable, !options.quiet { Terminal.write(RunRenderer.total(codes)) }
        if let metricsTextfile { codes.append(writeMetrics(metricsTextfile, project)) }
        execution.receipts.close()
        execution.recorder.close()
        desk.tell(facts)
        try CommandFailure.end(unlessOK: ExitCode.mostSevere(codes))
    }

    /// What runs the syncs, as the options say.
    private func execution(_ workspace: Workspace, _ project: Project) throws -> SyncExecution {
        var execution = SyncExecution(workspace, project, options)
        execution.rowsMax = limit
        execution.isFullRefresh = fullRefresh
        execution.abandonsUnfinished = new
        execution.waitsForLost = wait
        execution.isLocked = locked
        execution.plan = plan
        execution.passes = try passes()
        execution.recorder.lineageFile = lineageFile.map { options.absolute($0) }
        return execution
    }

    /// The project; where it cannot be run as it is, that is told like a failure of the syncs.
    private func runnableProject(_ workspace: Workspace) throws -> Project {
        let (project, diagnostics) = try workspace.loadProject(takesAnyProfile: true)
        do {
            try workspace.report(diagnostics, project)
        } catch let failure as CommandFailure {
            let error = diagnostics.first { $0.severity == .error }
            let sentence = error.map { "\($0.file):\($0.line):\($0.column): \($0.message)" } ?? "the project is wrong"
            let found = CommandFailure(.config, code: error?.code ?? "config", sentence)
            let recorder = RunRecorder(workspace, project)
            recorder.lineageFile = lineageFile.map { options.absolute($0) }
            let names = syncs.isEmpty ? project.syncs.filter(\.isEnabled).map(\.name) : syncs
            let named = project.syncs.filter { names.contains($0.name) }
            // A choice that cannot be made has named the syncs that it means all the same.
            let chosen = (try? workspace.syncs(syncs, selection: selection, in: project)) ?? named
            let facts = chosen.map { recorder.didFail($0, found) }
            recorder.close()
            AlertDesk(workspace, project).tell(facts)
            throw failure
        }
        return project
    }

    private func writeMetrics(_ folder: String, _ project: Project) -> ExitCode {
        do {
            try MetricsTextfile.write(to: options.absolute(folder), project)
            return .ok
        } catch let failure as CommandFailure {
            Terminal.writeError(failure.message + "\n")
            return failure.exitCode
        } catch {
            return .fault
        }
    }
}
