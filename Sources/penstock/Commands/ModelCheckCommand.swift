// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockHost
import PenstockModel
import PenstockProject

/// `penstock model check`.
struct ModelCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read models to their end: columns, types, and whether the key is one.",
        discussion: """
            Exits with 65 where a key is not unique or NULL, or a row cannot be represented, and with 78 where the query, \
            a described column, or a sync that reads the model does not fit. Writes nothing.

            Example: penstock model check crm_orgs
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The models; all of the project's own and those that syncs read where none is named.")
    var names: [String] = []

    @Option(name: .long, help: "A value for a parameter, NAME=VALUE; may be repeated.")
    var param: [String] = []

    func validate() throws {
        guard param.isEmpty || names.count == 1 else { throw ValidationError("--param needs the name of one model.") }
        _ = try ModelValues.parse(param)
    }

    func run() throws {
        let workspace = Workspace(options)
        let project = try workspace.projectForModels(takesAllModels: !names.isEmpty)
        let models = try names.isEmpty ? project.models : names.map { try workspace.usableModel($0, in: project) }
        let values = try ModelValues.parse(param)
        var codes: [ExitCode] = []
        var data: [JSON] = []
        var listing = ModelCheckText.listing
        for model in models {
            do {
                let report = try ModelChecker(workspace, project).check(model, values)
                codes.append(report.exitCode)
                data.append(report.json)
                if options.format == .table { Terminal.write(report.page(width: options.tableWidth)) }
                if !options.isMachineReadable, options.format != .table { report.add(to: &listing) }
                for finding in report.findings { Terminal.writeError(finding + "\n") }
            } catch let failure as CommandFailure {
                Terminal.writeError(failure.message + (failure.message.isEmpty ? "" : "\n"))
                codes.append(failure.exitCode)
                data.append(
                    .object([
                        "name": .string(model.name), "ok": .bool(false),
                        "exit_code": .integer(failure.exitCode.rawValue),
                        "error": .object(["code": .string(failure.code), "message": .string(failure.sentence)]),
                    ]))
            }
        }
        if options.isMachineReadable {
            Terminal.write(Document(kind: "model.check", data: .array(data)).text(options.format))
        } else if options.format != .table {
            Terminal.write(listing.text(options.format, width: nil))
        } else if models.isEmpty {
            Terminal.write("The project has no models.\n")
        }
        try CommandFailure.end(unlessOK: ExitCode.mostSevere(codes))
    }
}

/// Checks one model after the other.
struct ModelChecker {
    private let workspace: Workspace
    private let project: Project

    /// A checker for the models of `project`.
    init(_ workspace: Workspace, _ project: Project) {
        self.workspace = workspace
        self.project = project
    }

    /// Reads a model to its end.
    ///
    /// - Throws: ``CommandFailure`` where it cannot be read.
    func check(_ model: Model, _ values: [String: String]) throws -> ModelCheckText {
        guard !model.hasErrors else {
            throw CommandFailure(
                .config, code: "model", "model \(model.name) is not checked: its files have errors",
                notes: ["see penstock validate"])
        }
        let side = try workspace.side(try workspace.connection(model.connection, in: project), in: project)
        let users = project.syncs.filter { $0.definition.source.model == model.name }
        let request = ReadRequest(.query(try query(of: model, values, users)))
        let reading = try ConnectionCalls.reading(side, request, key: model.key, workspace)
        let lock = try LockFile(root: project.root)
        var diagnostics: [Diagnostic] = []
        for sync in users where !sync.hasErrors {
            let found = try SyncPreparation(workspace, project, sync, lock).sourceDiagnostics()
            diagnostics += found.filter { !diagnostics.contains($0) }
        }
        return ModelCheckText(
            model: model, reading: reading, users: users.map(\.name), diagnostics: project.sorted(diagnostics),
            renderer: project.renderer)
    }

    /// The query with the values that were given, else with those of a sync that reads the model.
    private func query(of model: Model, _ values: [String: String], _ users: [SyncFile]) throws -> String {
        let isOpen = values.isEmpty && model.parameters.contains { $0.defaultText == nil }
        if isOpen, let sync = users.first(where: { !$0.hasErrors }),
            case .query(let query) = sync.definition.source.target
        {
            return query
        }
        return try ModelValues.query(of: model, values)
    }
}
