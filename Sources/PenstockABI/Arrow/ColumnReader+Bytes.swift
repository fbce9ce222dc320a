// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

extension ColumnReader {
    /// Copies a column of texts or bytes.
    mutating func readBytes(isLarge: Bool) throws(ConnectorError) -> Column {
        var offsets = try readOffsets(isLarge: isLarge)
        var bytes = try readData(isLarge: isLarge, count: Int(offsets[count]))
        if field.type != .bytes { checkTexts(bytes, offsets) }
        if nullCount > 0, !areNullsEmpty(offsets) { (bytes, offsets) = emptied(bytes, offsets) }
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
        if !isOrdered(offsets), let row = (0..<count).first(where: { offsets[$0 + 1] < offsets[$0] }) {
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

    /// Whether no bytes stand under a NULL.
    private func areNullsEmpty(_ offsets: [Int32]) -> Bool {
        var isEmpty = true
        forEachNull { row in isEmpty = isEmpty && offsets[row] == offsets[row + 1] }
        return isEmpty
    }

    /// The same without the bytes that stand under a NULL.
    private func emptied(_ bytes: [UInt8], _ offsets: [Int32]) -> ([UInt8], [Int32]) {
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
    private mutating func checkTexts(_ bytes: [UInt8], _ offsets: [Int32]) {
        let isDecimal = field.type == .decimal
        if !isDecimal, areTexts(bytes, offsets) { return }
        for row in badRows(bytes, offsets, isDecimal) {
            let cell = bytes[Int(offsets[row])..<Int(offsets[row + 1])]
            let shown = String(String(decoding: cell, as: UTF8.self).prefix(60))
            fault(row, value: shown, isDecimal ? "The value is not a decimal number." : "The text is not UTF-8.")
        }
    }

    private func badRows(_ bytes: [UInt8], _ offsets: [Int32], _ isDecimal: Bool) -> [Int] {
        bytes.withUnsafeBufferPointer { all in
            var rows: [Int] = []
            for row in 0..<count where !isNull(row) {
                let cell = UnsafeBufferPointer(rebasing: all[Int(offsets[row])..<Int(offsets[row + 1])])
                if !(isDecimal ? isDecimalText(cell) : UTF8Check.isValid(cell)) { rows.append(row) }
            }
            return rows
        }
    }
}

/// Whether no offset is less than the one before it.
private func isOrdered<T: FixedWidthInteger>(_ offsets: [T]) -> Bool {
    offsets.withUnsafeBufferPointer { room in
        var isOrdered = true
        for row in 0..<max(0, room.count &- 1) where room[row &+ 1] < room[row] { isOrdered = false }
        return isOrdered
    }
}

/// Whether all bytes are UTF-8 and no cell begins in the middle of a character: then every cell is UTF-8.
private func areTexts(_ bytes: [UInt8], _ offsets: [Int32]) -> Bool {
    bytes.withUnsafeBufferPointer { all in
        if UTF8Check.isASCII(all) { return true }
        let isCut = offsets.contains { Int($0) < all.count && all[Int($0)] & 0xC0 == 0x80 }
        return !isCut && UTF8Check.isValid(all)
    }
}

/// Whether `text` is an optional minus, digits, and optionally a point and digits.
func isDecimalText(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    var position = text.first == UInt8(ascii: "-") ? 1 : 0
    let start = position
    while position < text.count, text[position] &- 48 < 10 { position &+= 1 }
    guard position > start else { return false }
    guard position < text.count else { return true }
    guard text[position] == UInt8(ascii: ".") else { return false }
    position &+= 1
    let fraction = position
    while position < text.count, text[position] &- 48 < 10 { position &+= 1 }
    return position == text.count && position > fraction
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
