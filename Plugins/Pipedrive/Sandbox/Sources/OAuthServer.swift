// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// An OAuth app of the sandbox, whose credential the token endpoint renews.
package struct SandboxApp: Sendable {
    /// The client id.
    package var clientID = "sandbox-client"
    /// The client secret.
    package var clientSecret = "sandbox-secret"
    /// The refresh token that is good at the start.
    package var refreshToken = "sandbox-refresh"
    /// How long an access token lives, in nanoseconds; answers round it up to seconds.
    package var lifetime: Int64 = 3_600_000_000_000
    /// What answers say instead about the lifetime, in seconds; nil for the truth.
    package var claimedSeconds: Int?
    /// The addresses to which the consent page sends people back; any of this machine where there is none.
    package var redirectURIs: [String] = []
    /// Whether a consent without PKCE is refused.
    package var requiresPKCE = false
    /// Whether a renewal hands out a new refresh token and takes the old one back.
    package var rotates = true

    /// The defaults.
    package init() {}
}

/// The token endpoint, and the access tokens that it has handed out.
struct OAuthServer: Sendable {
    let app: SandboxApp
    /// The refresh token that is good now, or nil after it was revoked.
    var refreshToken: String?
    private var accessTokens: [String: Int64] = [:]
    /// The codes that were not exchanged yet.
    private var codes: [String: OAuthCode] = [:]
    /// How many codes were exchanged for tokens.
    private(set) var exchanges = 0
    private(set) var renewals = 0
    private(set) var refusals = 0
    /// Every token that was handed out.
    private(set) var issued: [String] = []

    init(_ app: SandboxApp) {
        self.app = app
        refreshToken = app.refreshToken
    }

    /// Whether an access token is good.
    func accepts(_ token: String, now: Int64) -> Bool { accessTokens[token].map { now < $0 } ?? false }

    /// Takes every access token back.
    mutating func revokeAccessTokens() { accessTokens = [:] }

    /// Answers a request to the token endpoint.
    mutating func answer(_ request: SandboxRequest, apiDomain: String, now: Int64) -> SandboxAnswer {
        let reply = checked(request, apiDomain: apiDomain, now: now)
        if reply.status != 200 { refusals += 1 }
        return reply
    }

    private mutating func checked(_ request: SandboxRequest, apiDomain: String, now: Int64) -> SandboxAnswer {
        guard request.method == "POST" else { return Self.refusal(405, "invalid_request", "POST is needed") }
        let media = request.contentType?.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard media == "application/x-www-form-urlencoded" else {
            return Self.refusal(400, "invalid_request", "the body must be a form")
        }
        guard request.basicUser == app.clientID, request.basicPassword == app.clientSecret else {
            return Self.refusal(400, "invalid_client", "the client credentials are not valid")
        }
        let form = RequestTarget("/?" + String(decoding: request.body, as: UTF8.self))
        switch form["grant_type"] {
        case "authorization_code":
            // A code is good for one try, whatever comes of it.
            guard let code = codes.removeValue(forKey: form["code"] ?? ""), code.isMet(by: form, now: now) else {
                return Self.refusal(400, "invalid_grant", "the authorization code is invalid or expired")
            }
            exchanges += 1
            return tokens(apiDomain: apiDomain, now: now)
        case "refresh_token":
            guard let refreshToken, form["refresh_token"] == refreshToken else {
                return Self.refusal(400, "invalid_grant", "the refresh token is invalid or expired")
            }
            renewals += 1
            return tokens(apiDomain: apiDomain, now: now)
        default:
            return Self.refusal(
                400, "unsupported_grant_type", "grant_type must be authorization_code or refresh_token")
        }
    }

    /// Keeps a code and returns its text.
    mutating func newCode(_ code: OAuthCode, _ now: Int64) -> String {
        let text = "code-\(issued.count)-" + Self.letters(now &+ Int64(issued.count) &* 13, 32)
        codes[text] = OAuthCode(
            redirectURI: code.redirectURI, challenge: code.challenge, expires: now + OAuthCode.life)
        issued.append(text)
        return text
    }

    private mutating func tokens(apiDomain: String, now: Int64) -> SandboxAnswer {
        let number = renewals + exchanges
        // Live access tokens are longer than 768 characters.
        let access = "access-\(number)-" + Self.letters(now &+ Int64(number), 900)
        let fresh = "refresh-\(number)-" + Self.letters(now &+ Int64(number) &* 7, 40)
        let next = app.rotates ? fresh : refreshToken ?? fresh
        refreshToken = next
        issued += [access, next]
        accessTokens[access] = now + app.lifetime
        return .json(
            .members([
                "access_token": .string(access), "token_type": .string("Bearer"), "refresh_token": .string(next),
                "scope": .string("base,contacts:full,deals:full,users:read"),
                "expires_in": .integer(app.claimedSeconds ?? Int((app.lifetime + 999_999_999) / 1_000_000_000)),
                "api_domain": .string(apiDomain),
            ]))
    }

    private static func refusal(_ status: Int, _ error: String, _ message: String) -> SandboxAnswer {
        .json(
            .members(["success": .bool(false), "error": .string(error), "message": .string(message)]), status: status)
    }

    /// Letters that follow from a number and look like chance.
    private static func letters(_ seed: Int64, _ count: Int) -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
        var state = UInt64(bitPattern: seed) | 1
        let bytes = (0..<count).map { _ -> UInt8 in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return alphabet[Int(state % UInt64(alphabet.count))]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension SandboxRequest {
    private var basicPair: [Substring] {
        guard let authorization, authorization.hasPrefix("Basic "),
            let bytes = Self.fromBase64(authorization.dropFirst(6))
        else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    }

    /// The user of HTTP's basic authentication, or nil.
    var basicUser: String? { basicPair.first.map(String.init) }

    /// The password of HTTP's basic authentication, or nil.
    var basicPassword: String? { basicPair.count == 2 ? String(basicPair[1]) : nil }

    private static func fromBase64(_ text: Substring) -> [UInt8]? {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var out: [UInt8] = []
        var bits = 0
        var held = 0
        for byte in text.utf8 where byte != UInt8(ascii: "=") {
            guard let digit = digits.firstIndex(of: byte) else { return nil }
            held = held << 6 | digit
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: held >> bits))
                held &= (1 << bits) - 1
            }
        }
        return out
    }
}
