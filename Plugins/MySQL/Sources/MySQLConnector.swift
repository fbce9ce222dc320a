// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Reads the databases of one MySQL or MariaDB server.
package struct MySQLConnector: Connector {
    /// The connector.
    package init() {}

    private static let settings: [ConfigField] = [
        ConfigField(
            "url", .string,
            "Where the server is, as mysql://user@host:port/database; instead of the fields below.",
            example: "mysql://penstock_ro@db.internal/crm?tls=verify-full", isAdvanced: true),
        ConfigField(
            "host", .string,
            "The server's name or address; localhost without a port means the socket of this machine.",
            example: "db.internal"),
        ConfigField("port", .integer(1...65_535), "The server's TCP port; 3306 where nothing says otherwise."),
        ConfigField("socket", .path, "The server's Unix socket, instead of host and port.", isAdvanced: true),
        ConfigField(
            "database", .string, "The database whose tables need no database before their name.", example: "crm"),
        ConfigField("user", .string, "The user to connect as.", example: "penstock_ro"),
        ConfigField("password", .secret, "The user's password.", example: "${env:MYSQL_PASSWORD}"),
        ConfigField(
            "tls", .choice(MySQLSettings.TLS.names),
            "disable: plain text; prefer: TLS where the server has it; required: TLS, no certificate checked; "
                + "verify-ca: the certificate must come from a CA of ca; verify-full: and name the host. "
                + "Left out: prefer, and verify-full where ca is set.",
            example: "verify-full"),
        ConfigField(
            "ca", .path, "The file of CA certificates that the server's must come from.", example: "ca.pem",
            isAdvanced: true),
        ConfigField("cert", .path, "The client certificate, where the server wants one.", isAdvanced: true),
        ConfigField("key", .path, "The private key of cert.", isAdvanced: true),
        ConfigField(
            "option_file", .path,
            "An option file to read instead of the usual ones (/etc/my.cnf, ~/.my.cnf); it fills in what is left out.",
            isAdvanced: true),
        ConfigField(
            "option_group", .string, "The group to read in option files, besides [client].",
            defaultValue: .string("penstock"), example: "penstock", isAdvanced: true),
        ConfigField(
            "connect_timeout", .integer(1...3_600), "How many seconds to wait for the server to answer.",
            defaultValue: .integer(10), example: "10", isAdvanced: true),
        ConfigField(
            "statement_timeout", .integer(1...86_400_000),
            "How many milliseconds one statement may take, the reading of its rows included; no limit of ours where "
                + "left out.",
            example: "300000", isAdvanced: true),
        ConfigField(
            "application_name", .string, "The name under which the server lists the connection (program_name).",
            defaultValue: .string("penstock"), example: "penstock", isAdvanced: true),
    ]

    package var descriptor: ConnectorDescriptor {
        ConnectorDescriptor(
            id: "mysql", title: "MySQL and MariaDB", version: "0.1.0",
            summary: "Reads tables, views and queries of a MySQL or MariaDB server.",
            capabilities: [.source, .query, .lowerBound, .order], settings: Self.settings)
    }

    package func openSource(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Source {
        MySQLSource(try MySQLSettings(ConnectorSettings(settings, Self.settings)), host: host)
    }

    package func openDestination(
        _ settings: JSON, host: any HostServices
    ) throws(ConnectorError) -> any Destination {
        throw ConnectorError(.unsupported, "The connector mysql only reads; use it as a source.")
    }
}
