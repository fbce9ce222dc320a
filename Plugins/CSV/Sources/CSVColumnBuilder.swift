// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Collects the values of one column of a batch.
///
/// It fills plain arrays and makes a ``Column`` of them at the end, because a call into another module per cell
/// costs more than the scanning of the cell.
struct CSVColumnBuilder: Sendable {
    let type: CSVType
    private var int64s: [Int64] = []
    private var float64s: [Double] = []
    private var offsets: [Int32] = []
    private var bytes: [UInt8] = []
    private var nullRows: [Int32] = []
    /// How many bytes the last batch had: what the next one makes room for.
    private var expectedBytes = 0

    init(_ type: CSVType) { self.type = type }

    /// Makes room for `rows` rows.
    mutating func begin(_ rows: Int) {
        switch type.dataType.layout {
        case .int64: int64s.reserveCapacity(rows)
        case .uint64: break
        case .float64: float64s.reserveCapacity(rows)
        case .bytes:
            offsets.reserveCapacity(rows + 1)
            bytes.reserveCapacity(expectedBytes + expectedBytes / 8)
            offsets.append(0)
        }
    }

    /// The column of the rows since ``begin(_:)``; the builder is empty again.
    mutating func finish(_ rows: Int) -> Column {
        var validity: [UInt8] = []
        if !nullRows.isEmpty {
            validity = [UInt8](repeating: 0xFF, count: (rows + 7) >> 3)
            if rows & 7 != 0 { validity[rows >> 3] = (1 << UInt8(rows & 7)) - 1 }
            for row in nullRows { validity[Int(row) >> 3] &= ~(1 << UInt8(row & 7)) }
        }
        let column = Column(
            type.dataType, count: rows, validity: validity, nullCount: nullRows.count, int64s: int64s,
            float64s: float64s, offsets: offsets, bytes: bytes)
        expectedBytes = max(expectedBytes, bytes.count)
        int64s = []
        float64s = []
        offsets = []
        bytes = []
        nullRows = []
        return column
    }

    mutating func appendNull(_ row: Int) {
        nullRows.append(Int32(truncatingIfNeeded: row))
        switch type.dataType.layout {
        case .int64: int64s.append(0)
        case .uint64: break
        case .float64: float64s.append(0)
        case .bytes: offsets.append(Int32(truncatingIfNeeded: bytes.count))
        }
    }

    /// Appends bytes as they are.
    @inline(__always)
    mutating func append(text window: [UInt8], _ range: Range<Int>) {
        bytes.append(contentsOf: window[range])
        offsets.append(Int32(truncatingIfNeeded: bytes.count))
    }

    /// Appends a value of a type other than text.
    ///
    /// - Returns: Whether the bytes are one; nothing is appended where they are not.
    mutating func append(typed window: [UInt8], _ range: Range<Int>) -> Bool {
        let field = window.span.extracting(range)
        switch type {
        case .integer: return append(CSVConversion.integer(field))
        case .boolean: return append(CSVConversion.boolean(field))
        case .date: return append(CSVConversion.date(field))
        case .time: return append(CSVConversion.time(field))
        case .timestamp: return append(CSVConversion.timestamp(field))
        case .instant: return append(CSVConversion.instant(field))
        case .number:
            guard let value = CSVConversion.number(field) else { return false }
            float64s.append(value)
            return true
        case .decimal:
            guard let text = CSVConversion.decimal(field) else { return false }
            append(text: text, 0..<text.count)
            return true
        case .json:
            guard CSVConversion.isJSON(Array(window[range])) else { return false }
            append(text: window, range)
            return true
        case .text:
            append(text: window, range)
            return true
        }
    }

    private mutating func append(_ value: Int64?) -> Bool {
        guard let value else { return false }
        int64s.append(value)
        return true
    }
}
