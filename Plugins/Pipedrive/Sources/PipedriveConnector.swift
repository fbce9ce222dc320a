// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Writes to Pipedrive through its API v2.
package struct PipedriveConnector: Connector {
    /// The connector's version, which also stands in the `User-Agent`.
    package static let version = "0.1.0"

    package static let settings = [
        ConfigField(
            "company_domain", .string,
            "The company's part of its Pipedrive address; without OAuth this or base_url is needed.",
            example: "acme"),
        ConfigField(
            "base_url", .string, "The address of the API without a version; it is used instead of company_domain.",
            example: "https://acme.pipedrive.com", isAdvanced: true),
        ConfigField(
            "api_token", .secret, "The personal API token, from Personal preferences, API; this or OAuth is needed."),
        ConfigField("client_id", .string, "With OAuth: the client id of the app."),
        ConfigField("client_secret", .secret, "With OAuth: the client secret of the app."),
        ConfigField(
            "refresh_token", .secret, "With OAuth: the refresh token that the account has given the app.",
            isAdvanced: true),
        ConfigField(
            "access_token", .secret, "With OAuth: an access token that may still be good; one is fetched without it.",
            isAdvanced: true),
        ConfigField(
            "authorize_url", .string,
            "With OAuth and a base_url of your own: the address of the page that asks for consent.",
            isAdvanced: true),
        ConfigField(
            "pkce", .boolean,
            "With OAuth: whether the authorization server checks PKCE (S256); Pipedrive documents nothing of it.",
            defaultValue: .bool(false), isAdvanced: true),
        ConfigField(
            "token_url", .string, "With OAuth and a base_url of your own: the address that renews tokens.",
            isAdvanced: true),
        ConfigField(
            "timeout", .integer(1...300), "How many seconds one request may take.", defaultValue: .integer(30),
            isAdvanced: true),
        ConfigField("ca_file", .path, "A PEM file of certificates to trust instead of the system's.", isAdvanced: true),
    ]

    /// The connector.
    package init() {}

    package var descriptor: ConnectorDescriptor {
        ConnectorDescriptor(
            id: "pipedrive", title: "Pipedrive", version: Self.version,
            summary: "Creates and changes records of the Pipedrive CRM.",
            capabilities: [.destination, .prepare, .delete, .rotatesCredential], settings: Self.settings,
            objects: PipedriveObject.all.map(\.descriptor), login: Self.login)
    }

    /// - Source: https://pipedrive.readme.io/docs/marketplace-oauth-authorization
    private static let login = BrowserLogin(
        authorizeURL: "https://oauth.pipedrive.com/oauth/authorize", authorizeURLSetting: "authorize_url",
        clientIDSetting: "client_id", needs: ["client_id", "client_secret"], gives: "refresh_token",
        insteadOf: ["api_token", "access_token"], pkceSetting: "pkce", port: 7393)

    package func openSource(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Source {
        throw ConnectorError(.unsupported, "Pipedrive can be written to, but not be read as a source.")
    }

    package func openDestination(
        _ settings: JSON, host: any HostServices
    ) throws(ConnectorError) -> any Destination {
        PipedriveDestination(try PipedriveAPI(ConnectorSettings(settings, Self.settings), host: host))
    }
}
