// SPDX-License-Identifier: Apache-2.0

import CXXHash

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

/// Computes a ``Fingerprint`` over typed values: XXH3 with 128 bits, of all bytes that they are made of.
///
/// Bytes are gathered, so that it takes as much memory as what is added; ``digest(raw:)`` does without.
public struct FingerprintHasher: Sendable {
    /// What was added, while it is little.
    private var few = [32 of UInt64](repeating: 0)
    /// What was added, once it is more; empty before.
    private var many: [UInt8] = []
    private var count = 0

    private static let fewMax = 256

    /// A hasher that has seen nothing.
    public init() {}

    /// What a hasher makes of these bytes alone, which are not copied.
    public static func digest(raw bytes: Span<UInt8>) -> Fingerprint {
        bytes.withUnsafeBytes { Fingerprint(digesting: $0) }
    }

    /// Adds raw bytes, without their number.
    public mutating func combine(raw bytes: some Sequence<UInt8>) {
        for byte in bytes { add(byte) }
    }

    /// Adds raw bytes, without their number; the same as for a sequence, all at once.
    public mutating func combine(raw bytes: Span<UInt8>) {
        bytes.withUnsafeBytes { add($0) }
    }

    /// Adds a number, as 8 bytes.
    public mutating func combine(_ number: UInt64) { add(number.littleEndian) }

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
    public mutating func combine(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            combine(UInt64(bytes.count))
            add(UnsafeRawBufferPointer(bytes))
        }
    }

    /// Adds a cell of a column: whether it is NULL, its layout's value, and nothing of its name.
    public mutating func combine(_ column: Column, row: Int) {
        guard !column.isNull(row) else { return add(CellMark.null.littleEndian) }
        switch column.type.layout {
        case .int64: combine(cell: UInt64(bitPattern: column.int64s[row]))
        case .uint64: combine(cell: column.uint64s[row])
        case .float64: combine(cell: column.float64s[row].bitPattern)
        case .bytes: combine(cell: column.bytes.span.extracting(column.byteRange(row)))
        }
    }

    /// Adds a cell of a fixed size: a mark, which is the length of no other cell, and its 8 bytes.
    package mutating func combine(cell number: UInt64) {
        add(CellMark.number.littleEndian)
        add(number.littleEndian)
    }

    /// Adds a cell of bytes: their number in 4 bytes, and the bytes.
    package mutating func combine(cell bytes: Span<UInt8>) {
        add(UInt32(truncatingIfNeeded: bytes.count).littleEndian)
        combine(raw: bytes)
    }

    /// The digest of everything added so far.
    public func finish() -> Fingerprint {
        guard many.isEmpty else { return many.withUnsafeBytes { Fingerprint(digesting: $0) } }
        return withUnsafeBytes(of: few) { Fingerprint(digesting: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }

    /// Adds the bytes of one number.
    private mutating func add<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
        let size = MemoryLayout<Number>.size
        guard count &+ size <= Self.fewMax else { return withUnsafeBytes(of: number) { add($0) } }
        let place = count
        withUnsafeMutableBytes(of: &few) { $0.storeBytes(of: number, toByteOffset: place, as: Number.self) }
        count = place &+ size
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        let place = count
        if bytes.count <= Self.fewMax - place {
            withUnsafeMutableBytes(of: &few) { few in
                (few.baseAddress.unsafelyUnwrapped + place).copyMemory(from: start, byteCount: bytes.count)
            }
            count = place + bytes.count
            return
        }
        if many.isEmpty {
            many.reserveCapacity(2 * (place + bytes.count))
            let few = few
            withUnsafeBytes(of: few) { many.append(contentsOf: $0[..<place]) }
            // There is no room in the other place any more.
            count = Self.fewMax
        }
        many.append(contentsOf: bytes)
    }
}

extension Fingerprint {
    /// The digest of bytes.
    init(digesting bytes: UnsafeRawBufferPointer) {
        let digest = penstock_xxh3(bytes.baseAddress, bytes.count)
        self.init(low: digest.low, high: digest.high)
    }
}

/// What stands in front of a cell, in 4 bytes, instead of the number of bytes that a cell has.
enum CellMark {
    static let null: UInt32 = .max
    static let number: UInt32 = .max - 1
}
