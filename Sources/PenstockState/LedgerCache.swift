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

    /// Whether the index may have a key of this hash; false is certain.
    func mayHave(_ hash: UInt32) -> Bool { filter?.mayContain(hash: hash) ?? true }
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

/// Places of an index in memory: a hash table with open addressing that does not hash again.
struct PlaceTable {
    // A place is never 0.
    private var slots: [UInt64] = []
    private(set) var count = 0

    /// Adds a place that is not in it.
    mutating func add(_ place: UInt64) {
        if count * 2 >= slots.count { grow() }
        insert(place)
        count += 1
    }

    /// Calls `body` with the position of each place of `hash`.
    func find(_ hash: UInt32, _ body: (Int64) -> Void) {
        guard !slots.isEmpty else { return }
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 {
            if slots[slot] >> 32 == UInt64(hash) { body(Int64(slots[slot] & 0xFFFF_FFFF)) }
            slot = (slot + 1) & (slots.count - 1)
        }
    }

    /// Calls `body` with each place, in no order.
    func forEach(_ body: (UInt64) -> Void) { for place in slots where place != 0 { body(place) } }

    private mutating func insert(_ place: UInt64) {
        var slot = Int(place >> 32) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = place
    }

    private mutating func grow() {
        let old = slots
        slots = [UInt64](repeating: 0, count: max(1_024, old.count * 2))
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
