// SPDX-License-Identifier: Apache-2.0

import Dispatch
import PenstockEngine
import PenstockModel
import PenstockState

/// Writes down what becomes of the rows of one run, and counts them.
///
/// Outcomes are gathered and go to disk with the next intents, or after a while: a lost outcome is found out again, a
/// lost intent would not be. ``intend(_:)`` may be called from any thread; the rest from the thread of the run.
final class RunLedger: Sendable {
    private let store: StateStore
    private let run: RunRecord
    private let definitionDigest: Fingerprint
    /// Keeps what it takes to undo the run, or nil where nothing is kept.
    let images: RunImages?
    private let changes: ChangeQueue
    /// Knows what the run writes; nil where no records are kept.
    ///
    /// Used from the thread of the run only; see the type's contract.
    nonisolated(unsafe) let keeper: RecordKeeper?
    // These are used from the thread of the run only; see the type's contract.
    private nonisolated(unsafe) var flushedAt = DispatchTime.now()
    private nonisolated(unsafe) var countsNow = RunCounts()

    private static let delayMilliseconds: UInt64 = 200

    /// A ledger for one run.
    init(
        _ store: StateStore, _ run: RunRecord, definitionDigest: Fingerprint, images: RunImages? = nil,
        keeper: RecordKeeper? = nil
    ) {
        self.images = images
        self.keeper = keeper
        self.store = store
        self.run = run
        self.definitionDigest = definitionDigest
        changes = ChangeQueue { changes throws(StateError) in
            // What the ledger knows to be done must not be missing there.
            try images?.flush()
            try store.commit(changes)
        }
    }

    /// The number of the run.
    var runNumber: Int64 { run.number }

    /// The id of the run.
    var runID: String { run.id }

    /// What became of the rows so far.
    var counts: RunCounts { countsNow }

    /// Counts a row that is fetched, whatever becomes of it.
    func countFetched(_ rows: Int64 = 1) { countsNow.fetched += rows }

    /// Counts a row that an earlier run settled.
    func countReread(_ rows: Int64 = 1) { countsNow.reread += rows }

    /// Counts a row that an interrupted attempt of this run settled.
    func countRecovered(_ outcome: RowOutcome) {
        countsNow.recovered += 1
        countsNow.add(outcome)
    }

    /// Takes note of a create whose answer was lost; it is counted once it is settled, or stays unknown.
    ///
    /// - Throws: ``RunStop`` `state`.
    func noteLost(_ row: DecidedRow) throws(RunStop) {
        try add([
            .lost(key: row.key, keyText: row.keyText, run: run.number, payload: row.payload ?? row.source ?? row.key)
        ])
    }

    /// Settles a create whose answer was lost and whose row the run does not meet.
    ///
    /// Where there is no record nothing has become of the row: should it come once more, it is sent as if it never was.
    ///
    /// - Parameter remoteID: Its record, or nil where there is none.
    /// - Throws: ``RunStop`` `state`.
    func closeVanished(_ entry: LedgerEntry, remoteID: String?) throws(RunStop) {
        var entry = entry
        guard let remoteID else {
            guard let outcome = entry.outcome.abandoned(hasRecord: entry.remoteID != nil) else {
                return try add([.forgotten(entry.key)])
            }
            // An earlier version of the row has a record.
            (entry.outcome, entry.intent, entry.cursor, entry.run) = (outcome, nil, nil, 0)
            return try add([.ledger(entry)])
        }
        entry.outcome = .created
        entry.remoteID = remoteID
        entry.payload = entry.intent?.payload
        entry.intent = nil
        keeper?.noteCreated(remoteID)
        countsNow.fetched += 1
        countRecovered(.created)
        try add([.ledger(entry), .created(remoteID: remoteID)])
    }

    /// Takes note that a row which is about to be closed was sent by an interrupted attempt.
    func noteRecovered() { countsNow.recovered += 1 }

    /// Counts a row with a NULL in the Incremental Key.
    func countNullKey() { countsNow.nullKeys += 1 }

    /// Counts fields that guards hold back.
    func countConflicts(_ fields: Int) { countsNow.conflicts += Int64(fields) }

    /// Takes note of how many records stand for rows that the source no longer has.
    func noteRemoved(_ rows: Int64) { countsNow.removed = rows }

    /// Counts a row whose outcome needs no writing down.
    func count(_ outcome: RowOutcome, _ rows: Int64 = 1) { countsNow.add(outcome, rows) }

    /// Makes intents to create records durable, and whatever outcomes have been gathered with them.
    ///
    /// Any thread; returns when it is on disk.
    ///
    /// - Throws: ``StateError``; the rows must then not be sent.
    func intend(_ rows: [LedgerEntry]) throws(StateError) { try changes.commit(rows.map { .intent($0) }) }

    /// A row that has ended, other than as a reject.
    struct Closed {
        let item: Delivery.Item
        let outcome: RowOutcome
        /// The record, where one is known.
        let remoteID: String?
    }

    /// Writes down how a row ended, other than as a reject.
    ///
    /// - Parameter remoteID: The record, where one is known.
    /// - Throws: ``RunStop`` `state`.
    func close(_ row: DecidedRow, _ outcome: RowOutcome, remoteID: String?) throws(RunStop) {
        count(outcome)
        noteCreated(outcome, remoteID)
        try add { end([row], 0, outcome, remoteID, &$0) }
    }

    /// Writes down how rows ended, in their order, and empties the list.
    ///
    /// - Throws: ``RunStop`` `state`.
    func close(_ closed: inout [Closed]) throws(RunStop) {
        guard !closed.isEmpty else { return }
        for one in closed {
            count(one.outcome)
            noteCreated(one.outcome, one.remoteID)
        }
        try add { changes in
            for one in closed { end(one.item.chunk.chunk.rows, one.item.place, one.outcome, one.remoteID, &changes) }
        }
        closed.removeAll(keepingCapacity: true)
    }

    private func noteCreated(_ outcome: RowOutcome, _ remoteID: String?) {
        if outcome == .created, let remoteID { keeper?.noteCreated(remoteID) }
    }

    /// - Parameter place: The row's among `rows`, which are not copied for what is read of one.
    private func end(
        _ rows: [DecidedRow], _ place: Int, _ outcome: RowOutcome, _ remoteID: String?, _ changes: inout [StateChange]
    ) {
        let isSettled = outcome.isSettled
        let known = rows[place].known
        let entry = LedgerEntry(
            key: rows[place].key, keyText: rows[place].keyText, remoteID: remoteID ?? known?.remoteID,
            payload: isSettled ? rows[place].accepted : known?.payload,
            source: isSettled ? rows[place].source : known?.source,
            cursor: isSettled ? rows[place].cursorText : known?.cursor, run: run.number,
            outcome: LedgerEntry.Outcome(outcome))
        guard isSettled else { return changes.append(.ledger(entry)) }
        // Of a create that names no record, the one that was known before is none that the sync has made.
        guard outcome != .created || remoteID != nil else {
            return changes += [.ledger(entry), .rejectCleared(entry.key)]
        }
        changes.append(.settled(entry))
    }

    /// Remembers a record that was created for an earlier version of a row, which goes on from there.
    ///
    /// - Throws: ``RunStop`` `state`.
    func noteRecord(_ row: DecidedRow, remoteID: String) throws(RunStop) {
        keeper?.noteCreated(remoteID)
        try add([
            .ledger(
                LedgerEntry(
                    key: row.key, keyText: row.keyText, remoteID: remoteID, payload: nil, source: nil,
                    cursor: row.known?.cursor, run: run.number, outcome: .notTried)),
            .created(remoteID: remoteID),
        ])
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
        var made: [StateChange] = [
            .reject(
                RejectRecord(
                    key: row.key, keyText: row.keyText, run: run.number, row: row.number, stage: reason.stage,
                    code: reason.code, field: reason.field, value: reason.value, message: reason.message,
                    record: SourceRowText.json(chunk.source, row.row).text, remoteID: reason.remoteID,
                    httpStatus: reason.httpStatus, isSettled: true, firstSeenMilliseconds: now,
                    lastSeenMilliseconds: now))
        ]
        let keepsRefusal = isSent || (row.known?.outcome == .settled(.rejected) && row.known?.payload == refusal(row))
        made.append(
            .ledger(
                LedgerEntry(
                    key: row.key, keyText: row.keyText, remoteID: row.known?.remoteID,
                    payload: keepsRefusal ? refusal(row) : nil, source: row.source, cursor: row.cursorText,
                    run: run.number, outcome: .rejected)))
        try add(made)
    }

    private func refusal(_ row: DecidedRow) -> Fingerprint? {
        row.payload.map { $0.refused(under: definitionDigest) }
    }

    /// Begins to write what was gathered, if it has waited long enough.
    ///
    /// - Throws: ``RunStop`` `state`, of what was to be written before.
    func flushIfDue() throws(RunStop) {
        let waited = DispatchTime.now().uptimeNanoseconds - flushedAt.uptimeNanoseconds
        guard waited > Self.delayMilliseconds * 1_000_000 else { return }
        flushedAt = DispatchTime.now()
        do {
            try changes.handOver()
        } catch {
            throw .state(error)
        }
    }

    /// Says why results could not be written, as soon as that is known: nothing more is to be sent then.
    ///
    /// - Throws: ``RunStop`` `state`.
    func check() throws(RunStop) {
        do {
            try changes.check()
        } catch {
            throw .state(error)
        }
    }

    /// In how many milliseconds ``flushIfDue()`` writes what was gathered; nil where there is nothing.
    var dueInMilliseconds: Int64? {
        guard !changes.isEmpty else { return nil }
        let waited = (DispatchTime.now().uptimeNanoseconds - flushedAt.uptimeNanoseconds) / 1_000_000
        return max(1, Int64(Self.delayMilliseconds) + 1 - Int64(min(waited, Self.delayMilliseconds)))
    }

    private func add(_ made: [StateChange]) throws(RunStop) { try add { $0 += made } }

    private func add(_ make: (inout [StateChange]) -> Void) throws(RunStop) {
        do {
            try changes.add(make)
        } catch {
            throw .state(error)
        }
    }

    /// Writes everything that was gathered, with `last` in the same transaction.
    ///
    /// - Throws: ``RunStop`` `state`; nothing of it was written.
    func flush(with last: [StateChange] = []) throws(RunStop) {
        flushedAt = DispatchTime.now()
        do {
            try changes.commit(last)
        } catch {
            throw .state(error)
        }
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
