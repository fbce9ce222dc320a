// SPDX-License-Identifier: Apache-2.0

/// How long answers take: the shortest time seen lately, and the middle one.
package struct RoundTrips: Sendable, Hashable {
    /// The shortest of this period, in milliseconds; 0 before the first answer.
    package internal(set) var shortest: Int64 = 0
    /// The shortest of the period before, in milliseconds.
    package internal(set) var shortestBefore: Int64 = 0
    /// When this period began.
    package internal(set) var beganAt: Int64 = 0
    /// About half of the answers take longer than this, in milliseconds; 0 before the first answer.
    package internal(set) var middle: Int64 = 0
    /// How many answers were seen.
    package internal(set) var count: Int64 = 0

    /// So many answers must be seen before the shortest one is believed to be the floor.
    private static let countBeforeTrust: Int64 = 30
    /// As many answers may each have waited for a connection of its own to be opened, three round trips in all.
    private static let countBeforeReuse: Int64 = 64
    /// Until so many were seen, the shortest may be that of a busy moment: the answers of one burst wait for each
    /// other.
    private static let countBeforeCertainty: Int64 = 120
    /// What is taken off the shortest as long, in milliseconds.
    private static let doubt: Int64 = 50
    /// After this time the shortest one is looked for anew, as the way may have become longer.
    private static let period: Int64 = 30_000

    /// No answer was seen.
    package init() {}

    /// Takes note of an answer that took so many milliseconds.
    mutating func note(_ milliseconds: Int64, _ now: Int64) {
        if count == 0 {
            (shortest, shortestBefore, beganAt, middle) = (milliseconds, milliseconds, now, milliseconds)
        } else if now - beganAt >= Self.period {
            (shortestBefore, shortest, beganAt) = (shortest, milliseconds, now)
        } else {
            shortest = min(shortest, milliseconds)
        }
        // A step towards each answer: small next to what is measured, so that it settles where half lie on each side.
        let step = max(1, middle / 16)
        middle += max(-step, min(step, milliseconds - middle))
        count += 1
    }

    /// Whether enough answers were seen.
    package var isTrusted: Bool { count > Self.countBeforeTrust }

    /// Whether the shortest is believed as it is.
    package var isCertain: Bool { count > Self.countBeforeCertainty }

    /// The least that the way there and back takes; 0 while that is not known.
    package var floor: Int64 {
        guard isTrusted else { return 0 }
        let least = min(shortest, shortestBefore)
        if isCertain { return least }
        return max(0, min(least - Self.doubt, count > Self.countBeforeReuse ? least : least / 4))
    }
}
