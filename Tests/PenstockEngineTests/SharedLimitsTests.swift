// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import Testing

/// Shared limits with what a test seldom says.
final class LimitBench {
    var limits = SharedLimits()
    var terms: SharedLimits.Terms
    /// The first process.
    var member: Int64 = 0

    init(
        slots: Int64 = 40, window: Int64 = 2_000, daily: Int64? = nil, reserve: DailyBudget.Reserve = .amount(0)
    ) {
        terms = SharedLimits.Terms(
            slots: slots, window: window, budget: DailyBudget.Terms(daily: daily, reserve: reserve))
        member = limits.join(place: 0, 0) ?? 0
    }

    func ask(
        _ now: Int64, cost: Int64 = 0, isWrite: Bool = false, isFirst: Bool = false, by other: Int64? = nil,
        hourEndsIn: Int64 = 1_800_000
    ) -> SharedLimits.Answer {
        limits.acquire(
            SharedLimits.Wish(cost: cost, isWrite: isWrite, isFirst: isFirst), by: other ?? member, terms,
            SharedLimits.Moment(time: now, hourEndsIn: hourEndsIn))
    }

    /// A granted request; fails the test where it is not.
    func grant(
        _ now: Int64, cost: Int64 = 0, isWrite: Bool = false, isFirst: Bool = false, by other: Int64? = nil
    ) throws -> SharedLimits.Grant {
        let answer = ask(now, cost: cost, isWrite: isWrite, isFirst: isFirst, by: other)
        guard case .granted(let grant) = answer else { throw NotGranted(answer: answer) }
        return grant
    }

    func answer(
        _ grant: SharedLimits.Grant, _ now: Int64, status: Int = 200, jitter: Double = 0,
        _ change: (inout SharedLimits.Outcome) -> Void = { _ in }
    ) {
        var outcome = SharedLimits.Outcome(status: status)
        change(&outcome)
        limits.release(grant, outcome, terms, jitter: jitter, now)
    }

    /// How long one has to wait, or nil.
    func wait(_ now: Int64) -> Int64? {
        if case .wait(let time) = ask(now) { time } else { nil }
    }

    /// Why one is refused, or nil.
    func refusal(_ now: Int64, cost: Int64 = 5, isFirst: Bool = false) -> SharedLimits.Refusal? {
        if case .refused(let refusal) = ask(now, cost: cost, isFirst: isFirst) { refusal } else { nil }
    }

    /// Another process.
    func join(_ place: Int64, _ now: Int64 = 0) throws -> Int64 {
        guard let id = limits.join(place: place, now) else { throw NotGranted(answer: .wait(0)) }
        return id
    }

    struct NotGranted: Error { var answer: SharedLimits.Answer }
}

@Suite struct SharedLimitsTests {
    @Test func aRequestThatNeverLeftGivesItsSlotBackAtOnce() throws {
        let bench = LimitBench(slots: 1)
        let grant = try bench.grant(0)
        #expect(bench.wait(0) != nil)
        bench.answer(grant, 1, status: 0) { $0.wasNeverSent = true }
        _ = try bench.grant(1)
    }

    @Test func aSlotIsFreeAWindowAfterItsAnswer() throws {
        let bench = LimitBench(slots: 1)
        bench.answer(try bench.grant(0), 100)
        #expect(bench.wait(100) == 2_005)
        #expect(bench.wait(2_104) == 1)
        _ = try bench.grant(2_105)
    }

    @Test func aRefusalFreezesEverybodyAndLeavesATenthAloneForTenMinutes() throws {
        let bench = LimitBench(slots: 10)
        let other = try bench.join(1)
        bench.answer(try bench.grant(0), 10, status: 429, jitter: 0.5) { $0.retryAfter = 3_000 }
        guard case .wait(let wait) = bench.ask(20, by: other) else { throw LimitBench.NotGranted(answer: .wait(0)) }
        #expect(wait == 3_375 - 10, "3 s and an eighth of them")
        #expect(bench.limits.allowed(bench.terms, 599_000) == 9)
        #expect(bench.limits.allowed(bench.terms, 600_011) == 10)
    }

    @Test func threeRefusalsInAMinuteHalveTheRateAndOnesThatWereOutTogetherCountOnce() throws {
        let bench = LimitBench(slots: 10)
        let together = try (0..<3).map { _ in try bench.grant(0) }
        for grant in together { bench.answer(grant, 10, status: 429) }
        #expect(bench.limits.allowed(bench.terms, 5_000) == 9)
        bench.answer(try bench.grant(10_000), 10_010, status: 429)
        #expect(bench.limits.allowed(bench.terms, 15_000) == 9)
        bench.answer(try bench.grant(20_000), 20_010, status: 429)
        #expect(bench.limits.allowed(bench.terms, 25_000) == 5)
    }

    @Test func whatOthersWithTheSameCredentialUseIsLeftToThem() throws {
        let bench = LimitBench()
        bench.answer(try bench.grant(0), 50) {
            $0.limit = 40
            $0.remaining = 30
        }
        #expect(bench.limits.allowed(bench.terms, 51) == 31)
        #expect(bench.limits.allowed(bench.terms, 2_050) == 40)
    }

    @Test func requestsOfOnesOwnThatOvertookAreNotTakenForOthers() throws {
        let bench = LimitBench()
        let first = try bench.grant(0)
        for _ in 0..<20 { _ = try bench.grant(0) }
        bench.answer(first, 50) {
            $0.limit = 40
            $0.remaining = 19
        }
        #expect(bench.limits.allowed(bench.terms, 51) == 40)
    }

    @Test func headersLowerTheLimitAndNeverRaiseIt() throws {
        let bench = LimitBench()
        bench.answer(try bench.grant(0), 1) { $0.limit = 20 }
        #expect(bench.limits.allowed(bench.terms, 1) == 20)
        bench.answer(try bench.grant(2), 3) { $0.limit = 400 }
        #expect(bench.limits.allowed(bench.terms, 3) == 40)
    }

    @Test func slotsOfAProcessThatIsGoneExpire() throws {
        let bench = LimitBench(slots: 2)
        let gone = try bench.join(1)
        _ = try bench.grant(0, by: gone)
        _ = try bench.grant(0, by: gone)
        bench.limits.remove(gone, bench.terms, 100)
        #expect(bench.wait(100) == 2_505, "a window after what is still on its way has arrived")
        _ = try bench.grant(2_605)
    }

    @Test func aBlockOpensTheBreakerForLongerEachTimeAndOneRequestGoesAhead() throws {
        let bench = LimitBench()
        var now: Int64 = 0
        for minutes: Int64 in [5, 30, 60, 60] {
            let grant = try bench.grant(now)
            bench.answer(grant, now + 10, status: 403) { $0.isBlocked = true }
            let refusal = try #require(bench.refusal(now + 20, cost: 0))
            #expect(refusal.cause == .blocked)
            #expect(refusal.tryIn == minutes * 60_000 - 10)
            now += 10 + minutes * 60_000
        }
        let ahead = try bench.grant(now)
        #expect(bench.wait(now) != nil)
        bench.answer(ahead, now + 10)
        _ = try bench.grant(now + 11)
        _ = try bench.grant(now + 11)
    }

    @Test("What the first answers teach of the way frees the slots of those that were answered before")
    func slotsThatWaitAreHastened() throws {
        let bench = LimitBench(slots: 40)
        bench.answer(try bench.grant(0), 300)
        let rest = try (0..<39).map { _ in try bench.grant(300) }
        #expect(bench.wait(300) == 50, "asked again soon, as an answer may teach better")
        for grant in rest.prefix(30) { bench.answer(grant, 600) }
        // The first one was answered at 300; a quarter of the 300 milliseconds that answers take is taken off.
        #expect(bench.wait(600) == 50)
        for grant in rest.dropFirst(30) { bench.answer(grant, 600) }
        #expect(bench.wait(600) == 1_630)
        let quick = try bench.grant(2_230)
        #expect(bench.ask(2_230) == .wait(50))
        // A way is shorter than was believed: the others are free that much later.
        let early = try #require(bench.limits.ring.cooling.first?.until)
        bench.answer(quick, 2_330)
        #expect(bench.limits.ring.cooling.first?.until == early + 50)
        // Slots that stand for somebody who is gone stay as they are.
        let other = LimitBench(slots: 62)
        let second = try other.join(9)
        for _ in 0..<31 { _ = try other.grant(0, by: second) }
        other.limits.remove(second, other.terms, 0)
        let own = try (0..<31).map { _ in try other.grant(0) }
        for grant in own { other.answer(grant, 300) }
        for _ in 0..<31 { _ = try other.grant(2_230) }
        #expect(other.limits.ring.cooling.map(\.until) == [2_505])
    }

    @Test func aLongRetryAfterStopsTheWorkAndAShortOneIsWaitedFor() throws {
        let bench = LimitBench()
        bench.answer(try bench.grant(0), 10, status: 503) { $0.retryAfter = 120_000 }
        #expect(bench.wait(10) == 120_000)
        bench.answer(try bench.grant(130_000), 130_010, status: 503) { $0.retryAfter = 120_001 }
        let refusal = try #require(bench.refusal(130_010, cost: 0))
        #expect(refusal.cause == .asked && refusal.tryIn == 120_001)
        #expect(bench.limits.standstill(130_010) == refusal)
        _ = try bench.grant(250_011)
    }

    @Test func failuresHalveWhatMayBeOutAndSuccessesBringItBack() throws {
        let bench = LimitBench(slots: 1_000)
        let out = try (0..<64).map { _ in try bench.grant(0) }
        #expect(bench.wait(0) != nil, "64 are out")
        for grant in out { bench.answer(grant, 100, status: 503) }
        #expect(bench.limits.concurrency.limit == 32, "what was out together counts once")
        for step: Int64 in 1...10 { bench.answer(try bench.grant(1_000 * step), 1_000 * step + 100) }
        #expect(bench.limits.concurrency.limit == 42)
    }

    @Test func whatIsWrittenIsReadBack() throws {
        let bench = LimitBench(daily: 500, reserve: .basisPoints(200))
        let other = try bench.join(9)
        bench.answer(try bench.grant(0, cost: 10, isWrite: true), 20) {
            $0.limit = 30
            $0.remaining = 5
            $0.daily = DailyBudget.Said(limit: 400, remaining: 300, writesLeft: 7)
        }
        _ = try bench.grant(30, cost: 5, by: other)
        bench.answer(try bench.grant(40), 60, status: 429)
        #expect(SharedLimits(words: bench.limits.words) == bench.limits)
        #expect(SharedLimits(words: Array(bench.limits.words.dropLast())) == nil)
        #expect(SharedLimits(words: bench.limits.words + [0]) == nil)
        #expect(SharedLimits(words: []) == nil)
    }

    @Test func manySlotsTakeLittleRoom() throws {
        let bench = LimitBench(slots: 100_000)
        for step: Int64 in 0..<6_000 { bench.answer(try bench.grant(step / 3), step / 3 + 1) }
        #expect(bench.limits.ring.occupied == 6_000)
        #expect(bench.limits.words.count < 1_500)
        #expect(bench.wait(2_000) == nil)
    }
}
