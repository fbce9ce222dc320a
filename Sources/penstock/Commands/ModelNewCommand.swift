// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel
import PenstockProject

/// `penstock model new`.
struct ModelNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Write a model: asks, or takes everything from flags.",
        discussion: """
            The query is described by the source before it is kept: a model that cannot be read is not written.

            Example: penstock model new crm_orgs --connection warehouse --table mart.crm_orgs --key account_id
            Example: penstock model new changed --connection warehouse --sql-file query.sql --declare since:date=2026-01-01
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The model's name; its files are models/NAME.sql and, where needed, models/NAME.yml.")
    var name: String?

    @Option(name: .long, help: "The connection to read from.")
    var connection: String?

    @Option(name: .long, help: "Begin with every column of this table or view.")
    var table: String?

    @Option(name: .long, help: "Take the SELECT from this file; - is standard input.")
    var sqlFile: String?

    @Option(name: .long, help: "The columns that identify a row, with commas between; none for no key.")
    var key: String?

    @Option(name: .long, help: "What the model is for.")
    var description: String?

    @Option(name: .long, help: "A parameter of the query, NAME:TYPE or NAME:TYPE=DEFAULT; may be repeated.")
    var declare: [String] = []

    @Flag(name: .long, help: "Write the files to standard output instead.")
    var print = false

    func validate() throws {
        guard table == nil || sqlFile == nil else {
            throw ValidationError("--table and --sql-file exclude each other.")
        }
    }

    func run() throws {
        let workspace = Workspace(options)
        let (project, _) = try workspace.loadProject(resolves: false)
        let questions = ModelQuestions(workspace, project)
        let name = try questions.name(name)
        let parameters = try declare.map { text throws in
            guard let parameter = ModelParameter(declaration: text) else {
                throw CommandFailure(
                    .usage, code: "usage", "--declare takes NAME:TYPE or NAME:TYPE=DEFAULT, not \"\(text)\"",
                    notes: ["types: " + ModelParameter.Kind.allCases.map(\.rawValue).joined(separator: ", ")])
            }
            return parameter
        }
        let twice = Dictionary(grouping: parameters, by: \.name).filter { $0.value.count > 1 }.keys.min()
        if let twice {
            throw CommandFailure(.usage, code: "usage", "--declare gives the parameter \(twice) twice")
        }
        let text = try sqlFile.map { try questions.contents(of: $0) }
        let named = text.map { ModelDraft(name: name, connection: nil, text: $0, key: nil).connection }
        let side = try questions.side(connection ?? named.flatMap { $0.isEmpty ? nil : $0 })
        var (draft, primaryKey) = try questions.draft(name, side, table: table, text: text)
        draft.description = description
        draft.parameters = parameters
        let schema = try questions.described(draft, side)
        draft.key = try questions.key(key, of: draft, schema, default: primaryKey)
        try keep(draft, schema, workspace)
    }

    private func keep(_ draft: ModelDraft, _ schema: Schema, _ workspace: Workspace) throws {
        let files = [(draft.sqlFile, draft.sqlText), draft.yamlText.map { (draft.yamlFile, $0) }].compactMap { $0 }
        if print {
            let shown = files.count == 1 ? files[0].1 : files.map { "# \($0.0)\n\($0.1)" }.joined(separator: "\n")
            return Terminal.write(shown)
        }
        try ModelFiles.refuseTaken(files.map(\.0), root: try workspace.root.get())
        try ProjectEdit.check(Dictionary(files) { $1 }, workspace, isQuietAboutWarnings: true)
        try ModelFiles.write(files, root: try workspace.root.get())
        if options.isMachineReadable {
            let data: JSON = .object([
                "name": .string(draft.name), "connection": .string(draft.connection), "key": .strings(draft.key),
                "files": .strings(files.map(\.0)), "columns": .strings(schema.fields.map(\.name)),
            ])
            Terminal.write(Document(kind: "model.new", data: data).text(options.format))
        }
        guard !options.quiet else { return }
        let key = draft.key.isEmpty ? "no key" : "key \(draft.key.joined(separator: ", "))"
        Terminal.writeError(
            """
            Created \(files.map(\.0).joined(separator: " and "))  (\(counted(schema.fields.count, "column")), \(key))
            Next:  penstock model check \(draft.name)
                   penstock model preview \(draft.name)

            """)
    }
}

/// The files of a new model.
enum ModelFiles {
    /// Refuses files that exist.
    ///
    /// - Throws: ``CommandFailure`` 64.
    static func refuseTaken(_ paths: [String], root: String) throws {
        for path in paths where FileManager.default.fileExists(atPath: "\(root)/\(path)") {
            throw CommandFailure(
                .usage, code: "model-exists", "\(path) exists already",
                notes: ["choose another name, or edit the file"])
        }
    }

    /// Writes files that must not exist yet, all or none.
    ///
    /// - Throws: ``CommandFailure`` 64 where one exists, 73 where one cannot be written.
    static func write(_ files: [(path: String, text: String)], root: String) throws {
        try refuseTaken(files.map(\.path), root: root)
        var written: [String] = []
        for file in files {
            let path = "\(root)/\(file.path)"
            do throws(ProjectFileProblem) {
                try ProjectFileWriter.write(file.text, to: path, isNew: true)
                written.append(path)
            } catch {
                for path in written {
                    // The half of a model is worse than none; if it stays, the next attempt says so.
                    try? FileManager.default.removeItem(atPath: path)
                }
                throw CommandFailure(
                    .cannotWrite, code: "cannot-write", "\(path) cannot be written: \(error.reason)")
            }
        }
    }
}
