// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel
import PipedriveSandbox
import Testing

@Suite struct SandboxServerTests {
    @Test func anUnknownPathIsAnHTMLPage() throws {
        let rehearsal = try Rehearsal()
        for target in ["/api/v2/users/me", "/api/v2/organizations/1/2", "/", "/v2/organizations"] {
            let response = try rehearsal.client.send("GET", target)
            #expect(response.status == 404)
            #expect(response.text.hasPrefix("<!DOCTYPE html>"))
        }
        #expect(rehearsal.sandbox.counters.tokensSpent == 0)
    }

    @Test func aWrongMethodIsNamedWithTheRightOnes() throws {
        let rehearsal = try Rehearsal()
        let response = try rehearsal.client.send("PUT", "/api/v2/organizations/1", "{}")
        #expect(response.status == 405)
        #expect(response.headers["allow"] == "DELETE, GET, PATCH")
    }

    @Test func jitterMovesTheDelayBothWaysAndNeverBelowZero() {
        var options = SandboxOptions()
        var generator = SystemRandomNumberGenerator()
        options.latency = 50_000_000
        #expect(options.delay(using: &generator) == 50_000_000)
        options.jitter = 20_000_000
        let drawn = (0..<1000).map { _ in options.delay(using: &generator) }
        #expect(drawn.allSatisfy { (30_000_000...70_000_000).contains($0) })
        #expect(drawn.contains { $0 < 45_000_000 } && drawn.contains { $0 > 55_000_000 })
        options.latency = 3_000_000
        let short = (0..<1000).map { _ in options.delay(using: &generator) }
        #expect(short.allSatisfy { (0...23_000_000).contains($0) })
        #expect(short.contains(0) && short.contains { $0 > 3_000_000 })
    }

    @Test func oneConnectionServesManyRequestsUntilTheClientIsDone() throws {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 1 }
        for _ in 0..<50 { #expect(try rehearsal.client.send("GET", "/api/v2/organizations/1").status == 200) }
        let last = try rehearsal.client.send("GET", "/api/v2/organizations/1", headers: ["Connection: close"])
        #expect(last.headers["connection"] == "close")
        #expect(throws: ConnectionError.closed) { try rehearsal.client.receive() }
    }

    @Test func anAccessTokenWorksLikeAnAPIToken() throws {
        let rehearsal = try Rehearsal()
        rehearsal.client.token = nil
        let headers = ["Authorization: Bearer sandbox-token"]
        #expect(try rehearsal.client.send("GET", "/v1/users/me", headers: headers).status == 200)
    }

    @Test func aPortInUseLeadsToTheNextFreeOne() throws {
        let first = try PipedriveSandbox.start()
        defer { first.stop() }
        var options = SandboxOptions()
        options.port = first.port
        let second = try PipedriveSandbox.start(options)
        defer { second.stop() }
        #expect(second.port > first.port)
    }

    @Test func theUsersOfBothVersionOnePathsAreTheSame() throws {
        let rehearsal = try Rehearsal()
        let users = try #require(try rehearsal.client.send("GET", "/v1/users").data().arrayValue)
        #expect(try rehearsal.client.send("GET", "/api/v1/users").data().arrayValue == users)
        #expect(users.count == 6)
        #expect(users.filter { $0["active_flag"] == .bool(false) }.count == 1)
        #expect(users.filter { $0["is_you"] == .bool(true) }.count == 1)
    }

    @Test func everyRequestIsALineOfTheLogWithoutTheToken() throws {
        let path = "\(P_tmpdir)/sandbox-log-\(getpid()).jsonl"
        unlink(path)
        defer { unlink(path) }
        let fault = try SandboxFault(parsing: "reset-after:nth=2")
        let rehearsal = try Rehearsal {
            $0.log = path
            $0.faults = [fault]
        }
        _ = try rehearsal.client.send("POST", "/api/v2/organizations", #"{"name": "A"}"#)
        #expect(throws: ConnectionError.reset) { try rehearsal.client.send("GET", "/api/v2/organizations?limit=5") }
        let text = try #require(TestFile.text(path))
        let lines = try text.split(separator: "\n").map { try JSON(parsing: String($0)) }
        #expect(lines.count == 2)
        #expect(lines[0]["path"] == .string("/api/v2/organizations"))
        #expect(lines[0]["id"] == .number("1"))
        #expect(lines[0]["cost"] == .number("5"))
        #expect(lines[0]["body"] == .string(#"{"name": "A"}"#))
        #expect(lines[1]["path"] == .string("/api/v2/organizations?limit=5"))
        #expect(lines[1]["status"] == .null)
        #expect(lines[1]["fault"] == .string("reset-after:nth=2"))
        #expect(text.contains("sandbox-token") == false)
    }

    @Test func theStateTellsWhatHappenedAndResetForgetsIt() throws {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 5 }
        _ = try rehearsal.client.send("DELETE", "/api/v2/organizations/1")
        _ = try rehearsal.client.send("DELETE", "/_sandbox/organizations/2")
        rehearsal.client.token = nil
        let state = try rehearsal.client.send("GET", "/_sandbox/state").data()
        #expect(state["organizations"] == .number("3"))
        #expect(state["deleted_organizations"] == .number("1"))
        #expect(state["organization_rows"]?.arrayValue?.count == 3)
        #expect(state["counters"]?["tokens_spent"] == .number("3"))
        #expect(state["counters"]?["by_route"]?.text == #"{"DELETE /api/v2/organizations/{id}":1}"#)
        _ = try rehearsal.client.send("DELETE", "/_sandbox/organizations")
        #expect(rehearsal.sandbox.organizations.isEmpty)
        let reset = try rehearsal.client.send("POST", "/_sandbox/reset", #"{"seed_organizations": 7}"#).data()
        #expect(reset["organizations"] == .number("7"))
        #expect(rehearsal.sandbox.counters == SandboxCounters())
    }

    @Test func aUserCanBeDeactivatedWhileItRuns() throws {
        let rehearsal = try Rehearsal()
        #expect(try rehearsal.create(#"{"name": "A", "owner_id": 118}"#) == 1)
        _ = try rehearsal.client.send("POST", "/_sandbox/users", #"{"id": 118, "active": false}"#)
        #expect(try rehearsal.create(#"{"name": "B", "owner_id": 118}"#) == -400)
        let added = try rehearsal.client.send(
            "POST", "/_sandbox/users", #"{"name": "Nora", "email": "nora@acme.example"}"#
        ).data()
        let id = try #require(added["id"]?.intValue)
        #expect(try rehearsal.create(#"{"name": "B", "owner_id": \#(id)}"#) == 2)
    }
}
