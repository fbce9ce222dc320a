// SPDX-License-Identifier: Apache-2.0

/// When work that costs more than today's budget will be done.
///
/// All times are milliseconds since 1970 UTC.
package struct BudgetForecast: Sendable, Hashable {
    /// What may be spent.
    package struct Allowance: Sendable, Hashable {
        /// What may still be spent today, the reserve taken off; nil where nothing limits it.
        package var left: Int64?
        /// What may be spent on a whole day, the reserve taken off; nil where the size is not known.
        package var daily: Int64?
        /// When the budget is renewed at the latest.
        package var renewsAt: Int64
        /// Requests per window.
        package var slots: Int64
        /// The window's length in milliseconds.
        package var window: Int64

        /// What may be spent.
        package init(left: Int64?, daily: Int64?, renewsAt: Int64, slots: Int64, window: Int64) {
            self.left = left
            self.daily = daily
            self.renewsAt = renewsAt
            self.slots = max(1, slots)
            self.window = max(1, window)
        }

        /// The same at a later time: behind a renewal nothing is spent of the day that began with it.
        package func carried(to now: Int64) -> Allowance {
            guard now >= renewsAt else { return self }
            var carried = self
            carried.left = daily ?? left
            carried.renewsAt += ((now - renewsAt) / BudgetForecast.day + 1) * BudgetForecast.day
            return carried
        }
    }

    /// What is left to do.
    package struct Work: Sendable, Hashable {
        /// What it costs.
        package var tokens: Int64
        /// In how many requests.
        package var requests: Int64

        /// What is left to do.
        package init(tokens: Int64, requests: Int64) {
            self.tokens = max(0, tokens)
            self.requests = max(0, requests)
        }

        /// Nothing is left to do.
        package static let none = Work(tokens: 0, requests: 0)

        /// One after the other.
        package static func + (first: Work, second: Work) -> Work {
            Work(tokens: first.tokens + second.tokens, requests: first.requests + second.requests)
        }

        /// What rows cost that are not sent yet, by what the rows before them did.
        ///
        /// - Parameters:
        ///   - open: Rows that are decided and have to be sent.
        ///   - unread: Rows of which nothing is known yet.
        ///   - done: Rows that were decided so far, those that are open included.
        ///   - sent: Requests that changed a record so far.
        ///   - spent: What was spent so far, on reading too.
        ///   - highest: The most that one row costs; it counts where nothing was sent yet.
        package init(open: Int64, unread: Int64, done: Int64, sent: Int64, spent: Int64, highest: Int64) {
            let wanted = min(done, sent + open)
            // Of the unread rows as many have to be sent as of those before them; all, where there are none.
            let share = done > 0 ? Int64((Double(unread) * Double(wanted) / Double(done)).rounded(.up)) : unread
            let requests = open + share
            let each = sent > 0 ? Double(spent) / Double(sent) : Double(highest)
            self.init(tokens: Int64((Double(requests) * each).rounded(.up)), requests: requests)
        }
    }

    /// When it is done.
    package enum Outcome: Sendable, Hashable {
        /// Today, at this time.
        case today(Int64)
        /// On a later day, at this time, in so many parts.
        case later(Int64, parts: Int64)
        /// Never: on no day may anything be spent.
        case never
        /// That cannot be told: how much may be spent on a day is not known.
        case unknown
    }

    /// When the work is done.
    package var outcome: Outcome

    /// The longest that is reckoned, in parts: ten years of days.
    private static let partsMax: Int64 = 3_650
    private static let day: Int64 = 86_400_000

    /// When `work` is done, if it begins now and goes on after each renewal.
    ///
    /// - Parameter nextStart: When the work goes on once the budget is renewed at a time; nil where it never does.
    ///   Where somebody goes on at once, that is the time itself.
    package init(
        _ work: Work, _ allowance: Allowance, now: Int64, nextStart: (Int64) -> Int64? = { $0 }
    ) {
        func duration(_ tokens: Int64) -> Int64 {
            let requests = Double(work.requests) * Double(tokens) / Double(max(1, work.tokens))
            return Int64((requests / Double(allowance.slots) * Double(allowance.window)).rounded(.up))
        }
        guard let left = allowance.left, work.tokens > left else {
            outcome = .today(now + duration(work.tokens))
            return
        }
        guard let daily = allowance.daily else {
            outcome = .unknown
            return
        }
        guard daily > 0 else {
            outcome = .never
            return
        }
        var rest = work.tokens - max(0, left)
        var renewal = max(now, allowance.renewsAt)
        var parts: Int64 = left > 0 ? 2 : 1
        while true {
            guard let start = nextStart(renewal), parts <= Self.partsMax else {
                outcome = .unknown
                return
            }
            if rest <= daily {
                outcome = .later(start + duration(rest), parts: parts)
                return
            }
            rest -= daily
            parts += 1
            // The next renewal is the first one after this part began.
            renewal += Self.day
            while renewal <= start { renewal += Self.day }
        }
    }
}
