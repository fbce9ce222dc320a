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
    /// - Parameter looksAtNulls: Whether a NULL is an exception; else it stays NULL.
    /// - Returns: Nil for kinds and types that have no loop of their own.
    init?(_ cells: Column, for field: DestinationField, looksAtNulls: Bool) {
        let made: PlainColumn? = cells.withPointers { view in
            let scan = CellScan(view: view, looksAtNulls: looksAtNulls)
            switch (field.kind, cells.type) {
            case (.text, .text), (.text, .decimal), (.text, .json):
                return .shared(cells.called(.text), scan.unfitTexts(field))
            case (.text, .int64), (.number, .int64):
                return scan.decimals(field.kind.columnType, Int64.min, field.lengthMax)
            case (.id, .int64), (.reference, .int64): return scan.decimals(.text, 1, nil)
            case (.id, .text), (.reference, .text): return .shared(cells, scan.rows { !isPlainID($0) })
            case (.number, .text), (.number, .decimal):
                return .shared(cells.called(.decimal), scan.rows { !isPlainNumber($0) })
            case (.integer, .int64), (.boolean, .bool): return .shared(cells, scan.nulls)
            case (.integer, .text), (.integer, .decimal): return scan.numbers(.int64, plainInteger)
            case (.boolean, .int64): return .shared(cells.called(.bool), scan.rowsOutside(0...1))
            case (.date, .date): return .shared(cells, scan.rowsOutside(CivilDate.fourDigitDays))
            case (.date, .text): return scan.numbers(.date, plainDate)
            case (.instant, .instant): return .shared(cells, scan.rowsOutside(fourDigitInstants))
            case (.instant, .text): return scan.numbers(.instant, plainInstant)
            default: return nil
            }
        }
        guard let made else { return nil }
        self = made
    }

    fileprivate init(_ column: Column, _ exceptions: [Int], isShared: Bool = false) {
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

    private func hasCell(_ row: Int, of other: Column, _ place: Int) -> Bool {
        guard isNull(row) == other.isNull(place) else { return false }
        if isNull(row) { return true }
        return type.layout == .bytes
            ? byteSlice(row).elementsEqual(other.byteSlice(place)) : int64s[row] == other.int64s[place]
    }

    private func append(_ row: Int, to out: inout Column) {
        if isNull(row) {
            out.appendNull()
        } else if type.layout == .bytes {
            out.append(bytes: byteSlice(row))
        } else {
            out.append(int64s[row])
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
private struct CellScan {
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
        let mayHoldNUL = holdsZero(view.bytes, Int(view.offsets[view.count]))
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
                if !isNull, let start = buffer.baseAddress { used += write(number, start + used) }
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

    /// A column with NULLs where this one has them.
    func column(_ type: DataType, int64s: [Int64] = [], offsets: [Int32] = [], bytes: [UInt8] = []) -> Column {
        let bits = UnsafeBufferPointer(start: view.validity, count: view.validity == nil ? 0 : (view.count + 7) >> 3)
        return Column(
            type, count: view.count, validity: Array(bits), nullCount: view.nullCount, int64s: int64s,
            offsets: offsets, bytes: bytes)
    }
}

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
                guard let code = entries.code(row, convert) else { return nil }
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

    init(_ view: ColumnPointers) {
        self.view = view
        isBytes = view.layout == .bytes
    }

    func hasValue(_ code: Int) -> Bool { values[code] != nil }

    /// The number of the cell in `row`, or nil where there are too many.
    mutating func code(_ row: Int, _ convert: (Int) -> Value?) -> Int? {
        var slot = Int(truncatingIfNeeded: hash(row)) & (Self.slots - 1)
        while slots[slot] >= 0 {
            let code = Int(slots[slot])
            if isSame(rows[code], row) { return code }
            slot = (slot + 1) & (Self.slots - 1)
        }
        guard rows.count < Self.entriesMax else { return nil }
        slots[slot] = Int32(rows.count)
        rows.append(row)
        values.append(convert(row))
        return rows.count - 1
    }

    private func hash(_ row: Int) -> UInt64 {
        guard isBytes else { return mixed(word(row)) }
        var hash: UInt64 = 0
        for byte in view.cell(row) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return mixed(hash)
    }

    private func word(_ row: Int) -> UInt64 {
        switch view.layout {
        case .int64: UInt64(bitPattern: view.int64s[row])
        case .float64: view.float64s[row].bitPattern
        default: view.uint64s[row]
        }
    }

    private func mixed(_ word: UInt64) -> UInt64 {
        let product = word &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 32
    }

    private func isSame(_ first: Int, _ second: Int) -> Bool {
        guard isBytes else { return word(first) == word(second) }
        let (left, right) = (view.cell(first), view.cell(second))
        guard left.count == right.count else { return false }
        for place in 0..<left.count where left[place] != right[place] { return false }
        return true
    }

    /// The values of the rows by their numbers; -1 stands for none.
    func column(_ scan: CellScan, _ type: DataType, _ codes: [Int32]) -> Column {
        guard type.layout == .bytes else {
            let numbers = values.map { $0?.word ?? 0 }
            return scan.column(type, int64s: codes.map { $0 < 0 ? 0 : numbers[Int($0)] })
        }
        let texts = values.map { Array(($0?.textValue ?? "").utf8) }
        var offsets = [Int32](repeating: 0, count: codes.count + 1)
        for row in codes.indices {
            offsets[row + 1] = offsets[row] + (codes[row] < 0 ? 0 : Int32(texts[Int(codes[row])].count))
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(offsets[codes.count]))
        for code in codes where code >= 0 { bytes.append(contentsOf: texts[Int(code)]) }
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

/// The instants with a year from 1 to 9999.
private let fourDigitInstants =
    CivilDate.fourDigitDays.lowerBound
    * TimeText.dayLength...(CivilDate.fourDigitDays.upperBound + 1) * TimeText.dayLength - 1

/// Whether any of `count` bytes is 0.
private func holdsZero(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    var place = 0
    var found: UInt64 = 0
    while place &+ 8 <= count {
        let word = UnsafeRawPointer(bytes + place).loadUnaligned(as: UInt64.self)
        found |= (word &- 0x0101_0101_0101_0101) & ~word
        place &+= 8
    }
    if found & 0x8080_8080_8080_8080 != 0 { return true }
    while place < count {
        if bytes[place] == 0 { return true }
        place &+= 1
    }
    return false
}

extension MappedBatch {
    /// The ids of ``idText(_:)`` that are numbers, 0 for the others; empty where no row names a record.
    package func idNumbers() -> [UInt64] {
        guard let ids else { return [] }
        return ids.withPointers { view in
            (0..<view.count).map { row in view.isNull(row) ? 0 : UInt64(max(0, plainInteger(view.cell(row)) ?? 0)) }
        }
    }
}

/// Whether the bytes are a number as the destination's column has it: no sign `+`, no leading zeros, no exponent.
@inline(__always)
private func isPlainNumber(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = bytes.first else { return false }
    var place = first == UInt8(ascii: "-") ? 1 : 0
    let start = place
    while place < bytes.count, bytes[place] &- 0x30 < 10 { place &+= 1 }
    let digits = place &- start
    guard digits > 0, bytes[start] != 0x30 || (digits == 1 && start == 0) else { return false }
    if place == bytes.count { return true }
    guard bytes[place] == UInt8(ascii: ".") else { return false }
    place &+= 1
    let fraction = place
    while place < bytes.count, bytes[place] &- 0x30 < 10 { place &+= 1 }
    return place == bytes.count && place > fraction
}

/// Whether the bytes are the id of a record as the destination's column has it.
@inline(__always)
private func isPlainID(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let number = plainInteger(bytes) else { return false }
    return number > 0 && bytes[0] != 0x30
}

/// The integer that up to 18 digits say, with a `-` before them or not; nil for everything else.
@inline(__always)
private func plainInteger(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    guard let first = bytes.first else { return nil }
    let start = first == UInt8(ascii: "-") ? 1 : 0
    guard bytes.count > start, bytes.count <= 18 &+ start else { return nil }
    var number: Int64 = 0
    for place in start..<bytes.count {
        let digit = bytes[place] &- 0x30
        guard digit < 10 else { return nil }
        number = number &* 10 &+ Int64(digit)
    }
    return start == 0 ? number : -number
}

/// The date that `YYYY-MM-DD` says; nil for everything else.
@inline(__always)
private func plainDate(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    var place = 0
    guard bytes.count == 10, let days = TimeScanner.date(bytes.span, &place), CivilDate.fourDigitDays.contains(days)
    else { return nil }
    return days
}

/// The instant that a date, a time and a zone say; nil for everything else.
@inline(__always)
private func plainInstant(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    var place = 0
    guard let local = TimeScanner.timestamp(bytes.span, &place),
        let offset = TimeScanner.offset(bytes.span, &place), place == bytes.count
    else { return nil }
    let instant = local - offset * 60_000_000
    return fourDigitInstants.contains(instant) ? instant : nil
}

/// Writes a number as decimal text; returns how many bytes, at most 20.
@inline(__always)
private func write(_ number: Int64, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    var rest = number.magnitude
    var digits = 1
    var power: UInt64 = 10
    while digits < 19, rest >= power {
        digits &+= 1
        power &*= 10
    }
    let length = digits &+ (number < 0 ? 1 : 0)
    if number < 0 { out[0] = UInt8(ascii: "-") }
    var place = length
    repeat {
        place &-= 1
        out[place] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
    } while rest > 0
    return length
}
