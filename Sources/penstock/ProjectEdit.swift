// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockProject

/// Changes to the files of a project that are checked before they are kept.
enum ProjectEdit {
    /// The text of a file; nil where there is none.
    ///
    /// - Throws: ``CommandFailure`` 73 where it cannot be read.
    static func text(of path: String) throws -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw CommandFailure(.cannotWrite, code: "cannot-read", "\(path) cannot be read as UTF-8")
        }
    }

    /// What ends a command whose edit failed.
    static func failure(_ error: any Error) -> CommandFailure {
        switch error {
        case let failure as CommandFailure: failure
        case let problem as YAMLEditProblem:
            CommandFailure(.config, code: "edit", "\(problem.file): \(problem.reason); nothing was changed")
        case let problem as ProjectFileProblem where problem.isThere:
            CommandFailure(.usage, code: "name-taken", "\(problem.path) \(problem.reason); nothing was changed")
        case let problem as ProjectFileProblem:
            CommandFailure(.cannotWrite, code: "cannot-write", "\(problem.path): \(problem.reason)")
        default: CommandFailure(.fault, code: "internal", "\(error)")
        }
    }

    /// Holds the project, with `drafts` laid over it, against what a project may be.
    ///
    /// Findings in other files are left to `penstock validate`: they were there before.
    ///
    /// - Parameter hint: What is said below errors.
    /// - Returns: The project with the drafts.
    /// - Throws: ``CommandFailure`` 78 where a draft has an error; findings were printed.
    @discardableResult
    static func check(
        _ drafts: [String: String], _ workspace: Workspace, isQuietAboutWarnings: Bool = false
    ) throws -> Project {
        let (project, found) = try workspace.loadProject(resolves: false, drafts: drafts)
        let own = found.filter { drafts[$0.file] != nil && (!isQuietAboutWarnings || $0.severity == .error) }
        do {
            try workspace.report(own, project)
        } catch let failure as CommandFailure {
            Terminal.writeError("nothing was written\n")
            throw failure
        }
        return project
    }

    /// Edits one file of the project with `change`, checks what comes out, and writes it.
    ///
    /// - Throws: ``CommandFailure``; the file is then as it was.
    static func edit(
        _ file: String, of workspace: Workspace, _ change: (inout YAMLEditor) throws -> Void
    ) throws {
        let root = try workspace.root.get()
        do {
            try ProjectEditLock.whileHeld(root) {
                let path = root + "/" + file
                guard let text = try text(of: path) else {
                    throw CommandFailure(.config, code: "unreadable", "there is no \(file)")
                }
                var editor = try YAMLEditor(file: file, text: text)
                try change(&editor)
                guard editor.text != text else { return }
                try check([file: editor.text], workspace, isQuietAboutWarnings: true)
                try ProjectFileWriter.write(editor.text, to: path)
            }
        } catch {
            throw failure(error)
        }
    }
}

extension SyncFile {
    /// The keys that lead to the sync in its file: none where it has a file of its own.
    var pathInFile: [String] { file == "penstock.yml" ? ["syncs", name] : [] }
}
