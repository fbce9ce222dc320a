// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Reads CSV files: every file is a table.
package struct CSVConnector: Connector {
    /// The connector.
    package init() {}

    /// Who this is and what it can do.
    package var descriptor: ConnectorDescriptor {
        ConnectorDescriptor(
            id: "csv", title: "CSV files", version: "0.1.0",
            summary: "Reads CSV and TSV files, each as a table.", capabilities: [.source, .local],
            settings: CSVSettings.fields)
    }

    /// Checks the settings; files are first looked at by the calls on the source.
    package func openSource(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Source {
        CSVSource(try CSVSettings(settings), host: host)
    }

    /// Is refused: CSV files are only read.
    package func openDestination(
        _ settings: JSON, host: any HostServices
    ) throws(ConnectorError) -> any Destination {
        throw ConnectorError(.unsupported, "CSV files can only be read, not written; use csv as a source.")
    }
}
