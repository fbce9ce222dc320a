// SPDX-License-Identifier: Apache-2.0

import PenstockEngine

/// How much of the other side's limits a connection may use, by its settings.
package struct ConnectionBudget: Sendable, Hashable {
    /// Requests per window.
    package var burst: Int
    /// The window's length, in milliseconds.
    package var windowMilliseconds: Int64
    /// The size of the daily budget in the destination's unit, or nil for what the destination says.
    package var dailyTokens: Int64?
    /// What is left to others of the daily budget.
    package var reserve: DailyBudget.Reserve
    /// The most that one plan or run may spend, or nil.
    package var tokensPerRun: Int64?

    /// The settings where a connection names none: 40 requests per 2 s, 2 % left to others.
    package init(
        burst: Int = 40, windowMilliseconds: Int64 = 2_000, dailyTokens: Int64? = nil,
        reserve: DailyBudget.Reserve = .basisPoints(200)
    ) {
        self.burst = burst
        self.windowMilliseconds = windowMilliseconds
        self.dailyTokens = dailyTokens
        self.reserve = reserve
    }

    /// The same for what all processes share.
    package var terms: SharedLimits.Terms {
        SharedLimits.Terms(
            slots: Int64(max(1, burst)), window: max(1, windowMilliseconds),
            budget: DailyBudget.Terms(daily: dailyTokens, reserve: reserve))
    }
}
