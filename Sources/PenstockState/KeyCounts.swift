// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// How often each of some keys was met: a hash table with open addressing that does not hash its keys again.
struct KeyCounts {
    /// A key and how often it was met; 0 in a slot that is free.
    struct Slot {
        var key = Fingerprint(low: 0, high: 0)
        var times = 0
    }

    private var slots = [Slot](repeating: Slot(), count: 1 << 10)
    private var shift: UInt64 = 54
    /// How many different keys there are.
    private(set) var count = 0

    /// The slot of `key`: its own one, or the free one where it belongs; valid until the next ``set(_:_:times:)``.
    func slot(of key: Fingerprint) -> Int {
        // Keys are digests, so any of their bits would do; the product also spreads keys that only look like digests.
        var slot = Int(((key.low ^ key.high) &* 0x9e37_79b9_7f4a_7c15) >> shift)
        while slots[slot].times > 0 && slots[slot].key != key { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }

    /// How often the key of `slot` was met.
    func times(_ slot: Int) -> Int { slots[slot].times }

    /// Writes how often the key of `slot` was met, at least once.
    mutating func set(_ slot: Int, _ key: Fingerprint, times: Int) {
        if slots[slot].times == 0 { count += 1 }
        slots[slot] = Slot(key: key, times: times)
        // Half full at most, so that a search takes one or two steps.
        if count * 2 > slots.count { grow() }
    }

    /// The keys in the order of a ``KeyRun``.
    var sorted: [Slot] {
        slots.filter { $0.times > 0 }.sorted {
            KeyRun.isLess($0.key, $1.key)
        }
    }

    /// Forgets all keys and keeps the room for them.
    mutating func removeAll() {
        for slot in slots.indices { slots[slot].times = 0 }
        count = 0
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        shift -= 1
        for entry in old where entry.times > 0 { slots[slot(of: entry.key)] = entry }
    }
}
