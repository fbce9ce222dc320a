// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import PenstockProject

/// Gets the answers that `model new` needs: from flags, else by asking, else a failure that names the flag.
struct ModelQuestions {
    private let workspace: Workspace
    private let project: Project

    private var mayAsk: Bool { workspace.options.mayAsk }

    private static let aborted = CommandFailure(
        .usage, code: "aborted", "there was no answer; no model was written")
    private static let listedMax = 20
    private static let bytesMax = 1 << 20

    /// Questions for a model of `project`.
    init(_ workspace: Workspace, _ project: Project) {
        self.workspace = workspace
        self.project = project
    }

    /// The name of a model that does not exist yet.
    func name(_ given: String?) throws -> String {
        guard let name = try given ?? asked("Name of the model") else {
            throw CommandFailure(
                .usage, code: "missing-answer", "the model's name is missing", notes: ["penstock model new NAME …"])
        }
        guard ModelDraft(name: name, connection: nil, text: "", key: nil).hasGoodName else {
            throw CommandFailure(
                .usage, code: "bad-name", "\"\(name)\" cannot be the name of a model",
                notes: ["use letters, digits, - and _"])
        }
        if let model = project.model(named: name) {
            throw CommandFailure(
                .usage, code: "model-exists", "there is a model \"\(name)\" already, in \(model.file)",
                notes: ["choose another name, or edit the file"])
        }
        return name
    }

    /// The connection to read from.
    func side(_ given: String?) throws -> SyncSetup.Side {
        let able = project.connections.filter {
            workspace.descriptors[$0.connector]?.capabilities.contains(.query) ?? false
        }.map(\.name)
        guard !able.isEmpty else {
            throw CommandFailure(
                .usage, code: "connector-role", "no connection of the project can carry out a SELECT",
                notes: ["a file is read as a table: source: {connection: NAME, table: NAME} in the sync"])
        }
        var name = given
        if name == nil, able.count == 1 { name = able[0] }
        if name == nil, mayAsk { name = try choice("Which connection is it read from?", able) }
        guard let name else {
            throw CommandFailure(
                .usage, code: "missing-answer", "--connection is missing",
                notes: ["one of: \(able.joined(separator: ", "))"])
        }
        let connection = try workspace.connection(name, in: project)
        guard able.contains(name) else {
            throw CommandFailure(
                .usage, code: "connector-role", "\(name) (\(connection.connector)) reads no models",
                notes: ["connections that do: \(able.joined(separator: ", "))"])
        }
        return try workspace.side(connection, in: project)
    }

    /// The text of a file, or of standard input.
    func contents(of path: String) throws -> String {
        let data: Data?
        if path == "-" {
            data = FileHandle.standardInput.readDataToEndOfFile()
        } else {
            let url = URL(fileURLWithPath: path, relativeTo: URL(fileURLWithPath: workspace.options.startFolder + "/"))
            // What is wrong with it is said below, with its name.
            data = try? Data(contentsOf: url)
        }
        let shown = path == "-" ? "standard input" : path
        guard let data, data.count <= Self.bytesMax, let text = String(validating: data, as: UTF8.self) else {
            throw CommandFailure(
                .usage, code: "unreadable", "\(shown) cannot be read as text of at most 1 MB",
                notes: ["--sql-file FILE, or --sql-file - for standard input"])
        }
        return text
    }

    /// The draft of the query, and the primary key of the table that it begins with.
    func draft(
        _ name: String, _ side: SyncSetup.Side, table: String?, text: String?
    ) throws -> (draft: ModelDraft, primaryKey: [String]) {
        if let text {
            let draft = ModelDraft(name: name, connection: side.name, text: text, key: nil)
            return (draft, draft.key)
        }
        if let table { return try draft(name, side, table) }
        guard mayAsk else {
            throw CommandFailure(
                .usage, code: "missing-answer", "--table or --sql-file is missing",
                notes: [
                    "--table NAME begins with every column of a table",
                    "--sql-file FILE takes a SELECT; - is standard input",
                ])
        }
        let ways = ["a table or view", "your own SELECT"]
        if try choice("What does the model read?", ways) == ways[0] {
            return try draft(name, side, try askedTable(side))
        }
        Terminal.writeError("The SELECT; an empty line or a ; at the end of a line ends it:\n")
        var lines: [String] = []
        while let line = Terminal.readAnswer() {
            lines.append(line)
            if line.trimmingCharacters(in: .whitespaces).hasSuffix(";") || (line.isEmpty && lines.count > 1) { break }
        }
        let text = lines.joined(separator: "\n")
        guard text.contains(where: { !$0.isWhitespace }) else { throw Self.aborted }
        let draft = ModelDraft(name: name, connection: side.name, text: text, key: nil)
        return (draft, draft.key)
    }

    private func askedTable(_ side: SyncSetup.Side) throws -> String {
        let names = try ConnectionCalls.discover(side, [], workspace).objects.map(\.id)
        if names.count <= Self.listedMax, !names.isEmpty { return try choice("Which table?", names) }
        while let answer = Prompt.text("Which table? (\(counted(names.count, "table")))") {
            if names.contains(answer) { return answer }
            let near = NearestName.of(answer, in: names).map { "; did you mean \"\($0)\"?" } ?? ""
            let some = names.filter { $0.contains(answer) }.prefix(Self.listedMax).joined(separator: ", ")
            Terminal.writeError("  there is no \"\(answer)\"\(near)\n" + (some.isEmpty ? "" : "  \(some)\n"))
        }
        throw Self.aborted
    }

    /// A draft that selects every column of a table, with its names quoted the way that the source takes.
    private func draft(
        _ name: String, _ side: SyncSetup.Side, _ table: String
    ) throws -> (draft: ModelDraft, primaryKey: [String]) {
        let found = try discovered(table, side)
        let columns = found.columns.map(\.name)
        let drafts = ModelDraft.quotings(for: [found.id] + columns).map { quoting in
            ModelDraft(
                name: name, connection: side.name, text: ModelDraft.select(columns, from: found.id, quoting), key: [])
        }
        for draft in drafts {
            let schema = ConnectionCalls.schema(side, ReadRequest(.query(draft.sql)), workspace)
            if schema?.fields.map(\.name) == columns { return (draft, found.primaryKey) }
        }
        return (drafts[0], found.primaryKey)
    }

    private func discovered(_ table: String, _ side: SyncSetup.Side) throws -> CatalogObject {
        do {
            if let found = try ConnectionCalls.discover(side, [table], workspace).objects.first { return found }
        } catch let failure as CommandFailure where failure.code == ConnectorError.Code.notFound.description {
            let names = try ConnectionCalls.discover(side, [], workspace).objects.map(\.id)
            throw Suggestion.failure(table, "table", names)
        }
        throw Suggestion.failure(table, "table", [])
    }

    /// The columns of the draft's query, as the source describes them.
    ///
    /// - Throws: ``CommandFailure`` where the query cannot be carried out.
    func described(_ draft: ModelDraft, _ side: SyncSetup.Side) throws -> Schema {
        let query: String
        do throws(ModelDraft.QueryProblem) {
            query = try draft.sampleQuery()
        } catch {
            throw CommandFailure(
                .config, code: "model-param", error.message, notes: [error.suggestion].compactMap { $0 })
        }
        return try ConnectionCalls.describe(side, ReadRequest(.query(query)), workspace)
    }

    /// The key: as given, as the text says, or asked for; its columns are there.
    func key(
        _ given: String?, of draft: ModelDraft, _ schema: Schema, default primaryKey: [String]
    ) throws -> [String] {
        let columns = schema.fields.map(\.name)
        if let given { return try checkedKey(Self.columns(given), columns) }
        guard draft.key.isEmpty, mayAsk else {
            return try checkedKey(draft.key.isEmpty ? primaryKey : draft.key, columns)
        }
        let shown = schema.fields.map { "\($0.name) \($0.type.rawValue)" }.joined(separator: ", ")
        Terminal.writeError("Columns: \(shown.printable)\n")
        let standard = primaryKey.isEmpty ? "none" : primaryKey.joined(separator: ", ")
        while let answer = Prompt.text("Which columns identify a row?", default: standard) {
            do {
                return try checkedKey(Self.columns(answer), columns)
            } catch let failure as CommandFailure {
                Terminal.writeError(failure.message + "\n")
            }
        }
        throw Self.aborted
    }

    private static func columns(_ text: String) -> [String] {
        guard text != "none" else { return [] }
        return text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    private func checkedKey(_ key: [String], _ columns: [String]) throws -> [String] {
        if let unknown = key.first(where: { !columns.contains($0) }) {
            throw Suggestion.failure(unknown, "column", columns)
        }
        return key
    }

    private func choice(_ question: String, _ choices: [String]) throws -> String {
        guard let answer = Prompt.choice(question, choices) else { throw Self.aborted }
        return answer
    }

    private func asked(_ question: String) throws -> String? {
        guard mayAsk else { return nil }
        while let answer = Prompt.text(question) {
            if !answer.isEmpty { return answer }
        }
        throw Self.aborted
    }
}
