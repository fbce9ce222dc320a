// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Tries a connection step by step.
struct PostgresCheck {
    private let settings: PostgresSettings
    private let host: any HostServices

    init(_ settings: PostgresSettings, _ host: any HostServices) {
        self.settings = settings
        self.host = host
    }

    /// What was tried, in order.
    ///
    /// - Throws: ``ConnectorError`` `cancelled`.
    func report() throws(ConnectorError) -> CheckReport {
        switch PostgresConnection.attempt(settings, PostgresCancellation(host)) {
        case .failure(let refused):
            let refusal = refused.refusal
            if refusal.error.code == .cancelled { throw refusal.error }
            return CheckReport(
                passed(before: refusal.step) + [CheckReport.Step(refusal.step, failure: refusal.error)])
        case .success(let connection):
            defer { connection.close() }
            return examine(connection)
        }
    }

    /// The steps that were passed before a refusal at this one.
    private func passed(before step: String) -> [CheckReport.Step] {
        switch step {
        case "tls": [CheckReport.Step("network")]
        case "credential", "right": [CheckReport.Step("network")]
        default: []
        }
    }

    private func examine(_ connection: PostgresConnection) -> CheckReport {
        let handle = connection.handle
        let isSocket = handle.host.hasPrefix("/")
        let isAddress = handle.host.contains(":") || handle.host.allSatisfy { $0.isNumber || $0 == "." }
        var steps: [CheckReport.Step] = []
        if !isSocket && !isAddress { steps.append(CheckReport.Step("name", handle.host)) }
        steps.append(
            CheckReport.Step("network", isSocket ? "socket in \(handle.host)" : "\(handle.host), port \(handle.port)"))
        if let encryption = handle.encryption { steps.append(CheckReport.Step("tls", encryption)) }
        steps.append(CheckReport.Step("credential", "user \(handle.user)"))
        let identity = [
            "server": "PostgreSQL \(handle.parameter("server_version"))", "user": handle.user,
            "database": handle.database,
        ]
        do throws(ConnectorError) {
            try connection.begin()
            let entries = try PostgresCatalog(connection).entries().filter { !$0.isPartition }
            let readable = entries.filter(\.isReadable)
            guard entries.isEmpty || !readable.isEmpty else {
                throw ConnectorError(
                    .forbidden,
                    "The role may read none of the \(entries.count) tables and views of the database; grant it USAGE on "
                        + "their schemas and SELECT on them.", vendorCode: "42501")
            }
            let views = readable.filter { $0.kind == .view }.count
            steps.append(CheckReport.Step("right", "reads \(readable.count - views) tables, \(views) views"))
        } catch {
            steps.append(CheckReport.Step("right", failure: error))
        }
        return CheckReport(steps, identity: identity)
    }
}
