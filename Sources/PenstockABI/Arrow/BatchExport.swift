// SPDX-License-Identifier: Apache-2.0

import CPenstock
import Glibc
import PenstockModel

extension ArrowArray {
    /// The rows as a struct of Arrow, which whoever takes it gives back through its `release`, from any thread.
    ///
    /// The values stay where they are: the struct keeps the batch's columns alive and points into them.
    /// - Parameter rejects: The column for rejects is added where this is not nil.
    /// - Throws: ``ConnectorError`` `badData` for a date that does not fit 32 bits.
    package init(_ batch: RecordBatch, rejects: [SourceReject]?) throws(ConnectorError) {
        for (field, column) in zip(batch.schema.fields, batch.columns) where field.type == .date {
            guard column.withPointers({ fitsInt32($0.int64s, $0.count) }) else {
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
            child.initialize(to: LentColumn.lend(column))
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
}

/// A column that the other side reads from: it lives until its struct of Arrow is released.
private final class LentColumn {
    private let column: Column
    /// Values in another layout than the column has them in.
    private let repacked: UnsafeRawPointer?

    private init(_ column: Column) {
        self.column = column
        repacked =
            switch column.type {
            case .bool: column.withPointers { packedBits($0.int64s, $0.count) }
            case .date: column.withPointers { narrowed($0.int64s, $0.count) }
            default: nil
            }
    }

    deinit { repacked?.deallocate() }

    /// The struct of Arrow over a column.
    static func lend(_ column: Column) -> ArrowArray {
        let lent = LentColumn(column)
        // The arrays do not move or change, because `lent` holds them until the release.
        let places = lent.column.withPointers { $0 }
        var array = ArrowArray()
        array.length = Int64(column.count)
        array.null_count = Int64(column.nullCount)
        let validity = places.validity.map(UnsafeRawPointer.init)
        switch column.type {
        case .bool, .date: array.buffers = pointers([validity, lent.repacked])
        case .int64, .time, .timestamp, .instant: array.buffers = pointers([validity, UnsafeRawPointer(places.int64s)])
        case .uint64: array.buffers = pointers([validity, UnsafeRawPointer(places.uint64s)])
        case .float64: array.buffers = pointers([validity, UnsafeRawPointer(places.float64s)])
        case .decimal, .text, .bytes, .json:
            array.buffers = pointers([validity, UnsafeRawPointer(places.offsets), UnsafeRawPointer(places.bytes)])
        }
        array.n_buffers = column.type.layout == .bytes ? 3 : 2
        array.private_data = Unmanaged.passRetained(lent).toOpaque()
        array.release = releaseColumn
        return array
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
private func packedBits(_ flags: UnsafePointer<Int64>, _ count: Int) -> UnsafeRawPointer {
    let size = (count + 7) / 8
    let bits = UnsafeMutablePointer<UInt8>.allocate(capacity: max(size, 8))
    bits.initialize(repeating: 0, count: size)
    for row in 0..<count where flags[row] != 0 { bits[row >> 3] |= 1 << UInt8(row & 7) }
    return UnsafeRawPointer(bits)
}

/// The values in 32 bits each.
private func narrowed(_ values: UnsafePointer<Int64>, _ count: Int) -> UnsafeRawPointer {
    let narrow = UnsafeMutablePointer<Int32>.allocate(capacity: max(count, 2))
    for row in 0..<count { narrow[row] = Int32(truncatingIfNeeded: values[row]) }
    return UnsafeRawPointer(narrow)
}

private func fitsInt32(_ values: UnsafePointer<Int64>, _ count: Int) -> Bool {
    var isFit = true
    for row in 0..<count { isFit = isFit && values[row] == Int64(Int32(truncatingIfNeeded: values[row])) }
    return isFit
}

private func pointers(_ buffers: [UnsafeRawPointer?]) -> UnsafeMutablePointer<UnsafeRawPointer?> {
    let room = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: buffers.count)
    room.initialize(from: buffers, count: buffers.count)
    return room
}

/// Gives a lent column back.
private func releaseColumn(_ array: UnsafeMutablePointer<ArrowArray>?) {
    guard let array else { return }
    array.pointee.buffers?.deallocate()
    if let lent = array.pointee.private_data { Unmanaged<LentColumn>.fromOpaque(lent).release() }
    array.pointee = ArrowArray()
}

/// Frees what the initialiser above allocated; children that were moved out free themselves later.
private func releaseArray(_ array: UnsafeMutablePointer<ArrowArray>?) {
    guard let array else { return }
    array.pointee.buffers?.deallocate()
    for index in 0..<Int(array.pointee.n_children) {
        guard let child = array.pointee.children[index] else { continue }
        child.pointee.release?(child)
        child.deallocate()
    }
    array.pointee.children?.deallocate()
    array.pointee = ArrowArray()
}
