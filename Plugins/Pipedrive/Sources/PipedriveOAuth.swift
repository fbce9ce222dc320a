// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit
import Synchronization

/// An OAuth credential: access tokens that live for an hour, each renewed with a refresh token that may change with it.
///
/// A renewal happens under the host's lock, and the new pair is stored before the access token is used: a process that
/// dies leaves either the old pair or the new one. What no client can mend: a server that has taken the old refresh
/// token back, and whose answer with the new one was lost.
final class PipedriveOAuth: PipedriveAuthority {
    private struct State {
        var grant: PipedriveGrant
        var revision: UInt64 = 0
        var access: PipedriveAccess?
        var generation = 1
        /// Whether it was renewed because its predecessor was refused, and has not been accepted since.
        var isOnTrial = false
        /// Where the time to renew has come but the token endpoint cannot be reached: when to try again.
        var isQuietUntil: Int64 = 0
    }

    private let endpoint: PipedriveTokenEndpoint
    private let host: any HostServices
    private let fixedSite: PipedriveSite?
    private let isCompanyNamed: Bool
    private let state: Mutex<State>
    /// Held while the credential is renewed, so that the threads of this connection do it once.
    private let isRenewing = Monitor(false)

    /// How often storing a new pair is tried: the old one may be of no more use.
    private static let savesMax = 5
    /// How long to leave a token endpoint alone that cannot be reached, while the access token still works.
    private static let quiet: Int64 = 15_000

    /// An OAuth credential from the settings.
    ///
    /// - Parameters:
    ///   - site: Where the account is, or nil for what the token endpoint says.
    ///   - isCompanyNamed: Whether that is the company of the setting `company_domain`, which the token must be of.
    init(
        _ grant: PipedriveGrant, _ endpoint: PipedriveTokenEndpoint, site: PipedriveSite?, isCompanyNamed: Bool,
        host: any HostServices
    ) throws(ConnectorError) {
        self.endpoint = endpoint
        self.host = host
        fixedSite = site
        self.isCompanyNamed = isCompanyNamed
        let access = try PipedriveOAuth.access(grant, site, isCompanyNamed, 1)
        state = Mutex(State(grant: grant, access: access))
    }

    var isRenewable: Bool { true }
    var siteName: String { state.withLock { $0.access?.site.name } ?? fixedSite?.name ?? "Pipedrive" }

    var isRenewalDue: Bool {
        let now = host.wallMilliseconds
        return state.withLock { Self.isDue($0, now) }
    }

    private static func isDue(_ state: State, _ now: Int64) -> Bool {
        state.access == nil || (now >= state.grant.renewAt && now >= state.isQuietUntil)
    }

    func access() throws(ConnectorError) -> PipedriveAccess {
        for _ in 0..<3 {
            let now = host.wallMilliseconds
            let (generation, access) = state.withLock { ($0.generation, Self.isDue($0, now) ? nil : $0.access) }
            if let access { return access }
            do {
                try renew(generation, isForced: false)
            } catch {
                guard error.code != .unauthorized, error.code != .badConfig, let old = stillGood(now) else {
                    throw error
                }
                return old
            }
        }
        // Whatever the server says about times, a token that it has just handed out is tried.
        if let access = state.withLock({ $0.access }) { return access }
        throw ConnectorError(.internalFault, "A renewed credential is not there.")
    }

    /// The access token whose time to be renewed has come, but which has not run out.
    private func stillGood(_ now: Int64) -> PipedriveAccess? {
        state.withLock { state in
            guard now < state.grant.expiresAt else { return nil }
            state.isQuietUntil = now + Self.quiet
            return state.access
        }
    }

    func accepted(_ access: PipedriveAccess) {
        state.withLock { state in
            if state.generation == access.generation { state.isOnTrial = false }
        }
    }

    func renew(after access: PipedriveAccess) throws(ConnectorError) {
        try renew(access.generation, isForced: true)
    }

    private func renew(_ generation: Int, isForced: Bool) throws(ConnectorError) {
        isRenewing.wait { isRenewing -> Void? in
            guard !isRenewing else { return nil }
            isRenewing = true
            return ()
        }
        defer { isRenewing.update { $0 = false } }
        let (current, isOnTrial, revision) = state.withLock { ($0.generation, $0.isOnTrial, $0.revision) }
        guard current == generation else { return }
        if isForced, isOnTrial { throw Self.refused }
        let stored = try host.lockCredential(since: revision)
        defer { host.unlockCredential() }
        if let stored {
            return try adopt(PipedriveGrant(stored.credential, over: grant), stored.revision, isForced: false)
        }
        let host = host
        let fresh = try endpoint.renew(grant, now: { host.wallMilliseconds }) { (milliseconds) throws(ConnectorError) in
            try host.pause(milliseconds: milliseconds)
        }
        try store(fresh, revision, isForced: isForced)
    }

    /// What it means that an access token is refused although it is new.
    static let refused = ConnectorError(
        .unauthorized,
        "Pipedrive refused an access token that it had just handed out; log in again, or set refresh_token to a new "
            + "one.", field: "refresh_token", vendorCode: "401")

    private var grant: PipedriveGrant { state.withLock { $0.grant } }

    /// Stores a new pair, then uses it.
    private func store(_ fresh: PipedriveGrant, _ revision: UInt64, isForced: Bool) throws(ConnectorError) {
        let isSameToken = fresh.refreshToken == grant.refreshToken
        for attempt in 1... {
            do throws(ConnectorError) {
                switch try host.saveCredential(fresh.json, expecting: revision) {
                case .saved(let revision): return try adopt(fresh, revision, isForced: isForced)
                case .superseded(let other, let revision):
                    return try adopt(PipedriveGrant(other, over: fresh), revision, isForced: false)
                }
            } catch  where error.code == .badConfig {
                throw error
            } catch {
                // With the same refresh token nothing is lost with the new pair but an hour.
                if isSameToken {
                    host.log(.warning, "a renewed credential could not be stored", ["reason": error.message])
                    return try adopt(fresh, revision, isForced: isForced)
                }
                guard attempt < Self.savesMax else { throw error }
                try host.pause(milliseconds: 1_000)
            }
        }
    }

    private func adopt(_ grant: PipedriveGrant, _ revision: UInt64, isForced: Bool) throws(ConnectorError) {
        let generation = state.withLock { $0.generation } + 1
        let access = try Self.access(grant, fixedSite, isCompanyNamed, generation)
        guard access != nil else {
            throw ConnectorError(
                .badConfig, "Pipedrive did not say where the account is; set company_domain.", field: "company_domain")
        }
        state.withLock { state in
            state = State(
                grant: grant, revision: revision, access: access, generation: generation, isOnTrial: isForced)
        }
    }

    /// What requests need, or nil where a renewal must come first.
    private static func access(
        _ grant: PipedriveGrant, _ fixed: PipedriveSite?, _ isCompanyNamed: Bool, _ generation: Int
    ) throws(ConnectorError) -> PipedriveAccess? {
        let named = grant.apiDomain.flatMap { PipedriveSite(apiDomain: $0) }
        if isCompanyNamed, let fixed, let named, fixed != named {
            throw ConnectorError(
                .badConfig, "The OAuth credential is of \(named.name), and company_domain names \(fixed.name).",
                field: "company_domain")
        }
        guard let token = grant.accessToken else { return nil }
        guard let header = HTTPHeader("Authorization", "Bearer " + token) else {
            throw ConnectorError(
                .badConfig, "The setting access_token holds a character that no token has.", field: "access_token")
        }
        return (fixed ?? named).map { PipedriveAccess(site: $0, credential: header, generation: generation) }
    }

    func blanked(_ text: String) -> String {
        let grant = grant
        return [grant.accessToken, grant.refreshToken, endpoint.clientSecret, grant.login?.code, grant.login?.verifier]
            .compactMap { $0 }.filter { !$0.isEmpty }
            .reduce(text) { $0.replacing($1, with: "••••") }
    }
}

/// The tokens of an OAuth credential.
struct PipedriveGrant: Sendable, Hashable, CustomReflectable, CustomStringConvertible {
    /// What a login in a browser has brought, for which there are tokens once.
    struct Login: Sendable, Hashable {
        /// The authorization code.
        var code: String
        /// The address that it was sent to.
        var redirectURI: String
        /// What only the asker knows, with PKCE; else empty.
        var verifier: String

        /// The login that a connection was opened with, or nil.
        init?(_ settings: ConnectorSettings) {
            let parts = Dictionary(settings.map(BrowserLogin.setting).map { ($0.key, $0.value) }) { $1 }
            guard let code = parts["code"], !code.isEmpty, let address = parts["redirect_uri"] else { return nil }
            self.code = code
            redirectURI = address
            verifier = parts["code_verifier"] ?? ""
        }
    }

    /// What a new access token is asked for with; empty before a login is exchanged.
    var refreshToken: String
    /// The login that is still to be exchanged, or nil.
    var login: Login?
    /// What goes into requests, or nil where there is none yet.
    var accessToken: String?
    /// When to renew, and when the access token runs out, in milliseconds since 1970; far away where it is not known.
    var renewAt = Int64.max
    var expiresAt = Int64.max
    /// Where the account is, as the token endpoint says; nil where it has not said.
    var apiDomain: String?

    /// The longest time before its end at which an access token is renewed, in milliseconds.
    private static let marginMax: Int64 = 60_000

    /// The tokens in the settings; those that were stored last stand there too.
    init(_ settings: ConnectorSettings, _ refreshToken: String) {
        self.refreshToken = refreshToken
        accessToken = settings.text("access_token").flatMap { $0.isEmpty ? nil : $0 }
        apiDomain = settings.text("api_domain")
        renewAt = settings.integer("access_token_renew_at").map(Int64.init) ?? .max
        expiresAt = settings.integer("access_token_expires_at").map(Int64.init) ?? .max
    }

    /// A login, which must be exchanged first.
    init(_ login: Login) {
        refreshToken = ""
        self.login = login
    }

    /// The form that asks the token endpoint for an access token.
    var form: String {
        guard let login else {
            return "grant_type=refresh_token&refresh_token=" + HTTPRequest.percentEncoded(refreshToken)
        }
        let verifier = login.verifier.isEmpty ? "" : "&code_verifier=" + HTTPRequest.percentEncoded(login.verifier)
        return "grant_type=authorization_code&code=" + HTTPRequest.percentEncoded(login.code)
            + "&redirect_uri=" + HTTPRequest.percentEncoded(login.redirectURI) + verifier
    }

    /// A stored credential; what it does not say is as in `other`.
    init(_ json: JSON, over other: PipedriveGrant) {
        self = other
        refreshToken = json["refresh_token"]?.stringValue ?? other.refreshToken
        login = nil
        accessToken = json["access_token"]?.stringValue
        apiDomain = json["api_domain"]?.stringValue ?? other.apiDomain
        renewAt = json["access_token_renew_at"]?.intValue.map(Int64.init) ?? .max
        expiresAt = json["access_token_expires_at"]?.intValue.map(Int64.init) ?? .max
    }

    /// What the token endpoint has answered at `now`, or nil where it is no such answer.
    init?(answer: JSON, over other: PipedriveGrant, now: Int64) {
        guard let token = answer["access_token"]?.stringValue, !token.isEmpty else { return nil }
        self = other
        accessToken = token
        if let next = answer["refresh_token"]?.stringValue, !next.isEmpty { refreshToken = next }
        guard !refreshToken.isEmpty else { return nil }
        login = nil
        apiDomain = answer["api_domain"]?.stringValue ?? other.apiDomain
        renewAt = .max
        expiresAt = .max
        if let seconds = answer["expires_in"]?.intValue, (0..<1_000_000_000).contains(seconds) {
            let life = Int64(seconds) * 1_000
            expiresAt = now + life
            renewAt = expiresAt - min(Self.marginMax, life / 5)
        }
    }

    /// The credential as it is stored.
    var json: JSON {
        var object: JSONObject = ["refresh_token": .string(refreshToken)]
        object["access_token"] = accessToken.map(JSON.string)
        object["api_domain"] = apiDomain.map(JSON.string)
        if renewAt != .max { object["access_token_renew_at"] = .integer(renewAt) }
        if expiresAt != .max { object["access_token_expires_at"] = .integer(expiresAt) }
        return .object(object)
    }

    var description: String { "••••" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
