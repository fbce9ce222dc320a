// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockModel
import PenstockProject

/// `penstock template`.
struct TemplateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "template", abstract: "Saved syncs with places left open.",
        discussion: "Example: penstock template use crm_update orgs_to_crm --param connection=crm",
        subcommands: [List.self, Show.self, New.self, Use.self, Remove.self], aliases: ["templates"])

    @OptionGroup var options: GlobalOptions

    /// `penstock template list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List templates.", discussion: "Example: penstock template list")

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let (project, _) = try Workspace(options).loadProject(resolves: false)
            var listing = Listing(
                kind: "template.list",
                columns: [
                    .init("NAME"), .init("PARAMETERS"), .init("SYNCS"), .init(cutFirst: "DESCRIPTION"), .init("FILE"),
                ])
            for template in project.templates {
                let users = project.syncs.filter { $0.template == template.name }.map(\.name)
                let names = template.parameters.map(\.name)
                listing.add(
                    [
                        template.name, names.joined(separator: ", "), users.joined(separator: ", "),
                        template.description ?? "", template.file,
                    ],
                    .object([
                        "name": .string(template.name), "parameters": .strings(names), "syncs": .strings(users),
                        "description": .string(template.description ?? ""), "file": .string(template.file),
                    ]))
            }
            listing.emptyNote = "The project has no templates; save one: penstock sync save-template SYNC"
            Terminal.write(listing.text(options.format, width: options.tableWidth))
        }
    }

    /// `penstock template show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show a template's parameters and its sync.",
            discussion: "Example: penstock template show crm_update")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The template.")
        var name: String

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let template = try workspace.named(name, "template", project.templates, \.name)
            let text = try ProjectEdit.text(of: "\(project.root)/\(template.file)") ?? ""
            if options.isMachineReadable {
                return Terminal.write(
                    Document(kind: "template.show", data: json(template, text)).text(options.format))
            }
            var listing = Listing(
                kind: "template.show",
                columns: [.init("PARAMETER"), .init("TYPE"), .init("DEFAULT"), .init(cutFirst: "DESCRIPTION")])
            for parameter in template.parameters {
                listing.add(
                    [
                        parameter.name, TemplateNames.type(parameter),
                        parameter.standard ?? (parameter.isRequired ? "required" : "left out"),
                        parameter.description ?? "",
                    ], .null)
            }
            listing.emptyNote = "It has no parameters."
            let head = "\(template.name)  (\(template.file))\n" + (template.description.map { "  \($0)\n" } ?? "")
            Terminal.write(head + "\n" + listing.text(.table, width: options.tableWidth) + "\n" + text)
        }

        private func json(_ template: SyncTemplate, _ text: String) -> JSON {
            .object([
                "name": .string(template.name), "file": .string(template.file),
                "description": template.description.map { .string($0) } ?? .null,
                "parameters": .array(
                    template.parameters.map { parameter in
                        .object([
                            "name": .string(parameter.name), "type": .string(parameter.type.rawValue),
                            "connector": parameter.connector.map { .string($0) } ?? .null,
                            "choices": .strings(parameter.choices),
                            "default": parameter.standard.map { .string($0) } ?? .null,
                            "required": .bool(parameter.isRequired && parameter.standard == nil),
                            "description": parameter.description.map { .string($0) } ?? .null,
                        ])
                    }),
                "text": .string(text),
            ])
        }
    }

    /// `penstock template new`.
    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new", abstract: "Make a template of a sync.",
            discussion: "Example: penstock template new crm_update --from orgs_to_crm")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The name of the template.")
        var name: String

        @Option(name: .long, help: "The sync.")
        var from: String

        func run() throws { try TemplateNames.save(from, as: name, options) }
    }

    /// `penstock template use`.
    struct Use: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "use", abstract: "Make a sync of a template. Sends nothing.",
            discussion: """
                Asks for parameters that are missing, or takes them as options; those with a default need none.

                Example: penstock template use crm_update orgs_to_crm --param connection=crm --param model=crm_orgs
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The template.")
        var template: String

        @Argument(help: "The name of the new sync.")
        var name: String

        @Option(name: .long, help: ArgumentHelp("A parameter; repeat it.", valueName: "name=value"))
        var param: [String] = []

        @Flag(name: .long, help: "Print the file instead of writing it.")
        var print = false

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            try SyncNames.check(name, in: project)
            var answers = try SyncNewOptions.parse([])
            answers.param = param
            try TemplateUse(workspace, project, options, asks: options.mayAsk)
                .make(template, name: name, answers, prints: print)
        }
    }

    /// `penstock template remove`.
    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Remove a template; the syncs made of it stay.",
            discussion: "Example: penstock template remove crm_update --yes")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The template.")
        var name: String

        @Flag(name: .long, help: "Do not ask.")
        var yes = false

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let template = try workspace.named(name, "template", project.templates, \.name)
            try StateFiles.confirm(
                "this removes \(template.file)", "Remove \(template.file)?", refusal: "nothing was removed", options,
                isSaid: yes)
            guard unlink("\(project.root)/\(template.file)") == 0 else {
                throw CommandFailure(.cannotWrite, code: "cannot-write", "\(template.file) cannot be removed")
            }
            if options.isMachineReadable {
                let data: JSON = .object(["template": .string(name), "file": .string(template.file)])
                Terminal.write(Document(kind: "template.remove", data: data).text(options.format))
            }
            if !options.quiet { Terminal.writeError("Removed \(template.file).\n") }
        }
    }
}

/// Makes a sync of a template.
struct TemplateUse {
    let workspace: Workspace
    let project: Project
    let options: GlobalOptions
    /// Whether missing parameters may be asked for.
    let asks: Bool

    init(_ workspace: Workspace, _ project: Project, _ options: GlobalOptions, asks: Bool) {
        self.workspace = workspace
        self.project = project
        self.options = options
        self.asks = asks
    }

    /// Makes the sync called `name`, checks it, and writes or prints it.
    func make(_ templateName: String, name: String?, _ answers: SyncNewOptions, prints: Bool) throws {
        let template = try workspace.named(templateName, "template", project.templates, \.name)
        guard !template.hasErrors else {
            throw CommandFailure(
                .config, code: "template-param", "the template \(template.name) has errors",
                notes: ["see them: penstock validate"])
        }
        let values = try self.values(template, answers.param)
        let name = try name ?? self.name(template)
        try SyncNames.check(name, in: project)
        let text = try about(template.text(name: name, values: values), answers)
        let file = "syncs/\(name).yml"
        try ProjectEdit.check([file: text], workspace)
        if prints { return Terminal.write(text) }
        try NewFiles.write([file: text], last: file, root: project.root)
        report(template, name, file, values, answers)
    }

    private func name(_ template: SyncTemplate) throws -> String {
        guard asks else {
            throw CommandFailure(.usage, code: "missing-answer", "NAME is missing: the name of the sync")
        }
        let standard = SyncNames.free(template.name, in: project)
        return try Questions().text("Name of the sync", default: standard) { SyncNames.problem($0, in: project) }
    }

    /// What was said beside the parameters.
    private func about(_ text: String, _ answers: SyncNewOptions) throws -> String {
        do {
            var editor = try YAMLEditor(file: "the template", text: text)
            if let title = answers.title { try editor.set(["title"], to: .text(title)) }
            if let description = answers.description { try editor.set(["description"], to: .text(description)) }
            if let owner = answers.owner { try editor.set(["owner"], to: .text(owner)) }
            if !answers.tag.isEmpty { try editor.set(["tags"], to: .list(answers.tag.map { .text($0) })) }
            return editor.text
        } catch {
            throw ProjectEdit.failure(error)
        }
    }

    private func values(_ template: SyncTemplate, _ given: [String]) throws -> [String: String] {
        var values: [String: String] = [:]
        for pair in given {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                throw CommandFailure(.usage, code: "usage", "--param takes name=value, not \"\(pair)\"")
            }
            let parameter = try workspace.named(parts[0], "parameter", template.parameters, \.name)
            if let fault = SyncTemplate.fault(of: parts[1], for: parameter, in: project) {
                throw CommandFailure(
                    .usage, code: "template-param", "--param \(parts[0]): \(fault.reason)",
                    notes: [
                        fault.suggestion.map { "did you mean \"\($0)\"?" },
                        fault.allowed.isEmpty ? nil : "allowed: " + fault.allowed.joined(separator: ", "),
                    ].compactMap { $0 })
            }
            values[parameter.name] = parts[1]
        }
        let missing = template.parameters.filter { values[$0.name] == nil && $0.standard == nil && $0.isRequired }
        guard asks || missing.isEmpty else {
            throw CommandFailure(
                .usage, code: "missing-answer", "--param \(missing[0].name)=… is missing",
                notes: missing.map { "\($0.name): " + ($0.description ?? TemplateNames.type($0)) })
        }
        for parameter in missing { values[parameter.name] = try ask(parameter) }
        return values
    }

    private func isFitting(_ connection: Connection, _ parameter: SyncTemplate.Parameter) -> Bool {
        parameter.connector.map { $0 == connection.connector } ?? true
    }

    private func ask(_ parameter: SyncTemplate.Parameter) throws -> String {
        let questions = Questions()
        let title = parameter.name + (parameter.description.map { " (\($0))" } ?? "")
        let names: [String] =
            switch parameter.type {
            case .connection:
                project.connections.filter { isFitting($0, parameter) }.map(\.name)
            case .model: project.models.map(\.name)
            case .choice: parameter.choices
            case .table, .cron, .text, .number: []
            }
        if !names.isEmpty { return try questions.choice(title, names.map { Questions.Choice($0, $0) }) }
        return try questions.text(title) {
            $0.isEmpty ? "it needs a value" : SyncTemplate.fault(of: $0, for: parameter, in: project)?.reason
        }
    }

    private func report(
        _ template: SyncTemplate, _ name: String, _ file: String, _ values: [String: String], _ answers: SyncNewOptions
    ) {
        var words = ["penstock", "template", "use", template.name, name]
        for parameter in template.parameters {
            if let value = values[parameter.name] { words += ["--param", "\(parameter.name)=\(value)"] }
        }
        if answers.title != nil || answers.description != nil || answers.owner != nil || !answers.tag.isEmpty {
            words.replaceSubrange(1..<5, with: ["sync", "new", name, "--template", template.name])
            if let title = answers.title { words += ["--title", title] }
            if let description = answers.description { words += ["--description", description] }
            if let owner = answers.owner { words += ["--owner", owner] }
            for tag in answers.tag { words += ["--tag", tag] }
        }
        if options.isMachineReadable {
            let data: JSON = .object([
                "sync": .string(name), "file": .string(file), "template": .string(template.name),
                "command": .strings(words),
            ])
            Terminal.write(Document(kind: "sync.new", data: data).text(options.format))
        }
        guard !options.quiet else { return }
        let command = ShellText.command(words, width: Terminal.width, indent: 4)
        Terminal.writeError(
            "Wrote \(file). Nothing has been sent.\nSame without questions:\n  \(command)\n"
                + "Next:  penstock plan \(name)\n"
        )
    }
}

/// Names and texts of templates.
enum TemplateNames {
    /// Why a new template cannot be called so; nil where it can.
    static func problem(_ name: String, in project: Project) -> String? {
        guard Project.isName(name) else {
            return "\"\(name.printable)\" cannot be the name of a template: use letters, digits, - and _"
        }
        for ending in ["yml", "yaml"]
        where FileManager.default.fileExists(atPath: "\(project.root)/templates/\(name).\(ending)") {
            return "there is a template \"\(name)\" already, in templates/\(name).\(ending)"
        }
        return nil
    }

    /// Refuses a name that a new template cannot have.
    ///
    /// - Throws: ``CommandFailure`` 64.
    static func check(_ name: String, in project: Project) throws {
        guard let problem = problem(name, in: project) else { return }
        throw CommandFailure(.usage, code: Project.isName(name) ? "name-taken" : "bad-name", problem)
    }

    /// The type of a parameter for people.
    static func type(_ parameter: SyncTemplate.Parameter) -> String {
        if let connector = parameter.connector { return "connection (\(connector))" }
        if parameter.type == .choice { return parameter.choices.joined(separator: " | ") }
        return parameter.type.rawValue
    }

    /// The text of a template made of a sync whose own text is `text`.
    static func text(_ name: String, of sync: SyncFile, _ text: String, _ project: Project) throws -> String {
        do {
            return try SyncTemplate.text(name: name, from: sync, text: text) {
                project.connection(named: $0)?.connector
            }
        } catch {
            throw ProjectEdit.failure(error)
        }
    }

    /// Saves a sync as a template; a template is never overwritten.
    static func save(_ syncName: String, as name: String, _ options: GlobalOptions) throws {
        let workspace = Workspace(options)
        let (project, _) = try workspace.loadProject(resolves: false)
        let sync = try workspace.sync(syncName, in: project)
        try check(name, in: project)
        guard sync.pathInFile.isEmpty else {
            throw CommandFailure(
                .usage, code: "no-file", "\(sync.name) stands in \(sync.file); a template is made of syncs/NAME.yml")
        }
        let own = try ProjectEdit.text(of: "\(project.root)/\(sync.file)") ?? ""
        let file = "templates/\(name).yml"
        let template = try text(name, of: sync, own, project)
        let checked = try ProjectEdit.check([file: template], workspace)
        try NewFiles.write([file: template], last: file, root: project.root)
        let names = checked.template(named: name)?.parameters.map(\.name) ?? []
        if options.isMachineReadable {
            let data: JSON = .object([
                "template": .string(name), "file": .string(file), "parameters": .strings(names),
            ])
            Terminal.write(Document(kind: "template.new", data: data).text(options.format))
        }
        guard !options.quiet else { return }
        let places = names.isEmpty ? "It has no parameters" : "Parameters: " + names.joined(separator: ", ")
        Terminal.writeError("Wrote \(file). \(places).\nNext:  penstock template use \(name) NEW_SYNC\n")
    }
}
