// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit

/// The thread of a write session: takes slots, sends, reads answers, and hands out results.
struct PipedriveWriteLoop {
    private struct OpenBatch {
        var batch: RecordBatch
        var id: UInt64
        var nextRow = 0
    }

    private struct Sent {
        var batch: UInt64
        var row: Int
        var ticket: UInt64
        var request: PipedriveRequest
        var access: PipedriveAccess
        var tries: Int
    }

    /// How long to wait at most without a look at ``HostServices/isCancelled``, in milliseconds.
    private static let pollMax = 1_000
    /// The longest that the host lets wait for an answer rather than for a slot, in milliseconds.
    private static let answerWait: Int64 = 50

    private let mode: WriteRequest.Mode
    private let object: PipedriveObject
    private let body: PipedriveBody
    private let api: PipedriveAPI
    private let multi: HTTPMulti
    private let shared: Monitor<PipedriveWriteSession.Shared>
    private let onResults: @Sendable (UInt64, [RowResult]) -> Void
    private let remoteIDColumn: Int?

    /// Batches with rows that were not sent yet, in the order of their arrival.
    private var batches: [OpenBatch] = []
    /// The request of the first row of `batches`, rendered and waiting for its slot.
    private var prepared: PipedriveRequest?
    /// Rows whose credential was refused, so that nothing was done: they go again once it is renewed.
    private var refused: [Sent] = []
    /// The access that was refused last and is to be renewed, or nil.
    private var refusedAccess: PipedriveAccess?
    private var sent: [Sent?]
    private var freeTags: [Int]
    private var results: [(batch: UInt64, result: RowResult)] = []
    private var ending: ConnectorError?
    private var askAgainAt: Int64 = 0
    /// How many waiting rows the other side knows of.
    private var toldWaiting = 0
    /// Where bodies are written; a request keeps a copy of its own, for as long as it may have to go again.
    private let buffer = JSONBuffer()

    init(
        _ request: WriteRequest, object: PipedriveObject, body: PipedriveBody, api: PipedriveAPI, multi: HTTPMulti,
        shared: Monitor<PipedriveWriteSession.Shared>, onResults: @escaping @Sendable (UInt64, [RowResult]) -> Void
    ) {
        mode = request.mode
        self.object = object
        self.body = body
        self.api = api
        self.multi = multi
        self.shared = shared
        self.onResults = onResults
        remoteIDColumn = request.schema.index(of: WriteRequest.remoteIDColumn)
        sent = Array(repeating: nil, count: request.inFlightMax)
        freeTags = Array(0..<request.inFlightMax)
    }

    /// Runs until the session has ended and every row has its result.
    mutating func run() {
        while takeArrivals() {
            if ending == nil && api.host.isCancelled {
                ending = ConnectorError(.cancelled, "The work was cancelled.")
            }
            if ending == nil { startRows() }
            if ending != nil { dropRows() }
            deliver()
            for completion in multi.poll(milliseconds: pollTime) { finish(completion) }
            deliver()
        }
    }

    /// Takes over what was submitted; false once there is nothing left to do.
    private mutating func takeArrivals() -> Bool {
        let (arrivals, isStopped, isEnded, openRows) = shared.update { shared in
            defer { shared.arrivals.removeAll() }
            return (shared.arrivals, shared.isAborted || shared.isEnded, shared.isEnded, shared.openRows)
        }
        batches += arrivals.map { OpenBatch(batch: $0.batch, id: $0.id) }
        // Who submitted has counted them himself.
        toldWaiting += arrivals.reduce(0) { $0 + $1.batch.rowCount }
        if isStopped && ending == nil { ending = ConnectorError(.cancelled, "The session was stopped.") }
        return !isEnded || openRows > 0
    }

    private var pollTime: Int {
        guard ending == nil, !batches.isEmpty || !refused.isEmpty, multi.hasRoom else { return Self.pollMax }
        if mustRenew { return multi.runningCount == 0 ? 1 : Self.pollMax }
        return Int(max(1, min(Int64(Self.pollMax), askAgainAt - MonotonicClock.milliseconds)))
    }

    /// Whether the credential has to be renewed before anything else is sent.
    private var mustRenew: Bool { refusedAccess != nil || api.authority.isRenewalDue }

    /// Renews the credential where that is due; false where that must wait, or the work ends.
    ///
    /// Requests on their way are awaited first: nobody reads their answers while the credential is renewed.
    private mutating func renewIfDue() -> Bool {
        guard mustRenew else { return true }
        guard multi.runningCount == 0 else { return false }
        do throws(ConnectorError) {
            if let access = refusedAccess { try api.authority.renew(after: access) }
            _ = try api.authority.access()
            refusedAccess = nil
            return true
        } catch {
            ending = error
            return false
        }
    }

    /// Sends a row, where it gets a slot.
    private mutating func start(_ request: PipedriveRequest, _ batch: UInt64, _ row: Int, tries: Int) -> Bool {
        let access: PipedriveAccess
        do throws(ConnectorError) { access = try api.authority.access() } catch {
            ending = error
            return false
        }
        guard let ticket = slot(BatchRow(batch: batch, row: row)) else { return false }
        let tag = freeTags.removeLast()
        sent[tag] = Sent(batch: batch, row: row, ticket: ticket, request: request, access: access, tries: tries)
        multi.start(request.with(access), tag: tag)
        return true
    }

    private mutating func startRows() {
        guard batches.isEmpty && refused.isEmpty || renewIfDue() else { return }
        while let again = refused.last, ending == nil, !mustRenew {
            guard multi.hasRoom, MonotonicClock.milliseconds >= askAgainAt else { return }
            guard start(again.request, again.batch, again.row, tries: again.tries + 1) else { return }
            refused.removeLast()
        }
        while let open = batches.first, ending == nil, !mustRenew {
            guard open.nextRow < open.batch.rowCount else {
                batches.removeFirst()
                continue
            }
            guard multi.hasRoom, MonotonicClock.milliseconds >= askAgainAt else { return }
            guard let request = prepared ?? render(open) else { continue }
            prepared = request
            guard start(request, open.id, open.nextRow, tries: 1) else { return }
            prepared = nil
            batches[0].nextRow += 1
        }
    }

    /// A ticket for the row, or nil where it must wait or the work ends.
    private mutating func slot(_ row: BatchRow) -> UInt64? {
        let (kind, cost): (RequestIntent.Kind, Int64) =
            switch mode {
            case .create: (.create, object.costs.create)
            case .update: (.update, object.costs.update)
            case .delete: (.delete, object.costs.delete)
            }
        do throws(ConnectorError) {
            let intent = RequestIntent(
                bucket: RateLimit.burst, cost: cost, kind: kind, row: row,
                timeoutMilliseconds: Int64(api.http.timeoutMilliseconds))
            switch try api.host.acquire(intent) {
            case .granted(let ticket): return ticket
            case .wait(let milliseconds): askAgainAt = MonotonicClock.milliseconds + max(1, milliseconds)
            }
        } catch { ending = error }
        return nil
    }

    /// The request of the batch's next row; nil where the row has its result without one, and is passed over.
    private mutating func render(_ open: OpenBatch) -> PipedriveRequest? {
        let row = open.nextRow
        var path = "/api/v2/\(object.path)"
        if mode != .create {
            let id = remoteIDColumn.map { open.batch.columns[$0].byteSlice(row) } ?? []
            guard PipedriveBody.isID(id) else {
                let shown = String(decoding: id.prefix(80), as: UTF8.self)
                let message = "There is no \(object.id) with the id \"\(shown)\": ids are numbers."
                settle(open.id, row, .rejected, ConnectorError(.notFound, message, field: "id"))
                return nil
            }
            path += "/" + String(decoding: id, as: UTF8.self)
        }
        guard mode != .delete else { return api.request(.delete, path) }
        buffer.truncate(to: 0)
        do throws(ConnectorError) {
            guard try body.render(open.batch, row, into: buffer) || mode == .create else {
                settle(open.id, row, .unchanged, nil)
                return nil
            }
        } catch {
            settle(open.id, row, .rejected, error)
            return nil
        }
        return api.request(mode == .create ? .post : .patch, path, body: buffer.bytes)
    }

    /// Notes the result of the first waiting row, which needed no request.
    private mutating func settle(_ batch: UInt64, _ row: Int, _ status: RowResult.Status, _ error: ConnectorError?) {
        results.append((batch, RowResult(row: row, status: status, error: error)))
        batches[0].nextRow += 1
    }

    private mutating func finish(_ completion: HTTPCompletion) {
        guard let row = sent[completion.tag] else { return }
        sent[completion.tag] = nil
        freeTags.append(completion.tag)
        api.host.release(row.ticket, api.note(completion.outcome))
        if api.isRefused(completion.outcome, row.access), ending == nil, row.tries < PipedriveAPI.refusalsMax {
            refused.append(row)
            refusedAccess = refusedAccess.map { $0.generation > row.access.generation ? $0 : row.access } ?? row.access
            return
        }
        var outcome = PipedriveOutcome(completion.outcome, mode: mode, object: object, api: api)
        outcome.result.row = row.row
        results.append((row.batch, outcome.result))
        if ending == nil { ending = outcome.ending }
        // An answer ends a short wait for one; a slot is free at the time that the host named, whatever is answered.
        var isRefunded = false
        if case .failure(let failure) = completion.outcome { isRefunded = failure.wasNeverSent }
        if isRefunded || askAgainAt - MonotonicClock.milliseconds <= Self.answerWait { askAgainAt = 0 }
    }

    /// Gives every row that was not sent its result.
    private mutating func dropRows() {
        prepared = nil
        for open in batches {
            for row in open.nextRow..<max(open.nextRow, open.batch.rowCount) {
                results.append((open.id, RowResult(row: row, status: .notTried, error: ending)))
            }
        }
        for row in refused {
            results.append((row.batch, RowResult(row: row.row, status: .retry, error: ending, httpStatus: 401)))
        }
        refused.removeAll()
        refusedAccess = nil
        batches.removeAll()
        shared.update { shared in
            if shared.failure == nil && !shared.isAborted && !shared.isEnded { shared.failure = ending }
        }
    }

    /// Hands the results out, batch by batch, and only then counts their rows as done.
    private mutating func deliver() {
        let waiting = batches.reduce(0) { $0 + $1.batch.rowCount - $1.nextRow }
        let count = results.count
        guard count > 0 || waiting != toldWaiting else { return }
        toldWaiting = waiting
        while let id = results.first?.batch {
            let ofBatch = results.filter { $0.batch == id }.map(\.result)
            results.removeAll { $0.batch == id }
            onResults(id, ofBatch)
        }
        shared.update { shared in
            shared.openRows -= count
            shared.waitingRows = waiting + shared.arrivals.reduce(0) { $0 + $1.batch.rowCount }
        }
    }
}
