// SPDX-License-Identifier: Apache-2.0

/// JSON that is being written: one piece of memory that is used again for every text.
///
/// Nothing is made on the heap but the memory itself, which grows and stays. Not for two threads at once.
public final class JSONBuffer {
    // No method calls another one while it changes these three, so that the check at every access, a fifth of the work,
    // could find nothing.
    @exclusivity(unchecked) @usableFromInline var start: UnsafeMutablePointer<UInt8>
    @exclusivity(unchecked) @usableFromInline var capacity: Int
    @exclusivity(unchecked) @usableFromInline var length = 0

    /// What a text may be longer than room was made for, so that whole words can be written.
    private static let slack = 32

    /// An empty buffer.
    ///
    /// - Parameter capacity: Bytes to make room for.
    public init(capacity: Int = 1_024) {
        self.capacity = max(64, capacity)
        start = .allocate(capacity: self.capacity + Self.slack)
    }

    deinit { start.deallocate() }

    /// How many bytes were written.
    @inlinable public var count: Int { length }

    /// The bytes that were written, as an array of their own.
    public var bytes: [UInt8] { Array(UnsafeBufferPointer(start: start, count: length)) }

    /// Drops everything behind the first so many bytes; the memory stays.
    @inlinable public func truncate(to count: Int) { length = max(0, min(count, length)) }

    /// Makes room for so many bytes more.
    @inlinable @inline(__always) func reserve(_ more: Int) {
        if capacity &- length < more { grow(by: more) }
    }

    @usableFromInline func grow(by more: Int) {
        capacity = max(length + more, 2 * capacity)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity + Self.slack)
        larger.update(from: start, count: length)
        start.deallocate()
        start = larger
    }

    /// Appends a byte.
    @inlinable public func append(_ byte: UInt8) {
        reserve(1)
        start[length] = byte
        length &+= 1
    }

    /// Appends bytes as they are.
    @inlinable public func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        FewBytes.copy(source, start + length, bytes.count)
        length &+= bytes.count
    }

    /// Appends bytes as they are.
    @inlinable public func append(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { append($0) } }

    /// Appends a part of bytes as they are.
    @inlinable public func append(_ bytes: [UInt8], _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "the part lies within the bytes")
        bytes.withUnsafeBufferPointer { append(UnsafeBufferPointer(rebasing: $0[range])) }
    }

    /// Appends an integer.
    public func append(_ value: Int64) {
        reserve(20)
        if value < 0 {
            start[length] = UInt8(ascii: "-")
            length &+= 1
        }
        length &+= DecimalDigits.write(value.magnitude, start + length)
    }

    /// Appends `YYYY-MM-DD`.
    ///
    /// - Parameter date: In a year from 0 to 9999.
    public func append(_ date: CivilDate) {
        reserve(10)
        let out = start + length
        DecimalDigits.writeFour(UInt32(truncatingIfNeeded: date.year), out)
        out[4] = UInt8(ascii: "-")
        Self.write(pair: UInt32(truncatingIfNeeded: date.month), out + 5)
        out[7] = UInt8(ascii: "-")
        Self.write(pair: UInt32(truncatingIfNeeded: date.day), out + 8)
        length &+= 10
    }

    /// Appends `HH:MM:SS`.
    ///
    /// - Parameter seconds: Since midnight, less than a day.
    public func append(timeOfDay seconds: Int64) {
        reserve(8)
        let out = start + length
        Self.write(pair: UInt32(truncatingIfNeeded: seconds / 3600), out)
        out[2] = UInt8(ascii: ":")
        Self.write(pair: UInt32(truncatingIfNeeded: seconds / 60 % 60), out + 3)
        out[5] = UInt8(ascii: ":")
        Self.write(pair: UInt32(truncatingIfNeeded: seconds % 60), out + 6)
        length &+= 8
    }

    private static func write(pair: UInt32, _ out: UnsafeMutablePointer<UInt8>) {
        out[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: pair / 10)
        out[1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: pair % 10)
    }

    /// Appends a text, which must be UTF-8, as a JSON string with its quotes.
    ///
    /// Eight bytes at a time, up to the first that must be escaped.
    public func appendString(_ text: UnsafeBufferPointer<UInt8>) {
        // At most six bytes come of one.
        reserve(6 * text.count + 2)
        var out = start + length
        out.pointee = UInt8(ascii: "\"")
        out += 1
        if let source = text.baseAddress { out = Self.escaped(source, text.count, out) }
        out.pointee = UInt8(ascii: "\"")
        length = out - start + 1
    }

    private static func escaped(
        _ source: UnsafePointer<UInt8>, _ count: Int, _ end: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var (place, out) = (0, end)
        while place &+ 8 <= count {
            let word = UnsafeRawPointer(source + place).loadUnaligned(as: UInt64.self)
            UnsafeMutableRawPointer(out).storeBytes(of: word, as: UInt64.self)
            let flags = FewBytes.escaped(word.littleEndian)
            // Most words have none; that they are not waited for lets the next ones begin.
            if flags == 0 {
                place &+= 8
                out += 8
                continue
            }
            // The lowest flag is exact; those above it need not be.
            let plain = flags.trailingZeroBitCount &>> 3
            out = escape(source[place &+ plain], out + plain)
            place &+= plain &+ 1
        }
        let rest = count &- place
        guard rest > 0 else { return out }
        // Blanks stand where the text has ended.
        let blanks: UInt64 = 0x2020_2020_2020_2020 &<< UInt64(truncatingIfNeeded: 8 &* rest)
        let word = FewBytes.lastWord(source, count, bytes: rest) | blanks
        UnsafeMutableRawPointer(out).storeBytes(of: word.littleEndian, as: UInt64.self)
        if FewBytes.escaped(word) == 0 { return out + rest }
        while place < count {
            out = escape(source[place], out)
            place &+= 1
        }
        return out
    }

    /// Writes one byte, escaped where it must be.
    private static func escape(_ byte: UInt8, _ out: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
            out.pointee = byte
            return out + 1
        }
        out[0] = UInt8(ascii: "\\")
        switch byte {
        case 0x0A: out[1] = UInt8(ascii: "n")
        case 0x0D: out[1] = UInt8(ascii: "r")
        case 0x09: out[1] = UInt8(ascii: "t")
        case 0..<0x20:
            out[1] = UInt8(ascii: "u")
            out[2] = UInt8(ascii: "0")
            out[3] = UInt8(ascii: "0")
            out[4] = JSON.hexDigit(byte >> 4)
            out[5] = JSON.hexDigit(byte & 15)
            return out + 6
        default: out[1] = byte
        }
        return out + 2
    }

    // MARK: - Lines

    /// Lends the bytes that were written to `body`.
    @inlinable public func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        body(UnsafeBufferPointer(start: start, count: length))
    }

    /// Appends a text as it is.
    @inlinable public func append(_ text: StaticString) { text.withUTF8Buffer { append($0) } }

    /// Appends a text as a JSON string with its quotes.
    public func appendString(_ text: String) {
        var text = text
        text.withUTF8 { appendString($0) }
    }

    /// Appends the 32 hexadecimal digits of a digest.
    public func append(hex digest: Fingerprint) {
        let digits = digest.hexDigits
        for place in 0..<4 {
            withUnsafeBytes(of: digits[place].littleEndian) { append($0.assumingMemoryBound(to: UInt8.self)) }
        }
    }
}
