// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockABI
import PenstockModel

/// An open destination connection.
final class DestinationUnderTest {
    private let table: penstock_destination_api
    private let host: HostTable
    private let transcript: Transcript
    private var handle: OpaquePointer?

    /// Takes over a handle.
    init(_ handle: OpaquePointer, _ table: penstock_destination_api, _ host: HostTable, _ transcript: Transcript) {
        self.handle = handle
        self.table = table
        self.host = host
        self.transcript = transcript
    }

    deinit { close() }

    /// Closes the connection, once.
    func close() {
        guard let handle else { return }
        table.close(handle)
        host.withdraw()
        self.handle = nil
    }

    /// Tries the connection.
    func check() throws(Refusal) -> DocumentAnswer<CheckReport> {
        try document("check", transcript, CheckReport.init(document:)) { text, error in table.check(handle, text, error)
        }
    }

    /// The fields of an object.
    func fields(_ object: String) throws(Refusal) -> DocumentAnswer<[DestinationField]> {
        var arena = TextArena()
        arena.add(object.utf8)
        return try document("fields", transcript, DestinationField.list(document:)) { text, error in
            arena.lend { table.fields(handle, $0[0], nil, 0, text, error) }
        }
    }

    /// The limits as they are known.
    func limits() throws(Refusal) -> DocumentAnswer<[RateLimit]> {
        try document("limits", transcript, RateLimit.list(document:)) { text, error in table.limits(handle, text, error)
        }
    }

    /// Starts reading records back.
    func readBack(_ request: ReadBackRequest) throws(Refusal) -> ReadUnderTest {
        var read: OpaquePointer?
        var stream = ArrowArrayStream()
        try called(
            "read_back", transcript,
            outputs: { (read == nil ? [] : ["out_read"]) + (stream.release == nil ? [] : ["out_stream"]) }
        ) { error in request.lend { table.read_back(handle, $0, &read, &stream, error) } }
        guard let read, stream.release != nil else { throw ConnectorUnderTest.empty("read_back") }
        let slots = ReadUnderTest.Slots(cancel: table.read_cancel, error: table.read_error, close: table.read_close)
        return ReadUnderTest(read, stream, slots, transcript)
    }

    /// Opens a session.
    func begin(_ request: WriteRequest, _ inbox: ResultInboxUnderTest) throws(Refusal) -> SessionUnderTest {
        var session: OpaquePointer?
        var schema = ArrowSchema(request.schema, withRejects: false)
        defer { schema.release?(&schema) }
        var arena = TextArena()
        arena.add(request.object.utf8)
        let context = Unmanaged.passUnretained(inbox).toOpaque()
        try called("begin", transcript, outputs: { session == nil ? [] : ["out_session"] }) { error in
            withUnsafePointer(to: schema) { schema in
                arena.lend { texts in
                    var asked = penstock_write_request()
                    asked.object = texts[0]
                    asked.mode = request.mode.rawValue
                    asked.in_flight_max = UInt32(clamping: request.inFlightMax)
                    asked.schema = schema
                    asked.on_results = ResultInboxUnderTest.receive
                    asked.results_ctx = context
                    return table.begin(handle, &asked, &session, error)
                }
            }
        }
        guard let session else { throw ConnectorUnderTest.empty("begin") }
        return SessionUnderTest(session, table, inbox, transcript)
    }

    /// Makes sure that there is a text field with this label, and returns its key.
    func prepare(_ object: String, label: String) throws(Refusal) -> String {
        guard let prepare = table.prepare else { throw ConnectorUnderTest.empty("prepare") }
        var arena = TextArena()
        arena.add([object, label])
        var text = penstock_text()
        try called("prepare", transcript, outputs: { text.ptr == nil ? [] : ["out_key"] }) { error in
            arena.lend { prepare(handle, $0[0], $0[1], &text, error) }
        }
        return String(decoding: [UInt8](taking: &text), as: UTF8.self)
    }
}

/// A result of a row, as it was reported.
struct ReportedResult: Sendable {
    let batch: UInt64
    let row: Int
    let status: Int32
    let code: Int32
    let httpStatus: Int
    let remoteID: String
    let message: String

    /// The status as a name of `penstock.h`.
    var statusName: String {
        switch status {
        case 1: "CREATED"
        case 2: "UPDATED"
        case 3: "UNCHANGED"
        case 4: "DELETED"
        case 16: "REJECTED"
        case 17: "RETRY"
        case 18: "UNKNOWN"
        case 19: "NOT_TRIED"
        default: "the status \(status), which does not exist"
        }
    }

    /// Whether the row's request was sent and answered or may have been.
    var wasSent: Bool { (1...4).contains(status) || status == 18 }
}

/// Writes down every result of a session, also those that should not come.
final class ResultInboxUnderTest: Sendable {
    private struct State {
        var results: [ReportedResult] = []
        var isEnded = false
        var late = 0
        var overlaps = 0
        var inside = 0
    }

    private let state = Guarded(State())
    private let transcript: Transcript

    /// An inbox that has received nothing.
    init(_ transcript: Transcript) { self.transcript = transcript }

    /// The results so far.
    var results: [ReportedResult] { state.value.results }
    /// How many came after the session had ended.
    var late: Int { state.value.late }
    /// How often two calls were made at once.
    var overlaps: Int { state.value.overlaps }

    /// Counts what comes from now on as late.
    func end() { state.update { $0.isEnded = true } }

    /// The slot `on_results`.
    static let receive: penstock_results_fn = { context, batch, results, count in
        guard let context, let results else { return }
        let inbox = Unmanaged<ResultInboxUnderTest>.fromOpaque(context).takeUnretainedValue()
        inbox.receive(batch, UnsafeBufferPointer(start: results, count: Int(count)))
    }

    private func receive(_ batch: UInt64, _ rows: UnsafeBufferPointer<penstock_row_result>) {
        state.update { state in
            state.inside += 1
            if state.inside > 1 { state.overlaps += 1 }
        }
        var copies: [ReportedResult] = []
        for row in rows {
            let message = String(copying: row.message) ?? ""
            for text in [message, String(copying: row.detail) ?? "", String(copying: row.field) ?? ""] {
                transcript.add(text)
            }
            copies.append(
                ReportedResult(
                    batch: batch, row: Int(row.row), status: row.row_status, code: row.code,
                    httpStatus: Int(row.http_status), remoteID: String(copying: row.remote_id) ?? "",
                    message: message))
        }
        let results = copies
        state.update { state in
            state.results += results
            if state.isEnded { state.late += results.count }
            state.inside -= 1
        }
    }
}

/// Counts how often the batches of a session were released.
final class ReleaseCounter: Sendable {
    private let count = Guarded(0)

    /// How many batches were released.
    var value: Int { count.value }

    /// Counts one.
    func add() { count.update { $0 += 1 } }
}

/// An open write session.
final class SessionUnderTest {
    private let table: penstock_destination_api
    private let inbox: ResultInboxUnderTest
    private let transcript: Transcript
    private var session: OpaquePointer?

    /// Takes over a session.
    init(
        _ session: OpaquePointer, _ table: penstock_destination_api, _ inbox: ResultInboxUnderTest,
        _ transcript: Transcript
    ) {
        self.session = session
        self.table = table
        self.inbox = inbox
        self.transcript = transcript
    }

    deinit { end() }

    /// What became of a batch that was offered.
    enum Submission {
        case taken
        case busy(isStillOurs: Bool)
    }

    /// Offers a batch.
    ///
    /// - Parameter released: Counts its release, by whoever does it.
    func submit(_ batch: RecordBatch, id: UInt64, _ released: ReleaseCounter) throws(Refusal) -> Submission {
        let array: ArrowArray
        do {
            array = try ArrowArray(batch, rejects: nil)
        } catch {
            throw Refusal(call: "submit", error: error, flaws: [])
        }
        var offered = CountedArray.counted(array, released)
        var room = penstock_error()
        let status = table.submit(session, id, &offered, &room)
        if status == penstock_status(PENSTOCK_OK) { return .taken }
        let isStillOurs = offered.release != nil
        offered.release?(&offered)
        if status == penstock_status(PENSTOCK_BUSY) { return .busy(isStillOurs: isStillOurs) }
        let refusal = Refusal("submit", status, room)
        transcript.add(refusal.error)
        throw refusal
    }

    /// Waits until every row taken over has its result.
    func flush() throws(Refusal) { try called("flush", transcript) { error in table.flush(session, error) } }

    /// Stops sending; any thread.
    func abort() { if let session { table.abort(session) } }

    /// Ends the session, once.
    func end() {
        guard let session else { return }
        table.end(session)
        self.session = nil
        inbox.end()
    }
}

/// An array whose release is counted.
private final class CountedArray {
    private let inner: UnsafeMutablePointer<ArrowArray>
    private let counter: ReleaseCounter

    private init(_ array: ArrowArray, _ counter: ReleaseCounter) {
        inner = .allocate(capacity: 1)
        inner.initialize(to: array)
        self.counter = counter
    }

    deinit { inner.deallocate() }

    /// `array` with a release that counts; the box is retained here and released in that release.
    static func counted(_ array: ArrowArray, _ counter: ReleaseCounter) -> ArrowArray {
        let box = CountedArray(array, counter)
        var outer = array
        outer.private_data = Unmanaged.passRetained(box).toOpaque()
        outer.release = { outer in
            guard let outer, let data = outer.pointee.private_data else { return }
            let box = Unmanaged<CountedArray>.fromOpaque(data).takeRetainedValue()
            box.counter.add()
            box.inner.pointee.release?(box.inner)
            outer.pointee.release = nil
            outer.pointee.private_data = nil
        }
        return outer
    }
}
