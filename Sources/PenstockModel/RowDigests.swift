// SPDX-License-Identifier: Apache-2.0

/// Digests of all rows of a batch at once, column by column over pointers.
///
/// They are what a ``FingerprintHasher`` makes of the rows one by one; a test holds the two against each other.
package enum RowDigests {
    /// How many rows are worked on at a time, so that their states stay near.
    private static let blockRows = 256

    /// The digest of each row over `views`, in the order given.
    ///
    /// - Parameter rows: How many rows there are.
    package static func whole(_ views: [ColumnPointers], rows: Int) -> [Fingerprint] {
        digests(rows) { states, block in
            for view in views { combine(view, block, states) }
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

    /// The digest of what each row would send: key and value of every field that it has.
    ///
    /// A number goes without the zeros that end its fraction, everything else as it is.
    package static func payloads(_ fields: [Field], rows: Int) -> [Fingerprint] {
        digests(rows) { states, block in
            for field in fields { combine(field, block, states) }
        }
    }

    /// The digest of some rows over `views`, in the order given.
    package static func whole(_ views: [ColumnPointers], of rows: [Int]) -> [Fingerprint] {
        rows.map { row in
            var state = SipState()
            for view in views {
                if view.isNull(row) {
                    state.add(.max)
                    continue
                }
                state.add(1)
                if view.layout == .bytes { state.addBytes(view, row) } else { state.add(view.word(row)) }
            }
            return state.finished
        }
    }

    private static func digests(
        _ rows: Int, _ body: (UnsafeMutablePointer<SipState>, Range<Int>) -> Void
    ) -> [Fingerprint] {
        let states = UnsafeMutablePointer<SipState>.allocate(capacity: blockRows)
        defer { states.deallocate() }
        return [Fingerprint](unsafeUninitializedCapacity: rows) { out, count in
            var first = 0
            while first < rows {
                let block = first..<min(first + blockRows, rows)
                states.initialize(repeating: SipState(), count: block.count)
                body(states, block)
                for place in 0..<block.count {
                    (out.baseAddress.unsafelyUnwrapped + first + place).initialize(to: states[place].finished)
                }
                first = block.upperBound
            }
            count = rows
        }
    }

    // MARK: Whole cells

    private static func combine(_ view: ColumnPointers, _ block: Range<Int>, _ states: UnsafeMutablePointer<SipState>) {
        let isBytes = view.layout == .bytes
        for row in block {
            var state = states[row - block.lowerBound]
            if view.isNull(row) {
                state.add(.max)
            } else {
                state.add(1)
                if isBytes {
                    state.addBytes(view, row)
                } else {
                    state.add(view.word(row))
                }
            }
            states[row - block.lowerBound] = state
        }
    }

    // MARK: Payloads

    private static func combine(_ field: Field, _ block: Range<Int>, _ states: UnsafeMutablePointer<SipState>) {
        let view = field.view
        let isBytes = view.layout == .bytes
        let trims = view.type == .decimal
        for row in block where field.presence[row >> 6] & (1 << UInt64(truncatingIfNeeded: row & 63)) != 0 {
            var state = states[row - block.lowerBound]
            state.compress(field.key.low)
            state.compress(field.key.high)
            if view.isNull(row) {
                state.compress(.max)
                state.length &+= 24
            } else if isBytes {
                state.length &+= 16
                state.addPadded(view, row, trims: trims)
            } else {
                // The 1 tells -1 from NULL; the length of bytes does that by itself.
                state.compress(1)
                state.compress(UInt64(bitPattern: view.int64s[row]))
                state.length &+= 32
            }
            states[row - block.lowerBound] = state
        }
    }
}

extension ColumnPointers {
    /// The number of a row of a fixed size, as its 8 bytes.
    @inline(__always)
    fileprivate func word(_ row: Int) -> UInt64 {
        switch layout {
        case .int64: UInt64(bitPattern: int64s[row])
        case .float64: float64s[row].bitPattern
        default: uint64s[row]
        }
    }
}

/// The state of a ``FingerprintHasher``, for loops that work on many.
private struct SipState {
    private var v0 = FingerprintHasher.start.v0
    private var v1 = FingerprintHasher.start.v1
    private var v2 = FingerprintHasher.start.v2
    private var v3 = FingerprintHasher.start.v3
    private var tail: UInt64 = 0
    /// How many bytes were added; whoever adds whole words only may count them afterwards.
    var length: UInt64 = 0

    /// Adds a number, as 8 bytes.
    @inline(__always)
    mutating func add(_ word: UInt64) {
        let shift = 8 * (length & 7)
        length &+= 8
        if shift == 0 { return compress(word) }
        compress(tail | word &<< shift)
        tail = word &>> (64 &- shift)
    }

    /// Adds the bytes of a cell with their number in front.
    @inline(__always)
    mutating func addBytes(_ view: ColumnPointers, _ row: Int) {
        let start = Int(view.offsets[row])
        let end = Int(view.offsets[row &+ 1])
        add(UInt64(truncatingIfNeeded: end &- start))
        var place = start
        while place &+ 8 <= end {
            add(SipState.word(view.bytes + place))
            place &+= 8
        }
        let rest = end &- place
        if rest > 0 { add(SipState.partial(view, place, rest), bytes: rest) }
    }

    /// Adds fewer than 8 bytes; those of `word` behind them are 0.
    @inline(__always)
    private mutating func add(_ word: UInt64, bytes: Int) {
        let shift = 8 * (length & 7)
        length &+= UInt64(truncatingIfNeeded: bytes)
        tail |= word &<< shift
        if shift &+ 8 &* UInt64(truncatingIfNeeded: bytes) >= 64 {
            compress(tail)
            tail = shift == 0 ? 0 : word &>> (64 &- shift)
        }
    }

    /// Adds the bytes of a cell with their number in front, in words that zeros fill up.
    @inline(__always)
    mutating func addPadded(_ view: ColumnPointers, _ row: Int, trims: Bool) {
        let start = Int(view.offsets[row])
        var end = Int(view.offsets[row &+ 1])
        if trims { end = SipState.significantEnd(view.bytes, start, end) }
        compress(UInt64(truncatingIfNeeded: end &- start))
        var place = start
        while place &+ 8 <= end {
            compress(SipState.word(view.bytes + place))
            place &+= 8
        }
        let rest = end &- place
        if rest > 0 { compress(SipState.partial(view, place, rest)) }
        length &+= UInt64(truncatingIfNeeded: 8 &+ ((end &- start &+ 7) & ~7))
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

    @inline(__always)
    private static func word(_ bytes: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self))
    }

    /// Up to 7 bytes of a column as the low bytes of a word.
    @inline(__always)
    private static func partial(_ view: ColumnPointers, _ place: Int, _ count: Int) -> UInt64 {
        if place &+ 8 <= Int(view.offsets[view.count]) {
            return word(view.bytes + place) & (1 &<< UInt64(truncatingIfNeeded: count &* 8) &- 1)
        }
        var word: UInt64 = 0
        for byte in 0..<count {
            word |= UInt64(view.bytes[place &+ byte]) &<< UInt64(truncatingIfNeeded: byte &* 8)
        }
        return word
    }

    /// The digest of everything added so far.
    @inline(__always)
    var finished: Fingerprint {
        var state = self
        state.compress(state.tail | (state.length & 0xff) << 56)
        state.v2 ^= 0xee
        for _ in 0..<4 { state.round() }
        let low = state.v0 ^ state.v1 ^ state.v2 ^ state.v3
        state.v1 ^= 0xdd
        for _ in 0..<4 { state.round() }
        return Fingerprint(low: low, high: state.v0 ^ state.v1 ^ state.v2 ^ state.v3)
    }

    @inline(__always)
    mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    @inline(__always)
    private mutating func round() {
        v0 = v0 &+ v1
        v1 = v1 &<< 13 | v1 &>> 51
        v1 ^= v0
        v0 = v0 &<< 32 | v0 &>> 32
        v2 = v2 &+ v3
        v3 = v3 &<< 16 | v3 &>> 48
        v3 ^= v2
        v0 = v0 &+ v3
        v3 = v3 &<< 21 | v3 &>> 43
        v3 ^= v0
        v2 = v2 &+ v1
        v1 = v1 &<< 17 | v1 &>> 47
        v1 ^= v2
        v2 = v2 &<< 32 | v2 &>> 32
    }
}
