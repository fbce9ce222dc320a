// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockState
import Testing

@Suite struct LedgerTests {
    let folder = TemporaryFolder()

    @Test func everyFieldComesBackAsItWent() throws {
        let store = try StateStore.writing(folder)
        let plain = LedgerEntry(key: digest(1), keyText: "", run: 0, outcome: .notTried)
        var full = entry(2, outcome: .unknown)
        full.keyText = "a\0b \u{1F600} \" '"
        full.cursor = ""
        full.intent = LedgerEntry.Intent(payload: digest(3), startedAtMilliseconds: -5)
        let extreme = LedgerEntry(
            key: Fingerprint(low: 0, high: .max), keyText: "x", run: .max, outcome: .retry)
        try store.commit([.ledger(plain), .ledger(full), .ledger(extreme)])
        let found = try store.entries(for: [plain.key, full.key, extreme.key, digest(99)])
        #expect(found == [plain.key: plain, full.key: full, extreme.key: extreme])
    }

    @Test func aLaterEntryReplacesTheWholeEarlierOne() throws {
        let store = try StateStore.writing(folder)
        try store.commit([.ledger(entry(1))])
        let later = LedgerEntry(key: digest(1), keyText: "id=1", run: 2, outcome: .skipped)
        try store.commit([.ledger(later)])
        #expect(try store.entry(for: digest(1)) == later)
        #expect(try store.countEntries() == [.skipped: 1])
    }

    @Test func anIntentKeepsWhatIsKnownOfTheRow() throws {
        let store = try StateStore.writing(folder)
        try store.commit([.ledger(entry(1)), intent(1), intent(2)])
        var expected = entry(1, run: 7, outcome: .intent)
        expected.intent = LedgerEntry.Intent(payload: digest(50), startedAtMilliseconds: 1234)
        expected.source = nil
        expected.cursor = nil
        #expect(try store.entry(for: digest(1)) == expected)
        #expect(try store.entry(for: digest(2))?.remoteID == nil)
        #expect(try store.entry(for: digest(2))?.intent?.payload == digest(50))
        #expect(try store.countEntries(run: 7) == [.intent: 2])
    }

    @Test func onlyOutcomesFromCreatedToDroppedAreSettled() {
        let settled = LedgerEntry.Outcome.allCases.filter(\.isSettled)
        #expect(settled == [.created, .updated, .unchanged, .skipped, .rejected, .dropped])
        #expect(LedgerEntry.Outcome.allCases.map(\.rawValue) == [1, 2, 3, 4, 5, 6, 16, 17, 18, 19])
    }

    @Test func aVisitGoesThroughAllPagesInOrderAndFilters() throws {
        let store = try StateStore.writing(folder)
        try store.commit(
            (1...1700).map { number in
                .ledger(entry(number, run: number % 2, outcome: number % 10 == 0 ? .unknown : .updated))
            })
        #expect(try visited(store) == Array(1...1700))
        #expect(try visited(store, .unknown) == (1...170).map { $0 * 10 })
        #expect(try visited(store, .updated, run: 0).count == 680)
        #expect(try visited(store, .retry).isEmpty)
        #expect(try store.countEntries(run: 0) == [.updated: 680, .unknown: 170])
        #expect(try store.countEntries() == [.updated: 1530, .unknown: 170])
    }

    @Test func aVisitMayChangeWhatItVisits() throws {
        let store = try StateStore.writing(folder)
        try store.commit((1...1200).map { .ledger(entry($0, outcome: .retry)) })
        try store.forEachEntry(where: .retry) { found in
            var settled = found
            settled.outcome = .updated
            try store.commit([.ledger(settled)])
        }
        #expect(try store.countEntries() == [.updated: 1200])
    }

    @Test func twoTextsThatPeopleTakeForOneAreTwoIDs() throws {
        let store = try StateStore.writing(folder)
        var first = entry(1)
        first.remoteID = "e\u{301}"
        try store.commit([.ledger(first)])
        #expect(try store.entries(remoteID: "\u{e9}").isEmpty)
        #expect(try store.entries(remoteID: "e\u{301}") == [first])
        #expect(try !store.owns(remoteID: "\u{e9}"))
    }

    @Test func aRecordIsFoundByItsRemoteID() throws {
        let store = try StateStore.writing(folder)
        var twin = entry(3)
        twin.remoteID = "r1"
        try store.commit([.ledger(entry(1)), .ledger(entry(2)), .ledger(twin)])
        #expect(try store.entries(remoteID: "r1") == [entry(1), twin])
        #expect(try store.entries(remoteID: "r9").isEmpty)
    }

    private func intent(_ number: Int64) -> StateChange {
        .intent(
            LedgerEntry(
                key: digest(number), keyText: "id=\(number)", run: 7, outcome: .intent,
                intent: LedgerEntry.Intent(payload: digest(50), startedAtMilliseconds: 1234)))
    }

    private func visited(
        _ store: StateStore, _ outcome: LedgerEntry.Outcome? = nil, run: Int64? = nil
    ) throws -> [Int] {
        var numbers: [Int] = []
        try store.forEachEntry(where: outcome, run: run) { numbers.append(Int($0.keyText.dropFirst(3)) ?? -1) }
        return numbers
    }
}
