// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

extension SyncRunner {
    /// Counts the rows of a chunk, and begins what is to be done about each.
    ///
    /// - Throws: ``RunStop`` `state`.
    func take(
        _ chunk: DecidedChunk, _ ledger: RunLedger, _ delivery: Delivery, _ lost: LostRows,
        _ tracker: inout WatermarkTracker
    ) throws(RunStop) {
        ledger.countFetched(chunk.quiet.unchanged)
        ledger.count(.unchanged, chunk.quiet.unchanged)
        ledger.countReread(chunk.quiet.reread)
        if let cursor = chunk.quiet.largestCursor { tracker.see(cursor) }
        guard !chunk.rows.isEmpty else { return }
        let box = ChunkBox(chunk)
        for place in chunk.rows.indices {
            // Most rows; no more of them is looked at here.
            if sync.cursorIndex == nil, chunk.rows[place].fate.isSent, chunk.rows[place].conflicts.isEmpty {
                ledger.countFetched()
                delivery.add(Delivery.Item(place, of: box))
                continue
            }
            let row = chunk.rows[place]
            if case .reread = row.fate {
                ledger.countReread()
                tracker.see(row.cursor)
                continue
            }
            ledger.countFetched()
            if sync.cursorIndex != nil {
                if KeyOrder.isMissing(row.cursor) { ledger.countNullKey() } else { tracker.see(row.cursor) }
            }
            if !row.conflicts.isEmpty { note(row, ledger) }
            switch row.fate {
            case .reread: break
            case .recovered(let outcome):
                ledger.countRecovered(outcome)
                if outcome == .rejected, let kept = try countKeptReject(row), !KeyOrder.isMissing(row.cursor),
                    kept == PlanMatch.gone || kept == Delivery.gone
                {
                    tracker.leave(from: row.cursor)
                }
            case .rejected(let reason):
                if PlanMatch.isGone(reason), !KeyOrder.isMissing(row.cursor) { tracker.leave(from: row.cursor) }
                rejectsByCode[reason.code, default: 0] += 1
                observe(.rejected(row: row.number, keyText: row.keyText, reason))
                // Its twin may not be read again with it: it must not go by itself then.
                let isTwin = reason.code == RunTargets.duplicateTarget && sync.cursorIndex != nil
                try ledger.reject(row, reason, chunk, isSent: isTwin)
            case .skipped: try ledger.close(row, .skipped, remoteID: nil)
            case .dropped: ledger.count(.skipped)
            case .unchanged(let id, let isKnown):
                if isKnown {
                    ledger.count(.unchanged)
                } else {
                    try ledger.images?.close(Delivery.Item(place, of: box), .unchanged, remoteID: id)
                    try ledger.close(row, .unchanged, remoteID: id)
                }
            case .maybeCreated: try lost.recover(Delivery.Item(place, of: box))
            case .create, .update: delivery.add(Delivery.Item(place, of: box))
            case .undecided: preconditionFailure("a run asks what it has to know")
            }
        }
    }

    /// Lets rows be sent while records are looked at, and records be looked at again before their rows are.
    func bind(_ pipeline: any DecidedRows, _ delivery: Delivery, _ ledger: RunLedger) {
        pipeline.keepUp = { () throws(RunStop) in try delivery.keepUp() }
        delivery.secondLook = pipeline.secondLook
        delivery.noteHeld = { [unowned self] row, found in note(found, row, ledger) }
    }

    /// What keeps records that the run reads; only updates read any.
    ///
    /// - Throws: ``RunStop`` `state`.
    func recordKeeper() throws(RunStop) -> RecordKeeper? {
        guard sync.definition.insert.mode == .update, let place = options.records else { return nil }
        do {
            return RecordKeeper(place, after: try RecordsCache.run(store))
        } catch {
            throw .state(error)
        }
    }

    /// Makes the records that were kept the last ones, now that it is written down how the run ended.
    func finishRecords() {
        guard let keeper else { return }
        // Where the runs cannot be looked through, nobody can tell later either what the records are worth.
        keeper.finish(try? RecordsCache.run(store))
    }

    /// Tells of the fields of a row that guards hold back; those of a row that is a reject after all are none.
    private func note(_ row: DecidedRow, _ ledger: RunLedger) {
        switch row.fate {
        case .update, .unchanged: note(row.conflicts, row, ledger)
        default: return
        }
    }

    /// Tells of fields of a row that guards hold back.
    func note(_ found: [RecordComparison.Conflict], _ row: DecidedRow, _ ledger: RunLedger) {
        ledger.countConflicts(found.count)
        let held = found.map { HeldField($0, row, sync) }
        conflicts += held.prefix(max(0, Self.conflictsMax - conflicts.count))
        observe(.held(held))
    }

    /// Counts the code of a reject that an earlier attempt of this run has stored.
    ///
    /// - Returns: The reject's code and what it is about, as ``PlanMatch/gone`` has them.
    private func countKeptReject(_ row: DecidedRow) throws(RunStop) -> PlanMatch.Kept? {
        do {
            guard let reject = try store.reject(for: row.key) else { return nil }
            rejectsByCode[reject.code, default: 0] += 1
            return PlanMatch.Kept(code: reject.code, stage: reject.stage)
        } catch {
            throw .state(error)
        }
    }
}
