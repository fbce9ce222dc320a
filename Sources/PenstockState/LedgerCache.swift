// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What a connection keeps in memory of its ledger; a transaction that is undone makes it empty.
struct LedgerCache {
    /// What it was read from, 0 where nothing was.
    var version: Int64 = 0
    /// The index: its segments, the oldest first, and its log.
    var segments: [PackSegment] = []
    var log = PlaceTable()
    var lastLogPage: [UInt64] = []
    var logPages = 0
    /// Tells most keys that are not in the index, where it was made.
    var filter: KeyFilter?
    var filterPlaces: Int64 = 0
    var misses = 0
    /// The position of the next new key, where it is known.
    var nextPosition: Int64?

    /// Takes note of places that were added to the index.
    mutating func note(_ places: [UInt64]) {
        for place in places {
            log.add(place)
            filter?.add(hash: UInt32(place >> 32))
        }
    }

    /// Whether the index may have a key of this hash; false is certain.
    func mayHave(_ hash: UInt32) -> Bool { filter?.mayContain(hash: hash) ?? true }
}

/// How the index of a ledger is cut.
///
/// A file may be written with any sizes, one after the other; small ones make of a small ledger what otherwise a large
/// one is.
struct PackSizes: Sendable {
    /// The places of a page, but for those that have one hash.
    var page = 500
    /// A log of so many places becomes a segment.
    var log = 16_384
    /// After so many look-ups in vain a filter is made.
    var misses = 1_000
}

/// A sorted part of the ledger's index.
struct PackSegment: Sendable {
    let id: Int64
    let places: Int64

    var check: Int64 {
        var check = RowCheck("pack_segment")
        check.add(id)
        check.add(places)
        return check.value
    }
}

/// Places of an index in memory: a hash table with open addressing in which they lie in their order.
///
/// A place belongs to the slot that its first bits name. Where others lie there, the smaller one stays and the other
/// goes on, so that nothing is left to sort when the places become a segment.
struct PlaceTable {
    // A place is never 0. Behind the slots that bits can name is what had to go on from the last ones.
    private var slots: [UInt64] = []
    private var slotBits: UInt64 = 9
    private(set) var count = 0

    /// Adds a place that is not in it.
    mutating func add(_ place: UInt64) {
        if count * 2 >= slots.count { grow() }
        insert(place)
        count += 1
    }

    /// Forgets all places and keeps the room for them.
    mutating func removeAll() {
        for slot in slots.indices { slots[slot] = 0 }
        count = 0
    }

    /// Calls `body` with the position of each place of `hash`.
    func find(_ hash: UInt32, _ body: (Int64) -> Void) {
        guard count > 0 else { return }
        var slot = home(UInt64(hash) << 32)
        while slot < slots.count, slots[slot] != 0, slots[slot] >> 32 <= UInt64(hash) {
            if slots[slot] >> 32 == UInt64(hash) { body(Int64(slots[slot] & 0xFFFF_FFFF)) }
            slot += 1
        }
    }

    /// The places in their order.
    var sorted: [UInt64] { slots.filter { $0 != 0 } }

    private func home(_ place: UInt64) -> Int { Int(place >> (64 - slotBits)) }

    private mutating func insert(_ added: UInt64) {
        var place = added
        var slot = home(place)
        while slots[slot] != 0 {
            if slots[slot] > place { swap(&slots[slot], &place) }
            slot += 1
            if slot == slots.count { slots.append(0) }
        }
        slots[slot] = place
    }

    private mutating func grow() {
        let old = slots
        slotBits += 1
        slots = [UInt64](repeating: 0, count: 1 << slotBits)
        for place in old where place != 0 { insert(place) }
    }
}

extension KeyFilter {
    /// Adds a key of which only 32 bits are known.
    mutating func add(hash: UInt32) { add(Self.spread(hash)) }

    /// Whether a key with these 32 bits may have been added; false is certain.
    func mayContain(hash: UInt32) -> Bool { mayContain(Self.spread(hash)) }

    private static func spread(_ hash: UInt32) -> Fingerprint {
        let high = PackIndex.mix(UInt64(hash) << 32 | 0x5bd1_e995)
        return Fingerprint(low: UInt64(hash), high: high)
    }
}
