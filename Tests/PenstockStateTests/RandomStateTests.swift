// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

@testable import PenstockState

/// Every change of a state, in random order, beside dictionaries that are the truth after each of them.
///
/// The index is cut small, so that a few hundred keys have what millions have otherwise: pages, segments, a filter.
/// `PENSTOCK_SEED` repeats a run.
@Suite struct RandomStateTests {
    private static let runs: Int64 = 9

    /// What a round is made of.
    fileprivate struct Kind: CustomTestStringConvertible {
        var keys: Int
        var sizes: PackSizes
        /// What every text of a key begins with.
        var beginning = ""
        /// How many of 100 rows are open.
        var open: UInt64 = 30
        var testDescription: String { "\(keys) keys, pages of \(sizes.page), \(open) % open" }
    }

    private static let kinds = [
        Kind(keys: 12, sizes: PackSizes(page: 3, log: 10, misses: 5)),
        Kind(keys: 150, sizes: PackSizes(page: 7, log: 20, misses: 20)),
        Kind(keys: 600, sizes: PackSizes(page: 40, log: 90, misses: 50), open: 5),
        Kind(keys: 400, sizes: PackSizes(), beginning: String(repeating: "a long beginning, ", count: 12), open: 10),
        Kind(keys: 300, sizes: PackSizes(page: 50, log: 120, misses: 0), open: 85),
    ]

    @Test("Random changes end in what dictionaries say, after each of them", arguments: kinds.indices)
    func randomChanges(kind: Int) throws {
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
        print("random state: \(Self.kinds[kind].testDescription), seed \(seed)")
        var round = try Round(Self.kinds[kind], Randomness(state: seed &+ UInt64(kind) << 32))
        for _ in 0..<60 {
            try round.step()
            try round.compare()
        }
        try round.end()
    }

    fileprivate struct Round {
        let kind: Kind
        var random: Randomness
        let folder = TemporaryFolder()
        var store: StateStore
        var reader: StateStore?
        var model = LedgerModel()
        var records: [RunRecord] = []
        var matcher: Matcher?

        init(_ kind: Kind, _ random: Randomness) throws {
            self.kind = kind
            self.random = random
            store = try StateStore.writing(folder)
            for number in 1...RandomStateTests.runs {
                records.append(
                    try store.beginRun(id: "run-\(number)", startedAtMilliseconds: number, definition: digest(1)))
            }
            try cut()
        }

        /// Makes the pieces small.
        func cut() throws {
            let sizes = kind.sizes
            try store.read { connection throws(StateError) in connection.packSizes = sizes }
        }

        mutating func step() throws {
            switch random.next() % 12 {
            case 0: try reopen()
            case 1:
                let run = random.pick(records)
                try store.abandon(run, at: 5)
                model.abandon(run: run.number)
            case 2 where random.next() % 4 == 0:
                try store.reset(ledger: true)
                model.resetLedger()
                matcher = nil
            case 2: try failedCommit()
            case 3:
                // As after a kill: the file and its log, as they are while it is open.
                let copy = folder.path + "/copy-\(UUID().uuidString)"
                try FileManager.default.copyItem(atPath: folder.state, toPath: copy)
                let killed = try StateStore.openForWriting(folder: copy, sync: "people", owner: someOwner)
                try compare(killed)
                killed.close()
            default: try commit()
            }
        }

        /// What was open last is settled first, beside keys that are new: in the first transaction after opening.
        private mutating func reopen() throws {
            store.close()
            (reader, matcher) = (nil, nil)
            store = try StateStore.writing(folder)
            try cut()
            guard let last = model.inOrder.last(where: { !$0.outcome.isSettled }), random.next() % 2 == 0 else {
                return
            }
            var settled = last
            (settled.intent, settled.outcome, settled.remoteID) = (nil, .created, "12")
            try make([.settled(settled), change(), change(), change()])
        }

        private mutating func failedCommit() throws {
            var changes = (0..<random.next() % 30 + 1).map { _ in change() }
            var missing = records[0]
            missing.number = 999
            changes.append(.run(missing))
            let failing = changes
            #expect(throws: StateError.self) { try store.commit(failing) }
        }

        private mutating func commit() throws {
            let count = [1, 5, 60, 200][Int(random.next() % 4)]
            try make((0..<random.next() % UInt64(count) + 1).map { _ in change() })
        }

        private mutating func make(_ changes: [StateChange]) throws {
            try store.commit(changes)
            for change in changes { model.apply(change) }
        }

        // MARK: - Changes

        private mutating func key() -> (key: Fingerprint, text: String) {
            let number = random.next() % UInt64(kind.keys)
            // A tenth of all keys have one hash.
            let key = number % 10 == 0 ? Fingerprint(low: number, high: number ^ 77) : digest(number)
            return (key, kind.beginning + "id=\(number)")
        }

        private mutating func change() -> StateChange {
            let (key, text) = key()
            switch random.next() % 20 {
            case 0: return .reject(reject(key, text))
            case 1: return .rejectCleared(key)
            case 2: return .created(remoteID: remoteID() ?? "1")
            case 3:
                return .lost(
                    key: key, keyText: text, run: 1 + Int64(random.next() % 9), payload: digest(random.next() % 9))
            case 5: return .forgotten(key)
            case 4 where random.next() % 20 == 0: return .rejectsOutdated(before: Int64(random.next() % 9))
            default: break
            }
            if random.next() % 100 < kind.open {
                return random.next() % 3 == 0
                    ? .ledger(entry(key, text, [.retry, .notTried, .unknown]))
                    : .intent(entry(key, text, [.intent]))
            }
            let settled = entry(key, text, [.created, .updated, .unchanged, .skipped, .rejected, .dropped])
            return random.next() % 2 == 0 ? .ledger(settled) : .settled(settled)
        }

        private mutating func entry(
            _ key: Fingerprint, _ text: String, _ outcomes: [LedgerEntry.Outcome]
        ) -> LedgerEntry {
            var entry = LedgerEntry(
                key: key, keyText: text, remoteID: remoteID(), run: 1 + Int64(random.next() % 9),
                outcome: random.pick(outcomes))
            if random.next() % 5 > 0 { entry.payload = digest(random.next() % 1_000) }
            if random.next() % 3 == 0 { entry.cursor = kind.beginning + "\(random.next() % 1_000)" }
            if random.next() % 3 == 0 { entry.source = digest(random.next() % 1_000) }
            if !entry.outcome.isSettled || random.next() % 30 == 0 {
                entry.intent = LedgerEntry.Intent(payload: digest(3), startedAtMilliseconds: 4, marker: "m")
            }
            return entry
        }

        private mutating func remoteID() -> String? {
            switch random.next() % 6 {
            case 0: nil
            // Two texts that people take for one.
            case 1: random.pick(["", "e\u{301}", "\u{e9}", "007", "18446744073709551616"])
            case 2: kind.beginning + "r\(random.next() % 200)"
            default: String(random.next() % 2_000)
            }
        }

        private mutating func reject(_ key: Fingerprint, _ text: String) -> RejectRecord {
            RejectRecord(
                key: key, keyText: text, run: 1 + Int64(random.next() % 9), row: 1, stage: "check",
                code: "missing-name",
                message: "It is empty.", record: "{}", isSettled: true,
                firstSeenMilliseconds: Int64(random.next() % 100), lastSeenMilliseconds: 100)
        }
    }

    /// A matcher that is at work while changes are made, and the keys that it knows.
    fileprivate struct Matcher {
        var matcher: LedgerMatcher
        var known: Set<Fingerprint>
        var seen: Set<Fingerprint> = []
    }
}

// MARK: - Comparing

extension RandomStateTests.Round {
    fileprivate mutating func compare() throws {
        try compare(store)
        if reader == nil { reader = try StateStore.openForReading(folder: folder.state, sync: "people") }
        if let reader { #expect(try Self.all(of: reader) == model.inOrder) }
        try compareMatches()
    }

    fileprivate mutating func end() throws {
        let reader = try #require(reader)
        store.close()
        try compare(reader)
        reader.close()
        try compare(try #require(try StateStore.openForReading(folder: folder.state, sync: "people")))
    }

    private static func all(of store: StateStore) throws -> [LedgerEntry] {
        var found: [LedgerEntry] = []
        try store.forEachEntry { found.append($0) }
        return found
    }

    fileprivate mutating func compare(_ store: StateStore) throws {
        _ = try store.inspect()
        let all = model.inOrder
        #expect(try Self.all(of: store) == all)
        try comparePages(store, all)
        for run in [nil, 1 + Int64(random.next() % 9)] {
            let of = all.filter { run == nil || $0.run == run }
            #expect(
                try store.countEntries(run: run)
                    == Dictionary(grouping: of, by: \.outcome).mapValues { Int64($0.count) })
            var open: [LedgerEntry] = []
            try store.forEachUnsettled(run: run) { open.append($0) }
            #expect(open == of.filter { !$0.outcome.isSettled })
        }
        for _ in 0..<20 {
            let (key, text) = key()
            #expect(try store.entry(for: key) == model.entries[key])
            #expect(try store.reject(for: key) == model.rejects[key])
            #expect(try store.rows(keyText: text).entries == (model.entries[key].map { [$0] } ?? []))
        }
        for _ in 0..<5 {
            guard let id = remoteID() else { continue }
            let same = all.filter { $0.remoteID.map { Array($0.utf8) } == Array(id.utf8) }
            #expect(try store.entries(remoteID: id, limit: 3) == Array(same.prefix(3)))
            let isCreated = model.created.contains(Array(id.utf8))
            #expect(try store.owns(remoteID: id) == (isCreated || !same.isEmpty))
        }
        #expect(try store.countRejects() == Int64(model.rejects.count))
    }

    /// Pages of a few entries, whose borders lie anywhere.
    private mutating func comparePages(_ store: StateStore, _ all: [LedgerEntry]) throws {
        let limit = 1 + Int(random.next() % 40)
        var found: [LedgerEntry] = []
        var position: Int64? = 1
        while let start = position {
            let page = try store.read { connection throws(StateError) in
                try LedgerTable(connection: connection).places(from: start, through: .max, limit: limit)
            }
            #expect(page.found.count <= limit)
            found += page.found.map(\.entry)
            position = page.next
        }
        #expect(found == all)
    }

    /// Asks for some keys, and now and then for the rest and what is gone.
    private mutating func compareMatches() throws {
        if matcher == nil { model.moved = [] }
        var work =
            try matcher
            ?? RandomStateTests.Matcher(
                matcher: LedgerMatcher(store, scratchFolder: folder.path), known: Set(model.inOrder.map(\.key)))
        // What was forgotten and had no place comes back as a new key.
        work.known.subtract(model.moved)
        work.seen.subtract(model.moved)
        var keys = model.order.filter { _ in random.next() % 3 == 0 }
        keys += (0..<4).map { _ in key().key }
        if random.next() % 3 == 0 { keys.shuffle(using: &random) }
        for (key, match) in zip(keys, try work.matcher.match(keys)) where work.known.contains(key) {
            // Its place is met, too, where nothing is known of it any more.
            let isNew = work.seen.insert(key).inserted
            guard let entry = model.entries[key] else {
                #expect(!match.isKnown)
                continue
            }
            #expect(match.isKnown && match.wasMatchedBefore == !isNew)
            #expect(match.payload == entry.payload && match.outcome == entry.outcome && match.run == entry.run)
            #expect(
                work.matcher.remoteID(of: match) == entry.remoteID && work.matcher.cursor(of: match) == entry.cursor)
        }
        guard random.next() % 4 == 0 else { return matcher = work }
        var removed: Set<Fingerprint> = []
        try work.matcher.forEachRemoved { removed.insert($0.key) }
        let gone = model.inOrder.filter { work.known.contains($0.key) && !work.seen.contains($0.key) }
        #expect(removed.isSuperset(of: gone.filter(\.outcome.isAccepted).map(\.key)))
        #expect(removed.isDisjoint(with: work.seen))
        matcher = nil
    }
}
