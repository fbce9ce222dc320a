// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension PlainColumn {
    /// Converts every different cell of a column once, where it has few of them.
    ///
    /// - Parameters:
    ///   - looksAtNulls: Whether a NULL is an exception; else it stays NULL.
    ///   - convert: The value of a row, or nil where the row is an exception.
    /// - Returns: Nil where the column has too many different cells for that.
    init?(_ cells: Column, _ type: DataType, looksAtNulls: Bool, convert: (Int) -> Value?) {
        let made: PlainColumn? = cells.withPointers { view in
            var entries = CellDictionary(view)
            var exceptions: [Int] = []
            var codes = [Int32](repeating: -1, count: view.count)
            for row in 0..<view.count {
                if view.isNull(row) {
                    if looksAtNulls { exceptions.append(row) }
                    continue
                }
                var code = entries.code(row)
                // Apart, because to hand on what converts may copy all that it holds, and most rows need it not.
                if code == nil { code = entries.add(row, convert) }
                guard let code else { return nil }
                if entries.hasValue(code) { codes[row] = Int32(code) } else { exceptions.append(row) }
            }
            return PlainColumn(
                entries.column(CellScan(view: view, looksAtNulls: looksAtNulls), type, codes), exceptions)
        }
        guard let made else { return nil }
        self = made
    }
}

/// The different cells of a column, numbered as they come, and what each becomes.
private struct CellDictionary {
    /// More different cells than this are not worth it.
    private static let entriesMax = 512
    private static let slots = 2_048

    private let view: ColumnPointers
    private let isBytes: Bool
    private var slots = [Int32](repeating: -1, count: CellDictionary.slots)
    private var rows: [Int] = []
    private var values: [Value?] = []
    /// Whether there is a value: a question that copies none.
    private var isValue: [Bool] = []

    init(_ view: ColumnPointers) {
        self.view = view
        isBytes = view.layout == .bytes
    }

    func hasValue(_ code: Int) -> Bool { isValue[code] }

    /// The number of the cell in `row`, or nil where it was not seen yet.
    func code(_ row: Int) -> Int? {
        let code = Int(slots[slot(of: row)])
        return code < 0 ? nil : code
    }

    /// Numbers the cell in `row`, which was not seen yet, or returns nil where there are too many.
    mutating func add(_ row: Int, _ convert: (Int) -> Value?) -> Int? {
        guard rows.count < Self.entriesMax else { return nil }
        slots[slot(of: row)] = Int32(rows.count)
        let value = convert(row)
        rows.append(row)
        values.append(value)
        isValue.append(value != nil)
        return rows.count - 1
    }

    /// Where the number of the cell in `row` stands, or is to stand.
    private func slot(of row: Int) -> Int {
        var slot = Int(truncatingIfNeeded: hash(row)) & (Self.slots - 1)
        while slots[slot] >= 0, !isSame(rows[Int(slots[slot])], row) { slot = (slot + 1) & (Self.slots - 1) }
        return slot
    }

    private func hash(_ row: Int) -> UInt64 {
        guard isBytes else { return FewBytes.mixed(word(row)) }
        let cell = view.cell(row)
        return cell.baseAddress.map { FewBytes.hash($0, cell.count) } ?? 0
    }

    private func word(_ row: Int) -> UInt64 {
        switch view.layout {
        case .int64: UInt64(bitPattern: view.int64s[row])
        case .float64: view.float64s[row].bitPattern
        default: view.uint64s[row]
        }
    }

    private func isSame(_ first: Int, _ second: Int) -> Bool {
        guard isBytes else { return word(first) == word(second) }
        let (left, right) = (view.cell(first), view.cell(second))
        guard left.count == right.count, let one = left.baseAddress, let other = right.baseAddress else { return false }
        return FewBytes.isSame(one, other, left.count)
    }

    /// The values of the rows by their numbers; -1 stands for none.
    func column(_ scan: CellScan, _ type: DataType, _ codes: [Int32]) -> Column {
        guard type.layout == .bytes else {
            let numbers = values.map { $0?.word ?? 0 }
            return scan.column(type, int64s: codes.map { $0 < 0 ? 0 : numbers[Int($0)] })
        }
        // All texts one behind the other, and where each of them lies.
        var pool: [UInt8] = []
        let places = values.map { value in
            let start = pool.count
            pool += (value?.textValue ?? "").utf8
            return start..<pool.count
        }
        var offsets = [Int32](repeating: 0, count: codes.count + 1)
        for row in codes.indices {
            offsets[row + 1] = offsets[row] + (codes[row] < 0 ? 0 : Int32(places[Int(codes[row])].count))
        }
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(offsets[codes.count])) { room, used in
            used = Int(offsets[codes.count])
            pool.withUnsafeBufferPointer { pool in
                guard let target = room.baseAddress, let source = pool.baseAddress else { return }
                for row in codes.indices where codes[row] >= 0 {
                    let place = places[Int(codes[row])]
                    FewBytes.copy(source + place.lowerBound, target + Int(offsets[row]), place.count)
                }
            }
        }
        return scan.column(type, offsets: offsets, bytes: bytes)
    }
}

extension Value {
    /// What a column of layout `int64` holds of it, or nil.
    fileprivate var word: Int64? {
        switch self {
        case .bool(let flag): flag ? 1 : 0
        case .int64(let number), .date(let number), .instant(let number), .timestamp(let number), .time(let number):
            number
        default: nil
        }
    }

    /// What a column of layout `bytes` holds of it, or nil.
    fileprivate var textValue: String? {
        switch self {
        case .text(let text), .decimal(let text), .json(let text): text
        default: nil
        }
    }
}
