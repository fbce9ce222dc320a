// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockABI
import PenstockHost
import PenstockModel

/// `penstock connector`.
struct ConnectorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connector", abstract: "The connectors that were found.",
        discussion: "Example: penstock connector list",
        subcommands: [List.self, Show.self, ConnectorCheckCommand.self, ConnectorCheckChild.self],
        aliases: ["connectors"])

    @OptionGroup var options: GlobalOptions

    /// `penstock connector list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List connectors, and files that were refused with the reason.",
            discussion: "Example: penstock connector list --json")

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let workspace = Workspace(options)
            var listing = Listing(
                kind: "connector.list",
                columns: ["NAME", "VERSION", "KIND", "READS OR WRITES", "ABI", "FROM"].map { Listing.Column($0) })
            listing.remarkTitle = "REMARK"
            for entry in workspace.registry.entries {
                switch entry {
                case .loaded(let library): add(library.connector.descriptor, library.path, &listing)
                case .refused(let path, let reason): add(refused: path, reason, &listing)
                }
            }
            let folders = workspace.searchPath.folders.map(\.path).joined(separator: ", ")
            listing.emptyNote = "No connector was found. Searched: \(folders)"
            Terminal.write(listing.text(options.format, width: options.tableWidth))
        }

        private func add(_ descriptor: ConnectorDescriptor, _ path: String, _ listing: inout Listing) {
            let kind = ConnectorText.kind(descriptor)
            let objects = ConnectorText.objects(descriptor)
            listing.add(
                [descriptor.id, descriptor.version, kind, objects, "1", path],
                .object([
                    "id": .string(descriptor.id), "title": .string(descriptor.title),
                    "version": .string(descriptor.version), "kind": .string(kind), "abi": .integer(1),
                    "objects": .strings(descriptor.objects.map(\.id)), "path": .string(path), "loaded": .bool(true),
                ]))
        }

        private func add(refused path: String, _ reason: String, _ listing: inout Listing) {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            listing.add(
                [name, "–", "–", "–", "–", path],
                .object(["path": .string(path), "loaded": .bool(false), "reason": .string(reason)]),
                remark: "not loaded: \(reason)")
        }
    }

    /// `penstock connector show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "What a connector can do: settings, objects, costs.",
            discussion: "Example: penstock connector show NAME")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The connector's name, as connector list shows it.")
        var name: String

        func run() throws {
            let registry = Workspace(options).registry
            guard let connector = registry.connector(name) else {
                throw Suggestion.failure(name, "connector", registry.ids)
            }
            let descriptor = connector.descriptor
            if options.isMachineReadable {
                Terminal.write(
                    Document(kind: "connector.show", data: ConnectorText.json(descriptor)).text(options.format))
            } else {
                Terminal.write(ConnectorText.page(descriptor, width: options.tableWidth))
            }
        }
    }
}

/// Connectors as text.
enum ConnectorText {
    /// `source`, `destination`, or both.
    static func kind(_ descriptor: ConnectorDescriptor) -> String {
        [(Capabilities.source, "source"), (.destination, "destination")]
            .filter { descriptor.capabilities.contains($0.0) }.map(\.1).joined(separator: ", ")
    }

    /// What it reads or writes.
    static func objects(_ descriptor: ConnectorDescriptor) -> String {
        if !descriptor.objects.isEmpty { return descriptor.objects.map(\.id).joined(separator: ", ") }
        return descriptor.capabilities.contains(.query) ? "tables, views, models" : "tables"
    }

    /// One page about a connector.
    ///
    /// - Parameter width: How wide a line may be, or nil for no limit.
    static func page(_ descriptor: ConnectorDescriptor, width: Int?) -> String {
        var lines = [
            "\(descriptor.id) \(descriptor.version) · \(kind(descriptor)) · \(descriptor.title)",
            "  \(descriptor.summary)", "",
        ]
        lines.append("  Settings of a connection")
        let names = descriptor.settings.map(\.name.displayWidth).max() ?? 0
        for field in descriptor.settings {
            let notes = [
                kindText(field.kind), field.isRequired ? "required" : "",
                field.defaultValue.map { "default \($0.stringValue ?? $0.text)" } ?? "",
            ]
            let first = "    " + field.name.fitted(to: names) + "  " + field.summary
            let second = String(repeating: " ", count: names + 6) + notes.filter { !$0.isEmpty }.joined(separator: ", ")
            lines += [first, second].flatMap { $0.wrapped(to: width, indent: names + 6) }
        }
        for object in descriptor.objects {
            let costs = object.costs
            lines += [
                "",
                "  \(object.id)   Append needs \(object.requiredOnCreate.joined(separator: ", ")); Update needs id, or match",
                "    tokens: create \(costs.create), update \(costs.update), delete \(costs.delete), "
                    + (costs.readOne > 0 ? "read 1 by id \(costs.readOne), " : "")
                    + "read \(costs.readByIDsMax) by id \(costs.readByIDs), read \(costs.readPageMax) in a list \(costs.readPage)",
                "    fields of an account: penstock connection discover CONNECTION \(object.id)",
            ]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func kindText(_ kind: ConfigField.Kind) -> String {
        switch kind {
        case .string: "text"
        case .secret: "secret, by reference: ${cred:NAME}, ${file:PATH} or ${env:NAME}"
        case .path: "path"
        case .integer(let range): "integer \(range.lowerBound)…\(range.upperBound)"
        case .boolean: "true or false"
        case .choice(let choices): choices.joined(separator: " | ")
        case .strings: "list of texts"
        case .map(let choices): choices.isEmpty ? "texts by name" : "by name: " + choices.joined(separator: " | ")
        }
    }

    /// The same for programs.
    static func json(_ descriptor: ConnectorDescriptor) -> JSON {
        .object([
            "id": .string(descriptor.id), "title": .string(descriptor.title), "version": .string(descriptor.version),
            "summary": .string(descriptor.summary), "kind": .string(kind(descriptor)),
            "settings": .array(descriptor.settings.map(json)),
            "objects": .array(
                descriptor.objects.map { object in
                    .object([
                        "id": .string(object.id), "title": .string(object.title),
                        "required_on_create": .strings(object.requiredOnCreate),
                        "costs": .object([
                            "create": .integer(object.costs.create), "update": .integer(object.costs.update),
                            "delete": .integer(object.costs.delete), "read_by_ids": .integer(object.costs.readByIDs),
                            "read_by_ids_max": .integer(object.costs.readByIDsMax),
                            "read_one": .integer(object.costs.readOne),
                            "read_page": .integer(object.costs.readPage),
                            "read_page_max": .integer(object.costs.readPageMax),
                        ]),
                    ])
                }),
        ])
    }

    private static func json(_ field: ConfigField) -> JSON {
        .object([
            "name": .string(field.name), "kind": .string(kindText(field.kind)), "summary": .string(field.summary),
            "required": .bool(field.isRequired), "secret": .bool(field.isSecret),
            "default": field.defaultValue ?? .null,
        ])
    }
}
