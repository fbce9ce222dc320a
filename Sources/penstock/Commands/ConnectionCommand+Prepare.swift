// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject

extension ConnectionCommand {
    /// `penstock connection prepare`.
    struct Prepare: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "prepare", abstract: "Create the field that markers are written to, where it is missing.",
            discussion: """
                With it, a record that was created says which row of which sync it belongs to, so that a lost answer, a \
                crash or a lost state never makes a second one (insert.delivery: exactly_once).

                Example: penstock connection prepare crm organization
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The connection.")
        var name: String

        @Argument(help: "The objects; those that the project's syncs write where none is named.")
        var objects: [String] = []

        func run() throws {
            let workspace = Workspace(options)
            let project = try workspace.validProject()
            let side = try workspace.side(try workspace.connection(name, in: project), in: project)
            let descriptor = side.connector.descriptor
            guard descriptor.capabilities.contains(.prepare) else {
                throw CommandFailure(
                    .usage, code: "prepare", "\(name): the connector \(descriptor.id) creates no fields",
                    notes: ["create a text field called \"\(Marker.fieldLabel)\" yourself"])
            }
            let known = descriptor.objects.map(\.id)
            for object in objects where !known.contains(object) { throw Suggestion.failure(object, "object", known) }
            let written = project.syncs.map(\.definition.destination).filter { $0.connection == name }.map(\.object)
            let chosen = objects.isEmpty ? known.filter(written.contains) : objects
            guard !chosen.isEmpty else {
                throw CommandFailure(
                    .usage, code: "object-missing", "no sync writes to \(name): name an object",
                    notes: ["objects: " + known.joined(separator: ", ")])
            }
            try prepare(chosen, side, workspace)
        }

        private func prepare(_ objects: [String], _ side: SyncSetup.Side, _ workspace: Workspace) throws {
            var listing = Listing(
                kind: "connection.prepare", columns: ["OBJECT", "FIELD", "KEY", ""].map { Listing.Column($0) })
            for object in objects {
                let isThere = try ConnectionCalls.fields(side, object, workspace)
                    .contains { $0.label == Marker.fieldLabel && $0.isCustom }
                let key = try ConnectionCalls.prepareMarker(side, object, workspace)
                listing.add(
                    [object, Marker.fieldLabel, key, isThere ? "is there" : "created"],
                    .object([
                        "object": .string(object), "label": .string(Marker.fieldLabel), "key": .string(key),
                        "created": .bool(!isThere),
                    ]))
            }
            Terminal.write(listing.text(options.format, width: options.tableWidth))
        }
    }
}
