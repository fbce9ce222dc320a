// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockState
import Testing

/// The packed ledger beside a dictionary that is the truth.
///
/// `PENSTOCK_SEED` repeats a run.
@Suite struct PackedLedgerTests {
    let folder = TemporaryFolder()

    /// What must be in the ledger, and in which order.
    private struct Truth {
        var entries: [Fingerprint: LedgerEntry] = [:]
        var order: [Fingerprint] = []

        mutating func put(_ entry: LedgerEntry) {
            if entries[entry.key] == nil { order.append(entry.key) }
            entries[entry.key] = entry
        }

        var inOrder: [LedgerEntry] { order.compactMap { entries[$0] } }
    }

    private static func someEntry(_ number: Int, _ run: Int64, _ random: inout Randomness) -> LedgerEntry {
        let outcomes: [LedgerEntry.Outcome] = [.created, .created, .created, .updated, .unchanged, .skipped, .rejected]
        let outcome = random.next() % 12 == 0 ? LedgerEntry.Outcome.notTried : random.pick(outcomes)
        var entry = LedgerEntry(key: digest(number), keyText: "id=\(number)", run: run, outcome: outcome)
        if random.next() % 40 == 0 {
            entry.keyText = random.pick(["", "é\u{1F600}", "a\0b", String(repeating: "x", count: 9_000)])
        }
        switch random.next() % 8 {
        case 0:
            entry.remoteID = random.pick([
                "00\(number)", "", "r-\(number)", "18446744073709551615", "9223372036854775807",
            ])
        case 1: break
        default: entry.remoteID = String(number * 3)
        }
        if random.next() % 9 > 0 { entry.payload = digest(random.next() % 1_000_000) }
        if random.next() % 3 == 0 { entry.cursor = "2026-01-\(random.next() % 28) 10:00:00.\(random.next() % 1_000)" }
        if outcome == .rejected, entry.cursor != nil { entry.source = digest(random.next() % 1_000_000) }
        return entry
    }

    @Test(
        "Random changes, with the file closed or let go of in between, end in what a dictionary says", arguments: 1...4)
    func randomChangesEndInWhatADictionarySays(round: Int) throws {
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
        print("packed ledger: round \(round), seed \(seed)")
        var random = Randomness(state: seed &+ UInt64(round) << 32)
        var truth = Truth()
        var store = try StateStore.writing(folder)
        let keys = 200 + round * 500
        for step in 0..<40 {
            var changes: [StateChange] = []
            let count = Int(random.next() % [3, 40, 600][Int(random.next() % 3)]) + 1
            var number = Int(random.next() % UInt64(keys))
            for _ in 0..<count {
                number = random.next() % 7 == 0 ? Int(random.next() % UInt64(keys)) : (number + 1) % keys
                let entry = Self.someEntry(number, Int64(step), &random)
                if random.next() % 10 == 0 {
                    var open = entry
                    open.intent = LedgerEntry.Intent(payload: digest(3), startedAtMilliseconds: 4, marker: "m")
                    changes.append(.intent(open))
                    open.remoteID = truth.entries[entry.key]?.remoteID
                    open.payload = truth.entries[entry.key]?.payload
                    open.outcome = .intent
                    truth.put(open)
                } else {
                    changes.append(.ledger(entry))
                    truth.put(entry)
                }
            }
            try store.commit(changes)
            switch random.next() % 8 {
            case 0:
                store.close()
                store = try StateStore.writing(folder)
            case 1:
                // As after a kill: the file and its log, as they are while it is open.
                let killed = try StateStore.openForWriting(folder: copied(), sync: "people", owner: someOwner)
                try compare(killed, truth, &random)
                _ = try killed.inspect()
                killed.close()
            default: break
            }
            if step % 10 == 0 { try compare(store, truth, &random) }
        }
        try compare(store, truth, &random)
        _ = try store.inspect()
        store.close()
        try compare(try #require(try StateStore.openForReading(folder: folder.state, sync: "people")), truth, &random)
    }

    @Test(
        "What was open last is settled beside a new key in the first transaction after opening, and both are kept",
        arguments: [false, true], [LedgerEntry.Outcome.created, .intent, .unknown])
    func theLastPositionIsNotGivenTwice(isPacked: Bool, second: LedgerEntry.Outcome) throws {
        var open = LedgerEntry(key: digest(2), keyText: "id=2", run: 1, outcome: .intent)
        open.intent = LedgerEntry.Intent(payload: digest(3), startedAtMilliseconds: 4)
        let before = LedgerEntry(key: digest(1), keyText: "id=1", remoteID: "1", run: 1, outcome: .created)
        var store = try StateStore.writing(folder)
        try store.commit(isPacked ? [.ledger(before), .intent(open)] : [.intent(open)])
        store.close()
        store = try StateStore.writing(folder)
        let settled = LedgerEntry(key: digest(2), keyText: "id=2", remoteID: "20", run: 2, outcome: .created)
        var new = LedgerEntry(key: digest(4), keyText: "id=4", run: 2, outcome: second)
        switch second {
        case .intent:
            new.intent = open.intent
            try store.commit([.settled(settled), .intent(new)])
        case .unknown:
            new.intent = LedgerEntry.Intent(payload: digest(3), startedAtMilliseconds: 0)
            try store.commit([.settled(settled), .lost(key: new.key, keyText: "id=4", run: 2, payload: digest(3))])
        default: try store.commit([.settled(settled), .settled(new)])
        }
        var found: [LedgerEntry] = []
        try store.forEachEntry { found.append($0) }
        #expect(found == (isPacked ? [before] : []) + [settled, new])
        _ = try store.inspect()
        store.close()
    }

    /// A copy of the folder as it is while the store is open.
    private func copied() throws -> String {
        let copy = folder.path + "/copy-\(UUID().uuidString)"
        try FileManager.default.copyItem(atPath: folder.state, toPath: copy)
        return copy
    }

    private func compare(_ store: StateStore, _ truth: Truth, _ random: inout Randomness) throws {
        var visited: [LedgerEntry] = []
        try store.forEachEntry { visited.append($0) }
        #expect(visited == truth.inOrder)
        var counts: [LedgerEntry.Outcome: Int64] = [:]
        for entry in truth.entries.values { counts[entry.outcome, default: 0] += 1 }
        #expect(try store.countEntries() == counts)
        let some = truth.order.shuffled(using: &random).prefix(100)
        #expect(try store.entries(for: Array(some)).count == some.count)
        for key in some {
            let entry = try #require(truth.entries[key])
            #expect(try store.entry(for: key) == entry)
            if let id = entry.remoteID {
                let same = truth.inOrder.filter { $0.remoteID == id }
                #expect(try store.entries(remoteID: id, limit: 3) == Array(same.prefix(3)))
            }
        }
        #expect(try store.entry(for: digest(99_999_999)) == nil)
        try compareMatches(store, truth, &random)
    }

    private func compareMatches(_ store: StateStore, _ truth: Truth, _ random: inout Randomness) throws {
        let matcher = try LedgerMatcher(store, scratchFolder: folder.path)
        var source = truth.order.filter { _ in random.next() % 20 > 0 }
        for _ in 0..<source.count / 10 {
            source.insert(digest(50_000_000 + random.next() % 1_000), at: Int(random.next() % UInt64(source.count)))
        }
        if random.next() % 2 == 0 { source.shuffle(using: &random) }
        var seen: Set<Fingerprint> = []
        for start in stride(from: 0, to: source.count, by: 400) {
            let keys = Array(source[start..<min(source.count, start + 400)])
            let matches = try matcher.match(keys)
            for (key, match) in zip(keys, matches) {
                let isNew = seen.insert(key).inserted
                guard let entry = truth.entries[key] else {
                    #expect(!match.isKnown)
                    continue
                }
                #expect(match.isKnown && match.wasMatchedBefore == !isNew)
                #expect(match.payload == entry.payload && match.outcome == entry.outcome && match.run == entry.run)
                #expect(match.source == entry.source)
                #expect(matcher.remoteID(of: match) == entry.remoteID && matcher.cursor(of: match) == entry.cursor)
            }
        }
        var removed: [LedgerEntry] = []
        try matcher.forEachRemoved { removed.append($0) }
        #expect(removed == truth.inOrder.filter { !seen.contains($0.key) && $0.outcome.isAccepted })
        #expect(try matcher.removedCount == Int64(removed.count))
    }
}

/// Numbers that follow from a seed.
struct Randomness: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[Int(next() % UInt64(elements.count))] }
}
