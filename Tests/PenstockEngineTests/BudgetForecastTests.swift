// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import Testing

@Suite struct BudgetForecastTests {
    private let hour: Int64 = 3_600_000
    private let day: Int64 = 86_400_000
    private let now: Int64 = 1_000 * 86_400_000 + 10 * 3_600_000

    /// 10 requests a second; renewed in 14 hours.
    private func allowance(left: Int64?, daily: Int64?) -> BudgetForecast.Allowance {
        .init(left: left, daily: daily, renewsAt: now + 14 * hour, slots: 20, window: 2_000)
    }

    @Test func whatFitsIsDoneToday() {
        let forecast = BudgetForecast(
            .init(tokens: 3_000, requests: 600), allowance(left: 3_000, daily: 10_000), now: now)
        #expect(forecast.outcome == .today(now + 60_000))
    }

    @Test func withoutALimitItIsDoneToday() {
        let forecast = BudgetForecast(.init(tokens: 3_000, requests: 600), allowance(left: nil, daily: nil), now: now)
        #expect(forecast.outcome == .today(now + 60_000))
    }

    @Test func whatDoesNotFitGoesOnAfterEachRenewal() {
        // 3,000 today, 10,000 tomorrow, and 500 on the day after: 100 requests.
        let forecast = BudgetForecast(
            .init(tokens: 13_500, requests: 2_700), allowance(left: 3_000, daily: 10_000), now: now)
        #expect(forecast.outcome == .later(now + 14 * hour + day + 10_000, parts: 3))
    }

    @Test func aDayThatIsUsedUpExactlyIsEnough() {
        let forecast = BudgetForecast(
            .init(tokens: 20_000, requests: 10), allowance(left: 0, daily: 10_000), now: now)
        #expect(forecast.outcome == .later(now + 14 * hour + day + 500, parts: 2))
    }

    @Test func aScheduleSaysWhenItGoesOn() {
        // Every day at 18:00, which is 4 hours after the renewal.
        let forecast = BudgetForecast(
            .init(tokens: 20_000, requests: 10), allowance(left: 0, daily: 10_000), now: now
        ) { $0 + 4 * 3_600_000 }
        #expect(forecast.outcome == .later(now + 18 * hour + day + 500, parts: 2))
    }

    @Test func aScheduleOfWeeksTakesWeeks() {
        // A renewal between two starts is not used.
        let week = 7 * day
        let start = now + week
        let forecast = BudgetForecast(
            .init(tokens: 20_000, requests: 10), allowance(left: 0, daily: 10_000), now: now
        ) { time in start + max(0, (time - start + week - 1) / week) * week }
        #expect(forecast.outcome == .later(start + week + 500, parts: 2))
    }

    @Test func whatCannotBeToldIsNotTold() {
        let work = BudgetForecast.Work(tokens: 20_000, requests: 10)
        #expect(BudgetForecast(work, allowance(left: 5, daily: nil), now: now).outcome == .unknown)
        #expect(BudgetForecast(work, allowance(left: 0, daily: 0), now: now).outcome == .never)
        #expect(BudgetForecast(work, allowance(left: 0, daily: 1), now: now).outcome == .unknown)
        #expect(BudgetForecast(work, allowance(left: 0, daily: 10), now: now) { _ in nil }.outcome == .unknown)
    }

    @Test func aNewDayBeginsWithAWholeBudget() {
        let allowance = allowance(left: 5, daily: 100)
        #expect(allowance.carried(to: now + 13 * hour) == allowance)
        let later = allowance.carried(to: now + 15 * hour + 2 * day)
        #expect(later.left == 100)
        #expect(later.renewsAt == now + 14 * hour + 3 * day)
    }

    @Test func rowsCostWhatThoseBeforeThemDid() {
        // 100 rows are decided: 30 are sent, 20 have to be, and 50 cost nothing.
        let work = BudgetForecast.Work(open: 20, unread: 1_000, done: 100, sent: 30, spent: 180, highest: 10)
        #expect(work == .init(tokens: 520 * 6, requests: 520))
        #expect(
            BudgetForecast.Work(open: 0, unread: 7, done: 0, sent: 0, spent: 0, highest: 10)
                == .init(tokens: 70, requests: 7))
        #expect(
            BudgetForecast.Work(open: 0, unread: 0, done: 5, sent: 5, spent: 50, highest: 10)
                == .init(tokens: 0, requests: 0))
    }
}
