// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockEngine
import PenstockModel
import PenstockProject
import PenstockState

/// `penstock sync`.
struct SyncCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "The project's syncs.", discussion: "Example: penstock sync list",
        subcommands: [
            List.self, SyncNewCommand.self, Show.self, Describe.self, Map.self, Edit.self, Copy.self, Rename.self,
            Remove.self, Enable.self, Disable.self, SaveTemplate.self, PlanCommand.self, RunCommand.self,
        ], aliases: ["syncs"])

    @OptionGroup var options: GlobalOptions

    /// `penstock sync list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List syncs with their last run.", discussion: "Example: penstock sync list")

        @OptionGroup var options: GlobalOptions
        @OptionGroup var selection: SelectionOptions

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            var listing = Listing(
                kind: "sync.list",
                columns: ["NAME", "SOURCE", "TARGET", "FETCH", "INSERT", "LAST RUN"].map { Listing.Column($0) })
            for sync in try workspace.selected(selection, in: project) {
                let definition = sync.definition
                let last = try workspace.lastRun(of: sync.name)
                let lastText =
                    last.map { "\($0.status.rawValue), \(options.listed($0.startedAtMilliseconds))" } ?? "never"
                listing.add(
                    [
                        sync.name + (sync.isEnabled ? "" : " (off)"), SyncSummary.source(definition),
                        SyncSummary.destination(definition), SyncSummary.fetch(definition.fetch),
                        definition.insert.mode.rawValue, lastText,
                    ],
                    .object([
                        "name": .string(sync.name), "enabled": .bool(sync.isEnabled),
                        "source": .string(SyncSummary.source(definition)),
                        "destination": .string(definition.destination.connection),
                        "object": .string(definition.destination.object),
                        "fetch": .string(definition.fetch.mode.rawValue),
                        "insert": .string(definition.insert.mode.rawValue),
                        "last_run": last.map { .string($0.id) } ?? .null,
                        "last_status": last.map { .string($0.status.rawValue) } ?? .null,
                    ]))
            }
            listing.emptyNote = "The project has no syncs; make one: penstock sync new"
            Terminal.write(listing.text(options.format, width: options.tableWidth))
        }
    }

    /// `penstock sync show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show a sync as it is understood, defaults included.",
            discussion: """
                With --resolved the destination is asked for its fields, and each target is shown with its key and kind.

                Example: penstock sync show orgs_to_crm --resolved
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var name: String

        @Flag(name: .long, help: "Also show the key and kind of each target field, as the destination has them now.")
        var resolved = false

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try resolved ? (workspace.validProject(), []) : workspace.loadProject(resolves: false)
            let sync = try workspace.sync(name, in: project)
            let fields = resolved ? try fields(of: sync, workspace, project) : nil
            if options.isMachineReadable {
                Terminal.write(Document(kind: "sync.show", data: SyncText.json(sync, fields)).text(options.format))
            } else {
                Terminal.write(SyncText.page(sync, fields))
            }
        }

        /// The field behind each target of the map; none where there is no such field.
        private func fields(
            of sync: SyncFile, _ workspace: Workspace, _ project: Project
        ) throws -> [String: DestinationField] {
            let destination = sync.definition.destination
            let side = try workspace.side(try workspace.connection(destination.connection, in: project), in: project)
            let fields = try ConnectionCalls.fields(side, destination.object, workspace)
            let pins = try LockFile(root: project.root).pins(
                connection: destination.connection, object: destination.object)
            let lookup = FieldLookup(fields)
            var found: [String: DestinationField] = [:]
            for target in sync.definition.map.map(\.target) {
                if let code = pins[target], let field = fields.first(where: { $0.key == code }) {
                    found[target] = field
                } else if case .found(let place) = lookup.find(target) {
                    found[target] = fields[place]
                }
            }
            return found
        }
    }
}

/// A sync as text.
enum SyncText {
    /// One page.
    ///
    /// - Parameter fields: The field behind each target, or nil where nobody was asked.
    static func page(_ sync: SyncFile, _ fields: [String: DestinationField]? = nil) -> String {
        let definition = sync.definition
        var lines = ["\(sync.title ?? sync.name)  (\(sync.file)\(sync.isEnabled ? "" : ", disabled"))"]
        if let description = sync.description { lines.append("  \(description)") }
        lines += [
            "", "  source       \(SyncSummary.source(definition))",
            "  source key   "
                + (definition.source.key.isEmpty
                    ? "the table's primary key, else the row itself" : definition.source.key.joined(separator: ", ")),
            "  target       \(SyncSummary.destination(definition))",
            "  fetch        \(SyncSummary.fetch(definition.fetch))",
        ]
        if definition.fetch.mode == .incremental {
            if let start = definition.fetch.start { lines.append("  start        \(start)") }
            if let lookback = definition.fetch.lookback { lines.append("  lookback     \(text(lookback))") }
            lines.append("  null_key     \(definition.fetch.nullKey.rawValue)")
        } else {
            lines.append("  on_removed   \(definition.fetch.onRemoved.rawValue)")
        }
        lines.append("  insert       \(SyncSummary.insert(definition.insert))")
        if definition.insert.mode == .update {
            lines.append("  on_null      \(definition.insert.onNull.rawValue)")
            lines.append("  compare      \(definition.insert.compare.rawValue)")
            lines.append("  guard        \(definition.insert.editGuard.rawValue)")
        }
        lines.append("  undo         \(definition.undo.rawValue)")
        lines += ["", "  TARGET FIELD".fitted(to: 26) + "FROM"]
        for entry in definition.map {
            lines.append("  " + entry.target.printable.fitted(to: 24) + filling(entry))
            guard let fields else { continue }
            let field = fields[entry.target].map { "\($0.kind.rawValue) · \($0.key)" }
            lines.append("    " + (field ?? "the destination has no such field"))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func text(_ lookback: FetchDefinition.Lookback) -> String {
        switch lookback {
        case .microseconds(let length): TimeDisplay.duration(milliseconds: length / 1_000)
        case .number(let number): number
        }
    }

    private static func filling(_ entry: MapEntry) -> String {
        if !entry.parts.isEmpty {
            return entry.parts.map { "\($0.target) ← \(filling($0))" }.joined(separator: ", ")
        }
        var text = entry.from ?? "constant \(entry.value ?? "")"
        if let standIn = entry.defaultText { text += ", NULL → \(standIn)" }
        if let option = entry.option { text += ", by \(option.rawValue)" }
        if let separator = entry.split { text += ", split by \"\(separator)\"" }
        if entry.whenMissing == .skip { text += ", unknown ones left out" }
        if let editGuard = entry.editGuard { text += ", \(editGuard.rawValue)" }
        return text.printable
    }

    /// The same for programs.
    static func json(_ sync: SyncFile, _ fields: [String: DestinationField]? = nil) -> JSON {
        let definition = sync.definition
        var object = JSONObject()
        object["name"] = .string(sync.name)
        object["title"] = sync.title.map { .string($0) } ?? .null
        object["file"] = .string(sync.file)
        object["enabled"] = .bool(sync.isEnabled)
        object["source"] = .object([
            "connection": .string(definition.source.connection),
            "model": definition.source.model.map { .string($0) } ?? .null,
            "target": .string(SyncSummary.source(definition)), "key": .strings(definition.source.key),
        ])
        object["destination"] = .object([
            "connection": .string(definition.destination.connection), "object": .string(definition.destination.object),
        ])
        object["fetch"] = .object([
            "mode": .string(definition.fetch.mode.rawValue), "key": definition.fetch.key.map { .string($0) } ?? .null,
            "start": definition.fetch.start.map { .string($0) } ?? .null,
            "null_key": .string(definition.fetch.nullKey.rawValue),
            "on_removed": definition.fetch.mode == .full ? .string(definition.fetch.onRemoved.rawValue) : .null,
        ])
        object["insert"] = .object([
            "mode": .string(definition.insert.mode.rawValue), "match": .string(definition.insert.match),
            "match_as": definition.insert.matchRule.form.map { .string($0.rawValue) } ?? .null,
            "ignore_case": definition.insert.matchRule.ignoresCase.map { .bool($0) } ?? .null,
            "match_from": definition.insert.matchRule.from.map { .string($0) } ?? .null,
            "on_missing": .string(definition.insert.onMissing.rawValue),
            "on_null": .string(definition.insert.onNull.rawValue),
            "compare": .string(definition.insert.compare.rawValue),
            "guard": .string(definition.insert.editGuard.rawValue),
        ])
        object["undo"] = .string(definition.undo.rawValue)
        object["map"] = .array(
            definition.map.map { entry in
                var line: JSONObject = ["target": .string(entry.target), "from": .string(filling(entry))]
                if let fields {
                    line["key"] = fields[entry.target].map { .string($0.key) } ?? .null
                    line["kind"] = fields[entry.target].map { .string($0.kind.rawValue) } ?? .null
                }
                return .object(line)
            })
        return .object(object)
    }
}
