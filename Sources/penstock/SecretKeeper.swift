// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import PenstockProject

/// Stores the secrets of a project's connections among the user's, and never in the place of another project's.
struct SecretKeeper {
    private let workspace: Workspace
    private let root: String

    /// A keeper for the project at `root`.
    init(_ workspace: Workspace, root: String) {
        self.workspace = workspace
        self.root = root
    }

    /// The name under which a connection's secret is stored: the next one where others have the obvious one.
    func freeName(_ connection: String, _ setting: String) throws -> String {
        let dashed = setting.map { $0 == "_" ? "-" : String($0) }.joined()
        let resolver = workspace.resolver(root: root)
        let store = try workspace.secretStore()
        for number in 1..<1_000 {
            let name = "\(connection)-\(dashed)" + (number == 1 ? "" : "-\(number)")
            if resolver.hasCredential(name, elsewhere: true) { continue }
            if try !store.isThere(name) || isOurs(name, connection) { return name }
        }
        throw CommandFailure(
            .cannotWrite, code: "cannot-write", "there are too many secrets called \(connection)-\(dashed)")
    }

    /// Whether a sealed secret was stored for this connection of this project.
    func isOurs(_ name: String, _ connection: String) throws -> Bool {
        let store = try workspace.secretStore()
        do throws(ConnectorError) {
            return try store.stored(name)?.owner == owner(connection)
        } catch {
            // What cannot be opened is somebody else's.
            return false
        }
    }

    /// Stores a secret, sealed.
    func store(_ name: String, _ secret: Secret, for connection: String) throws {
        try Self.reporting(name) { () throws(ConnectorError) in
            try storing().put(name, secret, owner: owner(connection))
        }
    }

    /// Removes a secret that was stored for this connection of this project; anybody else's stays.
    ///
    /// - Returns: Whether it is gone.
    func remove(_ name: String, of connection: String) throws -> Bool {
        guard try isOurs(name, connection) else { return false }
        try Self.reporting(name) { () throws(ConnectorError) in try storing().remove(name) }
        return true
    }

    private func owner(_ connection: String) -> String { Workspace.owner(connection, root: root) }

    private func storing() throws(ConnectorError) -> SecretStore {
        do {
            return try workspace.secretStore()
        } catch {
            throw ConnectorError(
                .unavailable, "There is no folder for secrets: neither XDG_CONFIG_HOME nor HOME is set.")
        }
    }

    /// What the store says against it, as the end of a command.
    static func reporting<R>(_ name: String, _ body: () throws(ConnectorError) -> R) throws -> R {
        do throws(ConnectorError) {
            return try body()
        } catch {
            let code: ExitCode = error.code == .unauthorized ? .permission : .cannotWrite
            throw CommandFailure(
                code, code: code == .permission ? "cred-sealed" : "cannot-write", error.message.withoutFullStop,
                notes: [error.detail].filter { !$0.isEmpty })
        }
    }
}
