// SPDX-License-Identifier: Apache-2.0

/// Digests of all rows of a batch at once, over pointers.
///
/// They are what a ``FingerprintHasher`` makes of the rows one by one; a test holds the two against each other.
///
/// The cells of some rows are copied one behind the other, and only then digested: what was just written cannot be read
/// at once in words of another size.
package enum RowDigests {
    /// How many rows are worked on at a time: as many as a word of presence bits has.
    private static let blockRows = 64

    /// The digest of each row over `views`, in the order given.
    ///
    /// - Parameter rows: How many rows there are.
    package static func whole(_ views: [ColumnPointers], rows: Int) -> [Fingerprint] {
        let cells = views.map { RowCells($0) }
        return digests(rows) { gathered, block in
            gathered.makeRoom(cells, block)
            gathered.add(cells, block)
        }
    }

    /// The digest of some rows over `views`, in the order given.
    package static func whole(_ views: [ColumnPointers], of rows: [Int]) -> [Fingerprint] {
        let cells = views.map { RowCells($0) }
        return digests(rows.count) { gathered, block in
            for row in rows[block] {
                gathered.makeRoom(cells, row..<row + 1)
                gathered.add(cells, row..<row + 1)
            }
        }
    }

    /// A field of payloads: its key, its values, and which rows have it.
    package struct Field {
        let key: Fingerprint
        let view: ColumnPointers
        let presence: UnsafePointer<UInt64>

        /// A field of payloads.
        ///
        /// - Parameters:
        ///   - view: Of layout `int64` or `bytes`; decimals are without sign `+` and exponent.
        ///   - presence: One bit a row, in words; valid for as long as `view`.
        package init(key: Fingerprint, view: ColumnPointers, presence: UnsafePointer<UInt64>) {
            self.key = key
            self.view = view
            self.presence = presence
        }
    }

    /// The digest of what each row would send: a digest of the keys of the fields that it has, and their cells.
    ///
    /// A number goes without the zeros that end its fraction, everything else as it is.
    package static func payloads(_ fields: [Field], rows: Int) -> [Fingerprint] {
        let cells = fields.map { RowCells($0) }
        var keys = KeyDigests()
        return digests(rows) { gathered, block in
            gathered.makeRoom(cells, block)
            gathered.addPresent(cells, block, &keys)
        }
    }

    /// Digests rows a block at a time; `gather` copies the cells of the block's rows.
    private static func digests(_ rows: Int, _ gather: (inout GatheredRows, Range<Int>) -> Void) -> [Fingerprint] {
        var gathered = GatheredRows(blockRows)
        return [Fingerprint](unsafeUninitializedCapacity: rows) { out, count in
            while count < rows {
                let block = count..<min(count + blockRows, rows)
                gather(&gathered, block)
                gathered.digest(to: out.baseAddress.unsafelyUnwrapped + count)
                count = block.upperBound
            }
        }
    }
}

/// The bytes of some rows, one behind the other, in memory that is used again.
private struct GatheredRows: ~Copyable {
    private var bytes: UnsafeMutablePointer<UInt8>
    private var room = 1 << 14
    private var end = 0
    /// Where each row ends.
    private let ends: UnsafeMutablePointer<Int>
    private var rows = 0

    init(_ rows: Int) {
        bytes = .allocate(capacity: room)
        ends = .allocate(capacity: rows)
    }

    deinit {
        bytes.deallocate()
        ends.deallocate()
    }

    /// Makes room for so many rows, and for the keys of one.
    mutating func makeRoom(_ cells: [RowCells], _ rows: Range<Int>) {
        var needed = end + 16 * (rows.count + cells.count) + RowCells.slack
        for cell in cells { needed += cell.size(rows) }
        guard needed > room else { return }
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * needed)
        larger.update(from: bytes, count: end)
        bytes.deallocate()
        (bytes, room) = (larger, 2 * needed)
    }

    /// Adds rows of these cells.
    mutating func add(_ cells: [RowCells], _ rows: Range<Int>) {
        cells.withUnsafeBufferPointer { cells in
            var end = bytes + end
            for row in rows {
                for cell in cells { end = cell.copy(row, to: end) }
                close(end)
            }
        }
    }

    /// Adds the rows of a block, each of a digest of the keys of the cells that it has, and these.
    mutating func addPresent(_ cells: [RowCells], _ rows: Range<Int>, _ keys: inout KeyDigests) {
        cells.withUnsafeBufferPointer { cells in
            var end = bytes + end
            let word = rows.lowerBound / 64
            keys.look(at: cells, word)
            for row in rows {
                keys.digest(of: cells, row, room: end).store(to: end)
                end += 16
                for cell in cells {
                    // Whether there is a cell is not worth a guess either: one that is not is written over.
                    let next = cell.copy(row, to: end)
                    end = cell.presence[word] & 1 &<< UInt64(truncatingIfNeeded: row) == 0 ? end : next
                }
                close(end)
            }
        }
    }

    /// Ends a row.
    @inline(__always)
    private mutating func close(_ place: UnsafeMutablePointer<UInt8>) {
        end = place - bytes
        ends[rows] = end
        rows &+= 1
    }

    /// Digests the rows, and forgets them.
    mutating func digest(to out: UnsafeMutablePointer<Fingerprint>) {
        var start = 0
        for row in 0..<rows {
            let bytes = UnsafeRawBufferPointer(start: bytes + start, count: ends[row] &- start)
            (out + row).initialize(to: Fingerprint(digesting: bytes))
            start = ends[row]
        }
        (rows, end) = (0, 0)
    }
}

extension Fingerprint {
    /// Writes the 16 bytes.
    @inline(__always)
    fileprivate func store(to place: UnsafeMutableRawPointer) {
        place.storeBytes(of: low.littleEndian, as: UInt64.self)
        place.storeBytes(of: high.littleEndian, toByteOffset: 8, as: UInt64.self)
    }
}

/// Digests of the keys of fields that rows have: few sets of fields are those of nearly all rows.
private struct KeyDigests {
    /// The fields that each row of a block has, as bits.
    private var sets = [64 of UInt64](repeating: 0)
    /// Sets that were met, and their digests; a set without fields stands where none was.
    private var met: [64 of (set: UInt64, digest: Fingerprint)]
    private var fitsSets = true

    init() {
        met = [64 of (set: UInt64, digest: Fingerprint)](
            repeating: (0, Fingerprint(digesting: UnsafeRawBufferPointer(start: nil, count: 0))))
    }

    /// Looks which fields the rows of a word of presence bits have.
    mutating func look(at cells: UnsafeBufferPointer<RowCells>, _ word: Int) {
        fitsSets = cells.count <= 64
        guard fitsSets else { return }
        for row in 0..<64 { sets[row] = 0 }
        for place in cells.indices {
            let bits = cells[place].presence[word]
            for row in 0..<64 {
                sets[row] |= (bits &>> UInt64(truncatingIfNeeded: row) & 1) &<< UInt64(truncatingIfNeeded: place)
            }
        }
    }

    /// The digest of the keys of the fields that a row has.
    ///
    /// - Parameter room: For the keys of all fields; nothing stays there.
    @inline(__always)
    mutating func digest(
        of cells: UnsafeBufferPointer<RowCells>, _ row: Int, room: UnsafeMutablePointer<UInt8>
    ) -> Fingerprint {
        guard fitsSets else { return Self.digest(of: cells, row, room) }
        let set = sets[row & 63]
        let slot = Int(truncatingIfNeeded: FewBytes.mixed(set) & 63)
        if met[slot].set != set { met[slot] = (set, Self.digest(of: cells, row, room)) }
        return met[slot].digest
    }

    private static func digest(
        of cells: UnsafeBufferPointer<RowCells>, _ row: Int, _ room: UnsafeMutablePointer<UInt8>
    ) -> Fingerprint {
        var end = room
        for cell in cells where cell.presence[row / 64] & 1 << UInt64(row % 64) != 0 {
            cell.key.store(to: end)
            end += 16
        }
        return Fingerprint(digesting: UnsafeRawBufferPointer(start: room, count: end - room))
    }
}

/// The cells of a column, as they are digested.
private struct RowCells {
    /// How many bytes behind a cell may be written.
    static let slack = 32
    /// How many bytes stand in front of the bytes of a cell.
    private static let headSize = 4

    /// The digest of the field's key, and which rows have the field; of fields alone.
    let key: Fingerprint
    let presence: UnsafePointer<UInt64>
    private let validity: UnsafePointer<UInt8>?
    /// The numbers, or the bytes of all cells.
    private let values: UnsafePointer<UInt8>
    private let offsets: UnsafePointer<Int32>
    private let isBytes: Bool
    private let trims: Bool
    /// Where the last 32 bytes of all cells begin.
    private let last: Int

    init(_ field: RowDigests.Field) {
        self.init(field.view, field.key, field.presence, trims: field.view.type == .decimal)
    }

    init(
        _ view: ColumnPointers, _ key: Fingerprint = Fingerprint(low: 0, high: 0),
        _ presence: UnsafePointer<UInt64>? = nil, trims: Bool = false
    ) {
        self.key = key
        // Where nobody asks, anything does.
        self.presence = presence ?? view.uint64s
        self.trims = trims
        validity = view.validity
        offsets = view.offsets
        isBytes = view.layout == .bytes
        last = isBytes && view.count > 0 ? Int(view.offsets[view.count]) - RowCells.slack : -1
        values =
            switch view.layout {
            case .int64: UnsafeRawPointer(view.int64s).assumingMemoryBound(to: UInt8.self)
            case .uint64: UnsafeRawPointer(view.uint64s).assumingMemoryBound(to: UInt8.self)
            case .float64: UnsafeRawPointer(view.float64s).assumingMemoryBound(to: UInt8.self)
            case .bytes: view.bytes
            }
    }

    /// How many bytes some rows take at most.
    func size(_ rows: Range<Int>) -> Int {
        guard isBytes else { return (RowCells.headSize + 8) * rows.count }
        return RowCells.headSize * rows.count + Int(offsets[rows.upperBound]) - Int(offsets[rows.lowerBound])
    }

    /// Copies a cell to `place`, and returns where it ends; up to 32 bytes behind that are written too.
    @inline(__always)
    func copy(_ row: Int, to place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        let head = UnsafeMutableRawPointer(place)
        let target = place + RowCells.headSize
        var isNull = false
        if let validity { isNull = validity[row &>> 3] & (1 &<< UInt8(truncatingIfNeeded: row & 7)) == 0 }
        guard isBytes else {
            let number = UnsafeRawPointer(values).load(fromByteOffset: row &* 8, as: UInt64.self)
            head.storeBytes(of: (isNull ? CellMark.null : CellMark.number).littleEndian, as: UInt32.self)
            UnsafeMutableRawPointer(target).storeBytes(of: number.littleEndian, as: UInt64.self)
            return isNull ? target : target + 8
        }
        // A NULL has no bytes.
        let start = Int(offsets[row])
        var end = Int(offsets[row &+ 1])
        if trims { end = RowCells.significantEnd(values, start, end) }
        let count = end &- start
        let mark = isNull ? CellMark.null : UInt32(truncatingIfNeeded: count)
        head.storeBytes(of: mark.littleEndian, as: UInt32.self)
        if start > last {
            FewBytes.copy(values + start, target, count)
        } else {
            // 32 bytes at once, whatever cell they are of: where a cell ends is not worth a guess.
            RowCells.move32(values + start, target)
            if count > 32 { FewBytes.copy(values + (start &+ 32), target + 32, count &- 32) }
        }
        return target + count
    }

    @inline(__always)
    private static func move32(_ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>) {
        let (from, to) = (UnsafeRawPointer(source), UnsafeMutableRawPointer(target))
        let first = from.loadUnaligned(as: SIMD2<UInt64>.self)
        let second = from.loadUnaligned(fromByteOffset: 16, as: SIMD2<UInt64>.self)
        to.storeBytes(of: first, as: SIMD2<UInt64>.self)
        to.storeBytes(of: second, toByteOffset: 16, as: SIMD2<UInt64>.self)
    }

    /// Where a plain number ends without the zeros that end its fraction.
    @inline(__always)
    private static func significantEnd(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        guard end > start, bytes[end &- 1] == 0x30 || bytes[end &- 1] == UInt8(ascii: ".") else { return end }
        var point = start
        while point < end, bytes[point] != UInt8(ascii: ".") { point &+= 1 }
        guard point < end else { return end }
        var last = end &- 1
        while bytes[last] == 0x30 { last &-= 1 }
        return last == point ? point : last &+ 1
    }
}
