// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit

/// The address at which access tokens are renewed, with the app's own credential.
struct PipedriveTokenEndpoint: Sendable {
    /// Pipedrive's own.
    private static let vendor = "https://oauth.pipedrive.com/oauth/token"
    /// How often a renewal is tried: an answer that was lost may have changed nothing.
    private static let triesMax = 4
    /// How long to wait before the second try, in milliseconds; it doubles with every further one.
    private static let backoff: Int64 = 500
    /// A longer wait than this is left to a later run, in milliseconds.
    private static let waitMax: Int64 = 60_000

    let clientSecret: String
    private let url: String
    private let name: String
    private let authorization: HTTPHeader
    private let http: HTTPSettings

    /// The endpoint that follows from the settings.
    ///
    /// - Throws: ``ConnectorError`` `badConfig`, naming the setting.
    init(_ settings: ConnectorSettings, base: PipedriveSite?, http: HTTPSettings) throws(ConnectorError) {
        let id = settings.text("client_id") ?? ""
        clientSecret = settings.text("client_secret") ?? ""
        guard let authorization = HTTPHeader.basicAuthorization(user: id, password: clientSecret) else {
            throw ConnectorError(
                .badConfig, "The setting client_id holds a colon, which no client id has.", field: "client_id")
        }
        self.authorization = authorization
        let ownBase = base.flatMap { $0.isVendor ? nil : $0 }
        if let written = settings.text("token_url") {
            guard ownBase != nil else {
                throw ConnectorError(
                    .badConfig,
                    "The setting token_url is for a base_url that is not Pipedrive's own; leave it out.",
                    field: "token_url")
            }
            let site = try PipedriveSite(url: written, setting: "token_url")
            (url, name) = (site.base, site.name)
        } else if let ownBase {
            (url, name) = (ownBase.base + "/oauth/token", ownBase.name)
        } else {
            (url, name) = (Self.vendor, "oauth.pipedrive.com")
        }
        var http = http
        http.allowsPlainHTTP = url.hasPrefix("http://")
        self.http = http
    }

    /// Asks for new tokens.
    ///
    /// The endpoint is not part of the API whose limits the host keeps, so no slot is taken. A request on its way is
    /// never dropped, since its answer may hold the only refresh token that still works; the timeout ends it.
    /// - Throws: ``ConnectorError``: `unauthorized` where the credential is refused, `unavailable`.
    func renew(
        _ grant: PipedriveGrant, now: () -> Int64, pause: (Int64) throws(ConnectorError) -> Void
    ) throws(ConnectorError) -> PipedriveGrant {
        let headers = [
            authorization, HTTPHeader("Content-Type", "application/x-www-form-urlencoded"),
            HTTPHeader("Accept", "application/json"),
        ].compactMap { $0 }
        let request = HTTPRequest(.post, url, headers: headers, body: Array(grant.form.utf8), isRepeatable: false)
        let client = HTTPClient(http)
        for attempt in 1... {
            let asked = now()
            var wait = Self.backoff << Int64(attempt - 1)
            let problem: ConnectorError
            switch client.send(request, isCancelled: { false }) {
            case .failure(let failure):
                let found = PipedriveProblem(failure, site: name)
                if found.endsWork { throw found.error }
                problem = found.error
            case .success(let response):
                switch answer(response, grant, asked) {
                case .success(let fresh): return fresh
                case .failure(let error): problem = error
                }
                guard problem.code == .unavailable else { throw problem }
                wait = max(wait, PipedriveProblem.retryAfter(response, asked) ?? 0)
            }
            guard attempt < Self.triesMax, wait <= Self.waitMax else { throw problem }
            try pause(wait)
        }
        throw ConnectorError(.internalFault, "The renewal of a credential ended without an answer.")
    }

    private func answer(
        _ response: HTTPResponse, _ grant: PipedriveGrant, _ asked: Int64
    ) -> Result<PipedriveGrant, ConnectorError> {
        // A body that is not JSON says nothing more than its status.
        let json = try? JSON(parsing: response.body)
        switch response.status {
        case 200, 201:
            if let json, let fresh = PipedriveGrant(answer: json, over: grant, now: asked) { return .success(fresh) }
            return .failure(
                ConnectorError(.unavailable, "\(name) answered without an access token.", vendorCode: "200"))
        case 400, 401: return .failure(refusal(response.status, json?["error"]?.stringValue ?? "", grant))
        case 403 where json != nil: return .failure(refusal(403, json?["error"]?.stringValue ?? "", grant))
        default:
            return .failure(
                ConnectorError(
                    .unavailable, "\(name) cannot renew the access token for now (status \(response.status)).",
                    vendorCode: String(response.status)))
        }
    }

    private func refusal(_ status: Int, _ said: String, _ grant: PipedriveGrant) -> ConnectorError {
        let code = said.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && said.utf8.count <= 40 ? said : ""
        if status == 401 || code == "invalid_client" || code == "unauthorized_client" {
            return ConnectorError(
                .unauthorized,
                "Pipedrive refused client_id and client_secret; take both from the app's settings there.",
                field: "client_secret", vendorCode: code.isEmpty ? String(status) : code)
        }
        if grant.login != nil {
            return ConnectorError(
                .unauthorized,
                "Pipedrive refused the authorization code: it has run out, was used before, or the app's callback URL "
                    + "is another one; log in again.", vendorCode: code.isEmpty ? String(status) : code)
        }
        return ConnectorError(
            .unauthorized,
            "Pipedrive refused the refresh token: it was revoked, has run out, or was replaced by one that was lost; "
                + "log in again, or set refresh_token to a new one.",
            field: "refresh_token", vendorCode: code.isEmpty ? String(status) : code)
    }
}
