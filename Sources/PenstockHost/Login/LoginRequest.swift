// SPDX-License-Identifier: Apache-2.0

import CCrypto
import PenstockModel

/// What is asked of an authorization server in a browser, and what an answer to it must hold.
package struct LoginRequest: Sendable {
    /// What an address that the browser was sent to says.
    package enum Answer: Sendable, Hashable {
        /// The server gave this code.
        case code(String)
        /// The server, or the person, said no, with this word.
        case refused(String)
        /// It belongs to another request.
        case otherState
        /// It is no answer at all.
        case none
    }

    /// Where the browser is sent with the answer.
    package let redirectURI: String
    private let state: String
    private let verifier: String

    /// A request with a state, and a verifier where PKCE is used, that nobody can guess.
    ///
    /// - Throws: ``ConnectorError`` where the system has no randomness.
    package init(redirectURI: String, usesPKCE: Bool) throws(ConnectorError) {
        self.redirectURI = redirectURI
        state = try Self.random()
        verifier = usesPKCE ? try Self.random() : ""
    }

    /// The address of the page on which a person allows or refuses.
    package func address(authorizeURL: String, clientID: String, scope: String) -> String {
        var pairs = [
            ("response_type", "code"), ("client_id", clientID), ("redirect_uri", redirectURI), ("state", state),
        ]
        if !scope.isEmpty { pairs.append(("scope", scope)) }
        if !verifier.isEmpty {
            pairs += [
                ("code_challenge", Self.base64(SHA256Digest.of(Array(verifier.utf8)))),
                ("code_challenge_method", "S256"),
            ]
        }
        let query = pairs.map { "\($0.0)=\(Self.encoded($0.1))" }.joined(separator: "&")
        return authorizeURL + (authorizeURL.contains("?") ? "&" : "?") + query
    }

    /// Whether an address is one of this machine, which may do without TLS: `http://`, then exactly that host.
    package static func isLoopback(_ address: String) -> Bool {
        guard address.hasPrefix("http://") else { return false }
        let authority = address.dropFirst("http://".count).prefix { !"/?#\\".contains($0) }
        let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let isPort = parts.count == 1 || parts[1].utf8.allSatisfy { (0x30...0x39).contains($0) }
        return isPort && ["127.0.0.1", "localhost"].contains(parts[0])
    }

    /// The object under ``BrowserLogin/setting`` with which the connector exchanges a code.
    package func settings(code: String) -> JSON {
        var object: JSONObject = ["code": .string(code), "redirect_uri": .string(redirectURI)]
        if !verifier.isEmpty { object["code_verifier"] = .string(verifier) }
        return .object(object)
    }

    /// What must not be shown, beside the code.
    package var secrets: [Secret] { [state, verifier].filter { !$0.isEmpty }.map(Secret.init) }

    /// What the query of `target`, a path or a whole address, says.
    package func answer(in target: String) -> Answer {
        guard let mark = target.firstIndex(of: "?") else { return .none }
        let query = target[target.index(after: mark)...].prefix { $0 != "#" }
        var values: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            // A parameter that is there twice is nothing to go by.
            let name = String(parts[0])
            values[name] = values[name] == nil && parts.count == 2 ? Self.decoded(parts[1]) : ""
        }
        let (code, error) = (values["code"] ?? "", values["error"] ?? "")
        guard !code.isEmpty || !error.isEmpty else { return .none }
        guard Self.isSame(values["state"] ?? "", state) else { return .otherState }
        return error.isEmpty ? .code(code) : .refused(Self.word(error))
    }

    /// Compares without telling by its time how far two texts agree.
    private static func isSame(_ left: String, _ right: String) -> Bool {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// An error code of the server, as far as it is one.
    private static func word(_ text: String) -> String {
        String(
            text.unicodeScalars.filter { $0.isASCII && $0.value > 0x20 && $0.value < 0x7F }.prefix(60).map(
                Character.init))
    }

    private static func random() throws(ConnectorError) -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        guard penstock_random(&bytes, 32) == 1 else {
            throw ConnectorError(.internalFault, "The system has no randomness for a login.")
        }
        return base64(bytes)
    }

    /// Base64 for addresses, without padding.
    static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var held = 0
            for offset in 0..<3 { held = held << 8 | (offset < group.count ? Int(group[start + offset]) : 0) }
            for place in 0...group.count { out.append(digits[held >> (18 - 6 * place) & 63]) }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func encoded(_ text: String) -> String {
        let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        return text.utf8.map { byte in
            unreserved.contains(byte)
                ? String(Unicode.Scalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    private static func decoded(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var place = 0
        while place < bytes.count {
            if bytes[place] == UInt8(ascii: "%"), place + 2 < bytes.count,
                let value = UInt8(String(decoding: bytes[place + 1...place + 2], as: UTF8.self), radix: 16)
            {
                out.append(value)
                place += 3
            } else {
                out.append(bytes[place] == UInt8(ascii: "+") ? 0x20 : bytes[place])
                place += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
