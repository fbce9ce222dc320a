// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockHost
import PenstockModel
import PenstockProject

extension ConnectionCommand {
    /// `penstock connection add`.
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Add a connection: asks, or takes everything from flags.",
            discussion: """
                The connection is tried before it is kept. A secret is stored for this user, sealed; connections.yml \
                gets a reference to it. Several connections may use one connector, each with its own account.

                Example: penstock connection add crm --connector NAME --set company_domain=acme --token-stdin < token.txt
                """)

        @OptionGroup var options: GlobalOptions
        @OptionGroup var draftOptions: DraftOptions
        @OptionGroup var loginOptions: LoginOptions

        @Argument(help: "The connection's name; the connector's id where it is left out.")
        var name: String?

        @Option(name: .long, help: "The connector; see connector list.")
        var connector: String?

        @Option(name: .long, help: "What the connection is for.")
        var description: String?

        @Flag(name: .long, help: "Log in in a browser (OAuth), where the connector offers it.")
        var login = false

        @Flag(name: .long, help: "Ask for every setting, also for those that most connections do without.")
        var all = false

        @Flag(name: .long, help: "Keep the connection without trying it.")
        var noTest = false

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let descriptor = try chosenConnector(workspace)
            let name = try chosenName(descriptor, project)
            var file = try ConnectionFile(nil, root: project.root)
            guard !file.has(name) else { throw taken(name) }
            let keeper = SecretKeeper(workspace, root: project.root)
            var draft = ConnectionDraft(name: name, descriptor: descriptor)
            var secrets: [String: Secret] = [:]
            try draftOptions.apply(to: &draft)
            try draftOptions.applyToken(to: &draft, &secrets, keeper: keeper, isLogin: login)
            let given = Set(draft.keys)
            var isLogin = login
            let asks = options.mayAsk && !draftOptions.tokenStdin
            if asks {
                var questions = ConnectionQuestions(keeper, descriptor)
                questions.isThorough = all
                if login { questions.way = .login }
                try questions.ask(&draft, &secrets)
                isLogin = questions.way == .login && !draft.keys.contains(descriptor.login?.gives ?? "")
                if !isLogin, !noTest { try questions.complete(&draft, &secrets, given: given, workspace) }
            }
            if isLogin {
                let trial = ConnectionTrial(workspace, descriptor, secrets)
                return try keepAfterLogin(draft, secrets, trial, keeper, &file, workspace)
            }
            let trial = ConnectionTrial(workspace, descriptor, secrets)
            try trial.requireComplete(draft, isTried: !noTest)
            let report = noTest ? nil : try tested(draft, trial, project.root)
            try keep(draft, secrets, keeper, &file)
            if let report { TestRecord(report).write(name, root: project.root) }
            say(draft, report, Array(secrets.keys), workspace, wasAsked: asks)
        }

        private func chosenConnector(_ workspace: Workspace) throws -> ConnectorDescriptor {
            let ids = workspace.loadedDescriptors.map(\.id)
            var id = connector
            if id == nil, options.mayAsk, !draftOptions.tokenStdin {
                guard let answer = Prompt.choice("Which connector?", ids) else {
                    throw Prompt.aborted("nothing was kept")
                }
                id = answer
            }
            guard let id else {
                throw CommandFailure(
                    .usage, code: "missing-answer", "--connector is missing",
                    notes: ["one of: " + ids.joined(separator: ", ")])
            }
            guard let found = workspace.descriptors[id] else { throw Suggestion.failure(id, "connector", ids) }
            return found
        }

        private func chosenName(_ descriptor: ConnectorDescriptor, _ project: Project) throws -> String {
            var name = self.name
            if name == nil {
                let taken = Set(project.connections.map(\.name))
                let free = (1...).lazy.map { descriptor.id + ($0 == 1 ? "" : "-\($0)") }.first { !taken.contains($0) }
                let standard = free ?? descriptor.id
                name = standard
                if options.mayAsk, !draftOptions.tokenStdin {
                    guard let answer = Prompt.text("Name of the connection", default: standard) else {
                        throw Prompt.aborted("nothing was kept")
                    }
                    name = answer
                }
            }
            let chosen = name ?? descriptor.id
            guard ConnectionDraft.isName(chosen) else {
                throw CommandFailure(
                    .usage, code: "bad-name", "\"\(chosen)\" cannot be the name of a connection",
                    notes: ["use letters, digits, -, _ and ., 60 at most"])
            }
            guard !project.connections.contains(where: { $0.name == chosen }) else { throw taken(chosen) }
            return chosen
        }

        private func taken(_ name: String) -> CommandFailure {
            CommandFailure(
                .usage, code: "connection-exists", "there is a connection \(name) already",
                notes: ["change it: penstock connection edit \(name)", "or choose another name for a second account"])
        }

        /// Tries the connection; fails where it does not work.
        private func tested(_ draft: ConnectionDraft, _ trial: ConnectionTrial, _ root: String) throws -> CheckReport {
            if !options.quiet { Terminal.writeError("Trying the connection …\n") }
            let report = try trial.test(draft)
            guard !report.isOK else { return report }
            Terminal.writeError(CheckText.text(draft.name, report, width: Terminal.width))
            Terminal.writeError("Nothing was kept. --no-test keeps a connection without trying it.\n")
            throw CommandFailure(silently: CheckText.exitCode(report))
        }

        /// Stores the secrets, then writes the connection; takes the secrets back where that fails.
        private func keep(
            _ draft: ConnectionDraft, _ secrets: [String: Secret], _ keeper: SecretKeeper, _ file: inout ConnectionFile
        ) throws {
            if Interruption.exitCode != nil { throw Prompt.aborted("nothing was kept") }
            try file.set(draft.name, to: draft.document(description: description))
            do {
                for (name, secret) in secrets { try keeper.store(name, secret, for: draft.name) }
                try file.write(adding: draft.name)
            } catch {
                // What is left over is said by nobody: the failure itself is what matters.
                for name in secrets.keys { _ = try? keeper.remove(name, of: draft.name) }
                throw error
            }
        }

        private func keepAfterLogin(
            _ draft: ConnectionDraft, _ secrets: [String: Secret], _ trial: ConnectionTrial, _ keeper: SecretKeeper,
            _ file: inout ConnectionFile, _ workspace: Workspace
        ) throws {
            let session = try LoginSession(draft, trial.resolver(), workspace, loginOptions)
            var draft = draft
            let report = try session.run()
            try DraftOptions.set(session.login.gives, "${cred:\(session.secretName)}", &draft)
            do {
                try keep(draft, secrets, keeper, &file)
            } catch {
                try session.forget()
                throw error
            }
            say(draft, report, secrets.keys + [session.secretName], workspace, wasAsked: false)
            try CommandFailure.end(unlessOK: CheckText.exitCode(report))
        }

        private func say(
            _ draft: ConnectionDraft, _ report: CheckReport?, _ secrets: [String], _ workspace: Workspace,
            wasAsked: Bool
        ) {
            if options.isMachineReadable {
                let data: JSON = .object([
                    "connection": .string(draft.name), "connector": .string(draft.descriptor.id),
                    "secrets": .strings(secrets.sorted()),
                    "test": report.map { CheckText.json(draft.name, $0) } ?? .null,
                ])
                Terminal.write(Document(kind: "connection.add", data: data).text(options.format))
                return
            }
            if let report { Terminal.write(CheckText.text(draft.name, report, width: options.tableWidth)) }
            guard !options.quiet else { return }
            Terminal.writeError("Wrote \(draft.name) to connections.yml\n")
            // The folder is there, or nothing could have been stored.
            if let folder = try? workspace.secretStore().folder {
                for name in secrets.sorted() { Terminal.writeError("Stored \(name), sealed, in \(folder)\n") }
            }
            if wasAsked {
                Terminal.writeError("Same without questions:\n  \(ConnectionTrial.command(draft, description))\n")
            }
            Terminal.writeError("Next:  penstock connection discover \(draft.name)\n")
        }
    }
}
