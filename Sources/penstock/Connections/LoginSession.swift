// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockModel
import PenstockProject

/// A login of one connection: everything that is known before the browser is asked.
struct LoginSession {
    /// How the login goes.
    let login: BrowserLogin
    /// The name under which the secret that it gives is kept.
    let secretName: String
    private let draft: ConnectionDraft
    private let workspace: Workspace
    private let options: LoginOptions
    private let subject: LoginFlow.Subject

    /// Checks everything that can be wrong before anybody is asked.
    init(
        _ draft: ConnectionDraft, _ resolver: ReferenceResolver, _ workspace: Workspace, _ options: LoginOptions
    ) throws {
        let descriptor = draft.descriptor
        guard let login = descriptor.login else {
            throw CommandFailure(
                .usage, code: "login", "the connector \(descriptor.id) has no login in a browser",
                notes: ["its secrets: " + descriptor.settings.filter(\.isSecret).map(\.name).joined(separator: ", ")])
        }
        if let other = login.insteadOf.first(where: draft.keys.contains) {
            throw CommandFailure(
                .usage, code: "login", "\(draft.name) signs in with \(other); a login takes its place",
                notes: ["leave it out: penstock connection edit \(draft.name) --unset \(other) --no-test"])
        }
        if let missing = login.needs.first(where: { !draft.keys.contains($0) }) {
            let field = descriptor.settings.first { $0.name == missing }
            throw CommandFailure(
                .usage, code: "missing-answer", "a login needs \(missing)",
                notes: [
                    field?.summary ?? "",
                    field?.isSecret == true
                        ? "give it: --token-for \(missing) --token-stdin" : "give it: --set \(missing)=…",
                ])
        }
        guard let connector = workspace.registry.connector(descriptor.id) else {
            throw Suggestion.failure(descriptor.id, "connector", workspace.registry.ids)
        }
        self.login = login
        self.draft = draft
        self.workspace = workspace
        self.options = options
        secretName = try Self.secretName(draft, login, workspace)
        subject = LoginFlow.Subject(
            name: draft.name, connector: connector, login: login,
            settings: try draft.settings(resolver, without: [login.gives]))
    }

    /// The name in the reference that is written, where it is one of this user's own; else a new one.
    private static func secretName(
        _ draft: ConnectionDraft, _ login: BrowserLogin, _ workspace: Workspace
    ) throws -> String {
        let root = try workspace.root.get()
        let keeper = SecretKeeper(workspace, root: root)
        if let text = draft.text(login.gives), text.hasPrefix("${cred:"), text.hasSuffix("}") {
            let name = String(text.dropFirst("${cred:".count).dropLast())
            let isElsewhere = workspace.resolver(root: root).hasCredential(name, elsewhere: true)
            let isFree = try !workspace.secretStore().isThere(name) || keeper.isOurs(name, draft.name)
            if !isElsewhere, isFree { return name }
        }
        return try keeper.freeName(draft.name, login.gives)
    }

    /// Forgets what the login has brought.
    func forget() throws {
        _ = try SecretKeeper(workspace, root: try workspace.root.get()).remove(secretName, of: draft.name)
        let credentials = try workspace.credentials(of: draft.name)
        try SecretKeeper.reporting(draft.name) { () throws(ConnectorError) in try credentials.forget() }
    }

    /// Puts back what a store held under a name: a secret, or nothing.
    private static func restore(
        _ before: SecretStore.Stored?, _ name: String, _ store: SecretStore
    ) throws(ConnectorError) {
        guard let before else { return try store.remove(name) }
        try store.put(name, before.secret, owner: before.owner)
    }

    /// Logs in, and keeps what it brings before it is used.
    ///
    /// - Returns: What the connector says of the connection now.
    /// - Throws: ``CommandFailure`` where nothing was kept.
    func run() throws -> CheckReport {
        let store = try workspace.secretStore()
        let credentials = try workspace.credentials(of: draft.name)
        let owner = try workspace.owner(draft.name)
        let (name, gives, descriptor) = (secretName, login.gives, draft.descriptor)
        let settings = subject.settings.settings
        let (report, hasKept) = try LoginFlow(workspace, options).run(subject) { (json) throws(ConnectorError) in
            guard let secret = json[gives]?.stringValue, !secret.isEmpty else {
                throw ConnectorError(.contractBreach, "The login has brought no \(gives).")
            }
            let before = store.isThere(name) ? try store.stored(name) : nil
            try store.put(name, Secret(secret), owner: owner)
            var object = settings.objectValue ?? [:]
            object[gives] = .string(secret)
            do throws(ConnectorError) {
                try credentials.begin(json, of: descriptor, .object(object))
            } catch {
                // Both are kept or none; where that fails, too, the first failure is what matters.
                try? Self.restore(before, name, store)
                throw error
            }
        }
        guard hasKept else {
            Terminal.writeError(CheckText.text(draft.name, report, width: Terminal.width))
            Terminal.writeError("Nothing was kept.\n")
            let code = CheckText.exitCode(report)
            throw CommandFailure(silently: code == .ok ? .fault : code)
        }
        TestRecord(report).write(draft.name, root: try workspace.root.get())
        return report
    }
}
