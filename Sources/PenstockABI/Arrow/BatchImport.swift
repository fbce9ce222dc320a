// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

extension SourceBatch {
    /// Copies a batch that came in from the other side, and leaves it to its owner.
    ///
    /// Rows that cannot be represented get NULL in the column at fault and an entry among the rejects.
    /// - Parameters:
    ///   - array: At least one row.
    ///   - call: The call that delivered it, for messages.
    ///   - checks: Names who delivered it.
    /// - Throws: ``ConnectorError`` `contractBreach` where lengths, offsets or buffers cannot be true.
    package init(
        _ array: ArrowArray, _ imported: ImportedSchema, _ call: String, _ checks: ContractChecks
    ) throws(ConnectorError) {
        let rows = Int(array.length)
        try Self.checkTop(array, imported, call, checks)
        var columns: [Column] = []
        var faults: [SourceReject] = []
        for index in 0..<imported.childCount {
            let isReject = index == imported.formats.count
            let field = isReject ? Schema.Field(SourceReject.columnName, .text) : imported.schema.fields[index]
            guard let child = array.children?[index]?.pointee else {
                throw checks.breach(call, "column \(field.name) of a batch is NULL")
            }
            guard child.offset >= 0, child.length >= 0, child.length - array.offset >= array.length,
                child.offset <= 1 << 40
            else { throw checks.breach(call, "column \(field.name) has fewer rows than its batch") }
            var reader = ColumnReader(
                child, start: Int(child.offset + array.offset), count: rows, field: field, call: call,
                checks: checks)
            let format = isReject ? imported.rejectFormat ?? .null : imported.formats[index]
            columns.append(try reader.read(format))
            // A reason that cannot be read is a reason all the same.
            faults += reader.faults.map { fault in
                isReject ? SourceReject(row: fault.row, column: "", value: fault.value, message: fault.message) : fault
            }
        }
        if imported.rejectFormat != nil {
            faults = try Self.stated(columns.removeLast(), call, checks) + faults
        }
        let rejects = Self.oneEach(faults)
        try Self.checkNulls(columns, imported.schema, rejects, call, checks)
        self.init(RecordBatch(imported.schema, columns), rejects: rejects)
    }

    private static func checkTop(
        _ array: ArrowArray, _ imported: ImportedSchema, _ call: String, _ checks: ContractChecks
    ) throws(ConnectorError) {
        guard array.n_children == Int64(imported.childCount) else {
            throw checks.breach(
                call, "a batch has \(array.n_children) columns where its schema has \(imported.childCount)")
        }
        guard array.length >= 1, array.length <= Int64(Int32.max), array.offset >= 0,
            array.offset <= Int64(Int32.max)
        else { throw checks.breach(call, "a batch has \(array.length) rows from row \(array.offset) on") }
        guard array.null_count != 0, array.n_buffers > 0, let bits = array.buffers?[0] else {
            guard array.null_count <= 0 else { throw checks.breach(call, "a batch has rows that are NULL as a whole") }
            return
        }
        let (_, nulls) = copiedBits(bits, start: Int(array.offset), count: Int(array.length))
        guard nulls == 0 else { throw checks.breach(call, "a batch has rows that are NULL as a whole") }
    }

    private static func stated(
        _ column: Column, _ call: String, _ checks: ContractChecks
    ) throws(ConnectorError) -> [SourceReject] {
        guard column.nullCount < column.count else { return [] }
        var rejects: [SourceReject] = []
        for row in 0..<column.count where !column.isNull(row) {
            do {
                rejects.append(try SourceReject(row: row, cell: column.byteSlice(row)))
            } catch {
                throw checks.breach(call, error.reason)
            }
        }
        return rejects
    }

    /// The first fault of each row, in row order.
    private static func oneEach(_ faults: [SourceReject]) -> [SourceReject] {
        guard !faults.isEmpty else { return [] }
        var seen: Set<Int> = []
        return faults.filter { seen.insert($0.row).inserted }.sorted { $0.row < $1.row }
    }

    private static func checkNulls(
        _ columns: [Column], _ schema: Schema, _ rejects: [SourceReject], _ call: String, _ checks: ContractChecks
    ) throws(ConnectorError) {
        let suspects = zip(schema.fields, columns).filter { !$0.isNullable && $1.nullCount > 0 }
        guard !suspects.isEmpty else { return }
        let rejected = Set(rejects.map(\.row))
        for (field, column) in suspects {
            for row in 0..<column.count where column.isNull(row) && !rejected.contains(row) {
                throw checks.breach(
                    call, "column \(field.name) holds NULL but is declared without ARROW_FLAG_NULLABLE")
            }
        }
    }
}

/// A copy of `count` bits from bit `start` on, the bits after the last one 0, and how many of them are 0.
func copiedBits(_ bits: UnsafeRawPointer, start: Int, count: Int) -> (bits: [UInt8], zeros: Int) {
    let bytes = (count + 7) / 8
    let source = bits.assumingMemoryBound(to: UInt8.self) + start / 8
    let shift = UInt8(start % 8)
    let copy = [UInt8](unsafeUninitializedCapacity: bytes) { room, used in
        if shift == 0 {
            room.baseAddress?.update(from: source, count: bytes)
        } else {
            let last = (Int(shift) + count - 1) / 8
            for index in 0..<bytes {
                let high = index + 1 <= last ? source[index + 1] << (8 - shift) : 0
                room[index] = source[index] >> shift | high
            }
        }
        if count % 8 != 0 { room[bytes - 1] &= 1 << UInt8(count % 8) - 1 }
        used = bytes
    }
    return (copy, count - copy.reduce(0) { $0 + $1.nonzeroBitCount })
}
