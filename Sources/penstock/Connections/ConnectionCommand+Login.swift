// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockHost
import PenstockModel
import PenstockProject

extension ConnectionCommand {
    /// `penstock connection login`.
    struct Login: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "login", abstract: "Log a connection in in a browser (OAuth).",
            discussion: """
                The address is printed, and opened where there is a browser. The tokens are stored for this user, \
                sealed, before they are used; connections.yml gets a reference to the one that lasts. Later ones take \
                its place by themselves.

                Example: penstock connection login crm
                """)

        @OptionGroup var options: GlobalOptions
        @OptionGroup var loginOptions: LoginOptions

        @Argument(help: "The connection.")
        var name: String

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let connection = try workspace.connection(name, in: project)
            let connector = try workspace.connector(of: connection)
            let draft = ConnectionDraft(connection, in: project, descriptor: connector.descriptor)
            var file = try ConnectionFile(connection, root: project.root)
            let session = try LoginSession(draft, try workspace.resolver(), workspace, loginOptions)
            let reference = "${cred:\(session.secretName)}"
            let isWritten = draft.text(session.login.gives) == reference
            // What cannot be written into the file is found out before anybody is asked.
            if !isWritten { try file.set(name, session.login.gives, to: .text(reference)) }
            let report = try session.run()
            if !isWritten { try write(file, "\(session.login.gives): \(reference)") }
            if options.isMachineReadable {
                let data: JSON = .object([
                    "connection": .string(name), "secret": .string(session.secretName),
                    "test": CheckText.json(name, report),
                ])
                Terminal.write(Document(kind: "connection.login", data: data).text(options.format))
            } else {
                Terminal.write(CheckText.text(name, report, width: options.tableWidth))
                if !options.quiet {
                    Terminal.writeError(
                        "Logged in. The token is stored, sealed, as \(session.secretName) in "
                            + "\(try workspace.secretStore().folder)\n")
                }
            }
            try CommandFailure.end(unlessOK: CheckText.exitCode(report))
        }

        /// Writes the reference; where that fails, the login stands all the same.
        private func write(_ file: ConnectionFile, _ line: String) throws {
            do {
                try file.write()
            } catch var failure as CommandFailure {
                failure.message += "\n  = the login was kept; write into the connection \(name): \(line)"
                throw failure
            }
        }
    }

    /// `penstock connection logout`.
    struct Logout: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "logout", abstract: "Forget what a login has brought.",
            discussion: """
                The app keeps its access at the other side until it is removed there.

                Example: penstock connection logout crm
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The connection.")
        var name: String

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let connection = try workspace.connection(name, in: project)
            let descriptor = try workspace.connector(of: connection).descriptor
            guard let login = descriptor.login else {
                throw CommandFailure(
                    .usage, code: "login", "the connector \(descriptor.id) has no login in a browser")
            }
            let keeper = SecretKeeper(workspace, root: project.root)
            var removed: [String] = []
            for reference in project.references(of: connection, try workspace.resolver())
            where reference.key == login.gives && reference.raw.hasPrefix("${cred:")
                && !project.credentialNames(besides: connection).contains(reference.name)
            {
                if try keeper.remove(reference.name, of: name) { removed.append(reference.name) }
            }
            try SecretKeeper.reporting(name) { () throws(ConnectorError) in
                try Self.credentials(name, workspace)?.forget()
            }
            if options.isMachineReadable {
                let data: JSON = .object(["connection": .string(name), "removed": .strings(removed)])
                Terminal.write(Document(kind: "connection.logout", data: data).text(options.format))
            } else if !options.quiet {
                let what =
                    removed.isEmpty ? "nothing was stored by a login" : "removed " + removed.joined(separator: ", ")
                Terminal.writeError(
                    "Logged out of \(name): \(what)\nThe app keeps its access until it is removed at the other side.\n")
            }
        }

        private static func credentials(
            _ name: String, _ workspace: Workspace
        ) throws(ConnectorError) -> CredentialStore? {
            // The project was loaded, so its folder is known.
            try? workspace.credentials(of: name)
        }
    }
}
