// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Reads one SQLite database file.
package struct SQLiteConnector: Connector {
    /// The connector.
    package init() {}

    private static let settings: [ConfigField] = [
        ConfigField("path", .path, "The database file to read.", isRequired: true, example: "data/crm.db"),
        ConfigField(
            "busy_timeout", .integer(0...600_000),
            "How many milliseconds to wait for a lock that another program holds on the file.",
            defaultValue: .integer(5_000), example: "5000", isAdvanced: true),
    ]

    package var descriptor: ConnectorDescriptor {
        ConnectorDescriptor(
            id: "sqlite", title: "SQLite", version: "0.1.0",
            summary: "Reads tables, views and queries of one SQLite database file.",
            capabilities: [.source, .query, .lowerBound, .order, .local], settings: Self.settings)
    }

    package func openSource(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Source {
        let settings = ConnectorSettings(settings, Self.settings)
        let path = try settings.requiredText("path")
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw ConnectorError(
                .badConfig, "The setting path is empty or holds a NUL character; name one database file.",
                field: "path")
        }
        return SQLiteSource(path: path, busyMilliseconds: settings.integer("busy_timeout") ?? 5_000, host: host)
    }

    package func openDestination(
        _ settings: JSON, host: any HostServices
    ) throws(ConnectorError) -> any Destination {
        throw ConnectorError(.unsupported, "The connector sqlite only reads; use it as a source.")
    }
}
