// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject

extension SyncCommand {
    /// `penstock sync map`.
    struct Map: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "map", abstract: "Change or check a sync's field map, with samples and types.",
            discussion: """
                Without options it shows the map and asks. Comments and order of the file stay. Reads from both ends; \
                writes the sync's file and sends nothing.

                Example: penstock sync map orgs_to_crm --set owner_id=owner --unset address
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var name: String

        @Flag(name: .long, help: "Add what looks certain or likely for fields that are not mapped.")
        var auto = false

        @Flag(name: .long, help: "Hold the map against the first rows; change nothing.")
        var check = false

        @Option(
            name: .long, help: ArgumentHelp("TARGET=COLUMN or TARGET={value: CONSTANT}; repeat it.", valueName: "t=s"))
        var set: [String] = []

        @Option(name: .long, help: ArgumentHelp("A target field to leave out; repeat it.", valueName: "t"))
        var unset: [String] = []

        func validate() throws {
            if check, auto || !set.isEmpty || !unset.isEmpty {
                throw ValidationError("--check changes nothing; leave the other options out.")
            }
        }

        func run() throws {
            let workspace = Workspace(options)
            let project = try workspace.validProject()
            let sync = try workspace.sync(name, in: project)
            if check { return try MapCheck(workspace, project, sync, options).run() }
            var answers = try SyncNewOptions.parse([])
            answers.map = set
            var entries = MapEntries.of(sync)
            let before = entries
            for target in unset {
                _ = try workspace.named(target, "target", entries, \.target)
                entries.removeAll { $0.target == target }
            }
            let said = try answers.entries()
            if !said.isEmpty { try check(said, workspace, project, sync) }
            for entry in said {
                if let place = entries.firstIndex(where: { $0.target == entry.target }) {
                    entries[place] = entry
                } else {
                    entries.append(entry)
                }
            }
            if auto || (set.isEmpty && unset.isEmpty) {
                guard auto || options.mayAsk else {
                    throw CommandFailure(
                        .usage, code: "missing-answer", "nothing was said that is to be changed",
                        notes: ["--set TARGET=COLUMN, --unset TARGET, --auto or --check"])
                }
                entries = try dialogue(entries, workspace, project, sync)
            }
            try write(entries, before, sync, workspace)
        }

        /// Refuses what neither side has, as the plan would, before it is written.
        private func check(
            _ entries: [SyncDraft.Entry], _ workspace: Workspace, _ project: Project, _ sync: SyncFile
        ) throws {
            let (view, fields) = try ends(workspace, project, sync)
            let lookup = FieldLookup(fields)
            for entry in entries {
                if case .unknown = lookup.find(entry.target) {
                    let names = fields.map(FieldLookup.name(of:))
                    throw Suggestion.failure(entry.target, "field", names)
                }
                let columns = view.schema.fields.map(\.name)
                if let column = entry.column, !columns.contains(column) {
                    throw Suggestion.failure(column, "column", columns)
                }
            }
        }

        /// The source with its first rows, and the fields of the object.
        private func ends(
            _ workspace: Workspace, _ project: Project, _ sync: SyncFile
        ) throws -> (SourceView, [DestinationField]) {
            let definition = sync.definition
            let source = try workspace.connection(definition.source.connection, in: project)
            let destination = try workspace.connection(definition.destination.connection, in: project)
            let view = try SourceView(definition.source.target, try workspace.side(source, in: project), workspace)
            let fields = try ConnectionCalls.fields(
                try workspace.side(destination, in: project), definition.destination.object, workspace)
            return (view, fields)
        }

        private func dialogue(
            _ entries: [SyncDraft.Entry], _ workspace: Workspace, _ project: Project, _ sync: SyncFile
        ) throws -> [SyncDraft.Entry] {
            let definition = sync.definition
            let destination = try workspace.connection(definition.destination.connection, in: project)
            let (view, fields) = try ends(workspace, project, sync)
            let subject = AutoMap.Subject(
                object: definition.destination.object, system: [destination.connector, destination.name])
            var dialogue = MapDialogue(
                fields: fields, view: view, subject: subject, entries: entries, questions: Questions())
            if auto {
                dialogue.propose(acceptsID: definition.insert.mode == .update && definition.insert.match == "id")
            } else {
                try dialogue.run(definition.destination.object)
            }
            return dialogue.entries
        }

        private func write(
            _ entries: [SyncDraft.Entry], _ before: [SyncDraft.Entry], _ sync: SyncFile, _ workspace: Workspace
        ) throws {
            let old = Dictionary(before.map { ($0.target, $0.argument) }) { first, _ in first }
            let changed = entries.filter { old[$0.target] != $0.argument }
            let dropped = before.filter { entry in !entries.contains { $0.target == entry.target } }
            let path = sync.pathInFile + ["map"]
            if !changed.isEmpty || !dropped.isEmpty {
                try ProjectEdit.edit(sync.file, of: workspace) { editor in
                    for entry in changed { try editor.set(path + [entry.target], to: entry.content) }
                    for entry in dropped { try editor.remove(path + [entry.target]) }
                }
            }
            let lines =
                changed.map { "  \($0.target.printable) ← \(MapDialogue.filling($0))" }
                + dropped.map { "  \($0.target.printable) is left out" }
            SyncChange.report(
                "sync.map",
                [
                    "sync": .string(sync.name), "set": .strings(changed.map(\.argument)),
                    "unset": .strings(dropped.map(\.target)),
                ],
                lines.isEmpty ? "Nothing was changed." : (["Changed \(sync.file):"] + lines).joined(separator: "\n"),
                options)
        }
    }
}

/// The map of a sync as lines of a draft.
enum MapEntries {
    /// The lines of a sync's map.
    static func of(_ sync: SyncFile) -> [SyncDraft.Entry] {
        sync.definition.map.map { SyncDraft.Entry($0.target, content($0)) }
    }

    private static func content(_ entry: MapEntry) -> YAMLValue {
        let settings = settings(entry)
        if settings.count == 1, let from = entry.from { return .text(from) }
        return .flow(.map(settings))
    }

    private static func settings(_ entry: MapEntry) -> [(key: String, value: YAMLValue)] {
        var settings: [(key: String, value: YAMLValue)] = []
        if let from = entry.from { settings.append(("from", .text(from))) }
        if let value = entry.value { settings.append(("value", .text(value))) }
        if let standard = entry.defaultText { settings.append(("default", .text(standard))) }
        if let option = entry.option { settings.append(("option", .text(option.rawValue))) }
        if let split = entry.split { settings.append(("split", .text(split))) }
        if let link = entry.link { settings.append(("link", .text(link.sync))) }
        if entry.whenMissing == .skip { settings.append(("when_missing", .text("skip"))) }
        if let editGuard = entry.editGuard { settings.append(("guard", .text(editGuard.rawValue))) }
        if !entry.parts.isEmpty { settings.append(("parts", .map(entry.parts.map { ($0.target, content($0)) }))) }
        return settings
    }
}

/// A field map held against the first rows of its source.
struct MapCheck {
    private let workspace: Workspace
    private let project: Project
    private let sync: SyncFile
    private let options: GlobalOptions

    init(_ workspace: Workspace, _ project: Project, _ sync: SyncFile, _ options: GlobalOptions) {
        self.workspace = workspace
        self.project = project
        self.sync = sync
        self.options = options
    }

    /// Prints one line for each entry, and ends with 65 where a row would be rejected.
    func run() throws {
        let open = try SyncPreparation(
            workspace, project, sync, try LockFile(root: project.root), isPlan: true
        ).open()
        defer { open.close() }
        let source = try workspace.connection(sync.definition.source.connection, in: project)
        let view = try SourceView(
            sync.definition.source.target, try workspace.side(source, in: project), workspace)
        let (faults, isChecked) = try faults(open.fields, view)
        var listing = Listing(
            kind: "sync.map",
            columns: [
                .init("TARGET"), .init("KIND"), .init(cutFirst: "FROM"), .init("TYPE"), .init(cutFirst: "SAMPLE"),
                .init("CHECK"),
            ])
        let lookup = FieldLookup(open.fields)
        for entry in MapEntries.of(sync) {
            let column = entry.column
            let type = column.flatMap { view.schema.index(of: $0) }.map { SourceView.typeName(view.schema.fields[$0]) }
            var kind = ""
            if case .found(let place) = lookup.find(entry.target) { kind = open.fields[place].kind.rawValue }
            let fault = faults[entry.target]
            let isOpen = !isChecked(entry.target)
            let check =
                fault.map { "\($0.count) of \(view.rowCount): \($0.code)" } ?? (isOpen ? "not checked" : "ok")
            listing.add(
                [
                    entry.target, kind, MapDialogue.filling(entry), type ?? "",
                    column.map { view.sample($0) } ?? "", check,
                ],
                .object([
                    "target": .string(entry.target), "kind": .string(kind), "from": .string(MapDialogue.filling(entry)),
                    "type": type.map { .string($0) } ?? .null, "rows": .integer(view.rowCount),
                    "rejected": isOpen ? .null : .integer(fault?.count ?? 0),
                    "code": fault.map { .string($0.code) } ?? .null,
                    "message": fault.map { .string($0.message) } ?? .null,
                ]),
                remark: fault.map { "\($0.value.isEmpty ? "" : "\"\($0.value)\": ")\($0.message)" }
                    ?? (isOpen ? "a run looks up the records of another sync; see penstock plan" : nil))
        }
        Terminal.write(listing.text(options.format, width: options.tableWidth))
        try CommandFailure.end(unlessOK: faults.isEmpty ? .ok : .data)
    }

    private struct Fault {
        var count: Int
        var code: String
        var value: String
        var message: String
    }

    /// What the rows have against each target, the first fault of each, and which targets were held against them.
    private func faults(
        _ fields: [DestinationField], _ view: SourceView
    ) throws -> (faults: [String: Fault], isChecked: (String) -> Bool) {
        var mapping: CompiledMapping
        var linked = Set<String>()
        do {
            mapping = try CompiledMapping(
                map: sync.definition.map, insert: sync.definition.insert, source: view.schema, fields: fields)
        } catch {
            throw CommandFailure(.config, code: error.problems[0].code.rawValue, error.problems[0].message)
        }
        if !mapping.links.isEmpty {
            // Links are followed by a run only; everything else is checked all the same.
            let plain = sync.definition.map.filter { $0.link == nil && $0.parts.allSatisfy { $0.link == nil } }
            linked = Set(sync.definition.map.map(\.target)).subtracting(plain.map(\.target))
            do {
                mapping = try CompiledMapping(
                    map: plain, insert: sync.definition.insert, source: view.schema, fields: fields)
            } catch {
                // What is left is no map without its links.
                return ([:], { _ in false })
            }
        }
        var faults: [String: Fault] = [:]
        for batch in view.batches {
            for reject in mapping.map(batch).rejects.map(\.reject) {
                if faults[reject.field] != nil {
                    faults[reject.field]?.count += 1
                } else {
                    faults[reject.field] = Fault(
                        count: 1, code: reject.code.rawValue, value: reject.value, message: reject.message)
                }
            }
        }
        return (faults, { !linked.contains($0) })
    }
}
