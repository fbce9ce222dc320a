// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import Testing

/// What a login asks for, and which answers count.
@Suite struct LoginRequestTests {
    private func query(_ address: String) -> [String: String] {
        let items = URLComponents(string: address)?.queryItems ?? []
        return Dictionary(items.map { ($0.name, $0.value ?? "") }) { $1 }
    }

    private func address(_ request: LoginRequest) -> String {
        request.address(authorizeURL: "https://id.example/authorize", clientID: "an id&more", scope: "")
    }

    @Test func theAddressSaysWhatIsAskedFor() throws {
        let request = try LoginRequest(redirectURI: "http://127.0.0.1:7393/callback", usesPKCE: true)
        let values = query(address(request))
        #expect(values["response_type"] == "code" && values["client_id"] == "an id&more")
        #expect(values["redirect_uri"] == "http://127.0.0.1:7393/callback")
        #expect(values["code_challenge_method"] == "S256" && values["code_challenge"]?.count == 43)
        #expect((values["state"]?.count ?? 0) == 43)
        let other = try LoginRequest(redirectURI: "http://127.0.0.1:7393/callback", usesPKCE: false)
        #expect(query(address(other))["state"] != values["state"], "no state is used twice")
        #expect(query(address(other))["code_challenge"] == nil)
        #expect(other.settings(code: "c")["code_verifier"] == nil)
        #expect(request.settings(code: "c")["code_verifier"]?.stringValue?.count == 43)
    }

    @Test func onlyAnAnswerWithTheStateCounts() throws {
        let request = try LoginRequest(redirectURI: "http://127.0.0.1:1/callback", usesPKCE: false)
        let state = try #require(query(address(request))["state"])
        #expect(request.answer(in: "/callback?code=a%2Bb+c&state=\(state)") == .code("a+b c"))
        #expect(request.answer(in: "http://127.0.0.1:1/callback?state=\(state)&code=x#_=_") == .code("x"))
        #expect(request.answer(in: "/callback?error=user_denied&state=\(state)") == .refused("user_denied"))
        for wrong in [
            "", "&state=", "&state=\(state)x", "&state=\(state.dropLast())", "&state=\(state)&state=\(state)",
        ] {
            #expect(request.answer(in: "/callback?code=x\(wrong)") == .otherState, "\(wrong)")
        }
        for none in [
            "/callback", "/callback?", "nonsense", "/callback?state=\(state)", "/callback?code=a&code=b&state=\(state)",
        ] {
            #expect(request.answer(in: none) == .none, "\(none)")
        }
    }

    @Test func onlyThisMachineDoesWithoutTLS() {
        for address in [
            "http://127.0.0.1", "http://localhost/a", "http://127.0.0.1:7391/oauth?x", "http://localhost:1",
        ] {
            #expect(LoginRequest.isLoopback(address), "\(address)")
        }
        for address in [
            "http://localhost.evil.example/", "http://127.0.0.1.evil.example", "http://localhost:1@evil.example/",
            "http://localhost@evil.example", "http://evil.example/?http://localhost", "https://localhost", "localhost",
            "http://localhost:x", "http://127.0.0.10/",
        ] {
            #expect(!LoginRequest.isLoopback(address), "\(address)")
        }
    }

    @Test func aPortThatIsTakenIsSaid() throws {
        let listener = try LoopbackListener(port: 0)
        #expect(listener.port > 0)
        do {
            _ = try LoopbackListener(port: listener.port)
            Issue.record("two listen on one port")
        } catch {
            #expect(error.isInUse && error.reason.contains("port \(listener.port)"))
        }
    }
}
