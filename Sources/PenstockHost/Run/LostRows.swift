// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// The rows of a run whose creates may have been carried out without anybody knowing, and the asking about them.
///
/// A row comes here when its answer is lost, or from the ledger of an interrupted attempt. Once the time of all their
/// requests has passed, the records that changed since are read through once: what is found is adopted, what is not
/// found is sent once more. Used from the thread of the run.
final class LostRows {
    /// A row that is to be decided about.
    private struct Row {
        /// The row as it is now and where it came from; nil where it is gone from the source.
        var item: Delivery.Item?
        /// What the ledger says.
        var entry: LedgerEntry
        /// The row as it was sent, mapped; nil where that cannot be had any more.
        var sent: MappedBatch?
        /// Whether an earlier attempt sent it.
        var isRecovered: Bool
    }

    private let sync: OpenSync
    private let store: StateStore
    private let ledger: RunLedger
    private let options: RunOptions
    private let linked: LinkedStates
    private var rows: [Fingerprint: Row] = [:]
    private var book = LostCreates<Fingerprint>()
    private let startedAt = BootClock.milliseconds

    /// How many are waited for before new creates are held back.
    private static let heldMax = 50
    /// How far this machine's clock may be from the other's where that is not known.
    private static let clockSkewMilliseconds: Int64 = 600_000
    /// How much earlier than the other side's clock seemed to be records are asked for.
    private static let marginMilliseconds: Int64 = 60_000
    /// How much earlier than its intent a record may seem to be created: what answers shows whole seconds, and another
    /// clock than what stores.
    private static let creationSkewMilliseconds: Int64 = 30_000

    /// Rejects that were made here, by code.
    private(set) var rejectsByCode: [String: Int64] = [:]
    /// Records that carry the marker of one row: more than one was created, against all assumptions.
    private(set) var duplicates: [[String]] = []
    /// Rows that were sent once more, with their markers.
    private var sentAgain: [Fingerprint: String] = [:]
    /// How many rows are left to the next attempt, because there is a record now that they are about.
    private(set) var left: Int64 = 0
    /// Since when records were looked through.
    private var auditSince: Int64 = .max

    init(_ sync: OpenSync, store: StateStore, ledger: RunLedger, _ options: RunOptions) throws(RunStop) {
        self.sync = sync
        self.store = store
        self.ledger = ledger
        self.options = options
        linked = try LinkedStates(sync.mapping.links, folder: options.stateFolder)
    }

    /// How many rows are waited for.
    var count: Int { rows.count }

    /// Whether so many are lost that they are to be asked about before more is created.
    var isFull: Bool { sync.guarantee != .atMostOnce && rows.count >= Self.heldMax }

    /// Takes a row over whose answer was lost in this attempt; it is in the ledger as lost.
    ///
    /// - Throws: ``RunStop`` `state`.
    func add(_ item: Delivery.Item) throws(RunStop) {
        try ledger.flush()
        guard let entry = try entry(item.row.key) else { return }
        let one = Self.alone(item)
        insert(Row(item: one, entry: entry, sent: one.chunk.chunk.mapped, isRecovered: false))
    }

    /// Takes a row over that an earlier attempt may have sent.
    ///
    /// - Throws: ``RunStop`` `state`.
    func recover(_ item: Delivery.Item) throws(RunStop) {
        guard let entry = try entry(item.row.key) else { return }
        let one = Self.alone(item)
        insert(Row(item: one, entry: entry, sent: sentRow(entry, one.chunk.chunk.mapped), isRecovered: true))
    }

    /// Takes over what an earlier attempt may have sent and the source no longer has.
    ///
    /// Call it once the source was read to its end, no row is on its way, and the ledger is written.
    ///
    /// - Throws: ``RunStop`` `state`.
    func recoverVanished() throws(RunStop) {
        let open: [LedgerEntry]
        do {
            open = try store.openEntries(of: ledger.runNumber)
        } catch {
            throw .state(error)
        }
        for entry in open where [.intent, .unknown].contains(entry.outcome) && rows[entry.key] == nil {
            insert(Row(item: nil, entry: entry, sent: sentRow(entry, nil), isRecovered: true))
        }
    }

    private func insert(_ row: Row) {
        if row.isRecovered { ledger.keeper?.noteUncertain() }
        rows[row.entry.key] = row
        let intent = row.entry.intent
        let time = LostCreateTime(deadline: intent?.deadlineMilliseconds ?? 0, boot: intent?.boot ?? 0)
        let timeout = IntentJournal.timeoutMilliseconds
        book.add(
            row.entry.key,
            dueAt: time.dueAt(
                settle: sync.definition.insert.settleMilliseconds, timeout: timeout, boot: BootClock.start,
                processStartedAt: startedAt))
    }

    private func entry(_ key: Fingerprint) throws(RunStop) -> LedgerEntry? {
        do {
            return try store.entry(for: key)
        } catch {
            throw .state(error)
        }
    }

    /// The row alone: a whole batch is not kept for it.
    private static func alone(_ item: Delivery.Item) -> Delivery.Item {
        let chunk = item.chunk.chunk
        var row = item.row
        row.row = 0
        let one = DecidedChunk(
            source: chunk.source.row(item.row.row), mapped: chunk.mapped.row(item.row.row), rows: [row])
        return Delivery.Item(0, of: ChunkBox(one))
    }

    /// What was sent: the row as it is where nothing has changed, else the row that the intent has kept.
    private func sentRow(_ entry: LedgerEntry, _ current: MappedBatch?) -> MappedBatch? {
        guard let payload = entry.intent?.payload else { return nil }
        if let current, !current.isRejected(0), current.payloads[0] == payload { return current }
        guard let bytes = entry.intent?.row, let batch = SentRow.batch(bytes, sync.readSchema) else { return nil }
        let mapped = sync.mapping.map(batch, links: linked.resolve)
        return !mapped.isRejected(0) && mapped.payloads[0] == payload ? mapped : nil
    }

    // MARK: - Asking

    /// Waits until the rows can be asked about, asks, and settles them.
    ///
    /// - Returns: The rows that are to be sent once more; nil where nothing could be settled now.
    /// - Throws: ``RunStop``.
    func settle(waiting: (_ rows: Int, _ milliseconds: Int64) -> Void) throws(RunStop) -> [Delivery.Item]? {
        guard sync.guarantee != .atMostOnce else { return nil }
        while true {
            switch book.step(BootClock.milliseconds) {
            case .nothing: return []
            case .sweep: return try sweep()
            case .wait(let until):
                guard options.waitsForLost else { return nil }
                let left = until - BootClock.milliseconds
                waiting(rows.count, max(0, left))
                do {
                    try sync.destinationHost.pause(milliseconds: max(1, min(left, 1_000)))
                } catch {
                    return nil
                }
            }
        }
    }

    private func sweep() throws(RunStop) -> [Delivery.Item]? {
        let startedAt = BootClock.milliseconds
        let since = since
        auditSince = min(auditSince, since)
        guard let found = try candidates(since) else { return nil }
        var again: [Delivery.Item] = []
        let marked = Set(rows.filter { isMarked($0.value) }.keys)
        for (key, verdict) in book.settle(found.ids, startedAt: startedAt, isMarked: { marked.contains($0) }) {
            guard let row = rows[key] else { continue }
            // What was sent cannot be told any more, and somebody has made records since: nobody can tell whose.
            if case .absent = verdict, !marked.contains(key), row.sent == nil, found.isForeign { continue }
            rows[key] = nil
            if let item = try settle(row, verdict, isFoundByMatch: found.matching.contains(key)) { again.append(item) }
        }
        try ledger.flush()
        return again
    }

    /// - Parameter isFoundByMatch: Whether there is a record now that the row is about, where it has made none.
    private func settle(
        _ row: Row, _ verdict: LostCreates<Fingerprint>.Verdict, isFoundByMatch: Bool
    ) throws(RunStop) -> Delivery.Item? {
        let found: String? =
            switch verdict {
            case .adopted(let id): id
            case .several(let ids): ids.first
            case .absent: nil
            }
        if let found { try ledger.images?.found(row.entry.key, found, row.sent) }
        guard let item = row.item else {
            switch verdict {
            case .adopted(let id): try ledger.closeVanished(row.entry, remoteID: id)
            case .several(let ids):
                duplicates.append(ids)
                try ledger.closeVanished(row.entry, remoteID: ids.first)
            case .absent: try ledger.closeVanished(row.entry, remoteID: nil)
            }
            return nil
        }
        switch verdict {
        case .adopted(let id): return try adopt(row, item, id)
        case .absent: return try isFoundByMatch ? leave(item) : sendAgain(item)
        case .several(let ids):
            duplicates.append(ids)
            return try adopt(row, item, ids[0])
        }
    }

    private func adopt(_ row: Row, _ item: Delivery.Item, _ id: String) throws(RunStop) -> Delivery.Item? {
        let isSame = item.row.payload == row.entry.intent?.payload
        if row.isRecovered { ledger.noteRecovered() }
        let isAppend = sync.definition.insert.mode == .append
        if isSame || (isAppend && (sync.cursorIndex == nil || row.entry.cursor == item.row.cursorText)) {
            var closed = item.row
            closed.payload = row.entry.intent?.payload
            try ledger.close(closed, .created, remoteID: id)
            return nil
        }
        // The record was made from an earlier version of the row: it is brought up to date, or gets a record of its
        // own.
        try ledger.noteRecord(item.row, remoteID: id)
        if isAppend { return try sendAgain(item) }
        var again = item.row
        again.known = KnownRow(outcome: .open, isOfThisRun: true, remoteID: id, payload: nil, cursor: nil)
        if case .maybeCreated(let fault?) = item.row.fate { return try reject(item.with(again), fault) }
        again.fate = .update(id: id, changes: nil)
        return item.with(again)
    }

    /// Leaves a row to the next attempt, which looks at the record that somebody has made since, as for any row that
    /// is matched: with its guards, and with what undoing takes.
    private func leave(_ item: Delivery.Item) throws(RunStop) -> Delivery.Item? {
        var row = item.row
        row.known = nil
        if case .maybeCreated(let fault?) = row.fate { return try reject(item.with(row), fault) }
        left += 1
        try ledger.close(row, .notTried, remoteID: nil)
        return nil
    }

    private func sendAgain(_ item: Delivery.Item) throws(RunStop) -> Delivery.Item? {
        var again = item.row
        again.known = nil
        if case .maybeCreated(let fault?) = item.row.fate { return try reject(item.with(again), fault) }
        again.fate = .create
        if let marker = sync.marker(of: again, run: ledger.runID) { sentAgain[item.row.key] = marker }
        return item.with(again)
    }

    private func reject(_ item: Delivery.Item, _ fault: RejectReason) throws(RunStop) -> Delivery.Item? {
        rejectsByCode[fault.code, default: 0] += 1
        try ledger.reject(item.row, fault, item.chunk.chunk, isSent: false)
        return nil
    }

    // MARK: - Reading through

    private struct Found {
        var ids: [Fingerprint: [String]] = [:]
        /// Rows that a record would be found for by their match, whoever made it.
        var matching: Set<Fingerprint> = []
        /// Whether there are records that are nobody's and match no row.
        var isForeign = false
    }

    /// Whether a row was sent with a marker that can be looked for; one sent before there was a field for it was not.
    private func isMarked(_ row: Row) -> Bool {
        if case .exactlyOnce = sync.guarantee { return row.entry.intent?.marker != nil }
        return false
    }

    /// What may have become of the rows, by all records that changed since; nil where they cannot be read.
    private func candidates(_ since: Int64) throws(RunStop) -> Found? {
        let marker: DestinationField? = if case .exactlyOnce(let field) = sync.guarantee { field } else { nil }
        let needsPayload = rows.values.contains { !isMarked($0) }
        let search = try PayloadSearch(sync, needsPayload ? store : nil, options.stateFolder, marker: marker)
        defer { search.close() }
        var markers: [String: Fingerprint] = [:]
        for (key, row) in rows where isMarked(row) { markers[row.entry.intent?.marker ?? ""] = key }
        let finders = finders
        var found = Found()
        do {
            let stream = try sync.destination.readBack(
                ReadBackRequest(object: sync.object.id, selection: .changedSince(since), fields: search.fields))
            defer { stream.close() }
            while let next = try stream.next() {
                for place in 0..<next.batch.rowCount {
                    guard case .text(let id) = next.batch.value(place, 0) else { continue }
                    if !finders.isEmpty {
                        found.matching.formUnion(search.matchTexts(next.batch, place).flatMap { finders[$0] ?? [] })
                    }
                    if marker != nil, case .text(let text) = next.batch.value(place, 1), !text.isEmpty {
                        guard let key = markers[text], found.ids[key]?.contains(id) != true else { continue }
                        found.ids[key, default: []].append(id)
                    } else if needsPayload, try !search.isOwned(id) {
                        match(next.batch, place, id, search, &found)
                    }
                }
            }
        } catch let stop as RunStop {
            throw stop
        } catch let error as ConnectorError {
            guard [.unauthorized, .forbidden, .cancelled, .quotaSpent].contains(error.code) else { return nil }
            throw sync.stop(error, .destination, "looking for lost creates")
        } catch {
            throw .state(.internal("Lost creates could not be looked for: \(error)"))
        }
        return found
    }

    /// The rows that would be found by a value.
    private var finders: [String: [Fingerprint]] {
        guard sync.definition.insert.mode == .update else { return [:] }
        var finders: [String: [Fingerprint]] = [:]
        for (key, row) in rows {
            guard let item = row.item else { continue }
            for text in item.chunk.chunk.mapped.matchTexts(item.row.row) { finders[text, default: []].append(key) }
        }
        return finders
    }

    private func match(
        _ records: RecordBatch, _ place: Int, _ id: String, _ search: PayloadSearch, _ found: inout Found
    ) {
        var isMatched = false
        for (key, row) in rows where !isMarked(row) {
            guard let sent = row.sent,
                search.isNewEnough(records, place, row.entry.intent, Self.creationSkewMilliseconds),
                search.isSame(sent, records, place)
            else { continue }
            isMatched = true
            if found.ids[key]?.contains(id) != true { found.ids[key, default: []].append(id) }
        }
        let isNew = rows.values.contains {
            $0.sent == nil && !isMarked($0)
                && search.isNewEnough(records, place, $0.entry.intent, Self.creationSkewMilliseconds)
        }
        if !isMatched, isNew { found.isForeign = true }
    }

    /// From when on records have to be looked through, by the other side's clock as far as it is known.
    private var since: Int64 {
        rows.values.map { row in
            guard let intent = row.entry.intent else { return Int64.max }
            let since =
                intent.serverTimeMilliseconds.map { $0 - Self.marginMilliseconds }
                ?? intent.startedAtMilliseconds - Self.clockSkewMilliseconds
            return max(0, since)
        }.min() ?? sync.destinationHost.wallMilliseconds
    }

    /// Gives up what is not settled: the rows stay unknown, and the run unfinished.
    func leaveUnknown() {
        for row in rows.values {
            if row.item == nil { ledger.countFetched() }
            ledger.count(.unknown)
        }
        rows = [:]
    }

    /// Looks once more for the markers of rows that were sent again.
    ///
    /// - Returns: The ids of records that share a marker, which the assumptions rule out; none where nothing was sent
    ///   again.
    /// - Throws: ``RunStop``.
    func audit() throws(RunStop) -> [[String]] {
        guard !sentAgain.isEmpty, case .exactlyOnce(let field) = sync.guarantee else { return [] }
        let request = ReadBackRequest(object: sync.object.id, selection: .changedSince(auditSince), fields: [field.key])
        var ids: [String: Set<String>] = [:]
        let wanted = Set(sentAgain.values)
        do throws(ConnectorError) {
            let stream = try sync.destination.readBack(request)
            defer { stream.close() }
            while let next = try stream.next() {
                for place in 0..<next.batch.rowCount {
                    guard case .text(let id) = next.batch.value(place, 0),
                        case .text(let text) = next.batch.value(place, 1), wanted.contains(text)
                    else { continue }
                    ids[text, default: []].insert(id)
                }
            }
        } catch {
            throw sync.stop(error, .destination, "looking once more for records that were created twice")
        }
        return ids.values.filter { $0.count > 1 }.map { $0.sorted() }
    }

}
