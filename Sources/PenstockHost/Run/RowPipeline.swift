// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// Reads a source batch by batch and decides what is to be done with each row: what `plan` and `run` share.
///
/// It reads, at both ends, and writes nothing. Memory does not grow with the source.
final class RowPipeline {
    /// The rows a batch may have.
    ///
    /// A multiple of what is read back at once, so that groups are full.
    static let batchRows = 4_000
    /// The most where the record of each row is looked at before it is sent: what lies between is time to edit it in.
    private static let guardedBatchRows = GuardedRows.openMax

    let sync: OpenSync
    private let ledger: StateStore?
    private let runNumber: Int64
    private let fetchStart: FetchStart
    private let isFullRefresh: Bool
    private let sieve: RowSieve
    private let targets: RunTargets?
    private let decider: RowDecider
    let remote: RemoteLookup
    let comparison: RecordComparison
    let costs: CompareCosts
    var strategy: CompareStrategy
    var held: HeldChunks
    /// Called before each look at records, which takes as long as the other side does, so that other work goes on.
    var keepUp: (() throws(RunStop) -> Void)?
    private var linked: LinkedStates
    private let stateFolder: String
    let guards: RowGuards
    let reader: ReadAhead
    private(set) var rowLimit: RunLimit
    private let replay: Replay?
    /// Whether the record of every row that changes one is looked at behind this: in ``GuardedRows``.
    ///
    /// What would be read by id here is left to that, so that nothing is read twice. What the sync compares through the
    /// list of records is compared here all the same.
    let isGuarded: Bool
    /// Whether rows that this run has rejected stay rejects, although nothing is known that would refuse them again.
    var keepsRejects = false
    /// Whether a read to the end meets every row of the source.
    private let seesEveryRow: Bool
    /// Whether rows come again that an earlier run has settled.
    private var seesRereads: Bool { ledger != nil && !isFullRefresh && fetchStart.watermark != nil }

    /// Whether rows that become a record each, whatever else they say, are counted and not decided about one by one.
    ///
    /// For a plan that tells of no more of them; a limit counts rows one by one all the same.
    var countsCreates: Bool {
        get { sieve.countsCreates }
        set { sieve.countsCreates = newValue && !rowLimit.isLimited && replay == nil }
    }

    /// Whether no further rows come: the source was read to its end, or to a limit.
    var hasEnded: Bool { hasReadAll || rowLimit.room == 0 }
    private var hasReadAll = false

    /// Whether the source was read to its end, rather than to a limit, and every chunk was taken.
    var isExhausted: Bool { hasReadAll && held.isEmpty }

    /// Whether the run has all the rows that it may have.
    var isAtLimit: Bool { rowLimit.isReached }

    /// The least Incremental Key of a row that came a second time after a cut, and that the next run must meet again.
    var postponedFrom: Value? { sieve.postponedFrom }

    /// What the source says of open writers.
    var openWriters: OpenWriters? { reader.openWriters }

    /// How often the read went on in a new snapshot.
    var continuations: Int { reader.continuations }

    /// Starts reading.
    ///
    /// - Parameters:
    ///   - ledger: What earlier runs know, or nil where there were none.
    ///   - runNumber: The number of this run; rows of the ledger with it were settled by an interrupted attempt.
    ///   - abandoned: The number of the run that is given up before this one begins, or nil.
    ///   - limit: The most rows to take.
    ///   - replay: The rows that the run is about, or nil for all.
    ///   - images: What the sync wrote last into guarded fields, or nil where nothing is kept.
    ///   - isGuarded: Whether the record of every row that changes one is looked at behind this.
    ///   - planned: What linked syncs would do first that run with this one; for plans.
    init(
        _ sync: OpenSync, ledger: StateStore?, runNumber: Int64, abandoned: Int64? = nil, fetchStart: FetchStart,
        scratchFolder: String, limit: RunLimit, isFullRefresh: Bool, stateFolder: String, replay: Replay? = nil,
        images: BeforeImages? = nil, isGuarded: Bool = false, planned: [String: PlannedRecords] = [:]
    ) throws(RunStop) {
        guards = RowGuards(sync, images)
        self.isGuarded = isGuarded
        self.replay = replay
        self.sync = sync
        seesEveryRow = sync.definition.fetch.mode == .full && limit.room == nil && replay == nil
        self.ledger = ledger
        self.runNumber = runNumber
        self.fetchStart = fetchStart
        self.isFullRefresh = isFullRefresh
        rowLimit = limit
        decider = RowDecider(sync.definition.fetch, sync.definition.insert, isFullRefresh: isFullRefresh)
        remote = RemoteLookup(sync, scratchFolder: scratchFolder)
        comparison = RecordComparison(sync.mapping, records: remote.readSchema)
        costs = CompareCosts(sync.object.costs)
        held = HeldChunks(pageRecords: costs.pageRecords)
        strategy = CompareStrategy(costs, listCost: try Self.listCost(in: ledger))
        self.stateFolder = stateFolder
        linked = try LinkedStates(sync.mapping.links, folder: stateFolder, planned: planned)
        targets =
            sync.definition.insert.mode == .update && !sync.hasRecordPerKey
            ? RunTargets(folder: scratchFolder, field: sync.definition.insert.match) : nil
        do {
            // A limit counts rows one by one, and a replay is about few of them.
            sieve = try RowSieve(
                sync, ledger: ledger, runNumber: runNumber, abandoned: abandoned, fetchStart: fetchStart,
                decider: decider,
                findsQuiet: limit.room == nil && replay == nil, keepsTargets: targets != nil,
                scratchFolder: scratchFolder)
        } catch {
            throw .state(error)
        }
        var request = ReadRequest(sync.definition.source.target, columns: sync.readSchema.fields.map(\.name))
        let batchRows = sync.guardsFields && !isGuarded ? Self.guardedBatchRows : Self.batchRows
        request.batchRowsMax = Int(min(Int64(batchRows), max(limit.room ?? .max, 1)))
        if sync.sourceCapabilities.contains(.lowerBound) { request.lowerBound = fetchStart.lowerBound }
        request.needsOpenWriters = sync.cursorIndex != nil
        do {
            let read = try ContinuedRead(
                sync.source, request, order: sync.readOrder, host: sync.sourceHost,
                pauseMilliseconds: Self.cutPauseMilliseconds, reopen: sync.reopenSource)
            let host = sync.sourceHost
            reader = ReadAhead(
                read, folder: scratchFolder, rowsAheadMax: limit.room.map { max($0, Int64(Self.batchRows)) },
                isCancelled: { host.isCancelled })
        } catch {
            throw sync.stop(error, .source, "starting to read")
        }
    }

    /// The first pause before a read that was cut goes on; each further one is twice as long.
    private static let cutPauseMilliseconds: Int64 = 500

    /// Ends the read.
    func close() {
        reader.close()
        remote.close()
    }

    /// The next rows, decided; nil at the end.
    ///
    /// - Throws: ``RunStop``; only ``close()`` is allowed afterwards.
    func next() throws(RunStop) -> DecidedChunk? {
        while true {
            if !held.isEmpty, !held.waits { return try taken() }
            if !hasEnded, held.rowCount < Self.heldRowsMax, let read = try nextRead() {
                try hold(read)
            } else if held.isEmpty {
                return nil
            } else if held.waits {
                try lookUp()
            }
        }
    }

    /// Decides about the rows of a batch, but for those whose records have to be looked at, and holds it.
    private func hold(_ read: SourceBatch) throws(RunStop) {
        var chunk = try chunk(read)
        if replay != nil {
            let staying = chunk.rows.filter { !($0.known?.isOfThisRun ?? false) }
            let mapped = chunk.mapped
            try targets?.hold(staying) { mapped.idText($0) }
            chunk.rows.removeAll { !($0.known?.isOfThisRun ?? false) }
        }
        let open = try decide(&chunk.rows, chunk.mapped)
        limit(&chunk.rows)
        let quietTargets = sieve.targets(chunk.quietCandidates)
        // Rows that are cut off are not looked at.
        held.add(HeldChunks.Held(chunk, read, quietTargets), open.filter { $0.index < chunk.rows.count }) {
            guards.needsRecord(chunk.mapped, chunk.rows[$0].row)
        }
    }

    /// The first of the held chunks, none of whose rows waits any more.
    private func taken() throws(RunStop) -> DecidedChunk {
        var first = held.removeFirst()
        try claim(&first, isLatest: held.isEmpty)
        first.chunk.shrink()
        return first.chunk
    }

    /// The next rows, with their identity and what is wrong with them; nil at the end.
    ///
    /// Nothing is asked about them.
    ///
    /// - Throws: ``RunStop``; only ``close()`` is allowed afterwards.
    func nextUndecided() throws(RunStop) -> DecidedChunk? {
        guard let read = try nextRead() else { return nil }
        return try chunk(read)
    }

    private func nextRead() throws(RunStop) -> SourceBatch? {
        if rowLimit.room == 0 { return nil }
        let read: SourceBatch?
        do {
            read = try reader.next()
        } catch {
            throw stop(error)
        }
        guard let read else {
            hasReadAll = true
            return nil
        }
        if let difference = SchemaDifference.between(sync.readSchema, read.batch.schema) {
            throw .connector(
                ConnectorError(
                    .schemaChanged, "Since the sync was opened, \(difference.clause).", field: difference.column),
                connection: sync.definition.source.connection, doing: "reading")
        }
        return read
    }

    private func chunk(_ read: SourceBatch) throws(RunStop) -> DecidedChunk {
        let mapped = sync.mapping.map(read.batch, links: linked.resolve)
        if let failure = linked.failure { throw .state(failure) }
        do {
            return try sieve.chunk(read, mapped, isContinued: reader.continuations > 0)
        } catch {
            throw .state(error)
        }
    }

    /// Opens the states of these linked syncs as they are now, in place of those that were open.
    func openLinks(_ syncs: [String]) throws(RunStop) { linked = try LinkedStates(syncs, folder: stateFolder) }

    /// A batch of which nothing is left but rows that need nothing.
    func quietChunk(_ quiet: QuietRows) throws(RunStop) -> DecidedChunk {
        var chunk = try chunk(RecordBatch(sync.readSchema), rows: [])
        chunk.quiet = quiet
        return chunk
    }

    /// Rows that were decided before, with what the map makes of them.
    func chunk(_ source: RecordBatch, rows: [DecidedRow]) throws(RunStop) -> DecidedChunk {
        let mapped = sync.mapping.map(source, links: linked.resolve)
        if let failure = linked.failure { throw .state(failure) }
        return DecidedChunk(source: source, mapped: mapped, rows: rows)
    }

    /// The records whose rows the source no longer has, with some of them; for after the last row.
    ///
    /// - Returns: Nil where that is not to be told, or cannot be: not every row was read, or rows have no source key.
    /// - Throws: ``RunStop`` `state`.
    func removedRows() throws(RunStop) -> RemovedRows? {
        guard isExhausted, seesEveryRow, sync.definition.fetch.onRemoved == .report else { return nil }
        do {
            guard let count = try sieve.removedCount() else { return nil }
            var removed = RemovedRows(count: count)
            if count > 0 {
                try sieve.forEachRemoved { entry in
                    removed.examples.append((entry.keyText, entry.remoteID))
                    return removed.examples.count < RemovedRows.examplesMax
                }
            }
            return removed
        } catch {
            throw .state(error)
        }
    }

    /// Visits the rows of ``removedRows()``, in the order in which they first came, until `body` returns false.
    ///
    /// - Throws: ``RunStop`` `state`.
    func forEachRemoved(_ body: (LedgerEntry) -> Bool) throws(RunStop) {
        do {
            try sieve.forEachRemoved(body)
        } catch {
            throw .state(error)
        }
    }

    /// Cuts the rows off behind the most that may be taken; what was settled before does not count.
    private func limit(_ rows: inout [DecidedRow]) {
        guard rowLimit.isLimited else { return }
        for (index, row) in rows.enumerated() where !rowLimit.take(row.fate) {
            return rows.removeSubrange(index...)
        }
    }

    /// Decides about rows, but for those whose records have to be looked at: these are returned.
    private func decide(
        _ rows: inout [DecidedRow], _ mapped: MappedBatch
    ) throws(RunStop) -> [(index: Int, id: String)] {
        var toCompare: [(index: Int, id: String)] = []
        for index in rows.indices {
            if case .rejected(let fault) = rows[index].fate {
                if isRereadReject(rows[index]) { rows[index].fate = .reread }
                // A row whose create may have been applied must not be forgotten because it is at fault now.
                if case .maybeCreated? = rows[index].known?.outcome { rows[index].fate = .maybeCreated(fault: fault) }
                continue
            }
            if seesRereads, try isRereadDuplicate(rows[index]) {
                rows[index].fate = .reread
                continue
            }
            let known = rows[index].known
            if keepsRejects, let known, known.isOfThisRun, known.outcome == .settled(.rejected) {
                rows[index].fate = .recovered(.rejected)
                continue
            }
            let candidate = candidate(rows[index].row, known, rows[index].cursorText, mapped)
            let decision = decider.decide(candidate, known)
            try apply(decision, candidate, &rows[index], mapped) { toCompare.append((index, $0)) }
        }
        return toCompare
    }

    /// Makes every row a reject whose record an earlier row of the run has taken.
    ///
    /// - Parameter isLatest: Whether no other batch was held against the ledger since.
    private func claim(_ held: inout HeldChunks.Held, isLatest: Bool) throws(RunStop) {
        guard let targets else { return }
        let mapped = held.chunk.mapped
        let taken = try targets.claim(
            &held.chunk.rows, held.targets, { mapped.matchTexts($0) }, namesRecord: { mapped.idText($0) != nil })
        guard !taken.isEmpty else { return }
        do {
            let candidates = taken.map { held.chunk.quietCandidates[$0] }
            var rows = try sieve.rows(candidates, held.read, mapped, isLatest: isLatest)
            for place in rows.indices {
                rows[place].fate = .rejected(targets.taken(rows[place].known?.remoteID ?? ""))
            }
            held.chunk.quiet.unchanged -= Int64(rows.count)
            held.chunk.rows = (held.chunk.rows + rows).sorted { $0.number < $1.number }
        } catch {
            throw .state(error)
        }
    }

    /// Makes a row a reject that goes to another record than `id` behind this, which another row goes to already.
    ///
    /// - Throws: ``RunStop`` `state`.
    func claimAnew(_ row: inout DecidedRow, _ id: String, _ mapped: MappedBatch) throws(RunStop) {
        guard let targets else { return }
        switch row.fate {
        case .create: break
        case .update(let other, _) where other != id, .unchanged(let other, _) where other != id: break
        default: return
        }
        do {
            try targets.claim(
                &row, { mapped.matchTexts($0) }, namesRecord: { mapped.idText($0) != nil })
        } catch {
            throw .state(error)
        }
    }

    private func candidate(
        _ row: Int, _ known: KnownRow?, _ cursor: String?, _ mapped: MappedBatch
    ) -> CandidateRow {
        let payload = mapped.payloads[row]
        // Only what was refused before is held against it.
        let isRefused = known?.outcome == .settled(.rejected)
        return CandidateRow(
            payload: payload, refusal: isRefused ? payload.refused(under: sync.definitionDigest) : payload,
            remoteID: mapped.idText(row), cursor: cursor, held: guards.held(mapped, row),
            needsRecord: looksHere || guards.needsRecord(mapped, row))
    }

    private func apply(
        _ decision: RowDecision, _ candidate: CandidateRow, _ row: inout DecidedRow, _ mapped: MappedBatch,
        _ compareLater: (String) -> Void
    ) throws(RunStop) {
        switch decision {
        case .recovered(let outcome): row.fate = .recovered(outcome)
        case .reread: row.fate = .reread
        case .maybeCreated: row.fate = .maybeCreated(fault: nil)
        case .create: row.fate = .create
        case .update(let id) where mapped.changesNothing(row.row): row.fate = .unchanged(id: id, isKnown: false)
        case .update(let id): row.fate = try update(&row, id, nil, mapped)
        case .unchanged(let id): row.fate = .unchanged(id: id, isKnown: row.known?.cursor == row.cursorText)
        case .rejectedBefore: row.fate = .rejected(try refusedBefore(row))
        case .missing: row.fate = missing(row, mapped)
        case .dropped: row.fate = .dropped
        case .compare(let id):
            let record = try remote.indexed(id)
            if record != nil || remote.knowsAll {
                try settle(&row, id, record, mapped)
                if !remote.knowsAll { strategy.noteListed() }
            } else {
                compareLater(id)
            }
        case .match: try match(candidate, &row, mapped)
        }
    }

    private func match(
        _ candidate: CandidateRow, _ row: inout DecidedRow, _ mapped: MappedBatch
    ) throws(RunStop) {
        let texts = mapped.matchTexts(row.row)
        guard case .target(let target) = sync.mapping.match, !texts.isEmpty else {
            return row.fate = missing(row, mapped)
        }
        guard let found = try remote.matches(texts) else { return row.fate = .undecided(id: nil) }
        let name = sync.mapping.targets[target].name
        guard found.ids.count < 2 else {
            row.fate = .rejected(.ambiguous(name, texts, found.ids))
            return
        }
        switch decider.decideMatched(candidate, found: found.ids.first) {
        case .compare(let id): row.fate = try fate(of: &row, id, found.record, mapped)
        case .update(let id): row.fate = try update(&row, id, found.record, mapped)
        default: row.fate = missing(row, mapped)
        }
    }

    /// Decides about a row whose record was looked up by id.
    ///
    /// Where only the ledger knew the id and the record is gone, the row is one without a record.
    func settle(
        _ row: inout DecidedRow, _ id: String, _ record: RecordBatch?, _ mapped: MappedBatch
    ) throws(RunStop) {
        guard record == nil, mapped.idText(row.row) == nil else {
            row.fate = try fate(of: &row, id, record, mapped)
            return
        }
        row.known?.remoteID = nil
        if case .target = sync.mapping.match {
            try match(candidate(row.row, row.known, row.cursorText, mapped), &row, mapped)
        } else {
            row.fate = missing(row, mapped)
        }
    }

    /// What follows for a row whose record is known to be `record`, or known not to exist.
    private func fate(
        of row: inout DecidedRow, _ id: String, _ record: RecordBatch?, _ mapped: MappedBatch
    ) throws(RunStop) -> DecidedRow.Fate {
        guard let record else {
            return .rejected(
                RejectReason(
                    stage: "check", code: "not-found", field: "id", value: id,
                    message: "There is no \(sync.object.id) with this id; an update never creates one.", remoteID: id))
        }
        let differences = comparison.differences(mapped, row.row, record, 0, isSentWhole: guards.sendsAll)
        let free = try guards.hold(&row, differences, record, mapped, comparison)
        guard guards.sendsAnything(free, row, mapped) else { return .unchanged(id: id, isKnown: false) }
        if let lock = remote.lock(on: record, mapped, row.row) {
            return .rejected(
                RejectReason(
                    stage: "check", code: "record-locked", field: lock.key, value: "true",
                    message: "The \(sync.object.id) \(id) cannot be changed while its \(lock.key) is true; "
                        + "map \(lock.key) to false, or leave the row out.", remoteID: id))
        }
        return .update(id: id, changes: guards.changes(free))
    }

    private func refusedBefore(_ row: DecidedRow) throws(RunStop) -> RejectReason {
        // The reason is kept with the reject; a reject that was cleared by hand leaves only the fact.
        let kept: RejectRecord?
        do {
            kept = try ledger?.reject(for: row.key)
        } catch {
            throw .state(error)
        }
        return RejectReason(
            stage: kept?.stage ?? "deliver", code: kept?.code ?? "refused-before", field: kept?.field ?? "",
            value: kept?.value ?? "",
            message: kept?.message ?? "The destination refused this row before, and nothing of it has changed.",
            remoteID: kept?.remoteID, httpStatus: kept?.httpStatus ?? 0)
    }

    /// Whether a row at or before the watermark is the second one of its key that an earlier run rejected.
    private func isRereadDuplicate(_ row: DecidedRow) throws(RunStop) -> Bool {
        guard let ledger, let watermark = fetchStart.watermark, let known = row.known,
            !known.isOfThisRun, let source = row.source,
            let cursor = row.cursorText, known.cursor != cursor, KeyOrder.compare(row.cursor, watermark) <= 0
        else { return false }
        do {
            let entry = try ledger.entry(for: SourceKeys.duplicate(of: row.key, source))
            return entry?.outcome == .rejected && entry?.source == source
        } catch {
            throw .state(error)
        }
    }

    private func isRereadReject(_ row: DecidedRow) -> Bool {
        guard sync.cursorIndex != nil, let known = row.known, !known.isOfThisRun,
            case .settled(.rejected) = known.outcome, let cursor = row.cursorText
        else { return false }
        return known.cursor == cursor && known.source == row.source
    }
}
