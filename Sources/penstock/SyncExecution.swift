// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// Runs syncs for a command: opens state and connections, runs, shows the summary, and keeps the results.
struct SyncExecution {
    private let workspace: Workspace
    private let project: Project
    let options: GlobalOptions
    /// The most rows to fetch, or nil.
    var rowsMax: Int64?
    /// Whether everything is read, whatever the watermark.
    var isFullRefresh = false
    /// Whether the rest of an unfinished run is given up.
    var abandonsUnfinished = false
    /// Whether creates whose answer was lost are waited for.
    var waitsForLost = true
    /// Whether connectors other than those in the lock file are refused.
    var isLocked = false
    /// What has been run and not been told of yet.
    let receipts = RunReceipts()
    /// Writes down what happens in the runs.
    let recorder: RunRecorder
    /// The plan that is applied: a file, or the word for the one that was kept last; nil for none.
    var plan: String?
    /// The runs of several plans, which were looked at before the first of them began.
    let planned = PlannedRuns()
    /// The limits that may be exceeded this once.
    var passes: Set<BlastLimits.Name> = []
    /// The rejects that are sent once more, and nothing else; nil for ordinary runs.
    var replays: ReplayChoice?

    /// Ordinary runs.
    init(_ workspace: Workspace, _ project: Project, _ options: GlobalOptions) {
        self.workspace = workspace
        self.project = project
        self.options = options
        recorder = RunRecorder(workspace, project)
    }

    /// Runs one sync, and shows and writes down how it ended.
    ///
    /// - Throws: ``CommandFailure`` where the run could not even begin or the state cannot be used.
    func run(_ file: SyncFile, _ lock: inout LockFile) throws -> (ExitCode, JSON) {
        let folder = try workspace.stateFolder()
        let open: OpenRun
        if let ready = planned.take(file.name) {
            open = ready
            recorder.goOn(with: ready.journal)
        } else {
            if let applied = planned.applied(file.name) { return try tell(applied, of: file) }
            switch try begin(file, lock) {
            case .told(let code, let json): return (code, json)
            case .applied(let run): return try tell(run, of: file)
            case .open(let run): open = run
            }
        }
        defer { open.close() }
        let report: RunReport
        do {
            report = try open.showing { runner in
                // A run that is refused leaves the file as it is: what was found is not what the project was run with.
                try runner.look()
                try lock.record(open.sync, open.libraries)
                return try runner.run()
            }
        } catch let failure as CommandFailure {
            open.journal.close(failure.exitCode, failure: failure)
            throw failure
        }
        let renderer = RunRenderer(file, open.sync, report, width: options.tableWidth)
        open.journal.close(renderer.exitCode, report: report)
        if !options.isMachineReadable, !options.quiet { Terminal.write(renderer.text) }
        RunMetrics(file, report, renderer.exitCode, opening: open.opening).add(to: folder)
        return finish(file, renderer.exitCode, renderer.json) {
            try RunResults(root: project.root).write(renderer.json, run: report.run.id)
            try removeOld(open.store, file)
        }
    }

    /// What comes of opening a sync for its run.
    enum Beginning {
        /// It is open.
        case open(OpenRun)
        /// An earlier process has run it, and was only to be told of; nothing is open.
        case told(ExitCode, JSON)
        /// An earlier run has applied its plan, and others that go with it are left; nothing is open.
        case applied(RunRecord)
    }

    /// Opens a sync for its run.
    ///
    /// - Parameter passesApplied: Whether a plan that an earlier run has applied is passed over.
    /// - Throws: ``CommandFailure``; nothing is open then.
    func begin(_ file: SyncFile, _ lock: LockFile, passesApplied: Bool = false) throws -> Beginning {
        let folder = try workspace.stateFolder()
        let begun = ContinuousClock.now
        let plan = try self.plan.map { try PlanFiles(workspace, project).open($0, file) }
        let store = try workspace.reading(file.name) {
            try workspace.stateForWriting(of: file.name, as: file.name)
        }
        var isOpen = false
        defer { if !isOpen { store.close() } }
        if plan == nil, repeatsAll(file),
            let untold = try workspace.reading(file.name, { try receipts.untold(folder, file.name, store) })
        {
            let (code, json) = try tell(untold, file, folder, store)
            return .told(code, json)
        }
        if passesApplied, let plan,
            let run = try workspace.reading(file.name, { try SyncRunner.finished(plan, store) })
        {
            try workspace.reading(file.name) { try receipts.begin(folder, file.name, store) }
            return .applied(run)
        }
        try workspace.reading(file.name) { try receipts.begin(folder, file.name, store) }
        try RunResults(root: project.root).prepare()
        let sync = try SyncPreparation(workspace, project, file, lock, isLocked: isLocked).open()
        defer { if !isOpen { sync.close() } }
        let libraries = try workspace.libraries(of: file, in: project)
        FieldsCache(root: project.root).keep(sync)
        let opened = ContinuousClock.now
        let journal = try recorder.journal(file, sync)
        let run = OpenRun(
            file, sync, libraries, store, journal, try runOptions(file, sync, folder, plan), opening: opened - begun,
            options)
        isOpen = true
        return .open(run)
    }

    /// Whether running again inserts every row again, so that nobody must be led to do so by a process that died.
    private func repeatsAll(_ file: SyncFile) -> Bool {
        !abandonsUnfinished && replays == nil && file.definition.fetch.mode == .full
            && file.definition.insert.mode == .append
    }

    /// Tells of a run that its own process could not tell of; nothing is sent.
    private func tell(
        _ run: RunRecord, _ file: SyncFile, _ folder: String, _ store: StateStore
    ) throws -> (ExitCode, JSON) {
        try workspace.reading(file.name) { try receipts.begin(folder, file.name, store) }
        let rejected = run.counts["rejected"] ?? 0
        let code = code(of: run, file)
        if !options.isMachineReadable, !options.quiet {
            Terminal.write(
                "\(file.name)   \(code == .ok ? "ok" : "partial")   run \(run.id)\n"
                    + "  this run was finished by a process that ended before it could say so: "
                    + "\(counted(run.counts["created"] ?? 0, "record")) created, \(counted(rejected, "reject"))\n"
                    + "  nothing was sent now; penstock run \(file.name) inserts every row again\n\n")
        }
        var object = document(of: run, file, code)
        object["told_later"] = .bool(true)
        return try writeMissing(.object(object), of: run, file, code)
    }

    /// Keeps the results of a run that an earlier process has finished, and adds it to the numbers of its sync, where
    /// that process did not come to do so.
    func writeMissing(
        _ results: JSON, of run: RunRecord, _ file: SyncFile, _ code: ExitCode
    ) throws -> (ExitCode, JSON) {
        RunMetrics(file, told: run, code).addOnce(to: try workspace.stateFolder())
        return finish(file, code, results) {
            try RunResults(root: project.root).writeIfMissing(results, run: run.id)
        }
    }

    /// The code of a run that an earlier process has finished.
    func code(of run: RunRecord, _ file: SyncFile) -> ExitCode {
        let rejected = run.counts["rejected"] ?? 0
        let isWithin =
            switch file.definition.rejectsMax {
            case .count(let limit): rejected <= Int64(limit)
            case .basisPoints(let points): rejected * 10_000 <= Int64(points) * (run.counts["fetched"] ?? 0)
            }
        return isWithin ? .ok : .data
    }

    /// The document of a run that an earlier process has finished.
    func document(of run: RunRecord, _ file: SyncFile, _ code: ExitCode) -> JSONObject {
        var counts = JSONObject()
        for (name, value) in run.counts.sorted(by: { $0.key < $1.key }) { counts[name] = .integer(value) }
        return [
            "sync": .string(file.name), "run": .string(run.id), "status": .string(run.status.rawValue),
            "exit_code": .integer(code.rawValue), "counts": .object(counts),
        ]
    }

    /// Patience for one sync; none where `wait` is nil.
    func patience(_ wait: BudgetWait?, _ file: SyncFile) throws -> BudgetPatience {
        try BudgetPatience(wait, file, workspace, project, options)
    }

    /// Writes down what the summary has said already; what fails now is said beside it, and never in its place.
    private func finish(
        _ file: SyncFile, _ ending: ExitCode, _ results: JSON, writing: () throws -> Void
    ) -> (ExitCode, JSON) {
        do {
            try writing()
            return (ending, results)
        } catch {
            let failure = CommandFailure(stopping: error, sync: file.name)
            Terminal.writeError(failure.message + "\n")
            let code = ExitCode.mostSevere([ending, failure.exitCode])
            var document = results.objectValue ?? [:]
            document["exit_code"] = .integer(code.rawValue)
            return (code, .object(document))
        }
    }

    /// Adds a run that could not begin to the numbers of its sync, unless another run is at work on them.
    func note(_ failure: CommandFailure, of file: SyncFile) {
        // Without a project there are no numbers to keep.
        guard failure.exitCode != .tryLater, let folder = try? workspace.stateFolder(),
            FileManager.default.fileExists(atPath: folder)
        else { return }
        RunMetrics(file, failedWith: failure.exitCode).add(to: folder)
    }

    /// Removes the rejects and runs that are kept no longer.
    private func removeOld(_ store: StateStore, _ file: SyncFile) throws {
        let now = WallClock.milliseconds
        let oldest = now - file.rejects.keep / 1_000
        try workspace.reading(file.name) {
            _ = try store.removeSettledRejects(lastSeenBefore: oldest)
            try RunFolders(root: project.root).prune(store, project.history, now: now)
        }
    }

    private func runOptions(
        _ file: SyncFile, _ sync: OpenSync, _ folder: String, _ plan: SealedPlan?
    ) throws -> RunOptions {
        var runOptions = RunOptions(stateFolder: folder)
        runOptions.records = RecordsCache(root: project.root).place(sync)
        runOptions.rowsMax = file.rowsMax(rowsMax)
        runOptions.isFullRefresh = isFullRefresh
        runOptions.abandonsUnfinished = abandonsUnfinished
        runOptions.waitsForLost = waitsForLost
        runOptions.replays = replays
        runOptions.preflight = try preflight(file, sync, plan)
        if let header = plan?.header {
            runOptions.rowsMax = file.rowsMax(header.rowsMax)
            runOptions.isFullRefresh = header.isFullRefresh
            runOptions.abandonsUnfinished = header.abandonsUnfinished
        }
        return runOptions
    }

    /// What the run must be before anything is sent.
    private func preflight(_ file: SyncFile, _ sync: OpenSync, _ plan: SealedPlan?) throws -> PreflightTerms {
        var terms = PreflightTerms()
        terms.limits = file.limits.blast
        terms.passes = passes
        terms.mask = file.planMask
        guard let plan else { return terms }
        terms.plan = plan
        terms.pins = try PlanFiles(workspace, project).pins(file, sync) + [file.rowsPin]
        return terms
    }
}
