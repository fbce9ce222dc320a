// SPDX-License-Identifier: Apache-2.0

/// Collects rows for batches of one schema, column by column, as fast as memory takes them.
///
/// A ``Column`` that is appended to asks at every cell whether somebody else holds it. Here every column has room of
/// its own, which it keeps from batch to batch. One thread at a time.
public final class BatchBuilder {
    /// The columns' names and types.
    public let schema: Schema
    @usableFromInline let states: UnsafeMutablePointer<ColumnBuilder.State>
    private let count: Int

    /// A builder without rows.
    public init(_ schema: Schema) {
        self.schema = schema
        count = schema.fields.count
        states = .allocate(capacity: count)
        for (index, field) in schema.fields.enumerated() {
            (states + index).initialize(to: ColumnBuilder.State(field.type))
        }
    }

    deinit {
        for index in 0..<count { states[index].deallocate() }
        states.deallocate()
    }

    /// The column at this position, for appending; every column must have got the same rows before ``finish()``.
    ///
    /// Valid for as long as the builder lives.
    @inlinable @inline(__always) public subscript(_ index: Int) -> ColumnBuilder { ColumnBuilder(states + index) }

    /// About how many bytes the values take so far.
    public var byteCount: Int {
        var size = 0
        for index in 0..<count {
            size +=
                states[index].layout == .bytes
                ? states[index].byteCount + 4 * states[index].count : 8 * states[index].count
        }
        return size
    }

    /// The batch of the rows since the last call; the builder is empty again.
    ///
    /// - Precondition: All columns have the same number of rows.
    public func finish() -> RecordBatch {
        var columns: [Column] = []
        columns.reserveCapacity(count)
        let rows = count == 0 ? 0 : states[0].count
        for index in 0..<count {
            precondition(states[index].count == rows, "the columns of a batch differ in length")
            columns.append(states[index].column)
            states[index].empty()
        }
        return RecordBatch(schema, columns)
    }
}

/// One column of a ``BatchBuilder``: a handle that costs nothing to copy.
///
/// It is valid for as long as its builder lives. An append of another layout than the column's is an error of the
/// program that is not looked for.
public struct ColumnBuilder {
    /// What a column has got so far.
    ///
    /// There is always room for one more row, and for ``State/slack`` bytes behind the last one.
    @usableFromInline struct State {
        @usableFromInline let type: DataType
        @usableFromInline let layout: DataType.Layout
        @usableFromInline var count = 0
        @usableFromInline var capacity = 0
        /// Of layouts with one width, as their bits.
        @usableFromInline var numbers: UnsafeMutablePointer<UInt64>
        @usableFromInline var offsets: UnsafeMutablePointer<Int32>
        @usableFromInline var bytes: UnsafeMutablePointer<UInt8>
        @usableFromInline var byteCount = 0
        @usableFromInline var byteCapacity = 0
        /// One bit a row where ``nullCount`` is not 0; those of rows to come are set.
        @usableFromInline var validity: UnsafeMutablePointer<UInt8>
        @usableFromInline var nullCount = 0
    }

    @usableFromInline let state: UnsafeMutablePointer<State>

    @inlinable @inline(__always) init(_ state: UnsafeMutablePointer<State>) { self.state = state }

    /// The logical type of the values.
    @inlinable @inline(__always) public var type: DataType { state.pointee.type }

    /// Appends a row of layout ``DataType/Layout/int64``.
    @inlinable @inline(__always) public func append(_ value: Int64) { append(bits: UInt64(bitPattern: value)) }

    /// Appends a row of layout ``DataType/Layout/uint64``.
    @inlinable @inline(__always) public func append(_ value: UInt64) { append(bits: value) }

    /// Appends a row of layout ``DataType/Layout/float64``.
    @inlinable @inline(__always) public func append(_ value: Double) { append(bits: value.bitPattern) }

    @inlinable @inline(__always) func append(bits: UInt64) {
        state.pointee.numbers[state.pointee.count] = bits
        endRow()
    }

    /// Appends a row of layout ``DataType/Layout/bytes``.
    ///
    /// Text, decimals and JSON must be UTF-8.
    @inlinable @inline(__always) public func append(bytes value: UnsafeBufferPointer<UInt8>) {
        let count = value.count
        let place = room(for: count)
        if let start = value.baseAddress { FewBytes.copy(start, place, count) }
        endBytes(count)
    }

    /// Appends a text; false where the bytes are no UTF-8, and then nothing was appended.
    @inlinable @inline(__always) public func append(text value: UnsafeBufferPointer<UInt8>) -> Bool {
        let count = value.count
        let place = room(for: count)
        if let start = value.baseAddress, !FewBytes.isASCII(copying: start, place, count) {
            guard UTF8Check.isValid(value) else { return false }
        }
        endBytes(count)
        return true
    }

    /// Appends a text; false where the bytes are no UTF-8 or one of them is 0, and then nothing was appended.
    @inlinable @inline(__always) public func append(textWithoutNUL value: UnsafeBufferPointer<UInt8>) -> Bool {
        let count = value.count
        let place = room(for: count)
        if let start = value.baseAddress, !FewBytes.isASCIIWithoutNUL(copying: start, place, count) {
            guard UTF8Check.isValidWithoutNUL(value) else { return false }
        }
        endBytes(count)
        return true
    }

    /// Appends a row of layout ``DataType/Layout/bytes``.
    ///
    /// Text, decimals and JSON must be UTF-8.
    @inlinable public func append(bytes value: some Collection<UInt8>) {
        let place = room(for: value.count)
        var count = 0
        for byte in value {
            place[count] = byte
            count &+= 1
        }
        endBytes(count)
    }

    /// Room for a row of at most `count` bytes, and 32 more that may be written to and mean nothing.
    ///
    /// Valid until ``endBytes(_:)``, which must follow.
    @inlinable @inline(__always) public func room(for count: Int) -> UnsafeMutablePointer<UInt8> {
        if state.pointee.byteCapacity &- state.pointee.byteCount < count { state.pointee.growBytes(by: count) }
        return state.pointee.bytes + state.pointee.byteCount
    }

    /// Ends a row of which `count` bytes were written to ``room(for:)``.
    @inlinable @inline(__always) public func endBytes(_ count: Int) {
        state.pointee.byteCount &+= count
        state.pointee.offsets[state.pointee.count &+ 1] = Int32(state.pointee.byteCount)
        endRow()
    }

    /// Appends a NULL.
    public func appendNull() {
        state.pointee.noteNull()
        if state.pointee.layout == .bytes {
            state.pointee.offsets[state.pointee.count + 1] = Int32(state.pointee.byteCount)
        } else {
            state.pointee.numbers[state.pointee.count] = 0
        }
        endRow()
    }

    @inlinable @inline(__always) func endRow() {
        state.pointee.count &+= 1
        if state.pointee.count == state.pointee.capacity { state.pointee.grow() }
    }
}

extension ColumnBuilder.State {
    /// Bytes that may be written to behind the last row.
    @usableFromInline static var slack: Int { 64 }

    init(_ type: DataType) {
        self.type = type
        layout = type.layout
        capacity = 1_024
        numbers = .allocate(capacity: layout == .bytes ? 1 : capacity)
        offsets = .allocate(capacity: layout == .bytes ? capacity + 1 : 1)
        offsets[0] = 0
        byteCapacity = layout == .bytes ? 8 * capacity : 0
        bytes = .allocate(capacity: byteCapacity + Self.slack)
        validity = .allocate(capacity: capacity >> 3)
    }

    func deallocate() {
        numbers.deallocate()
        offsets.deallocate()
        bytes.deallocate()
        validity.deallocate()
    }

    mutating func empty() {
        count = 0
        byteCount = 0
        nullCount = 0
    }

    /// The rows as a column of its own.
    var column: Column {
        Column(
            type, count: count, validity: nullCount == 0 ? [] : finishedValidity, nullCount: nullCount,
            int64s: layout == .int64 ? array(numbers, count) : [],
            uint64s: layout == .uint64 ? array(numbers, count) : [],
            float64s: layout == .float64 ? array(numbers, count) : [],
            offsets: layout == .bytes ? array(offsets, count + 1) : [],
            bytes: layout == .bytes ? array(bytes, byteCount) : [])
    }

    /// The bits of the rows; those behind the last one are 0.
    private var finishedValidity: [UInt8] {
        var bits: [UInt8] = array(validity, (count + 7) >> 3)
        if count & 7 != 0 { bits[count >> 3] &= 1 << UInt8(count & 7) - 1 }
        return bits
    }

    /// A copy of `count` elements.
    private func array<T: BitwiseCopyable>(_ start: UnsafeMutableRawPointer, _ count: Int) -> [T] {
        [T](unsafeUninitializedCapacity: count) { room, filled in
            UnsafeMutableRawBufferPointer(room).copyMemory(
                from: UnsafeRawBufferPointer(start: start, count: count * MemoryLayout<T>.stride))
            filled = count
        }
    }

    mutating func noteNull() {
        if nullCount == 0 { validity.update(repeating: 0xFF, count: capacity >> 3) }
        nullCount += 1
        validity[count >> 3] &= ~(1 << UInt8(truncatingIfNeeded: count & 7))
    }

    @usableFromInline mutating func grow() {
        let larger = capacity * 2
        if layout == .bytes {
            offsets = moved(offsets, count + 1, to: larger + 1)
        } else {
            numbers = moved(numbers, count, to: larger)
        }
        let bits = moved(validity, capacity >> 3, to: larger >> 3)
        (bits + (capacity >> 3)).update(repeating: 0xFF, count: (larger - capacity) >> 3)
        validity = bits
        capacity = larger
    }

    @usableFromInline mutating func growBytes(by count: Int) {
        let larger = max(byteCapacity * 2, byteCount + count)
        bytes = moved(bytes, byteCount, to: larger + Self.slack)
        byteCapacity = larger
    }

    private func moved<T: BitwiseCopyable>(
        _ old: UnsafeMutablePointer<T>, _ count: Int, to capacity: Int
    ) -> UnsafeMutablePointer<T> {
        let new = UnsafeMutablePointer<T>.allocate(capacity: capacity)
        new.update(from: old, count: count)
        old.deallocate()
        return new
    }
}
