// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import PenstockProject

/// One connection of a new project.
struct InitSide {
    /// The connection's name.
    var name: String
    /// The connector's id.
    var connector: String
    /// The settings as they are written.
    var settings: [(key: String, value: String)]
    /// The secrets that are stored together with the project, by name.
    var secrets: [String: Secret] = [:]
    /// The first object that can be written, or nil.
    var object: ObjectDescriptor?

    /// What the connector says against the settings when it is opened, which asks nobody; nil also where a reference
    /// has no value yet.
    ///
    /// - Parameter root: The project's folder, where relative paths start.
    func openingError(_ workspace: Workspace, root: String) throws -> ConnectorError? {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-init-\(UUID().uuidString)")
        // A folder that stays behind holds no secret: only references are written.
        defer { try? FileManager.default.removeItem(at: folder) }
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data("version: 1\nproject: new\n".utf8).write(to: folder.appendingPathComponent("penstock.yml"))
            try Data("version: 1\nconnections:\n\(yaml)".utf8)
                .write(to: folder.appendingPathComponent("connections.yml"))
        } catch {
            throw CommandFailure(.cannotWrite, code: "cannot-write", "\(folder.path) cannot be written")
        }
        var resolver = workspace.resolver(root: root)
        resolver.sources.pending = secrets
        let project = Project.load(root: folder.path, profile: nil, version: Version.text, resolver: resolver).project
        guard let connection = project.connection(named: name), let descriptor = workspace.descriptors[connector],
            let settings = project.resolvedSettings(of: connection, descriptor: descriptor, resolver: resolver).settings
        else { return nil }
        return ConnectionCalls.openingError(
            SyncSetup.Side(
                name: name, connector: try workspace.connector(of: connection), settings: settings.settings,
                redactor: Redactor(settings.secrets)), workspace)
    }

    /// The files inside the project that hold secrets.
    var secretFiles: [String] {
        settings.compactMap { setting in
            guard setting.value.hasPrefix("${file:"), setting.value.hasSuffix("}") else { return nil }
            let path = String(setting.value.dropFirst("${file:".count).dropLast())
            return path.hasPrefix("/") || path.hasPrefix("~") ? nil : path
        }
    }

    /// The connection in `connections.yml`.
    var yaml: String {
        "  \(name):\n    connector: \(connector)\n"
            + settings.map { "    \($0.key): \(YAMLText.scalar($0.value))\n" }.joined()
    }
}

/// Texts as YAML scalars.
enum YAMLText {
    /// `text` as a scalar that reads back as exactly this text.
    static func scalar(_ text: String) -> String {
        let isPlain =
            !text.isEmpty && text.first != "-" && text.first != " " && text.last != " "
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-./*:@${} ".contains($0)) }
            && !text.contains(": ") && text.last != ":" && !"{*@".contains(text.first ?? "x")
        return isPlain ? text : JSON.string(text).text
    }
}
