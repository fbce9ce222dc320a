// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockModel
import PenstockProcess
import PenstockProject
import PenstockState

/// Commands that change the file of a sync.
extension SyncCommand {
    /// `penstock sync copy`.
    struct Copy: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "copy", abstract: "Copy a sync's file under another name; the copy is disabled.",
            discussion: """
                The copy has no state: it never ran. It is disabled, so that it does not send the same rows again \
                before anybody has looked at it.

                Example: penstock sync copy orgs_to_crm orgs_to_sandbox
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var name: String

        @Argument(help: "The name of the copy.")
        var new: String

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let sync = try workspace.sync(name, in: project)
            try SyncNames.check(new, in: project)
            guard sync.pathInFile.isEmpty else {
                throw CommandFailure(
                    .usage, code: "no-file", "\(sync.name) stands in \(sync.file) and has no file to copy")
            }
            let file = "syncs/\(new).yml"
            let text = try copied(try ProjectEdit.text(of: "\(project.root)/\(sync.file)") ?? "", sync)
            try ProjectEdit.check([file: text], workspace, isQuietAboutWarnings: true)
            try NewFiles.write([file: text], last: file, root: project.root)
            SyncChange.report(
                "sync.copy", ["sync": .string(new), "file": .string(file), "from": .string(name)],
                "Wrote \(file), disabled.\nNext:  penstock sync edit \(new)\n       penstock sync enable \(new)",
                options)
        }

        private func copied(_ text: String, _ sync: SyncFile) throws -> String {
            do {
                var editor = try YAMLEditor(file: sync.file, text: text)
                if editor.has(["name"]) { try editor.set(["name"], to: .text(new)) }
                if editor.has(["renamed_from"]) { try editor.remove(["renamed_from"]) }
                try editor.set(["enabled"], to: .boolean(false))
                return editor.text
            } catch {
                throw ProjectEdit.failure(error)
            }
        }
    }

    /// `penstock sync remove`.
    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Remove a sync; its state is put aside, and nothing is sent.",
            discussion: """
                Refused while other syncs name it in after or link, or an alert in syncs, and while a run is at work. \
                The records that it wrote stay.

                Example: penstock sync remove orgs_to_crm --yes
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var name: String

        @Flag(name: .long, help: "Do not ask.")
        var yes = false

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let sync = try workspace.sync(name, in: project)
            let users =
                project.syncs.filter { $0.predecessors.contains(sync.name) }.map(\.name)
                + project.alerts.filter { $0.syncs.contains(sync.name) }.map { "alerts.\($0.name)" }
            guard users.isEmpty else {
                throw CommandFailure(
                    .usage, code: "in-use", "\(sync.name) is named by \(users.joined(separator: ", "))",
                    notes: ["take it out there first"])
            }
            let what = sync.pathInFile.isEmpty ? sync.file : "\(sync.name) from \(sync.file)"
            try StateFiles.confirm(
                "this removes \(what)", "Remove \(what)?",
                notes: ["its state is put aside; the records that it wrote stay"], refusal: "nothing was removed",
                options, isSaid: yes)
            let kept = try workspace.reading(sync.name) {
                let replacement = try workspace.stateReplacement(of: sync.name, as: "sync remove")
                try remove(sync, workspace)
                PlanFiles.forget(sync.name, root: try workspace.root.get())
                return try replacement.startAnew(keepingAs: "removed-" + StateFiles.stamp)
            }
            SyncChange.report(
                "sync.remove",
                ["sync": .string(sync.name), "file": .string(sync.file), "kept": kept.map { .string($0) } ?? .null],
                "Removed \(what)." + (kept.map { "\n  its state is kept as \($0)" } ?? ""), options)
        }

        private func remove(_ sync: SyncFile, _ workspace: Workspace) throws {
            guard sync.pathInFile.isEmpty else {
                return try ProjectEdit.edit(sync.file, of: workspace) { try $0.remove(sync.pathInFile) }
            }
            let path = try workspace.root.get() + "/" + sync.file
            guard unlink(path) == 0 else {
                throw CommandFailure(.cannotWrite, code: "cannot-write", "\(path) cannot be removed")
            }
        }
    }

    /// `penstock sync enable`.
    struct Enable: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "enable", abstract: "Let a sync run again.",
            discussion: "Example: penstock sync enable orgs_to_crm")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var name: String

        func run() throws { try SyncChange.enable(name, true, options) }
    }

    /// `penstock sync disable`.
    struct Disable: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable", abstract: "Keep a sync from running, by schedule or with all others.",
            discussion: "Naming it still runs it.\n\nExample: penstock sync disable orgs_to_crm")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var name: String

        func run() throws { try SyncChange.enable(name, false, options) }
    }

    /// `penstock sync save-template`.
    struct SaveTemplate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "save-template", abstract: "Save a sync as a template.",
            discussion: """
                Its connections, model, table and cron expression become parameters, with what the sync has as defaults.

                Example: penstock sync save-template orgs_to_crm --as crm_update
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var name: String

        @Option(name: .long, help: "The name of the template; the sync's where it is left out.")
        var `as`: String?

        func run() throws { try TemplateNames.save(name, as: `as` ?? name, options) }
    }

    /// `penstock sync edit`.
    struct Edit: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "edit", abstract: "Open a sync's file in an editor; what is kept is valid.",
            discussion: """
                The editor is $VISUAL, else $EDITOR, else vi. It gets a copy; what comes back is checked before it \
                takes the file's place.

                Example: penstock sync edit orgs_to_crm
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var name: String

        /// An editor of the user's own may need no terminal; vi does.
        private func refuseWithoutPerson(_ environment: [String: String]) throws {
            let hasEditor = ["VISUAL", "EDITOR"].contains { environment[$0]?.isEmpty == false }
            let isForbidden = options.noInput || environment["PENSTOCK_NO_INPUT"] != nil
            guard isForbidden || (!hasEditor && !(Terminal.inputIsTerminal && Terminal.outputIsTerminal)) else {
                return
            }
            throw CommandFailure(
                .usage, code: "missing-answer", "there is nobody to edit the file",
                notes: ["penstock sync map changes the map by options; EDITOR names an editor that needs no terminal"])
        }

        func run() throws {
            let workspace = Workspace(options)
            try refuseWithoutPerson(workspace.environment)
            let (project, _) = try workspace.loadProject(resolves: false)
            let sync = try workspace.sync(name, in: project)
            let path = "\(project.root)/\(sync.file)"
            let before = try ProjectEdit.text(of: path) ?? ""
            let draft = "\(project.root)/.penstock/edit/\(URL(fileURLWithPath: sync.file).lastPathComponent)"
            do {
                try FileManager.default.createDirectory(
                    atPath: "\(project.root)/.penstock/edit", withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700])
                if let kept = try ProjectEdit.text(of: draft), kept != before {
                    try ProjectFileWriter.write(kept, to: draft + ".before")
                    Terminal.writeError("What you wrote last time, and was not kept, is in \(draft).before.\n")
                }
                try ProjectFileWriter.write(before, to: draft)
            } catch {
                throw ProjectEdit.failure(error)
            }
            while true {
                try EditorProcess.run(on: draft, environment: workspace.environment)
                let after = try ProjectEdit.text(of: draft) ?? ""
                guard after != before else {
                    unlink(draft)
                    return SyncChange.report("sync.edit", ["sync": .string(name)], "Nothing was changed.", options)
                }
                do {
                    try ProjectEdit.check([sync.file: after], workspace)
                } catch let failure as CommandFailure {
                    if options.mayAsk, try Questions().confirm("Edit it again?", default: true) { continue }
                    Terminal.writeError("What you wrote is kept in \(draft).\n")
                    throw failure
                }
                guard try ProjectEdit.text(of: path) == before else {
                    throw CommandFailure(
                        .cannotWrite, code: "changed", "\(sync.file) was changed by somebody else meanwhile",
                        notes: ["what you wrote is kept in \(draft)"])
                }
                do {
                    try ProjectFileWriter.write(after, to: path)
                } catch {
                    throw ProjectEdit.failure(error)
                }
                unlink(draft)
                return SyncChange.report(
                    "sync.edit", ["sync": .string(name), "file": .string(sync.file)], "Wrote \(sync.file).", options)
            }
        }
    }
}

/// What commands that change syncs have in common.
enum SyncChange {
    /// Says what was done.
    static func report(_ kind: String, _ data: JSONObject, _ text: String, _ options: GlobalOptions) {
        if options.isMachineReadable {
            Terminal.write(Document(kind: kind, data: .object(data)).text(options.format))
        }
        if !options.quiet { Terminal.writeError(text + "\n") }
    }

    /// Writes `enabled` into a sync's file, where it says something else.
    static func enable(_ name: String, _ isEnabled: Bool, _ options: GlobalOptions) throws {
        let workspace = Workspace(options)
        let (project, _) = try workspace.loadProject(resolves: false)
        let sync = try workspace.sync(name, in: project)
        let word = isEnabled ? "enabled" : "disabled"
        let data: JSONObject = ["sync": .string(name), "enabled": .bool(isEnabled)]
        guard sync.isEnabled != isEnabled else {
            return report("sync.\(word)", data, "\(name) is \(word) already.", options)
        }
        try ProjectEdit.edit(sync.file, of: workspace) {
            try $0.set(sync.pathInFile + ["enabled"], to: .boolean(isEnabled))
        }
        report("sync.\(word)", data, "\(name) is \(word).", options)
    }
}

/// An editor on the terminal.
enum EditorProcess {
    /// Runs the user's editor on a file and waits for its end.
    ///
    /// - Throws: ``CommandFailure`` where there is none, or it ends with another code than 0.
    static func run(on file: String, environment: [String: String]) throws {
        let named = ["VISUAL", "EDITOR"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        let editor = named ?? "vi"
        // The variable may hold options, as for other programs: a shell takes it apart.
        let program = ProgramStart(["/bin/sh", "-c", "\(editor) \"$1\"", editor, file])
        let status: Int32
        do {
            let process = try program.start()
            status = Interruption.lendingTerminal { ProgramStart.end(of: process) }
        } catch {
            throw CommandFailure(.failed, code: "editor", "the editor cannot be started: \(error.cause)")
        }
        guard status == 0 else {
            throw CommandFailure(
                .failed, code: "editor", "the editor (\(editor)) did not end well; nothing was changed",
                notes: named == nil ? ["name yours: EDITOR=…"] : [])
        }
    }
}
