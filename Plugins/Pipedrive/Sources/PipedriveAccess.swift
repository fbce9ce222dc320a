// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit

/// What a request needs besides its path: where the account is, and the credential.
package struct PipedriveAccess: Sendable {
    /// Where the account is.
    package var site: PipedriveSite
    /// The headers of a request without a body.
    package var readHeaders: [HTTPHeader]
    /// The headers of a request with a body.
    package var writeHeaders: [HTTPHeader]
    /// Which credential it is; a renewed one has a larger number.
    package var generation: Int

    /// An access with a credential's header.
    init(site: PipedriveSite, credential: HTTPHeader, generation: Int) {
        self.site = site
        self.generation = generation
        readHeaders = [credential, Self.accept]
        writeHeaders = [credential, Self.accept, Self.content]
    }

    private static let accept = header("Accept", "application/json")
    private static let content = header("Content-Type", "application/json")

    /// A header that is written here, so that it can have no control character.
    private static func header(_ name: String, _ value: String) -> HTTPHeader {
        guard let header = HTTPHeader(name, value) else { fatalError("\(name) is a header without control characters") }
        return header
    }
}

/// A request as it is known before it is sent: the credential is added last, since it may change while it waits.
package struct PipedriveRequest: Sendable {
    /// The method.
    var method: HTTPRequest.Method
    /// The path from the root of the site, with the query.
    var target: String
    /// The body, or empty for none.
    var body: [UInt8]

    /// The request with a credential.
    func with(_ access: PipedriveAccess) -> HTTPRequest {
        HTTPRequest(
            method, access.site.base + target, headers: body.isEmpty ? access.readHeaders : access.writeHeaders,
            body: body, isRepeatable: method != .post)
    }
}

/// Where requests get their credential from.
///
/// Every call is allowed from any thread.
package protocol PipedriveAuthority: Sendable {
    /// The access for the next request, renewed before where it is due; blocks for as long as that takes.
    ///
    /// - Throws: ``ConnectorError``: `unauthorized` where it cannot be renewed any more, `unavailable`.
    func access() throws(ConnectorError) -> PipedriveAccess

    /// Whether ``access()`` would renew the credential, and so take time.
    var isRenewalDue: Bool { get }

    /// Whether a credential that is refused can be renewed.
    var isRenewable: Bool { get }

    /// Renews the credential because `access` was refused; nothing is done where somebody has renewed it since.
    ///
    /// - Throws: ``ConnectorError`` as for ``access()``; `unauthorized`, too, where it was renewed just before.
    func renew(after access: PipedriveAccess) throws(ConnectorError)

    /// Takes note that `access` was accepted.
    func accepted(_ access: PipedriveAccess)

    /// Where the account is, or is expected to be, for messages.
    var siteName: String { get }

    /// `text` without any secret of the credential.
    func blanked(_ text: String) -> String
}

/// A personal API token: the same for ever.
struct PipedriveAPIToken: PipedriveAuthority {
    private let fixed: PipedriveAccess
    private let token: Secret

    /// - Throws: ``ConnectorError`` `badConfig`.
    init(_ token: String, site: PipedriveSite) throws(ConnectorError) {
        guard !token.isEmpty, let credential = HTTPHeader("x-api-token", token) else {
            throw ConnectorError(
                .badConfig, "The setting api_token is empty or holds a character that no token has.",
                field: "api_token")
        }
        self.token = Secret(token)
        fixed = PipedriveAccess(site: site, credential: credential, generation: 0)
    }

    func access() throws(ConnectorError) -> PipedriveAccess { fixed }
    var isRenewalDue: Bool { false }
    var isRenewable: Bool { false }
    func renew(after access: PipedriveAccess) throws(ConnectorError) {}
    func accepted(_ access: PipedriveAccess) {}
    var siteName: String { fixed.site.name }
    func blanked(_ text: String) -> String { token.reveal { text.replacing($0, with: "••••") } }
}
