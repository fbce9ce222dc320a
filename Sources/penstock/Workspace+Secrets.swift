// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import PenstockProject

extension Workspace {
    /// What gives references their values in the project at `root`.
    func resolver(root: String) -> ReferenceResolver {
        ReferenceResolver(root: root, environment: environment, sources: secretSources)
    }

    /// The user's sealed secrets.
    ///
    /// - Throws: ``CommandFailure`` where there is no home folder.
    func secretStore() throws -> SecretStore {
        guard let folder = ReferenceResolver(root: "/", environment: environment).userCredentials else {
            throw CommandFailure(
                .cannotWrite, code: "no-home", "there is no folder for secrets: neither XDG_CONFIG_HOME nor HOME is set"
            )
        }
        return SecretStore(folder: folder, keyring: CredentialKeyring(environment: environment))
    }

    /// What is kept of a connection's renewed credentials.
    func credentials(of connection: String) throws -> CredentialStore {
        CredentialStore(
            connection: connection, folder: try root.get() + "/.penstock/credentials",
            keyring: CredentialKeyring(environment: environment))
    }

    /// Who a secret of a connection is stored for.
    func owner(_ connection: String) throws -> String { Self.owner(connection, root: try root.get()) }

    /// Who a secret of a connection of the project at `root` is stored for.
    static func owner(_ connection: String, root: String) -> String { "\(root)#\(connection)" }

    /// How secrets are opened, and whether programs may run.
    func makeSecretSources() -> SecretSources {
        let keyring = CredentialKeyring(environment: environment)
        return SecretSources(
            open: { (name, file) throws(SecretSources.Problem) in
                do throws(ConnectorError) {
                    return try SecretStore(folder: "", keyring: keyring).open(file, name: name)?.secret.reveal { $0 }
                } catch {
                    throw SecretSources.Problem(
                        error.message.withoutFullStop, notes: [error.detail].filter { !$0.isEmpty })
                }
            },
            isSealed: { SecretStore.isSealed($0) },
            command: mayRunPrograms ? Self.run : nil)
    }

    private static let run: SecretSources.Running = { words throws(SecretSources.Problem) in
        do throws(SecretProgram.Failure) {
            return try SecretProgram.output(of: words)
        } catch {
            throw SecretSources.Problem(error.reason, notes: ["the command: \(words.joined(separator: " "))"])
        }
    }

    /// Whether programs may run for secrets: by flag, by environment, else by the user's own settings.
    private var mayRunPrograms: Bool {
        if options.allowExec { return true }
        if let value = environment["PENSTOCK_ALLOW_EXEC"] { return value == "1" || value == "true" }
        let config = UserConfig(path: ReferenceResolver(root: "/", environment: environment).userConfig)
        if !config.diagnostics.isEmpty { Terminal.writeError(config.renderer.render(config.diagnostics) + "\n") }
        return config.allowsExec
    }
}

extension String {
    /// The sentence as a clause.
    var withoutFullStop: String { hasSuffix(".") ? String(dropLast()) : self }
}
