// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// `penstock plan`.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Say what a run would do and what it costs. Writes nothing.",
        discussion: "Example: penstock plan orgs_to_crm --diff 10")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var selection: SelectionOptions

    @Argument(help: "The syncs to plan; all enabled ones where none is named.")
    var syncs: [String] = []

    @Option(name: .long, help: "How many rows of each sort to show.")
    var diff: Int = 3

    @Option(name: .long, help: "Plan only so many rows.")
    var limit: Int64?

    @Flag(name: .long, help: "Plan as if nothing had been fetched before.")
    var fullRefresh = false

    @Flag(name: .long, help: "Plan a new run, even where an interrupted one is to be finished.")
    var new = false

    @Flag(name: .long, help: "Exit with 2 where there is something to do.")
    var detailedExitcode = false

    func validate() throws {
        guard diff >= 0 else { throw ValidationError("--diff is a number of rows, 0 or more.") }
        guard limit ?? 1 > 0 else { throw ValidationError("--limit is a number of rows, 1 or more.") }
    }

    func run() throws {
        let workspace = Workspace(options)
        let project = try workspace.validProject()
        let lock = try LockFile(root: project.root)
        var documents: [JSON] = []
        var codes: [ExitCode] = []
        for file in try workspace.syncs(syncs, selection: selection, in: project) {
            do {
                guard !Interruption.cancellation.isCancelled else { throw CommandFailure.stopped }
                let (report, sync) = try plan(file, workspace, project, lock)
                defer { sync.close() }
                let renderer = PlanRenderer(file, sync, report, diff: diff, width: options.tableWidth)
                codes.append(code(report, renderer))
                if options.isMachineReadable { documents.append(renderer.json) } else { Terminal.write(renderer.text) }
            } catch let failure as CommandFailure {
                if !failure.message.isEmpty { Terminal.writeError(failure.message + "\n") }
                codes.append(failure.exitCode)
                documents.append(failure.json(sync: file.name))
            }
        }
        if options.isMachineReadable {
            Terminal.write(Document(kind: "plan", data: .array(documents)).text(options.format))
        }
        try CommandFailure.end(unlessOK: ExitCode.mostSevere(codes))
    }

    private func code(_ report: PlanReport, _ renderer: PlanRenderer) -> ExitCode {
        if !renderer.isAffordable { return .tryLater }
        return detailedExitcode && report.counts.created + report.counts.updated > 0 ? .changes : .ok
    }

    private func plan(
        _ file: SyncFile, _ workspace: Workspace, _ project: Project, _ lock: LockFile
    ) throws -> (PlanReport, OpenSync) {
        // Before anybody is asked anything: a state that is not the newest has no plan.
        let store = try workspace.reading(file.name) {
            try StateStore.openForReading(
                folder: try workspace.stateFolder(), sync: file.name, marks: try workspace.marks(of: file.name))
        }
        let sync = try SyncPreparation(workspace, project, file, lock, isPlan: true).open()
        do {
            var runOptions = RunOptions(stateFolder: try workspace.stateFolder())
            runOptions.rowsMax = file.rowsMax(limit)
            runOptions.isFullRefresh = fullRefresh
            runOptions.abandonsUnfinished = new
            let planner = SyncPlanner(sync, store: store, options: runOptions, examplesMax: diff)
            return (try planner.plan(), sync)
        } catch {
            sync.close()
            throw CommandFailure(stopping: error, sync: file.name)
        }
    }
}

extension SyncFile {
    /// The most rows that a plan or run takes: what was asked for, and what the file allows.
    func rowsMax(_ asked: Int64?) -> Int64? { [asked, limits.rows.map(Int64.init)].compactMap { $0 }.min() }
}

extension CommandFailure {
    /// An end because a plan or run could not go on.
    init(stopping error: any Error, sync: String) {
        switch error {
        case RunStop.connector(let error, let connection, let doing):
            if error.code == .cancelled {
                self = .stopped
            } else {
                self.init(error, subject: "\(sync): connection \(connection), while \(doing)")
            }
        case RunStop.state(let error), let error as StateError: self.init(error, sync: sync)
        case let failure as CommandFailure: self = failure
        default: self.init(.fault, code: "internal", "\(sync): \(error)")
        }
    }

    /// An end because the state of a sync cannot be used.
    init(_ error: StateError, sync: String) {
        switch error {
        case .locked: self.init(.tryLater, code: "locked", "\(sync): \(error.message)")
        case .cannotWrite, .newer: self.init(.cannotWrite, code: "state", "\(sync): \(error.message)")
        case .older, .ambiguousRun: self.init(.config, code: "state", "\(sync): \(error.message)")
        case .damaged:
            self.init(
                .cannotWrite, code: "state-damaged", "\(sync): \(error.message)", notes: Self.waysOut(of: sync))
        case .outdated:
            self.init(
                .cannotWrite, code: "state-outdated", "\(sync): \(error.message)",
                notes: ["put the newest file back; nothing was sent"] + Self.waysOut(of: sync))
        case .internal: self.init(.fault, code: "internal", "\(sync): \(error.message)")
        }
    }
    /// What can be done about a state that cannot be used, the best way first.
    private static func waysOut(of sync: String) -> [String] {
        [
            "from the records at the destination: penstock state rebuild \(sync)",
            "from an export: penstock state import \(sync) FILE",
            "with nothing remembered, so that rows may be created again: penstock state reset \(sync) --all",
        ]
    }
}
