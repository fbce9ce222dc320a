// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockProject

/// Asks for the settings of a new connection, one after the other, as its connector describes them.
struct ConnectionQuestions {
    /// How the connection is to get its credential.
    enum Way {
        /// Not decided.
        case open
        /// By secrets in the settings.
        case settings
        /// By a login in a browser.
        case login
    }

    private let keeper: SecretKeeper
    private let descriptor: ConnectorDescriptor
    /// Whether settings that most connections do without are asked for, too.
    var isThorough = false
    /// How the credential comes.
    var way = Way.open

    init(_ keeper: SecretKeeper, _ descriptor: ConnectorDescriptor) {
        self.keeper = keeper
        self.descriptor = descriptor
    }

    /// Asks for what the draft does not say yet.
    mutating func ask(_ draft: inout ConnectionDraft, _ secrets: inout [String: Secret]) throws {
        for field in descriptor.settings where draft.text(field.name) == nil && !draft.keys.contains(field.name) {
            if let login = descriptor.login, isOfCredential(field, login) {
                if way == .open { way = try chosenWay(login, draft) }
                if way == .settings, !login.insteadOf.contains(field.name) { continue }
                if way == .login, !login.needs.contains(field.name) { continue }
            }
            let isNeeded = isNeededByWay(field)
            guard isThorough || isNeeded || field.isRequired || (!field.isAdvanced && field.defaultValue == nil) else {
                continue
            }
            try ask(field, isNeeded: isNeeded || field.isRequired, &draft, &secrets)
        }
    }

    /// Asks until the connector has nothing against the settings: again for one that it refuses, then for one that it
    /// misses; where that is left out, for those that most connections do without.
    ///
    /// - Parameter given: The settings that were not asked for; none of them is changed.
    /// - Throws: ``CommandFailure`` where the connector refuses one of those, or names no setting.
    mutating func complete(
        _ draft: inout ConnectionDraft, _ secrets: inout [String: Secret], given: Set<String>, _ workspace: Workspace
    ) throws {
        while let error = try ConnectionTrial(workspace, descriptor, secrets).objection(draft) {
            guard let field = descriptor.settings.first(where: { $0.name == error.field }), !given.contains(field.name)
            else {
                throw CommandFailure(error, subject: "connection \(draft.name)", notes: ["nothing was kept"])
            }
            Self.say("error[\(error.code)]: \(error.message.withoutFullStop)")
            draft.unset(field.name)
            try ask(field, isNeeded: field.isRequired || isNeededByWay(field), &draft, &secrets)
            if !draft.keys.contains(field.name) { try askOthers(&draft, &secrets) }
            let used = Set(draft.credentialNames)
            secrets = secrets.filter { used.contains($0.key) }
        }
    }

    /// Asks for the settings that most connections do without, up to the first answer.
    private func askOthers(_ draft: inout ConnectionDraft, _ secrets: inout [String: Secret]) throws {
        for field in descriptor.settings where field.isAdvanced && !draft.keys.contains(field.name) {
            if let login = descriptor.login, isOfCredential(field, login) { continue }
            try ask(field, isNeeded: false, &draft, &secrets)
            if draft.keys.contains(field.name) { return }
        }
    }

    private static func say(_ text: String) {
        let lines = "    \(text)".wrapped(to: Terminal.width, indent: 6)
        Terminal.writeError(lines.joined(separator: "\n") + "\n")
    }

    /// Whether the way that was chosen is none without this setting.
    private func isNeededByWay(_ field: ConfigField) -> Bool {
        guard let login = descriptor.login else { return false }
        switch way {
        case .open: return false
        case .settings: return login.insteadOf.first == field.name
        case .login: return login.needs.contains(field.name)
        }
    }

    private func isOfCredential(_ field: ConfigField, _ login: BrowserLogin) -> Bool {
        (login.needs + login.insteadOf + [login.gives]).contains(field.name)
    }

    private func chosenWay(_ login: BrowserLogin, _ draft: ConnectionDraft) throws -> Way {
        if draft.keys.contains(where: login.needs.contains) { return .login }
        if draft.keys.contains(where: (login.insteadOf + [login.gives]).contains) { return .settings }
        let first = login.insteadOf.first ?? login.gives
        let words = [first, "login in a browser (OAuth)"]
        guard let answer = Prompt.choice("  How to sign in?", words) else { throw Self.aborted }
        return answer == first ? .settings : .login
    }

    /// Asks for one setting until the answer fits.
    func ask(
        _ field: ConfigField, isNeeded: Bool, _ draft: inout ConnectionDraft, _ secrets: inout [String: Secret]
    ) throws {
        let example = field.example.isEmpty || field.isSecret ? "" : ", for example \(field.example)"
        let words = field.kind.choices.map { ", one of: \($0.joined(separator: ", "))" } ?? example
        let lines = "  \(field.summary.withoutFullStop)\(words)".wrapped(to: Terminal.width, indent: 2)
        Terminal.writeError(lines.joined(separator: "\n") + "\n")
        let end = isNeeded ? "" : " (Enter leaves it out)"
        while true {
            let question = "  \(field.name)\(field.isSecret ? " (not shown)" : "")\(end)"
            let answer = field.isSecret ? Prompt.secret(question) : Prompt.text(question, default: nil)
            guard let answer else { throw Self.aborted }
            if answer.isEmpty {
                guard isNeeded else { return }
                Self.say("\(field.name) is needed; Ctrl-C ends this and keeps nothing")
                continue
            }
            do throws(ConnectionDraftProblem) {
                if field.isSecret {
                    return try keep(Secret(answer), as: field.name, &draft, &secrets)
                }
                return try draft.set(field.name, to: answer)
            } catch {
                let notes = error.notes.map { "\n    = \($0)" }.joined()
                Terminal.writeError("    error[\(error.code)]: \(error.message)\(notes)\n")
            }
        }
    }

    private func keep(
        _ secret: Secret, as setting: String, _ draft: inout ConnectionDraft, _ secrets: inout [String: Secret]
    ) throws(ConnectionDraftProblem) {
        let name: String
        do {
            name = try keeper.freeName(draft.name, setting)
        } catch {
            throw ConnectionDraftProblem(code: "cannot-write", message: "there is no folder for secrets", notes: [])
        }
        try draft.set(setting, to: "${cred:\(name)}")
        secrets[name] = secret
    }

    private static var aborted: CommandFailure { Prompt.aborted("nothing was kept") }
}

extension ConfigField.Kind {
    /// The words to choose from; nil where anything may stand.
    fileprivate var choices: [String]? {
        switch self {
        case .choice(let words): words
        case .boolean: ["true", "false"]
        default: nil
        }
    }
}
