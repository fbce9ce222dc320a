// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel
import Synchronization

/// A write session of a loaded connector.
final class LoadedSession: WriteSession {
    private let owner: DestinationHandle
    private let session: Mutex<Session>
    private let inbox: ResultInbox
    private let number: UInt
    private let host: any HostServices
    private let checks: ContractChecks

    /// The connector's handle, until the session has ended.
    private struct Session: @unchecked Sendable {  // Only touched under the lock, or lent for one serial call.
        var pointer: OpaquePointer?
    }

    /// Begins a session; the destination's handle stays open until it has ended.
    init(
        _ request: WriteRequest, _ owner: DestinationHandle, _ host: any HostServices, _ checks: ContractChecks,
        _ onResults: @escaping @Sendable (UInt64, [RowResult]) -> Void
    ) throws(ConnectorError) {
        let inbox = ResultInbox(checks, onResults)
        let number = ResultInbox.open.insert(inbox)
        var handle: OpaquePointer?
        do throws(ConnectorError) {
            try checks.checked("begin") { error in
                Self.lend(request, number) { owner.table.begin(owner.pointer, $0, &handle, error) }
            }
            guard handle != nil else { throw checks.breach("begin", "it reported success without a handle") }
        } catch {
            ResultInbox.open.remove(number)
            throw error
        }
        session = Mutex(Session(pointer: handle))
        self.owner = owner
        self.inbox = inbox
        self.number = number
        self.host = host
        self.checks = checks
    }

    deinit { end() }

    func submit(_ batch: RecordBatch, id: UInt64) throws(ConnectorError) -> Bool {
        let pointer = try opened()
        var array = try ArrowArray(batch, rejects: nil)
        do {
            try inbox.expect(id, rows: batch.rowCount)
        } catch {
            array.release(&array)
            throw error
        }
        var room = penstock_error()
        let status = owner.table.submit(pointer, id, &array, &room)
        if status == penstock_status(PENSTOCK_OK) { return true }
        inbox.forget(id)
        array.release?(&array)
        if status == penstock_status(PENSTOCK_BUSY) { return false }
        throw checks.error(room, status, "submit")
    }

    func flush() throws(ConnectorError) {
        let pointer = try opened()
        var failure: ConnectorError?
        do {
            try checks.checked("flush") { owner.table.flush(pointer, $0) }
        } catch {
            failure = error
        }
        if var breach = inbox.settleMissing("flush") {
            if let failure, breach.detail.isEmpty { breach.detail = failure.description }
            throw breach
        }
        if let failure { throw failure }
    }

    func abort() { session.withLock { session in if let pointer = session.pointer { owner.table.abort(pointer) } } }

    func end() {
        let last = session.withLock { session in
            defer { session.pointer = nil }
            return Session(pointer: session.pointer)
        }
        guard let pointer = last.pointer else { return }
        owner.table.end(pointer)
        // Nobody is left to throw to.
        if let breach = inbox.settleMissing("end") {
            host.log(.error, "connector broke its contract", ["error": breach.message])
        }
        ResultInbox.open.remove(number)
    }

    private func opened() throws(ConnectorError) -> OpaquePointer {
        guard let pointer = session.withLock({ Session(pointer: $0.pointer) }).pointer else {
            throw ConnectorError(.badRequest, "The write session has ended already.")
        }
        return pointer
    }

    private static func lend(
        _ request: WriteRequest, _ number: UInt, _ body: (UnsafePointer<penstock_write_request>) -> penstock_status
    ) -> penstock_status {
        var schema = ArrowSchema(request.schema, withRejects: false)
        defer { schema.release?(&schema) }
        var arena = TextArena()
        arena.add(request.object.utf8)
        return withUnsafePointer(to: schema) { schema in
            arena.lend { texts in
                var asked = penstock_write_request()
                asked.object = texts[0]
                asked.mode = request.mode.rawValue
                asked.in_flight_max = UInt32(clamping: request.inFlightMax)
                asked.schema = schema
                asked.on_results = ResultInbox.receive
                asked.results_ctx = NumberedObjects<ResultInbox>.context(number)
                return body(&asked)
            }
        }
    }
}
