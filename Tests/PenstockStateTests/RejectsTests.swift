// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockState
import Testing

@Suite struct RejectsTests {
    let folder = TemporaryFolder()

    @Test func everyFieldComesBackAsItWent() throws {
        let store = try StateStore.writing(folder)
        var record = reject(1)
        record.remoteID = "17"
        record.httpStatus = 422
        record.isSettled = false
        record.attempts = 3
        record.lastSeenMilliseconds = 900
        try store.commit([.reject(record), .reject(reject(2))])
        #expect(try store.reject(for: digest(1)) == record)
        #expect(try store.rejects(limit: 10) == [record, reject(2)])
    }

    @Test func aKeyHasOneRejectWhichKeepsWhenItWasFirstSeen() throws {
        let store = try StateStore.writing(folder)
        try store.commit([.reject(reject(1, seen: 100))])
        try store.commit([.reject(reject(1, run: 2, code: "bad-owner", seen: 300))])
        let found = try store.rejects(limit: 10)
        #expect(found.map(\.code) == ["bad-owner"])
        #expect(found.map(\.firstSeenMilliseconds) == [100])
        #expect(found.map(\.lastSeenMilliseconds) == [300])
        _ = try store.inspect()
    }

    @Test func aSuccessClearsTheReject() throws {
        let store = try StateStore.writing(folder)
        try store.commit([.reject(reject(1)), .reject(reject(2))])
        try store.commit([.ledger(entry(1)), .rejectCleared(digest(1)), .rejectCleared(digest(9))])
        #expect(try store.rejects(limit: 10) == [reject(2)])
        #expect(try store.countRejects() == 1)
    }

    @Test func aListIsFilteredAndPaged() throws {
        let store = try StateStore.writing(folder)
        let changes: [StateChange] = (1...1200).map { number in
            .reject(reject(number, run: number % 3, code: number % 2 == 0 ? "even" : "odd"))
        }
        try store.commit(changes)
        #expect(try store.rejects(code: "even", limit: 2000).count == 600)
        #expect(try store.rejects(code: "even", run: 0, limit: 2000).map(\.row) == (1...200).map { $0 * 6 })
        #expect(try store.rejects(run: 1, limit: 2, offset: 3).map(\.row) == [10, 13])
        var visited = 0
        try store.forEachReject { _ in visited += 1 }
        #expect(visited == 1200)
    }

    @Test func theSummaryCountsCodesAndShowsTheLastOfEach() throws {
        let store = try StateStore.writing(folder)
        try store.commit([
            .reject(reject(1, code: "a", seen: 5)), .reject(reject(2, code: "b", seen: 9)),
            .reject(reject(3, code: "b", seen: 7)),
        ])
        let summary = try store.rejectSummary()
        #expect(summary.map(\.code) == ["b", "a"])
        #expect(summary.map(\.count) == [2, 1])
        #expect(summary.map(\.lastSeenMilliseconds) == [9, 5])
        #expect(summary.first?.example == reject(2, code: "b", seen: 9))
    }

    @Test func onlyOldSettledRejectsAreRemovedByAge() throws {
        let store = try StateStore.writing(folder)
        var open = reject(3, seen: 1)
        open.isSettled = false
        try store.commit([.reject(reject(1, seen: 10)), .reject(reject(2, seen: 20)), .reject(open)])
        #expect(try store.removeSettledRejects(lastSeenBefore: 20) == 1)
        #expect(try store.rejects(limit: 10).map(\.row) == [2, 3])
    }
}
