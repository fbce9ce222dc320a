// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import Testing

@Suite struct RetryQuotaTests {
    @Test func whereNothingSucceedsRepetitionsEnd() {
        var quota = RetryQuota()
        var paid = 0
        while quota.pay(for: .failure) { paid += 1 }
        #expect(paid == 100)
        #expect(quota.left == 0)
    }

    @Test func aTimeoutCostsTwiceAsMuch() {
        var quota = RetryQuota()
        var paid = 0
        while quota.pay(for: .timeout) { paid += 1 }
        #expect(paid == 50)
    }

    @Test func aRepetitionThatSucceedsGivesItsPriceBack() {
        var quota = RetryQuota()
        for _ in 0..<1_000 {
            let isPaid = quota.pay(for: .timeout)
            #expect(isPaid)
            quota.succeed(after: .timeout)
        }
        #expect(quota.left == RetryQuota.capacity)
    }

    @Test func firstTriesThatSucceedFillItUpToTheMost() {
        var quota = RetryQuota()
        while quota.pay(for: .failure) {}
        for _ in 0..<5 { quota.succeed(after: nil) }
        let isPaid = quota.pay(for: .failure)
        #expect(isPaid)
        for _ in 0..<1_000 { quota.succeed(after: nil) }
        #expect(quota.left == RetryQuota.capacity)
    }
}
