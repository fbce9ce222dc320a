// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel
import Synchronization

/// A stream of a loaded connector.
final class LoadedStream: RecordStream {
    /// The slots of the connector's table that a read needs.
    struct Slots {
        let cancel: @convention(c) (OpaquePointer?) -> Void
        let error: @convention(c) (OpaquePointer?, UnsafeMutablePointer<penstock_error>?) -> Void
        let close: @convention(c) (OpaquePointer?) -> Void
    }

    /// What the connector was asked for, and is held to.
    struct Limits {
        var columns: [String] = []
        var batchRowsMax = Int(Int32.max)
        var rowsMax: Int64?
    }

    private enum Phase {
        case reading
        case ended
        case failed
        case closed
    }

    let schema: Schema
    var openWriters: OpenWriters? { imported.openWriters }
    private let imported: ImportedSchema
    private let stream: UnsafeMutablePointer<ArrowArrayStream>
    private let read: Mutex<Read>
    private let slots: Slots
    private let limits: Limits
    private let checks: ContractChecks
    private var owner: AnyObject?
    private var phase = Phase.reading
    private var rows: Int64 = 0

    /// The connector's handle, until it is closed.
    private struct Read: @unchecked Sendable {  // Only touched under the lock.
        var pointer: OpaquePointer?
    }

    /// Takes over what the connector has just opened, and gets the schema.
    ///
    /// - Parameter owner: The connection, which stays open until the stream is closed.
    /// - Throws: ``ConnectorError``; nothing stays open then.
    init(
        taking stream: ArrowArrayStream, _ read: OpaquePointer?, _ slots: Slots, keeping owner: AnyObject,
        limits: Limits, _ checks: ContractChecks
    ) throws(ConnectorError) {
        let place = UnsafeMutablePointer<ArrowArrayStream>.allocate(capacity: 1)
        place.initialize(to: stream)
        do {
            imported = try Self.schema(place, read, slots, limits, checks)
        } catch {
            place.pointee.release?(place)
            place.deallocate()
            if let read { slots.close(read) }
            throw error
        }
        schema = imported.schema
        self.stream = place
        self.read = Mutex(Read(pointer: read))
        self.slots = slots
        self.limits = limits
        self.checks = checks
        self.owner = owner
    }

    deinit {
        close()
        stream.deallocate()
    }

    func next() throws(ConnectorError) -> SourceBatch? {
        switch phase {
        case .reading: break
        case .ended: return nil
        case .failed, .closed: throw ConnectorError(.badRequest, "The stream has failed or is closed already.")
        }
        do {
            guard let batch = try nextBatch() else {
                phase = .ended
                return nil
            }
            return batch
        } catch {
            phase = .failed
            throw error
        }
    }

    func cancel() { read.withLock { read in if let pointer = read.pointer { slots.cancel(pointer) } } }

    func close() {
        guard phase != .closed else { return }
        phase = .closed
        stream.pointee.release?(stream)
        let last = read.withLock { read in
            defer { read.pointer = nil }
            return Read(pointer: read.pointer)
        }
        if let pointer = last.pointer { slots.close(pointer) }
        owner = nil
    }

    // MARK: - Reading

    private static func schema(
        _ stream: UnsafeMutablePointer<ArrowArrayStream>, _ read: OpaquePointer?, _ slots: Slots,
        _ limits: Limits, _ checks: ContractChecks
    ) throws(ConnectorError) -> ImportedSchema {
        guard let read, stream.pointee.release != nil, let getSchema = stream.pointee.get_schema,
            stream.pointee.get_next != nil
        else { throw checks.breach("read", "it reported success without a handle or a whole stream") }
        var room = ArrowSchema()
        let number = getSchema(stream, &room)
        guard number == 0 else { throw failure(number, "get_schema", stream, read, slots, checks) }
        let imported = try OwnedSchema(taking: room).withSchema { schema throws(ConnectorError) in
            try ImportedSchema(schema, "get_schema", checks)
        }
        let names = imported.schema.fields.map(\.name)
        guard limits.columns.isEmpty || names == limits.columns else {
            throw checks.breach(
                "read",
                "it delivers the columns \(names.joined(separator: ", ")) where it was asked for "
                    + limits.columns.joined(separator: ", "))
        }
        return imported
    }

    private func nextBatch() throws(ConnectorError) -> SourceBatch? {
        // An empty batch is passed over: only the end of the stream means anything here.
        while true {
            var room = ArrowArray()
            let number = stream.pointee.get_next(stream, &room)
            guard number == 0 else {
                let pointer = read.withLock { Read(pointer: $0.pointer) }.pointer
                throw Self.failure(number, "get_next", stream, pointer, slots, checks)
            }
            guard room.release != nil else { return nil }
            let owned = OwnedArray(taking: room)
            guard room.length != 0 else { continue }
            guard room.length <= Int64(limits.batchRowsMax) else {
                throw checks.breach(
                    "get_next", "a batch has \(room.length) rows where at most \(limits.batchRowsMax) are allowed")
            }
            rows += max(0, room.length)
            if let rowsMax = limits.rowsMax, rows > rowsMax {
                throw checks.breach("get_next", "it delivered more than the \(rowsMax) rows it was asked for")
            }
            return try owned.withArray { array throws(ConnectorError) in
                try SourceBatch(array, imported, "get_next", checks)
            }
        }
    }

    /// Why a call on the stream returned `number`: what `read_error` says, else what the stream says.
    private static func failure(
        _ number: Int32, _ call: String, _ stream: UnsafeMutablePointer<ArrowArrayStream>, _ read: OpaquePointer?,
        _ slots: Slots, _ checks: ContractChecks
    ) -> ConnectorError {
        var room = penstock_error()
        if let read { slots.error(read, &room) }
        if room.code != penstock_status(PENSTOCK_OK) { return checks.error(room, room.code, call) }
        var error = checks.error(room, statusCode(streamErrno: number).rawValue, call)
        if let text = stream.pointee.get_last_error?(stream), text.pointee != 0 {
            error.message = String(cString: text)
        }
        return error
    }
}
