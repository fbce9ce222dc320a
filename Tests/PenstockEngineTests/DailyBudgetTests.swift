// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import Testing

@Suite struct DailyBudgetTests {
    @Test func theReserveIsLeftAlone() {
        var budget = DailyBudget(daily: 1_000, reserve: .basisPoints(200))
        let answer1 = budget.charge(980)
        #expect(answer1)
        let answer2 = budget.charge(1)
        #expect(!answer2)
        #expect(budget.spent == 980)
    }

    @Test func whatTheDestinationSaysOfTheRestCounts() {
        var budget = DailyBudget(daily: 1_000, reserve: .amount(0))
        let other = budget.charge(5) && budget.charge(5)
        #expect(other)
        budget.settle(5, wasSpent: true, limit: 1_000, remaining: 12)
        #expect(budget.spendable == 7)
        let answer3 = budget.charge(7)
        #expect(answer3)
        let answer4 = budget.charge(1)
        #expect(!answer4)
    }

    @Test func answersThatOvertakeEachOtherLeaveTheRightRest() {
        var budget = DailyBudget(daily: 1_000, reserve: .amount(0))
        let charged = budget.charge(5) && budget.charge(5) && budget.charge(5)
        #expect(charged)
        budget.settle(5, wasSpent: true, limit: 500, remaining: 485)
        #expect(budget.remaining == 475, "as if the two others were not counted yet")
        budget.settle(5, wasSpent: true, limit: 500, remaining: 495)
        budget.settle(5, wasSpent: true, limit: 500, remaining: 490)
        #expect(budget.remaining == 485)
    }

    @Test func anAnswerThatSaysNothingIsCounted() {
        var budget = DailyBudget(daily: nil, reserve: .amount(0))
        let charged = budget.charge(5) && budget.charge(5)
        #expect(charged)
        budget.settle(5, wasSpent: true, limit: 100, remaining: 95)
        budget.settle(5, wasSpent: true)
        #expect(budget.remaining == 90)
    }

    @Test func withoutAnyNumberEverythingIsAllowed() {
        var budget = DailyBudget(daily: nil, reserve: .basisPoints(200))
        let answer5 = budget.charge(1_000_000)
        #expect(answer5)
        #expect(budget.spendable == nil)
    }

    @Test func aRefundMayBeSpentAgain() {
        var budget = DailyBudget(daily: 10, reserve: .amount(0))
        let answer6 = budget.charge(10)
        #expect(answer6)
        budget.settle(10, wasSpent: false)
        let answer7 = budget.charge(10)
        #expect(answer7)
        #expect(budget.spent == 10)
    }

    @Test func onceTheDestinationSaysItIsUsedUpNothingIsCharged() {
        var budget = DailyBudget(daily: nil, reserve: .amount(0))
        budget.exhaust()
        let answer8 = budget.charge(1)
        #expect(!answer8)
        let answer9 = budget.charge(0)
        #expect(answer9)
    }
}
