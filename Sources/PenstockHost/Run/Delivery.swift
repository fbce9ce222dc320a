// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// Sends decided rows, retries what may be retried, and writes down what became of each.
///
/// Used from one thread; results come in from the connector's threads through a queue.
final class Delivery {
    /// A row on its way, with what is needed to send it again and to explain a refusal.
    private struct Pending {
        var row: DecidedRow
        var chunk: ChunkBox
        var mode: WriteRequest.Mode
        var attempt: Int
    }

    private struct Retry {
        var dueAt: Int64
        var pending: Pending
    }

    private let sync: OpenSync
    private let ledger: RunLedger
    private let policy: DeliveryPolicy
    private let silenceMilliseconds: Int64
    private let queue = ResultQueue()
    private let journal: IntentJournal
    private var sessions: [WriteRequest.Mode: any WriteSession] = [:]
    private var waiting: [WriteRequest.Mode: [Pending]] = [:]
    private var onTheirWay: [UInt64: [Int: Pending]] = [:]
    private var retries: [Retry] = []
    private var nextBatch: UInt64 = 1
    private var failuresInARow = 0
    private var unknownsInARow = 0
    private var movedAt: Int64

    /// Why nothing more is sent, or nil.
    private(set) var stop: ConnectorError?

    /// Rows that the destination refused, by code.
    private(set) var rejectsByCode: [String: Int64] = [:]

    /// How often rows were sent again.
    private(set) var retriesTotal: Int64 = 0

    private static let batchRows = 64
    private static let inFlightMax = 64
    private static let failuresInARowMax = 12
    private static let unknownsInARowMax = 10

    /// A delivery for `sync` that has sent nothing yet.
    init(_ sync: OpenSync, ledger: RunLedger, _ options: RunOptions) {
        var policy = DeliveryPolicy()
        policy.pauseMilliseconds = options.retryPauseMilliseconds
        self.policy = policy
        silenceMilliseconds = options.silenceMilliseconds
        self.sync = sync
        self.ledger = ledger
        journal = IntentJournal(ledger)
        movedAt = sync.destinationHost.monotonicMilliseconds
    }

    /// Rows that are waiting, on their way or to be sent again.
    var openRows: Int {
        waiting.values.reduce(0) { $0 + $1.count } + onTheirWay.values.reduce(0) { $0 + $1.count } + retries.count
    }

    /// Takes a row over that is to be created or updated.
    func add(_ row: DecidedRow, _ chunk: ChunkBox) {
        let mode: WriteRequest.Mode = if case .create = row.fate { .create } else { .update }
        waiting[mode, default: []].append(Pending(row: row, chunk: chunk, mode: mode, attempt: 1))
    }

    /// Works until at most `rows` rows are open, or nothing more can be sent.
    ///
    /// - Throws: ``RunStop`` `state`; rows on their way are then in the ledger as intents.
    func work(untilOpen rows: Int) throws(RunStop) {
        while openRows > rows {
            if sync.destinationHost.isCancelled { giveUp(Self.cancelled) }
            if stop != nil {
                try closeUnsent()
                if onTheirWay.isEmpty { return }
            } else {
                wakeRetries()
                try submitWaiting()
            }
            let results = queue.take(waitingMilliseconds: openRows > rows ? 50 : 0)
            if !results.isEmpty { movedAt = sync.destinationHost.monotonicMilliseconds }
            try settle(results)
            try lookIntoSilence()
        }
    }

    /// Asks for the results of a connector that has delivered none for a while.
    ///
    /// A flush waits for what is on its way. A connector that then still owes a result has lost it, and one that takes
    /// no row although it has none is stuck: both break the contract, and the run ends.
    private func lookIntoSilence() throws(RunStop) {
        let now = sync.destinationHost.monotonicMilliseconds
        guard now - movedAt > silenceMilliseconds else { return }
        movedAt = now
        guard !onTheirWay.isEmpty else {
            if stop == nil, waiting.values.contains(where: { !$0.isEmpty }) {
                giveUp(ConnectorError(.contractBreach, "The connector takes no rows although it has none."))
            }
            return
        }
        flushSessions()
        try settle(queue.take(waitingMilliseconds: 0))
        guard !onTheirWay.isEmpty else { return }
        giveUp(ConnectorError(.contractBreach, "The connector gave no result for rows that it took."))
        let lost = onTheirWay.values.flatMap { $0.values }
        onTheirWay = [:]
        for pending in lost {
            let outcome: RowOutcome = pending.mode == .create ? .unknown : .notTried
            try ledger.close(pending.row, outcome, remoteID: Self.id(of: pending.row))
        }
    }

    private func flushSessions() {
        for session in sessions.values {
            // What a flush reports about rows, their results say as well.
            try? session.flush()
        }
    }

    /// Works until no row is open, and ends the sessions.
    ///
    /// - Throws: ``RunStop`` `state`.
    func finish() throws(RunStop) {
        try work(untilOpen: 0)
        flushSessions()
        end()
    }

    /// Ends the sessions without looking at what is open, where the state can no longer be written.
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
        guard stop == nil else { return }
        stop = reason
        for session in sessions.values { session.abort() }
    }

    // MARK: - Sending

    private func submitWaiting() throws(RunStop) {
        for mode in [WriteRequest.Mode.update, .create] {
            while let group = waiting[mode], !group.isEmpty, stop == nil {
                let rows = Array(group.prefix(Self.batchRows))
                guard try submit(rows, mode) else { return }
                waiting[mode]?.removeFirst(rows.count)
            }
        }
    }

    private func submit(_ rows: [Pending], _ mode: WriteRequest.Mode) throws(RunStop) -> Bool {
        let id = nextBatch
        do throws(ConnectorError) {
            let session = try session(mode)
            if mode == .create { journal.register(rows.map(\.row), id) }
            guard try session.submit(batch(rows, mode), id: id) else { return false }
        } catch {
            // A session that has given up says why in the results of its rows.
            try settle(queue.take(waitingMilliseconds: 0))
            giveUp(error)
            return false
        }
        movedAt = sync.destinationHost.monotonicMilliseconds
        nextBatch += 1
        onTheirWay[id] = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($0.offset, $0.element) })
        return true
    }

    private func session(_ mode: WriteRequest.Mode) throws(ConnectorError) -> any WriteSession {
        if let session = sessions[mode] { return session }
        let queue = queue
        let request = WriteRequest(
            object: sync.object.id, mode: mode, schema: WriteShape.schema(mode, sync.mapping),
            inFlightMax: Self.inFlightMax)
        let session = try sync.destination.begin(request) { queue.add($0, $1) }
        sessions[mode] = session
        let journal = journal
        if mode == .create {
            sync.destinationHost.setJournal { (row) throws(ConnectorError) in try journal.intend(row) }
        }
        return session
    }

    private func batch(_ rows: [Pending], _ mode: WriteRequest.Mode) -> RecordBatch {
        var batch = RecordBatch(WriteShape.schema(mode, sync.mapping), capacity: rows.count)
        for pending in rows {
            batch.append(WriteShape.row(pending.row, pending.chunk.chunk.mapped, mode, sync.mapping))
        }
        return batch
    }

    // MARK: - Results

    private func settle(_ results: [(batch: UInt64, rows: [RowResult])]) throws(RunStop) {
        if let failure = journal.failure { throw .state(failure) }
        var hasCreates = false
        for (batch, rows) in results {
            for result in rows {
                guard let pending = onTheirWay[batch]?.removeValue(forKey: result.row) else { continue }
                hasCreates = hasCreates || pending.mode == .create
                try settle(result, pending)
            }
            if onTheirWay[batch]?.isEmpty == true {
                onTheirWay[batch] = nil
                journal.forget(batch)
            }
        }
        // A create whose outcome a crash takes stays unknown for good; what a crash takes of updates is sent again.
        if hasCreates { try ledger.flush() } else { try ledger.flushIfDue() }
    }

    private func settle(_ result: RowResult, _ pending: Pending) throws(RunStop) {
        if let code = result.error?.code, result.status != .rejected, DeliveryPolicy.stopsRun(code),
            let error = result.error
        {
            giveUp(error)
        }
        let step = policy.step(result, mode: pending.mode, attempt: pending.attempt, jitter: Double.random(in: 0..<1))
        switch step {
        case .again(let milliseconds):
            var again = pending
            again.attempt += 1
            retriesTotal += 1
            noteFailure(result)
            retries.append(Retry(dueAt: sync.destinationHost.monotonicMilliseconds + milliseconds, pending: again))
        case .close(let outcome):
            noteOutcome(outcome, result)
            try close(pending, outcome, result)
        }
    }

    private func close(_ pending: Pending, _ outcome: RowOutcome, _ result: RowResult) throws(RunStop) {
        let chunk = pending.chunk.chunk
        switch outcome {
        case .rejected:
            if result.error?.code == .notFound, pending.mode == .update, chunk.mapped.idText(pending.row.row) == nil {
                return try goOnWithoutRecord(pending, result)
            }
            let reason = reason(result, pending.row)
            rejectsByCode[reason.code, default: 0] += 1
            try ledger.reject(pending.row, reason, chunk, isSent: true)
        default:
            let id = result.remoteID.isEmpty ? Self.id(of: pending.row) : result.remoteID
            try ledger.close(pending.row, outcome, remoteID: id)
        }
    }

    /// Goes on with a row whose record, which only the ledger knew, is gone.
    ///
    /// It is created anew where that is meant and cannot be mistaken; else the next run looks for another record.
    private func goOnWithoutRecord(_ pending: Pending, _ result: RowResult) throws(RunStop) {
        let insert = sync.definition.insert
        let chunk = pending.chunk.chunk
        var again = pending
        again.row.known?.remoteID = nil
        if insert.onMissing == .create, insert.match == "id",
            !chunk.mapped.createRejects.contains(where: { $0.row == pending.row.row })
        {
            again.row.fate = .create
            again.mode = .create
            again.attempt = 1
            waiting[.create, default: []].append(again)
        } else if insert.match != "id" {
            try ledger.close(again.row, .notTried, remoteID: nil)
        } else {
            let reason = reason(result, pending.row)
            rejectsByCode[reason.code, default: 0] += 1
            try ledger.reject(again.row, reason, chunk, isSent: false)
        }
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

    private static func id(of row: DecidedRow) -> String? {
        if case .update(let id, _) = row.fate { return id }
        return nil
    }

    private func noteFailure(_ result: RowResult) {
        guard let code = result.error?.code, code != .rateLimited else { return }
        failuresInARow += 1
        if failuresInARow > Self.failuresInARowMax * policy.attemptsMax, let error = result.error { giveUp(error) }
    }

    private func noteOutcome(_ outcome: RowOutcome, _ result: RowResult) {
        switch outcome {
        case .notTried:
            failuresInARow += 1
            if failuresInARow >= Self.failuresInARowMax, let error = result.error { giveUp(error) }
        case .unknown:
            unknownsInARow += 1
            if unknownsInARow >= Self.unknownsInARowMax, let error = result.error { giveUp(error) }
        default:
            failuresInARow = 0
            unknownsInARow = 0
        }
    }

    private func wakeRetries() {
        let now = sync.destinationHost.monotonicMilliseconds
        if retries.contains(where: { $0.dueAt <= now }) { movedAt = now }
        for retry in retries where retry.dueAt <= now {
            waiting[retry.pending.mode, default: []].append(retry.pending)
        }
        retries.removeAll { $0.dueAt <= now }
    }

    private func closeUnsent() throws(RunStop) {
        let unsent = waiting.values.flatMap { $0 } + retries.map(\.pending)
        waiting = [:]
        retries = []
        for pending in unsent { try ledger.close(pending.row, .notTried, remoteID: nil) }
    }

    private static let cancelled = ConnectorError(.cancelled, "The run was stopped.")
}

/// A chunk that several rows on their way share.
final class ChunkBox: Sendable {
    let chunk: DecidedChunk

    init(_ chunk: DecidedChunk) { self.chunk = chunk }
}
