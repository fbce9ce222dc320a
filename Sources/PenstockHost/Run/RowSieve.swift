// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// Tells the rows of a batch that something is to be done about from those that need nothing.
///
/// Most rows of most runs are as they were. Such a row is known by two digests, that of its key and that of what would
/// be sent; it is counted, and nothing else is made of it. Used from one thread.
final class RowSieve {
    /// A row that is looked at.
    struct Candidate {
        /// Its place in the batch.
        let row: Int
        /// Its position in the run.
        let number: Int64
        /// By what it is known.
        let kind: SourceKeys.Kind
        /// The digest of that.
        let digest: Fingerprint
        /// What the ledger says of the digest.
        let match: LedgerMatch
        /// How often its like came before.
        var before = 0
    }

    private let sync: OpenSync
    private let ledger: StateStore?
    private let runNumber: Int64
    private let abandoned: Int64?
    private let fetchStart: FetchStart
    private let keys: SourceKeys
    private let decider: RowDecider
    private let findsQuiet: Bool
    private let keepsTargets: Bool
    /// Whether a row without an Incremental Key is a reject.
    private let needsCursor: Bool
    private let matcher: LedgerMatcher
    private var number: Int64 = 0

    /// Whether rows that become a record each, whatever else they say, are counted, and nothing else is made of them.
    var countsCreates = false

    /// The least Incremental Key of a row that came a second time after a cut, and that the next run must meet again.
    private(set) var postponedFrom: Value?

    /// A sieve that has seen no row.
    ///
    /// - Parameters:
    ///   - abandoned: The number of the run that is given up first, or nil: its open rows are seen as they are then.
    ///   - findsQuiet: Whether rows that need nothing are kept apart; else every row is one that is decided about.
    ///   - keepsTargets: Whether it matters which record such a row goes to.
    /// - Throws: ``StateError``.
    init(
        _ sync: OpenSync, ledger: StateStore?, runNumber: Int64, abandoned: Int64?, fetchStart: FetchStart,
        decider: RowDecider, findsQuiet: Bool, keepsTargets: Bool, scratchFolder: String
    ) throws(StateError) {
        self.sync = sync
        self.ledger = ledger
        self.runNumber = runNumber
        self.abandoned = abandoned
        self.fetchStart = fetchStart
        self.decider = decider
        self.findsQuiet = findsQuiet && decider.findsQuiet
        self.keepsTargets = keepsTargets
        needsCursor = sync.definition.fetch.key != nil && sync.definition.fetch.nullKey == .reject
        matcher = try LedgerMatcher(ledger, scratchFolder: scratchFolder)
        keys = SourceKeys(
            sync.readSchema, names: sync.keyColumns, insert: sync.definition.insert,
            // With an Incremental Key a row that changes while the read is cut may come once more.
            isUnique: sync.isKeyUnique && sync.cursorIndex == nil,
            seen: SeenKeys(folder: scratchFolder))
    }

    /// The rows of a batch that are part of the fetch: those that need something, with their identity and what is wrong
    /// with them, if anything; and how many of the others there are.
    ///
    /// - Parameter isContinued: Whether the read was cut and went on, so that a row may come a second time.
    /// - Throws: ``StateError``.
    func chunk(_ read: SourceBatch, _ mapped: MappedBatch, isContinued: Bool) throws(StateError) -> DecidedChunk {
        var chunk = DecidedChunk(source: read.batch, mapped: mapped, rows: [])
        let broken = Set(read.rejects.map(\.row))
        let rows = wanted(read.batch, broken)
        let found = keys.found(rows, of: read.batch, mapped)
        let matches = try matcher.match(found.digests)
        let numbers = keys.numbers(of: read.batch)
        let quiet = QuietTest(mapped, cursor: sync.cursorIndex.map { read.batch.columns[$0] })
        var candidates: [Candidate] = []
        for place in rows.indices {
            let row = rows[place]
            let kind = found.kind(place)
            number += 1
            let match = matches[place]
            let isQuiet =
                findsQuiet && match.isAccepted && match.isKnown && !match.wasMatchedBefore && match.run != runNumber
                && kind != .none && (broken.isEmpty || !broken.contains(row))
            if isQuiet, let decision = quiet.decision(row, match, matcher, decider) {
                note(decision, &chunk.quiet)
                if kind == .content {
                    _ = try keys.count(found.digests[place], kind, match, nil) { found.digests[place] }
                }
                if keepsTargets, case .unchanged = decision {
                    chunk.quietCandidates.append(
                        Candidate(
                            row: row, number: number, kind: kind, digest: found.digests[place], match: match))
                }
                continue
            }
            let before = try keys.count(found.digests[place], kind, match, numbers?[row]) {
                keys.contents(read.batch, [row])[0]
            }
            if before == 0, countsCreates, kind != .none, match.run != runNumber, quiet.isCreated(row, match, decider),
                broken.isEmpty || !broken.contains(row)
            {
                chunk.quiet.created += 1
                continue
            }
            if before > 0, kind == .key, keys.hasColumns, isContinued, postpone(read.batch, row) { continue }
            if candidates.isEmpty { candidates.reserveCapacity(rows.count - place) }
            candidates.append(
                Candidate(
                    row: row, number: number, kind: kind, digest: found.digests[place], match: match, before: before))
        }
        chunk.rows = try self.rows(candidates, read, mapped)
        return chunk
    }

    /// The rows that are part of the fetch.
    private func wanted(_ batch: RecordBatch, _ broken: Set<Int>) -> [Int] {
        guard let index = sync.cursorIndex, fetchStart.lowerBound != nil else { return Array(0..<batch.rowCount) }
        let column = batch.columns[index]
        return (0..<batch.rowCount).filter { broken.contains($0) || fetchStart.includes(column.value($0)) }
    }

    private func note(_ decision: QuietDecision, _ quiet: inout QuietRows) {
        switch decision {
        case .unchanged: quiet.unchanged += 1
        case .reread(let cursor):
            quiet.reread += 1
            if quiet.largestCursor.map({ KeyOrder.compare($0, cursor) < 0 }) ?? true { quiet.largestCursor = cursor }
        }
    }

    /// Leaves a row to the next run that came a second time because it was changed while the read was cut.
    ///
    /// Its first version may be on its way, so that this one cannot be decided about yet.
    ///
    /// - Returns: False with FULL, whose reads are ordered by the key: the row is then one of two with one key.
    private func postpone(_ batch: RecordBatch, _ row: Int) -> Bool {
        guard let index = sync.cursorIndex else { return false }
        let cursor = batch.value(row, index)
        guard !KeyOrder.isMissing(cursor) else { return false }
        if postponedFrom.map({ KeyOrder.compare(cursor, $0) < 0 }) ?? true { postponedFrom = cursor }
        return true
    }

    // MARK: Rows that are decided about

    /// The rows, with their identity, what is wrong with them, and what the ledger says of them.
    ///
    /// - Parameter isLatest: Whether no other batch was held against the ledger since; else it is asked again.
    /// - Throws: ``StateError``.
    func rows(
        _ candidates: [Candidate], _ read: SourceBatch, _ mapped: MappedBatch, isLatest: Bool = true
    ) throws(StateError) -> [DecidedRow] {
        guard !candidates.isEmpty else { return [] }
        var faults: [Int: RejectReason] = [:]
        for rejected in mapped.rejects { faults[rejected.row] = RejectReason(rejected.reject) }
        var broken: Set<Int> = []
        for reject in read.rejects {
            faults[reject.row] = RejectReason(reject)
            broken.insert(reject.row)
        }
        let contents = contents(of: candidates, read.batch)
        var rows: [DecidedRow] = []
        rows.reserveCapacity(candidates.count)
        var others: [Int] = []
        for (place, candidate) in candidates.enumerated() {
            let row = candidate.row
            let cursor = sync.cursorIndex.map { read.batch.value(row, $0) } ?? .null
            var made = DecidedRow(
                number: candidate.number, row: row, key: candidate.digest, keyText: "", cursor: cursor,
                cursorText: KeyText.text(of: cursor), source: contents[place],
                payload: mapped.isRejected(row) ? nil : mapped.payloads[row], known: nil, fate: .create)
            if candidate.kind == .key, candidate.before == 0, keys.hasColumns {
                made.keyText = keys.keyText(read.batch, row)
                if !faults.isEmpty, let fault = faults[row] { made.fate = .rejected(fault) }
            } else {
                let identity = keys.identity(
                    read.batch, row, mapped, candidate.kind, candidate.digest, before: candidate.before,
                    content: contents[place] ?? candidate.digest, number: candidate.number)
                made.key = identity.key
                made.keyText = identity.text
                let fault = broken.contains(row) ? faults[row] : identity.fault ?? faults[row]
                if let fault { made.fate = .rejected(fault) }
            }
            if needsCursor, case .create = made.fate, KeyOrder.isMissing(cursor) {
                made.fate = .rejected(missingCursor)
            }
            if made.key != candidate.digest || !isLatest {
                others.append(place)
            } else if candidate.match.isKnown {
                made.known = KnownRow(candidate.match, matcher, runNumber: runNumber, abandoned: abandoned)
            }
            rows.append(made)
        }
        try know(others, &rows)
        return rows
    }

    /// The digests of whole rows, where something asks for them.
    private func contents(of candidates: [Candidate], _ batch: RecordBatch) -> [Fingerprint?] {
        if sync.cursorIndex != nil || !keys.hasColumns {
            return keys.contents(batch, candidates.map(\.row))
        }
        return candidates.map { candidate in
            let isNamedByContent = candidate.kind != .key || candidate.before > 0
            return isNamedByContent ? keys.contents(batch, [candidate.row])[0] : nil
        }
    }

    /// The records of rows that need nothing.
    func targets(_ candidates: [Candidate]) -> [RunTargets.Quiet] {
        candidates.map { candidate in
            let number = candidate.match.remoteNumber
            return RunTargets.Quiet(
                number: candidate.number,
                target: number > 0 ? .number(number) : .init(id: matcher.remoteID(of: candidate.match) ?? ""))
        }
    }

    /// How many rows with a record were not met; of a read that has met all rows with a source key.
    ///
    /// - Throws: ``StateError``.
    func removedCount() throws(StateError) -> Int64? {
        guard keys.hasColumns else { return nil }
        do {
            return try matcher.removedCount
        } catch let error as StateError {
            throw error
        } catch {
            throw .internal("The removed rows could not be counted: \(error)")
        }
    }

    /// Visits those rows in the order of the ledger, until `body` returns false.
    ///
    /// - Throws: ``StateError``.
    func forEachRemoved(_ body: (LedgerEntry) -> Bool) throws(StateError) {
        struct Enough: Error {}
        do {
            try matcher.forEachRemoved { if !body($0) { throw Enough() } }
        } catch let error as StateError {
            throw error
        } catch is Enough {
            return
        } catch {
            throw .internal("The removed rows could not be visited: \(error)")
        }
    }

    /// Looks up what the ledger says of rows that are known by another digest than the one that was matched.
    private func know(_ places: [Int], _ rows: inout [DecidedRow]) throws(StateError) {
        guard let ledger, !places.isEmpty else { return }
        let entries = try ledger.entries(for: places.map { rows[$0].key })
        for place in places {
            rows[place].known = entries[rows[place].key].flatMap {
                KnownRow($0, runNumber: runNumber, abandoned: abandoned)
            }
        }
    }

    private var missingCursor: RejectReason {
        RejectReason(
            stage: "key", code: "fetch-key-null", field: sync.definition.fetch.key ?? "",
            message: "The Incremental Key is NULL, so the row can never be past a watermark; see fetch.null_key.")
    }
}

/// What makes a row of one batch quiet.
private struct QuietTest {
    private let payloads: [Fingerprint]
    private let isRejected: [Bool]
    private let mapped: MappedBatch
    /// The number of the record that each row names, or 0; empty where rows name none.
    private let ids: [UInt64]
    private let cursor: Column?

    init(_ mapped: MappedBatch, cursor: Column?) {
        self.mapped = mapped
        self.cursor = cursor
        payloads = mapped.payloads
        isRejected = mapped.rejectedRows
        ids = mapped.idNumbers()
    }

    func decision(
        _ row: Int, _ match: LedgerMatch, _ matcher: LedgerMatcher, _ decider: RowDecider
    ) -> QuietDecision? {
        guard !isRejected[row] else { return nil }
        let isSame = match.payload == payloads[row]
        guard let cursor else {
            guard isSame, !match.hasCursor, match.hasRemoteID, hasSameRecord(row, match, matcher) else { return nil }
            return decider.quiet(hasSamePayload: true, cursor: nil)
        }
        guard match.hasCursor, isSame || decider.isAppend else { return nil }
        let value = cursor.value(row)
        guard !KeyOrder.isMissing(value), matcher.cursor(of: match) == KeyText.text(of: value) else { return nil }
        return decider.quiet(hasSamePayload: isSame, cursor: value)
    }

    /// Whether the row becomes a record, whatever else it says.
    func isCreated(_ row: Int, _ match: LedgerMatch, _ decider: RowDecider) -> Bool {
        guard !isRejected[row], match.isAccepted || !match.isKnown, decider.creates(isAccepted: match.isKnown)
        else { return false }
        // One without an Incremental Key may be at fault, and is counted by itself.
        return cursor.map { !KeyOrder.isMissing($0.value(row)) } ?? true
    }

    /// Whether the row names the record that the ledger has for it, or none.
    private func hasSameRecord(_ row: Int, _ match: LedgerMatch, _ matcher: LedgerMatcher) -> Bool {
        if ids.isEmpty { return true }
        if ids[row] > 0 { return ids[row] == match.remoteNumber }
        guard let id = mapped.idText(row) else { return true }
        return matcher.remoteID(of: match) == id
    }
}

extension KnownRow {
    /// What the ledger says of a row, as a decision of run `runNumber` sees it.
    ///
    /// - Parameters:
    ///   - matcher: Has given the match, and was asked for no others since.
    ///   - abandoned: The number of the run that is given up first, or nil.
    /// - Returns: Nil where nothing is known once that run is given up.
    init?(_ match: LedgerMatch, _ matcher: LedgerMatcher, runNumber: Int64, abandoned: Int64?) {
        var outcome = match.outcome
        if match.run == abandoned, !outcome.isSettled {
            guard let left = outcome.abandoned(hasRecord: match.hasRemoteID) else { return nil }
            outcome = left
        }
        self.init(
            outcome: Outcome(outcome), isOfThisRun: match.run == runNumber,
            remoteID: matcher.remoteID(of: match), payload: match.payload, cursor: matcher.cursor(of: match),
            source: match.source)
        isDropped = match.outcome == .dropped
    }

    /// A ledger entry, as a decision of run `runNumber` sees it.
    ///
    /// - Parameter abandoned: The number of the run that is given up first, or nil.
    /// - Returns: Nil where nothing is known once that run is given up.
    init?(_ entry: LedgerEntry, runNumber: Int64, abandoned: Int64?) {
        var outcome = entry.outcome
        if entry.run == abandoned, !outcome.isSettled {
            guard let left = outcome.abandoned(hasRecord: entry.remoteID != nil) else { return nil }
            outcome = left
        }
        self.init(
            outcome: Outcome(outcome), isOfThisRun: entry.run == runNumber, remoteID: entry.remoteID,
            payload: entry.payload, cursor: entry.cursor, source: entry.source)
        isDropped = entry.outcome == .dropped
    }
}

extension KnownRow.Outcome {
    /// An outcome in the ledger, as a decision sees it.
    fileprivate init(_ outcome: LedgerEntry.Outcome) {
        self =
            switch outcome {
            case .created: .settled(.created)
            case .updated: .settled(.updated)
            case .unchanged: .settled(.unchanged)
            case .skipped, .dropped: .settled(.skipped)
            case .rejected: .settled(.rejected)
            case .intent, .unknown: .maybeCreated
            case .retry, .notTried: .open
            }
    }
}
