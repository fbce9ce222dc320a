// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit

/// The two ways to be known to Pipedrive: an API token, or an OAuth app; a connection has exactly one.
enum PipedriveCredential {
    private static let tokenSetting = "api_token"
    private static let appSettings = ["client_id", "client_secret", "refresh_token"]
    private static let accessSetting = "access_token"

    /// What the settings say.
    ///
    /// - Returns: Where requests get their credential from, and where the account is, or nil for what OAuth will say.
    /// - Throws: ``ConnectorError`` `badConfig`, naming the setting.
    static func authority(
        _ settings: ConnectorSettings, http: HTTPSettings, host: any HostServices
    ) throws(ConnectorError) -> (any PipedriveAuthority, PipedriveSite?) {
        let app = (appSettings + [accessSetting]).filter { settings.text($0) != nil }
        let domain = settings.text("company_domain")
        let url = settings.text("base_url")
        guard let first = app.first else {
            let site = try PipedriveSite(companyDomain: domain, baseURL: url)
            guard let token = settings.text(tokenSetting) else {
                throw ConnectorError(
                    .badConfig,
                    "The setting api_token is missing; or set client_id, client_secret and refresh_token, for OAuth.",
                    field: tokenSetting)
            }
            return (try PipedriveAPIToken(token, site: site), site)
        }
        guard settings.text(tokenSetting) == nil else {
            throw ConnectorError(
                .badConfig, "The settings api_token and \(first) exclude each other: keep one way, token or OAuth.",
                field: tokenSetting)
        }
        let login = PipedriveGrant.Login(settings)
        for name in appSettings where (settings.text(name) ?? "").isEmpty {
            if login != nil, name == "refresh_token" { continue }
            throw ConnectorError(
                .badConfig,
                "The setting \(name) is missing: OAuth needs client_id, client_secret and refresh_token."
                    + (name == "refresh_token" ? " A login gives it." : ""),
                field: name)
        }
        let site = domain == nil && url == nil ? nil : try PipedriveSite(companyDomain: domain, baseURL: url)
        let endpoint = try PipedriveTokenEndpoint(settings, base: url == nil ? nil : site, http: http)
        let grant =
            if let login { PipedriveGrant(login) } else {
                PipedriveGrant(settings, try settings.requiredText("refresh_token"))
            }
        let authority = try PipedriveOAuth(
            grant, endpoint, site: site, isCompanyNamed: url == nil && domain != nil, host: host)
        return (authority, site)
    }
}
