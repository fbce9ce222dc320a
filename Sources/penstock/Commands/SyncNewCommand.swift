// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel
import PenstockProject

/// `penstock sync new`.
struct SyncNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a sync in five steps: asks, or takes every answer as an option.",
        discussion: """
            Writes syncs/NAME.yml and sends nothing. Nothing is asked where the connection, the object, the source, \
            the map and the name are given. The command that makes the same file without a question is printed at the end.

            Example: penstock sync new orgs_to_crm --connection crm --object organization \
            --source-connection files --table orgs --map name=company
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup(title: "Answers") var answers: SyncNewOptions

    @Argument(help: "The name of the sync.")
    var name: String?

    @Flag(name: .long, help: "Print the file instead of writing it.")
    var print = false

    @Flag(name: .long, help: "Check the sync without asking the two ends.")
    var offline = false

    func run() throws {
        let workspace = Workspace(options)
        let (project, _) = try workspace.loadProject(resolves: false)
        if let name { try SyncNames.check(name, in: project) }
        if let template = answers.template {
            return try TemplateUse(workspace, project, options, asks: options.mayAsk)
                .make(template, name: name, answers, prints: print)
        }
        let asks = options.mayAsk && !answers.isComplete(name: name)
        let wizard = SyncWizard(workspace, answers, project, asks: asks)
        let draft = try wizard.draft(name: name)
        try SyncNames.check(draft.name, in: wizard.project)
        let saved = try templateName(draft, wizard)
        do {
            try finish(draft, wizard, saved)
        } catch {
            // Nobody has to give all answers a second time.
            if asks { sayCommand(words(draft, saved)) }
            throw error
        }
    }

    private func words(_ draft: SyncDraft, _ template: String?) -> [String] {
        draft.arguments + (template.map { ["--save-template", $0] } ?? [])
    }

    private func sayCommand(_ words: [String]) {
        let command = ShellText.command(["penstock", "sync", "new"] + words, width: Terminal.width, indent: 4)
        Terminal.writeError("Same without questions:\n  \(command)\n")
    }

    /// The name under which the sync is also saved as a template, or nil.
    private func templateName(_ draft: SyncDraft, _ wizard: SyncWizard) throws -> String? {
        if let given = answers.saveTemplate {
            try TemplateNames.check(given, in: wizard.project)
            return given
        }
        guard wizard.asks, try wizard.questions.confirm("    Save as a template too?") else { return nil }
        return try wizard.questions.text("    Name of the template", default: draft.name) {
            TemplateNames.problem($0, in: wizard.project)
        }
    }

    private func finish(_ draft: SyncDraft, _ wizard: SyncWizard, _ template: String?) throws {
        let workspace = wizard.workspace
        var drafts = wizard.drafts
        let file = "syncs/\(draft.name).yml"
        drafts[file] = draft.text
        let project = try ProjectEdit.check(drafts, workspace)
        if !offline { try checkOnline(draft.name, drafts, workspace) }
        if let template, let sync = project.sync(named: draft.name) {
            drafts["templates/\(template).yml"] = try TemplateNames.text(template, of: sync, draft.text, project)
            try ProjectEdit.check(drafts, workspace, isQuietAboutWarnings: true)
        }
        if print { return Terminal.write(draft.text) }
        try NewFiles.write(drafts, last: file, root: project.root)
        report(draft, file, drafts.keys.filter { $0 != file }.sorted(), words(draft, template))
    }

    /// Holds the sync against both ends; nothing is sent.
    private func checkOnline(_ name: String, _ drafts: [String: String], _ workspace: Workspace) throws {
        let (project, found) = try workspace.loadProject(drafts: drafts)
        let sync = try workspace.sync(name, in: project)
        let used = [sync.definition.source.connection, sync.definition.destination.connection]
        let connectionFiles = Set(["penstock.yml", "connections.yml"])
        let isReady = !found.contains { $0.severity == .error && connectionFiles.contains($0.file) }
        do {
            // What is missing for a connection is said by what opens it.
            if !isReady {
                for connection in used {
                    _ = try workspace.side(workspace.connection(connection, in: project), in: project)
                }
            }
            try SyncPreparation(workspace, project, sync, try LockFile(root: project.root), isPlan: true).open().close()
        } catch var failure as CommandFailure {
            let note = "nothing was written; to check without asking the two ends: --offline"
            failure.message += (failure.message.isEmpty ? "" : "\n") + "  = \(note)"
            throw failure
        }
    }

    private func report(_ draft: SyncDraft, _ file: String, _ others: [String], _ words: [String]) {
        if options.isMachineReadable {
            let data: JSON = .object([
                "sync": .string(draft.name), "file": .string(file), "also": .strings(others),
                "command": .strings(["penstock", "sync", "new"] + words),
            ])
            Terminal.write(Document(kind: "sync.new", data: data).text(options.format))
        }
        guard !options.quiet else { return }
        let lines = draft.text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
        for other in others { Terminal.writeError("Wrote \(other).\n") }
        Terminal.writeError("Wrote \(file) (\(counted(lines, "line"))). Nothing has been sent.\n")
        sayCommand(words)
        Terminal.writeError("Next:  penstock plan \(draft.name)\n")
    }
}

/// Several new files of a project, of which all come to be or none.
enum NewFiles {
    /// Writes files that are not there yet, the one called `last` at the end.
    ///
    /// - Throws: ``CommandFailure``; what was written is taken away again.
    static func write(_ files: [String: String], last: String, root: String) throws {
        let order = files.keys.filter { $0 != last }.sorted() + [last]
        var written: [String] = []
        do {
            for file in order {
                try ProjectFileWriter.write(files[file] ?? "", to: root + "/" + file, isNew: true)
                written.append(file)
            }
        } catch {
            for file in written { unlink(root + "/" + file) }
            throw ProjectEdit.failure(error)
        }
    }
}
