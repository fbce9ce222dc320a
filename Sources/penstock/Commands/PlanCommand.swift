// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// `penstock plan`.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Say what a run would do and what it costs. Writes nothing at either end.",
        discussion: """
            Example: penstock plan orgs_to_crm --diff 10

            Example: penstock plan orgs_to_crm -O orgs.plan

            Example: penstock plan show orgs.plan
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var selection: SelectionOptions

    @Argument(help: "The syncs to plan; all enabled ones where none is named. \"show FILE\" shows a plan again.")
    var syncs: [String] = []

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "How many rows of each sort to show, or all (3; with show all).", valueName: "n|all"))
    var diff: DiffChoice?

    @Option(
        name: [.customShort("O"), .long],
        help: ArgumentHelp(
            "Keep the plan in this file, for \"run --plan\"; \"latest\" keeps it in the project.", valueName: "file"))
    var out: String?

    @Option(name: .long, parsing: .unconditional, help: "Plan a sample: only the first so many rows.")
    var rows: Int64?

    @Option(name: .long, parsing: .unconditional, help: "Plan a run that fetches only so many rows.")
    var limit: Int64?

    @Flag(name: .long, help: "Ask the destination nothing: use the ledger, and what was read of it last.")
    var offline = false

    @Flag(
        name: .customLong("guard"),
        help: "Look at every record before it is changed, so that the run leaves those alone that changed since.")
    var guarded = false

    @Flag(name: .long, help: "Plan as if nothing had been fetched before.")
    var fullRefresh = false

    @Flag(name: .long, help: "Plan a new run, even where an interrupted one is to be finished.")
    var new = false

    @Flag(name: .long, help: "Exit with 2 where there is something to do.")
    var detailedExitcode = false

    func validate() throws {
        guard limit ?? 1 > 0 else { throw ValidationError("--limit is a number of rows, 1 or more.") }
        guard rows ?? 1 > 0 else { throw ValidationError("--rows is a number of rows, 1 or more.") }
        // In a pipe tsv is what nobody has asked for, and means the text.
        guard options.output?.isForLists != true else {
            throw ValidationError("A plan is no list: it is written with --output table, json or jsonl.")
        }
        guard out == nil || rows == nil else {
            throw ValidationError("A sample cannot be applied: use --limit in place of --rows, or leave -O out.")
        }
        guard out != "" else {
            throw ValidationError("-O is the path of a file, or latest, which keeps the plan in the project.")
        }
        guard !offline || (out == nil && !guarded) else {
            throw ValidationError("A plan that asks nobody cannot be applied: leave --offline out.")
        }
    }

    /// Whether a plan is shown that was kept.
    private var isShow: Bool { syncs.first == PlanShow.word }

    /// The rows that are shown of a plan that is made now.
    var shown: DiffChoice { diff ?? .first(3) }

    func run() throws {
        if isShow, syncs.count == 2 {
            return try PlanShow(options: options, file: syncs[1], diff: diff ?? .all).run()
        }
        let workspace = Workspace(options)
        let project = try workspace.validProject()
        // A sync may have this name, too.
        guard !isShow || project.syncs.contains(where: { $0.name == PlanShow.word }) else {
            throw CommandFailure(
                .usage, code: "usage",
                syncs.count == 1 ? "which plan is to be shown?" : "one plan is shown at a time",
                notes: ["penstock plan show FILE", "what -O latest has kept: penstock plan show SYNC"])
        }
        let lock = try LockFile(root: project.root)
        var codes: [ExitCode] = []
        let chosen = try workspace.syncs(syncs, selection: selection, in: project)
        if let out, out != PlanFiles.latest, chosen.count > 1 {
            throw CommandFailure(
                .usage, code: "usage", "a file holds the plan of one sync, and \(chosen.count) are chosen",
                notes: ["name one sync, or keep them in the project: -O latest"])
        }
        if let out {
            let files = PlanFiles(workspace, project)
            for file in chosen { try PlanFiles.ready(out, at: files.path(out, file), root: project.root) }
        }
        let pager = Pager(isWanted: shown == .all && !options.isMachineReadable)
        defer { pager.close() }
        let documents = options.isMachineReadable && !streamsRows ? PlanDocuments(options.format) : nil
        defer { documents?.end() }
        var parents: [String: PlannedRecords] = [:]
        var ahead: [String: BudgetForecast.Work] = [:]
        for (place, file) in chosen.enumerated() {
            do {
                guard !Interruption.cancellation.isCancelled else { throw CommandFailure.stopped }
                var planning = Planning(self, workspace, project, lock, file)
                planning.parents = parents
                let connection = file.definition.destination.connection
                planning.ahead = ahead[connection] ?? .none
                planning.isLinkedTo = chosen[(place + 1)...].contains { $0.links.contains(file.name) }
                let code = try planning.run(pager, documents)
                parents[file.name] = planning.records
                ahead[connection] = planning.ahead + planning.work
                codes.append(code)
            } catch let failure as CommandFailure {
                if !failure.message.isEmpty { Terminal.writeError(failure.message + "\n") }
                codes.append(failure.exitCode)
                documents?.add(failure.json(sync: file.name))
            }
        }
        // Before the end of the process.
        documents?.end()
        try CommandFailure.end(unlessOK: ExitCode.mostSevere(codes))
    }

    /// Whether every row is a line of its own.
    var streamsRows: Bool { options.format == .jsonl && shown == .all }
}

/// How many rows of each sort a plan shows.
enum DiffChoice: Equatable, ExpressibleByArgument {
    case first(Int)
    case all

    init?(argument: String) {
        if argument.lowercased() == "all" {
            self = .all
        } else if let number = Int(argument), number >= 0 {
            self = .first(number)
        } else {
            return nil
        }
    }

    var defaultValueDescription: String {
        switch self {
        case .first(let number): "\(number)"
        case .all: "all"
        }
    }
}

/// One sync that is planned by a command.
struct Planning {
    private let command: PlanCommand
    private let workspace: Workspace
    private let project: Project
    private let lock: LockFile
    private let file: SyncFile
    private let options: GlobalOptions
    /// What the syncs would do that the command has planned before.
    var parents: [String: PlannedRecords] = [:]
    /// What the syncs of the same connection are to spend that the command has planned before.
    var ahead = BudgetForecast.Work.none
    /// What the run of this plan is to spend.
    private(set) var work = BudgetForecast.Work.none
    /// Whether a sync that is planned next links to this one.
    var isLinkedTo = false
    /// What this sync would do, for those that link to it; nil where none does.
    private(set) var records: PlannedRecords?

    /// The plan of one sync.
    init(_ command: PlanCommand, _ workspace: Workspace, _ project: Project, _ lock: LockFile, _ file: SyncFile) {
        self.command = command
        self.workspace = workspace
        self.project = project
        self.lock = lock
        self.file = file
        options = command.options
    }

    /// What was planned.
    private struct Outcome {
        var report: PlanReport
        var examples: PlanExamples
        var draft: PlanDraft?
        var salt: String
        var state: [PlanPin]
    }

    /// Plans, shows the plan, and keeps it where that is asked for.
    mutating func run(_ pager: Pager, _ documents: PlanDocuments?) throws -> ExitCode {
        // Before anybody is asked anything: a state that is not the newest has no plan.
        let store = try workspace.reading(file.name) {
            try StateStore.openForReading(
                folder: try workspace.stateFolder(), sync: file.name, marks: try workspace.marks(of: file.name))
        }
        let cache = FieldsCache(root: project.root)
        let copy = command.offline ? try offlineCopy(cache) : nil
        let sync = try SyncPreparation(workspace, project, file, lock, isPlan: true).open(offline: copy?.fields)
        defer { sync.close() }
        if copy == nil { cache.keep(sync) }
        let records = isLinkedTo ? PlannedRecords(keyColumns: sync.keyColumns) : nil
        let outcome = try plan(sync, store, records)
        if let excess = outcome.report.excesses.first { records?.discard("limits.\(excess.name.rawValue)") }
        self.records = records
        var renderer = PlanRenderer(
            file, sync, outcome.report, command.shown == .all ? nil : outcome.examples, width: options.tableWidth)
        renderer.sampleRows = command.rows
        renderer.linked = Set(parents.keys)
        renderer.ahead = ahead
        work = renderer.work
        renderer.fieldsReadAt = copy?.readAt
        if let out = command.out { try keep(outcome, sync, renderer, out) }
        try show(outcome, sync, renderer, pager, documents)
        // A sample says nothing of what all rows come to.
        if command.rows == nil, let first = outcome.report.excesses.first {
            let failure = CommandFailure(RunRefusal(planned: first, outcome.report.excesses), file)
            Terminal.writeError(failure.message + "\n")
            return failure.exitCode
        }
        if !renderer.isAffordable { return .tryLater }
        return command.detailedExitcode && outcome.report.counts.created + outcome.report.counts.updated > 0
            ? .changes : .ok
    }

    private func offlineCopy(_ cache: FieldsCache) throws -> FieldsCache.Copy {
        if let copy = cache.copy(file.definition) { return copy }
        throw CommandFailure(
            .config, code: "offline",
            "\(file.name): the destination's fields were not told yet, or the map has changed",
            notes: ["plan once with the destination: penstock plan \(file.name)"])
    }

    private func plan(_ sync: OpenSync, _ store: StateStore?, _ records: PlannedRecords?) throws -> Outcome {
        do {
            var runOptions = RunOptions(stateFolder: try workspace.stateFolder())
            runOptions.records = RecordsCache(root: project.root).place(sync)
            runOptions.rowsMax = file.rowsMax(command.limit)
            runOptions.isFullRefresh = command.fullRefresh
            runOptions.abandonsUnfinished = command.new
            var planOptions = PlanOptions()
            planOptions.sampleRows = command.rows
            planOptions.isGuarded = command.guarded
            planOptions.heldMax = command.shown == .all ? 100 : command.shown.limit
            planOptions.mask = file.planMask
            planOptions.limits = file.limits.blast
            planOptions.salt = RunID.make(milliseconds: WallClock.milliseconds)
            var examples = PlanExamples(limit: command.shown.limit)
            let draft =
                command.out != nil || command.shown == .all
                ? try PlanDraft(folder: FileManager.default.temporaryDirectory.path) : nil
            if draft == nil { planOptions.examplesMax = command.shown.limit }
            let state = try PlanPin.state(store)
            let planner = SyncPlanner(
                sync, store: store, options: runOptions, plan: planOptions, parents: parents, records: records
            ) { entry in
                examples.add(entry)
                try draft?.append(entry)
            }
            let report = try planner.plan()
            return Outcome(report: report, examples: examples, draft: draft, salt: planOptions.salt, state: state)
        } catch let problem as PlanFileProblem {
            throw CommandFailure(problem)
        } catch {
            throw CommandFailure(stopping: error, sync: file.name)
        }
    }

    /// Writes the plan into its file.
    private func keep(_ outcome: Outcome, _ sync: OpenSync, _ renderer: PlanRenderer, _ out: String) throws {
        let files = PlanFiles(workspace, project)
        var header = PlanHeader(
            sync: file.name, madeAt: WallClock.milliseconds, madeBy: "penstock \(Version.text)", salt: outcome.salt,
            numbers: outcome.report.numbers, pins: try files.pins(file, sync) + [file.rowsPin] + outcome.state)
        header.isGuarded = command.guarded
        header.linked = outcome.report.linked > 0 ? sync.mapping.links.filter { parents[$0] != nil } : []
        header.rowsMax = command.limit
        header.isFullRefresh = command.fullRefresh
        header.abandonsUnfinished = command.new
        header.about = [
            "object": .string(sync.object.id), "before": .strings(renderer.before), "after": .strings(renderer.after),
            "document": .object(renderer.document),
        ]
        do throws(PlanFileProblem) {
            try outcome.draft?.seal(header, to: files.path(out, file))
        } catch {
            throw CommandFailure(error)
        }
    }

    private func show(
        _ outcome: Outcome, _ sync: OpenSync, _ renderer: PlanRenderer, _ pager: Pager, _ documents: PlanDocuments?
    ) throws {
        let rows = PlanRows(object: sync.object.id, width: options.tableWidth)
        do {
            if command.streamsRows {
                Terminal.write(JSON.object(renderer.document).text + "\n")
                try outcome.draft?.forEach { Terminal.write(PlanRows.json($0, sync: file.name)) }
            } else if let documents {
                try documents.add(renderer.document, command.shown == .all ? outcome.draft : nil, outcome.examples)
            } else if command.shown == .all {
                pager.write(renderer.before.joined(separator: "\n") + "\n")
                try outcome.draft?.forEach { if !pager.isDone { pager.write(rows.text($0)) } }
                pager.write("\n" + renderer.after.joined(separator: "\n") + "\n\n")
            } else {
                Terminal.write(renderer.text)
            }
        } catch let problem as PlanFileProblem {
            throw CommandFailure(problem)
        }
        guard !options.isMachineReadable, !options.quiet else { return }
        if let out = command.out {
            let place = out == PlanFiles.latest ? "for: penstock run \(file.name) --plan latest" : out
            pager.write("Kept \(place)\n\n")
        }
    }
}

/// The rows of a plan, one after the other.
struct PlanRows {
    private let entryText: PlanEntryText

    /// Rows of a plan that writes an object.
    init(object: String, width: Int?) { entryText = PlanEntryText(object: object, width: width) }

    /// The lines of a row.
    func text(_ entry: PlanEntry) -> String { entryText.lines(entry).map { $0 + "\n" }.joined() }

    /// A row as a line for programs.
    static func json(_ entry: PlanEntry, sync: String) -> String {
        var object: JSONObject = ["sync": .string(sync)]
        for member in PlanEntryText.json(entry).objectValue ?? [:] { object.append(member.key, member.value) }
        return JSON.object(object).text + "\n"
    }
}

/// The plans of a command as one document for programs, each written when it is made.
final class PlanDocuments {
    private let stream: DocumentStream?
    private var isOpen = true

    /// No plan yet.
    init(_ format: OutputFormat) { stream = format == .jsonl ? nil : DocumentStream(kind: "plan") }

    /// Writes what came in the place of a plan.
    func add(_ item: JSON) {
        if let stream { stream.add(item) } else { Terminal.write(item.text + "\n") }
    }

    /// Writes a plan with the rows of a draft, or with some of them.
    ///
    /// - Throws: ``PlanFileProblem``.
    func add(_ document: JSONObject, _ draft: PlanDraft?, _ examples: PlanExamples) throws {
        try add(document) { row in
            if let draft { try draft.forEach(row) } else { examples.entries.forEach(row) }
        }
    }

    /// Writes a plan with its rows, which come one by one.
    ///
    /// - Throws: What `rows` throws.
    func add(_ document: JSONObject, rows: ((PlanEntry) -> Void) throws -> Void) throws {
        if let stream {
            return try stream.add(document, "examples") { write in try rows { write(PlanEntryText.json($0)) } }
        }
        var document = document
        var all: [JSON] = []
        try rows { all.append(PlanEntryText.json($0)) }
        document["examples"] = .array(all)
        Terminal.write(JSON.object(document).text + "\n")
    }

    /// Ends the document; a second time, nothing happens.
    func end() {
        if isOpen { stream?.end() }
        isOpen = false
    }
}

extension DiffChoice {
    /// How many rows of each sort are kept for display.
    var limit: Int {
        switch self {
        case .first(let number): number
        case .all: 0
        }
    }
}

extension SyncFile {
    /// The most rows that a plan or run takes: what was asked for, and what the file allows.
    func rowsMax(_ asked: Int64?) -> Int64? { [asked, limits.rows.map(Int64.init)].compactMap { $0 }.min() }
}
