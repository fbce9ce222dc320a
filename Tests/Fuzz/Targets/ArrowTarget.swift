// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockABI
import PenstockModel

extension FuzzTarget {
    /// Arrow memory from a connector: lengths, offsets, counts, formats and pointers that lie are refused, and what is
    /// taken is a batch in which everything agrees and that comes back the same through the boundary.
    static let arrow = FuzzTarget(
        "arrow",
        pieces: [
            "u\u{0}", "U\u{0}", "z\u{0}", "l\u{0}", "b\u{0}", "n\u{0}", "g\u{0}", "tdD\u{0}", "tdm\u{0}", "tsn:\u{0}",
            "tss:UTC\u{0}", "ttu\u{0}", "ttn\u{0}", "w:3\u{0}", "d:38,2\u{0}", "d:5,-2\u{0}", "+l\u{0}",
            "__penstock_reject\u{0}", "c\u{0}", "\u{7F}\u{7F}",
        ]
    ) { bytes, isPlanted in
        var input = FuzzInput(bytes)
        let memory = ArrowMemory(&input)
        defer { memory.free() }
        let checks = ContractChecks(connector: "fuzz")
        do {
            let imported = try ImportedSchema(memory.schema, "read", checks)
            let batch = try SourceBatch(memory.array, imported, "get_next", checks)
            if let fault = BatchCheck.fault(batch) { return fault }
            // The planted fault: a reject beside a decimal of the second column.
            let fields = batch.batch.schema.fields
            if isPlanted, !batch.rejects.isEmpty, fields.count > 1, fields[1].type == .decimal { return "planted" }
            return try roundTripFault(batch, checks)
        } catch let error as ConnectorError {
            let isNamed = error.code == .contractBreach && error.message.hasPrefix("The connector fuzz broke")
            return isNamed || error.code == .badData ? nil : "another error: \(error.message)"
        } catch {
            return "another error: \(error)"
        }
    }

    private static func roundTripFault(_ batch: SourceBatch, _ checks: ContractChecks) throws -> String? {
        var array = try ArrowArray(batch.batch, rejects: batch.rejects)
        defer { array.release?(&array) }
        var schema = ArrowSchema(batch.batch.schema, withRejects: true)
        defer { schema.release?(&schema) }
        let again = try SourceBatch(array, try ImportedSchema(schema, "read", checks), "get_next", checks)
        return same(again, batch) ? nil : "through the boundary the batch is another one"
    }

    /// Whether two batches are the same, NaNs included.
    private static func same(_ left: SourceBatch, _ right: SourceBatch) -> Bool {
        guard left.rejects == right.rejects, left.batch.rowCount == right.batch.rowCount else { return false }
        return (0..<left.batch.rowCount).allSatisfy { row in
            left.batch.columns.indices.allSatisfy { column in
                let (a, b) = (left.batch.value(row, column), right.batch.value(row, column))
                if case (.float64(let x), .float64(let y)) = (a, b), x.isNaN, y.isNaN { return true }
                return a == b
            }
        }
    }
}

/// A schema and an array as an input describes them: every buffer is as long as what it claims to hold, and no longer.
private final class ArrowMemory {
    private(set) var schema = ArrowSchema()
    private(set) var array = ArrowArray()
    private var rooms: [UnsafeMutableRawPointer] = []
    /// Claims that nobody means; 1 << 31 rows are one that no memory here could back, so that it must be refused.
    private static let hostile: [Int64] = [-1, .min, .max, 1 << 31, 1 << 32, 1 << 41, 3, 0]
    /// The same for where a column starts, which may be further than a batch is long.
    private static let hostileStarts: [Int64] = [-1, .min, .max, 1 << 41, -8, .min + 1, 3, 0]

    /// What the harness itself can hold: a claim beyond it is either one that must be refused, or is not made.
    private static let rowsMax = 40

    init(_ input: inout FuzzInput) {
        let columns = 1 + input.choice(4)
        array.length = Self.number(&input, below: Self.rowsMax)
        array.offset = Self.number(&input, below: 9)
        array.null_count = input.flag() ? 0 : -1
        array.n_children = input.choice(30) == 29 ? Self.hostile[input.choice(8)] : Int64(columns)
        if array.n_children > columns { array.n_children = -1 }
        let schemas = room(of: UnsafeMutablePointer<ArrowSchema>?.self, columns)
        let arrays = room(of: UnsafeMutablePointer<ArrowArray>?.self, columns)
        let isReadable = (1...Int64(Self.rowsMax)).contains(array.length) && (0..<9).contains(array.offset)
        for index in 0..<columns {
            let format = input.line()
            schemas[index] = pointer(column(format, &input))
            let child = child(format, isReadable ? Int(array.length) : 1, isReadable ? Int(array.offset) : 0, &input)
            arrays[index] = input.choice(60) == 59 ? nil : pointer(child)
        }
        schema.format = text(Array((input.choice(60) == 59 ? "+l" : "+s").utf8))
        schema.n_children = Int64(columns)
        schema.children = schemas
        schema.release = { _ in }
        array.children = input.choice(60) == 59 ? nil : arrays
        array.n_buffers = 1
        let top = room(of: UnsafeRawPointer?.self, 1)
        top[0] = input.choice(9) == 8 ? UnsafeRawPointer(buffer(input.take(8), count: 8)) : nil
        array.buffers = top
        array.release = { _ in }
    }

    func free() { for room in rooms { room.deallocate() } }

    /// Mostly a small number, sometimes one that nobody means.
    private static func number(_ input: inout FuzzInput, below limit: Int, _ hostile: [Int64] = hostile) -> Int64 {
        let byte = input.byte()
        return byte >= 240 ? hostile[Int(byte) & 7] : Int64(Int(byte) % limit)
    }

    private func room<T>(of type: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
        let size = max(1, count * MemoryLayout<T>.stride)
        let room = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        room.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        rooms.append(room)
        return room.assumingMemoryBound(to: T.self)
    }

    private func pointer<T>(_ value: T) -> UnsafeMutablePointer<T> {
        let pointer = room(of: T.self, 1)
        pointer.pointee = value
        return pointer
    }

    /// `bytes` over and over, `count` of them.
    private func buffer(_ bytes: [UInt8], count: Int) -> UnsafeMutablePointer<UInt8> {
        let room = room(of: UInt8.self, count)
        if !bytes.isEmpty { for index in 0..<count { room[index] = bytes[index % bytes.count] } }
        return room
    }

    private func text(_ bytes: [UInt8]) -> UnsafePointer<CChar> {
        let room = room(of: CChar.self, bytes.count + 1)
        for (index, byte) in bytes.enumerated() { room[index] = CChar(bitPattern: byte) }
        return UnsafePointer(room)
    }

    private func column(_ format: [UInt8], _ input: inout FuzzInput) -> ArrowSchema {
        var column = ArrowSchema()
        column.format = input.choice(60) == 59 ? nil : text(format)
        column.name = input.choice(60) == 59 ? nil : text(input.line())
        column.flags = input.flag() ? Int64(ARROW_FLAG_NULLABLE) : 0
        column.metadata = input.flag() ? metadata(&input) : nil
        column.release = { _ in }
        return column
    }

    /// One pair, its lengths as they are or as nobody means them.
    private func metadata(_ input: inout FuzzInput) -> UnsafePointer<CChar> {
        let tags = ["decimal", "json", "uuid", "text", "x"]
        let key = Array("penstock.type".utf8)
        let value = Array(tags[input.choice(tags.count)].utf8)
        func bytes(_ number: Int32) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }
        let count: Int32 = input.choice(30) == 29 ? [-1, .max, 1 << 12, .min][input.choice(4)] : 1
        let length: Int32 = input.choice(30) == 29 ? [-1, .max, .min, 1 << 21][input.choice(4)] : Int32(key.count)
        return text(bytes(count) + bytes(length) + key + bytes(Int32(value.count)) + value)
    }

    private func child(_ format: [UInt8], _ rows: Int, _ parent: Int, _ input: inout FuzzInput) -> ArrowArray {
        var child = ArrowArray()
        let offset = Int(Self.number(&input, below: 9, Self.hostileStarts))
        child.offset = Int64(offset)
        child.length = input.choice(12) == 11 ? Self.hostile[input.choice(8)] : Int64(rows + parent)
        let states = input.byte()
        child.null_count = states >= 240 ? Self.hostile[Int(states) & 7] : -1
        // As many values as can be reached where the claims are possible at all.
        let count = (0..<9).contains(offset) ? offset + parent + rows : 1
        let layout = String(decoding: format, as: UTF8.self)
        let isBytes = ["u", "U", "z", "Z"].contains(layout)
        child.n_buffers = input.choice(30) == 29 ? [-1, 0, 1, 9][input.choice(4)] : layout == "n" ? 0 : isBytes ? 3 : 2
        let buffers = room(of: UnsafeRawPointer?.self, 3)
        child.buffers = input.choice(60) == 59 ? nil : buffers
        let bits = input.take(Int(input.byte()) & 7)
        buffers[0] = bits.isEmpty ? nil : UnsafeRawPointer(buffer(bits, count: (count + 7) / 8))
        let missing = input.choice(90)
        if isBytes {
            let (offsets, total) = offsets(count + 1, isLarge: layout == "U" || layout == "Z", &input)
            buffers[1] = missing == 89 ? nil : offsets
            buffers[2] = missing == 88 ? nil : UnsafeRawPointer(buffer(input.take(24), count: total))
        } else {
            let width = layout.hasPrefix("w:") ? min(Int(layout.dropFirst(2)) ?? 1, 1 << 20) : 16
            buffers[1] = missing == 89 ? nil : UnsafeRawPointer(buffer(input.take(24), count: count * max(1, width)))
        }
        child.release = { _ in }
        return child
    }

    /// Offsets that mostly go up by little; the number of bytes that those which are in order reach.
    private func offsets(_ count: Int, isLarge: Bool, _ input: inout FuzzInput) -> (UnsafeRawPointer, Int) {
        var offsets: [Int64] = []
        var end = Int64(input.choice(4))
        let steps = input.take(1 + Int(input.byte()) & 15)
        for index in 0..<count {
            let step = steps.isEmpty ? 1 : steps[index % steps.count]
            offsets.append(step >= 250 ? -Int64(step & 7) : end)
            end += Int64(step & 31)
        }
        let room = buffer([], count: count * 8)
        for (index, offset) in offsets.enumerated() {
            let raw = UnsafeMutableRawPointer(room)
            if isLarge {
                raw.storeBytes(of: offset, toByteOffset: index * 8, as: Int64.self)
            } else {
                raw.storeBytes(of: Int32(offset), toByteOffset: index * 4, as: Int32.self)
            }
        }
        return (UnsafeRawPointer(room), Int(max(1, offsets.max() ?? 1)))
    }
}
