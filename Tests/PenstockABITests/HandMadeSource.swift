// SPDX-License-Identifier: Apache-2.0

import CPenstock
import ConnectorTesting
import PenstockABI
import PenstockModel

/// A column as a C author would lay it out, right or wrong.
struct HandMadeColumn {
    var name: String? = "c"
    var format: String
    var metadata: [(String, String)] = []
    var isNullable = true
    var length: Int
    var nullCount: Int64 = -1
    var offset = 0
    /// One per buffer; nil for a NULL pointer.
    var buffers: [[UInt8]?]

    /// A column without NULLs.
    init<T: BitwiseCopyable>(_ format: String, _ values: [T]) {
        self.format = format
        length = values.count
        buffers = [nil, bytes(values)]
    }

    /// A column of texts with 32-bit or 64-bit offsets.
    init(_ format: String, texts: [[UInt8]], validity: [UInt8]? = nil) {
        self.format = format
        length = texts.count
        var ends = [0]
        for text in texts { ends.append((ends.last ?? 0) + text.count) }
        let isLarge = format == "U" || format == "Z"
        buffers = [validity, isLarge ? bytes(ends.map(Int64.init)) : bytes(ends.map(Int32.init)), texts.flatMap { $0 }]
    }

    /// A column with whatever is given.
    init(_ format: String, length: Int, buffers: [[UInt8]?]) {
        self.format = format
        self.length = length
        self.buffers = buffers
    }
}

/// The bytes of numbers as they lie in memory.
func bytes<T: BitwiseCopyable>(_ values: [T]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

/// A source made of bare C tables, which delivers hand-made columns and counts what is released.
final class HandMadeSource {
    var columns: [HandMadeColumn]
    /// Rows of the batch as a whole; nil for those of the first column.
    var rows: Int64?
    var parentOffset: Int64 = 0
    var schemaFormat = "+s"
    var batches = 1
    var childrenMissing: Int64 = 0
    /// What `get_next` returns once the batches are used up.
    var endsWith: Int32 = 0
    var error: penstock_error?
    private(set) var arraysOpen = 0
    private(set) var isReadOpen = false
    private(set) var isSourceOpen = false
    var table = penstock_connector()
    var api = penstock_source_api()

    private static func of(_ pointer: UnsafeMutableRawPointer?) -> HandMadeSource {
        // A fault of the test itself, which nothing could go on from.
        guard let pointer else { fatalError("a NULL handle came back") }
        return Unmanaged<HandMadeSource>.fromOpaque(pointer).takeUnretainedValue()
    }

    init(_ columns: [HandMadeColumn]) {
        self.columns = columns
        api.size = UInt32(MemoryLayout<penstock_source_api>.size)
        api.open = { connector, _, out, _ in
            out?.pointee = OpaquePointer(connector?.pointee.owner)
            HandMadeSource.of(connector?.pointee.owner).isSourceOpen = true
            return 0
        }
        api.close = { HandMadeSource.of(UnsafeMutableRawPointer($0)).isSourceOpen = false }
        api.check = { _, _, _ in 1 }
        api.discover = { _, _, _, _, _ in 1 }
        api.describe = { source, _, out, _ in
            out?.pointee = HandMadeSource.of(UnsafeMutableRawPointer(source)).schema()
            return 0
        }
        api.read = { source, _, outRead, outStream, _ in
            let object = HandMadeSource.of(UnsafeMutableRawPointer(source))
            object.isReadOpen = true
            outRead?.pointee = source
            outStream?.pointee = object.stream()
            return 0
        }
        api.read_cancel = { _ in }
        api.read_error = { read, out in
            let object = HandMadeSource.of(UnsafeMutableRawPointer(read))
            if let error = object.error { out?.pointee = error }
        }
        api.read_close = { HandMadeSource.of(UnsafeMutableRawPointer($0)).isReadOpen = false }
        fillTable()
    }

    private func fillTable() {
        table.size = UInt32(MemoryLayout<penstock_connector>.size)
        table.major = UInt16(PENSTOCK_MAJOR)
        table.owner = Unmanaged.passRetained(self).toOpaque()
        table.id = kept("handmade")
        table.title = kept("Hand-made")
        table.version = kept("1.0.0")
        table.summary = kept("Made by hand.")
        table.caps = PENSTOCK_CAP_SOURCE
        table.config_schema = kept("{\"v\":1,\"type\":\"object\"}")
    }

    /// Loads the tables as they are now; they are kept for the rest of the process.
    func load() throws(ConnectorError) -> LoadedConnector {
        table.source = table.source ?? UnsafePointer(kept(api))
        return try LoadedConnector(UnsafePointer(kept(table)))
    }

    /// Everything that a read delivers.
    func read(batchRowsMax: Int = 4_096) throws(ConnectorError) -> [SourceBatch] {
        let source = try load().openSource(.object([:] as JSONObject), host: TestHost())
        defer { source.close() }
        let stream = try source.read(ReadRequest(.object("x"), batchRowsMax: batchRowsMax))
        defer { stream.close() }
        return try drained(stream)
    }

    /// The values of the first column of a read.
    func values() throws(ConnectorError) -> [Value] {
        let batch = try read()[0].batch
        return (0..<batch.rowCount).map { batch.value($0, 0) }
    }

    private func schema() -> ArrowSchema {
        var schema = ArrowSchema()
        schema.format = kept(schemaFormat)
        schema.n_children = Int64(columns.count)
        schema.children = UnsafeMutablePointer.allocate(capacity: columns.count)
        for (index, column) in columns.enumerated() {
            var child = ArrowSchema()
            child.format = kept(column.format)
            child.name = column.name.map { kept($0) } ?? nil
            if !column.metadata.isEmpty { child.metadata = metadata(column.metadata) }
            child.flags = column.isNullable ? Int64(ARROW_FLAG_NULLABLE) : 0
            child.release = { $0?.pointee.release = nil }
            schema.children[index] = kept(child)
        }
        schema.release = { $0?.pointee.release = nil }
        return schema
    }

    private func stream() -> ArrowArrayStream {
        ArrowArrayStream(
            get_schema: { stream, out in
                out?.pointee = HandMadeSource.of(stream?.pointee.private_data).schema()
                return 0
            },
            get_next: { stream, out in HandMadeSource.of(stream?.pointee.private_data).next(out) },
            get_last_error: { _ in nil },
            release: { $0?.pointee.release = nil },
            private_data: Unmanaged.passUnretained(self).toOpaque())
    }

    private func next(_ out: UnsafeMutablePointer<ArrowArray>?) -> Int32 {
        guard batches > 0 else { return endsWith }
        batches -= 1
        var array = ArrowArray()
        array.length = rows ?? Int64(columns[0].length - columns[0].offset)
        array.offset = parentOffset
        array.n_buffers = 1
        array.buffers = pointers([nil])
        array.n_children = Int64(columns.count) - childrenMissing
        array.children = UnsafeMutablePointer.allocate(capacity: columns.count)
        array.private_data = Unmanaged.passUnretained(self).toOpaque()
        for (index, column) in columns.enumerated() {
            var child = ArrowArray()
            child.length = Int64(column.length - column.offset)
            child.offset = Int64(column.offset)
            child.null_count = column.nullCount
            child.n_buffers = Int64(column.buffers.count)
            child.buffers = pointers(column.buffers)
            child.release = { $0?.pointee.release = nil }
            array.children[index] = kept(child)
        }
        array.release = { array in
            HandMadeSource.of(array?.pointee.private_data).arraysOpen -= 1
            array?.pointee.release = nil
        }
        arraysOpen += 1
        out?.pointee = array
        return 0
    }

    private func metadata(_ pairs: [(String, String)]) -> UnsafePointer<CChar>? {
        var encoded = bytes([Int32(pairs.count)])
        for (key, value) in pairs {
            encoded += bytes([Int32(key.utf8.count)]) + Array(key.utf8)
            encoded += bytes([Int32(value.utf8.count)]) + Array(value.utf8)
        }
        return kept(encoded)
    }
}

// What follows is never freed: the tests are small, and the contract says that tables live as long as the process.

/// A copy that stays.
func kept<T>(_ value: T) -> UnsafeMutablePointer<T> {
    let room = UnsafeMutablePointer<T>.allocate(capacity: 1)
    room.initialize(to: value)
    return room
}

/// A NUL-terminated copy that stays.
func kept(_ text: String) -> UnsafePointer<CChar>? { kept(Array(text.utf8) + [0]) }

private func kept(_ bytes: [UInt8]) -> UnsafePointer<CChar>? {
    let room = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
    for (index, byte) in bytes.enumerated() { room[index] = CChar(bitPattern: byte) }
    return UnsafePointer(room)
}

private func pointers(_ buffers: [[UInt8]?]) -> UnsafeMutablePointer<UnsafeRawPointer?> {
    let room = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: max(1, buffers.count))
    for (index, buffer) in buffers.enumerated() {
        room[index] = buffer.map { bytes in
            // An odd address, so that nothing may rely on alignment.
            let copy = UnsafeMutableRawPointer.allocate(byteCount: bytes.count + 1, alignment: 8) + 1
            copy.copyMemory(from: bytes, byteCount: bytes.count)
            return UnsafeRawPointer(copy)
        }
    }
    return room
}
