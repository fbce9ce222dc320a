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
        case .uint64: return try readUnsigned()
        case .float64: return floats(try copied(1, as: Double.self))
        case .float32: return floats(try copied(1, as: Float.self).map(Double.init))
        default:
            // In two steps: reading may add NULLs, which the second step looks at.
            let values = try readIntegers(format)
            return integers(values)
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

    private func integers(_ values: [Int64]) -> Column {
        Column(field.type, count: count, validity: validity, nullCount: nullCount, int64s: zeroed(values))
    }

    private func floats(_ values: [Double]) -> Column {
        Column(field.type, count: count, validity: validity, nullCount: nullCount, float64s: zeroed(values))
    }

    private func readUnsigned() throws(ConnectorError) -> Column {
        Column(
            field.type, count: count, validity: validity, nullCount: nullCount,
            uint64s: zeroed(try copied(1, as: UInt64.self)))
    }

    /// Arrow leaves open what stands under a NULL; here it is zero.
    private func zeroed<T: Numeric>(_ values: [T]) -> [T] {
        guard nullCount > 0 else { return values }
        var values = values
        for row in 0..<count where isNull(row) { values[row] = 0 }
        return values
    }

    private mutating func readIntegers(_ format: ArrowFormat) throws(ConnectorError) -> [Int64] {
        switch format {
        case .bool: return try readFlags()
        case .int8: return try copied(1, as: Int8.self).map(Int64.init)
        case .uint8: return try copied(1, as: UInt8.self).map(Int64.init)
        case .int16: return try copied(1, as: Int16.self).map(Int64.init)
        case .uint16: return try copied(1, as: UInt16.self).map(Int64.init)
        case .int32, .date32: return try copied(1, as: Int32.self).map(Int64.init)
        case .uint32: return try copied(1, as: UInt32.self).map(Int64.init)
        case .date64: return divided(try copied(1, as: Int64.self), by: 86_400_000, "is not a whole day")
        case .time32(let unit):
            return timesOfDay(scaled(try copied(1, as: Int32.self).map(Int64.init), unit))
        case .time64(let unit): return timesOfDay(scaled(try copied(1, as: Int64.self), unit))
        case .timestamp(let unit, _): return scaled(try copied(1, as: Int64.self), unit)
        default: return try copied(1, as: Int64.self)
        }
    }

    private func readFlags() throws(ConnectorError) -> [Int64] {
        guard let bits = raw.buffers[1] else { throw breach("lacks buffer 1") }
        let (flags, _) = copiedBits(bits, start: start, count: count)
        return (0..<count).map { Int64(flags[$0 >> 3] >> UInt8($0 & 7) & 1) }
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
