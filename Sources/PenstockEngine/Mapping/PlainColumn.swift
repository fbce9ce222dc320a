// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A column converted as far as that can be done without looking at its cells as values.
///
/// A column that already is what the target wants is shared, not copied. Everything a loop over pointers is not sure
/// about is left to the conversion of single cells.
struct PlainColumn {
    /// The values; what stands in the rows of ``exceptions`` means nothing.
    var column: Column
    /// The rows that are to be converted one by one, in their order.
    var exceptions: [Int]
    /// Whether it is the source's own column, which is worth keeping.
    var isShared = false

    /// Converts `cells` for a field.
    ///
    /// - Parameters:
    ///   - isSplit: Whether a text is a list whose elements stand apart.
    ///   - looksAtNulls: Whether a NULL is an exception; else it stays NULL.
    /// - Returns: Nil for kinds and types that have no loop of their own.
    init?(_ cells: Column, for field: DestinationField, isSplit: Bool = false, looksAtNulls: Bool) {
        let lengthMax = field.lengthMax ?? .max
        func fits(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool { bytes.count <= lengthMax }
        let made: PlainColumn? = cells.withPointers { view in
            let scan = CellScan(view: view, looksAtNulls: looksAtNulls)
            switch (field.kind, cells.type) {
            case (.text, .text), (.text, .decimal), (.text, .json):
                return .shared(cells.called(.text), scan.unfitTexts(field))
            case (.text, .int64), (.number, .int64):
                return scan.decimals(field.kind.columnType, Int64.min, field.lengthMax)
            case (.id, .int64): return .shared(cells, scan.rowsOutside(1...Int64.max))
            case (.reference, .int64): return scan.decimals(.text, 1, nil)
            case (.id, .text), (.reference, .text): return .shared(cells, scan.rows { !PlainCell.isID($0) })
            case (.number, .text), (.number, .decimal):
                return .shared(cells.called(.decimal), scan.rows { !PlainCell.isNumber($0) })
            case (.integer, .int64), (.boolean, .bool): return .shared(cells, scan.nulls)
            case (.integer, .text), (.integer, .decimal): return scan.numbers(.int64, PlainCell.integer)
            case (.boolean, .int64): return .shared(cells.called(.bool), scan.rowsOutside(0...1))
            case (.date, .date): return .shared(cells, scan.rowsOutside(CivilDate.fourDigitDays))
            case (.date, .text): return scan.numbers(.date, PlainCell.date)
            case (.instant, .instant): return .shared(cells, scan.rowsOutside(PlainCell.fourDigitInstants))
            case (.instant, .text): return scan.numbers(.instant, PlainCell.instant)
            case (.money, .text), (.money, .decimal):
                return scan.framed("{\"value\":", "}") { PlainCell.isNumber($0) }
            case (.address, .text):
                return scan.framed("{\"value\":\"", "\"}") { fits($0) && PlainCell.isWord($0, isTrimmed: false) }
            case (.contacts, .text) where !isSplit:
                return scan.framed("[{\"value\":\"", "\",\"primary\":true}]") {
                    fits($0) && PlainCell.isWord($0, isTrimmed: true)
                }
            case (.texts, .text) where !isSplit:
                return scan.framed("[\"", "\"]") { fits($0) && PlainCell.isWord($0, isTrimmed: false) }
            default: return nil
            }
        }
        guard let made else { return nil }
        self = made
    }

    init(_ column: Column, _ exceptions: [Int], isShared: Bool = false) {
        self.column = column
        self.exceptions = exceptions
        self.isShared = isShared
    }

    private static func shared(_ column: Column, _ exceptions: [Int]) -> PlainColumn {
        PlainColumn(column, exceptions, isShared: true)
    }

    /// The column with the values of `single` in the rows of ``exceptions``.
    ///
    /// - Parameter isSet: Whether the value of a row means anything.
    func completed(with single: Column, where isSet: (Int) -> Bool) -> Column {
        exceptions.isEmpty ? column : column.replacing(exceptions, with: single) { !isShared || isSet($0) }
    }
}

extension Column {
    /// The same values under another type of the same layout.
    func called(_ type: DataType) -> Column {
        if type == self.type { return self }
        return Column(
            type, count: count, validity: validity, nullCount: nullCount, int64s: int64s, uint64s: uint64s,
            float64s: float64s, offsets: offsets, bytes: bytes)
    }

    /// The column with other values in some rows: those of `patch`, which has one for each of `rows`.
    ///
    /// - Returns: This very column where they are the values that stand there.
    func replacing(_ rows: [Int], with patch: Column, where isSet: (Int) -> Bool) -> Column {
        let isSame = rows.enumerated().allSatisfy { place, row in !isSet(row) || hasCell(row, of: patch, place) }
        if isSame { return self }
        var out = Column(type, capacity: count)
        var next = 0
        for row in 0..<count {
            let isPatched = next < rows.count && rows[next] == row
            (isPatched ? patch : self).append(isPatched ? next : row, to: &out)
            if isPatched { next += 1 }
        }
        return out
    }

    /// The cells of some rows.
    package func selecting(_ rows: [Int]) -> Column {
        var out = Column(type, capacity: rows.count)
        for row in rows { append(row, to: &out) }
        return out
    }

    private func hasCell(_ row: Int, of other: Column, _ place: Int) -> Bool {
        guard isNull(row) == other.isNull(place) else { return false }
        if isNull(row) { return true }
        return type.layout == .bytes
            ? byteSlice(row).elementsEqual(other.byteSlice(place)) : int64s[row] == other.int64s[place]
    }

    private func append(_ row: Int, to out: inout Column) {
        if isNull(row) {
            out.appendNull()
        } else {
            switch type.layout {
            case .int64: out.append(int64s[row])
            case .uint64: out.append(uint64s[row])
            case .float64: out.append(float64s[row])
            case .bytes: out.append(bytes: byteSlice(row))
            }
        }
    }
}

extension PlainColumn {
    /// The cell of a column of one row, `count` times.
    static func repeating(_ one: Column, _ count: Int) -> Column {
        guard one.type.layout == .bytes else {
            return Column(
                one.type, count: count, validity: [], nullCount: 0,
                int64s: [Int64](repeating: one.int64s[0], count: count))
        }
        let length = one.bytes.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * length)
        for _ in 0..<count { bytes.append(contentsOf: one.bytes) }
        let offsets = (0...count).map { Int32($0 * length) }
        return Column(one.type, count: count, validity: [], nullCount: 0, offsets: offsets, bytes: bytes)
    }

    /// The digests of what the rows set: `order` has the places of the targets, each with the digest of its key.
    static func payloads(
        _ columns: [Column], rows: Int, _ presence: Presence, _ order: [(target: Int, key: Fingerprint)]
    ) -> [Fingerprint] {
        presence.words.withUnsafeBufferPointer { words in
            func digests(_ fields: [RowDigests.Field]) -> [Fingerprint] {
                guard fields.count < order.count, let bits = words.baseAddress else {
                    return RowDigests.payloads(fields, rows: rows)
                }
                let next = order[fields.count]
                return columns[next.target].withPointers { view in
                    digests(
                        fields + [
                            RowDigests.Field(
                                key: next.key, view: view, presence: bits + next.target * presence.stride)
                        ])
                }
            }
            return digests([])
        }
    }
}

extension Column {
    /// The validity bits of 64 rows, from row `word * 64` on; those behind the last row may be anything.
    func validityWord(_ word: Int) -> UInt64 {
        guard nullCount > 0 else { return .max }
        var bits: UInt64 = 0
        for byte in (word * 8)..<min(word * 8 + 8, validity.count) {
            bits |= UInt64(validity[byte]) << UInt64((byte - word * 8) * 8)
        }
        return bits
    }
}

/// Loops over the cells of one column.
struct CellScan {
    let view: ColumnPointers
    /// Whether a NULL is an exception.
    let looksAtNulls: Bool

    /// The rows whose bytes `isException` points out.
    @inline(__always)
    func rows(_ isException: (UnsafeBufferPointer<UInt8>) -> Bool) -> [Int] {
        var found: [Int] = []
        for row in 0..<view.count {
            if view.isNull(row) ? looksAtNulls : isException(view.cell(row)) { found.append(row) }
        }
        return found
    }

    /// The NULLs, where they are exceptions.
    var nulls: [Int] {
        guard looksAtNulls, view.nullCount > 0 else { return [] }
        return (0..<view.count).filter(view.isNull)
    }

    /// The texts that a field may not be able to hold.
    func unfitTexts(_ field: DestinationField) -> [Int] {
        let lengthMax = Int32(clamping: field.lengthMax ?? .max)
        var longest: Int32 = 0
        for row in 0..<view.count { longest = max(longest, view.offsets[row + 1] &- view.offsets[row]) }
        let mayHoldNUL = PlainCell.holdsZero(view.bytes, Int(view.offsets[view.count]))
        guard longest > lengthMax || mayHoldNUL || field.isRequiredOnCreate else { return nulls }
        return rows { bytes in
            // A letter at the front settles that the text is not blank.
            bytes.count > lengthMax || (mayHoldNUL && bytes.contains(0))
                || (field.isRequiredOnCreate && (bytes.isEmpty || !(0x21...0x7E).contains(bytes[0])))
        }
    }

    /// The rows with numbers outside `range`.
    func rowsOutside(_ range: ClosedRange<Int64>) -> [Int] {
        var isWithin = true
        for row in 0..<view.count { isWithin = isWithin && range.contains(view.int64s[row]) }
        if isWithin { return nulls }
        return (0..<view.count).filter { row in
            view.isNull(row) ? looksAtNulls : !range.contains(view.int64s[row])
        }
    }

    /// The numbers as decimal texts; those below `least`, and those longer than `lengthMax`, are exceptions.
    func decimals(_ type: DataType, _ least: Int64, _ lengthMax: Int?) -> PlainColumn? {
        guard lengthMax ?? .max >= Self.digitsMax else { return nil }
        var exceptions: [Int] = []
        var offsets = [Int32](repeating: 0, count: view.count + 1)
        let bytes = [UInt8](unsafeUninitializedCapacity: view.count * Self.digitsMax) { buffer, used in
            for row in 0..<view.count {
                let number = view.int64s[row]
                let isNull = view.isNull(row)
                if isNull ? looksAtNulls : number < least { exceptions.append(row) }
                if !isNull, let start = buffer.baseAddress { used += PlainCell.write(number, start + used) }
                offsets[row + 1] = Int32(truncatingIfNeeded: used)
            }
        }
        return PlainColumn(column(type, offsets: offsets, bytes: bytes), exceptions)
    }

    /// The most bytes of a number as decimal text.
    private static let digitsMax = 20

    /// The numbers that `read` makes of texts; where that is nil it is an exception.
    @inline(__always)
    func numbers(_ type: DataType, _ read: (UnsafeBufferPointer<UInt8>) -> Int64?) -> PlainColumn {
        var exceptions: [Int] = []
        let numbers = [Int64](unsafeUninitializedCapacity: view.count) { buffer, used in
            for row in 0..<view.count {
                let isNull = view.isNull(row)
                let number = isNull ? nil : read(view.cell(row))
                if number == nil, !isNull || looksAtNulls { exceptions.append(row) }
                buffer.initializeElement(at: row, to: number ?? 0)
            }
            used = view.count
        }
        return PlainColumn(column(type, int64s: numbers), exceptions)
    }

    /// JSON with the bytes of each cell between `prefix` and `suffix`; cells that are not plain are exceptions.
    @inline(__always)
    func framed(
        _ prefix: StaticString, _ suffix: StaticString, _ isPlain: (UnsafeBufferPointer<UInt8>) -> Bool
    ) -> PlainColumn {
        var exceptions: [Int] = []
        var offsets = [Int32](repeating: 0, count: view.count + 1)
        let room = Int(view.offsets[view.count]) + view.count * (prefix.utf8CodeUnitCount + suffix.utf8CodeUnitCount)
        let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, used in
            func append(_ start: UnsafePointer<UInt8>, _ count: Int) {
                guard let base = buffer.baseAddress, count > 0 else { return }
                FewBytes.copy(start, base + used, count)
                used += count
            }
            for row in 0..<view.count {
                let cell = view.cell(row)
                if view.isNull(row) {
                    if looksAtNulls { exceptions.append(row) }
                } else if let start = cell.baseAddress, isPlain(cell) {
                    append(prefix.utf8Start, prefix.utf8CodeUnitCount)
                    append(start, cell.count)
                    append(suffix.utf8Start, suffix.utf8CodeUnitCount)
                } else {
                    exceptions.append(row)
                }
                offsets[row + 1] = Int32(truncatingIfNeeded: used)
            }
        }
        return PlainColumn(column(.json, offsets: offsets, bytes: bytes), exceptions)
    }

    /// A column with NULLs where this one has them.
    func column(_ type: DataType, int64s: [Int64] = [], offsets: [Int32] = [], bytes: [UInt8] = []) -> Column {
        let bits = UnsafeBufferPointer(start: view.validity, count: view.validity == nil ? 0 : (view.count + 7) >> 3)
        return Column(
            type, count: view.count, validity: Array(bits), nullCount: view.nullCount, int64s: int64s,
            offsets: offsets, bytes: bytes)
    }
}
