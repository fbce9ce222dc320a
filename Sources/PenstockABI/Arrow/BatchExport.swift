// SPDX-License-Identifier: Apache-2.0

import CPenstock
import Glibc
import PenstockModel

extension ArrowArray {
    /// A copy of the rows as a struct of Arrow, which whoever takes it gives back through its `release`.
    ///
    /// - Parameter rejects: The column for rejects is added where this is not nil.
    /// - Throws: ``ConnectorError`` `badData` for a date that does not fit 32 bits.
    package init(_ batch: RecordBatch, rejects: [SourceReject]?) throws(ConnectorError) {
        for (field, column) in zip(batch.schema.fields, batch.columns) where field.type == .date {
            guard column.int64s.allSatisfy({ Int32(exactly: $0) != nil }) else {
                throw ConnectorError(
                    .badData, "A date in the column \(field.name) does not fit 32 bits of days.",
                    field: field.name)
            }
        }
        var columns = batch.columns
        if let rejects { columns.append(Column(rejects: rejects, rows: batch.rowCount)) }
        let children = UnsafeMutablePointer<UnsafeMutablePointer<ArrowArray>?>.allocate(capacity: columns.count)
        for (index, column) in columns.enumerated() {
            let child = UnsafeMutablePointer<ArrowArray>.allocate(capacity: 1)
            child.initialize(to: ArrowArray(column))
            children[index] = child
        }
        self.init()
        length = Int64(batch.rowCount)
        n_buffers = 1
        buffers = pointers([nil])
        n_children = Int64(columns.count)
        self.children = children
        release = releaseArray
    }

    private init(_ column: Column) {
        let validity = column.nullCount == 0 ? nil : copied(column.validity)
        self.init()
        length = Int64(column.count)
        null_count = Int64(column.nullCount)
        release = releaseArray
        switch column.type {
        case .bool: buffers = pointers([validity, copied(packedBits(column.int64s))])
        case .date: buffers = pointers([validity, copied(column.int64s.map { Int32(truncatingIfNeeded: $0) })])
        case .int64, .time, .timestamp, .instant: buffers = pointers([validity, copied(column.int64s)])
        case .uint64: buffers = pointers([validity, copied(column.uint64s)])
        case .float64: buffers = pointers([validity, copied(column.float64s)])
        case .decimal, .text, .bytes, .json:
            buffers = pointers([validity, copied(column.offsets), copied(column.bytes)])
            n_buffers = 3
            return
        }
        n_buffers = 2
    }
}

extension Column {
    fileprivate init(rejects: [SourceReject], rows: Int) {
        guard !rejects.isEmpty else {
            self.init(
                .text, count: rows, validity: [UInt8](repeating: 0, count: (rows + 7) / 8), nullCount: rows,
                offsets: [Int32](repeating: 0, count: rows + 1))
            return
        }
        self.init(.text, capacity: rows)
        var next = 0
        for row in 0..<rows {
            if next < rejects.count, rejects[next].row == row {
                append(bytes: rejects[next].document.utf8)
                next += 1
            } else {
                appendNull()
            }
        }
    }
}

/// One bit a row, least significant first.
private func packedBits(_ flags: [Int64]) -> [UInt8] {
    var bits = [UInt8](repeating: 0, count: (flags.count + 7) / 8)
    for (row, flag) in flags.enumerated() where flag != 0 { bits[row >> 3] |= 1 << UInt8(row & 7) }
    return bits
}

/// A copy of `values` on a 64-byte boundary, never without an address.
private func copied<T: BitwiseCopyable>(_ values: [T]) -> UnsafeRawPointer {
    let count = values.count * MemoryLayout<T>.stride
    let room = UnsafeMutableRawPointer.allocate(byteCount: max(count, 8), alignment: 64)
    values.withUnsafeBytes { bytes in
        if let start = bytes.baseAddress { room.copyMemory(from: start, byteCount: count) }
    }
    return UnsafeRawPointer(room)
}

private func pointers(_ buffers: [UnsafeRawPointer?]) -> UnsafeMutablePointer<UnsafeRawPointer?> {
    let room = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: buffers.count)
    room.initialize(from: buffers, count: buffers.count)
    return room
}

/// Frees what the initialisers above allocated; children that were moved out free themselves later.
private func releaseArray(_ array: UnsafeMutablePointer<ArrowArray>?) {
    guard let array else { return }
    for index in 0..<Int(array.pointee.n_buffers) { array.pointee.buffers[index]?.deallocate() }
    array.pointee.buffers?.deallocate()
    for index in 0..<Int(array.pointee.n_children) {
        guard let child = array.pointee.children[index] else { continue }
        child.pointee.release?(child)
        child.deallocate()
    }
    array.pointee.children?.deallocate()
    array.pointee = ArrowArray()
}
