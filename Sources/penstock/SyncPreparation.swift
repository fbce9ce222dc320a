// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// Opens a sync for a command, and turns what does not fit into findings at the right place of its file.
struct SyncPreparation {
    let workspace: Workspace
    let project: Project
    let file: SyncFile
    let lock: LockFile
    let isLocked: Bool
    /// Whether nothing is to be spent but what looking costs; the limit of a run then does not hold.
    let isPlan: Bool

    /// A preparation of one sync.
    ///
    /// - Parameter isLocked: Whether a connector other than the one in the lock file is refused.
    init(
        _ workspace: Workspace, _ project: Project, _ file: SyncFile, _ lock: LockFile, isLocked: Bool = false,
        isPlan: Bool = false
    ) {
        self.isPlan = isPlan
        self.isLocked = isLocked
        self.workspace = workspace
        self.project = project
        self.file = file
        self.lock = lock
    }

    /// Opens both connections, with field labels pinned as the lock file says.
    ///
    /// - Parameter offline: The fields as they were told before, where the destination is not to be asked anything.
    /// - Throws: ``CommandFailure``; findings were printed.
    func open(offline: [DestinationField]? = nil) throws -> OpenSync {
        var setup = try workspace.setup(file, in: project)
        if isPlan { setup.destination.budget.tokensPerRun = nil }
        try checkPins(setup)
        let pins = lock.pins(connection: setup.destination.name, object: setup.definition.destination.object)
        do {
            return try OpenSync(
                setup, pins: pins, offline: offline, cancellation: Interruption.cancellation,
                logger: workspace.logger)
        } catch SyncProblem.connector(let error, let connection, let doing) {
            if error.code == .cancelled { throw CommandFailure.stopped }
            if let finding = try settingDiagnostic(error, connection) { throw try findings([finding]) }
            throw CommandFailure(
                error, subject: "\(file.name): connection \(connection), while \(doing)",
                notes: advice(error, connection))
        } catch SyncProblem.mapping(let problems) {
            throw try findings(problems.map { diagnostic($0) })
        } catch SyncProblem.definition(let problems) {
            throw try findings(problems.map { diagnostic($0) })
        }
    }

    /// What of the sync does not fit its source, found without asking the destination.
    ///
    /// - Throws: ``CommandFailure`` where the source cannot be looked at.
    func sourceDiagnostics() throws -> [Diagnostic] {
        let connection = try workspace.connection(file.definition.source.connection, in: project)
        do {
            return try OpenSync.sourceProblems(
                file.definition, try workspace.side(connection, in: project), cancellation: Interruption.cancellation,
                logger: workspace.logger
            ).map { diagnostic($0) }
        } catch SyncProblem.definition(let problems) {
            return problems.map { diagnostic($0) }
        } catch SyncProblem.connector(let error, let name, _) {
            if let finding = try settingDiagnostic(error, name) { return [finding] }
            return [
                Diagnostic(
                    .error, error.code.description, at: file.position(of: .sourceConnection), Self.clause(error.message)
                )
            ]
        }
    }

    private func findings(_ diagnostics: [Diagnostic]) throws -> CommandFailure {
        let sorted = project.sorted(diagnostics)
        var failure = CommandFailure(silently: .config)
        do {
            try workspace.report(sorted, project)
        } catch let reported as CommandFailure {
            failure = reported
        }
        if let first = sorted.first {
            failure.code = first.code
            failure.sentence = "\(first.file):\(first.line):\(first.column): \(first.message)"
        }
        return failure
    }

    /// The finding at a connection's setting that `error` names, or nil where it names none, or where another must act
    /// than who writes the file.
    private func settingDiagnostic(_ error: ConnectorError, _ name: String) throws -> Diagnostic? {
        let connection = try workspace.connection(name, in: project)
        let settings = workspace.descriptors[connection.connector]?.settings ?? []
        guard ExitCode(error) == .config, settings.contains(where: { $0.name == error.field }) else { return nil }
        return Diagnostic(
            .error, error.code.description, at: connection.position(of: error.field), Self.clause(error.message),
            notes: error.detail.isEmpty ? [] : [error.detail])
    }

    private func checkPins(_ setup: SyncSetup) throws {
        for side in [setup.source, setup.destination] {
            let descriptor = side.connector.descriptor
            guard let library = workspace.registry.library(descriptor.id) else { continue }
            guard let change = lock.change(of: descriptor, sha256: try workspace.digest(of: library)) else { continue }
            if isLocked { throw CommandFailure(.config, code: "connector-changed", change) }
            Terminal.writeError("warning[connector-changed]: \(change)\n")
        }
    }

    private func advice(_ error: ConnectorError, _ connection: String) -> [String] {
        switch error.code {
        case .unauthorized, .forbidden, .unavailable, .timedOut: ["try: penstock connection test \(connection)"]
        default: []
        }
    }

    // MARK: - Places

    private func diagnostic(_ problem: MappingProblem) -> Diagnostic {
        let location: SyncLocation =
            if let entry = problem.entry { Self.location(problem.part, entry, file) } else { .insertMatch }
        return Diagnostic(
            .error, problem.code.rawValue, at: file.position(of: location), Self.clause(problem.message),
            suggestion: problem.suggestion.map { "did you mean \"\($0)\"?" },
            notes: Self.oneLine(problem))
    }

    /// What there is to choose from, on one line.
    private static func oneLine(_ problem: MappingProblem) -> [String] {
        guard problem.notes.count > 1 else { return problem.notes }
        let title = problem.part == .target || problem.part == .match ? "fields" : "there are"
        return ["\(title): " + problem.notes.joined(separator: ", ")]
    }

    private static func location(_ part: MappingProblem.Part, _ entry: Int, _ file: SyncFile) -> SyncLocation {
        switch part {
        case .target: return .entry(entry, .target)
        case .from: return .entry(entry, .from)
        case .value: return .entry(entry, .value)
        case .defaultValue: return .entry(entry, .defaultText)
        case .option: return .entry(entry, .option)
        case .split: return .entry(entry, .split)
        case .whenMissing: return .entry(entry, .whenMissing)
        case .link: return .entry(entry, .link)
        case .editGuard: return .entry(entry, .editGuard)
        case .match: return .insertMatch
        case .part(let name):
            let parts = file.definition.map.indices.contains(entry) ? file.definition.map[entry].parts : []
            guard let index = parts.firstIndex(where: { $0.target == name }) else { return .entry(entry, .content) }
            return .part(entry: entry, part: index, .target)
        }
    }

    private func diagnostic(_ problem: DefinitionProblem) -> Diagnostic {
        let location: SyncLocation =
            switch problem.place {
            case .sourceKey(let index): .sourceKey(index)
            case .mapColumn(let entry, nil): .entry(entry, .from)
            case .mapColumn(let entry, let part?): .part(entry: entry, part: part, .from)
            case .fetchKey: .fetchKey
            case .fetchStart: .fetchStart
            case .fetchLookback: .fetchLookback
            case .insertDelivery: .insertDelivery
            case .editGuard(let entry?): .entry(entry, .editGuard)
            case .editGuard(nil): .insertGuard
            case .undo: .undo
            case .sourceTarget: file.definition.source.model == nil ? .table : .model
            }
        return Diagnostic(
            .error, problem.code, at: file.position(of: location), Self.clause(problem.message),
            suggestion: problem.suggestion.map { "did you mean \"\($0)\"?" },
            notes: problem.notes + delimiterNotes(problem))
    }

    /// The setting that says what stands between the values of a file.
    private static let delimiterSetting = "delimiter"

    /// What is said where the only column of the source looks like a line that was not split.
    private func delimiterNotes(_ problem: DefinitionProblem) -> [String] {
        let prefix = "columns: "
        guard problem.code == MappingProblem.Code.unknownColumn.rawValue,
            let columns = problem.notes.first(where: { $0.hasPrefix(prefix) })?.dropFirst(prefix.count),
            !columns.contains(", "), let separator = columns.first(where: { ";\t|".contains($0) }),
            let source = project.connection(named: file.definition.source.connection),
            let settings = workspace.descriptors[source.connector]?.settings,
            settings.contains(where: { $0.name == Self.delimiterSetting })
        else { return [] }
        let shown = separator == "\t" ? "tabs" : "\"\(separator)\""
        return ["the file seems to be separated by \(shown): set \(Self.delimiterSetting) in \(source.span.file)"]
    }

    /// A sentence of the core as it stands behind `error[code]:`.
    private static func clause(_ sentence: String) -> String {
        let words = sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence
        guard let article = ["The ", "A ", "An ", "This ", "There ", "No "].first(where: words.hasPrefix) else {
            return words
        }
        return article.lowercased() + words.dropFirst(article.count)
    }
}
