// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockABI
import PenstockModel

/// The document that a call returned, or what is wrong with it.
struct DocumentAnswer<Value> {
    /// The text.
    let text: String
    /// What it says, or why it cannot be used.
    let value: Result<Value, DocumentError>
}

/// An open source connection.
final class SourceUnderTest {
    private let table: penstock_source_api
    private let host: HostTable
    private let transcript: Transcript
    private var handle: OpaquePointer?

    /// Takes over a handle.
    init(_ handle: OpaquePointer, _ table: penstock_source_api, _ host: HostTable, _ transcript: Transcript) {
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

    /// Lists objects.
    func discover(_ ids: [String] = []) throws(Refusal) -> DocumentAnswer<Catalog> {
        var arena = TextArena()
        arena.add(ids)
        return try document("discover", transcript, Catalog.init(document:)) { text, error in
            arena.lend { table.discover(handle, $0.baseAddress, UInt32($0.count), text, error) }
        }
    }

    /// The columns that a read would deliver.
    func describe(_ request: ReadRequest) throws(Refusal) -> SchemaUnderTest {
        var room = ArrowSchema()
        try called("describe", transcript, outputs: { room.release == nil ? [] : ["out_schema"] }) { error in
            request.lend { table.describe(handle, $0, &room, error) }
        }
        return SchemaUnderTest(room, "describe")
    }

    /// Starts a read.
    func read(_ request: ReadRequest) throws(Refusal) -> ReadUnderTest {
        var read: OpaquePointer?
        var stream = ArrowArrayStream()
        try called(
            "read", transcript,
            outputs: { (read == nil ? [] : ["out_read"]) + (stream.release == nil ? [] : ["out_stream"]) }
        ) { error in request.lend { table.read(handle, $0, &read, &stream, error) } }
        guard let read, stream.release != nil else { throw ConnectorUnderTest.empty("read") }
        let slots = ReadUnderTest.Slots(cancel: table.read_cancel, error: table.read_error, close: table.read_close)
        return ReadUnderTest(read, stream, slots, transcript)
    }
}

/// Calls C with room for a document, and reads what it puts there.
func document<T>(
    _ call: String, _ transcript: Transcript, _ decode: (JSON) throws(DocumentError) -> T,
    _ body: (UnsafeMutablePointer<penstock_text>, UnsafeMutablePointer<penstock_error>) -> penstock_status
) throws(Refusal) -> DocumentAnswer<T> {
    var text = penstock_text()
    try called(call, transcript, outputs: { text.ptr == nil ? [] : ["out_json"] }) { error in body(&text, error) }
    let hasRelease = text.release != nil || text.ptr == nil
    let bytes = [UInt8](taking: &text)
    let words = String(decoding: bytes, as: UTF8.self)
    transcript.add(words)
    do throws(DocumentError) {
        guard hasRelease else { throw DocumentError(reason: "it cannot be given back: its release is NULL") }
        guard bytes.count <= Document.bytesMax else { throw DocumentError(reason: "it has more than 16 MiB") }
        return DocumentAnswer(text: words, value: .success(try decode(try Document.parse(bytes))))
    } catch {
        return DocumentAnswer(text: words, value: .failure(error))
    }
}

/// A read in progress.
final class ReadUnderTest {
    /// The functions of a table that a read needs.
    struct Slots {
        let cancel: @convention(c) (OpaquePointer?) -> Void
        let error: @convention(c) (OpaquePointer?, UnsafeMutablePointer<penstock_error>?) -> Void
        let close: @convention(c) (OpaquePointer?) -> Void
    }

    private let stream: UnsafeMutablePointer<ArrowArrayStream>
    private let slots: Slots
    private let transcript: Transcript
    private var read: OpaquePointer?

    /// Takes over a read.
    init(_ read: OpaquePointer, _ stream: ArrowArrayStream, _ slots: Slots, _ transcript: Transcript) {
        self.read = read
        self.slots = slots
        self.transcript = transcript
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: stream)
    }

    deinit {
        close()
        stream.deallocate()
    }

    /// The columns.
    func schema() throws(Refusal) -> SchemaUnderTest {
        guard let getSchema = stream.pointee.get_schema else { throw ConnectorUnderTest.empty("get_schema") }
        var room = ArrowSchema()
        let number = getSchema(stream, &room)
        guard number == 0 else { throw refusal("get_schema", number, isEmpty: room.release == nil) }
        return SchemaUnderTest(room, "get_schema")
    }

    /// The next batch, or nil at the end.
    func next() throws(Refusal) -> BatchUnderTest? {
        guard let getNext = stream.pointee.get_next else { throw ConnectorUnderTest.empty("get_next") }
        var room = ArrowArray()
        let number = getNext(stream, &room)
        guard number == 0 else { throw refusal("get_next", number, isEmpty: room.release == nil) }
        return room.release == nil ? nil : BatchUnderTest(room)
    }

    /// Asks the read to stop; any thread.
    func cancel() { if let read { slots.cancel(read) } }

    /// Releases the stream.
    ///
    /// - Returns: Whether it is marked as released afterwards, as Arrow asks.
    @discardableResult
    func release() -> Bool {
        stream.pointee.release?(stream)
        let isMarked = stream.pointee.release == nil
        stream.pointee.release = nil
        return isMarked
    }

    /// Releases the stream where that was not done, and closes the read.
    func close() {
        guard let read else { return }
        release()
        slots.close(read)
        self.read = nil
    }

    private func refusal(_ call: String, _ number: Int32, isEmpty: Bool) -> Refusal {
        var room = penstock_error()
        slots.error(read, &room)
        let said = room.code == penstock_status(PENSTOCK_OK) ? statusCode(streamErrno: number).rawValue : room.code
        var refusal = Refusal(call, said, room, outputs: isEmpty ? [] : ["out"])
        refusal.number = number
        transcript.add(refusal.error)
        if let text = stream.pointee.get_last_error?(stream) { transcript.add(String(cString: text)) }
        return refusal
    }
}
