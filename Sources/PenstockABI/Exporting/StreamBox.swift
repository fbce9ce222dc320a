// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

/// Holds a Swift record stream for C, both as the handle of the read and as the stream of Arrow.
final class StreamBox {
    private let stream: any RecordStream
    private var lastError: ConnectorError?
    private var lastMessage: penstock_text?

    private init(_ stream: any RecordStream) { self.stream = stream }

    deinit { if var old = lastMessage { old.release?(&old) } }

    /// Hands `stream` over; `close` and the stream's `release` take it back together.
    static func give(
        _ stream: any RecordStream, _ outRead: UnsafeMutablePointer<OpaquePointer?>?,
        _ outStream: UnsafeMutablePointer<ArrowArrayStream>?
    ) {
        let box = StreamBox(stream)
        outRead?.pointee = given(box)
        outStream?.pointee = ArrowArrayStream(
            get_schema: { stream, out in
                StreamBox.delivering(stream) { box in
                    out?.pointee = ArrowSchema(
                        box.stream.schema, withRejects: true, openWriters: box.stream.openWriters)
                }
            },
            get_next: { stream, out in
                StreamBox.delivering(stream) { box throws(ConnectorError) in
                    out?.pointee = try box.nextArray()
                }
            },
            get_last_error: { stream in StreamBox.of(stream)?.message() },
            release: { stream in
                guard let stream else { return }
                _ = taken(OpaquePointer(stream.pointee.private_data), StreamBox.self)
                stream.pointee = ArrowArrayStream()
            },
            private_data: UnsafeMutableRawPointer(given(box)))
    }

    /// The slot `read_cancel`.
    static let cancel: @convention(c) (OpaquePointer?) -> Void = { read in
        guard let read else { return }
        box(read).stream.cancel()
    }

    /// The slot `read_error`.
    static let error: @convention(c) (OpaquePointer?, UnsafeMutablePointer<penstock_error>?) -> Void = { read, out in
        guard let read, let error = box(read).lastError else { return }
        out?.pointee = penstock_error(error)
    }

    /// The slot `read_close`.
    static let close: @convention(c) (OpaquePointer?) -> Void = { read in taken(read, StreamBox.self)?.stream.close() }

    private static func box(_ read: OpaquePointer) -> StreamBox {
        Unmanaged<StreamBox>.fromOpaque(UnsafeRawPointer(read)).takeUnretainedValue()
    }

    private static func of(_ stream: UnsafeMutablePointer<ArrowArrayStream>?) -> StreamBox? {
        guard let data = stream?.pointee.private_data else { return nil }
        return Unmanaged<StreamBox>.fromOpaque(data).takeUnretainedValue()
    }

    private static func delivering(
        _ stream: UnsafeMutablePointer<ArrowArrayStream>?, _ body: (StreamBox) throws(ConnectorError) -> Void
    ) -> Int32 {
        guard let box = of(stream) else { return streamErrno(.badRequest) }
        do {
            try body(box)
            return 0
        } catch {
            box.lastError = error
            return streamErrno(error.code)
        }
    }

    /// The next rows, or the released array that ends the stream.
    private func nextArray() throws(ConnectorError) -> ArrowArray {
        guard let next = try stream.next() else { return ArrowArray() }
        return try ArrowArray(next.batch, rejects: next.rejects)
    }

    /// The last error's sentence; valid until the next call on the stream.
    private func message() -> UnsafePointer<CChar>? {
        guard let lastError else { return nil }
        if var old = lastMessage { old.release?(&old) }
        lastMessage = penstock_text(giving: Array(lastError.message.utf8))
        return lastMessage?.ptr
    }
}
