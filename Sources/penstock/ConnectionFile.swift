// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockProject

/// The file in which a connection stands, edited so that everything else in it stays as it was.
struct ConnectionFile {
    private typealias Change = (inout YAMLEditor) throws(YAMLEditProblem) -> Void

    private let root: String
    private let file: String
    /// The connection that is there already; nil for a new one.
    private let connection: String?
    private let text: String
    private var editor: YAMLEditor
    private var changes: [Change] = []

    /// The file of the connection; `connections.yml` for a new one.
    init(_ connection: Connection?, root: String) throws {
        try self.init(connection?.name, file: connection?.span.file ?? "connections.yml", root: root)
    }

    private init(_ connection: String?, file: String, root: String) throws {
        (self.connection, self.file, self.root) = (connection, file, root)
        let path = "\(root)/\(file)"
        if FileManager.default.fileExists(atPath: path) {
            guard let bytes = FileManager.default.contents(atPath: path),
                let read = String(validating: bytes, as: UTF8.self)
            else { throw CommandFailure(.config, code: "unreadable", "\(file) cannot be read") }
            text = read
        } else {
            text = "# References to secrets, never secrets.\nversion: 1\nconnections: {}\n"
        }
        do throws(YAMLEditProblem) {
            editor = try YAMLEditor(file: file, text: text)
        } catch {
            throw Self.failure(error)
        }
        if let connection, !has(connection) {
            throw CommandFailure(
                .config, code: "not-edited", "\(connection) is not among the connections of \(file)",
                notes: ["if it is written in a profile there, edit it by hand"])
        }
    }

    /// Whether there is such a connection in the file.
    func has(_ name: String) -> Bool { editor.has(["connections", name]) }

    /// Writes a whole connection.
    mutating func set(_ name: String, to value: YAMLValue) throws {
        try edit { (editor) throws(YAMLEditProblem) in
            // An empty map on one line would keep everything on that line.
            if editor.has(["connections"]), editor.keys(["connections"]).isEmpty {
                try editor.set(["connections"], to: .map([(key: name, value: value)]))
            } else {
                try editor.set(["connections", name], to: value)
            }
        }
    }

    /// Writes one setting of a connection, or removes it.
    mutating func set(_ name: String, _ key: String, to value: YAMLValue?) throws {
        try edit { (editor) throws(YAMLEditProblem) in
            let path = ["connections", name, key]
            if let value { try editor.set(path, to: value) } else { try editor.remove(path) }
        }
    }

    /// Removes a connection.
    mutating func remove(_ name: String) throws {
        try edit { (editor) throws(YAMLEditProblem) in try editor.remove(["connections", name]) }
    }

    /// Puts the changes onto the disk, into the file as it is by now: a login or a question may have taken minutes.
    ///
    /// - Parameter new: The name of a connection that is added; one that has come meanwhile is left as it is.
    /// - Throws: ``CommandFailure``; nothing was written.
    func write(adding new: String? = nil) throws {
        do {
            try ProjectEditLock.whileHeld(root) { try put(adding: new) }
        } catch let problem as ProjectFileProblem {
            throw CommandFailure(
                .cannotWrite, code: "cannot-write", "\(problem.path) cannot be written: \(problem.reason)")
        }
    }

    private func put(adding new: String?) throws {
        var now = try ConnectionFile(connection, file: file, root: root)
        if let new, now.has(new) {
            throw CommandFailure(
                .usage, code: "connection-exists", "there is a connection \(new) by now",
                notes: ["somebody has written it into \(file) meanwhile"])
        }
        for change in changes { try now.edit(change) }
        try ProjectFileWriter.write(now.editor.text, to: "\(root)/\(file)")
    }

    private mutating func edit(_ body: @escaping Change) throws {
        changes.append(body)
        do throws(YAMLEditProblem) {
            try body(&editor)
        } catch {
            throw Self.failure(error)
        }
    }

    private static func failure(_ problem: YAMLEditProblem) -> CommandFailure {
        CommandFailure(
            .config, code: "not-edited", problem.reason,
            notes: problem.diagnostics.prefix(3).map { "\($0.file):\($0.line):\($0.column): \($0.message)" })
    }
}
