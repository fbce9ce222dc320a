// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel

/// The folders in which every run of a project leaves `run_results.json`.
struct RunResults {
    private let folder: String

    /// The results of a project.
    init(root: String) { folder = root + "/.penstock/runs" }

    /// Makes the folder and writes into it once, so that a run whose end could not be written down never begins.
    ///
    /// - Throws: ``CommandFailure`` 73.
    func prepare() throws {
        // A name of its own: another process may be at the same place.
        let probe = URL(fileURLWithPath: folder + "/.write-test-\(ProcessInfo.processInfo.processIdentifier)")
        do {
            try create(folder)
            try Data("write test\n".utf8).write(to: probe)
            try FileManager.default.removeItem(at: probe)
        } catch {
            throw CommandFailure(
                .cannotWrite, code: "cannot-write", "\(folder) cannot be written; nothing was sent",
                notes: ["make it writable for this user: results of runs are kept there"])
        }
    }

    /// Writes the document of one run.
    ///
    /// - Throws: ``CommandFailure`` 73.
    func write(_ document: JSON, run: String) throws {
        let path = "\(folder)/\(run)/run_results.json"
        do {
            try create("\(folder)/\(run)")
            let text = Document(kind: "run_results", data: document).text
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CommandFailure(
                .cannotWrite, code: "cannot-write", "\(path) cannot be written; the run itself is recorded")
        }
    }

    /// Writes the document of one run unless its own process has done so.
    ///
    /// - Throws: ``CommandFailure`` 73.
    func writeIfMissing(_ document: JSON, run: String) throws {
        guard !FileManager.default.fileExists(atPath: "\(folder)/\(run)/run_results.json") else { return }
        try write(document, run: run)
    }

    private func create(_ folder: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
}
