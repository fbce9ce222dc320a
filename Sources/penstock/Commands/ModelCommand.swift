// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockHost
import PenstockModel
import PenstockProject

/// `penstock model`.
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "The project's models: saved SELECTs over a source.",
        discussion: "Example: penstock model preview crm_orgs", subcommands: [List.self, Preview.self],
        aliases: ["models"])

    @OptionGroup var options: GlobalOptions

    /// `penstock model list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List models.", discussion: "Example: penstock model list")

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let (project, _) = try Workspace(options).loadProject(resolves: false)
            var listing = Listing(
                kind: "model.list", columns: ["NAME", "CONNECTION", "KEY", "SYNCS", "FILE"].map { Listing.Column($0) })
            for model in project.models {
                let users = project.syncs.filter { $0.definition.source.model == model.name }.map(\.name)
                listing.add(
                    [
                        model.name, model.connection, model.key.joined(separator: ", "), users.joined(separator: ", "),
                        model.file,
                    ],
                    .object([
                        "name": .string(model.name), "connection": .string(model.connection),
                        "key": .strings(model.key),
                        "syncs": .strings(users), "file": .string(model.file),
                    ]))
            }
            listing.emptyNote = "The project has no models; a model is a SELECT in models/NAME.sql."
            Terminal.write(listing.text(options.format, width: options.tableWidth))
        }
    }

    /// `penstock model preview`.
    struct Preview: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "preview", abstract: "Show the first rows of a model. Writes nothing.",
            discussion: "Example: penstock model preview crm_orgs --limit 5")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The model.")
        var name: String

        @Option(name: .long, help: "How many rows.")
        var limit: Int64 = 20

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit is a number of rows, 1 or more.") }
        }

        func run() throws {
            let workspace = Workspace(options)
            let project = try workspace.validProject()
            let model = try workspace.named(name, "model", project.models, \.name)
            let side = try workspace.side(try workspace.connection(model.connection, in: project), in: project)
            var request = ReadRequest(.query(model.sql))
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
