// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockState
import Testing

@Suite struct RunsTests {
    let folder = TemporaryFolder()

    @Test func runsAreNumberedFromOneAndComeBackWhole() throws {
        let store = try StateStore.writing(folder)
        #expect(try store.lastRun() == nil)
        var first = try begin(store, "01JDAAAAAAAAAAAAAAAAAAAAAA")
        #expect(first.number == 1)
        #expect(first.status == .running)
        first.status = .finished
        first.finishedAtMilliseconds = 99
        first.counts = ["fetched": 12, "created": .max, "zeta": -1]
        first.watermarkAfter = "12.50"
        first.message = "Done."
        first.exitCode = 0
        first.attempts = 2
        try store.updateRun(first)
        #expect(try store.lastRun() == first)
        let second = try begin(store, "01JDBBBBBBBBBBBBBBBBBBBBBB")
        #expect(second.number == 2)
        #expect(try store.runs(limit: 5) == [second, first])
    }

    @Test func theNewestRunThatNeedsWorkIsFound() throws {
        let store = try StateStore.writing(folder)
        var first = try begin(store, "01JDAAAAAAAAAAAAAAAAAAAAAA")
        var second = try begin(store, "01JDBBBBBBBBBBBBBBBBBBBBBB")
        #expect(try store.unfinishedRun() == second)
        for status in [RunRecord.Status.finished, .failed, .abandoned] {
            second.status = status
            try store.updateRun(second)
            #expect(try store.unfinishedRun() == first)
        }
        first.status = .unfinished
        try store.updateRun(first)
        #expect(try store.unfinishedRun() == first)
        first.status = .abandoned
        try store.updateRun(first)
        #expect(try store.unfinishedRun() == nil)
    }

    @Test func whatNothingNeedsIsForgottenAfterItsTime() throws {
        let store = try StateStore.writing(folder)
        var runs: [RunRecord] = []
        for number in 1...9 {
            var run = try begin(store, "01JDAAAAAAAAAAAAAAAAAAAAA\(number)")
            run.startedAtMilliseconds = Int64(number) * 100
            run.status = number == 2 ? .unfinished : .finished
            try store.updateRun(run)
            runs.append(run)
        }
        try store.commit([.reject(reject(1, run: 3)), .ledger(entry(2, run: 4, outcome: .unknown))])
        // Run 2 is not done, 3 has a reject, 4 an open row, 8 and 9 are the last ones.
        let ids = [1, 5, 6].map { runs[$0 - 1].id }
        #expect(try store.expiredRuns(startedBefore: 700, keeping: 500) == ids)
        #expect(try store.expiredRuns(startedBefore: 0, keeping: 3) == ids)
        #expect(try store.expiredRuns(startedBefore: 0, keeping: 500) == [])
        #expect(try store.removeExpiredRuns(startedBefore: 10_000, keeping: 1) == ids + [runs[6].id])
        #expect(try store.runs(limit: 20).map(\.number) == [9, 8, 4, 3, 2])
        #expect(try store.removeExpiredRuns(startedBefore: 10_000, keeping: 1) == [])
    }

    @Test func rowsAreFoundByTheTextOfTheirKey() throws {
        let store = try StateStore.writing(folder)
        try store.commit([.ledger(entry(1)), .ledger(entry(2)), .reject(reject(1))])
        let text = entry(1).keyText
        let found = try store.rows(keyText: text)
        #expect(found.entries == [entry(1)])
        #expect(found.rejects.map(\.key) == (reject(1).keyText == text ? [reject(1).key] : []))
        #expect(try store.rows(keyText: "nobody").entries.isEmpty)
    }

    @Test func aRunIsFoundByTheStartOfItsID() throws {
        let store = try StateStore.writing(folder)
        let first = try begin(store, "01JD0AAAAAAAAAAAAAAAAAAAAA")
        let second = try begin(store, "01JD1AAAAAAAAAAAAAAAAAAAAA")
        #expect(try store.run(id: "01JD0") == first)
        #expect(try store.run(id: "o1jdi") == second)
        #expect(try store.run(id: second.id) == second)
        #expect(try store.run(id: "01JD2") == nil)
        #expect(try store.run(id: "") == nil)
        #expect(try store.run(id: "01JD%") == nil)
        #expect(throws: StateError.ambiguousRun("01JD")) { try store.run(id: "01JD") }
    }

    @Test func aSecondRunWithTheSameIDIsRefused() throws {
        let store = try StateStore.writing(folder)
        _ = try begin(store, "01JDAAAAAAAAAAAAAAAAAAAAAA")
        #expect(throws: StateError.self) { try begin(store, "01JDAAAAAAAAAAAAAAAAAAAAAA") }
        #expect(try store.runs(limit: 5).count == 1)
    }

    @Test func idsAreUniqueAndSortByTime() {
        let ids = (0..<1000).map { RunID.make(milliseconds: 1_700_000_000_000 + Int64($0)) }
        #expect(ids == ids.sorted())
        #expect(Set(ids).count == 1000)
        let alphabet = Set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        #expect(ids.allSatisfy { $0.count == 26 && $0.allSatisfy(alphabet.contains) })
        #expect(RunID.make(milliseconds: 0).hasPrefix("0000000000"))
        // 2^48 - 1 is the last moment there is room for.
        #expect(RunID.make(milliseconds: 0xffff_ffff_ffff).hasPrefix("7ZZZZZZZZZ"))
        #expect(RunID.make(milliseconds: 1_469_918_176_385).hasPrefix("01ARYZ6S41"))
    }

    private func begin(_ store: StateStore, _ id: String) throws -> RunRecord {
        try store.beginRun(id: id, startedAtMilliseconds: 5, definition: digest(4), watermarkBefore: "7")
    }
}
