// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

/// Copies one column out of Arrow memory and checks it on the way.
struct ColumnReader {
    let raw: ArrowArray
    let start: Int
    let count: Int
    let field: Schema.Field
    let call: String
    let checks: ContractChecks
    /// One bit a row, set where it is not NULL.
    var validity: [UInt8] = []
    /// How many rows are NULL, those with a fault included.
    var nullCount = 0
    /// The rows whose value cannot be represented.
    private(set) var faults: [SourceReject] = []

    /// A reader of the rows from `start` on.
    init(
        _ raw: ArrowArray, start: Int, count: Int, field: Schema.Field, call: String, checks: ContractChecks
    ) {
        self.raw = raw
        self.start = start
        self.count = count
        self.field = field
        self.call = call
        self.checks = checks
    }

    /// Copies the column.
    mutating func read(_ format: ArrowFormat) throws(ConnectorError) -> Column {
        guard raw.n_buffers == format.bufferCount, raw.n_buffers == 0 || raw.buffers != nil else {
            throw breach("has \(raw.n_buffers) buffers where its format has \(format.bufferCount)")
        }
        if format == .null { return nulls() }
        try readValidity()
        switch format {
        case .null: return nulls()
        case .text(let isLarge), .binary(let isLarge): return try readBytes(isLarge: isLarge)
        case .fixedBinary(let width): return try readFixed(width: width)
        case .decimal128(let scale): return try readDecimals(scale: scale)
        case .uint64:
            var values = try copied(1, as: UInt64.self)
            zero(&values)
            return Column(field.type, count: count, validity: validity, nullCount: nullCount, uint64s: values)
        case .float64, .float32:
            var values = try readFloats(format)
            zero(&values)
            return Column(field.type, count: count, validity: validity, nullCount: nullCount, float64s: values)
        default:
            // In two steps: reading may add NULLs, which the second step looks at.
            var values = try readIntegers(format)
            zero(&values)
            return Column(field.type, count: count, validity: validity, nullCount: nullCount, int64s: values)
        }
    }

    // MARK: - What all layouts share

    /// The error for a column that cannot be true.
    func breach(_ rule: String) -> ConnectorError {
        checks.breach(call, "column \(field.name) of a batch \(rule)")
    }

    /// Whether row `row` is NULL.
    func isNull(_ row: Int) -> Bool { nullCount > 0 && validity[row >> 3] & (1 << UInt8(row & 7)) == 0 }

    /// Makes row `row` a NULL and notes why.
    mutating func fault(_ row: Int, value: String, _ message: String) {
        if nullCount == 0 {
            validity = [UInt8](repeating: 0xFF, count: (count + 7) / 8)
            if count % 8 != 0 { validity[count >> 3] = 1 << UInt8(count % 8) - 1 }
        }
        validity[row >> 3] &= ~(1 << UInt8(row & 7))
        nullCount += 1
        faults.append(SourceReject(row: row, column: field.name, value: value, message: message))
    }

    /// A copy of the values of buffer `index`, whatever its alignment.
    func copied<T: BitwiseCopyable>(
        _ index: Int, as type: T.Type, extra: Int = 0
    ) throws(ConnectorError) -> [T] {
        guard let buffer = raw.buffers[index] else { throw breach("lacks buffer \(index)") }
        let stride = MemoryLayout<T>.stride
        return [T](unsafeUninitializedCapacity: count + extra) { room, used in
            UnsafeMutableRawBufferPointer(room).copyMemory(
                from: UnsafeRawBufferPointer(start: buffer + start * stride, count: (count + extra) * stride))
            used = count + extra
        }
    }

    private mutating func readValidity() throws(ConnectorError) {
        guard let bits = raw.buffers[0] else {
            guard raw.null_count <= 0 else { throw breach("has NULLs but no validity buffer") }
            return
        }
        (validity, nullCount) = copiedBits(bits, start: start, count: count)
        // A column that is a slice of a longer one may count the NULLs of the whole.
        if raw.null_count >= 0, raw.length == Int64(count), raw.null_count != Int64(nullCount) {
            throw breach("has \(nullCount) NULLs where it states \(raw.null_count)")
        }
        if nullCount == 0 { validity = [] }
    }

    private func nulls() -> Column {
        let offsets = [Int32](repeating: 0, count: count + 1)
        return Column(
            field.type, count: count, validity: [UInt8](repeating: 0, count: (count + 7) / 8), nullCount: count,
            offsets: offsets)
    }

    // MARK: - Numbers

    private func readFloats(_ format: ArrowFormat) throws(ConnectorError) -> [Double] {
        format == .float64 ? try copied(1, as: Double.self) : try copied(1, as: Float.self).map(Double.init)
    }

    /// Arrow leaves open what stands under a NULL; here it is zero.
    private func zero<T: Numeric & BitwiseCopyable>(_ values: inout [T]) {
        values.withUnsafeMutableBufferPointer { room in forEachNull { row in room[row] = 0 } }
    }

    /// Calls `body` with every row that is NULL, in order.
    func forEachNull(_ body: (Int) -> Void) {
        guard nullCount > 0 else { return }
        for (place, bits) in validity.enumerated() where bits != 0xFF {
            var missing = ~bits
            while missing != 0 {
                let row = place << 3 | missing.trailingZeroBitCount
                // The bits behind the last row are 0 as well.
                if row < count { body(row) }
                missing &= missing &- 1
            }
        }
    }

    /// Integers of fewer bits, as 64.
    private func widened<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws(ConnectorError) -> [Int64] {
        guard let buffer = raw.buffers[1] else { throw breach("lacks buffer 1") }
        let stride = MemoryLayout<T>.stride
        let first = buffer + start * stride
        return [Int64](unsafeUninitializedCapacity: count) { room, used in
            for row in 0..<count {
                room[row] = Int64(truncatingIfNeeded: first.loadUnaligned(fromByteOffset: row &* stride, as: T.self))
            }
            used = count
        }
    }

    private mutating func readIntegers(_ format: ArrowFormat) throws(ConnectorError) -> [Int64] {
        switch format {
        case .bool: return try readFlags()
        case .int8: return try widened(Int8.self)
        case .uint8: return try widened(UInt8.self)
        case .int16: return try widened(Int16.self)
        case .uint16: return try widened(UInt16.self)
        case .int32, .date32: return try widened(Int32.self)
        case .uint32: return try widened(UInt32.self)
        case .date64: return divided(try copied(1, as: Int64.self), by: 86_400_000, "is not a whole day")
        case .time32(let unit):
            return timesOfDay(scaled(try widened(Int32.self), unit))
        case .time64(let unit): return timesOfDay(scaled(try copied(1, as: Int64.self), unit))
        case .timestamp(let unit, _): return scaled(try copied(1, as: Int64.self), unit)
        default: return try copied(1, as: Int64.self)
        }
    }

    private func readFlags() throws(ConnectorError) -> [Int64] {
        guard let bits = raw.buffers[1] else { throw breach("lacks buffer 1") }
        let flags = bits.assumingMemoryBound(to: UInt8.self)
        return [Int64](unsafeUninitializedCapacity: count) { room, used in
            for row in 0..<count {
                let bit = start &+ row
                room[row] = Int64(flags[bit &>> 3] &>> UInt8(truncatingIfNeeded: bit & 7) & 1)
            }
            used = count
        }
    }

    /// The values in microseconds.
    private mutating func scaled(_ values: [Int64], _ unit: ArrowFormat.Unit) -> [Int64] {
        switch unit {
        case .microsecond: return values
        case .second: return multiplied(values, by: 1_000_000)
        case .millisecond: return multiplied(values, by: 1_000)
        case .nanosecond: return divided(values, by: 1_000, "is finer than a microsecond")
        }
    }

    private mutating func multiplied(_ values: [Int64], by factor: Int64) -> [Int64] {
        var results = values
        for row in 0..<count where !isNull(row) {
            let (product, overflow) = values[row].multipliedReportingOverflow(by: factor)
            results[row] = product
            if overflow { fault(row, value: "\(values[row])", "The time lies outside what microseconds can count.") }
        }
        return results
    }

    private mutating func divided(_ values: [Int64], by divisor: Int64, _ complaint: String) -> [Int64] {
        var results = values
        for row in 0..<count where !isNull(row) {
            let (quotient, remainder) = values[row].quotientAndRemainder(dividingBy: divisor)
            results[row] = quotient
            if remainder != 0 { fault(row, value: "\(values[row])", "The value \(values[row]) \(complaint).") }
        }
        return results
    }

    private mutating func timesOfDay(_ values: [Int64]) -> [Int64] {
        for row in 0..<count where !isNull(row) && !(0...86_400_000_000).contains(values[row]) {
            fault(row, value: "\(values[row])", "The time of day lies outside a day.")
        }
        return values
    }
}
