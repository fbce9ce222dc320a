// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit
import ConnectorTesting
import PipedriveConnector
import PipedriveSandbox
import Testing

@Suite struct PipedriveOAuthTests {
    private static let app: JSONObject = [
        "client_id": .string("sandbox-client"), "client_secret": .string("sandbox-secret"),
        "refresh_token": .string("sandbox-refresh"),
    ]

    private func settings(_ more: JSONObject) -> JSON {
        var settings = Self.app
        for member in more { settings[member.key] = member.value.isNull ? nil : member.value }
        return .object(settings)
    }

    private func refusal(_ more: JSONObject) -> ConnectorError? {
        do throws(ConnectorError) {
            try PipedriveConnector().openDestination(settings(more), host: TestHost()).close()
            return nil
        } catch {
            return error
        }
    }

    private func sandbox(_ configure: (inout SandboxOptions) -> Void = { _ in }) throws -> RunningSandbox {
        var options = SandboxOptions()
        options.tokens = []
        configure(&options)
        return try PipedriveSandbox.start(options)
    }

    @Test func oneWayInIsAskedFor() {
        let domain: JSONObject = ["company_domain": .string("acme")]
        #expect(refusal(domain) == nil)
        #expect(refusal([:]) == nil, "where the account is, the token endpoint says")
        let token: JSONObject = ["company_domain": .string("acme"), "api_token": .string("t")]
        #expect(refusal(token)?.field == "api_token")
        for name in ["client_id", "client_secret", "refresh_token"] {
            let error = refusal([name: .null])
            #expect(error?.code == .badConfig && error?.field == name)
        }
        #expect(refusal(["client_id": .string("a:b")])?.field == "client_id")
        #expect(
            refusal(["access_token": .string("a\r\nb"), "company_domain": .string("acme")])?.field == "access_token")
    }

    @Test func theTokenEndpointIsPipedrivesUnlessTheBaseIsAnother() {
        let url = "http://127.0.0.1:1/oauth/token"
        #expect(refusal(["token_url": .string(url)])?.field == "token_url")
        #expect(refusal(["token_url": .string(url), "company_domain": .string("acme")])?.field == "token_url")
        let vendor = "https://acme.pipedrive.com"
        #expect(refusal(["token_url": .string(url), "base_url": .string(vendor)])?.field == "token_url")
        #expect(refusal(["token_url": .string(url), "base_url": .string("http://127.0.0.1:1")]) == nil)
        let far = "http://elsewhere.example/token"
        #expect(refusal(["token_url": .string(far), "base_url": .string("http://127.0.0.1:1")])?.field == "token_url")
    }

    @Test func onlyACompanysOwnHostIsTakenFromAnAnswer() {
        #expect(PipedriveSite(apiDomain: "https://acme.pipedrive.com")?.base == "https://acme.pipedrive.com")
        #expect(PipedriveSite(apiDomain: "https://acme.pipedrive.com/")?.name == "acme.pipedrive.com")
        for text in [
            "http://acme.pipedrive.com", "https://pipedrive.com", "https://acme.pipedrive.com.example",
            "https://a.b.pipedrive.com",
            "https://user@acme.pipedrive.com", "https://acme.pipedrive.com:8443", "https://acme.pipedrive.com/x", "",
        ] {
            #expect(PipedriveSite(apiDomain: text) == nil, "\(text)")
        }
    }

    @Test func theFirstRequestFetchesAnAccessToken() throws {
        let sandbox = try sandbox()
        defer { sandbox.stop() }
        let host = TestHost()
        let destination = try PipedriveConnector().openDestination(
            settings(["base_url": .string(sandbox.baseURL)]), host: host)
        defer { destination.close() }
        #expect(sandbox.renewals == 0, "opening asks nobody")
        let report = try destination.check()
        #expect(report.steps.allSatisfy { $0.failure == nil })
        _ = try destination.fields(of: "organization", optionsOf: [])
        #expect(sandbox.renewals == 1)
        #expect(sandbox.counters.unauthorized401 == 0)
        #expect(host.intents.count == 2, "the token endpoint takes no slot of the API")
    }

    /// The code that a person's consent brings.
    private func code(_ sandbox: RunningSandbox, _ query: String = "") throws -> String {
        let target =
            "/oauth/authorize?client_id=sandbox-client&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcallback&state=s"
            + query
        let reply = sandbox.reply(
            to: SandboxRequest(method: "POST", target: target, body: Array("decision=allow".utf8)))
        let location = try #require(reply.answer.headers.first { $0.name == "Location" }?.value)
        let start = try #require(location.firstRange(of: "code="))
        return String(location[start.upperBound...].prefix { $0 != "&" })
    }

    private func login(_ sandbox: RunningSandbox, _ code: String, verifier: String? = nil) -> JSON {
        var login: JSONObject = [
            "code": .string(code), "redirect_uri": .string("http://127.0.0.1:1/callback"),
        ]
        login["code_verifier"] = verifier.map(JSON.string)
        return settings([
            "base_url": .string(sandbox.baseURL), "refresh_token": .null, "login": .object(login),
        ])
    }

    @Test func aLoginIsExchangedOnceAndStoredBeforeItIsUsed() throws {
        let sandbox = try sandbox()
        defer { sandbox.stop() }
        let host = TestHost()
        let code = try code(sandbox)
        let destination = try PipedriveConnector().openDestination(login(sandbox, code), host: host)
        defer { destination.close() }
        #expect(sandbox.exchanges == 0, "opening asks nobody")
        #expect(try destination.check().isOK)
        #expect(sandbox.exchanges == 1 && sandbox.renewals == 0)
        let saved = try #require(host.savedCredentials.last)
        #expect(saved["refresh_token"]?.stringValue?.hasPrefix("refresh-") == true)
        #expect(saved["access_token"] != nil && saved["code"] == nil)
        let again = try PipedriveConnector().openDestination(login(sandbox, code), host: TestHost())
        defer { again.close() }
        let failure = try again.check().steps.last?.failure
        #expect(failure?.code == .unauthorized && failure?.message.contains("authorization code") == true)
        #expect(failure?.message.contains(code) == false)
    }

    @Test func whoDoesNotKnowTheVerifierGetsNoToken() throws {
        let sandbox = try sandbox { $0.app.requiresPKCE = true }
        defer { sandbox.stop() }
        // The example of RFC 7636, appendix B.
        let query = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
        for (verifier, isGood) in [
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", true), ("another", false), (nil, false),
        ] {
            let settings = login(sandbox, try code(sandbox, query), verifier: verifier)
            let destination = try PipedriveConnector().openDestination(settings, host: TestHost())
            defer { destination.close() }
            #expect(try destination.check().isOK == isGood, "\(verifier ?? "none")")
        }
        #expect(sandbox.exchanges == 1)
    }

    @Test func anAccessTokenThatIsRefusedTwiceEndsTheWork() throws {
        // Its access tokens are over before they arrive.
        let sandbox = try sandbox {
            $0.app.lifetime = 0
            $0.app.claimedSeconds = 3_600
        }
        defer { sandbox.stop() }
        let destination = try PipedriveConnector().openDestination(
            settings(["base_url": .string(sandbox.baseURL)]), host: TestHost())
        defer { destination.close() }
        let error = #expect(throws: ConnectorError.self) { try destination.fields(of: "organization", optionsOf: []) }
        #expect(error?.code == .unauthorized)
        #expect(error?.field == "refresh_token")
        #expect(sandbox.renewals == 2)
        #expect(sandbox.counters.unauthorized401 == 2)
        let step = try destination.check().steps.last
        #expect(step?.id == "credential" && step?.failure?.code == .unauthorized)
    }

    @Test func aCompanyThatTheTokenIsNotOfIsRefused() throws {
        let sandbox = try sandbox()
        defer { sandbox.stop() }
        let stored: JSONObject = [
            "company_domain": .string("acme"), "access_token": .string("a"),
            "api_domain": .string("https://other.pipedrive.com"),
        ]
        let error = refusal(stored)
        #expect(error?.code == .badConfig && error?.field == "company_domain")
        #expect(error?.message.contains("other.pipedrive.com") == true)
    }

    @Test func theHeaderOfTheAppIsBasic() {
        #expect(
            HTTPHeader.basicAuthorization(user: "Aladdin", password: "open sesame")?.value
                == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        #expect(HTTPHeader.basicAuthorization(user: "a", password: "")?.value == "Basic YTo=")
        #expect(HTTPHeader.basicAuthorization(user: "ab", password: ":c")?.value == "Basic YWI6OmM=")
        #expect(HTTPHeader.basicAuthorization(user: "a:b", password: "c") == nil)
    }
}
