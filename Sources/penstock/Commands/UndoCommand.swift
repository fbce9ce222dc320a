// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// `penstock undo`.
struct UndoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Undo a run: put back what it changed, and delete what it created.",
        discussion: """
            Only fields that still hold what the run wrote are put back, and only records that nobody has changed since \
            are deleted. What was edited by hand stays as it is and is listed.

            Example: penstock undo latest --dry-run

            Example: penstock undo latest -O back.plan

            Example: penstock undo --plan back.plan
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(
        help: ArgumentHelp(
            "A run's id, or its first characters, or latest; none with --plan, which names the run.",
            valueName: "run"))
    var id: String?

    @Option(name: .long, help: "The sync whose run it is; needed for latest where several syncs have run.")
    var sync: String?

    @Flag(name: .long, help: "Only say what would be put back, and what it costs.")
    var dryRun = false

    @Flag(name: .long, help: "Do it without asking.")
    var yes = false

    @Option(
        name: [.customShort("O"), .long],
        help: ArgumentHelp(
            "Only keep the plan in this file, for \"undo --plan\"; \"latest\" keeps it in the project.",
            valueName: "file"))
    var out: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Apply exactly this plan, or nothing: a file of \"undo -O\", or latest. Nobody is asked.",
            valueName: "file"))
    var plan: String?

    @Option(name: .long, parsing: .unconditional, help: "How many records and conflicts to show, each.")
    var diff: Int = 3

    func validate() throws {
        guard diff >= 0 else { throw ValidationError("--diff is a number of records, 0 or more.") }
        guard options.output?.isForLists != true else {
            throw ValidationError("An undo is no list: it is written with --output table, json or jsonl.")
        }
        guard !dryRun || !yes else { throw ValidationError("--dry-run does nothing, so --yes has no meaning with it.") }
        guard out != "" else {
            throw ValidationError("-O is the path of a file, or latest, which keeps the plan in the project.")
        }
        guard plan != "" else {
            throw ValidationError("--plan is the path of a file that \"undo -O\" has written, or latest.")
        }
        guard out == nil || !yes else {
            throw ValidationError("-O only keeps the plan: leave --yes out, and apply it with undo --plan.")
        }
        guard plan == nil || id == nil else {
            throw ValidationError("A plan says itself which run it undoes: leave the run out, or --plan.")
        }
        guard plan == nil || (out == nil && !dryRun) else {
            throw ValidationError("--plan applies a plan that is there: look at it with plan show FILE.")
        }
        guard plan != nil || id != nil else {
            throw ValidationError("Which run? Give its id, or latest, or a kept plan with --plan.")
        }
    }

    func run() throws {
        let workspace = Workspace(options)
        let project = try workspace.validProject()
        if let plan { return try apply(plan, workspace, project) }
        let (file, record) = try chosen(id ?? "", workspace, project)
        if out == nil, !dryRun, !yes, !options.mayAsk {
            throw CommandFailure(
                .usage, code: "confirmation", "undoing run \(record.id) changes records at the destination",
                notes: ["look first: penstock undo \(record.id) --dry-run", "say so: --yes"])
        }
        let undo = UndoExecution(workspace, project, file, record, options, diff: diff)
        if dryRun || out != nil {
            let renderer = try undo.plan(keepingIn: out)
            if options.isMachineReadable {
                Terminal.write(Document(kind: "undo.plan", data: renderer.json).text(options.format))
            } else {
                Terminal.write(renderer.planText + kept(file))
            }
            return
        }
        if !yes {
            let renderer = try undo.plan()
            Terminal.writeError(renderer.planText)
            guard renderer.hasWork else { return }
            try StateFiles.confirm(
                "this must be confirmed", "Undo run \(record.id)?", refusal: "nothing was undone", options,
                isSaid: false)
        }
        try end(try undo.run())
    }

    /// Where the plan is kept, for people.
    private func kept(_ file: SyncFile) -> String {
        guard let out, !options.quiet else { return "" }
        let isInProject = out == PlanFiles.latest
        return "Kept \(isInProject ? "for: penstock undo --plan latest --sync \(file.name)" : out)\n"
            + (isInProject ? "Show it: penstock plan show \(file.name).undo\n" : "")
    }

    private func end(_ result: (code: ExitCode, renderer: UndoRenderer)) throws {
        if options.isMachineReadable {
            Terminal.write(Document(kind: "undo", data: result.renderer.json).text(options.format))
        } else if !options.quiet {
            Terminal.write(result.renderer.text)
        }
        try CommandFailure.end(unlessOK: result.code)
    }

    /// Applies a kept plan.
    private func apply(_ word: String, _ workspace: Workspace, _ project: Project) throws {
        let plan = try PlanFiles(workspace, project).openUndo(word, sync: sync)
        let file = try workspace.sync(plan.header.sync, in: project)
        let planned = plan.header.numbers.counts
        guard (planned["updated"] ?? 0) + (planned["deleted"] ?? 0) > 0 else {
            throw CommandFailure(
                .usage, code: "undo-nothing", "the plan \(plan.path) puts nothing back and deletes nothing",
                notes: ["look at it: penstock plan show \(plan.path)"])
        }
        let history = try History(workspace, sync: file.name)
        guard let record = history.entries.first(where: { $0.id == plan.header.undoes })?.record else {
            try CommandFailure.end(unlessOK: history.ending)
            throw CommandFailure(
                RunRefusal(
                    .stalePlan, "the plan \(plan.path) is no longer true; nothing was sent",
                    notes: ["run \(plan.header.undoes ?? "") is not in the history any more"]), file)
        }
        try end(try UndoExecution(workspace, project, file, record, options, diff: diff).run(applying: plan))
    }

    /// The run that is meant, with its sync.
    private func chosen(_ id: String, _ workspace: Workspace, _ project: Project) throws -> (SyncFile, RunRecord) {
        let history = try History(workspace, sync: sync)
        let entry: HistoryEntry
        if id == "latest" {
            // What an undo has left is gone on with by undoing the same run again.
            let runs = history.entries.filter { $0.record != nil && $0.record?.kind != UndoRunner.kind }
            guard let newest = runs.first else {
                try CommandFailure.end(unlessOK: history.ending)
                throw CommandFailure(
                    .usage, code: "unknown-run", "nothing has run yet", notes: ["penstock history list"])
            }
            let syncs = Set(runs.map(\.sync))
            guard sync != nil || syncs.count == 1 else {
                throw CommandFailure(
                    .usage, code: "ambiguous-run", "several syncs have run, and latest could be any of theirs",
                    notes: ["name the sync: --sync \(newest.sync)", "syncs: \(syncs.sorted().joined(separator: ", "))"])
            }
            guard newest.hasChanges else { throw changedNothing(newest, runs) }
            entry = newest
        } else {
            entry = try history.entry(id)
        }
        guard let record = entry.record else {
            throw CommandFailure(
                .usage, code: "undo-nothing", "run \(entry.id) could not begin, so there is nothing to undo")
        }
        guard entry.hasChanges else {
            throw CommandFailure(.usage, code: "undo-nothing", "run \(entry.id) has changed nothing")
        }
        return (try workspace.sync(entry.sync, in: project), record)
    }

    /// Why the latest run is not undone: an older one is undone only where it is named.
    private func changedNothing(_ newest: HistoryEntry, _ runs: [HistoryEntry]) -> CommandFailure {
        var notes = ["no run of \(newest.sync) in the history has changed anything: penstock history list"]
        if let last = runs.first(where: { $0.sync == newest.sync && $0.hasChanges }) {
            let numbers = ["created", "updated"].filter { last.count($0) > 0 }
                .map { "\(last.count($0).grouped) \($0)" }
            let how = numbers.isEmpty ? last.status.rawValue : numbers.joined(separator: ", ")
            notes = [
                "the last run that changed something is of \(TimeDisplay.local(last.startedAt)): \(how)",
                "undo that one: penstock undo \(last.id)",
            ]
        }
        return CommandFailure(
            .usage, code: "undo-nothing", "run \(newest.id), the latest of \(newest.sync), has changed nothing",
            notes: notes)
    }
}

/// Plans and carries out the undoing of one run.
struct UndoExecution {
    private let workspace: Workspace
    private let project: Project
    private let file: SyncFile
    private let record: RunRecord
    private let options: GlobalOptions
    private let diff: Int

    /// How many records and conflicts a document lists.
    private static let listedMax = 1_000

    /// The undoing of the run `record`.
    init(
        _ workspace: Workspace, _ project: Project, _ file: SyncFile, _ record: RunRecord, _ options: GlobalOptions,
        diff: Int
    ) {
        self.workspace = workspace
        self.project = project
        self.file = file
        self.record = record
        self.options = options
        self.diff = diff
    }

    private var examplesMax: Int { options.isMachineReadable ? Self.listedMax : diff }

    /// What undoing the run would do; nothing is written at the destination.
    ///
    /// - Parameter out: Where the plan is kept: a file, or the word for the project's own place; nil for nowhere.
    func plan(keepingIn out: String? = nil) throws -> UndoRenderer {
        let folder = try workspace.stateFolder()
        if let out {
            let files = PlanFiles(workspace, project)
            try PlanFiles.ready(out, at: files.undoPath(out, file.name), root: project.root)
        }
        return try workspace.reading(file.name) { () throws -> UndoRenderer in
            // A run that is at work is not at its end, and what is on its way is not lost.
            if record.status != .finished { try StateStore.checkUnlocked(folder: folder, sync: file.name) }
            guard
                let store = try StateStore.openForReading(
                    folder: folder, sync: file.name, marks: try workspace.marks(of: file.name))
            else { throw StateError.internal("There is no state of this sync.") }
            let images = try BeforeImages.openForReading(folder: folder, sync: file.name)
            defer { images?.close() }
            let side = try side()
            let target = try open(side)
            defer { target.close() }
            let salt = RunID.make(milliseconds: WallClock.milliseconds)
            do {
                let draft = try out.map { _ in try PlanDraft(folder: FileManager.default.temporaryDirectory.path) }
                var state: [PlanPin] = []
                let renderer = try report(target) {
                    let runner = try UndoRunner(
                        target, store, images, undoing: record, RunOptions(stateFolder: folder),
                        examplesMax: examplesMax)
                    state = try runner.pins()
                    return try runner.plan(UndoScribe(file.planMask, salt: salt)) { (entry) throws(PlanFileProblem) in
                        try draft?.append(entry)
                    }
                }
                if let out, let draft { try keep(draft, renderer, side, state, salt, out) }
                return renderer
            } catch let problem as PlanFileProblem {
                throw CommandFailure(problem)
            }
        }
    }

    /// Writes the plan into its file.
    private func keep(
        _ draft: PlanDraft, _ renderer: UndoRenderer, _ side: SyncSetup.Side, _ state: [PlanPin], _ salt: String,
        _ out: String
    ) throws {
        let files = PlanFiles(workspace, project)
        var header = PlanHeader(
            sync: file.name, madeAt: WallClock.milliseconds, madeBy: "penstock \(Version.text)", salt: salt,
            numbers: renderer.numbers, pins: try files.undoPins(file, side) + state)
        header.undoes = record.id
        header.about = renderer.about
        try draft.seal(header, to: files.undoPath(out, file.name))
    }

    /// Undoes the run, and keeps the results.
    ///
    /// - Parameter plan: The kept plan that is applied, or nil.
    func run(applying plan: SealedPlan? = nil) throws -> (ExitCode, UndoRenderer) {
        let folder = try workspace.stateFolder()
        return try workspace.reading(file.name) { () throws -> (ExitCode, UndoRenderer) in
            let store = try workspace.stateForWriting(of: file.name, as: "undo")
            defer { store.close() }
            // What is undone is written at the destination.
            RecordsCache(root: project.root).forget(file.name)
            let results = RunResults(root: project.root)
            try results.prepare()
            // A file is made only where there is something in it.
            let images =
                try BeforeImages.exist(folder: folder, sync: file.name)
                ? try BeforeImages.openForWriting(folder: folder, sync: file.name) : nil
            defer { images?.close() }
            let side = try side()
            let terms = try plan.map {
                UndoTerms(plan: $0, pins: try PlanFiles(workspace, project).undoPins(file, side))
            }
            if let refusal = terms?.refusal { throw CommandFailure(refusal, file) }
            let target = try open(side)
            defer { target.close() }
            let journal = RunJournal(
                file, object: target.object.id, RunFolders(root: project.root), project.history
            ) { _ in }
            let renderer = try report(target) {
                try UndoRunner(
                    target, store, images, undoing: record, RunOptions(stateFolder: folder),
                    examplesMax: max(diff, Self.listedMax), applying: terms
                ).run { journal.take($0) }
            }
            journal.close(renderer.exitCode)
            if let run = renderer.runID { try results.write(renderer.json, run: run) }
            return (renderer.exitCode, renderer)
        }
    }

    private func report(_ target: UndoTarget, _ body: () throws -> UndoReport) throws -> UndoRenderer {
        do {
            return UndoRenderer(file, target.object, try body(), diff: diff, width: options.tableWidth)
        } catch UndoProblem.otherObject(let object) {
            throw CommandFailure(
                .config, code: "undo-nothing",
                "run \(record.id) has written \(object), and \(file.name) writes \(target.object.id) now",
                notes: ["to undo it, let destination.object in \(file.file) be \(object) meanwhile"])
        } catch UndoProblem.nothingKept {
            throw nothingKept
        } catch UndoProblem.lostCreates(let count) {
            throw CommandFailure(
                .tryLater, code: "undo-unknown",
                "\(counted(count, "create")) of run \(record.id) may have been carried out, and nobody knows yet",
                notes: [
                    "let the next run look for them: penstock run \(file.name)",
                    "or say what became of them: penstock reject resolve \(file.name)",
                ])
        } catch let error as StateError {
            throw error
        } catch RunStop.refused(let refusal) {
            throw CommandFailure(refusal, file)
        } catch {
            throw CommandFailure(stopping: error, sync: file.name)
        }
    }

    private var nothingKept: CommandFailure {
        let changed = (record.counts["created"] ?? 0) + (record.counts["updated"] ?? 0)
        guard changed > 0 || record.status != .finished else {
            return CommandFailure(.usage, code: "undo-nothing", "run \(record.id) has changed nothing")
        }
        return CommandFailure(
            .data, code: "undo-nothing", "nothing is kept of run \(record.id) that could be put back",
            notes: [
                "its updates were sent without looking at the records, it ran with undo: off, or history prune forgot it",
                "undo: on in \(file.file) keeps everything from the next run on",
            ])
    }

    private func side() throws -> SyncSetup.Side {
        let connection = try workspace.connection(file.definition.destination.connection, in: project)
        var side = try workspace.side(connection, in: project)
        if let points = file.limits.reserveBasisPoints { side.budget.reserve = .basisPoints(Int64(points)) }
        return side
    }

    private func open(_ side: SyncSetup.Side) throws -> UndoTarget {
        do {
            return try UndoTarget(
                side, object: file.definition.destination.object, cancellation: Interruption.cancellation,
                logger: workspace.logger)
        } catch SyncProblem.connector(let error, let name, let doing) {
            if error.code == .cancelled { throw CommandFailure.stopped }
            throw CommandFailure(error, subject: "\(file.name): connection \(name), while \(doing)")
        }
    }
}
