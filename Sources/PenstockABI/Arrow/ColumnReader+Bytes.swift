// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

extension ColumnReader {
    /// Copies a column of texts or bytes.
    mutating func readBytes(isLarge: Bool) throws(ConnectorError) -> Column {
        var offsets = try readOffsets(isLarge: isLarge)
        var bytes = try readData(isLarge: isLarge, count: Int(offsets[count]))
        if field.type != .bytes { try checkTexts(bytes, offsets) }
        if nullCount > 0 { (bytes, offsets) = emptied(bytes, offsets) }
        return Column(
            field.type, count: count, validity: validity, nullCount: nullCount, offsets: offsets, bytes: bytes)
    }

    /// Copies a column of values of one width.
    func readFixed(width: Int) throws(ConnectorError) -> Column {
        guard let buffer = raw.buffers[1] else { throw breach("lacks buffer 1") }
        guard count * width <= Int(Int32.max) else { throw breach("has more than 2147483647 bytes") }
        let bytes = [UInt8](UnsafeRawBufferPointer(start: buffer + start * width, count: count * width))
        let offsets = (0...count).map { Int32($0 * width) }
        let (kept, keptOffsets) = nullCount > 0 ? emptied(bytes, offsets) : (bytes, offsets)
        return Column(
            field.type, count: count, validity: validity, nullCount: nullCount, offsets: keptOffsets, bytes: kept)
    }

    /// Copies a column of 128-bit decimals as texts.
    func readDecimals(scale: Int) throws(ConnectorError) -> Column {
        let values = try copied(1, as: Int128.self)
        var column = Column(field.type, capacity: count)
        for row in 0..<count {
            if isNull(row) { column.appendNull() } else { column.append(bytes: decimalText(values[row], scale)) }
        }
        return column
    }

    // MARK: - Offsets and data

    /// The offsets, checked, and counted from the first row's.
    private func readOffsets(isLarge: Bool) throws(ConnectorError) -> [Int32] {
        if isLarge {
            let offsets = try copied(1, as: Int64.self, extra: 1)
            try checkOffsets(offsets)
            return offsets.map { Int32(truncatingIfNeeded: $0 - offsets[0]) }
        }
        let offsets = try copied(1, as: Int32.self, extra: 1)
        try checkOffsets(offsets)
        return offsets[0] == 0 ? offsets : offsets.map { $0 - offsets[0] }
    }

    private func checkOffsets<T: FixedWidthInteger>(_ offsets: [T]) throws(ConnectorError) {
        guard offsets[0] >= 0 else { throw breach("starts before its buffer") }
        for row in 0..<count where offsets[row + 1] < offsets[row] {
            throw breach("has offsets that go back at row \(row)")
        }
        guard offsets[count] - offsets[0] <= Int32.max else { throw breach("has more than 2147483647 bytes") }
    }

    private func readData(isLarge: Bool, count total: Int) throws(ConnectorError) -> [UInt8] {
        guard total > 0 else { return [] }
        guard let offsets = raw.buffers[1], let data = raw.buffers[2] else { throw breach("lacks buffer 2") }
        let first =
            isLarge
            ? Int(offsets.loadUnaligned(fromByteOffset: start * 8, as: Int64.self))
            : Int(offsets.loadUnaligned(fromByteOffset: start * 4, as: Int32.self))
        return [UInt8](UnsafeRawBufferPointer(start: data + first, count: total))
    }

    /// The same without the bytes that stand under a NULL.
    private func emptied(_ bytes: [UInt8], _ offsets: [Int32]) -> ([UInt8], [Int32]) {
        let isClean = (0..<count).allSatisfy { !isNull($0) || offsets[$0] == offsets[$0 + 1] }
        guard !isClean else { return (bytes, offsets) }
        var kept: [UInt8] = []
        var ends: [Int32] = [0]
        kept.reserveCapacity(bytes.count)
        ends.reserveCapacity(count + 1)
        for row in 0..<count {
            if !isNull(row) { kept.append(contentsOf: bytes[Int(offsets[row])..<Int(offsets[row + 1])]) }
            ends.append(Int32(kept.count))
        }
        return (kept, ends)
    }

    // MARK: - Texts

    /// Turns rows that are not UTF-8, or not a decimal where one is due, into faults.
    private mutating func checkTexts(_ bytes: [UInt8], _ offsets: [Int32]) throws(ConnectorError) {
        let isDecimal = field.type == .decimal
        if !isDecimal, isASCII(bytes) || isUTF8(bytes, offsets) { return }
        for row in 0..<count where !isNull(row) {
            let cell = bytes[Int(offsets[row])..<Int(offsets[row + 1])]
            if isDecimal ? isDecimalText(cell) : String(validating: cell, as: UTF8.self) != nil { continue }
            let shown = String(String(decoding: cell, as: UTF8.self).prefix(60))
            fault(row, value: shown, isDecimal ? "The value is not a decimal number." : "The text is not UTF-8.")
        }
    }
}

/// Whether all bytes are below 128; eight at a time.
private func isASCII(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { raw in
        let whole = raw.count / 8 * 8
        var seen: UInt64 = 0
        for offset in stride(from: 0, to: whole, by: 8) {
            seen |= raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        }
        for offset in whole..<raw.count { seen |= UInt64(raw[offset]) }
        return seen & 0x8080_8080_8080_8080 == 0
    }
}

/// Whether all bytes are UTF-8 and no cell begins in the middle of a character: then every cell is UTF-8.
private func isUTF8(_ bytes: [UInt8], _ offsets: [Int32]) -> Bool {
    let isCut = offsets.contains { Int($0) < bytes.count && bytes[Int($0)] & 0xC0 == 0x80 }
    do {
        _ = try UTF8Span(validating: bytes.span)
        return !isCut
    } catch {
        return false
    }
}

/// Whether `text` is an optional minus, digits, and optionally a point and digits.
func isDecimalText(_ text: ArraySlice<UInt8>) -> Bool {
    var digits = 0
    var hasPoint = false
    for (place, byte) in text.enumerated() {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
        case UInt8(ascii: "-") where place == 0: break
        case UInt8(ascii: ".") where digits > 0 && !hasPoint:
            hasPoint = true
            digits = 0
        default: return false
        }
    }
    return digits > 0
}

/// The text of `value` × 10 to the minus `scale`, with `scale` digits after the point.
func decimalText(_ value: Int128, _ scale: Int) -> [UInt8] {
    var digits = Array(String(value.magnitude).utf8)
    if scale < 0 {
        if value != 0 { digits += [UInt8](repeating: UInt8(ascii: "0"), count: -scale) }
    } else if scale > 0 {
        if digits.count <= scale {
            digits = [UInt8](repeating: UInt8(ascii: "0"), count: scale + 1 - digits.count) + digits
        }
        digits.insert(UInt8(ascii: "."), at: digits.count - scale)
    }
    return value < 0 ? [UInt8(ascii: "-")] + digits : digits
}
