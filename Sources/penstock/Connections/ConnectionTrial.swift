// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockModel
import PenstockProject

/// Tries a connection that is not in the project's files yet, with secrets that are stored nowhere yet.
struct ConnectionTrial {
    private let workspace: Workspace
    private let descriptor: ConnectorDescriptor
    private let secrets: [String: Secret]

    init(_ workspace: Workspace, _ descriptor: ConnectorDescriptor, _ secrets: [String: Secret]) {
        self.workspace = workspace
        self.descriptor = descriptor
        self.secrets = secrets
    }

    /// What gives references their values, those to the secrets at hand included.
    func resolver() throws -> ReferenceResolver {
        var resolver = try workspace.resolver()
        resolver.sources.pending = secrets
        return resolver
    }

    /// The draft as an open side; its connector stores what it renews.
    func side(_ draft: ConnectionDraft) throws -> SyncSetup.Side {
        guard let connector = workspace.registry.connector(descriptor.id) else {
            throw Suggestion.failure(descriptor.id, "connector", workspace.registry.ids)
        }
        return try workspace.side(draft.name, connector, try draft.settings(resolver()))
    }

    /// Fails, naming the flag, where the connector misses a setting; nobody but the connector is asked.
    ///
    /// - Parameter isTried: Whether the connection will be tried; else references need no value yet, and what a login
    ///   gives may be missing.
    func requireComplete(_ draft: ConnectionDraft, isTried: Bool) throws {
        if !isTried, draft.missing.isEmpty {
            let isLogin = descriptor.login.map { $0.needs.contains(where: draft.keys.contains) } ?? false
            if try isLogin || draft.resolved(resolver()).settings == nil { return }
        }
        if let (field, why) = try missing(draft) { throw Self.missing(field, why) }
    }

    /// What the connector says against the settings, with the setting that it is about; nil where it says nothing.
    ///
    /// Nobody else is asked.
    func objection(_ draft: ConnectionDraft) throws -> ConnectorError? {
        if let field = draft.missing.first {
            return ConnectorError(.badConfig, "\(field.name) is missing.", field: field.name)
        }
        return ConnectionCalls.openingError(try side(draft), workspace)
    }

    /// The first setting that the connector misses, and why; nobody but the connector is asked.
    ///
    /// - Throws: ``CommandFailure`` where the connector says something else against the settings.
    private func missing(_ draft: ConnectionDraft) throws -> (field: ConfigField, why: String)? {
        if let field = draft.missing.first { return (field, field.summary) }
        guard let error = ConnectionCalls.openingError(try side(draft), workspace) else { return nil }
        if let field = descriptor.settings.first(where: { $0.name == error.field }), !draft.keys.contains(field.name) {
            return (field, error.message)
        }
        throw CommandFailure(error, subject: "connection \(draft.name)", notes: ["nothing was kept"])
    }

    /// Tries the connection, step by step.
    func test(_ draft: ConnectionDraft) throws -> CheckReport {
        let side = try side(draft)
        do {
            let report = try ConnectionCalls.check(side, workspace)
            if !report.isOK { try forget(draft.name) }
            return report
        } catch {
            try forget(draft.name)
            throw error
        }
    }

    /// Forgets what a trial has left of a connection that is not kept.
    private func forget(_ name: String) throws {
        guard let project = try? workspace.loadProject(resolves: false).project,
            project.connection(named: name) == nil
        else { return }
        try SecretKeeper.reporting(name) { () throws(ConnectorError) in
            // Without a project there is no such file.
            try (try? workspace.credentials(of: name))?.forget()
        }
    }

    private static func missing(_ field: ConfigField, _ why: String) -> CommandFailure {
        CommandFailure(
            .usage, code: "missing-answer", "the setting \(field.name) is missing",
            notes: [
                why,
                field.isSecret
                    ? "give it: --token-stdin or --token-file FILE, with --token-for \(field.name)"
                    : "give it: --set \(field.name)=…",
            ])
    }

    /// The command that does without questions what was answered.
    static func command(_ draft: ConnectionDraft, _ description: String?) -> String {
        var words = ["penstock connection add \(draft.name) --connector \(draft.descriptor.id)"]
        var isTokenGiven = false
        for key in draft.keys {
            let text = draft.text(key) ?? ""
            let isSecret = draft.descriptor.settings.first { $0.name == key }?.isSecret ?? false
            if isSecret, !isTokenGiven {
                isTokenGiven = true
                words.append("--token-for \(key) --token-file FILE")
            } else {
                words.append("--set \(ShellText.quoted("\(key)=\(text)"))")
            }
        }
        if let description { words.append("--description \(ShellText.quoted(description))") }
        return words.joined(separator: " ")
    }
}
