// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import PenstockProject

/// Gets the answers that `init` needs: from flags, else by asking, else a failure that names the flag.
struct InitQuestions {
    /// What is asked for one connection.
    struct Subject {
        /// The question for its connector.
        var question: String
        /// The flag that names its connector.
        var flag: String
        /// The connector of that flag, or nil.
        var connector: String?
        /// The settings that were given, `key=value`.
        var settings: [String]
        /// What it must be able to do.
        var role: Capabilities
        /// The sandbox that may stand for an account, or nil.
        var sandbox: InitSandbox?
        /// Whether that sandbox was asked for.
        var takesSandbox = false
    }

    private enum Next {
        case again
        case keep
    }

    private let workspace: Workspace
    private let root: String
    private let mayAsk: Bool

    /// Questions for the project that is to be in the folder `root`.
    init(_ workspace: Workspace, root: String, mayAsk: Bool) {
        self.workspace = workspace
        self.root = root
        self.mayAsk = mayAsk
    }

    /// The project's name, until it is one.
    func name(given: String?, default standard: String) throws -> String {
        if let given { return given }
        guard mayAsk else { return standard }
        while let answer = Prompt.text("Project name", default: standard) {
            if !answer.isEmpty { return answer }
        }
        throw Self.aborted
    }

    /// A connection: its connector, and the connector's settings; tried where anything was asked.
    func side(_ subject: Subject) throws -> InitSide {
        let able = workspace.loadedDescriptors.filter { $0.capabilities.contains(subject.role) }
        let ids = able.map(\.id)
        var subject = subject
        let isChosen = subject.connector == nil && !subject.takesSandbox
        if isChosen { try choose(&subject, able) }
        if subject.takesSandbox { subject.connector = subject.sandbox?.connector }
        guard let id = subject.connector else {
            throw CommandFailure(
                .usage, code: "missing-answer", "\(subject.flag) is missing",
                notes: ["one of: " + ids.joined(separator: ", ")])
        }
        guard let descriptor = able.first(where: { $0.id == id }) else {
            throw Suggestion.failure(id, "connector", ids)
        }
        if subject.takesSandbox, let sandbox = subject.sandbox {
            return try rehearsal(sandbox, descriptor, subject, isTried: isChosen)
        }
        while true {
            var side = try answered(descriptor, subject)
            side.wasAsked = side.wasAsked || isChosen
            guard side.wasAsked, !side.needsLogin else { return side }
            if try connect(&side) { return side }
            let next = try Questions().choice(
                "  What now?", [Questions.Choice("other answers", Next.again), Questions.Choice("keep it", .keep)])
            if next == .keep { return side }
        }
    }

    private func choose(_ subject: inout Subject, _ able: [ConnectorDescriptor]) throws {
        guard mayAsk else { return }
        var choices = able.map { Questions.Choice($0.id, Optional($0.id)) }
        if subject.sandbox != nil {
            choices.append(Questions.Choice("sandbox", note: "built in, no account", nil))
        }
        subject.connector = try Questions().choice(subject.question, choices)
        subject.takesSandbox = subject.connector == nil
    }

    // MARK: - Settings

    private func answered(_ descriptor: ConnectorDescriptor, _ subject: Subject) throws -> InitSide {
        let name = subject.role == .source ? "source" : "crm"
        var draft = ConnectionDraft(name: name, descriptor: descriptor)
        try apply(subject, to: &draft)
        var side = InitSide(draft: draft)
        let given = Set(draft.keys)
        if !given.isEmpty || !mayAsk, try isComplete(draft, subject) { return side }
        side.wasAsked = true
        var questions = ConnectionQuestions(SecretKeeper(workspace, root: root), descriptor)
        try questions.ask(&side.draft, &side.secrets)
        side.needsLogin = questions.way == .login && !side.draft.keys.contains(descriptor.login?.gives ?? "")
        if !side.needsLogin { try questions.complete(&side.draft, &side.secrets, given: given, workspace) }
        return side
    }

    /// Writes the settings of the flags into the draft.
    private func apply(_ subject: Subject, to draft: inout ConnectionDraft) throws {
        for pair in subject.settings {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                throw CommandFailure(.usage, code: "usage", "\(subject.flag)-set takes key=value, not \"\(pair)\"")
            }
            let fields = draft.descriptor.settings
            guard let field = fields.first(where: { $0.name == parts[0] }) else {
                throw Suggestion.failure(parts[0], "setting", fields.map(\.name))
            }
            do throws(ConnectionDraftProblem) {
                try draft.set(field.name, to: parts[1])
            } catch {
                let isLiteral = error.code == "secret-literal"
                throw CommandFailure(
                    .usage, code: error.code,
                    isLiteral ? "a secret does not belong on the command line" : error.message,
                    notes: isLiteral
                        ? ["give a reference: \(subject.flag)-set '\(field.name)=${env:NAME}'"] : error.notes)
            }
        }
    }

    /// Whether the connector has what it needs by the flags; a reference may still lack its value.
    ///
    /// - Throws: ``CommandFailure`` where a setting is missing and nobody can be asked.
    private func isComplete(_ draft: ConnectionDraft, _ subject: Subject) throws -> Bool {
        let trial = ConnectionTrial(workspace, draft.descriptor, [:])
        if draft.missing.isEmpty, try draft.resolved(trial.resolver()).settings == nil { return true }
        guard let error = try trial.objection(draft) else { return true }
        guard let field = draft.descriptor.settings.first(where: { $0.name == error.field }),
            !draft.keys.contains(field.name)
        else {
            throw CommandFailure(error, subject: "connection \(draft.name)", notes: ["no project was written"])
        }
        if mayAsk { return false }
        throw CommandFailure(
            .usage, code: "missing-answer", "the setting \(field.name) is missing",
            notes: ["\(field.name): \(field.summary)", "give it: \(subject.flag)-set \(field.name)=…"])
    }

    // MARK: - Trying it

    /// Tries the connection and says in a line what came of it.
    private func connect(_ side: inout InitSide) throws -> Bool {
        Terminal.writeError("  Connecting … ")
        do {
            let report = try ConnectionTrial(workspace, side.draft.descriptor, side.secrets).test(side.draft)
            side.report = report
            guard report.isOK else {
                Terminal.writeError("\n" + CheckText.text(side.name, report, width: Terminal.width))
                return false
            }
            let who = report.identity.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.printable)" }
            Terminal.writeError((["ok"] + who).joined(separator: ", ") + "\n")
            return true
        } catch let failure as CommandFailure {
            if Interruption.exitCode != nil || failure.message.isEmpty { throw failure }
            Terminal.writeError("\n\(failure.message)\n")
            return false
        }
    }

    /// A connection to the sandbox: to one that is running, else to one that is started now.
    private func rehearsal(
        _ sandbox: InitSandbox, _ descriptor: ConnectorDescriptor, _ subject: Subject, isTried: Bool
    ) throws -> InitSide {
        var side = try sandboxSide(sandbox, descriptor, subject)
        guard isTried else { return side }
        side.wasAsked = true
        let trial = ConnectionTrial(workspace, descriptor, side.secrets)
        // Where nobody listens, or somebody else, one is started.
        if let report = try? trial.test(side.draft), report.isOK {
            side.report = report
            Terminal.writeError("  The sandbox at \(sandbox.address) answers.\n")
            return side
        }
        if Interruption.exitCode != nil { throw Self.aborted }
        try sandbox.start()
        side = try sandboxSide(sandbox, descriptor, subject)
        side.wasAsked = true
        Terminal.writeError("  A sandbox is started at \(sandbox.address), until this command ends.\n")
        _ = try connect(&side)
        return side
    }

    private func sandboxSide(
        _ sandbox: InitSandbox, _ descriptor: ConnectorDescriptor, _ subject: Subject
    ) throws -> InitSide {
        var side = InitSide(draft: ConnectionDraft(name: "crm", descriptor: descriptor), isSandbox: true)
        let keeper = SecretKeeper(workspace, root: root)
        for member in try sandbox.settings() {
            let key = member.key
            guard let field = descriptor.settings.first(where: { $0.name == key }), let text = member.value.stringValue
            else { continue }
            if field.isSecret {
                let name = try keeper.freeName("crm", key)
                side.secrets[name] = Secret(text)
                try DraftOptions.set(key, "${cred:\(name)}", &side.draft)
            } else {
                try DraftOptions.set(key, text, &side.draft)
            }
        }
        try apply(subject, to: &side.draft)
        let used = Set(side.draft.credentialNames)
        side.secrets = side.secrets.filter { used.contains($0.key) }
        return side
    }

    private static var aborted: CommandFailure { Prompt.aborted("no project was written") }
}
