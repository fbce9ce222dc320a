// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockHost
import PenstockModel
import PenstockProject

extension ConnectionCommand {
    /// `penstock connection show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show a connection's settings; secrets as dots, with where they come from.",
            discussion: "Example: penstock connection show crm")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The connection.")
        var name: String

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let connection = try workspace.connection(name, in: project)
            let descriptor = try workspace.connector(of: connection).descriptor
            let draft = ConnectionDraft(connection, in: project, descriptor: descriptor)
            let references = project.references(of: connection, try workspace.resolver())
            let test = TestRecord.read(name, root: project.root)
            if options.isMachineReadable {
                let data = json(connection, draft, references, test)
                Terminal.write(Document(kind: "connection.show", data: data).text(options.format))
                return
            }
            var listing = Listing(
                kind: "connection.show",
                columns: [.init("SETTING"), .init(cutFirst: "VALUE"), .init(cutFirst: "SOURCE")])
            listing.add(["connector", connection.connector, "\(connection.span.file):\(connection.span.line)"], .null)
            if let description = connection.description { listing.add(["description", description, ""], .null) }
            for key in draft.keys {
                let of = references.filter { $0.key == key }
                listing.add([key, shown(key, draft), of.map(source).joined(separator: ", ")], .null)
            }
            for field in descriptor.settings where !draft.keys.contains(field.name) {
                guard let value = field.defaultValue else { continue }
                listing.add([field.name, value.stringValue ?? value.text, "default"], .null)
            }
            if let test { listing.add(["last test", "\(test.word) \(options.listed(test.at))", ""], .null) }
            Terminal.write(listing.text(options.format, width: options.tableWidth))
        }

        private func source(_ reference: ProjectReference) -> String {
            let place = reference.problem.map { "no value: \($0)" } ?? ReferenceText.source(reference)
            return reference.raw + " " + place
        }

        /// A setting as it is shown: dots for a secret that has a value.
        private func shown(_ key: String, _ draft: ConnectionDraft) -> String {
            if draft.descriptor.settings.first(where: { $0.name == key })?.isSecret ?? false { return "••••" }
            return draft.text(key).map(AddressText.masked) ?? draft.listed(key)
        }

        private func json(
            _ connection: Connection, _ draft: ConnectionDraft, _ references: [ProjectReference], _ test: TestRecord?
        ) -> JSON {
            var settings = JSONObject()
            for key in draft.keys { settings[key] = .string(shown(key, draft)) }
            return .object([
                "name": .string(connection.name), "connector": .string(connection.connector),
                "description": .string(connection.description ?? ""),
                "file": .string(connection.span.file), "line": .integer(connection.span.line),
                "settings": .object(settings), "secrets": .array(references.map(ReferenceText.json)),
                "last_test": test?.json ?? .null,
            ])
        }
    }

    /// `penstock connection query`.
    struct Query: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "query", abstract: "Show the first rows of a SELECT on a source. Writes nothing.",
            discussion: "Example: penstock connection query warehouse 'SELECT 1' --limit 5")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The connection.")
        var name: String

        @Argument(help: "The SELECT.")
        var sql: String

        @Option(name: .long, help: "How many rows.")
        var limit: Int64 = 20

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit is a number of rows, 1 or more.") }
        }

        func run() throws {
            let workspace = Workspace(options)
            let (project, diagnostics) = try workspace.loadProject(resolves: false)
            try workspace.report(diagnostics, project)
            let connection = try workspace.connection(name, in: project)
            let descriptor = try workspace.connector(of: connection).descriptor
            guard descriptor.capabilities.contains(.query) else {
                throw CommandFailure(
                    .usage, code: "connector-role", "\(name) (\(descriptor.id)) takes no queries",
                    notes: descriptor.capabilities.contains(.source)
                        ? ["its tables: penstock connection discover \(name)"] : ["it is a destination"])
            }
            var request = ReadRequest(.query(sql))
            request.rowsMax = limit
            let (schema, batches) = try ConnectionCalls.preview(
                try workspace.side(connection, in: project), request, workspace)
            var listing = Listing(kind: "connection.query", columns: schema.fields.map { Listing.Column($0.name) })
            for batch in batches {
                for row in 0..<batch.rowCount {
                    let cells = batch.columns.map { $0.isNull(row) ? "NULL" : SourceRowText.text(of: $0.value(row)) }
                    listing.add(cells, SourceRowText.json(batch, row))
                }
            }
            listing.emptyNote = "The query has no rows."
            Terminal.write(listing.text(options.format, width: options.tableWidth))
        }
    }
}

/// Addresses with a password in them.
enum AddressText {
    /// The text with the password of `scheme://user:password@host` replaced by dots, unless it is a reference.
    static func masked(_ text: String) -> String {
        guard let scheme = text.firstRange(of: "://") else { return text }
        let authority = text[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        guard let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":"),
            !authority[colon...].hasPrefix(":${")
        else { return text }
        return text[...colon] + "••••" + text[at...]
    }
}
