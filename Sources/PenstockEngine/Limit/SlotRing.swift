// SPDX-License-Identifier: Apache-2.0

/// The slots of a limit of N requests per rolling window, shared by every process that uses one credential.
///
/// A request takes a slot when it is sent and gives it back one window after the earliest moment at which the other
/// side can have counted it. That moment is not known, so it is bounded: until 30 answers were seen by the answer
/// itself, later by the answer less the shortest round trip seen, of which ``RoundTrips/floor`` believes little at
/// first. Two requests in one slot are then at least a window apart at the other side, whatever the two one-way delays
/// are.
///
/// Performs nothing itself: every call gets the time, in milliseconds of one clock that all processes share.
package struct SlotRing: Sendable, Hashable {
    /// A process, or one of several connections of it, that uses the credential.
    package struct Member: Sendable, Hashable {
        /// Its number; never given twice.
        package var id: Int64
        /// Its place in the table, by which others find out whether it is alive.
        package var place: Int64
        /// Requests that it has out.
        package var inFlight: Int64 = 0
        /// What these cost together of the daily budget.
        package var outstanding: Int64 = 0
        /// It was told to wait and asks again by this time: until then a slot is kept for it, unless it has its share.
        package var wishUntil: Int64 = 0
        /// When it last took or gave a slot.
        package var seenAt: Int64
    }

    /// Slots that were used and are free again at one time.
    package struct Cooling: Sendable, Hashable {
        /// When they are free.
        package var until: Int64
        /// Whose requests they held; 0 where that does not matter any more.
        package var member: Int64
        /// How many there are.
        package var count: Int64
    }

    /// The most processes that can share a credential.
    package static let membersMax = 64
    /// The most entries of ``cooling``; beyond it neighbours are joined, at the later time.
    package static let coolingMax = 2_048

    /// Everybody who uses the credential now.
    package internal(set) var members: [Member] = []
    /// Slots that are not free yet, by time.
    package internal(set) var cooling: [Cooling] = []
    /// How often a slot was given.
    package internal(set) var grants: Int64 = 0
    /// The number that the next member gets.
    package internal(set) var nextMember: Int64 = 1

    /// What is added to every window, for clocks of whole milliseconds and delays that vary.
    static let margin: Int64 = 5
    /// How long a wish holds beyond the time at which its owner was told to ask again.
    private static let wishGrace: Int64 = 500
    /// How soon to ask again where a free slot is kept for somebody else.
    private static let keptWait: Int64 = 20
    /// How soon to ask again at the latest where all that counts is out; an answer of one's own comes first.
    private static let busyWait: Int64 = 50
    /// With more slots than this, times are rounded up, so that the ring stays small.
    private static let exactSlotsMax = 512
    private static let roundings: Int64 = 256

    /// No slot is taken.
    package init() {}

    /// Requests that are out.
    package var inFlight: Int64 { members.reduce(0) { $0 + $1.inFlight } }

    /// Slots that are not free.
    package var occupied: Int64 { cooling.reduce(inFlight) { $0 + $1.count } }

    /// Slots that `member` holds.
    package func occupied(by member: Int64) -> Int64 {
        cooling.reduce(members.first { $0.id == member }?.inFlight ?? 0) { $1.member == member ? $0 + $1.count : $0 }
    }

    // MARK: - Members

    /// Takes a process in at a free place.
    ///
    /// - Returns: Its number, or nil where the table is full or the place is taken.
    mutating func join(place: Int64, _ now: Int64) -> Int64? {
        guard members.count < Self.membersMax, !members.contains(where: { $0.place == place }) else { return nil }
        defer { nextMember += 1 }
        members.append(Member(id: nextMember, place: place, seenAt: now))
        return nextMember
    }

    /// Takes a process out; what it has out is reckoned as sent just now.
    ///
    /// - Parameter allowance: How long a request may still take to arrive.
    /// - Returns: What its open requests cost, or nil for no such member.
    mutating func remove(_ id: Int64, window: Int64, allowance: Int64, _ now: Int64) -> Int64? {
        guard let index = members.firstIndex(where: { $0.id == id }) else { return nil }
        let member = members.remove(at: index)
        for index in cooling.indices where cooling[index].member == id { cooling[index].member = 0 }
        if member.inFlight > 0 {
            cool(until: now + allowance + window + Self.margin, member: 0, count: member.inFlight)
        }
        return member.outstanding
    }

    /// Whether there is such a member.
    package func contains(_ id: Int64) -> Bool { members.contains { $0.id == id } }

    mutating func change(_ id: Int64, _ body: (inout Member) -> Void) {
        guard let index = members.firstIndex(where: { $0.id == id }) else { return }
        body(&members[index])
    }

    // MARK: - Slots

    /// Takes a slot out of `allowed`, or says how long to wait.
    ///
    /// While others wait, each may take its share, and more only of what is left beside what the others' shares need.
    ///
    /// - Parameters:
    ///   - allowed: How many slots there are, at least 1.
    ///   - concurrency: How many requests may be out, at least 1.
    ///   - roundTrip: How long an answer usually takes, in milliseconds.
    /// - Returns: Nil where the slot was taken, else after how many milliseconds to ask again.
    mutating func take(_ id: Int64, allowed: Int64, concurrency: Int64, roundTrip: Int64, _ now: Int64) -> Int64? {
        thaw(now)
        let waiting = members.filter { $0.id != id && $0.wishUntil > now }
        let out = inFlight
        let own = members.first { $0.id == id }?.inFlight ?? 0
        let answer = max(Self.margin, min(Self.busyWait, roundTrip / 2))
        guard Self.mayTake(own, out, concurrency, waiting.map(\.inFlight)) else { return wish(id, answer, now) }
        let total = cooling.reduce(out) { $0 + $1.count }
        // Who alone asks need not know which of the slots are his own.
        let isFree =
            waiting.isEmpty
            ? total < allowed : Self.mayTake(occupied(by: id), total, allowed, waiting.map { occupied(by: $0.id) })
        guard isFree else {
            let thaws = cooling.first.map { $0.until - now } ?? answer
            return wish(id, max(1, total < allowed ? min(thaws, Self.keptWait) : thaws), now)
        }
        grants += 1
        change(id) {
            $0.inFlight += 1
            $0.wishUntil = 0
            $0.seenAt = now
        }
        return nil
    }

    /// Notes that a member waits so long and then asks again.
    private mutating func wish(_ id: Int64, _ wait: Int64, _ now: Int64) -> Int64 {
        change(id) { $0.wishUntil = now + wait + Self.wishGrace }
        return wait
    }

    /// Whether one who holds `own` of the `total` that are taken may take one more of `limit`.
    ///
    /// - Parameter waiting: What those hold who wait.
    private static func mayTake(_ own: Int64, _ total: Int64, _ limit: Int64, _ waiting: [Int64]) -> Bool {
        guard total < limit else { return false }
        if waiting.isEmpty { return true }
        let share = max(1, limit / Int64(waiting.count + 1))
        return own < share || limit - total > waiting.reduce(0) { $0 + max(0, share - $1) }
    }

    /// Gives a slot back.
    ///
    /// - Parameter until: When it is free again, or nil for at once: its request provably never left.
    mutating func giveBack(_ id: Int64, until: Int64?, slots: Int64, window: Int64, _ now: Int64) {
        guard let index = members.firstIndex(where: { $0.id == id }), members[index].inFlight > 0 else { return }
        members[index].inFlight -= 1
        members[index].seenAt = now
        guard var until else { return }
        if slots > Self.exactSlotsMax {
            let step = max(1, window / Self.roundings)
            until = (until + step - 1) / step * step
        }
        cool(until: until, member: id, count: 1)
    }

    /// Frees the slots of answered requests so much earlier, or later where `time` is negative: that much longer or
    /// shorter the way there and back is now known to be.
    ///
    /// Slots that stand for requests of those who are gone stay as they are.
    mutating func hasten(by time: Int64) {
        let waiting = cooling
        cooling.removeAll(keepingCapacity: true)
        for entry in waiting {
            cool(until: entry.member == 0 ? entry.until : entry.until - time, member: entry.member, count: entry.count)
        }
    }

    /// Occupies every slot for one window: what the others hold is not known.
    mutating func fill(_ slots: Int64, until: Int64) {
        cooling.removeAll()
        cool(until: until, member: 0, count: slots)
    }

    mutating func thaw(_ now: Int64) {
        let thawed = cooling.prefix { $0.until <= now }.count
        if thawed > 0 { cooling.removeFirst(thawed) }
    }

    private mutating func cool(until: Int64, member: Int64, count: Int64) {
        var index = cooling.count
        while index > 0, cooling[index - 1].until >= until {
            index -= 1
            if cooling[index].until == until, cooling[index].member == member {
                cooling[index].count += count
                return
            }
        }
        cooling.insert(Cooling(until: until, member: member, count: count), at: index)
        if cooling.count > Self.coolingMax { joinNeighbours() }
    }

    private mutating func joinNeighbours() {
        var joined: [Cooling] = []
        for (index, entry) in cooling.enumerated() {
            if index % 2 == 1, let last = joined.last {
                joined[joined.count - 1] = Cooling(until: entry.until, member: 0, count: last.count + entry.count)
            } else {
                joined.append(entry)
            }
        }
        cooling = joined
    }
}
