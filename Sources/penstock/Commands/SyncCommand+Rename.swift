// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

extension SyncCommand {
    /// `penstock sync rename`.
    struct Rename: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rename", abstract: "Give a sync another name, with its state and all references to it.",
            discussion: """
                Refused while a run is at work. Where it is cut short, the same command finishes it; until then \
                neither name runs.

                Example: penstock sync rename orgs_to_crm companies_to_crm
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var name: String

        @Argument(help: "The new name.")
        var new: String

        func run() throws {
            let workspace = Workspace(options)
            let (project, found) = try workspace.loadProject(resolves: false)
            let note = RenameNote(root: project.root)
            let isResumed = try note.isAbout(name, new)
            // It is this command that finishes it.
            workspace.saidOfRename = true
            if !isResumed {
                _ = try workspace.sync(name, in: project)
                try SyncNames.check(new, in: project)
                try workspace.report(found.filter { $0.severity == .error }, project)
            }
            let moved = try workspace.reading(name) {
                let rename = try StateRename.begin(
                    folder: try workspace.stateFolder(), from: place(name, workspace), to: place(new, workspace),
                    owner: workspace.lockOwner("sync rename"), isResumed: isResumed,
                    allowsNetworkDisk: workspace.allowsNetworkState)
                let renaming = SyncRenaming(workspace, from: name, to: new, isMarked: try rename.hasState)
                try renaming.check()
                try note.write(name, new)
                try rename.move()
                let files = try renaming.write()
                try rename.finish()
                PlanFiles.forget(name, root: try workspace.root.get())
                note.remove()
                return files
            }
            SyncChange.report(
                "sync.rename", ["sync": .string(new), "from": .string(name), "files": .strings(moved)],
                "\(name) is now \(new); changed " + moved.joined(separator: ", ") + ".", options)
        }

        private func place(_ name: String, _ workspace: Workspace) throws -> StateRename.Place {
            StateRename.Place(sync: name, marks: try workspace.marks(of: name))
        }
    }
}

/// The note of a rename that has begun and not ended.
struct RenameNote {
    private let path: String

    /// The note of a project.
    init(root: String) { path = root + "/.penstock/rename" }

    /// The two names, or nil where no rename has begun.
    var names: (from: String, to: String)? {
        // Without a note nothing has begun.
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        let words = text.split(separator: "\n").map(String.init)
        return words.count == 2 ? (words[0], words[1]) : nil
    }

    /// Whether this rename has begun.
    ///
    /// - Throws: ``CommandFailure`` 64 where another one has.
    func isAbout(_ from: String, _ to: String) throws -> Bool {
        guard let names else { return false }
        guard names == (from, to) else {
            throw CommandFailure(
                .usage, code: "rename-unfinished", "the rename of \(names.from) to \(names.to) was cut short",
                notes: ["finish it first: penstock sync rename \(names.from) \(names.to)"])
        }
        return true
    }

    /// Leaves the note, on disk when this returns.
    func write(_ from: String, _ to: String) throws {
        do {
            try ProjectFileWriter.write("\(from)\n\(to)\n", to: path)
        } catch {
            throw ProjectEdit.failure(error)
        }
    }

    /// Takes the note away.
    func remove() { unlink(path) }
}

/// Changes the files of a project that name a sync; doing it again changes nothing more.
struct SyncRenaming {
    private let workspace: Workspace
    private let from: String
    private let to: String
    /// Whether there are records that may be marked with the old name.
    private let isMarked: Bool

    init(_ workspace: Workspace, from: String, to: String, isMarked: Bool) {
        self.workspace = workspace
        self.from = from
        self.to = to
        self.isMarked = isMarked
    }

    /// Whether the files can be changed by a program.
    ///
    /// - Throws: ``CommandFailure`` where one cannot; nothing was changed.
    func check() throws { _ = try change { _, _ in } }

    /// Writes the files that change, the sync's own one last.
    ///
    /// - Returns: The files.
    func write() throws -> [String] {
        try change { text, path in try ProjectFileWriter.write(text, to: path) }
    }

    private func change(_ write: (_ text: String, _ path: String) throws -> Void) throws -> [String] {
        let (project, _) = try workspace.loadProject(resolves: false)
        var changed: [String] = []
        do {
            for file in Set(project.syncs.map(\.file) + ["penstock.yml"]).sorted() {
                let path = "\(project.root)/\(file)"
                guard let text = try ProjectEdit.text(of: path) else { continue }
                var editor = try YAMLEditor(file: file, text: text)
                for sync in project.syncs where sync.file == file { try follow(sync, &editor) }
                if file == "penstock.yml" { try followAlerts(&editor) }
                guard editor.text != text else { continue }
                try write(editor.text, path)
                changed.append(file)
            }
            return changed + (try changeOwn(project, write))
        } catch {
            throw ProjectEdit.failure(error)
        }
    }

    /// What a sync says of the one that is renamed.
    private func follow(_ sync: SyncFile, _ editor: inout YAMLEditor) throws {
        let path = sync.pathInFile
        if sync.after.contains(from) { try editor.replace(from, with: to, in: path + ["after"]) }
        for target in editor.keys(path + ["map"]) where editor.scalar(path + ["map", target, "link"]) == from {
            try editor.set(path + ["map", target, "link"], to: .text(to))
        }
    }

    /// What alerts say of it by its name; a pattern is left as it is.
    private func followAlerts(_ editor: inout YAMLEditor) throws {
        for rule in editor.keys(["alerts"]) { try editor.replace(from, with: to, in: ["alerts", rule, "syncs"]) }
    }

    private func changeOwn(
        _ project: Project, _ write: (_ text: String, _ path: String) throws -> Void
    ) throws -> [String] {
        guard let sync = project.sync(named: from) else { return [] }
        let path = "\(project.root)/\(sync.file)"
        guard let text = try ProjectEdit.text(of: path) else { return [] }
        var editor = try YAMLEditor(file: sync.file, text: text)
        var keys = sync.pathInFile
        if !keys.isEmpty {
            try editor.rename(keys, to: to)
            keys[1] = to
        }
        if editor.has(keys + ["name"]) { try editor.set(keys + ["name"], to: .text(to)) }
        let insert = sync.definition.insert
        let creates = insert.mode == .append || insert.onMissing == .create
        let mayMark = insert.delivery == .auto || insert.delivery == .exactlyOnce
        if isMarked, creates, mayMark, !editor.has(keys + ["renamed_from"]) {
            try editor.set(keys + ["renamed_from"], to: .text(from))
        }
        guard sync.pathInFile.isEmpty else {
            try write(editor.text, path)
            return [sync.file]
        }
        let new = "syncs/\(to)" + (sync.file.hasSuffix(".yaml") ? ".yaml" : ".yml")
        try write(editor.text, "\(project.root)/\(new)")
        if FileManager.default.fileExists(atPath: "\(project.root)/\(new)") { unlink(path) }
        return [new]
    }
}
