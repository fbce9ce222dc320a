// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState
import Synchronization

/// Makes the intent to create a row durable when the connector asks for leave to send it.
final class IntentJournal: Sendable {
    private let ledger: RunLedger
    private let clock: ServerClock
    private let book: Mutex<IntentBook<LedgerEntry>>
    private let broken = Mutex<StateError?>(nil)

    /// The longest that a request may be on its way where a connector sets no limit, in milliseconds.
    static let timeoutMilliseconds: Int64 = 300_000

    /// Why an intent could not be stored, or nil.
    var failure: StateError? { broken.withLock { $0 } }

    /// A journal that writes into `ledger`.
    ///
    /// - Parameter groupMax: How many intents are written together at most: so many rows look sent after a crash.
    init(_ ledger: RunLedger, clock: ServerClock, groupMax: Int) {
        book = Mutex(IntentBook(groupMax: groupMax))
        self.ledger = ledger
        self.clock = clock
    }

    /// Takes note of the rows of a batch, each with an intent that lacks only its times, before it is submitted.
    func register(_ rows: [LedgerEntry], _ batch: UInt64) { book.withLock { $0.register(batch, rows) } }

    /// Takes note of results: nothing more is written for their rows.
    func close(_ batch: UInt64, _ results: [RowResult]) { book.withLock { $0.close(batch, results.map(\.row)) } }

    /// Forgets a batch all of whose rows have their results.
    func forget(_ batch: UInt64) { book.withLock { $0.forget(batch) } }

    /// Makes the intent to create a row durable, and with it those of rows that will be asked for next.
    ///
    /// Any thread; returns when it is on disk.
    ///
    /// - Throws: ``ConnectorError``: the row must not be sent.
    func intend(_ place: BatchRow, timeoutMilliseconds: Int64?) throws(ConnectorError) {
        let timeout = timeoutMilliseconds ?? Self.timeoutMilliseconds
        // The time that the disk takes is part of what the deadline allows for; where it takes longer, once more.
        while try !isWritten(place, timeout) {}
    }

    /// Writes what has to be written before a row is sent; false where that took so long that its deadline is too
    /// early.
    private func isWritten(_ place: BatchRow, _ timeout: Int64) throws(ConnectorError) -> Bool {
        let now = BootClock.milliseconds
        switch book.withLock({ $0.ask(place, now) }) {
        case .send: return true
        case .refuse:
            throw ConnectorError(.contractBreach, "The connector asked for leave to send a row that it was not given.")
        case .write(let group):
            let serverTime = clock.milliseconds
            let rows = group.map { entry in
                var row = entry.row
                row.intent?.startedAtMilliseconds = WallClock.milliseconds
                row.intent?.deadlineMilliseconds = now + IntentBook<LedgerEntry>.freshMilliseconds + timeout
                row.intent?.boot = BootClock.start
                row.intent?.serverTimeMilliseconds = serverTime
                return row
            }
            do {
                try ledger.intend(rows)
            } catch {
                broken.withLock { $0 = error }
                throw ConnectorError(
                    .broken, "The intent to create a record could not be stored.", detail: error.message)
            }
            book.withLock { $0.wrote(group.map(\.place), now) }
            return BootClock.milliseconds - now <= IntentBook<LedgerEntry>.freshMilliseconds
        }
    }
}
