// SPDX-License-Identifier: Apache-2.0

/// Counts requests against the burst windows and tokens against the day.
struct RateMeter: Sendable {
    /// What the limits say to one request.
    enum Verdict: Equatable {
        case admitted
        /// The burst window is full; seconds until it has room.
        case burst(retryAfter: Int64)
        /// The day's tokens are used up; seconds until midnight UTC.
        case daily(retryAfter: Int64)
        /// Too many refusals within a minute.
        case blocked
    }

    private static let window: Int64 = 2_000_000_000
    private static let blockWindow: Int64 = 60_000_000_000
    private static let blockThreshold = 100

    private struct Account {
        var requests = SlidingLog()
        var searches = SlidingLog()
        var refusals = SlidingLog()
    }

    let burst: Int
    let searchBurst: Int
    let dailyTokens: Int
    private var accounts: [String: Account] = [:]
    private var day: Int64 = -1
    private(set) var spentToday = 0

    init(_ options: SandboxOptions) {
        burst = options.burst
        searchBurst = options.searchBurst
        dailyTokens = options.dailyTokens
    }

    /// The tokens left today.
    var tokensLeft: Int { max(0, dailyTokens - spentToday) }

    /// Admits or refuses a request that arrived at `now`; a refused one takes no place in the window and no tokens.
    mutating func admit(token: String, cost: Int, isSearch: Bool, now: Int64) -> Verdict {
        let today = now / 86_400_000_000_000
        if today != day {
            day = today
            spentToday = 0
        }
        var account = accounts.removeValue(forKey: token) ?? Account()
        defer { accounts[token] = account }
        account.requests.forget(until: now - Self.window)
        account.searches.forget(until: now - Self.window)
        account.refusals.forget(until: now - Self.blockWindow)
        if account.refusals.count >= Self.blockThreshold { return .blocked }
        let full =
            account.requests.count >= burst
            ? account.requests.oldest
            : isSearch && account.searches.count >= searchBurst ? account.searches.oldest : nil
        if let oldest = full ?? (burst == 0 ? now : nil) {
            account.refusals.append(now)
            return .burst(retryAfter: Self.secondsRoundedUp(oldest + Self.window - now))
        }
        if spentToday + cost > dailyTokens {
            return .daily(retryAfter: Self.secondsRoundedUp((day + 1) * 86_400_000_000_000 - now))
        }
        account.requests.append(now)
        if isSearch { account.searches.append(now) }
        spentToday += cost
        return .admitted
    }

    /// Gives the account all of the day's tokens again, as its midnight does.
    mutating func renew() { spentToday = 0 }

    /// Gives back the tokens of a request that turned out to cost nothing.
    mutating func giveBack(_ tokens: Int) { spentToday -= tokens }

    /// Requests left in the window, and seconds until its oldest request leaves it.
    func burstState(token: String, now: Int64) -> (remaining: Int, reset: Int64) {
        guard let requests = accounts[token]?.requests, let oldest = requests.oldest else { return (burst, 2) }
        return (max(0, burst - requests.count), Self.secondsRoundedUp(oldest + Self.window - now))
    }

    private static func secondsRoundedUp(_ nanoseconds: Int64) -> Int64 {
        max(1, (nanoseconds + 999_999_999) / 1_000_000_000)
    }
}

/// Times in the order in which they came, forgotten from the front.
struct SlidingLog: Sendable {
    private var times: [Int64] = []
    private var head = 0

    var count: Int { times.count - head }
    var oldest: Int64? { head < times.count ? times[head] : nil }

    mutating func append(_ time: Int64) { times.append(time) }

    /// Forgets every time up to and including `limit`.
    mutating func forget(until limit: Int64) {
        while head < times.count, times[head] <= limit { head += 1 }
        if head > 1024, head * 2 > times.count {
            times.removeFirst(head)
            head = 0
        }
    }
}
