// SPDX-License-Identifier: Apache-2.0

/// How many lines may be written about rows: many at once, and then so many in a second.
///
/// A log of limited size keeps the newest lines. Where rows are settled by the hundred thousand in a second, nearly
/// every line that is made for it is gone before the run ends, and would cost more than all else that is done for the
/// row.
package struct LineAllowance: Sendable {
    /// How many lines were left out since the last call of ``takeOmitted()``.
    package private(set) var omitted = 0

    private let most: Int
    private let perSecond: Int
    /// How many lines may be written now; below 0 after rows that were let through together.
    private var left: Int
    private var refilledAt: Int64?

    /// An allowance that is whole.
    ///
    /// - Parameters:
    ///   - most: How many lines may be written at once after a pause; more than 0.
    ///   - perSecond: How many are added in each second, up to `most`.
    package init(most: Int, perSecond: Int) {
        self.most = most
        self.perSecond = perSecond
        left = most
    }

    /// Whether the lines of `count` rows may be written at `now`; rows that were settled together stay together.
    ///
    /// - Parameters:
    ///   - failures: How many of them have their lines in any case.
    ///   - now: Milliseconds of a clock; where it goes back, nothing is added.
    package mutating func take(_ count: Int, failures: Int = 0, at now: Int64) -> Bool {
        refill(now)
        guard left > 0 else {
            omitted += count - failures
            return false
        }
        left -= count
        return true
    }

    /// How many lines were left out since this was asked last.
    package mutating func takeOmitted() -> Int {
        defer { omitted = 0 }
        return omitted
    }

    private mutating func refill(_ now: Int64) {
        guard let since = refilledAt else {
            refilledAt = now
            return
        }
        // A minute fills any allowance; the product of more might not fit.
        let added = Int(min(max(0, now - since), 60_000)) * perSecond / 1_000
        if added > 0 || now < since {
            left = min(most, left + added)
            refilledAt = now
        }
    }
}
