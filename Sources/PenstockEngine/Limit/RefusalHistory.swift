// SPDX-License-Identifier: Apache-2.0

/// What the other side's refusals mean for what is sent next: pauses, fewer slots for a while, and a breaker.
///
/// All times are milliseconds of the clock that the callers share.
package struct RefusalHistory: Sendable, Hashable {
    /// Why nothing may be sent at all.
    package enum Closure: Sendable, Hashable {
        /// The other side asked to wait longer than a run does.
        case asked
        /// The other side blocks the credential.
        case blocked
    }

    /// Nothing is sent before this.
    package internal(set) var frozenUntil: Int64 = .min
    /// One slot in ten is left alone until then.
    package internal(set) var penaltyUntil: Int64 = .min
    /// Half of the slots are left alone until then.
    package internal(set) var halfUntil: Int64 = .min
    /// When the last incidents were, oldest first, at most three.
    package internal(set) var incidents: [Int64] = []
    /// The other side asked for no request before this.
    package internal(set) var askedUntil: Int64 = .min
    /// The other side blocks the credential; tried again then.
    package internal(set) var blockedUntil: Int64 = .min
    /// How often in a row it blocked; 0 once a request got through again.
    package internal(set) var blocks: Int64 = 0

    /// The longest `Retry-After` that is waited for inside a run.
    package static let waitMax: Int64 = 120_000
    private static let penaltyTime: Int64 = 600_000
    private static let incidentsTime: Int64 = 60_000
    private static let incidentsMax = 3
    private static let blockTimes: [Int64] = [300_000, 1_800_000, 3_600_000]
    private static let dayTime: Int64 = 86_400_000

    /// Nothing was refused.
    package init() {}

    /// Takes note of a refusal for too many requests.
    ///
    /// Requests that were out together and are refused together are one incident. The third within a minute halves
    /// the rate.
    ///
    /// - Parameters:
    ///   - sentAt: When the refused request was sent.
    ///   - asked: How long the other side asks to wait, or nil.
    ///   - jitter: A number in 0..<1 that spreads out those who wait.
    mutating func tooMany(sentAt: Int64, asked: Int64?, window: Int64, jitter: Double, _ now: Int64) {
        if incidents.last.map({ sentAt >= $0 }) ?? true {
            incidents = (incidents + [now]).suffix(Self.incidentsMax)
            if incidents.count == Self.incidentsMax, let first = incidents.first, now - first <= Self.incidentsTime {
                halfUntil = now + Self.penaltyTime
            }
        }
        penaltyUntil = now + Self.penaltyTime
        freeze(max(window, asked ?? 0), jitter, now)
    }

    /// Takes note that the other side asked for a pause, for another reason than too many requests.
    mutating func pause(asked: Int64, jitter: Double, _ now: Int64) {
        if asked > Self.waitMax {
            askedUntil = max(askedUntil, now + min(asked, Self.dayTime))
        } else {
            freeze(asked, jitter, now)
        }
    }

    private mutating func freeze(_ time: Int64, _ jitter: Double, _ now: Int64) {
        frozenUntil = max(frozenUntil, now + time + Int64(Double(time) * jitter / 4))
    }

    /// Takes note that the other side blocks the credential: 5 minutes, then 30, then 60.
    ///
    /// Requests that were out together count once.
    mutating func block(sentAt: Int64, asked: Int64?, _ now: Int64) {
        guard now >= blockedUntil, blocks == 0 || sentAt >= blockedUntil else { return }
        let time = Self.blockTimes[min(Int(blocks), Self.blockTimes.count - 1)]
        blocks += 1
        blockedUntil = now + max(time, min(asked ?? 0, Self.dayTime))
    }

    /// Takes note that a request got through.
    mutating func succeed(sentAt: Int64) {
        if sentAt >= blockedUntil { blocks = 0 }
    }

    /// Whether a block is over and nobody knows yet whether it is: then one request goes ahead of the others.
    package var isTrying: Bool { blocks > 0 }

    /// Why nothing may be sent, and until when; nil where it may.
    package func closure(_ now: Int64) -> (reason: Closure, until: Int64)? {
        if now < blockedUntil { return (.blocked, blockedUntil) }
        if now < askedUntil { return (.asked, askedUntil) }
        return nil
    }

    /// How many of `slots` may be used, at least 1.
    package func allowed(_ slots: Int64, _ now: Int64) -> Int64 {
        if now < halfUntil { return max(1, slots / 2) }
        return now < penaltyUntil ? max(1, slots - max(1, slots / 10)) : slots
    }
}
