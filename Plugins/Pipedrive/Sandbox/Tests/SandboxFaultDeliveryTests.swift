// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel
import PipedriveSandbox
import Testing

@Suite struct SandboxFaultDeliveryTests {
    private let path = "/api/v2/organizations"

    private func rehearsal(_ faults: String...) throws -> Rehearsal {
        let parsed = try faults.map { try SandboxFault(parsing: $0) }
        return try Rehearsal { $0.faults = parsed }
    }

    @Test func aStatusIsAnsweredWithoutDoingAnything() throws {
        let rehearsal = try rehearsal("status=503:every=3:method=POST")
        var statuses: [Int] = []
        for number in 1...6 {
            statuses.append(try rehearsal.client.send("POST", path, #"{"name": "N\#(number)"}"#).status)
            #expect(try rehearsal.client.send("GET", path).status == 200)
        }
        #expect(statuses == [200, 200, 503, 200, 200, 503])
        #expect(rehearsal.sandbox.organizations.count == 4)
        #expect(rehearsal.sandbox.counters.faults == 2)
    }

    @Test(arguments: [("reset-before", 0), ("reset-after", 1)])
    func aResetComesBeforeTheFirstByteOfTheAnswer(kind: String, committed: Int) throws {
        let rehearsal = try rehearsal("\(kind):nth=1")
        #expect(throws: ConnectionError.reset) { try rehearsal.client.send("POST", path, #"{"name": "A"}"#) }
        #expect(rehearsal.sandbox.organizations.count == committed)
        let second = try TestClient(rehearsal.sandbox)
        #expect(try second.send("POST", path, #"{"name": "B"}"#).status == 200)
    }

    @Test(arguments: [("hang", 0), ("hang-after", 1)])
    func aHangAnswersNothingAndDisturbsNobody(kind: String, committed: Int) throws {
        let rehearsal = try rehearsal("\(kind):nth=1")
        try rehearsal.client.start("POST", path, #"{"name": "A"}"#)
        let other = try TestClient(rehearsal.sandbox)
        // The loop may see the second connection first, and the fault is for the first request.
        while rehearsal.sandbox.counters.requests == 0 { sched_yield() }
        #expect(try other.send("GET", path).status == 200)
        #expect(rehearsal.client.hasAnswer == false)
        #expect(rehearsal.sandbox.organizations.count == committed)
    }

    @Test(arguments: [("garbage", "<!DOCTYPE html>"), ("garbage=cut", #"{"success":true,"data":{"id":1,"#)])
    func garbageIsASuccessThatCannotBeRead(kind: String, start: String) throws {
        let rehearsal = try rehearsal("\(kind):nth=1")
        let response = try rehearsal.client.send("POST", path, #"{"name": "A"}"#)
        #expect(response.status == 200)
        #expect(response.text.hasPrefix(start))
        #expect(throws: JSONError.self) { try response.json() }
        #expect(rehearsal.sandbox.organizations.count == 1)
    }

    @Test func aLateRequestIsCarriedOutWhenItsTimeHasCome() throws {
        let clock = ManualClock()
        let fault = try SandboxFault(parsing: "late=2s:nth=1")
        let rehearsal = try Rehearsal {
            $0.faults = [fault]
            $0.clock = clock.clock
        }
        #expect(throws: ConnectionError.reset) { try rehearsal.client.send("POST", path, #"{"name": "A"}"#) }
        clock.advance(milliseconds: 1_999)
        #expect(rehearsal.sandbox.organizations.isEmpty)
        clock.advance(milliseconds: 1)
        #expect(rehearsal.sandbox.organizations.count == 1)
    }

    @Test(arguments: [("block", 403, ""), ("daily", 429, "3939"), ("redirect=81", 307, "")])
    func aRefusalOfTheAccountDoesNothing(kind: String, status: Int, wait: String) throws {
        let rehearsal = try rehearsal("\(kind):nth=1")
        let response = try rehearsal.client.send("POST", path, #"{"name": "A"}"#)
        #expect(response.status == status)
        #expect(response.headers["retry-after"] ?? "" == wait)
        #expect(rehearsal.sandbox.organizations.isEmpty)
    }

    @Test func aSlowAnswerArrivesWhole() throws {
        let rehearsal = try rehearsal("slow=0:path=/v1/users/me:count=1")
        let slow = try rehearsal.client.send("GET", "/v1/users/me")
        #expect(try slow.data()["is_you"] == .bool(true))
        #expect(slow.body == (try rehearsal.client.send("GET", "/v1/users/me").body))
        #expect(rehearsal.sandbox.counters.faults == 1)
    }

    @Test func aFaultCostsTokensExceptARefusal() throws {
        let rehearsal = try rehearsal("status=500:nth=1", "status=429:nth=2")
        #expect(try rehearsal.client.send("GET", path).status == 500)
        #expect(rehearsal.sandbox.counters.tokensSpent == 10)
        #expect(try rehearsal.client.send("GET", path).headers["retry-after"] == "1")
        #expect(rehearsal.sandbox.counters.tokensSpent == 10)
    }

    @Test func faultsCanBeSetWhileItRuns() throws {
        let rehearsal = try rehearsal()
        let set = try rehearsal.client.send("POST", "/_sandbox/faults", #"{"faults": ["status=500:nth=1"]}"#)
        #expect(set.status == 200)
        #expect(try rehearsal.client.send("GET", path).status == 500)
        #expect(try rehearsal.client.send("POST", "/_sandbox/faults", #"{"faults": ["boom"]}"#).status == 400)
    }

    @Test func latencyDelaysEveryAnswer() throws {
        let rehearsal = try Rehearsal { $0.latency = 30_000_000 }
        let clock = ContinuousClock()
        let elapsed = try clock.measure { _ = try rehearsal.client.send("GET", path) }
        #expect(elapsed >= .milliseconds(30))
    }
}
