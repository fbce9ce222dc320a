// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockHost
import PenstockModel
import PenstockProject

/// `penstock connection`.
struct ConnectionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connection", abstract: "The project's connections: connectors with settings and credentials.",
        discussion: "Example: penstock connection test",
        subcommands: [
            List.self, Add.self, Show.self, Test.self, Login.self, Logout.self, Discover.self, Query.self, Edit.self,
            Remove.self, Prepare.self,
        ],
        aliases: ["connections", "conn"])

    @OptionGroup var options: GlobalOptions

    /// `penstock connection list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List connections.", discussion: "Example: penstock connection list")

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            var listing = Listing(
                kind: "connection.list",
                columns: [
                    .init("NAME"), .init("CONNECTOR"), .init("KIND"), .init("SYNCS"), .init(cutFirst: "SECRETS"),
                    .init("LAST TEST"), .init(cutFirst: "DESCRIPTION"),
                ])
            let resolver = try workspace.resolver()
            for connection in project.connections {
                let users = project.syncs.filter {
                    [$0.definition.source.connection, $0.definition.destination.connection].contains(connection.name)
                }
                let kind = workspace.descriptors[connection.connector].map(ConnectorText.kind) ?? "no such connector"
                let secrets = project.references(of: connection, resolver)
                let references = connection.references.map { "\($0.setting) \($0.reference)" }
                let test = TestRecord.read(connection.name, root: project.root)
                listing.add(
                    [
                        connection.name, connection.connector, kind, users.map(\.name).joined(separator: ", "),
                        secrets.map { "\($0.key) \($0.raw) \(ReferenceText.short($0))".withoutTrailingSpace }
                            .joined(separator: ", "),
                        test.map { $0.word + " " + options.listed($0.at) } ?? "", connection.description ?? "",
                    ],
                    .object([
                        "name": .string(connection.name), "connector": .string(connection.connector),
                        "kind": .string(kind), "syncs": .strings(users.map(\.name)), "references": .strings(references),
                        "secrets": .array(secrets.map(ReferenceText.json)), "last_test": test?.json ?? .null,
                        "description": .string(connection.description ?? ""),
                    ]))
            }
            listing.emptyNote = "The project has no connections; make one: penstock connection add"
            Terminal.write(listing.text(options.format, width: options.tableWidth))
        }
    }

    /// `penstock connection test`.
    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test", abstract: "Try connections, step by step. Writes nothing.",
            discussion:
                "Exits with 77 where a credential was refused, 69 where nothing answers.\n\nExample: penstock connection test crm"
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The connections; all where none is named.")
        var names: [String] = []

        func run() throws {
            let workspace = Workspace(options)
            // A reference of another connection that has no value is nobody's business here.
            let (project, diagnostics) = try workspace.loadProject(resolves: false)
            try workspace.report(diagnostics, project)
            let chosen =
                names.isEmpty ? project.connections : try names.map { try workspace.connection($0, in: project) }
            var codes: [ExitCode] = []
            var documents: [JSON] = []
            for connection in chosen {
                do {
                    let report = try ConnectionCalls.check(try workspace.side(connection, in: project), workspace)
                    codes += report.steps.compactMap(\.failure).map { ExitCode($0) }
                    TestRecord(report).write(connection.name, root: project.root)
                    documents.append(CheckText.json(connection.name, report))
                    if !options.isMachineReadable {
                        Terminal.write(CheckText.text(connection.name, report, width: options.tableWidth))
                    }
                } catch let failure as CommandFailure {
                    codes.append(failure.exitCode)
                    TestRecord(failing: failure.code).write(connection.name, root: project.root)
                    documents.append(json(connection.name, failure))
                    if !failure.message.isEmpty { Terminal.writeError(failure.message + "\n") }
                }
            }
            if options.isMachineReadable {
                Terminal.write(Document(kind: "connection.test", data: .array(documents)).text(options.format))
            }
            try CommandFailure.end(unlessOK: ExitCode.mostSevere(codes))
        }

        private func json(_ name: String, _ failure: CommandFailure) -> JSON {
            .object([
                "connection": .string(name), "ok": .bool(false), "steps": .array([]), "code": .string(failure.code),
                "error": .string(failure.sentence),
            ])
        }
    }

    /// `penstock connection discover`.
    struct Discover: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "discover", abstract: "List the tables of a source, or the fields of a destination's object.",
            discussion: "Example: penstock connection discover crm organization")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The connection.")
        var name: String

        @Argument(help: "A table, or an object of the destination.")
        var object: String?

        func run() throws {
            let workspace = Workspace(options)
            let project = try workspace.validProject()
            let side = try workspace.side(try workspace.connection(name, in: project), in: project)
            let descriptor = side.connector.descriptor
            let listing: Listing
            if descriptor.capabilities.contains(.destination) {
                listing = try fields(side, descriptor, workspace)
            } else if let object {
                listing = try columns(side, object, workspace)
            } else {
                listing = try tables(side, workspace)
            }
            Terminal.write(listing.text(options.format, width: options.tableWidth))
        }

        private func fields(
            _ side: SyncSetup.Side, _ descriptor: ConnectorDescriptor, _ workspace: Workspace
        ) throws -> Listing {
            let ids = descriptor.objects.map(\.id)
            guard let object = object ?? (ids.count == 1 ? ids.first : nil) else {
                throw CommandFailure(
                    .usage, code: "object-missing", "name an object of \(name)",
                    notes: ["objects: " + ids.joined(separator: ", ")])
            }
            guard ids.contains(object) else { throw Suggestion.failure(object, "object", ids) }
            var listing = Listing(
                kind: "connection.discover",
                columns: [
                    .init(cutFirst: "FIELD"), .init("LABEL"), .init("KIND"), .init("CREATE"), .init("UPDATE"),
                    .init(cutFirst: "OPTIONS"),
                ])
            for field in try ConnectionCalls.fields(side, object, workspace) {
                let create = field.isRequiredOnCreate ? "required" : field.isWritableOnCreate ? "yes" : "–"
                listing.add(
                    [
                        field.key, field.label,
                        field.kind.rawValue + (field.isCustom && !options.isNarrow ? " (custom)" : ""), create,
                        field.isWritableOnUpdate ? "yes" : "–", FieldText.remark(field),
                    ], FieldText.json(field))
            }
            return listing
        }

        /// The most tables of which columns are looked up that the list itself does not bring.
        private static let detailsMax = 200

        private func tables(_ side: SyncSetup.Side, _ workspace: Workspace) throws -> Listing {
            var listing = Listing(
                kind: "connection.discover",
                columns: [
                    .init("TABLE"), .init("KIND"), .init(number: "ROWS"), .init("KEY"), .init("CURSOR"),
                    .init("COLUMNS"),
                ])
            var objects = try ConnectionCalls.discover(side, [], workspace).objects
            let bare = objects.filter(\.columns.isEmpty).map(\.id)
            if !bare.isEmpty, bare.count <= Self.detailsMax {
                let details = try ConnectionCalls.discover(side, bare, workspace).objects
                objects = objects.map { object in details.first { $0.id == object.id } ?? object }
            }
            for object in objects {
                listing.add(
                    [
                        object.id, object.detail.isEmpty ? object.kind.rawValue : object.detail,
                        object.estimatedRows.map { "\($0.grouped)" } ?? "", object.primaryKey.joined(separator: ", "),
                        object.cursorColumns.first ?? "", object.columns.map(\.name).joined(separator: ", "),
                    ],
                    .object([
                        "id": .string(object.id), "kind": .string(object.kind.rawValue),
                        "rows": object.estimatedRows.map { .integer($0) } ?? .null,
                        "detail": .string(object.detail), "primary_key": .strings(object.primaryKey),
                        "cursor_columns": .strings(object.cursorColumns),
                        "columns": .array(object.columns.map(FieldText.json)),
                    ]))
            }
            listing.emptyNote = "There is nothing to read in this connection."
            return listing
        }

        private func columns(_ side: SyncSetup.Side, _ table: String, _ workspace: Workspace) throws -> Listing {
            guard let found = try ConnectionCalls.discover(side, [table], workspace).objects.first else {
                throw CommandFailure(.usage, code: "unknown-table", "there is no table \"\(table)\" in \(name)")
            }
            var listing = Listing(
                kind: "connection.discover",
                columns: ["COLUMN", "TYPE", "NATIVE TYPE", "NULL", "KEY", "CURSOR"].map { Listing.Column($0) })
            for column in found.columns {
                listing.add(
                    [
                        column.name, column.type.rawValue, column.nativeType, column.isNullable ? "yes" : "no",
                        found.primaryKey.contains(column.name) ? "primary" : "",
                        found.cursorColumns.contains(column.name) ? "fit" : "",
                    ], FieldText.json(column))
            }
            return listing
        }
    }
}

/// Fields and columns as JSON.
enum FieldText {
    /// What there is to choose from, when the field may have a value, and why it cannot be written.
    static func remark(_ field: DestinationField) -> String {
        let options = field.options.map(\.label).joined(separator: ", ")
        let condition = field.condition.map { "only with \($0.field) \($0.values.joined(separator: ", "))" } ?? ""
        return [options, condition, field.note].filter { !$0.isEmpty }.joined(separator: "; ")
    }

    /// A destination's field.
    static func json(_ field: DestinationField) -> JSON {
        .object([
            "key": .string(field.key), "label": .string(field.label), "kind": .string(field.kind.rawValue),
            "custom": .bool(field.isCustom), "required_on_create": .bool(field.isRequiredOnCreate),
            "writable_on_create": .bool(field.isWritableOnCreate),
            "writable_on_update": .bool(field.isWritableOnUpdate),
            "only_when": field.condition.map {
                .object(["field": .string($0.field), "values": .strings($0.values)] as JSONObject)
            } ?? .null, "note": .string(field.note),
            "options": .array(field.options.map { .object(["id": .string($0.id), "label": .string($0.label)]) }),
        ])
    }

    /// A source's column.
    static func json(_ column: Schema.Field) -> JSON {
        .object([
            "name": .string(column.name), "type": .string(column.type.rawValue),
            "native_type": .string(column.nativeType), "nullable": .bool(column.isNullable),
        ])
    }
}
