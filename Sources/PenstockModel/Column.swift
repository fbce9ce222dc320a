// SPDX-License-Identifier: Apache-2.0

/// The values of one column of a batch, in the layout of its type.
///
/// Only the array of the type's ``DataType/Layout`` is filled. Fixed-size values under a NULL are zero.
public struct Column: Sendable, Hashable {
    /// The logical type of the values.
    public let type: DataType
    /// How many rows there are.
    public private(set) var count = 0
    /// Values of layout ``DataType/Layout/int64``, one a row.
    public private(set) var int64s: [Int64] = []
    /// Values of layout ``DataType/Layout/uint64``, one a row.
    public private(set) var uint64s: [UInt64] = []
    /// Values of layout ``DataType/Layout/float64``, one a row.
    public private(set) var float64s: [Double] = []
    /// For layout ``DataType/Layout/bytes``: row `i` is `bytes[offsets[i]..<offsets[i + 1]]`.
    public private(set) var offsets: [Int32] = []
    /// For layout ``DataType/Layout/bytes``: the rows' bytes, one after the other.
    @inlinable public var bytes: [UInt8] { storedBytes }
    /// Apart from ``bytes`` so that ``append(bytes:)`` is compiled for what it appends, wherever that is done.
    @usableFromInline var storedBytes: [UInt8] = []
    /// One bit a row, least significant first, set where the row is not NULL; empty where no row is NULL.
    public private(set) var validity: [UInt8] = []
    /// How many rows are NULL.
    public private(set) var nullCount = 0

    /// An empty column.
    ///
    /// - Parameter capacity: Rows to make room for.
    public init(_ type: DataType, capacity: Int = 0) {
        self.type = type
        switch type.layout {
        case .int64: int64s.reserveCapacity(capacity)
        case .uint64: uint64s.reserveCapacity(capacity)
        case .float64: float64s.reserveCapacity(capacity)
        case .bytes:
            offsets.reserveCapacity(capacity + 1)
            offsets.append(0)
        }
    }

    /// A column over whole arrays, as they come in from outside; they must agree with each other.
    ///
    /// - Parameters:
    ///   - type: The logical type; only the array of its layout is used.
    ///   - count: Rows.
    ///   - validity: One bit a row, or empty.
    package init(
        _ type: DataType, count: Int, validity: [UInt8], nullCount: Int, int64s: [Int64] = [],
        uint64s: [UInt64] = [], float64s: [Double] = [], offsets: [Int32] = [], bytes: [UInt8] = []
    ) {
        self.type = type
        self.count = count
        self.validity = nullCount == 0 ? [] : validity
        self.nullCount = nullCount
        self.int64s = int64s
        self.uint64s = uint64s
        self.float64s = float64s
        self.offsets = offsets
        storedBytes = bytes
    }

    /// A column of rows of `width` bytes each, none of them NULL.
    ///
    /// - Parameter type: A type of layout ``DataType/Layout/bytes``.
    package init(_ type: DataType, repeating width: Int, _ bytes: [UInt8]) {
        let rows = bytes.count / width
        self.init(
            type, count: rows, validity: [], nullCount: 0,
            offsets: (0...rows).map { Int32($0 * width) }, bytes: bytes)
    }

    /// Whether row `row` is NULL.
    public func isNull(_ row: Int) -> Bool {
        nullCount > 0 && validity[row >> 3] & (1 << UInt8(row & 7)) == 0
    }

    /// The bytes of row `row` of a column of layout ``DataType/Layout/bytes``; empty under a NULL.
    public func byteSlice(_ row: Int) -> ArraySlice<UInt8> { bytes[byteRange(row)] }

    /// Where the bytes of row `row` lie in ``bytes``.
    public func byteRange(_ row: Int) -> Range<Int> { Int(offsets[row])..<Int(offsets[row + 1]) }

    /// The value of row `row`.
    public func value(_ row: Int) -> Value {
        guard !isNull(row) else { return .null }
        switch type {
        case .bool: return .bool(int64s[row] != 0)
        case .int64: return .int64(int64s[row])
        case .uint64: return .uint64(uint64s[row])
        case .float64: return .float64(float64s[row])
        case .decimal: return .decimal(String(decoding: byteSlice(row), as: UTF8.self))
        case .text: return .text(String(decoding: byteSlice(row), as: UTF8.self))
        case .bytes: return .bytes(Array(byteSlice(row)))
        case .date: return .date(int64s[row])
        case .time: return .time(int64s[row])
        case .timestamp: return .timestamp(int64s[row])
        case .instant: return .instant(int64s[row])
        case .json: return .json(String(decoding: byteSlice(row), as: UTF8.self))
        }
    }

    /// Appends a row of layout ``DataType/Layout/int64``.
    public mutating func append(_ value: Int64) {
        int64s.append(value)
        noteRow(isNull: false)
    }

    /// Appends a row of layout ``DataType/Layout/uint64``.
    public mutating func append(_ value: UInt64) {
        uint64s.append(value)
        noteRow(isNull: false)
    }

    /// Appends a row of layout ``DataType/Layout/float64``.
    public mutating func append(_ value: Double) {
        float64s.append(value)
        noteRow(isNull: false)
    }

    /// Appends a row of layout ``DataType/Layout/bytes``.
    ///
    /// Text, decimals and JSON must be UTF-8.
    @inlinable public mutating func append(bytes value: some Collection<UInt8>) {
        storedBytes.append(contentsOf: value)
        endBytes()
    }

    /// Ends a row after its bytes were appended.
    @usableFromInline mutating func endBytes() {
        offsets.append(Int32(storedBytes.count))
        noteRow(isNull: false)
    }

    /// Appends a NULL.
    public mutating func appendNull() {
        switch type.layout {
        case .int64: int64s.append(0)
        case .uint64: uint64s.append(0)
        case .float64: float64s.append(0)
        case .bytes: offsets.append(Int32(storedBytes.count))
        }
        noteRow(isNull: true)
    }

    /// Appends a value of this column's type, or NULL.
    ///
    /// - Precondition: `value` is NULL or has ``type``.
    public mutating func append(_ value: Value) {
        switch value {
        case .null: appendNull()
        case .bool(let flag): append(flag ? Int64(1) : 0)
        case .int64(let number), .date(let number), .time(let number), .timestamp(let number),
            .instant(let number):
            append(number)
        case .uint64(let number): append(number)
        case .float64(let number): append(number)
        case .decimal(let text), .text(let text), .json(let text): append(bytes: text.utf8)
        case .bytes(let bytes): append(bytes: bytes)
        }
    }

    /// Appends rows of another column, NULLs as they are.
    ///
    /// - Precondition: `other` has the layout of this one, and these rows.
    package mutating func append(_ other: Column, rows: Range<Int>) {
        switch type.layout {
        case .int64: int64s.append(contentsOf: other.int64s[rows])
        case .uint64: uint64s.append(contentsOf: other.uint64s[rows])
        case .float64: float64s.append(contentsOf: other.float64s[rows])
        case .bytes:
            let start = other.offsets[rows.lowerBound]
            let shift = Int32(storedBytes.count) - start
            storedBytes.append(contentsOf: other.storedBytes[Int(start)..<Int(other.offsets[rows.upperBound])])
            for row in rows { offsets.append(other.offsets[row + 1] + shift) }
        }
        if nullCount == 0 && other.nullCount == 0 {
            count += rows.count
        } else {
            for row in rows { noteRow(isNull: other.isNull(row)) }
        }
    }

    private mutating func noteRow(isNull: Bool) {
        if isNull && nullCount == 0 {
            validity = [UInt8](repeating: 0xFF, count: (count + 7) >> 3)
            if count & 7 != 0 { validity[count >> 3] = (1 << UInt8(count & 7)) - 1 }
        }
        if isNull { nullCount += 1 }
        if nullCount > 0 {
            if count & 7 == 0 { validity.append(0) }
            if !isNull { validity[count >> 3] |= 1 << UInt8(count & 7) }
        }
        count += 1
    }
}
