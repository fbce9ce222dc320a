// SPDX-License-Identifier: Apache-2.0

import Dispatch
import PenstockEngine
import PenstockModel
import PenstockState

/// Writes down what becomes of the rows of one run, and counts them.
///
/// Outcomes are gathered and go to disk together: a lost outcome is found out again, a lost intent would not be.
/// ``intend(key:keyText:payload:)`` may be called from any thread; the rest from the thread of the run.
final class RunLedger: Sendable {
    private let store: StateStore
    private let run: RunRecord
    private let definitionDigest: Fingerprint
    // These four are used from the thread of the run only; see the type's contract.
    private nonisolated(unsafe) var changes: [StateChange] = []
    private nonisolated(unsafe) var flushedAt = DispatchTime.now()
    private nonisolated(unsafe) var countsNow = RunCounts()
    private nonisolated(unsafe) var unknownNow: Set<Fingerprint> = []  // As above.

    private static let changesMax = 1_000
    private static let delayMilliseconds: UInt64 = 200

    /// A ledger for one run.
    init(_ store: StateStore, _ run: RunRecord, definitionDigest: Fingerprint) {
        self.store = store
        self.run = run
        self.definitionDigest = definitionDigest
    }

    /// What became of the rows so far.
    var counts: RunCounts { countsNow }

    /// Counts a row that is fetched, whatever becomes of it.
    func countFetched() { countsNow.fetched += 1 }

    /// Counts a row that an earlier run settled.
    func countReread() { countsNow.reread += 1 }

    /// Counts a row that an interrupted attempt of this run settled.
    func countRecovered(_ outcome: RowOutcome) {
        countsNow.recovered += 1
        countsNow.add(outcome)
    }

    /// Counts a row that may have been created, and of which no more is known now.
    func countUnknown(_ key: Fingerprint) {
        countsNow.add(.unknown)
        unknownNow.insert(key)
    }

    /// The rows that are unknown now.
    var unknownKeys: Set<Fingerprint> { unknownNow }

    /// Writes down what is known of a create whose row is gone from the source.
    ///
    /// - Throws: ``RunStop`` `state`.
    func closeVanished(_ entry: LedgerEntry, _ verdict: UnknownCreates.Verdict) throws(RunStop) {
        guard case .absent = verdict else {
            countsNow.fetched += 1
            return countUnknown(entry.key)
        }
        var entry = entry
        entry.outcome = .skipped
        entry.intent = nil
        changes.append(.ledger(entry))
        try flushIfFull()
    }

    /// Takes note that a row which is about to be closed was sent by an interrupted attempt.
    func noteRecovered() { countsNow.recovered += 1 }

    /// Counts a row with a NULL in the Incremental Key.
    func countNullKey() { countsNow.nullKeys += 1 }

    /// Counts a row whose outcome needs no writing down.
    func count(_ outcome: RowOutcome) { countsNow.add(outcome) }

    /// Makes the intent to create a record durable.
    ///
    /// Returns when it is on disk.
    ///
    /// - Throws: ``StateError``; the row must then not be sent.
    func intend(key: Fingerprint, keyText: String, payload: Fingerprint) throws(StateError) {
        try store.commit([
            .intent(
                key: key, keyText: keyText, run: run.number, payload: payload,
                startedAtMilliseconds: WallClock.milliseconds)
        ])
    }

    /// Writes down how a row ended, other than as a reject.
    ///
    /// - Parameter remoteID: The record, where one is known.
    /// - Throws: ``RunStop`` `state`.
    func close(_ row: DecidedRow, _ outcome: RowOutcome, remoteID: String?) throws(RunStop) {
        countsNow.add(outcome)
        if outcome == .unknown { unknownNow.insert(row.key) }
        let isSettled = outcome.isSettled
        changes.append(
            .ledger(
                LedgerEntry(
                    key: row.key, keyText: row.keyText, remoteID: remoteID ?? row.known?.remoteID,
                    payload: isSettled ? row.payload : row.known?.payload,
                    source: isSettled ? row.source : row.known?.source,
                    cursor: isSettled ? row.cursorText : row.known?.cursor, run: run.number,
                    outcome: LedgerEntry.Outcome(outcome),
                    intent: outcome == .unknown
                        ? LedgerEntry.Intent(
                            payload: row.payload ?? row.source, startedAtMilliseconds: WallClock.milliseconds)
                        : nil)))
        if isSettled { changes.append(.rejectCleared(row.key)) }
        if outcome == .created, let remoteID { changes.append(.created(remoteID: remoteID)) }
        try flushIfFull()
    }

    /// Writes down that a row is a reject, with the row itself.
    ///
    /// - Parameter isSent: Whether it was the destination that refused it; it then goes again only when it changes.
    /// - Throws: ``RunStop`` `state`.
    func reject(
        _ row: DecidedRow, _ reason: RejectReason, _ chunk: DecidedChunk, isSent: Bool
    ) throws(RunStop) {
        countsNow.add(.rejected)
        let now = WallClock.milliseconds
        changes.append(
            .reject(
                RejectRecord(
                    key: row.key, keyText: row.keyText, run: run.number, row: row.number, stage: reason.stage,
                    code: reason.code, field: reason.field, value: reason.value, message: reason.message,
                    record: SourceRowText.json(chunk.source, row.row).text, remoteID: reason.remoteID,
                    httpStatus: reason.httpStatus, isSettled: true, firstSeenMilliseconds: now,
                    lastSeenMilliseconds: now)))
        let keepsRefusal = isSent || (row.known?.outcome == .settled(.rejected) && row.known?.payload == refusal(row))
        changes.append(
            .ledger(
                LedgerEntry(
                    key: row.key, keyText: row.keyText, remoteID: row.known?.remoteID,
                    payload: keepsRefusal ? refusal(row) : nil, source: row.source, cursor: row.cursorText,
                    run: run.number, outcome: .rejected)))
        try flushIfFull()
    }

    private func refusal(_ row: DecidedRow) -> Fingerprint? {
        row.payload.map { $0.refused(under: definitionDigest) }
    }

    /// Writes what was gathered, if it has waited long enough.
    func flushIfDue() throws(RunStop) {
        let waited = DispatchTime.now().uptimeNanoseconds - flushedAt.uptimeNanoseconds
        if waited > Self.delayMilliseconds * 1_000_000 { try flush() }
    }

    private func flushIfFull() throws(RunStop) {
        if changes.count >= Self.changesMax { try flush() }
    }

    /// Writes everything that was gathered, with `last` in the same transaction.
    ///
    /// - Throws: ``RunStop`` `state`; nothing of it was written.
    func flush(with last: [StateChange] = []) throws(RunStop) {
        flushedAt = DispatchTime.now()
        guard !changes.isEmpty || !last.isEmpty else { return }
        do {
            try store.commit(changes + last)
        } catch {
            throw .state(error)
        }
        changes = []
    }
}

extension Fingerprint {
    /// What stands in the ledger for a payload that the destination refused: it changes with the payload, and with
    /// the mapping and the fields that were in force.
    func refused(under definition: Fingerprint) -> Fingerprint {
        var hasher = FingerprintHasher()
        hasher.combine(low)
        hasher.combine(high)
        hasher.combine(definition.low)
        hasher.combine(definition.high)
        return hasher.finish()
    }
}

extension LedgerEntry.Outcome {
    /// The stored form of an outcome.
    init(_ outcome: RowOutcome) {
        self =
            switch outcome {
            case .created: .created
            case .updated: .updated
            case .unchanged: .unchanged
            case .skipped: .skipped
            case .rejected: .rejected
            case .unknown: .unknown
            case .notTried: .notTried
            }
    }
}
