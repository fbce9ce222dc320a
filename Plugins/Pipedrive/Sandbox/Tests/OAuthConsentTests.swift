// SPDX-License-Identifier: Apache-2.0

import PipedriveSandbox
import Testing

/// The consent page sends people back with a code, or says what is wrong; a code is good once.
@Suite struct OAuthConsentTests {
    private let callback = "http%3A%2F%2F127.0.0.1%3A9%2Fcallback"

    private func ask(
        _ sandbox: RunningSandbox, _ method: String, _ query: String, body: String = "decision=allow"
    ) -> SandboxAnswer {
        sandbox.reply(
            to: SandboxRequest(
                method: method, target: "/oauth/authorize?" + query, body: Array(body.utf8))
        ).answer
    }

    private func location(_ answer: SandboxAnswer) -> String {
        answer.headers.first { $0.name == "Location" }?.value ?? ""
    }

    private func exchange(_ sandbox: RunningSandbox, _ code: String, redirect: String) -> SandboxAnswer {
        sandbox.reply(
            to: SandboxRequest(
                method: "POST", target: "/oauth/token",
                authorization: "Basic c2FuZGJveC1jbGllbnQ6c2FuZGJveC1zZWNyZXQ=",
                contentType: "application/x-www-form-urlencoded",
                body: Array("grant_type=authorization_code&code=\(code)&redirect_uri=\(redirect)".utf8))
        ).answer
    }

    @Test func thePageAsksAndTheAnswerGoesBackWithTheState() throws {
        let sandbox = try PipedriveSandbox.start()
        defer { sandbox.stop() }
        let query = "client_id=sandbox-client&redirect_uri=\(callback)&state=a%20b"
        let page = ask(sandbox, "GET", query)
        #expect(page.status == 200 && String(decoding: page.body, as: UTF8.self).contains("value=\"deny\""))
        #expect(sandbox.issuedTokens.isEmpty, "looking at the page gives nothing")
        let denied = ask(sandbox, "POST", query, body: "decision=deny")
        #expect(location(denied) == "http://127.0.0.1:9/callback?error=user_denied&state=a%20b")
        let allowed = location(ask(sandbox, "POST", query))
        #expect(allowed.hasPrefix("http://127.0.0.1:9/callback?code=code-") && allowed.hasSuffix("&state=a%20b"))
    }

    @Test func whatDoesNotFitIsRefusedOnThePage() throws {
        let sandbox = try PipedriveSandbox.start()
        defer { sandbox.stop() }
        for query in [
            "client_id=x&redirect_uri=\(callback)", "client_id=sandbox-client",
            "client_id=sandbox-client&redirect_uri=https%3A%2F%2Fevil.example%2F",
            "client_id=sandbox-client&redirect_uri=\(callback)&response_type=token",
            "client_id=sandbox-client&redirect_uri=\(callback)&code_challenge=a&code_challenge_method=plain",
        ] {
            let answer = ask(sandbox, "POST", query)
            #expect(answer.status == 400 && location(answer).isEmpty, "\(query)")
        }
    }

    @Test func aCodeIsGoodOnceForItsOwnAddress() throws {
        let sandbox = try PipedriveSandbox.start()
        defer { sandbox.stop() }
        func code() throws -> String {
            let back = location(ask(sandbox, "POST", "client_id=sandbox-client&redirect_uri=\(callback)"))
            return String(try #require(back.split(separator: "=").last))
        }
        let first = try code()
        #expect(exchange(sandbox, first, redirect: callback).status == 200)
        #expect(exchange(sandbox, first, redirect: callback).status == 400)
        #expect(exchange(sandbox, try code(), redirect: "http%3A%2F%2F127.0.0.1%3A8%2Fcallback").status == 400)
        #expect(exchange(sandbox, "nonsense", redirect: callback).status == 400)
        #expect(sandbox.exchanges == 1)
    }
}
