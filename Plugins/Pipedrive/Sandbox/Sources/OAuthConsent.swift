// SPDX-License-Identifier: Apache-2.0

import CCrypto

/// A code that the consent page has handed out, good for one exchange.
struct OAuthCode: Sendable {
    /// The address that it was sent to; the exchange must name the same.
    var redirectURI: String
    /// The digest of what only the asker knows, with PKCE; else empty.
    var challenge: String
    /// When it runs out, in nanoseconds.
    var expires: Int64

    /// How long a code lives, in nanoseconds.
    static let life: Int64 = 300_000_000_000

    /// Whether an exchange names the same address and knows what the digest was made of.
    func isMet(by form: RequestTarget, now: Int64) -> Bool {
        guard now < expires, form["redirect_uri"] == redirectURI else { return false }
        guard !challenge.isEmpty else { return form["code_verifier"] == nil }
        return form["code_verifier"].map { Self.digest($0) == challenge } ?? false
    }

    /// SHA-256 in base64 for addresses, without padding.
    static func digest(_ verifier: String) -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        guard penstock_sha256(Array(verifier.utf8), verifier.utf8.count, &bytes) == 1 else { return "" }
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var out: [UInt8] = []
        var bits = 0
        var held = 0
        for byte in bytes {
            held = held << 8 | Int(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                out.append(digits[held >> bits & 63])
            }
            held &= (1 << bits) - 1
        }
        if bits > 0 { out.append(digits[held << (6 - bits) & 63]) }
        return String(decoding: out, as: UTF8.self)
    }
}

/// What the consent page was asked for.
private struct ConsentRequest {
    let redirectURI: String
    let state: String
    let challenge: String

    /// The request in the query of an address, or what is wrong with it.
    init(_ target: RequestTarget, _ app: SandboxApp) throws(ConsentProblem) {
        guard target["client_id"] == app.clientID else { throw ConsentProblem("there is no app with this client_id") }
        guard let address = target["redirect_uri"], app.accepts(redirectURI: address) else {
            throw ConsentProblem("the redirect_uri is not a callback URL of the app")
        }
        if let type = target["response_type"], type != "code" {
            throw ConsentProblem("the response_type is not code")
        }
        redirectURI = address
        state = target["state"] ?? ""
        challenge = target["code_challenge"] ?? ""
        guard challenge.isEmpty || target["code_challenge_method"] == "S256" else {
            throw ConsentProblem("the code_challenge_method is not S256")
        }
        guard !challenge.isEmpty || !app.requiresPKCE else { throw ConsentProblem("the code_challenge is missing") }
    }

    /// The address to go back to.
    func back(_ name: String, _ value: String) -> String {
        let mark = redirectURI.contains("?") ? "&" : "?"
        return "\(redirectURI)\(mark)\(name)=\(value)" + (state.isEmpty ? "" : "&state=\(Self.encoded(state))")
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let scalar = Character(Unicode.Scalar(byte))
            return scalar.isASCII && (scalar.isLetter || scalar.isNumber || "-._~".contains(scalar))
                ? String(scalar) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}

/// Why the consent page says no without asking.
private struct ConsentProblem: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

extension SandboxApp {
    /// Whether an address is a callback URL of the app: one of the registered ones, or any of this machine where none
    /// is registered.
    func accepts(redirectURI: String) -> Bool {
        guard redirectURIs.isEmpty else { return redirectURIs.contains(redirectURI) }
        return redirectURI.hasPrefix("http://127.0.0.1:") || redirectURI.hasPrefix("http://localhost:")
    }
}

extension OAuthServer {
    /// Shows the consent page, or takes the answer to it: a form with `decision` `allow` or `deny`.
    mutating func consent(_ request: SandboxRequest, now: Int64) -> SandboxAnswer {
        let target = RequestTarget(request.target)
        let asked: ConsentRequest
        do throws(ConsentProblem) {
            asked = try ConsentRequest(target, app)
        } catch {
            return .html(400, "The app cannot be connected: \(error.reason)")
        }
        switch request.method {
        case "GET": return Self.page
        case "POST":
            let form = RequestTarget("/?" + String(decoding: request.body, as: UTF8.self))
            // Pipedrive's own word for a person who says no.
            guard form["decision"] == "allow" else { return Self.redirect(asked.back("error", "user_denied")) }
            let code = newCode(OAuthCode(redirectURI: asked.redirectURI, challenge: asked.challenge, expires: now), now)
            return Self.redirect(asked.back("code", code))
        default: return .html(405, "405 Method Not Allowed")
        }
    }

    private static func redirect(_ address: String) -> SandboxAnswer {
        var answer = SandboxAnswer.html(302, "Back to the app")
        answer.headers = [("Location", address), ("Cache-Control", "no-store")]
        return answer
    }

    private static var page: SandboxAnswer {
        var answer = SandboxAnswer.html(200, "Allow the app to use your account?")
        let form =
            "<form method=\"post\"><button name=\"decision\" value=\"allow\">Allow and install</button> "
            + "<button name=\"decision\" value=\"deny\">Cancel</button></form>"
        answer.body = Array(
            String(decoding: answer.body, as: UTF8.self).split(separator: "</body>", maxSplits: 1)
                .joined(separator: form + "</body>").utf8)
        return answer
    }
}
