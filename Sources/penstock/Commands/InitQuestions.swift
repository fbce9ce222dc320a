// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel

/// Gets the answers that `init` needs: from flags, else by asking, else a failure that names the flag.
struct InitQuestions {
    private let workspace: Workspace
    private let root: String
    private let mayAsk: Bool

    /// Questions for the project that is to be in the folder `root`.
    init(_ workspace: Workspace, root: String, mayAsk: Bool) {
        self.workspace = workspace
        self.root = root
        self.mayAsk = mayAsk
    }

    /// A text.
    func text(_ question: String, flag: String, given: String?, default standard: String) throws -> String {
        if let given { return given }
        guard mayAsk else { return standard }
        guard let answer = Prompt.text(question, default: standard) else { throw Self.aborted }
        return answer
    }

    /// A connection: its connector, and the connector's settings.
    func side(
        _ question: String, flag: String, given: String?, settings: [String], _ role: Capabilities
    ) throws -> InitSide {
        let able = workspace.loadedDescriptors.filter { $0.capabilities.contains(role) }
        let ids = able.map(\.id)
        guard let id = try given ?? chosen(question, ids) else {
            throw CommandFailure(
                .usage, code: "missing-answer", "\(flag) is missing", notes: ["one of: " + ids.joined(separator: ", ")])
        }
        guard let descriptor = able.first(where: { $0.id == id }) else {
            throw Suggestion.failure(id, "connector", ids)
        }
        let name = role == .source ? "source" : "crm"
        var secrets: [String: Secret] = [:]
        let values = try values(descriptor, flag, settings, name, &secrets)
        return InitSide(
            name: name, connector: id, settings: values, secrets: secrets, object: descriptor.objects.first)
    }

    private func chosen(_ question: String, _ ids: [String]) throws -> String? {
        guard mayAsk else { return nil }
        guard let answer = Prompt.choice(question, ids) else { throw Self.aborted }
        return answer
    }

    private func values(
        _ descriptor: ConnectorDescriptor, _ flag: String, _ given: [String], _ connection: String,
        _ secrets: inout [String: Secret]
    ) throws -> [(key: String, value: String)] {
        var values: [(key: String, value: String)] = []
        for pair in given {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw CommandFailure(.usage, code: "usage", "\(flag)-set takes key=value, not \"\(pair)\"")
            }
            guard let field = descriptor.settings.first(where: { $0.name == parts[0] }) else {
                throw Suggestion.failure(parts[0], "setting", descriptor.settings.map(\.name))
            }
            if field.isSecret, !parts[1].contains("${") {
                throw CommandFailure(
                    .usage, code: "secret-literal", "a secret does not belong on the command line",
                    notes: ["give a reference: \(flag)-set '\(field.name)=${env:NAME}'"])
            }
            values.append((parts[0], parts[1]))
        }
        while let field = try missing(descriptor, connection, values, secrets) {
            values.append((field.name, try asked(field, flag, connection, &secrets)))
        }
        return values
    }

    private func missing(
        _ descriptor: ConnectorDescriptor, _ connection: String, _ values: [(key: String, value: String)],
        _ secrets: [String: Secret]
    ) throws -> ConfigField? {
        try descriptor.settings.first { $0.isRequired && !isGiven($0, values) }
            ?? refused(descriptor, connection, values, secrets)
    }

    private func isGiven(_ field: ConfigField, _ values: [(key: String, value: String)]) -> Bool {
        values.contains { $0.key == field.name }
    }

    /// The setting that the connector misses although it is not always required; nobody but the connector is asked.
    private func refused(
        _ descriptor: ConnectorDescriptor, _ name: String, _ values: [(key: String, value: String)],
        _ secrets: [String: Secret]
    ) throws -> ConfigField? {
        let side = InitSide(name: name, connector: descriptor.id, settings: values, secrets: secrets)
        guard let error = try side.openingError(workspace, root: root) else { return nil }
        return descriptor.settings.first { $0.name == error.field && !isGiven($0, values) }
    }

    private func asked(
        _ field: ConfigField, _ flag: String, _ connection: String, _ secrets: inout [String: Secret]
    ) throws -> String {
        guard mayAsk else {
            throw CommandFailure(
                .usage, code: "missing-answer", "the setting \(field.name) is missing",
                notes: ["\(field.name): \(field.summary)", "give it: \(flag)-set \(field.name)=…"])
        }
        let example = field.example.isEmpty || field.isSecret ? "" : ", for example \(field.example)"
        let lines = "  \(Self.clause(field))\(example)".wrapped(to: Terminal.width, indent: 2)
        Terminal.writeError(lines.joined(separator: "\n") + "\n")
        if field.isSecret { return try secret(field, connection, &secrets) }
        while let answer = Prompt.text("  \(field.name)") {
            if !answer.isEmpty { return answer }
        }
        throw Self.aborted
    }

    private static func clause(_ field: ConfigField) -> String {
        field.summary.hasSuffix(".") ? String(field.summary.dropLast()) : field.summary
    }

    /// A secret, to be stored under a name once the project is written.
    private func secret(
        _ field: ConfigField, _ connection: String, _ secrets: inout [String: Secret]
    ) throws -> String {
        let secret = try SecretText.prompted("  \(field.name) (not shown)", consequence: "no project was written")
        let name = try SecretKeeper(workspace, root: root).freeName(connection, field.name)
        secrets[name] = secret
        return "${cred:\(name)}"
    }

    private static var aborted: CommandFailure { Prompt.aborted("no project was written") }
}
