// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockState
import Testing

@Suite struct LedgerMatcherTests {
    let folder = TemporaryFolder()

    private func filled(_ count: Int) throws -> StateStore {
        let store = try StateStore.writing(folder)
        for start in stride(from: 0, to: count, by: 1_000) {
            try store.commit((start..<min(count, start + 1_000)).map { .ledger(Self.settled($0)) })
        }
        return store
    }

    private static func settled(_ number: Int, run: Int64 = 1) -> LedgerEntry {
        LedgerEntry(
            key: digest(number), keyText: "id=\(number)", remoteID: String(number), payload: digest(number + 1),
            run: run, outcome: .created)
    }

    /// The record of each matched row as a number; -1 for an unknown key, -2 for a key that came before.
    private func match(_ matcher: LedgerMatcher, _ numbers: [Int]) throws -> [Int] {
        try matcher.match(numbers.map { digest($0) }).map { match in
            match.wasMatchedBefore ? -2 : match.isKnown ? Int(match.remoteNumber) : -1
        }
    }

    @Test func nothingIsKnownWithoutALedger() throws {
        let matcher = try LedgerMatcher(nil, scratchFolder: folder.path)
        #expect(try match(matcher, [1, 2, 1]) == [-1, -1, -1])
        #expect(try matcher.removedCount == 0)
    }

    @Test("Rows are found in any order", arguments: ["ledger", "backwards", "from the middle", "in leaps"])
    func rowsAreFoundInAnyOrder(order: String) throws {
        let count = 20_000
        let matcher = try LedgerMatcher(filled(count), scratchFolder: folder.path)
        let source =
            switch order {
            case "ledger": Array(0..<count)
            case "backwards": Array((0..<count).reversed())
            case "from the middle": Array(count / 3..<count) + Array(0..<count / 3)
            default: (0..<count).map { $0 * 7_919 % count }
            }
        for start in stride(from: 0, to: count, by: 4_000) {
            let part = Array(source[start..<start + 4_000])
            #expect(try match(matcher, part) == part)
        }
        #expect(try matcher.removedCount == 0)
        #expect(try match(matcher, Array(source.prefix(100))) == [Int](repeating: -2, count: 100))
    }

    @Test func rowsThatAreGoneAndRowsThatAreNewDoNotLeadAstray() throws {
        let count = 10_000
        let matcher = try LedgerMatcher(filled(count), scratchFolder: folder.path)
        var source: [Int] = []
        for number in 0..<count {
            // Single rows, and then a thousand in a row, are gone; a few hundred new ones come together.
            if number % 50 == 7 || (4_000..<5_000).contains(number) { continue }
            source.append(number)
            if number % 70 == 0 { source.append(1_000_000 + number) }
            if number == 6_000 { source += 2_000_000..<2_000_300 }
        }
        for start in stride(from: 0, to: source.count, by: 1_000) {
            let part = Array(source[start..<min(source.count, start + 1_000)])
            #expect(try match(matcher, part) == part.map { $0 < count ? $0 : -1 })
        }
        var removed: [String] = []
        try matcher.forEachRemoved { removed.append($0.keyText) }
        let gone = (0..<count).filter { $0 % 50 == 7 || (4_000..<5_000).contains($0) }
        #expect(removed == gone.map { "id=\($0)" })
    }

    @Test func aKeyThatComesAgainInOneBatchIsSeenInItsOrder() throws {
        let matcher = try LedgerMatcher(filled(5_000), scratchFolder: folder.path)
        // Leaps, so that the keys are looked up together.
        let source = (0..<200).map { $0 * 1_237 % 5_000 }
        #expect(try match(matcher, source + source) == source + [Int](repeating: -2, count: 200))
    }

    @Test func whatAnInterruptedAttemptWroteIsSeenAndWhatTheRunAddsIsNot() throws {
        let store = try filled(500)
        try store.commit([.ledger(Self.settled(3, run: 2)), .ledger(openEntry(1_000))])
        let matcher = try LedgerMatcher(store, scratchFolder: folder.path)
        try store.commit([.ledger(Self.settled(4, run: 2)), .ledger(Self.settled(2_000, run: 2))])
        let matches = try matcher.match([3, 4, 1_000, 2_000].map { digest($0) })
        #expect(matches.map(\.run) == [2, 2, 1, 0])
        #expect(matches.map(\.isKnown) == [true, true, true, false])
        #expect(matches.map(\.isHot) == [false, false, true, false])
        #expect(matches[2].outcome == .notTried)
        #expect(try store.entry(for: digest(3)) == Self.settled(3, run: 2))
        #expect(try matcher.removedCount == 498)
    }

    @Test func aRowWhoseRunWasGivenUpIsForgottenAndComesAsANewOne() throws {
        let store = try StateStore.writing(folder)
        let run = try store.beginRun(id: "01JDAAAAAAAAAAAAAAAAAAAAAA", startedAtMilliseconds: 5, definition: digest(4))
        var known = Self.settled(1)
        known.remoteID = nil
        try store.commit([.ledger(known), .ledger(Self.settled(2))])
        var again = openEntry(0)
        again.key = digest(1)
        again.remoteID = nil
        try store.commit([.ledger(again)])
        try store.abandon(run, at: 9)
        #expect(try store.entry(for: digest(1)) == nil)
        #expect(try store.countEntries() == [.created: 1])
        let matcher = try LedgerMatcher(store, scratchFolder: folder.path)
        #expect(try match(matcher, [1, 2]) == [-1, 2])
        try store.commit([.ledger(known)])
        #expect(try matcher.match([digest(1)])[0].wasMatchedBefore, "its place has come already")
        _ = try store.inspect()
    }

    @Test func aResetForgetsWhatIsPacked() throws {
        let store = try filled(3_000)
        try store.reset(ledger: true)
        #expect(try store.countEntries().isEmpty)
        #expect(try store.entry(for: digest(7)) == nil)
        try store.commit([.ledger(Self.settled(7))])
        #expect(try store.entry(for: digest(7)) == Self.settled(7))
        _ = try store.inspect()
    }

    @Test func aReaderSeesWhatAWriterPacksMeanwhile() throws {
        let store = try filled(1_000)
        let reader = try #require(try StateStore.openForReading(folder: folder.state, sync: "people"))
        #expect(try reader.entry(for: digest(999)) == Self.settled(999))
        #expect(try reader.entry(for: digest(30_000)) == nil)
        for start in stride(from: 1_000, to: 40_000, by: 1_000) {
            try store.commit((start..<start + 1_000).map { .ledger(Self.settled($0)) })
        }
        #expect(try reader.entry(for: digest(30_000)) == Self.settled(30_000))
        #expect(try reader.countEntries() == [.created: 40_000])
    }
}
