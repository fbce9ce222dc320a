// SPDX-License-Identifier: Apache-2.0

/// What everybody on this host who uses one credential shares: the slots of the burst limit, what refusals mean, how
/// many requests may be out, and the day's budget.
///
/// A value that performs nothing. Whoever stores it makes one change at a time; times are milliseconds of one clock
/// that all processes share and that nobody can set.
package struct SharedLimits: Sendable, Hashable {
    /// What a connection's settings say of the limits.
    package struct Terms: Sendable, Hashable {
        /// Requests per window, at least 1.
        package var slots: Int64
        /// The window's length, in milliseconds, at least 1.
        package var window: Int64
        /// The daily budget.
        package var budget: DailyBudget.Terms

        /// What a connection's settings say of the limits.
        package init(slots: Int64, window: Int64, budget: DailyBudget.Terms) {
            precondition(slots > 0 && window > 0, "a limit needs slots and a window")
            self.slots = slots
            self.window = window
            self.budget = budget
        }
    }

    /// When something happens.
    package struct Moment: Sendable, Hashable {
        /// By the shared clock, in milliseconds.
        package var time: Int64
        /// Milliseconds to the next full hour of the day.
        package var hourEndsIn: Int64

        /// A moment.
        package init(time: Int64, hourEndsIn: Int64) {
            self.time = time
            self.hourEndsIn = hourEndsIn
        }
    }

    /// A wish to send.
    package struct Wish: Sendable, Hashable {
        /// What it costs of the daily budget.
        package var cost: Int64
        /// Whether it changes records.
        package var isWrite: Bool
        /// Whether it is its process's first request, which may find out whether the budget was renewed.
        package var isFirst: Bool

        /// A wish to send.
        package init(cost: Int64, isWrite: Bool, isFirst: Bool) {
            self.cost = cost
            self.isWrite = isWrite
            self.isFirst = isFirst
        }
    }

    /// Leave to send, to be given back with the answer.
    package struct Grant: Sendable, Hashable {
        /// Who has it.
        package var member: Int64
        /// When the request was sent; set it anew where something took time in between.
        package var sentAt: Int64
        var occupied: Int64
        var grants: Int64
        var receipt: DailyBudget.Receipt
    }

    /// Why a request must not be sent now.
    package struct Refusal: Sendable, Hashable {
        /// Who or what stands in the way.
        package enum Cause: Sendable, Hashable {
            /// The daily budget is used up, but for the reserve.
            case budget
            /// The other side asked to wait longer than a run does.
            case asked
            /// The other side blocks the credential.
            case blocked
        }

        /// Who or what stands in the way.
        package var cause: Cause
        /// In how many milliseconds trying again makes sense.
        package var tryIn: Int64
        /// In how many milliseconds it is over at the latest.
        package var overIn: Int64
    }

    /// The answer to a wish.
    package enum Answer: Sendable, Hashable {
        /// Send now.
        case granted(Grant)
        /// Ask again after so many milliseconds, at least 1.
        case wait(Int64)
        /// Do not send.
        case refused(Refusal)
    }

    /// What came of a request.
    package struct Outcome: Sendable, Hashable {
        /// The HTTP status, or 0 where none was read.
        package var status: Int
        /// Whether it provably never left this machine.
        package var wasNeverSent = false
        /// How long the other side asks to wait, in milliseconds, or nil.
        package var retryAfter: Int64?
        /// Whether the other side blocks the credential.
        package var isBlocked = false
        /// Requests per window, where the answer says it.
        package var limit: Int64?
        /// Requests left in the window when it was counted, where the answer says it.
        package var remaining: Int64?
        /// What the answer says of the daily budget.
        package var daily = DailyBudget.Said()

        /// What came of a request that was answered so.
        package init(status: Int) { self.status = status }

        /// The same with numbers that no arithmetic here can overflow with: an answer may say anything.
        var bounded: Outcome {
            func bounded(_ number: Int64?) -> Int64? { number.flatMap { $0 < 0 ? nil : min($0, 1 << 48) } }
            var outcome = self
            outcome.retryAfter = bounded(retryAfter)
            outcome.limit = bounded(limit)
            outcome.remaining = bounded(remaining)
            outcome.daily.limit = bounded(daily.limit)
            outcome.daily.remaining = bounded(daily.remaining)
            outcome.daily.writesLeft = bounded(daily.writesLeft)
            outcome.daily.renewsIn = bounded(daily.renewsIn)
            return outcome
        }

        var isFailure: Bool { !wasNeverSent && (status == 0 || status == 408 || status >= 500) }
        var isThrough: Bool { (200..<500).contains(status) && status != 429 && !isBlocked }
    }

    /// The slots.
    package internal(set) var ring = SlotRing()
    /// How long answers take.
    package internal(set) var roundTrips = RoundTrips()
    /// What was refused.
    package internal(set) var refusals = RefusalHistory()
    /// How many requests may be out.
    package internal(set) var concurrency = ConcurrencyLimit()
    /// The daily budget.
    package internal(set) var budget = DailyBudget()
    /// Requests per window as the other side said it last, or nil.
    package internal(set) var limitSaid: Int64?
    /// How many slots others use who do not share this value.
    package internal(set) var others: Int64 = 0
    package internal(set) var othersUntil: Int64 = .min

    /// How long a request of a process that is gone may still take to arrive, at least.
    private static let arrivalMin: Int64 = 500
    /// How soon to ask again while one request goes ahead of the others.
    private static let tryingWait: Int64 = 50
    /// How soon to ask again while answers may free slots earlier.
    private static let hasteWait: Int64 = 50

    /// Nothing is known and nothing taken.
    package init() {}

    /// How many requests there may be per window at `now`; others' requests and penalties taken off, at least 1.
    package func allowed(_ terms: Terms, _ now: Int64) -> Int64 {
        let slots = refusals.allowed(min(terms.slots, limitSaid ?? terms.slots), now)
        return max(1, now < othersUntil ? slots - others : slots)
    }

    // MARK: - Members

    /// Takes a process in at a free place of ``SlotRing/members``.
    ///
    /// Where nobody else is there, what is known of the way to the other side is too old to be relied on.
    ///
    /// - Returns: Its number, or nil where the table is full or the place is taken.
    package mutating func join(place: Int64, _ now: Int64) -> Int64? {
        if ring.members.isEmpty {
            roundTrips = RoundTrips()
            concurrency = ConcurrencyLimit()
        }
        return ring.join(place: place, now)
    }

    /// Takes a process out that has ended or is gone.
    package mutating func remove(_ member: Int64, _ terms: Terms, _ now: Int64) {
        let arrival = max(Self.arrivalMin, 2 * roundTrips.middle)
        if let cost = ring.remove(member, window: terms.window, allowance: arrival, now) { budget.writeOff(cost) }
    }

    /// Forgets who uses the credential and takes every slot as used just now: what was known of them is lost.
    package mutating func lose(_ terms: Terms, _ now: Int64) {
        for member in ring.members { remove(member.id, terms, now) }
        let slots = min(terms.slots, limitSaid ?? terms.slots)
        ring.fill(slots, until: now + terms.window + SlotRing.margin + Self.arrivalMin)
    }

    // MARK: - Sending

    /// Asks for leave to send.
    ///
    /// - Parameter member: Who asks; see ``join(place:_:)``.
    package mutating func acquire(_ wish: Wish, by member: Int64, _ terms: Terms, _ now: Moment) -> Answer {
        if let closure = refusals.closure(now.time) {
            let time = closure.until - now.time
            return .refused(Refusal(cause: closure.reason == .asked ? .asked : .blocked, tryIn: time, overIn: time))
        }
        if now.time < refusals.frozenUntil { return .wait(refusals.frozenUntil - now.time) }
        if refusals.isTrying, ring.inFlight > 0 { return .wait(Self.tryingWait) }
        let verdict = budget.verdict(
            wish.cost, isWrite: wish.isWrite, mayProbe: wish.isFirst, terms.budget, hourEndsIn: now.hourEndsIn, now.time
        )
        switch verdict {
        case .wait: return .wait(Self.tryingWait)
        case .short:
            let latest = max(1, budget.renewedAtLatest(now.time) - now.time)
            let next = max(1, budget.probeAt.map { $0 - now.time } ?? now.hourEndsIn)
            return .refused(Refusal(cause: .budget, tryIn: min(next, latest), overIn: latest))
        case .enough, .probe: break
        }
        let slots = allowed(terms, now.time)
        let wait = ring.take(
            member, allowed: slots, concurrency: concurrency.limit, roundTrip: roundTrips.middle, now.time)
        if let wait { return .wait(mayHasten ? min(wait, Self.hasteWait) : wait) }
        let receipt = budget.charge(
            wish.cost, isWrite: wish.isWrite, verdict, hourEndsIn: now.hourEndsIn, now.time)
        ring.change(member) { $0.outstanding += wish.cost }
        return .granted(
            Grant(
                member: member, sentAt: now.time, occupied: ring.occupied, grants: ring.grants, receipt: receipt))
    }

    /// Whether an answer that is out may free slots earlier than they are reckoned to be free now.
    private var mayHasten: Bool { !roundTrips.isCertain && ring.inFlight > 0 }

    /// Why nothing could be sent when it was asked for last, or nil; nothing is changed by asking.
    package func standstill(_ now: Int64) -> Refusal? {
        if let closure = refusals.closure(now) {
            let time = closure.until - now
            return Refusal(cause: closure.reason == .asked ? .asked : .blocked, tryIn: time, overIn: time)
        }
        guard let probeAt = budget.probeAt else { return nil }
        let latest = max(0, budget.renewedAtLatest(now) - now)
        return Refusal(cause: .budget, tryIn: max(0, min(probeAt - now, latest)), overIn: latest)
    }

    /// Takes leave back with what came of the request.
    ///
    /// - Parameter jitter: A number in 0..<1 that spreads out those who have to wait.
    package mutating func release(
        _ grant: Grant, _ outcome: Outcome, _ terms: Terms, jitter: Double, _ now: Int64
    ) {
        let outcome = outcome.bounded
        let isKnown = ring.contains(grant.member)
        if isKnown { ring.change(grant.member) { $0.outstanding -= grant.receipt.cost } }
        settle(grant, outcome, isKnown: isKnown, now)
        if !outcome.wasNeverSent {
            if outcome.status > 0 { noteRoundTrip(max(0, now - grant.sentAt), now) }
            observe(grant, outcome, terms, now)
        }
        let until = outcome.wasNeverSent ? nil : now - roundTrips.floor + terms.window + SlotRing.margin
        ring.giveBack(grant.member, until: until, slots: terms.slots, window: terms.window, now)
        if !outcome.wasNeverSent {
            concurrency.note(isFailure: outcome.isFailure, sentAt: grant.sentAt, roundTrips, now)
        }
        refuse(grant, outcome, terms, jitter, now)
    }

    /// Takes note of how long an answer took; what is known of the way from then on holds for the slots that wait, too.
    private mutating func noteRoundTrip(_ milliseconds: Int64, _ now: Int64) {
        let before = roundTrips.floor
        roundTrips.note(milliseconds, now)
        let change = roundTrips.floor - before
        if change != 0 { ring.hasten(by: change) }
    }

    private mutating func settle(_ grant: Grant, _ outcome: Outcome, isKnown: Bool, _ now: Int64) {
        // A member that was taken for gone had its open requests written off.
        if !isKnown { budget.outstanding += grant.receipt.cost }
        let wasSpent = !outcome.wasNeverSent && outcome.status != 429 && !outcome.isBlocked
        budget.settle(grant.receipt, wasSpent: wasSpent, outcome.daily, now)
    }

    private mutating func refuse(
        _ grant: Grant, _ outcome: Outcome, _ terms: Terms, _ jitter: Double, _ now: Int64
    ) {
        if outcome.isBlocked {
            refusals.block(sentAt: grant.sentAt, asked: outcome.retryAfter, now)
        } else if outcome.status == 429 {
            let asked = outcome.retryAfter ?? outcome.daily.renewsIn
            if outcome.daily.remaining == 0 || (asked ?? 0) > RefusalHistory.waitMax {
                budget.exhaust(grant.receipt, renewsIn: outcome.daily.renewsIn ?? asked, now)
            } else {
                refusals.tooMany(sentAt: grant.sentAt, asked: asked, window: terms.window, jitter: jitter, now)
            }
        } else if let asked = outcome.retryAfter, asked > 0 {
            refusals.pause(asked: asked, jitter: jitter, now)
        }
        if outcome.isThrough { refusals.succeed(sentAt: grant.sentAt) }
    }

    /// Corrects the model by what an answer said: downwards, never above what is configured.
    ///
    /// What the other side counted beside all that we may have sent up to now, others have sent.
    private mutating func observe(_ grant: Grant, _ outcome: Outcome, _ terms: Terms, _ now: Int64) {
        if let limit = outcome.limit, limit > 0 { limitSaid = limit }
        guard let remaining = outcome.remaining, outcome.status != 429, !outcome.isBlocked else { return }
        let limit = outcome.limit ?? limitSaid ?? terms.slots
        let foreign = limit - remaining - (grant.occupied + ring.grants - grant.grants)
        guard foreign > 0 else { return }
        others = now < othersUntil ? max(others, foreign) : foreign
        othersUntil = now + terms.window
    }
}
