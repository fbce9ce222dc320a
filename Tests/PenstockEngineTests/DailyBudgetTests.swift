// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import Testing

@Suite struct DailyBudgetTests {
    private static let hour: Int64 = 3_600_000

    private func remaining(_ bench: LimitBench) -> Int64? { bench.limits.budget.remaining(bench.terms.budget) }

    private func spendable(_ bench: LimitBench) -> Int64? { bench.limits.budget.spendable(bench.terms.budget) }

    @Test func theReserveIsLeftAlone() throws {
        let bench = LimitBench(daily: 1_000, reserve: .basisPoints(200))
        _ = try bench.grant(0, cost: 980)
        #expect(bench.refusal(0, cost: 1)?.cause == .budget)
        #expect(bench.limits.budget.spent == 980)
    }

    @Test func whatTheDestinationSaysOfTheRestCounts() throws {
        let bench = LimitBench(daily: 1_000)
        let first = try bench.grant(0, cost: 5)
        _ = try bench.grant(0, cost: 5)
        bench.answer(first, 1) { $0.daily = DailyBudget.Said(limit: 1_000, remaining: 12) }
        #expect(spendable(bench) == 7)
        _ = try bench.grant(1, cost: 7)
        guard case .wait = bench.ask(1, cost: 1) else {
            return #expect(Bool(false), "what is out may be counted in the 12 already")
        }
        #expect(bench.refusal(1, cost: 13) != nil)
    }

    @Test func answersThatOvertakeEachOtherLeaveTheRightRest() throws {
        let bench = LimitBench(daily: 1_000)
        let grants = try (0..<3).map { _ in try bench.grant(0, cost: 5) }
        for (grant, left) in zip(grants, [485, 495, 490] as [Int64]) {
            bench.answer(grant, 1) { $0.daily = DailyBudget.Said(limit: 500, remaining: left) }
        }
        #expect(remaining(bench) == 485)
    }

    @Test func anAnswerThatSaysNothingIsCountedAndCorrectedByTheNext() throws {
        let bench = LimitBench()
        bench.answer(try bench.grant(0, cost: 5), 1) { $0.daily = DailyBudget.Said(limit: 100, remaining: 95) }
        bench.answer(try bench.grant(2, cost: 5), 3, status: 0)
        #expect(remaining(bench) == 90)
        bench.answer(try bench.grant(4, cost: 1), 5) { $0.daily = DailyBudget.Said(limit: 100, remaining: 94) }
        #expect(remaining(bench) == 94, "what was not answered was not counted there")
        #expect(bench.limits.budget.era == 1)
    }

    @Test func withoutAnyNumberEverythingIsAllowed() throws {
        let bench = LimitBench(reserve: .basisPoints(200))
        _ = try bench.grant(0, cost: 1_000_000)
        #expect(spendable(bench) == nil)
    }

    @Test func aRefundMayBeSpentAgain() throws {
        let bench = LimitBench(daily: 10)
        bench.answer(try bench.grant(0, cost: 10), 1, status: 0) { $0.wasNeverSent = true }
        _ = try bench.grant(2, cost: 10)
        #expect(bench.limits.budget.spent == 10)
    }

    @Test func aProcessThatIsGoneHasSpentWhatItHadOut() throws {
        let bench = LimitBench(daily: 100)
        let other = try bench.join(1)
        bench.answer(try bench.grant(0, cost: 10), 1) { $0.daily = DailyBudget.Said(limit: 100, remaining: 90) }
        _ = try bench.grant(2, cost: 20, by: other)
        bench.limits.remove(other, bench.terms, 3)
        #expect(remaining(bench) == 70)
        #expect(bench.limits.budget.outstanding == 0)
    }

    @Test func onceTheDestinationSaysItIsUsedUpNothingIsChargedUntilItSaysSo() throws {
        let bench = LimitBench()
        bench.answer(try bench.grant(0, cost: 5), 10, status: 429) { $0.retryAfter = Self.hour }
        let refusal = try #require(bench.refusal(20, cost: 1))
        #expect(refusal.tryIn == Self.hour - 10 && refusal.overIn == Self.hour - 10)
        _ = try bench.grant(20, cost: 0)
        bench.answer(try bench.grant(Self.hour + 10, cost: 5), Self.hour + 20) {
            $0.daily = DailyBudget.Said(limit: 100, remaining: 95)
        }
        #expect(remaining(bench) == 95)
    }

    @Test func afterThatTimeOneRequestGoesAheadOfTheOthers() throws {
        let bench = LimitBench()
        bench.answer(try bench.grant(0, cost: 5), 10, status: 429) { $0.retryAfter = Self.hour }
        let ahead = try bench.grant(Self.hour + 10, cost: 5)
        guard case .wait = bench.ask(Self.hour + 10, cost: 5) else {
            return #expect(Bool(false), "a second request may be refused, too")
        }
        bench.answer(ahead, Self.hour + 20)
        _ = try bench.grant(Self.hour + 21, cost: 5)
        _ = try bench.grant(Self.hour + 21, cost: 5)
    }

    @Test func atEveryFullHourOneRequestFindsOutWhetherItIsRenewed() throws {
        let bench = LimitBench(daily: 1_000)
        bench.answer(try bench.grant(0, cost: 990), 10) { $0.daily = DailyBudget.Said(limit: 1_000, remaining: 10) }
        #expect(bench.refusal(20, cost: 20)?.tryIn == 1_800_000, "half past")
        let probe = try bench.grant(1_800_020, cost: 20)
        bench.answer(probe, 1_800_030) { $0.daily = DailyBudget.Said(limit: 1_000, remaining: 4) }
        #expect(bench.refusal(1_800_040, cost: 20) != nil)
        let next = try bench.grant(3_600_040, cost: 20)
        bench.answer(next, 3_600_050) { $0.daily = DailyBudget.Said(limit: 1_000, remaining: 980) }
        #expect(bench.limits.budget.era == 2)
        #expect(remaining(bench) == 980)
        _ = try bench.grant(3_600_060, cost: 900)
        #expect(bench.limits.standstill(3_600_060) == nil)
    }

    @Test func aProcessMayTryOnceAtItsStart() throws {
        let bench = LimitBench(daily: 100)
        bench.answer(try bench.grant(0, cost: 95), 10) { $0.daily = DailyBudget.Said(limit: 100, remaining: 5) }
        #expect(bench.refusal(20, cost: 10) != nil)
        for turn: Int64 in 0..<10 {
            bench.answer(try bench.grant(100 * turn + 100, cost: 10, isFirst: true), 100 * turn + 110, status: 429) {
                $0.retryAfter = Self.hour
            }
        }
        #expect(bench.refusal(2_000, cost: 10, isFirst: true) != nil, "not for ever")
    }

    @Test func aDayAfterItsFirstRequestABudgetIsRenewedForCertain() throws {
        let bench = LimitBench(daily: 100)
        bench.answer(try bench.grant(1_000, cost: 100), 1_010)
        let refusal = try #require(bench.refusal(2_000, cost: 1))
        #expect(refusal.overIn == 24 * Self.hour - 1_000)
        // The probes in between say nothing of the rest.
        bench.answer(try bench.grant(24 * Self.hour + 1_000, cost: 100), 24 * Self.hour + 1_010)
        #expect(bench.limits.budget.spent == 100)
    }

    @Test func anAnswerFromBeforeTheRenewalSaysNothingAboutTheTimeAfterIt() throws {
        let bench = LimitBench()
        bench.answer(try bench.grant(0, cost: 5), 1) { $0.daily = DailyBudget.Said(limit: 100, remaining: 50) }
        let old = try bench.grant(2, cost: 5)
        bench.answer(try bench.grant(2, cost: 5), 3) { $0.daily = DailyBudget.Said(limit: 100, remaining: 95) }
        #expect(remaining(bench) == 90, "the one that is out may be counted in the new day")
        bench.answer(old, 4) { $0.daily = DailyBudget.Said(limit: 100, remaining: 45) }
        #expect(remaining(bench) == 95)
    }

    @Test func aLimitOfWritesHoldsForWritesAlone() throws {
        let bench = LimitBench()
        bench.answer(try bench.grant(0, cost: 5, isWrite: true), 1) { $0.daily = DailyBudget.Said(writesLeft: 1) }
        _ = try bench.grant(2, cost: 5, isWrite: true)
        guard case .refused = bench.ask(3, cost: 5, isWrite: true) else {
            return #expect(Bool(false), "there was one left")
        }
        _ = try bench.grant(3, cost: 5)
    }

    @Test func afterAStartOfTheMachineTheBudgetIsRememberedAndSlotsAreNot() throws {
        let bench = LimitBench(slots: 2, daily: 100)
        bench.answer(try bench.grant(5_000_000, cost: 90), 5_000_010)
        bench.limits.move(by: -4_999_000, bench.terms, 1_100)
        bench.member = try bench.join(0, 1_100)
        guard case .wait = bench.ask(1_100, cost: 5) else { return #expect(Bool(false), "all slots are taken") }
        #expect(bench.refusal(9_000, cost: 11)?.overIn == 24 * Self.hour + 1_000 - 9_000)
        _ = try bench.grant(9_000, cost: 10)
    }

    @Test("A reserve is a part of a budget of any size")
    func reserveOfAnySize() {
        func reserve(_ daily: Int64, _ points: Int64) -> Int64 {
            DailyBudget().reserved(DailyBudget.Terms(daily: daily, reserve: .basisPoints(points)))
        }
        #expect(reserve(.max, 200) == Int64.max / 50)
        #expect(reserve(.max, 10_000) == .max)
        #expect(reserve(1_000, 25) == 2 && reserve(0, 10_000) == 0)
    }
}
