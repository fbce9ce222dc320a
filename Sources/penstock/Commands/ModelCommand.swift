// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockHost
import PenstockModel
import PenstockProject

/// `penstock model`.
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "The project's models: saved SELECTs over a source.",
        discussion: "Example: penstock model preview crm_orgs",
        subcommands: [List.self, ModelNewCommand.self, Show.self, Preview.self, ModelCheckCommand.self],
        aliases: ["models"])

    @OptionGroup var options: GlobalOptions

    /// `penstock model list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List models, those of dbt included.",
            discussion: "Example: penstock model list")

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let workspace = Workspace(options)
            let (project, diagnostics) = try workspace.loadProject(resolves: false, takesAllModels: true)
            var listing = Listing(
                kind: "model.list",
                columns: ["NAME", "CONNECTION", "KEY", "PARAMETERS", "SYNCS", "FILE"].map { Listing.Column($0) })
            for model in project.models {
                let users = ModelText.users(of: model, in: project)
                listing.add(
                    [
                        model.name, model.connection, model.key.joined(separator: ", "),
                        model.parameters.map(\.name).joined(separator: ", "), users.joined(separator: ", "), model.file,
                    ],
                    ModelText.summary(model, users))
            }
            listing.emptyNote = "The project has no models; a model is a SELECT in models/NAME.sql: penstock model new"
            Terminal.write(listing.text(options.format, width: options.tableWidth))
            try workspace.report(diagnostics.filter { $0.code == DiagnosticCode.dbtManifest.rawValue }, project)
        }
    }

    /// `penstock model show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show a model: its query, key, parameters, and the syncs that read it.",
            discussion: "Example: penstock model show crm_orgs")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The model.")
        var name: String

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false, takesAllModels: true)
            let model = try workspace.usableModel(name, in: project)
            let users = ModelText.users(of: model, in: project)
            if options.isMachineReadable {
                Terminal.write(Document(kind: "model.show", data: ModelText.json(model, users)).text(options.format))
            } else {
                Terminal.write(ModelText.page(model, users))
            }
        }
    }

    /// `penstock model preview`.
    struct Preview: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "preview", abstract: "Show the first rows of a model. Writes nothing.",
            discussion: "Example: penstock model preview crm_orgs --limit 5 --param since=2026-01-01")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The model.")
        var name: String

        @Option(name: .long, help: "How many rows.")
        var limit: Int64 = 20

        @Option(name: .long, help: "A value for a parameter, NAME=VALUE; may be repeated.")
        var param: [String] = []

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit is a number of rows, 1 or more.") }
            _ = try ModelValues.parse(param)
        }

        func run() throws {
            let workspace = Workspace(options)
            let project = try workspace.projectForModels()
            let model = try workspace.usableModel(name, in: project)
            let side = try workspace.side(try workspace.connection(model.connection, in: project), in: project)
            var request = ReadRequest(.query(try ModelValues.query(of: model, try ModelValues.parse(param))))
            request.rowsMax = limit
            let (schema, batches) = try ConnectionCalls.preview(side, request, workspace)
            var listing = Listing(kind: "model.preview", columns: schema.fields.map { Listing.Column($0.name) })
            for batch in batches {
                for row in 0..<batch.rowCount {
                    let cells = batch.columns.map { $0.isNull(row) ? "NULL" : SourceRowText.text(of: $0.value(row)) }
                    listing.add(cells, SourceRowText.json(batch, row))
                }
            }
            listing.emptyNote = "The model has no rows."
            Terminal.write(listing.text(options.format, width: options.tableWidth))
        }
    }
}

/// Values for parameters, from a command line.
enum ModelValues {
    /// Values by name.
    ///
    /// - Throws: `ValidationError` for what is not `NAME=VALUE`, and for a name that is given twice.
    static func parse(_ pairs: [String]) throws -> [String: String] {
        var values: [String: String] = [:]
        for pair in pairs {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ValidationError("--param takes NAME=VALUE, not \"\(pair)\".")
            }
            guard values.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw ValidationError("--param \(parts[0]) is given twice.")
            }
        }
        return values
    }

    /// The model's query with these values.
    ///
    /// - Throws: ``CommandFailure`` 64.
    static func query(of model: Model, _ values: [String: String]) throws -> String {
        do throws(ModelParameterProblem) {
            return try model.query(values)
        } catch {
            var notes = [error.suggestion].compactMap { $0 } + error.notes
            if case .missing(let name) = error { notes.append("give one: --param \(name)=VALUE") }
            throw CommandFailure(.usage, code: "model-param", error.message(model: model.name), notes: notes)
        }
    }
}

/// Models as text.
enum ModelText {
    /// The names of the syncs that read a model.
    static func users(of model: Model, in project: Project) -> [String] {
        project.syncs.filter { $0.definition.source.model == model.name }.map(\.name)
    }

    /// An entry of a list.
    static func summary(_ model: Model, _ users: [String]) -> JSON {
        .object([
            "name": .string(model.name), "connection": .string(model.connection), "key": .strings(model.key),
            "parameters": .strings(model.parameters.map(\.name)), "syncs": .strings(users),
            "file": .string(model.file), "origin": .string(uniqueID(model) == nil ? "project" : "dbt"),
        ])
    }

    private static func uniqueID(_ model: Model) -> String? {
        if case .dbt(let id) = model.origin { id } else { nil }
    }

    /// One page about a model.
    static func page(_ model: Model, _ users: [String]) -> String {
        var lines = ["\(model.name)  (\(model.file))"]
        if let description = model.description { lines.append("  \(description.printable)") }
        lines += [
            "", "  connection   \(model.connection)",
            "  key          " + (model.key.isEmpty ? "none: rows are known by their content" : list(model.key)),
            "  syncs        " + (users.isEmpty ? "none" : list(users)),
        ]
        if let id = uniqueID(model) { lines.append("  dbt          \(id.printable)") }
        for (index, parameter) in model.parameters.enumerated() {
            let standard = parameter.defaultText.map { "default \($0)" } ?? "no default"
            let words = [parameter.kind.rawValue, standard, parameter.description ?? ""].filter { !$0.isEmpty }
            lines.append(
                (index == 0 ? "  parameters   " : "               ")
                    + "\(parameter.name)  \(words.joined(separator: ", "))".printable)
        }
        for (index, column) in model.columns.enumerated() {
            let words = [column.type ?? "", column.description ?? ""].filter { !$0.isEmpty }
            lines.append(
                (index == 0 ? "  columns      " : "               ")
                    + "\(column.name)  \(words.joined(separator: ", "))".printable.withoutTrailingSpace)
        }
        lines.append("")
        lines += model.sql.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .map { "  \(String($0).printable)".withoutTrailingSpace }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func list(_ words: [String]) -> String { words.joined(separator: ", ").printable }

    /// The same for programs.
    static func json(_ model: Model, _ users: [String]) -> JSON {
        var object = summary(model, users).objectValue ?? JSONObject()
        object["parameters"] = .array(
            model.parameters.map { parameter in
                .object([
                    "name": .string(parameter.name), "type": .string(parameter.kind.rawValue),
                    "default": parameter.defaultText.map { .string($0) } ?? .null,
                    "description": parameter.description.map { .string($0) } ?? .null,
                ])
            })
        object["description"] = model.description.map { .string($0) } ?? .null
        object["unique_id"] = uniqueID(model).map { .string($0) } ?? .null
        object["columns"] = .array(
            model.columns.map { column in
                .object([
                    "name": .string(column.name), "type": column.type.map { .string($0) } ?? .null,
                    "description": column.description.map { .string($0) } ?? .null,
                ])
            })
        object["sql"] = .string(model.sql)
        return .object(object)
    }
}
