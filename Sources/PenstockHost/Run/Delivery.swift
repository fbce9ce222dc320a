// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// Sends decided rows and writes down what became of each: the hands of a ``DeliveryMachine``.
///
/// Used from one thread; results come in from the connector's threads through a queue.
final class Delivery {
    let sync: OpenSync
    let ledger: RunLedger
    private let lost: LostRows
    let observe: (RunEvent) -> Void
    private let queue = ResultQueue()
    private let journal: IntentJournal
    var machine: DeliveryMachine
    var items = RowSlots<Item>()
    /// Looks at the records of guarded rows before they go again; nil where nothing is guarded.
    var secondLook: SecondLook?
    /// Is told of fields that a second look holds back.
    var noteHeld: (DecidedRow, [RecordComparison.Conflict]) -> Void = { _, _ in }
    /// Rows that were looked at again and have not gone since.
    var lookedAgain: Set<Int> = []
    private var sessions: [WriteRequest.Mode: any WriteSession] = [:]
    private var shapes: [WriteRequest.Mode: WriteShape] = [:]
    private var isAborted = false
    /// The batch that goes next, in the columns in which it crosses, until a session has taken it over.
    private var prepared: (batch: DeliveryMachine.Batch, columns: RecordBatch)?
    /// How many rows were on their way when a session had no room, until it is asked again; nil where none said so.
    private var fullWith: Int?
    private let window: DeliveryWindow
    /// That of creates: where a person settles what is lost, few are on their way at once.
    private let createWindow: DeliveryWindow
    private let watch: Cancellation.Watch
    /// Whether a plan is applied, which says what becomes of every row.
    private let isPlanned: Bool
    /// The least Incremental Key of a row that a plan could not be applied to, and that the next run must meet again.
    private(set) var postponedFrom: Value?

    /// Why nothing more is sent, or nil.
    var stop: ConnectorError? { machine.stop }

    /// Rejects of rows that the destination refused, by code.
    private(set) var rejectsByCode: [String: Int64] = [:]

    /// How many rows may be open while further ones are read and decided about.
    var openRowsMax: Int { window.openRows }

    /// How often rows were sent again.
    var retriesTotal: Int64 { machine.retriesTotal }

    /// Rows that are waiting, on their way or to be sent again.
    var openRows: Int { machine.openRows }

    /// How many intents are written together where a person has to settle each that a crash leaves.
    private static let cautiousGroup = 16
    /// How soon a session that has no room is asked again although it owes no result, in milliseconds.
    private static let roomPause: Int64 = 50

    /// A delivery for `sync` that has sent nothing yet.
    ///
    /// - Parameters:
    ///   - lost: Is told of creates whose answer was lost.
    ///   - observe: Is told of every row that was sent.
    init(
        _ sync: OpenSync, ledger: RunLedger, lost: LostRows, _ options: RunOptions,
        observe: @escaping (RunEvent) -> Void = { _ in }
    ) {
        self.observe = observe
        var policy = DeliveryPolicy()
        policy.pauseMilliseconds = options.retryPauseMilliseconds
        self.sync = sync
        self.ledger = ledger
        self.lost = lost
        isPlanned = options.preflight.plan != nil
        let queue = queue
        watch = sync.destinationHost.whenCancelled { queue.wake() }
        journal = IntentJournal(
            ledger, clock: sync.destinationHost.serverClock,
            groupMax: sync.guarantee == .atMostOnce ? Self.cautiousGroup : IntentBook<LedgerEntry>.groupMost)
        window = DeliveryWindow(sync.object)
        createWindow = sync.guarantee == .atMostOnce ? .requests : window
        machine = DeliveryMachine(
            policy, batchRows: window.batchRows, createRows: createWindow.batchRows,
            silenceMilliseconds: options.silenceMilliseconds,
            now: sync.destinationHost.monotonicMilliseconds)
    }

    private var now: Int64 { sync.destinationHost.monotonicMilliseconds }

    /// Takes a row over that is to be created or updated.
    func add(_ item: Item) {
        if let keeper = ledger.keeper, keeper.knowsWrites { keeper.noteWrite(item.row, item.chunk.chunk.mapped) }
        let mode: WriteRequest.Mode =
            if case .create = item.chunk.chunk.rows[item.place].fate { .create } else { .update }
        machine.add(items.add(item), mode)
    }

    /// Whether new creates are held back until lost ones are settled.
    var holdsCreates: Bool { machine.holdsCreates && machine.stop == nil }

    /// Works until at most `rows` rows are open, or nothing more can be sent.
    ///
    /// - Parameter whileHolding: Whether it goes on waiting where nothing but held creates is left.
    /// - Throws: ``RunStop`` `state`; rows on their way are then in the ledger as intents.
    func work(untilOpen rows: Int, whileHolding: Bool = true) throws(RunStop) {
        machine.holdsCreates = lost.isFull
        while machine.openRows > rows {
            if !whileHolding, holdsCreates, machine.rowsOnTheirWay == 0, !machine.hasUpdates { return }
            if sync.destinationHost.isCancelled { giveUp(Self.cancelled) }
            if machine.stop != nil {
                abortSessions()
                try close(machine.unsent())
                if machine.rowsOnTheirWay == 0 { return }
            } else {
                try submit()
            }
            try settle(queue.take(waitingMilliseconds: machine.openRows > rows ? pause : 0))
            try lookIntoSilence()
        }
    }

    /// Takes results that are there, and sends what there is room for; waits for nothing.
    ///
    /// - Throws: ``RunStop`` `state`.
    func keepUp() throws(RunStop) {
        if machine.stop == nil { try submit() }
        try settle(queue.take(waitingMilliseconds: 0))
    }

    /// Waits for the results of all rows that the connector has, and sends nothing meanwhile.
    ///
    /// - Throws: ``RunStop`` `state`.
    func awaitResults() throws(RunStop) {
        while machine.rowsOnTheirWay > 0 {
            if sync.destinationHost.isCancelled { giveUp(Self.cancelled) }
            try settle(queue.take(waitingMilliseconds: pause))
            try lookIntoSilence()
        }
    }

    /// How long there is nothing to do but to wait for results, in milliseconds; a wish to stop ends the wait, too.
    private var pause: Int64 {
        let now = now
        var until = machine.silentAt
        if let due = machine.nextRetryAt { until = min(until, due) }
        if fullWith != nil, machine.rowsOnTheirWay == 0 { until = min(until, now + Self.roomPause) }
        let ledgerDue = ledger.dueInMilliseconds.map { now + $0 } ?? until
        return max(1, min(until, ledgerDue) - now)
    }

    /// Asks a connector that has delivered nothing for long; one that owes a result then has lost it.
    private func lookIntoSilence() throws(RunStop) {
        guard case .ask = machine.lookIntoSilence(now) else { return }
        flushSessions()
        try settle(queue.take(waitingMilliseconds: 0))
        if machine.rowsOnTheirWay > 0 { try close(machine.breach()) }
    }

    private func flushSessions() {
        for session in sessions.values {
            // What a flush reports about rows, their results say as well.
            try? session.flush()
        }
    }

    /// Works until no row is open.
    ///
    /// - Throws: ``RunStop`` `state`.
    func drain() throws(RunStop) {
        try work(untilOpen: 0)
        flushSessions()
    }

    /// Ends the sessions, whatever is open.
    func end() {
        for session in sessions.values {
            session.abort()
            session.end()
        }
        sessions = [:]
        sync.destinationHost.setJournal(nil)
    }

    /// Stops sending; rows on their way are awaited, the rest stays open for the next run.
    func giveUp(_ reason: ConnectorError) {
        machine.giveUp(reason)
        prepared = nil
        abortSessions()
    }

    private func abortSessions() {
        guard !isAborted else { return }
        isAborted = true
        for session in sessions.values { session.abort() }
    }

    // MARK: - Sending

    private func submit() throws(RunStop) {
        while mayHaveRoom, let (batch, columns) = try next() {
            do throws(ConnectorError) {
                guard try session(batch.mode).submit(columns, id: batch.id) else {
                    return fullWith = machine.rowsOnTheirWay
                }
            } catch {
                // A session that has given up says why in the results of its rows.
                try settle(queue.take(waitingMilliseconds: 0))
                return giveUp(error)
            }
            prepared = nil
            if !lookedAgain.isEmpty { lookedAgain.subtract(batch.rows) }
            machine.took(batch, now)
        }
    }

    /// Whether a session may take rows: none said otherwise, or it has delivered results since.
    private var mayHaveRoom: Bool {
        guard let full = fullWith else { return true }
        let open = machine.rowsOnTheirWay
        guard open == 0 || window.mayHaveRoom(open, full: full) else { return false }
        fullWith = nil
        return true
    }

    /// The batch that goes next; made ready once, however often it has to wait for room.
    ///
    /// - Throws: ``RunStop`` `state`.
    private func next() throws(RunStop) -> (batch: DeliveryMachine.Batch, columns: RecordBatch)? {
        if let prepared, prepared.batch.mode != .create || !machine.holdsCreates { return prepared }
        guard var batch = machine.next(now) else { return nil }
        while !batch.again.isEmpty, batch.mode == .update, try lookAgain(batch) {
            guard let next = machine.next(now) else { return nil }
            batch = next
        }
        let rows = batch.rows.map { items[$0] }
        if batch.mode == .create { journal.register(rows.map(intended), batch.id) }
        // What an update overwrites is on disk before it is sent.
        if batch.mode == .update { try ledger.images?.intend(rows) }
        let run = ledger.runID
        prepared = (batch, shape(batch.mode).batch(rows) { [sync] row in sync.marker(of: row, run: run) })
        return prepared
    }

    /// The ledger's entry of a row that is about to be sent, but for its times.
    private func intended(_ item: Item) -> LedgerEntry {
        let row = item.row
        var intent = LedgerEntry.Intent(payload: row.payload ?? row.source ?? row.key, startedAtMilliseconds: 0)
        intent.marker = sync.marker(of: row, run: ledger.runID)
        if case .byMatch = sync.guarantee { intent.row = SentRow.bytes(item.chunk.chunk.source, row.row) }
        return LedgerEntry(
            key: row.key, keyText: row.keyText, source: row.source, cursor: row.cursorText, run: ledger.runNumber,
            outcome: .intent, intent: intent)
    }

    private func session(_ mode: WriteRequest.Mode) throws(ConnectorError) -> any WriteSession {
        if let session = sessions[mode] { return session }
        let queue = queue
        let request = WriteRequest(
            object: sync.object.id, mode: mode, schema: shape(mode).schema,
            inFlightMax: (mode == .create ? createWindow : window).inFlightMax)
        let session = try sync.destination.begin(request) { queue.add($0, $1) }
        sessions[mode] = session
        let journal = journal
        if mode == .create {
            sync.destinationHost.setJournal { (row, timeout) throws(ConnectorError) in
                try journal.intend(row, timeoutMilliseconds: timeout)
            }
        }
        return session
    }

    private func shape(_ mode: WriteRequest.Mode) -> WriteShape {
        if let shape = shapes[mode] { return shape }
        let shape = WriteShape(mode, sync.mapping, sync.guarantee)
        shapes[mode] = shape
        return shape
    }

    // MARK: - Results

    private func settle(_ results: [(batch: UInt64, rows: [RowResult])]) throws(RunStop) {
        if let failure = journal.failure { throw .state(failure) }
        try ledger.check()
        let now = now
        var haveCreates = false
        for (batch, rows) in results {
            let endings = machine.settle(batch, rows, now) { Double.random(in: 0..<1) }
            haveCreates = haveCreates || endings.first?.mode == .create
            try close(endings)
            if machine.isDone(batch) { journal.forget(batch) } else { journal.close(batch, rows) }
        }
        if machine.stop != nil {
            abortSessions()
            prepared = nil
        }
        // Nobody but a person settles a create whose outcome a crash takes.
        if case .atMostOnce = sync.guarantee, haveCreates { try ledger.flush() } else { try ledger.flushIfDue() }
        machine.holdsCreates = lost.isFull
    }

    /// Writes down how rows ended, those together that come to a usual end.
    func close(_ endings: [DeliveryMachine.Ending]) throws(RunStop) {
        guard !endings.isEmpty else { return }
        let items = endings.map { self.items.remove($0.row) }
        let told = DeliveredRows(sync, items, endings) { [sync] in sync.destinationHost.redacted($0) }
        defer { if told.count > 0 { observe(.delivered(told)) } }
        var closed: [RunLedger.Closed] = []
        closed.reserveCapacity(endings.count)
        let images = ledger.images
        let looksAtUpdates = images?.looksAtUpdates ?? false
        for (ending, item) in zip(endings, items) {
            if ending.isLost {
                try ledger.close(&closed)
                try ledger.noteLost(item.row)
                try lost.add(item)
            } else if ending.outcome == .rejected, let result = ending.result {
                try ledger.close(&closed)
                try reject(item, ending.mode, result)
            } else {
                let id = ending.remoteID ?? Self.id(of: item.chunk.chunk.rows[item.place])
                if looksAtUpdates || ending.outcome == .created {
                    try images?.close(item, ending.outcome, remoteID: id)
                }
                closed.append(RunLedger.Closed(item: item, outcome: ending.outcome, remoteID: id))
            }
        }
        try ledger.close(&closed)
    }

    private func reject(_ item: Item, _ mode: WriteRequest.Mode, _ result: RowResult) throws(RunStop) {
        let chunk = item.chunk.chunk
        if result.error?.code == .notFound, mode == .update, chunk.mapped.idText(item.row.row) == nil {
            return try goOnWithoutRecord(item, result)
        }
        let reason = reason(result, item.row)
        count(reason)
        try ledger.images?.close(item, .rejected, remoteID: nil)
        try ledger.reject(item.row, reason, chunk, isSent: true)
    }

    /// Counts a reject by its code.
    func count(_ reason: RejectReason) { rejectsByCode[reason.code, default: 0] += 1 }

    /// Goes on with a row whose record, which only the ledger knew, is gone.
    ///
    /// It is a reject, and the next run looks for another record or creates one: that is counted before anything is
    /// sent, by its plan and its limits. A plan that is applied has said that this record is changed.
    private func goOnWithoutRecord(_ item: Item, _ result: RowResult) throws(RunStop) {
        let insert = sync.definition.insert
        var again = item.row
        again.known?.remoteID = nil
        var reason = PlanMatch.gone(Self.id(of: item.row))
        if isPlanned {
            postpone(again.cursor)
        } else if insert.match != "id" || insert.onMissing == .create {
            // Another row of this run may have taken the record that is to be found, or may create it.
            postpone(again.cursor)
            reason = gone(Self.id(of: item.row), result)
        } else {
            reason = self.reason(result, item.row)
        }
        count(reason)
        try ledger.images?.close(item, .rejected, remoteID: nil)
        try ledger.reject(again, reason, item.chunk.chunk, isSent: false)
    }

    /// Why a row is a reject whose record, which only the ledger knew, is gone.
    private func gone(_ id: String?, _ result: RowResult) -> RejectReason {
        let match = sync.definition.insert.match
        return RejectReason(
            stage: "deliver", code: Self.recordGone, field: "id", value: id ?? "",
            message: "The \(sync.object.id) that stood for this row is gone; the next run "
                + (match == "id" ? "creates one anew." : "looks for another one by \(match)."),
            remoteID: id, httpStatus: result.httpStatus)
    }

    private static let recordGone = "record-gone"
    /// The reject of a row whose record was gone when it was sent: the next run must meet it again.
    static let gone = PlanMatch.Kept(code: recordGone, stage: "deliver")

    private func postpone(_ cursor: Value) {
        guard sync.cursorIndex != nil, !KeyOrder.isMissing(cursor) else { return }
        if postponedFrom.map({ KeyOrder.compare(cursor, $0) < 0 }) ?? true { postponedFrom = cursor }
    }

    private func reason(_ result: RowResult, _ row: DecidedRow) -> RejectReason {
        let error = sync.destinationHost.redacted(
            result.error ?? ConnectorError(.badData, "The destination refused the row."))
        let id = Self.id(of: row)
        // The same code as where the record was looked for before.
        let isMissing = error.code == .notFound && id != nil
        let code = error.vendorCode.isEmpty ? error.code.description : error.vendorCode
        return RejectReason(
            stage: "deliver", code: isMissing ? "not-found" : code, field: isMissing ? "id" : label(of: error.field),
            value: isMissing ? id ?? "" : "", message: error.message, remoteID: id, httpStatus: result.httpStatus)
    }

    private func label(of key: String) -> String {
        sync.mapping.targets.first { $0.field.key == key }?.name ?? key
    }

    static func id(of row: DecidedRow) -> String? {
        if case .update(let id, _) = row.fate { return id }
        return nil
    }

    private static let cancelled = ConnectorError(.cancelled, "The run was stopped.")
}

/// A row in the form in which an intent keeps it, so that it can be mapped again whatever becomes of the source.
enum SentRow {
    /// Row `row` of `batch`, behind a digest of its columns.
    static func bytes(_ batch: RecordBatch, _ row: Int) -> [UInt8] {
        RowEncoding.bytes(of: batch, row: row, after: digest(batch.schema).bytes)
    }

    /// The row, or nil where the columns are others now or the bytes are damaged.
    static func batch(_ bytes: [UInt8], _ schema: Schema) -> RecordBatch? {
        guard bytes.count > 16, Array(bytes.prefix(16)) == digest(schema).bytes else { return nil }
        return RowEncoding.batch(Array(bytes.dropFirst(16)), schema)?.batch
    }

    private static func digest(_ schema: Schema) -> Fingerprint {
        var hasher = FingerprintHasher()
        for field in schema.fields {
            hasher.combine(field.name)
            hasher.combine(field.type.rawValue)
        }
        return hasher.finish()
    }
}

extension RecordBatch {
    /// Row `row` alone, so that the other rows need not be kept for its sake.
    func row(_ row: Int) -> RecordBatch {
        var one = RecordBatch(schema, capacity: 1)
        one.append(columns.map { $0.value(row) })
        return one
    }
}
