// SPDX-License-Identifier: Apache-2.0

/// Decides whether a request may be paid for out of today's budget, which everybody who uses the account shares.
///
/// What the destination says of the rest of the budget counts before what the settings say of its size, because
/// others spend from it too. A reserve is left to people. When the budget is renewed is not known: the destination's
/// day begins at a midnight whose time zone it does not say. It is found out by what answers say, by a single request
/// now and then, and by the time after which a day must have passed.
///
/// All times are milliseconds of the clock that the callers share.
package struct DailyBudget: Sendable, Hashable {
    /// How much of the budget is left alone.
    package enum Reserve: Sendable, Hashable {
        /// So much of the destination's unit.
        case amount(Int64)
        /// So many hundredths of a percent of the whole.
        case basisPoints(Int64)
    }

    /// What a connection's settings say.
    package struct Terms: Sendable, Hashable {
        /// The size of the budget, or nil for unknown.
        package var daily: Int64?
        /// What is left alone.
        package var reserve: Reserve

        /// What a connection's settings say.
        package init(daily: Int64?, reserve: Reserve) {
            self.daily = daily
            self.reserve = reserve
        }
    }

    /// What is said to a request.
    enum Verdict: Equatable {
        /// There is enough.
        case enough
        /// There is not, but this one request finds out whether the budget was renewed.
        case probe
        /// Requests that are out decide it: ask again soon.
        case wait
        /// There is not.
        case short
    }

    /// A paid request, for comparing its answer with what was known when it was sent.
    package struct Receipt: Sendable, Hashable {
        var cost: Int64 = 0
        var isWrite = false
        var isProbe = false
        var era: Int64 = 0
        var said: Int64?
        var charged: Int64 = 0
        var writes: Int64 = 0
    }

    /// What an answer says of the budget.
    package struct Said: Sendable, Hashable {
        /// The size of the whole, or nil.
        package var limit: Int64?
        /// What is left, or nil.
        package var remaining: Int64?
        /// How many writes are left today, or nil.
        package var writesLeft: Int64?
        /// In how many milliseconds the budget is renewed, or nil.
        package var renewsIn: Int64?

        /// Nothing, unless it is given.
        package init(
            limit: Int64? = nil, remaining: Int64? = nil, writesLeft: Int64? = nil, renewsIn: Int64? = nil
        ) {
            self.limit = limit
            self.remaining = remaining
            self.writesLeft = writesLeft
            self.renewsIn = renewsIn
        }
    }

    /// Counts the renewals: a number from before one says nothing about the time after it.
    package internal(set) var era: Int64 = 1
    /// What was spent since the last renewal, refunds taken off.
    package internal(set) var spent: Int64 = 0
    /// What is charged and not yet answered; the destination may or may not have counted it in ``said``.
    package internal(set) var outstanding: Int64 = 0
    /// The size of the whole as the destination said it last.
    package internal(set) var sizeSaid: Int64?
    /// The least that the destination said is left, less what was spent since without a word of it.
    package internal(set) var said: Int64?
    /// How many writes are left today, as the destination said and with later ones taken off.
    package internal(set) var writesLeft: Int64?
    /// Whether the destination refused a request because the budget is used up.
    package internal(set) var isExhausted = false
    /// Whether it is only by the clock that the budget is renewed: one request goes ahead of the others.
    package internal(set) var isUnproven = false
    /// When this era's first request was sent: a day later the budget is renewed for certain.
    package internal(set) var beganAt: Int64?
    /// When the budget is renewed by what the destination said.
    package internal(set) var renewsAt: Int64?
    /// When the next request may find out whether the budget was renewed.
    package internal(set) var probeAt: Int64?
    /// How many processes have tried at their start since ``probeAt`` was set.
    package internal(set) var startProbes: Int64 = 0
    /// Everything ever charged, and every write.
    package internal(set) var charged: Int64 = 0
    package internal(set) var writes: Int64 = 0

    static let day: Int64 = 86_400_000
    /// How many processes may try at their start between two full hours.
    private static let startProbesMax: Int64 = 10

    /// A budget of which nothing is known.
    package init() {}

    // MARK: - What is known

    /// What is left today as far as is known, the reserve included, or nil.
    package func remaining(_ terms: Terms) -> Int64? {
        if isExhausted { return 0 }
        return [terms.daily.map { $0 - spent }, said.map { $0 - outstanding }].compactMap { $0 }.min()
    }

    /// What is left alone; 0 where the size is not known.
    package func reserved(_ terms: Terms) -> Int64 {
        let size = [terms.daily, sizeSaid].compactMap { $0 }.min()
        return switch terms.reserve {
        case .amount(let amount): amount
        case .basisPoints(let points): Self.share(points, of: size ?? 0)
        }
    }

    /// So many hundredths of a percent of an amount, whatever its size.
    private static func share(_ points: Int64, of whole: Int64) -> Int64 {
        let product = max(0, whole).multipliedFullWidth(by: min(max(0, points), 10_000))
        return Int64(10_000).dividingFullWidth(product).quotient
    }

    /// What may still be spent, or nil where nothing is known.
    package func spendable(_ terms: Terms) -> Int64? { remaining(terms).map { max(0, $0 - reserved(terms)) } }

    /// When the budget is renewed at the latest.
    package func renewedAtLatest(_ now: Int64) -> Int64 { renewsAt ?? (beganAt ?? now) + Self.day }

    // MARK: - Spending

    /// Whether a request may be paid for; nothing is charged yet.
    ///
    /// - Parameters:
    ///   - mayProbe: It is the first request of its process.
    ///   - hourEndsIn: Milliseconds to the next full hour: only then can a day begin.
    mutating func verdict(
        _ cost: Int64, isWrite: Bool, mayProbe: Bool, _ terms: Terms, hourEndsIn: Int64, _ now: Int64
    ) -> Verdict {
        guard cost > 0 || isWrite else { return .enough }
        if let end = renewsAt ?? beganAt.map({ $0 + Self.day }), now >= end {
            renew()
            isUnproven = true
        }
        if isUnproven, outstanding > 0 { return .wait }
        guard isShort(cost, isWrite, terms) else { return .enough }
        if isOnlyOutstanding(cost, isWrite, terms) { return .wait }
        if let probeAt, now >= probeAt { return .probe }
        if probeAt == nil { probeAt = renewsAt ?? now + max(1, hourEndsIn) }
        return mayProbe && startProbes < Self.startProbesMax ? .probe : .short
    }

    private func isShort(_ cost: Int64, _ isWrite: Bool, _ terms: Terms) -> Bool {
        if isExhausted { return true }
        if isWrite, let writesLeft, writesLeft <= 0 { return true }
        return spendable(terms).map { cost > $0 } ?? false
    }

    /// Whether what is out is all that is in the way: the destination may have counted it in what it said already.
    private func isOnlyOutstanding(_ cost: Int64, _ isWrite: Bool, _ terms: Terms) -> Bool {
        guard !isExhausted, outstanding > 0, let said, !(isWrite && writesLeft ?? 1 <= 0) else { return false }
        let others = [terms.daily.map { $0 - spent }, said].compactMap { $0 }.min() ?? 0
        return cost <= others - reserved(terms)
    }

    /// Charges a request that may be paid for; every charge is followed by one ``settle(_:wasSpent:_:_:)``.
    mutating func charge(
        _ cost: Int64, isWrite: Bool, _ verdict: Verdict, hourEndsIn: Int64, _ now: Int64
    ) -> Receipt {
        if verdict == .probe {
            if let probeAt, now >= probeAt {
                self.probeAt = now + max(1, hourEndsIn)
                startProbes = 0
            } else {
                startProbes += 1
            }
        }
        if cost > 0, beganAt == nil { beganAt = now }
        spent += cost
        outstanding += cost
        charged += cost
        if isWrite {
            writes += 1
            writesLeft = writesLeft.map { $0 - 1 }
        }
        return Receipt(
            cost: cost, isWrite: isWrite, isProbe: verdict == .probe, era: era, said: said, charged: charged,
            writes: writes)
    }

    /// Takes note of the answer to a charged request.
    ///
    /// - Parameter wasSpent: False for a request that provably never left or was refused unpaid.
    mutating func settle(_ receipt: Receipt, wasSpent: Bool, _ answer: Said, _ now: Int64) {
        outstanding -= receipt.cost
        guard receipt.era == era else {
            // Charged before the renewal: it was carried over as outstanding.
            if !wasSpent { spent -= receipt.cost }
            return
        }
        if !wasSpent {
            spent -= receipt.cost
            if receipt.isWrite { writesLeft = writesLeft.map { $0 + 1 } }
        }
        if let limit = answer.limit { sizeSaid = limit }
        if let remaining = answer.remaining {
            note(remaining, receipt, wasSpent: wasSpent)
        } else if wasSpent {
            said = said.map { $0 - receipt.cost }
            if isExhausted, receipt.isProbe {
                renew()
                spent += receipt.cost
            }
        }
        if let left = answer.writesLeft { writesLeft = max(0, left - (writes - receipt.writes)) }
        if wasSpent { isUnproven = false }
    }

    /// Compares what an answer says is left with what was known when its request was sent.
    ///
    /// Within a day it can only be less. A little more corrects what was reckoned; much more is a new day.
    private mutating func note(_ remaining: Int64, _ receipt: Receipt, wasSpent: Bool) {
        let isNewDay = receipt.said.map { remaining - $0 > max(1, (sizeSaid ?? remaining) / 10) } ?? false
        if isNewDay || (isExhausted && receipt.isProbe && wasSpent) {
            renew()
            if wasSpent { spent += receipt.cost }
            said = remaining - (charged - receipt.charged)
        } else if let before = receipt.said, remaining > before {
            said = max(said ?? 0, remaining - (charged - receipt.charged))
        } else {
            said = min(said ?? remaining, remaining)
        }
    }

    /// Takes note that the destination refused a request because the budget is used up.
    mutating func exhaust(_ receipt: Receipt, renewsIn: Int64?, _ now: Int64) {
        guard receipt.era == era else { return }
        isExhausted = true
        said = 0
        renewsAt = renewsIn.map { now + min(max(0, $0), Self.day) } ?? renewsAt
        if beganAt == nil { beganAt = now }
        if let renewsAt { probeAt = renewsAt }
    }

    /// Counts what a process that is gone had outstanding as spent.
    mutating func writeOff(_ cost: Int64) {
        outstanding -= cost
        said = said.map { $0 - cost }
    }

    private mutating func renew() {
        era += 1
        spent = outstanding
        said = nil
        writesLeft = nil
        isExhausted = false
        beganAt = nil
        renewsAt = nil
        probeAt = nil
        startProbes = 0
    }
}
