// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject

/// Step 3, the first half: what is read.
extension SyncWizard {
    private enum Origin {
        case model
        case table
        case newModel
    }

    /// What is read: of the options, else by asking.
    func source() throws -> SyncDraft.Source {
        if let model = options.model { return .model(try workspace.named(model, "model", project.models, \.name).name) }
        if options.table != nil || options.sourceConnection != nil { return try table() }
        guard asks else { throw missing("--model or --table", "what to read") }
        if connections(.source).isEmpty { try addConnection(.source) }
        let hasQueries = !connections(.query).isEmpty
        let origins: [(Questions.Choice<Origin>, Bool)] = [
            (Questions.Choice("Data Model", .model), !project.models.isEmpty),
            (Questions.Choice("Table/View", .table), true),
            (Questions.Choice("new Data Model", .newModel), hasQueries),
        ]
        Terminal.writeError("3/5 Configuration\n")
        let choices = origins.filter(\.1).map(\.0)
        switch choices.count == 1 ? choices[0].value : try questions.choice("    Fetch from   ", choices) {
        case .model:
            return .model(
                try questions.choice(
                    "    Data Model   ",
                    project.models.map { Questions.Choice($0.name, note: $0.connection, $0.name) }))
        case .table: return try table()
        case .newModel: return .model(try ModelAdding.add(self))
        }
    }

    private func table() throws -> SyncDraft.Source {
        let able = connections(.source)
        let connection: Connection
        if let given = options.sourceConnection {
            connection = try workspace.named(given, "connection", able, \.name)
        } else {
            guard asks else { throw missing("--source-connection", "where to read", able.map(\.name)) }
            connection = try sourceConnection("    Data Warehouse", .source)
        }
        if let table = options.table { return .table(table, connection: connection.name) }
        guard asks else { throw missing("--table", "what to read of \(connection.name)") }
        let objects = try ConnectionCalls.discover(
            try workspace.side(connection, in: project), [], workspace
        ).objects
        guard !objects.isEmpty else {
            throw CommandFailure(
                .config, code: "no-table", "the connection \(connection.name) has no table or view to read")
        }
        let choices = objects.map { object in
            Questions.Choice(
                object.id, note: object.estimatedRows.map { "\($0.grouped) rows" } ?? object.kind.rawValue, object.id)
        }
        return .table(try questions.choice("    Table/View   ", choices), connection: connection.name)
    }

    /// One of the connections that can do this; one can be added in place.
    func sourceConnection(_ question: String, _ role: Capabilities) throws -> Connection {
        while true {
            let able = connections(role)
            let choices =
                able.map { Questions.Choice($0.name, note: $0.description ?? $0.connector, Optional($0)) }
                + [Questions.Choice("+", note: "add one", nil)]
            if let chosen = try questions.choice(question, choices) { return chosen }
            try addConnection(.source)
        }
    }

    /// Looks at both ends: the columns and rows of the source, the fields of the object.
    func look(_ draft: SyncDraft, _ connection: Connection, _ object: ObjectDescriptor) throws {
        if view == nil {
            let (name, target) = try read(draft.source)
            let side = try workspace.side(try workspace.connection(name, in: project), in: project)
            view = try SourceView(target, side, workspace)
        }
        fields = try ConnectionCalls.fields(try workspace.side(connection, in: project), object.id, workspace)
    }

    private func read(_ source: SyncDraft.Source) throws -> (connection: String, target: ReadRequest.Target) {
        switch source {
        case .table(let table, let connection): return (connection, .object(table))
        case .model(let name):
            let model = try workspace.named(name, "model", project.models, \.name)
            return (model.connection, .query(try ModelValues.query(of: model, [:])))
        }
    }

    /// The columns that tell rows apart: of the options, else asked for where nothing else says it.
    func sourceKey(_ source: SyncDraft.Source) throws -> [String] {
        guard options.keyColumns.isEmpty else { return options.keys }
        guard asks, let view else { return [] }
        if case .model(let name) = source, project.model(named: name).map({ !$0.key.isEmpty }) ?? false { return [] }
        if let table = view.table, !table.primaryKey.isEmpty { return [] }
        let choices =
            [Questions.Choice("none", note: "a row is known by its content", [String]())]
            + view.schema.fields.map {
                let isUnique = view.tellsApart($0.name)
                return Questions.Choice(
                    $0.name, note: SourceView.typeName($0) + (isUnique ? ", no value twice so far" : ""), [$0.name])
            }
        return try questions.choice("    Source key    which column tells rows apart?", choices)
    }
}

/// Adds a connection while a sync is made.
enum ConnectionAdding {
    /// Asks for a connector that can do this, and then for what `penstock connection add` asks for.
    ///
    /// The connection is tried and kept by that command; it stays, whatever becomes of the sync.
    static func add(_ role: Capabilities, _ workspace: Workspace) throws {
        let able = workspace.loadedDescriptors.filter { $0.capabilities.contains(role) }
        let connector = try Questions().choice(
            "    Connector    ", able.map { Questions.Choice($0.id, note: $0.title, $0.id) })
        let command = try ConnectionCommand.Add.parse(
            ["--connector", connector] + workspace.options.words(in: workspace.options.startFolder))
        try command.run()
    }
}

/// Adds a model while a sync is made.
enum ModelAdding {
    /// Asks for a SELECT, tries it, and leaves the model's file among the drafts of the wizard.
    ///
    /// - Returns: The model's name.
    static func add(_ wizard: SyncWizard) throws -> String {
        let questions = wizard.questions
        let connection = try wizard.sourceConnection("    Data Warehouse", .query)
        let side = try wizard.workspace.side(connection, in: wizard.project)
        questions.say("    SELECT, ended by a semicolon or an empty line:")
        let sql = try select(wizard, side)
        let taken = wizard.project.models.map(\.name)
        let name = try questions.text("    Name of the model") { name in
            if taken.contains(name) { return "there is a model \"\(name.printable)\" already" }
            return Project.isName(name) ? nil : "use letters, digits, - and _"
        }
        try wizard.addModel(name, connection: connection.name, sql: sql)
        return name
    }

    private static func select(_ wizard: SyncWizard, _ side: PenstockHost.SyncSetup.Side) throws -> String {
        while true {
            var lines: [String] = []
            while true {
                let line = try wizard.questions.text("     ")
                if line.isEmpty, !lines.isEmpty { break }
                if line.isEmpty { wizard.questions.say("    a SELECT is needed; Ctrl-C ends this") }
                if !line.isEmpty { lines.append(line) }
                if line.hasSuffix(";") { break }
            }
            var sql = lines.joined(separator: "\n")
            while let last = sql.last, last == ";" || last.isWhitespace { sql.removeLast() }
            do {
                let view = try SourceView(.query(sql), side, wizard.workspace)
                let names = view.schema.fields.map(\.name.printable)
                wizard.questions.say(
                    "    ok, \(counted(names.count, "column")): \(names.joined(separator: ", "))", indent: 8)
                wizard.view = view
                return sql
            } catch let failure as CommandFailure {
                if Interruption.exitCode != nil { throw Questions.aborted }
                wizard.questions.say("    \(failure.message)", indent: 8)
                wizard.questions.say("    Once more:")
            }
        }
    }
}

extension SyncWizard {
    /// Takes note of a model that is not written yet, and reads the project with it.
    func addModel(_ name: String, connection: String, sql: String) throws {
        let model = ModelDraft(name: name, connection: connection, text: sql, key: nil)
        drafts[model.sqlFile] = model.sqlText
        if let text = model.yamlText { drafts[model.yamlFile] = text }
        try reload()
    }
}
