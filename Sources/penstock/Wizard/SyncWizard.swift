// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject

/// Gets the answers that a new sync needs, in five steps: from options, else by asking, else a failure that names the
/// option.
///
/// It reads from both ends and writes nothing.
final class SyncWizard {
    let workspace: Workspace
    let options: SyncNewOptions
    let questions = Questions()
    /// Whether anything may be asked at all.
    let asks: Bool
    private(set) var project: Project
    /// Texts of files that the sync needs and that are not there yet, by path in the project.
    var drafts: [String: String] = [:]
    /// The source, once it was looked at.
    var view: SourceView?
    /// The fields of the object, once they were read.
    var fields: [DestinationField] = []

    /// A wizard.
    ///
    /// - Parameter asks: Whether the options leave something open, and there is somebody to ask.
    init(_ workspace: Workspace, _ options: SyncNewOptions, _ project: Project, asks: Bool) {
        self.workspace = workspace
        self.options = options
        self.project = project
        self.asks = asks
    }

    /// The draft of the sync called `name`; asks for a name where there is none.
    func draft(name: String?) throws -> SyncDraft {
        let connection = try destination()
        let object = try self.object(connection)
        let source = try self.source()
        var draft = SyncDraft(name: name ?? "", connection: connection.name, object: object.id, source: source)
        if asks || options.auto { try look(draft, connection, object) }
        draft.key = try sourceKey(source)
        draft.map = try map(draft, object)
        try modes(&draft, object)
        try schedule(&draft)
        try about(&draft, name)
        try confirmRepetition(&draft)
        return draft
    }

    /// What is said where an answer is missing and nobody can be asked.
    func missing(_ option: String, _ what: String, _ allowed: [String] = []) -> CommandFailure {
        CommandFailure(
            .usage, code: "missing-answer", "\(option) is missing: \(what)",
            notes: allowed.isEmpty ? [] : ["one of: " + allowed.joined(separator: ", ")])
    }

    // MARK: - 1/5 Credentials

    private func destination() throws -> Connection {
        while true {
            let able = connections(.destination)
            if let given = options.connection {
                return try workspace.named(given, "connection", able, \.name)
            }
            guard asks else { throw missing("--connection", "where to write", able.map(\.name)) }
            let choices =
                able.map { Questions.Choice($0.name, note: title($0), Optional($0)) }
                + [Questions.Choice("+", note: "add one", nil)]
            if let chosen = try questions.choice("1/5 Credentials   write to", choices) { return chosen }
            try addConnection(.destination)
        }
    }

    /// The connections that can do this, in the order of the files.
    func connections(_ role: Capabilities) -> [Connection] {
        project.connections.filter { workspace.descriptors[$0.connector]?.capabilities.contains(role) ?? false }
    }

    private func title(_ connection: Connection) -> String {
        connection.description ?? workspace.descriptors[connection.connector]?.title ?? connection.connector
    }

    /// Adds a connection in place, and reads the project again.
    ///
    /// One that does not work is not kept, and the question that led here is asked again.
    func addConnection(_ role: Capabilities) throws {
        do {
            try ConnectionAdding.add(role, workspace)
        } catch let failure as CommandFailure {
            if Interruption.exitCode != nil || failure.code == Questions.aborted.code { throw failure }
            if !failure.message.isEmpty { Terminal.writeError(failure.message + "\n") }
            return
        }
        project = try workspace.validProject()
    }

    /// Reads the project again, with what is to be written laid over it.
    func reload() throws {
        let (loaded, found) = try workspace.loadProject(drafts: drafts)
        try workspace.report(found.filter { drafts[$0.file] != nil }, loaded)
        project = loaded
    }

    // MARK: - 2/5 Object

    private func object(_ connection: Connection) throws -> ObjectDescriptor {
        let objects = try workspace.connector(of: connection).descriptor.objects
        if let given = options.object { return try workspace.named(given, "object", objects, \.id) }
        guard asks else { throw missing("--object", "what to write", objects.map(\.id)) }
        return try questions.choice(
            "2/5 Object",
            objects.map { object in
                let needs = object.requiredOnCreate.joined(separator: ", ")
                return Questions.Choice(object.id, note: needs.isEmpty ? "" : "Append needs \(needs)", object)
            })
    }

    // MARK: - 5/5 Name

    private func about(_ draft: inout SyncDraft, _ name: String?) throws {
        if let name {
            draft.name = name
        } else {
            guard asks else { throw missing("NAME", "the name of the sync, behind `sync new`") }
            let standard = SyncNames.free(SyncNames.proposal(for: draft), in: project)
            draft.name = try questions.text("5/5 Name         ", default: standard) {
                SyncNames.problem($0, in: project)
            }
        }
        draft.title = options.title
        draft.description = options.description
        draft.owner = options.owner
        draft.tags = options.tag
        guard asks else { return }
        if draft.title == nil { draft.title = try optional("    Title (optional)") }
        if draft.description == nil { draft.description = try optional("    Description (optional)") }
    }

    private func optional(_ question: String) throws -> String? {
        let answer = try questions.text(question)
        return answer.isEmpty ? nil : answer
    }

    // MARK: - Every row, every time

    private func confirmRepetition(_ draft: inout SyncDraft) throws {
        if options.repeat?.lowercased() == InsertDefinition.Repeat.allow.rawValue { draft.repeats = true }
        guard draft.repeatsEverything, !draft.repeats, asks else { return }
        let rows = view?.rowsInAll.map { "about \($0.grouped) new \(draft.object) records" }
        let often = ScheduleWords.frequency(draft.schedule, zone: draft.timezone)
        questions.say("    This inserts \(rows ?? "every row again") on every run, \(often).")
        if try questions.confirm("    Keep it?") {
            draft.repeats = true
        } else {
            draft.schedule = .manual
            draft.timezone = nil
            questions.say("    It is left to be run by hand.")
        }
    }
}

/// Names for new syncs.
enum SyncNames {
    /// A name made of what is read and where it goes.
    static func proposal(for draft: SyncDraft) -> String {
        let what: String =
            switch draft.source {
            case .model(let model): model
            case .table(let table, _): table.split(separator: ".").last.map(String.init) ?? table
            }
        let name = "\(what)_to_\(draft.connection)".map { character -> Character in
            character.isLetter || character.isNumber || character == "_" || character == "-" ? character : "_"
        }
        let trimmed = String(name.drop { $0 == "_" || $0 == "-" }.prefix(80))
        return trimmed.isEmpty ? "sync" : trimmed
    }

    /// The name, or the name with a number where it is taken.
    static func free(_ name: String, in project: Project) -> String {
        guard problem(name, in: project) != nil else { return name }
        for number in 2...999 where problem("\(name)_\(number)", in: project) == nil { return "\(name)_\(number)" }
        return name
    }

    /// Why a new sync cannot be called so; nil where it can.
    static func problem(_ name: String, in project: Project) -> String? {
        guard Project.isName(name) else {
            return "\"\(name.printable)\" cannot be the name of a sync: use letters, digits, - and _"
        }
        if let other = project.sync(named: name) { return "there is a sync \"\(name)\" already, in \(other.file)" }
        for ending in ["yml", "yaml"]
        where FileManager.default.fileExists(atPath: "\(project.root)/syncs/\(name).\(ending)") {
            return "there is a file syncs/\(name).\(ending) already"
        }
        if let other = project.syncs.first(where: { $0.definition.formerName == name }) {
            return "\(other.name) was called \"\(name)\" and its records are marked with that name"
        }
        return nil
    }

    /// Refuses a name that a new sync cannot have.
    ///
    /// - Throws: ``CommandFailure`` 64.
    static func check(_ name: String, in project: Project) throws {
        guard let problem = problem(name, in: project) else { return }
        throw CommandFailure(.usage, code: Project.isName(name) ? "name-taken" : "bad-name", problem)
    }
}
