// SPDX-License-Identifier: Apache-2.0

/// Decides when a request may be sent so that a limit of N requests per rolling window is never exceeded.
///
/// A request takes one of N slots when it is sent and gives it back one window after the earliest moment at which
/// the other side can have counted it. That moment is not known, so it is bounded: until 30 answers were seen by the
/// answer itself, later by the answer less the shortest round trip seen. Two requests in one slot are then at least
/// a window apart at the other side, whatever the two one-way delays are. Performs nothing itself: every call gets
/// the time, in milliseconds of one monotonic clock.
package struct SlotLimiter: Sendable {
    /// The answer to a wish to send.
    package enum Answer: Equatable, Sendable {
        /// Send now, and give the ticket back.
        case granted(UInt64)
        /// Ask again after so many milliseconds, at least 1.
        case wait(Int64)
    }

    private let slotsConfigured: Int
    private let window: Int64
    private var slotsAllowed: Int
    private var inFlight: [UInt64: Flight] = [:]
    /// When cooling slots are free again, ascending, from ``coolingHead`` on.
    private var cooling: [Int64] = []
    private var coolingHead = 0
    private var nextTicket: UInt64 = 1
    private var roundTripMin: Int64 = .max
    private var answersSeen = 0
    private var frozenUntil: Int64 = .min
    private var others = 0
    private var othersUntil: Int64 = .min
    private var penaltyUntil: Int64 = .min

    private struct Flight {
        var sentAt: Int64
        var occupiedAtSend: Int
    }

    private static let marginMilliseconds: Int64 = 5
    private static let answersBeforeTrust = 30
    private static let penaltyMilliseconds: Int64 = 600_000

    /// A limiter of `slots` requests per `window` milliseconds; both at least 1.
    package init(slots: Int, window: Int64) {
        precondition(slots > 0 && window > 0, "a limit needs slots and a window")
        slotsConfigured = slots
        slotsAllowed = slots
        self.window = window
    }

    /// How many requests may be out at `now`, others' requests and penalties taken off; at least 1.
    package func slotsAvailableAtMost(_ now: Int64) -> Int {
        var slots = slotsAllowed
        if now < penaltyUntil { slots -= max(1, slotsAllowed / 10) }
        if now < othersUntil { slots -= others }
        return max(1, slots)
    }

    /// Asks for leave to send.
    package mutating func acquire(_ now: Int64) -> Answer {
        thaw(now)
        guard now >= frozenUntil else { return .wait(frozenUntil - now) }
        let occupied = inFlight.count + cooling.count - coolingHead
        guard occupied < slotsAvailableAtMost(now) else {
            let next = coolingHead < cooling.count ? cooling[coolingHead] - now : Self.marginMilliseconds
            return .wait(max(1, min(next, window)))
        }
        let ticket = nextTicket
        nextTicket += 1
        inFlight[ticket] = Flight(sentAt: now, occupiedAtSend: occupied + 1)
        return .granted(ticket)
    }

    /// Takes a slot back.
    ///
    /// - Parameter wasNeverSent: The request provably never left; its slot is free at once.
    package mutating func release(_ ticket: UInt64, _ now: Int64, wasNeverSent: Bool) {
        guard let flight = inFlight.removeValue(forKey: ticket), !wasNeverSent else { return }
        let roundTrip = max(0, now - flight.sentAt)
        roundTripMin = min(roundTripMin, roundTrip)
        answersSeen += 1
        let countedAtLatest = answersSeen > Self.answersBeforeTrust ? now - roundTripMin : now
        cool(until: countedAtLatest + window + Self.marginMilliseconds)
    }

    /// When each occupied slot is free again, requests that are out reckoned as answered now; ascending.
    package func occupied(_ now: Int64) -> [Int64] {
        let out = inFlight.map { _ in now + window + Self.marginMilliseconds }
        return (cooling[coolingHead...].filter { $0 > now } + out).sorted()
    }

    /// Occupies slots for requests that somebody else has sent, until these times; the latest of them, at most all slots.
    package mutating func occupy(until times: [Int64], _ now: Int64) {
        for time in times.sorted().suffix(slotsAllowed) where time > now { cool(until: min(time, now + window)) }
    }

    /// Takes note of a refusal for too many requests: nothing is sent for a window, or as long as was asked for.
    package mutating func refused(_ now: Int64, retryAfter: Int64?) {
        frozenUntil = max(frozenUntil, now + max(window, retryAfter ?? 0))
        penaltyUntil = now + Self.penaltyMilliseconds
    }

    /// Corrects the model by what an answer said; it may lower the limit, never raise it above what is configured.
    ///
    /// - Parameters:
    ///   - ticket: The request that was answered, still out.
    ///   - limit: Requests per window, or nil.
    ///   - remaining: How many were left when the request was counted, or nil.
    package mutating func observe(_ ticket: UInt64?, limit: Int?, remaining: Int?, _ now: Int64) {
        if let limit, limit > 0 { slotsAllowed = min(slotsConfigured, limit) }
        guard let remaining, let ticket, let flight = inFlight[ticket] else { return }
        let foreign = (limit ?? slotsAllowed) - remaining - flight.occupiedAtSend
        guard foreign > 0 else { return }
        others = now < othersUntil ? max(others, foreign) : foreign
        othersUntil = now + window
    }

    private mutating func cool(until time: Int64) {
        var index = cooling.count
        while index > coolingHead, cooling[index - 1] > time { index -= 1 }
        cooling.insert(time, at: index)
    }

    private mutating func thaw(_ now: Int64) {
        while coolingHead < cooling.count, cooling[coolingHead] <= now { coolingHead += 1 }
        if coolingHead > 1_024, coolingHead * 2 > cooling.count {
            cooling.removeFirst(coolingHead)
            coolingHead = 0
        }
    }
}
