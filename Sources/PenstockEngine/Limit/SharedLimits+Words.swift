// SPDX-License-Identifier: Apache-2.0

/// The shared limits as a list of numbers, for the file in which they lie.
extension SharedLimits {
    /// The form in which ``words`` are written; a file of another form is not read.
    package static let format = 1

    /// Every number, in a fixed order.
    package var words: [Int64] {
        var words: [Int64] = []
        appendWords(to: &words)
        return words
    }

    /// Appends every number, in a fixed order.
    ///
    /// Nothing is made on the heap where `words` has room: this is done for every request.
    package func appendWords(to words: inout [Int64]) {
        var out = WordWriter()
        swap(&out.words, &words)
        out.add(limitSaid)
        out.add([others, othersUntil])
        out.add([
            roundTrips.shortest, roundTrips.shortestBefore, roundTrips.beganAt, roundTrips.middle, roundTrips.count,
        ])
        out.add([concurrency.limit, concurrency.cutAt, concurrency.raisedAt])
        out.add([refusals.frozenUntil, refusals.penaltyUntil, refusals.halfUntil, refusals.askedUntil])
        out.add([refusals.blockedUntil, refusals.blocks, Int64(refusals.incidents.count)])
        for time in refusals.incidents { out.add([time]) }
        out.add([budget.era, budget.spent, budget.outstanding, budget.startProbes, budget.charged, budget.writes])
        out.add([budget.isExhausted ? 1 : 0, budget.isUnproven ? 1 : 0])
        out.add(budget.sizeSaid)
        out.add(budget.said)
        out.add(budget.writesLeft)
        out.add(budget.beganAt)
        out.add(budget.renewsAt)
        out.add(budget.probeAt)
        out.add([ring.grants, ring.nextMember, Int64(ring.members.count)])
        for member in ring.members {
            out.add([member.id, member.place, member.inFlight, member.outstanding, member.wishUntil, member.seenAt])
        }
        out.add([Int64(ring.cooling.count)])
        for entry in ring.cooling { out.add([entry.until, entry.member, entry.count]) }
        swap(&out.words, &words)
    }

    /// The limits from their numbers, or nil where these are not such a list.
    package init?(words: [Int64]) {
        self.init()
        var input = WordReader(words)
        limitSaid = input.optional()
        others = input.next()
        othersUntil = input.next()
        roundTrips.shortest = input.next()
        roundTrips.shortestBefore = input.next()
        roundTrips.beganAt = input.next()
        roundTrips.middle = input.next()
        roundTrips.count = input.next()
        concurrency.limit = input.next()
        concurrency.cutAt = input.next()
        concurrency.raisedAt = input.next()
        readRefusals(&input)
        readBudget(&input)
        readRing(&input)
        guard input.isAtEnd, concurrency.limit > 0 else { return nil }
    }

    private mutating func readRefusals(_ input: inout WordReader) {
        refusals.frozenUntil = input.next()
        refusals.penaltyUntil = input.next()
        refusals.halfUntil = input.next()
        refusals.askedUntil = input.next()
        refusals.blockedUntil = input.next()
        refusals.blocks = input.next()
        refusals.incidents = (0..<input.count(atMost: 16)).map { _ in input.next() }
    }

    private mutating func readBudget(_ input: inout WordReader) {
        budget.era = input.next()
        budget.spent = input.next()
        budget.outstanding = input.next()
        budget.startProbes = input.next()
        budget.charged = input.next()
        budget.writes = input.next()
        budget.isExhausted = input.next() != 0
        budget.isUnproven = input.next() != 0
        budget.sizeSaid = input.optional()
        budget.said = input.optional()
        budget.writesLeft = input.optional()
        budget.beganAt = input.optional()
        budget.renewsAt = input.optional()
        budget.probeAt = input.optional()
    }

    private mutating func readRing(_ input: inout WordReader) {
        ring.grants = input.next()
        ring.nextMember = input.next()
        ring.members = (0..<input.count(atMost: SlotRing.membersMax)).map { _ in
            var member = SlotRing.Member(id: input.next(), place: input.next(), seenAt: 0)
            member.inFlight = input.next()
            member.outstanding = input.next()
            member.wishUntil = input.next()
            member.seenAt = input.next()
            return member
        }
        ring.cooling = (0..<input.count(atMost: SlotRing.coolingMax + 1)).map { _ in
            SlotRing.Cooling(until: input.next(), member: input.next(), count: input.next())
        }
    }

    // MARK: - Another clock

    /// Moves what lasts longer than a window to another clock, after the machine was started anew.
    ///
    /// Who used the credential then is gone, and slots are all taken as used just now.
    ///
    /// - Parameter shift: What the new clock shows less what the old one would show.
    package mutating func move(by shift: Int64, _ terms: Terms, _ now: Int64) {
        func moved(_ time: Int64) -> Int64 { time == .min ? time : time + shift }
        lose(terms, now)
        refusals.frozenUntil = .min
        refusals.penaltyUntil = moved(refusals.penaltyUntil)
        refusals.halfUntil = moved(refusals.halfUntil)
        refusals.askedUntil = moved(refusals.askedUntil)
        refusals.blockedUntil = moved(refusals.blockedUntil)
        refusals.incidents = []
        othersUntil = .min
        concurrency.cutAt = .min
        concurrency.raisedAt = .min
        budget.beganAt = budget.beganAt.map(moved)
        budget.renewsAt = budget.renewsAt.map(moved)
        budget.probeAt = budget.probeAt.map(moved)
    }
}

/// Collects numbers; one that is missing takes two.
private struct WordWriter {
    var words: [Int64] = []

    @inline(__always)
    mutating func add<let count: Int>(_ numbers: InlineArray<count, Int64>) {
        for index in numbers.indices { words.append(numbers[index]) }
    }

    mutating func add(_ number: Int64?) {
        words.append(number == nil ? 0 : 1)
        words.append(number ?? 0)
    }
}

/// Hands numbers out, and remembers when there were too few.
private struct WordReader {
    private let words: [Int64]
    private var index = 0
    private var isShort = false

    init(_ words: [Int64]) { self.words = words }

    var isAtEnd: Bool { !isShort && index == words.count }

    mutating func next() -> Int64 {
        guard index < words.count else {
            isShort = true
            return 0
        }
        defer { index += 1 }
        return words[index]
    }

    mutating func optional() -> Int64? {
        let isThere = next() != 0
        let number = next()
        return isThere ? number : nil
    }

    mutating func count(atMost most: Int) -> Int {
        let count = next()
        guard count >= 0, count <= most else {
            isShort = true
            return 0
        }
        return Int(count)
    }
}
