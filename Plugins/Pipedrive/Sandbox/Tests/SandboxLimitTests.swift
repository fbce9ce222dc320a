// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

@Suite struct SandboxLimitTests {
    private let path = "/api/v2/organizations/1"

    @Test func theBurstWindowRolls() throws {
        let rehearsal = try Rehearsal {
            $0.burst = 4
            $0.seedOrganizations = 1
        }
        let client = rehearsal.client
        for step in 0..<4 {
            let response = try client.send("GET", path)
            #expect(response.status == 200)
            #expect(response.headers["x-ratelimit-remaining"] == String(3 - step))
            rehearsal.clock.advance(milliseconds: 500)
        }
        // The first request is exactly 2 s old and has left the window; the next three are still in it.
        #expect(try client.send("GET", path).status == 200)
        let refused = try client.send("GET", path)
        #expect(refused.status == 429)
        #expect(refused.headers["retry-after"] == "1")
        #expect(refused.headers["x-ratelimit-limit"] == "4")
        #expect(refused.headers["x-ratelimit-remaining"] == "0")
        #expect(refused.text.contains("request over limit"))
        rehearsal.clock.advance(milliseconds: 499)
        #expect(try client.send("GET", path).status == 429)
        rehearsal.clock.advance(milliseconds: 1)
        #expect(try client.send("GET", path).status == 200)
        #expect(rehearsal.sandbox.counters.burst429 == 2)
        #expect(rehearsal.sandbox.counters.tokensSpent == 6)
    }

    @Test func everyTokenHasItsOwnWindow() throws {
        let rehearsal = try Rehearsal {
            $0.burst = 1
            $0.tokens = ["one", "two"]
            $0.seedOrganizations = 1
        }
        for token in ["one", "two"] {
            rehearsal.client.token = token
            #expect(try rehearsal.client.send("GET", path).status == 200)
            #expect(try rehearsal.client.send("GET", path).status == 429)
        }
    }

    @Test func searchesHaveALowerLimit() throws {
        let rehearsal = try Rehearsal { $0.searchBurst = 2 }
        let search = "/api/v2/organizations/search?term=ab"
        #expect(try rehearsal.client.send("GET", search).status == 200)
        #expect(try rehearsal.client.send("GET", search).status == 200)
        #expect(try rehearsal.client.send("GET", search).status == 429)
        #expect(try rehearsal.client.send("GET", "/api/v2/organizations").status == 200)
    }

    @Test func aClientThatIgnoresRefusalsIsBlockedForAMinute() throws {
        let rehearsal = try Rehearsal {
            $0.burst = 1
            $0.seedOrganizations = 1
        }
        _ = try rehearsal.client.send("GET", path)
        for _ in 0..<100 { #expect(try rehearsal.client.send("GET", path).status == 429) }
        let blocked = try rehearsal.client.send("GET", path)
        #expect(blocked.status == 403)
        #expect(blocked.headers["content-type"]?.hasPrefix("text/html") ?? false)
        rehearsal.clock.advance(milliseconds: 59_999)
        #expect(try rehearsal.client.send("GET", path).status == 403)
        rehearsal.clock.advance(milliseconds: 1)
        #expect(try rehearsal.client.send("GET", path).status == 200)
        #expect(rehearsal.sandbox.counters.blocked403 == 2)
    }

    @Test func theDailyBudgetEndsAtMidnight() throws {
        let rehearsal = try Rehearsal {
            $0.dailyTokens = 16
            $0.seedOrganizations = 1
        }
        rehearsal.clock.advance(milliseconds: (86_400 - 3939) * 1000)
        #expect(try rehearsal.client.send("GET", "/api/v2/organizations").status == 200)
        // A refused body costs its tokens too.
        let wrong = try rehearsal.client.send("POST", "/api/v2/organizations", "{}")
        #expect(wrong.status == 400)
        #expect(wrong.headers["x-daily-ratelimit-token-remaining"] == "1")
        let refused = try rehearsal.client.send("POST", "/api/v2/organizations", #"{"name": "A"}"#)
        #expect(refused.status == 429)
        #expect(try refused.error() == "daily request budget exceeded")
        #expect(try refused.json()["errorCode"] == .number("429"))
        #expect(refused.headers["retry-after"] == "3939")
        #expect(refused.headers["x-daily-ratelimit-token-limit"] == "16")
        #expect(rehearsal.sandbox.counters.daily429 == 1)
        #expect(rehearsal.sandbox.counters.tokensSpent == 15)
        rehearsal.clock.advance(milliseconds: 3_939_000)
        let next = try rehearsal.client.send("POST", "/api/v2/organizations", #"{"name": "A"}"#)
        #expect(next.status == 200)
        #expect(next.headers["x-daily-ratelimit-token-remaining"] == "11")
    }

    @Test func aWrongTokenCostsNothing() throws {
        let rehearsal = try Rehearsal()
        for token in ["wrong", nil] {
            rehearsal.client.token = token
            for target in ["/api/v2/organizations", "/api/v2/nothing"] {
                let response = try rehearsal.client.send("GET", target)
                #expect(response.status == 401)
                #expect(response.headers["x-401-by-gw"] == "true")
                #expect(try response.json()["errorCode"] == .number("401"))
            }
        }
        #expect(rehearsal.sandbox.counters.tokensSpent == 0)
        #expect(rehearsal.sandbox.counters.unauthorized401 == 4)
    }
}
