// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Puts bytes together: numbers of 7 bits a byte, digests, texts.
struct PackWriter {
    /// What was put together.
    private(set) var bytes: [UInt8] = []

    /// Bytes of which about `capacity` are expected.
    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func add(byte: UInt8) { bytes.append(byte) }

    mutating func add(_ number: Int) { add(UInt64(number)) }

    mutating func add(_ number: UInt64) {
        var rest = number
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A number that is small in either direction.
    mutating func add(signed number: Int64) { add(UInt64(bitPattern: number << 1 ^ number >> 63)) }

    mutating func add(_ fingerprint: Fingerprint) {
        withUnsafeBytes(of: (fingerprint.low.littleEndian, fingerprint.high.littleEndian)) {
            bytes.append(contentsOf: $0)
        }
    }

    /// The 8 bytes of each number.
    mutating func add(words: [UInt64]) {
        // Not by a key path, which is looked up at run time in another module.
        words.map { $0.littleEndian }.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    /// A text among `texts`, without what it has in common with the start of the one before it.
    mutating func add(_ text: PackText, after previous: PackText, in texts: [UInt8]) {
        let shared = PackWriter.shared(text, previous, in: texts)
        let (start, count) = (Int(text.start), Int(text.count))
        add(shared)
        add(count - shared)
        bytes.append(contentsOf: texts[start + shared..<start + count])
    }

    mutating func add(raw more: [UInt8]) { bytes.append(contentsOf: more) }

    /// How many bytes two of `texts` have in common at their start.
    static func shared(_ first: PackText, _ second: PackText, in texts: [UInt8]) -> Int {
        let (one, other) = (Int(first.start), Int(second.start))
        let most = Int(min(first.count, second.count))
        var count = 0
        while count < most, texts[one &+ count] == texts[other &+ count] { count &+= 1 }
        return count
    }
}

/// Takes bytes apart that a ``PackWriter`` put together; where they end too early, it gives zeros and says so.
struct PackReader {
    private let bytes: [UInt8]
    private(set) var position = 0
    /// Whether the bytes were not what is expected of them.
    private(set) var isDamaged = false

    init(_ bytes: [UInt8], position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// Whether all was read, and nothing was amiss.
    var isAtEnd: Bool { !isDamaged && position == bytes.count }

    mutating func byte() -> UInt8 {
        guard position < bytes.count else {
            isDamaged = true
            return 0
        }
        defer { position &+= 1 }
        return bytes[position]
    }

    mutating func number() -> UInt64 {
        var value = UInt64(byte())
        guard value > 0x7F else { return value }
        value &= 0x7F
        var shift: UInt64 = 7
        while shift < 64 {
            let next = UInt64(byte())
            value |= (next & 0x7F) << shift
            if next < 0x80 { return value }
            shift += 7
        }
        isDamaged = true
        return 0
    }

    /// A number of things of which each takes at least one bit of what is left.
    mutating func count() -> Int {
        let value = number()
        guard value <= UInt64(bytes.count) << 3 else {
            isDamaged = true
            return 0
        }
        return Int(value)
    }

    mutating func signed() -> Int64 {
        let value = number()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func word() -> UInt64 {
        guard position + 8 <= bytes.count else {
            isDamaged = true
            return 0
        }
        defer { position &+= 8 }
        return UInt64(littleEndian: bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self))
    }

    mutating func fingerprint() -> Fingerprint { Fingerprint(low: word(), high: word()) }

    /// Adds a text to `texts`, after the one that lies at `previous`.
    ///
    /// - Returns: Where it lies.
    mutating func text(into texts: inout [UInt8], after previous: PackText) -> PackText {
        let shared = count()
        let rest = count()
        guard shared <= max(0, Int(previous.count)), rest <= bytes.count - position else {
            isDamaged = true
            return PackText()
        }
        let start = texts.count
        for place in 0..<shared { texts.append(texts[Int(previous.start) &+ place]) }
        texts.append(contentsOf: bytes[position..<position + rest])
        position += rest
        return PackText(start: Int32(start), count: Int32(shared + rest))
    }

    /// Passes over `count` bytes and gives where they begin.
    mutating func skip(_ count: Int) -> Int {
        guard count <= bytes.count - position else {
            isDamaged = true
            return position
        }
        defer { position += count }
        return position
    }
}

/// Where a text lies among others; a count of -1 is none.
struct PackText: Sendable, BitwiseCopyable {
    var start: Int32 = 0
    var count: Int32 = -1

    /// The text, among `texts`, or nil for none.
    func string(_ texts: [UInt8]) -> String? {
        count < 0 ? nil : String(decoding: bytes(texts), as: UTF8.self)
    }

    /// The bytes of the text, among `texts`; none for no text.
    func bytes(_ texts: [UInt8]) -> ArraySlice<UInt8> { texts[Int(start)..<Int(start) + max(0, Int(count))] }
}

/// The checksum of a row whose value is many bytes; no change of one word goes unnoticed.
enum PackCheck {
    private static let prime: UInt64 = 0x9e37_79b9_7f4a_7c15

    /// The checksum of `bytes` under the number `id`, with what the bytes are in `salt`.
    static func value(_ bytes: [UInt8], id: Int64, salt: UInt64) -> Int64 {
        let span = bytes.span.bytes
        var (one, two, three, four) = (salt, ~salt, prime ^ salt, UInt64(bytes.count))
        var place = 0
        while place &+ 32 <= bytes.count {
            one = mix(one, span.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self))
            two = mix(two, span.unsafeLoadUnaligned(fromByteOffset: place &+ 8, as: UInt64.self))
            three = mix(three, span.unsafeLoadUnaligned(fromByteOffset: place &+ 16, as: UInt64.self))
            four = mix(four, span.unsafeLoadUnaligned(fromByteOffset: place &+ 24, as: UInt64.self))
            place &+= 32
        }
        while place < bytes.count {
            one = mix(one, UInt64(bytes[place]))
            place &+= 1
        }
        var sum = mix(UInt64(bitPattern: id), one)
        sum = mix(mix(mix(sum, two), three), four)
        return Int64(bitPattern: sum ^ sum >> 32)
    }

    private static func mix(_ sum: UInt64, _ word: UInt64) -> UInt64 {
        let product = (sum ^ UInt64(littleEndian: word)) &* prime
        return product << 29 | product >> 35
    }
}
