// SPDX-License-Identifier: Apache-2.0

/// How many requests may be out at once: one more per round trip, half as many after a failure.
///
/// The rate is kept by ``SlotRing``; this keeps a destination that has become slow from being piled up.
package struct ConcurrencyLimit: Sendable, Hashable {
    /// The most.
    package static let most: Int64 = 64
    /// No ceiling is lower than this: a few slow answers among quick ones must not hold everything up.
    private static let ceilingMin: Int64 = 16

    package internal(set) var limit: Int64 = ConcurrencyLimit.most
    package internal(set) var cutAt: Int64 = .min
    package internal(set) var raisedAt: Int64 = .min

    /// The limit before anything was seen.
    package init() {}

    /// How many may be out: half as many again as the permitted rate needs at the usual round trip, and no more than
    /// what failures have left.
    package func allowed(slots: Int64, window: Int64, _ roundTrips: RoundTrips) -> Int64 {
        guard roundTrips.isTrusted else { return limit }
        let needed = (3 * slots * roundTrips.middle + 2 * window - 1) / (2 * window)
        return min(limit, max(Self.ceilingMin, min(Self.most, needed)))
    }

    /// Takes note of an answer.
    ///
    /// - Parameters:
    ///   - isFailure: The other side said that it has trouble, or nothing.
    ///   - sentAt: When the request was sent: of those that were out together, the first failure alone counts.
    mutating func note(isFailure: Bool, sentAt: Int64, _ roundTrips: RoundTrips, _ now: Int64) {
        if isFailure {
            guard sentAt >= cutAt else { return }
            limit = max(1, limit / 2)
            cutAt = now
            raisedAt = now
        } else if limit < Self.most, now >= raisedAt + max(1, roundTrips.middle) {
            limit += 1
            raisedAt = now
        }
    }
}
