// SPDX-License-Identifier: Apache-2.0

/// A 128-bit digest of a row, a key or a payload.
///
/// Two different inputs among 10⁷ share a digest with a chance of about 10⁻²⁵. It is stored in state files, so the
/// function never changes; it is not a defence against people who choose their rows to collide.
public struct Fingerprint: Sendable, Hashable, BitwiseCopyable {
    /// The first 8 bytes, as a little-endian number.
    public var low: UInt64
    /// The last 8 bytes, as a little-endian number.
    public var high: UInt64

    /// A digest from its two halves.
    public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// The 16 bytes.
    public var bytes: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? low : high) >> (($0 & 7) * 8)) }
    }

    /// A digest from its 16 bytes, or nil for another number of bytes.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        var halves: [UInt64] = [0, 0]
        for (index, byte) in bytes.enumerated() { halves[index / 8] |= UInt64(byte) << UInt64(index % 8 * 8) }
        self.init(low: halves[0], high: halves[1])
    }

    /// The 32 hexadecimal digits of the bytes.
    public var hex: String {
        let words = hexDigits
        let digits = (0..<32).map { UInt8(truncatingIfNeeded: words[$0 >> 3] >> (($0 & 7) * 8)) }
        return String(decoding: digits, as: UTF8.self)
    }

    /// The 32 hexadecimal digits, eight in each number, the first in its lowest byte.
    var hexDigits: [4 of UInt64] {
        [Self.hexDigits(low), Self.hexDigits(low >> 32), Self.hexDigits(high), Self.hexDigits(high >> 32)]
    }

    /// The digits of the lower four bytes of a number.
    private static func hexDigits(_ half: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        // Each byte alone in 16 bits, then its upper half before its lower one.
        var digits = half & 0xFFFF_FFFF
        digits = (digits | digits << 16) & 0x0000_FFFF_0000_FFFF
        digits = (digits | digits << 8) & 0x00FF_00FF_00FF_00FF
        digits = (digits >> 4 | digits << 8) & 0x0F0F_0F0F_0F0F_0F0F
        let isLetter = (digits &+ ones &* 6) >> 4 & ones
        return digits &+ ones &* UInt64(UInt8(ascii: "0")) &+ isLetter &* 39
    }
}

/// Computes a ``Fingerprint`` over typed values: SipHash-2-4 with 128 bits of output and a fixed key.
public struct FingerprintHasher: Sendable {
    private var v0 = FingerprintHasher.start.v0
    private var v1 = FingerprintHasher.start.v1
    private var v2 = FingerprintHasher.start.v2
    private var v3 = FingerprintHasher.start.v3
    private var tail: UInt64 = 0
    private var length: UInt64 = 0

    /// The state of a hasher that has seen nothing: the constants of SipHash-128 and our key.
    @inline(__always)
    static var start: (v0: UInt64, v1: UInt64, v2: UInt64, v3: UInt64) {
        let key0: UInt64 = 0x7065_6e73_746f_636b
        let key1: UInt64 = 0x726f_7773_2d31_3238
        return (
            0x736f_6d65_7073_6575 ^ key0, 0x646f_7261_6e64_6f6d ^ key1 ^ 0xee, 0x6c79_6765_6e65_7261 ^ key0,
            0x7465_6462_7974_6573 ^ key1
        )
    }

    /// A hasher that has seen nothing.
    public init() {}

    /// Adds raw bytes, without their number.
    public mutating func combine(raw bytes: some Sequence<UInt8>) {
        for byte in bytes { add(byte) }
    }

    private mutating func add(_ byte: UInt8) {
        tail |= UInt64(byte) << (8 * (length & 7))
        length &+= 1
        if length & 7 == 0 {
            compress(tail)
            tail = 0
        }
    }

    /// Adds a number, as 8 bytes.
    public mutating func combine(_ number: UInt64) {
        if length & 7 == 0 {
            compress(number)
        } else {
            let shift = 8 * (length & 7)
            compress(tail | number << shift)
            tail = number >> (64 - shift)
        }
        length &+= 8
    }

    /// Adds raw bytes, without their number; the same as for a sequence, eight bytes at a time.
    public mutating func combine(raw bytes: Span<UInt8>) {
        let words = bytes.bytes
        var place = 0
        while place &+ 8 <= bytes.count {
            combine(words.unsafeLoadUnaligned(fromUncheckedByteOffset: place, as: UInt64.self).littleEndian)
            place &+= 8
        }
        while place < bytes.count {
            add(bytes[place])
            place &+= 1
        }
    }

    /// Adds bytes with their number in front, so that neighbours cannot run into each other.
    public mutating func combine(bytes: Span<UInt8>) {
        combine(UInt64(bytes.count))
        combine(raw: bytes)
    }

    /// Adds bytes with their number in front, so that neighbours cannot run into each other.
    public mutating func combine(bytes: some Collection<UInt8>) {
        combine(UInt64(bytes.count))
        combine(raw: bytes)
    }

    /// Adds a text with its length in front.
    public mutating func combine(_ text: String) { combine(bytes: text.utf8) }

    /// Adds a cell of a column: whether it is NULL, its layout's value, and nothing of its name.
    public mutating func combine(_ column: Column, row: Int) {
        guard !column.isNull(row) else { return combine(UInt64.max) }
        combine(1)
        switch column.type.layout {
        case .int64: combine(UInt64(bitPattern: column.int64s[row]))
        case .uint64: combine(column.uint64s[row])
        case .float64: combine(column.float64s[row].bitPattern)
        case .bytes: combine(bytes: column.bytes.span.extracting(column.byteRange(row)))
        }
    }

    /// The digest of everything added so far.
    public func finish() -> Fingerprint {
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
    private mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    @inline(__always)
    private mutating func round() {
        v0 = v0 &+ v1
        v1 = v1 << 13 | v1 >> 51
        v1 ^= v0
        v0 = v0 << 32 | v0 >> 32
        v2 = v2 &+ v3
        v3 = v3 << 16 | v3 >> 48
        v3 ^= v2
        v0 = v0 &+ v3
        v3 = v3 << 21 | v3 >> 43
        v3 ^= v0
        v2 = v2 &+ v1
        v1 = v1 << 17 | v1 >> 47
        v1 ^= v2
        v2 = v2 << 32 | v2 >> 32
    }
}
