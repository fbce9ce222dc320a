// SPDX-License-Identifier: Apache-2.0

/// Decides whether a request may be paid for out of today's budget.
///
/// What the destination says of the rest of the budget counts before what the settings say of its size, because
/// others spend from it too. A reserve is left to them.
package struct DailyBudget: Sendable {
    /// How much of the budget is left alone.
    package enum Reserve: Sendable, Hashable {
        /// So much of the destination's unit.
        case amount(Int64)
        /// So many hundredths of a percent of the whole.
        case basisPoints(Int64)
    }

    private let configured: Int64?
    private let reserve: Reserve
    private var size: Int64?
    /// The least that the destination said is left, less what was spent since without a word of it.
    private var said: Int64?
    /// What is charged and not yet answered; the destination may or may not have counted it in ``said``.
    private var outstanding: Int64 = 0
    private var isExhausted = false

    /// What was spent here, refunds taken off.
    package private(set) var spent: Int64 = 0

    /// A budget.
    ///
    /// - Parameters:
    ///   - daily: Its size by the settings, or nil for unknown.
    ///   - reserve: What is left alone.
    package init(daily: Int64?, reserve: Reserve) {
        configured = daily
        self.reserve = reserve
        size = daily
    }

    /// What is left today as far as is known, the reserve included, or nil.
    package var remaining: Int64? {
        if isExhausted { return 0 }
        return [configured.map { $0 - spent }, said.map { $0 - outstanding }].compactMap { $0 }.min()
    }

    /// The size of the whole as far as is known, or nil.
    package var total: Int64? { size }

    /// What is left alone; 0 where the size is not known.
    package var reserved: Int64 {
        switch reserve {
        case .amount(let amount): amount
        case .basisPoints(let points): (size ?? 0) * points / 10_000
        }
    }

    /// What may still be spent, or nil where nothing is known.
    package var spendable: Int64? { remaining.map { max(0, $0 - reserved) } }

    /// Charges `cost`, or refuses.
    ///
    /// Every charge is followed by one ``settle(_:wasSpent:limit:remaining:)``.
    ///
    /// - Returns: Whether it was charged.
    package mutating func charge(_ cost: Int64) -> Bool {
        guard cost > 0 else { return true }
        if isExhausted { return false }
        if let spendable, cost > spendable { return false }
        spent += cost
        outstanding += cost
        return true
    }

    /// Takes note of the answer to a charged request.
    ///
    /// - Parameters:
    ///   - wasSpent: False for a request that provably never left or was refused unpaid.
    ///   - limit: The size of the whole, where the answer says it.
    ///   - remaining: What is left, where the answer says it.
    package mutating func settle(_ cost: Int64, wasSpent: Bool, limit: Int64? = nil, remaining: Int64? = nil) {
        outstanding -= cost
        if !wasSpent { spent -= cost }
        if let limit { size = configured.map { min($0, limit) } ?? limit }
        if let remaining {
            said = said.map { min($0, remaining) } ?? remaining
        } else if wasSpent {
            said = said.map { $0 - cost }
        }
    }

    /// Takes note that the destination says the budget is used up.
    package mutating func exhaust() {
        isExhausted = true
    }
}
