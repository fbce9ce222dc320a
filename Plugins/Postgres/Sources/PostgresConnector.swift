// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Reads one PostgreSQL database.
package struct PostgresConnector: Connector {
    /// The connector.
    package init() {}

    package var descriptor: ConnectorDescriptor {
        ConnectorDescriptor(
            id: "postgres", title: "PostgreSQL", version: "0.1.0",
            summary: "Reads tables, views and queries of one PostgreSQL database.",
            capabilities: [.source, .query, .lowerBound, .order], settings: PostgresSettings.fields)
    }

    package func openSource(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Source {
        PostgresSource(try PostgresSettings(settings), host)
    }

    package func openDestination(
        _ settings: JSON, host: any HostServices
    ) throws(ConnectorError) -> any Destination {
        throw ConnectorError(.unsupported, "The connector postgres only reads; use it as a source.")
    }
}
