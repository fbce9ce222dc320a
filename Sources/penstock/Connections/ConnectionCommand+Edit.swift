// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockHost
import PenstockModel
import PenstockProject

extension ConnectionCommand {
    /// `penstock connection edit`.
    struct Edit: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "edit", abstract: "Change settings of a connection; everything else in the file stays.",
            discussion: """
                The connection is tried with the changes before they are kept.

                Example: penstock connection edit crm --set timeout=60 --unset ca_file
                """)

        @OptionGroup var options: GlobalOptions
        @OptionGroup var draftOptions: DraftOptions

        @Argument(help: "The connection.")
        var name: String

        @Option(name: .long, help: "A setting to leave out. May be repeated.")
        var unset: [String] = []

        @Option(name: .long, help: "A secret setting to ask for.")
        var ask: String?

        @Flag(name: .long, help: "Keep the changes without trying the connection.")
        var noTest = false

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let connection = try workspace.connection(name, in: project)
            let descriptor = try workspace.connector(of: connection).descriptor
            let keeper = SecretKeeper(workspace, root: project.root)
            let before = ConnectionDraft(connection, in: project, descriptor: descriptor)
            var draft = before
            var secrets: [String: Secret] = [:]
            for key in unset {
                guard draft.keys.contains(key) else { throw Suggestion.failure(key, "setting", draft.keys) }
                draft.unset(key)
            }
            try draftOptions.apply(to: &draft)
            try draftOptions.applyToken(to: &draft, &secrets, keeper: keeper, isLogin: false, replaces: true)
            try askSecret(&draft, &secrets, keeper)
            let changed = changes(before, draft, secrets)
            guard !changed.isEmpty else {
                throw CommandFailure(
                    .usage, code: "missing-answer", "nothing is to be changed",
                    notes: ["give --set key=value, --unset key, --ask SECRET or --token-stdin"])
            }
            let trial = ConnectionTrial(workspace, descriptor, secrets)
            try trial.requireComplete(draft, isTried: !noTest)
            if !noTest { try test(draft, trial, project.root) }
            try keep(connection, draft, changed, secrets, keeper, project.root)
            try removeUnused(before, draft, keeper, besides: project.credentialNames(besides: connection))
            say(changed)
        }

        private func askSecret(
            _ draft: inout ConnectionDraft, _ secrets: inout [String: Secret], _ keeper: SecretKeeper
        ) throws {
            guard let ask else { return }
            let all = draft.descriptor.settings.filter(\.isSecret).map(\.name)
            guard all.contains(ask) else { throw Suggestion.failure(ask, "secret setting", all) }
            guard options.mayAsk else {
                throw CommandFailure(
                    .usage, code: "missing-answer", "\(ask) is missing",
                    notes: ["give it: --token-for \(ask) --token-stdin, or --token-file FILE"])
            }
            let secret = try SecretText.prompted("\(ask) (not shown)", consequence: "nothing was changed")
            let secretName = try keeper.freeName(name, ask)
            try DraftOptions.set(ask, "${cred:\(secretName)}", &draft)
            secrets[secretName] = secret
        }

        /// The settings that are written otherwise than before, or whose secret is a new one.
        private func changes(
            _ before: ConnectionDraft, _ draft: ConnectionDraft, _ secrets: [String: Secret]
        ) -> [String] {
            let keys = before.keys + draft.keys.filter { !before.keys.contains($0) }
            return keys.filter { key in
                let text = draft.text(key) ?? draft.listed(key)
                return secrets.keys.contains { text == "${cred:\($0)}" }
                    || text != before.text(key) ?? before.listed(key)
                    || before.keys.contains(key) != draft.keys.contains(key)
            }
        }

        private func test(_ draft: ConnectionDraft, _ trial: ConnectionTrial, _ root: String) throws {
            let report = try trial.test(draft)
            if !options.quiet || !report.isOK {
                Terminal.writeError(CheckText.text(name, report, width: Terminal.width))
            }
            guard report.isOK else {
                Terminal.writeError("Nothing was changed. --no-test keeps changes without trying them.\n")
                throw CommandFailure(silently: CheckText.exitCode(report))
            }
            TestRecord(report).write(name, root: root)
        }

        private func keep(
            _ connection: Connection, _ draft: ConnectionDraft, _ changed: [String], _ secrets: [String: Secret],
            _ keeper: SecretKeeper, _ root: String
        ) throws {
            if Interruption.exitCode != nil { throw Prompt.aborted("nothing was changed") }
            var file = try ConnectionFile(connection, root: root)
            for key in changed { try file.set(name, key, to: draft.value(key)) }
            for (secretName, secret) in secrets { try keeper.store(secretName, secret, for: name) }
            try file.write()
        }

        /// Removes the secrets of ours to which the connection no longer refers.
        private func removeUnused(
            _ before: ConnectionDraft, _ draft: ConnectionDraft, _ keeper: SecretKeeper, besides others: Set<String>
        ) throws {
            let used = others.union(draft.credentialNames)
            for secretName in before.credentialNames where !used.contains(secretName) {
                if try keeper.remove(secretName, of: name), !options.quiet {
                    Terminal.writeError("Removed the secret \(secretName)\n")
                }
            }
        }

        private func say(_ changed: [String]) {
            if options.isMachineReadable {
                let data: JSON = .object(["connection": .string(name), "changed": .strings(changed)])
                Terminal.write(Document(kind: "connection.edit", data: data).text(options.format))
            } else if !options.quiet {
                Terminal.writeError("Changed \(name): \(changed.joined(separator: ", "))\n")
            }
        }
    }

    /// `penstock connection remove`.
    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Remove a connection that nothing uses, with the secrets stored for it.",
            discussion: "Example: penstock connection remove crm --yes")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The connection.")
        var name: String

        @Flag(name: .long, help: "Do not ask.")
        var yes = false

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let connection = try workspace.connection(name, in: project)
            let users = project.users(of: name)
            guard users.isEmpty else {
                throw CommandFailure(
                    .usage, code: "connection-used", "\(name) is used and was not removed",
                    notes: users + ["remove or change these first"])
            }
            var file = try ConnectionFile(connection, root: project.root)
            try file.remove(name)
            let others = project.credentialNames(besides: connection)
            let keeper = SecretKeeper(workspace, root: project.root)
            let secrets = try connection.credentialNames.filter { !others.contains($0) }
                .filter { try keeper.isOurs($0, name) }
            let what = secrets.isEmpty ? "" : " and its stored secrets \(secrets.joined(separator: ", "))"
            try Confirmation.required(
                "Remove the connection \(name)\(what)?", yes: yes, options, consequence: "nothing was removed")
            try file.write()
            for secret in secrets { _ = try keeper.remove(secret, of: name) }
            let credentials = try workspace.credentials(of: name)
            try SecretKeeper.reporting(name) { () throws(ConnectorError) in try credentials.forget() }
            TestRecord.remove(name, root: project.root)
            let kept = connection.credentialNames.filter { !secrets.contains($0) }
            if options.isMachineReadable {
                let data: JSON = .object([
                    "connection": .string(name), "secrets": .strings(secrets), "kept_secrets": .strings(kept),
                ])
                Terminal.write(Document(kind: "connection.remove", data: data).text(options.format))
            } else if !options.quiet {
                Terminal.writeError("Removed \(name)\(what)\n")
                for secret in kept {
                    Terminal.writeError("The secret \(secret) stays: it was not stored for this connection alone\n")
                }
            }
        }
    }
}
