// SPDX-License-Identifier: Apache-2.0

/// JSON that is being written: one piece of memory that is used again for every text.
///
/// Nothing is made on the heap but the memory itself, which grows and stays. Not for two threads at once.
package final class JSONBuffer {
    // No method calls another one while it changes these three, so that the check at every access, a fifth of the work,
    // could find nothing.
    @exclusivity(unchecked) private var start: UnsafeMutablePointer<UInt8>
    @exclusivity(unchecked) private var capacity: Int
    private var scratch: [UInt8] = []
    /// How many bytes were written.
    @exclusivity(unchecked) package private(set) var count = 0

    /// What a text may be longer than room was made for, so that whole words can be written.
    private static let slack = 32

    /// An empty buffer.
    ///
    /// - Parameter capacity: Bytes to make room for.
    package init(capacity: Int = 1_024) {
        self.capacity = max(64, capacity)
        start = .allocate(capacity: self.capacity + Self.slack)
    }

    deinit { start.deallocate() }

    /// The bytes that were written, as an array of their own.
    package var bytes: [UInt8] { Array(UnsafeBufferPointer(start: start, count: count)) }

    /// Drops everything behind the first so many bytes; the memory stays.
    package func truncate(to count: Int) { self.count = count }

    /// Makes room for so many bytes more.
    private func reserve(_ more: Int) {
        guard count + more > capacity else { return }
        capacity = max(count + more, 2 * capacity)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity + Self.slack)
        larger.update(from: start, count: count)
        start.deallocate()
        start = larger
    }

    /// Appends a byte.
    package func append(_ byte: UInt8) {
        reserve(1)
        start[count] = byte
        count += 1
    }

    /// Appends bytes as they are.
    package func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        (start + count).update(from: source, count: bytes.count)
        count += bytes.count
    }

    /// Appends bytes as they are.
    package func append(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { append($0) } }

    /// Appends a part of bytes as they are.
    package func append(_ bytes: [UInt8], _ range: Range<Int>) {
        bytes.withUnsafeBufferPointer { append(UnsafeBufferPointer(rebasing: $0[range])) }
    }

    /// Appends what `write` appends to an array that is used again.
    package func append(_ write: (inout [UInt8]) -> Void) {
        scratch.removeAll(keepingCapacity: true)
        write(&scratch)
        append(scratch)
    }

    /// Appends an integer.
    package func append(_ value: Int64) {
        reserve(20)
        if value < 0 {
            start[count] = UInt8(ascii: "-")
            count += 1
        }
        var rest = value.magnitude
        let digits = Self.digits(rest)
        var place = count + digits
        count = place
        while rest >= 100 {
            let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
            place -= 2
            writePair(pair, at: place)
            rest = quotient
        }
        if rest >= 10 { writePair(rest, at: place - 2) } else { start[place - 1] = UInt8(ascii: "0") + UInt8(rest) }
    }

    private func writePair(_ pair: UInt64, at place: Int) {
        start[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: pair / 10)
        start[place + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: pair % 10)
    }

    private static func digits(_ value: UInt64) -> Int {
        var (digits, rest) = (1, value)
        while rest >= 10_000 {
            rest /= 10_000
            digits += 4
        }
        return digits + (rest >= 1_000 ? 3 : rest >= 100 ? 2 : rest >= 10 ? 1 : 0)
    }

    /// Appends a text, which must be UTF-8, as a JSON string with its quotes.
    ///
    /// Eight bytes at a time, up to the first that must be escaped.
    package func appendString(_ text: UnsafeBufferPointer<UInt8>) {
        // At most six bytes come of one.
        reserve(6 * text.count + 2)
        var out = start + count
        out.pointee = UInt8(ascii: "\"")
        out += 1
        if let source = text.baseAddress { out = Self.escaped(source, text.count, out) }
        out.pointee = UInt8(ascii: "\"")
        count = out - start + 1
    }

    private static func escaped(
        _ source: UnsafePointer<UInt8>, _ count: Int, _ end: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var (place, out) = (0, end)
        while place + 8 <= count {
            let word = UnsafeRawPointer(source + place).loadUnaligned(as: UInt64.self)
            UnsafeMutableRawPointer(out).storeBytes(of: word, as: UInt64.self)
            let flags = mustEscape(word)
            // The lowest flag is exact; those above it need not be.
            let plain = flags == 0 ? 8 : flags.trailingZeroBitCount >> 3
            place += plain
            out += plain
            guard flags != 0 else { continue }
            out = escape(source[place], out)
            place += 1
        }
        while place < count {
            out = escape(source[place], out)
            place += 1
        }
        return out
    }

    /// A high bit for every byte below 0x20, and for quotes and backslashes; exact up to the lowest one.
    private static func mustEscape(_ word: UInt64) -> UInt64 {
        let (ones, highs) = (0x0101_0101_0101_0101 as UInt64, 0x8080_8080_8080_8080 as UInt64)
        let (quotes, slashes) = (word ^ (ones &* 0x22), word ^ (ones &* 0x5C))
        let control = (word &- (ones &* 0x20)) & ~word
        return (control | ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes)) & highs
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
            out[4] = hexDigit(byte >> 4)
            out[5] = hexDigit(byte & 15)
            return out + 6
        default: out[1] = byte
        }
        return out + 2
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
    }
}
