// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import PenstockABI

/// Accounts whose calls may stand in an expectation.
private final class Book {
    private var accounts = ResultAccounts()

    func expect(_ id: UInt64, rows: Int) -> Bool { accounts.expect(id, rows: rows) }
    func forget(_ id: UInt64) -> Bool { accounts.forget(id) }
    func settle(_ id: UInt64, rows: [Int64]) -> [ResultAccounts.Verdict] { accounts.settle(id, rows: rows) }
    func takeMissing() -> [(batch: UInt64, rows: [Int])] { accounts.takeMissing() }
}

@Suite struct ResultAccountsTests {
    @Test func everyRowCountsOnce() {
        let accounts = Book()
        #expect(accounts.expect(7, rows: 70))
        #expect(accounts.settle(7, rows: [0, 69, 0, 70, -1]) == [.counts, .counts, .repeated, .stray, .stray])
        #expect(accounts.settle(8, rows: [0]) == [.stray])
        #expect(accounts.takeMissing().map(\.rows) == [Array(1..<69)])
        #expect(accounts.settle(7, rows: [1]) == [.stray])
    }

    @Test func aBatchWithAllItsResultsIsStillKnown() {
        let accounts = Book()
        for id: UInt64 in [1, 2, 5] { #expect(accounts.expect(id, rows: id == 2 ? 1 : 3)) }
        #expect(accounts.settle(1, rows: [2, 0]) == [.counts, .counts])
        #expect(accounts.settle(1, rows: [1, 1]) == [.counts, .repeated])
        #expect(accounts.settle(2, rows: [0]) == [.counts])
        #expect(accounts.settle(1, rows: [2, 3]) == [.repeated, .stray])
        #expect(accounts.settle(2, rows: [0, 1]) == [.repeated, .stray])
        #expect(accounts.settle(3, rows: [0]) == [.stray])
        #expect(!accounts.expect(1, rows: 3))
        #expect(!accounts.expect(2, rows: 3))
        #expect(accounts.expect(3, rows: 3))
        #expect(accounts.takeMissing().map(\.batch) == [3, 5])
    }

    @Test func aBatchThatWasNotTakenOverMayComeAgain() {
        let accounts = Book()
        #expect(accounts.expect(1, rows: 2))
        #expect(accounts.forget(1))
        #expect(accounts.expect(1, rows: 2))
        #expect(accounts.settle(1, rows: [1]) == [.counts])
        #expect(!accounts.forget(1))
        #expect(accounts.expect(2, rows: 1))
        #expect(accounts.settle(2, rows: [0]) == [.counts])
        #expect(!accounts.forget(2))
        #expect(accounts.expect(2, rows: 1))
    }
}
