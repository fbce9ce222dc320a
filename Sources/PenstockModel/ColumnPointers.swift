// SPDX-License-Identifier: Apache-2.0

/// Where the values of a column lie: plain pointers, for loops over the rows of a batch.
///
/// A copy of it costs nothing and keeps nothing alive. It is valid inside the call that lends it, or as long as the
/// ``HeldColumns`` that have it, on any thread. No access is checked: rows must be below ``count``, and only the
/// pointers of the type's ``DataType/Layout`` may be used.
public struct ColumnPointers {
    /// The logical type of the values.
    public let type: DataType
    /// How they are stored.
    public let layout: DataType.Layout
    /// How many rows there are.
    public let count: Int
    /// How many of them are NULL.
    public let nullCount: Int
    /// One bit a row, least significant first, set where the row is not NULL; nil where no row is NULL.
    public let validity: UnsafePointer<UInt8>?
    /// Values of layout ``DataType/Layout/int64``, one a row, zero under a NULL.
    public let int64s: UnsafePointer<Int64>
    /// Values of layout ``DataType/Layout/uint64``, one a row, zero under a NULL.
    public let uint64s: UnsafePointer<UInt64>
    /// Values of layout ``DataType/Layout/float64``, one a row, zero under a NULL.
    public let float64s: UnsafePointer<Double>
    /// For layout ``DataType/Layout/bytes``: row `i` is `bytes[offsets[i]..<offsets[i + 1]]`.
    public let offsets: UnsafePointer<Int32>
    /// For layout ``DataType/Layout/bytes``: the rows' bytes, one after the other.
    public let bytes: UnsafePointer<UInt8>

    /// Points into the arrays of `column`, which must stay alive for as long as this is used.
    @usableFromInline init(_ column: Column) {
        type = column.type
        layout = column.type.layout
        count = column.count
        nullCount = column.nullCount
        validity = nullCount == 0 ? nil : Self.start(column.validity)
        int64s = Self.start(column.int64s)
        uint64s = Self.start(column.uint64s)
        float64s = Self.start(column.float64s)
        offsets = Self.start(column.offsets)
        bytes = Self.start(column.bytes)
    }

    /// What an array without elements points at: nobody reads it.
    // Never written and never read, so that any thread may hold it.
    private nonisolated(unsafe) static let nothing = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64))

    /// The first element; an array of numbers stays where it is for as long as it lives and is not changed.
    private static func start<T: BitwiseCopyable>(_ values: [T]) -> UnsafePointer<T> {
        values.withUnsafeBufferPointer { $0.baseAddress } ?? nothing.assumingMemoryBound(to: T.self)
    }

    /// Whether row `row` is NULL.
    @inlinable @inline(__always) public func isNull(_ row: Int) -> Bool {
        guard let validity else { return false }
        return validity[row &>> 3] & (1 &<< UInt8(truncatingIfNeeded: row & 7)) == 0
    }

    /// The bytes of row `row` of a column of layout ``DataType/Layout/bytes``; none under a NULL.
    @inlinable @inline(__always) public func cell(_ row: Int) -> UnsafeBufferPointer<UInt8> {
        let start = Int(offsets[row])
        return UnsafeBufferPointer(start: bytes + start, count: Int(offsets[row &+ 1]) &- start)
    }

    /// The bytes of row `row` as bits, as a write's presence column has them.
    @inlinable @inline(__always) public func bits(_ row: Int) -> CellBits { CellBits(cell(row)) }
}

/// The bits of a cell, least significant first in each byte; valid for as long as the cell.
public struct CellBits {
    @usableFromInline let bytes: UnsafeBufferPointer<UInt8>

    @inlinable @inline(__always) init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// Whether the bit at `place` is set; false behind the cell's end.
    @inlinable @inline(__always) public subscript(place: Int) -> Bool {
        place &>> 3 < bytes.count && bytes[place &>> 3] & (1 &<< UInt8(truncatingIfNeeded: place & 7)) != 0
    }
}

extension Column {
    /// Lends pointers to the values to `body`; they are valid until it returns.
    ///
    /// - Throws: What `body` throws.
    @inlinable public func withPointers<R, E: Error>(_ body: (ColumnPointers) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(self) {} }
        return try body(ColumnPointers(self))
    }
}

/// Columns and pointers to their values, which are valid for as long as this is kept.
package struct HeldColumns {
    /// The columns.
    package let columns: [Column]
    /// Where their values lie.
    package let pointers: [ColumnPointers]

    /// Keeps columns, and points into them.
    package init(_ columns: [Column]) {
        self.columns = columns
        pointers = columns.map { ColumnPointers($0) }
    }
}

extension RecordBatch {
    /// Lends pointers to the values of some columns to `body`; they are valid until it returns.
    ///
    /// - Parameter places: The positions of the columns, in the order in which they are lent; all where none are named.
    /// - Throws: What `body` throws.
    @inlinable public func withPointers<R, E: Error>(
        of places: [Int]? = nil, _ body: ([ColumnPointers]) throws(E) -> R
    ) throws(E) -> R {
        defer { withExtendedLifetime(self) {} }
        return try body((places ?? Array(columns.indices)).map { ColumnPointers(columns[$0]) })
    }
}
