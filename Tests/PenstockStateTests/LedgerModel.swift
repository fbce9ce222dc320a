// SPDX-License-Identifier: Apache-2.0

import PenstockModel

@testable import PenstockState

/// What a state must hold after changes, in dictionaries: the plain way, which says what the quick one must make.
struct LedgerModel {
    private(set) var entries: [Fingerprint: LedgerEntry] = [:]
    /// The keys that have a place, in their order; of some of them nothing is known any more.
    private(set) var order: [Fingerprint] = []
    private(set) var rejects: [Fingerprint: RejectRecord] = [:]
    /// The bytes of ids: two texts that people take for one are two ids.
    private(set) var created: Set<[UInt8]> = []
    /// The keys that have a place in a block, which they keep.
    private var packed: Set<Fingerprint> = []

    /// The keys that have lost their place, and may have come again with another one.
    var moved: Set<Fingerprint> = []

    /// The entries in their order.
    var inOrder: [LedgerEntry] { order.compactMap { entries[$0] } }

    /// Makes a change.
    mutating func apply(_ change: StateChange) {
        switch change {
        case .ledger(let entry): put(entry)
        case .settled(let entry):
            put(entry)
            rejects[entry.key] = nil
            if entry.outcome == .created, let id = entry.remoteID { created.insert(Array(id.utf8)) }
        case .intent(var entry):
            entry.remoteID = entries[entry.key]?.remoteID
            entry.payload = entries[entry.key]?.payload
            entry.outcome = .intent
            put(entry)
        case .lost(let key, let keyText, let run, let payload):
            var entry = entries[key] ?? LedgerEntry(key: key, keyText: keyText, run: run, outcome: .unknown)
            if entry.outcome != .intent || entry.intent == nil {
                entry.intent = LedgerEntry.Intent(payload: payload, startedAtMilliseconds: 0)
            }
            entry.run = run
            entry.outcome = .unknown
            put(entry)
        case .forgotten(let key): forget(key)
        case .reject(var record):
            if let earlier = rejects[record.key] {
                record.firstSeenMilliseconds = min(record.firstSeenMilliseconds, earlier.firstSeenMilliseconds)
            }
            rejects[record.key] = record
        case .rejectCleared(let key): rejects[key] = nil
        case .created(let id): created.insert(Array(id.utf8))
        case .rejectsOutdated(let run): rejects = rejects.filter { $0.value.run >= run }
        case .watermark, .run: break
        }
    }

    /// Gives the open rows of a run up.
    mutating func abandon(run: Int64) {
        for var entry in inOrder where entry.run == run && !entry.outcome.isSettled {
            guard let outcome = entry.outcome.abandoned(hasRecord: entry.remoteID != nil) else {
                forget(entry.key)
                continue
            }
            entry.outcome = outcome
            entry.intent = nil
            entry.run = 0
            put(entry)
        }
    }

    /// Forgets the ledger.
    mutating func resetLedger() {
        entries = [:]
        order = []
        packed = []
    }

    private mutating func put(_ entry: LedgerEntry) {
        if entries[entry.key] == nil, !order.contains(entry.key) { order.append(entry.key) }
        if entry.outcome.isSettled, entry.intent == nil {
            packed.insert(entry.key)
            entries[entry.key] = PlainItem.kept(entry)
        } else {
            entries[entry.key] = entry
        }
    }

    private mutating func forget(_ key: Fingerprint) {
        entries[key] = nil
        guard !packed.contains(key) else { return }
        order.removeAll { $0 == key }
        moved.insert(key)
    }
}
