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
        let cells = fields.map { RowCells($0.view, key: $0.key, trims: $0.view.type == .decimal) }
        return digests(rows) { gathered, block in
            let word = block.lowerBound / blockRows
            let all = UInt64.max >> UInt64(blockRows - block.count)
            gathered.makeRoom(cells, block)
            var places: [Int] = []
            var hasMore = false
            for place in fields.indices {
                let bits = fields[place].presence[word] & all
                if bits != 0 { places.append(place) }
                if bits != 0 && bits != all { hasMore = true }
            }
            if !hasMore {
                let present = places.map { cells[$0] }
                return gathered.add(present, block, behind: gathered.digestOfKeys(present))
            }
            for row in block {
                let present = places.filter { fields[$0].presence[word] & 1 << UInt64(row % blockRows) != 0 }
                    .map { cells[$0] }
                gathered.add(present, row..<row + 1, behind: gathered.digestOfKeys(present))
            }
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

    /// The digest of the keys of some cells.
    func digestOfKeys(_ cells: [RowCells]) -> Fingerprint {
        // Behind the rows, where nothing is yet.
        let start = UnsafeMutableRawPointer(bytes + end)
        for place in cells.indices { cells[place].key.store(to: start + 16 * place) }
        return Fingerprint(digesting: UnsafeRawBufferPointer(start: start, count: 16 * cells.count))
    }

    /// Adds rows of these cells, each behind a digest, where there is one.
    mutating func add(_ cells: [RowCells], _ rows: Range<Int>, behind keys: Fingerprint? = nil) {
        cells.withUnsafeBufferPointer { cells in
            var end = bytes + end
            for row in rows {
                if let keys {
                    keys.store(to: end)
                    end += 16
                }
                for cell in cells { end = cell.copy(row, to: end) }
                ends[self.rows] = end - bytes
                self.rows &+= 1
            }
            self.end = end - bytes
        }
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

/// The cells of a column, as they are digested.
private struct RowCells {
    /// How many bytes behind a cell may be written.
    static let slack = 32
    /// How many bytes stand in front of the bytes of a cell.
    private static let headSize = 4

    let key: Fingerprint
    private let validity: UnsafePointer<UInt8>?
    /// The numbers, or the bytes of all cells.
    private let values: UnsafePointer<UInt8>
    private let offsets: UnsafePointer<Int32>
    private let isBytes: Bool
    private let trims: Bool
    /// Where the last 32 bytes of all cells begin.
    private let last: Int

    init(_ view: ColumnPointers, key: Fingerprint = Fingerprint(low: 0, high: 0), trims: Bool = false) {
        self.key = key
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
        if let validity, validity[row &>> 3] & (1 &<< UInt8(truncatingIfNeeded: row & 7)) == 0 {
            head.storeBytes(of: CellMark.null.littleEndian, as: UInt32.self)
            return target
        }
        guard isBytes else {
            let number = UnsafeRawPointer(values).load(fromByteOffset: row &* 8, as: UInt64.self)
            head.storeBytes(of: CellMark.number.littleEndian, as: UInt32.self)
            UnsafeMutableRawPointer(target).storeBytes(of: number.littleEndian, as: UInt64.self)
            return target + 8
        }
        let start = Int(offsets[row])
        var end = Int(offsets[row &+ 1])
        if trims { end = RowCells.significantEnd(values, start, end) }
        let count = end &- start
        head.storeBytes(of: UInt32(truncatingIfNeeded: count).littleEndian, as: UInt32.self)
        guard start <= last else {
            FewBytes.copy(values + start, target, count)
            return target + count
        }
        // 32 bytes at once, whatever cell they are of: where a cell ends is not worth a guess.
        RowCells.move32(values + start, target)
        if count > 32 { FewBytes.copy(values + (start &+ 32), target + 32, count &- 32) }
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
