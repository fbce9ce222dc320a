// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockProject

/// The file in which a connection stands, edited so that everything else in it stays as it was.
struct ConnectionFile {
    private let path: String
    private var editor: YAMLEditor

    /// The file of the connection; `connections.yml` for a new one.
    init(_ connection: Connection?, root: String) throws {
        let file = connection?.span.file ?? "connections.yml"
        path = "\(root)/\(file)"
        var text = "# References to secrets, never secrets.\nversion: 1\nconnections: {}\n"
        if FileManager.default.fileExists(atPath: path) {
            guard let bytes = FileManager.default.contents(atPath: path),
                let read = String(validating: bytes, as: UTF8.self)
            else { throw CommandFailure(.config, code: "unreadable", "\(file) cannot be read") }
            text = read
        }
        do throws(YAMLEditProblem) {
            editor = try YAMLEditor(file: file, text: text)
        } catch {
            throw Self.failure(error)
        }
        if let connection, !has(connection.name) {
            throw CommandFailure(
                .config, code: "not-edited", "\(connection.name) is written in a profile of \(file); edit it by hand")
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

    /// Puts the text onto the disk.
    func write() throws {
        do throws(ProjectFileProblem) {
            try ProjectFileWriter.write(editor.text, to: path)
        } catch {
            throw CommandFailure(.cannotWrite, code: "cannot-write", "\(error.path) cannot be written: \(error.reason)")
        }
    }

    private mutating func edit(_ body: (inout YAMLEditor) throws(YAMLEditProblem) -> Void) throws {
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
