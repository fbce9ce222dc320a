// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import Glibc

/// The settings of a connection, checked and put into libpq's words.
///
/// What is left out is libpq's own business: its environment variables, service files and password files.
package struct PostgresSettings: Sendable {
    /// libpq's parameters in the order in which it takes them, a later one over an earlier one.
    package let parameters: [(name: String, value: String)]
    /// Whether the first parameter is a whole connection string.
    package let isURL: Bool
    /// How long a statement may take, in milliseconds; 0 for as long as it likes; nil for what the server says.
    package let statementMilliseconds: Int64?
    private let secrets: [String]

    private static let sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]

    /// The descriptions of the settings, in the order of a form.
    package static let fields: [ConfigField] = [
        ConfigField(
            "url", .string, "The whole connection as libpq's URL; then no other setting may say where or who.",
            example: "postgresql://reader@db.example.com/crm?sslmode=verify-full", isAdvanced: true),
        ConfigField("host", .string, "The host name, address or socket folder.", example: "db.example.com"),
        ConfigField("port", .integer(1...65_535), "The port.", example: "5432"),
        ConfigField("dbname", .string, "The database.", example: "crm"),
        ConfigField("database", .string, "Another word for dbname.", example: "crm", isAdvanced: true),
        ConfigField("user", .string, "The user.", example: "reader"),
        ConfigField("password", .secret, "The password; left out, libpq looks into its password file."),
        ConfigField(
            "sslmode", .choice(sslModes), "How far TLS is insisted on; verify-full checks authority and host name.",
            example: "verify-full"),
        ConfigField(
            "sslrootcert", .path, "The file of the authorities that are trusted.", example: "certs/ca.pem",
            isAdvanced: true),
        ConfigField(
            "sslcert", .path, "The file of the client certificate.", example: "certs/reader.crt", isAdvanced: true),
        ConfigField(
            "sslkey", .path, "The file of the client certificate's key.", example: "certs/reader.key",
            isAdvanced: true),
        ConfigField(
            "service", .string, "The section of libpq's service file to use.", example: "analytics", isAdvanced: true),
        ConfigField(
            "passfile", .path, "The password file to use instead of ~/.pgpass.", example: "secrets/pgpass",
            isAdvanced: true),
        ConfigField(
            "application_name", .string, "What the server's lists of sessions show; penstock where nothing says it.",
            example: "penstock-nightly", isAdvanced: true),
        ConfigField(
            "connect_timeout", .integer(1...3_600), "How many seconds connecting may take; 10 where nothing says it.",
            example: "10", isAdvanced: true),
        ConfigField(
            "statement_timeout", .string,
            "How long one statement, so one whole read, may take: 300ms, 30s, 5m, 2h; a bare number is milliseconds.",
            example: "5m", isAdvanced: true),
    ]

    /// The settings that say where to connect and as whom, and so exclude `url`.
    private static let whereAndWho = [
        "host", "port", "dbname", "database", "user", "password", "sslmode", "sslrootcert", "sslcert", "sslkey",
        "service", "passfile",
    ]

    /// Settings from what the host hands over.
    ///
    /// - Throws: ``ConnectorError`` `badConfig`, with the setting at fault.
    package init(_ values: JSON) throws(ConnectorError) {
        let settings = ConnectorSettings(values, Self.fields)
        func value(_ name: String) -> String? { settings.text(name) ?? settings.integer(name).map(String.init) }
        for field in Self.fields where value(field.name)?.utf8.contains(0) == true {
            throw ConnectorError(
                .badConfig, "The setting \(field.name) holds a NUL character; remove it.", field: field.name)
        }
        var parameters: [(name: String, value: String)] = []
        let url = settings.text("url")
        var secrets = [settings.text("password")].compactMap(\.self)
        if let url {
            if let other = Self.whereAndWho.first(where: { value($0) != nil }) {
                throw ConnectorError(
                    .badConfig,
                    "The settings url and \(other) are both given; write it into the url, or leave the url out.",
                    field: other)
            }
            secrets += try Self.check(url: url)
            parameters.append(("dbname", url))
        } else {
            if settings.text("database") != nil, settings.text("dbname") != nil {
                throw ConnectorError(
                    .badConfig, "The settings dbname and database are the same thing; leave one of them out.",
                    field: "database")
            }
            for name in Self.whereAndWho {
                guard let value = value(name) else { continue }
                parameters.append((name == "database" ? "dbname" : name, value))
            }
        }
        for name in ["application_name", "connect_timeout"] {
            if let value = value(name) { parameters.append((name, value)) }
        }
        parameters += [("fallback_application_name", "penstock"), ("client_encoding", "UTF8")]
        self.parameters = parameters
        self.secrets = secrets
        isURL = url != nil
        statementMilliseconds = try settings.text("statement_timeout").map(Self.milliseconds)
    }

    /// Refuses a URL that libpq would take apart in another place than was meant, because its words would then show
    /// a piece of the password; returns the secrets in it.
    private static func check(url: String) throws(ConnectorError) -> [String] {
        let refusal = ConnectorError(
            .badConfig,
            "The setting url is not of the form postgresql://user:password@host:port/database?option=value; write "
                + "@ : / ? # % and blanks in user and password as %40 %3A %2F %3F %23 %25 and %20.", field: "url")
        guard url.hasPrefix("postgresql://") || url.hasPrefix("postgres://"),
            let options = PostgresHandle.options(in: url)
        else { throw refusal }
        let places = ["host", "port", "dbname"].compactMap { options[$0] }
        let ports = (options["port"] ?? "").split(separator: ",")
        guard !places.contains(where: { $0.contains("@") }), ports.allSatisfy({ UInt16($0) != nil }) else {
            throw refusal
        }
        return ["password", "sslpassword"].compactMap { options[$0] }
    }

    /// `text` with everything blanked out that came from a password.
    package func withoutSecrets(_ text: String) -> String {
        var result = text
        for secret in secrets where secret.utf8.count >= 3 {
            result = result.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "••••")
        }
        return result
    }

    /// Milliseconds of a duration such as `5m`; a bare number is milliseconds, as for the server.
    private static func milliseconds(_ text: String) throws(ConnectorError) -> Int64 {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units: [Substring: Int64] = [
            "": 1, "ms": 1, "s": 1_000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000,
        ]
        guard let number = Int64(digits), let unit = units[text.dropFirst(digits.count)],
            case let (product, overflow) = number.multipliedReportingOverflow(by: unit), !overflow,
            product <= Int64(Int32.max)
        else {
            throw ConnectorError(
                .badConfig,
                "The setting statement_timeout is no duration of at most 24 days such as 300ms, 30s, 5m or 2h.",
                field: "statement_timeout")
        }
        return product
    }
}
