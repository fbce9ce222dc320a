// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import Testing

@Suite struct DeliveryPolicyTests {
    private let policy = DeliveryPolicy()

    private func result(_ status: RowResult.Status, _ code: ConnectorError.Code? = nil, after: Int64? = nil)
        -> RowResult
    {
        RowResult(
            row: 0, status: status,
            error: code.map { ConnectorError($0, "A sentence.", retryAfterMilliseconds: after) })
    }

    @Test func anUnknownCreateIsLeftUnknownAndAnUnknownUpdateIsSentAgain() {
        let lost = result(.unknown, .timedOut)
        #expect(policy.step(lost, mode: .create, attempt: 1, jitter: 0.5) == .close(.unknown))
        #expect(policy.step(lost, mode: .update, attempt: 1, jitter: 0.5) == .again(milliseconds: 250))
    }

    @Test func pausesGrowAndHonourWhatWasAskedFor() {
        let busy = result(.retry, .rateLimited, after: 2_000)
        #expect(policy.step(busy, mode: .create, attempt: 1, jitter: 0.9) == .again(milliseconds: 2_000))
        let down = result(.retry, .unavailable)
        #expect(policy.step(down, mode: .create, attempt: 4, jitter: 1) == .again(milliseconds: 4_000))
    }

    @Test func afterTheLastAttemptTheRowIsLeftForTheNextRun() {
        let down = result(.retry, .unavailable)
        #expect(policy.step(down, mode: .update, attempt: 6, jitter: 0) == .close(.notTried))
    }

    @Test(arguments: [ConnectorError.Code.unauthorized, .quotaSpent, .cancelled, .broken])
    func whatStopsTheRunIsNotRetried(code: ConnectorError.Code) {
        #expect(policy.step(result(.retry, code), mode: .update, attempt: 1, jitter: 0) == .close(.notTried))
        #expect(DeliveryPolicy.stopsRun(code))
    }

    @Test func aWaitBeyondTheLimitIsLeftForTheNextRun() {
        let busy = result(.retry, .rateLimited, after: 3_600_000)
        #expect(policy.step(busy, mode: .update, attempt: 1, jitter: 0) == .close(.notTried))
    }
}
