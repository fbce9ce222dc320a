// SPDX-License-Identifier: Apache-2.0

/// How many requests may be out at once: one more per round trip, half as many after a failure.
///
/// The rate is kept by ``SlotRing``, and with it the number of those that are out: no more than its slots. This keeps a
/// destination that has trouble from being piled up. While it has none, nothing else holds back a window's requests:
/// slots that are free together and taken one after the other are free one after the other in every window that
/// follows, and what that costs is never made up for.
package struct ConcurrencyLimit: Sendable, Hashable {
    /// The most.
    package static let most: Int64 = 64
    /// How many may be out now.
    package internal(set) var limit: Int64 = ConcurrencyLimit.most
    package internal(set) var cutAt: Int64 = .min
    package internal(set) var raisedAt: Int64 = .min

    /// The limit before anything was seen.
    package init() {}

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
