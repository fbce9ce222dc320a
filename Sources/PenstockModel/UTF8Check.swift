// SPDX-License-Identifier: Apache-2.0

/// Whether bytes are text, found out many bytes at a time.
public enum UTF8Check {
    private static let highs: UInt64 = 0x8080_8080_8080_8080
    private static let ones: UInt64 = 0x0101_0101_0101_0101

    /// Whether all bytes are below 128.
    public static func isASCII(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        return asciiEnd(start, 0, bytes.count) == bytes.count
    }

    /// Whether the bytes are UTF-8 as Unicode defines it: nothing overlong, no surrogates, nothing above U+10FFFF.
    public static func isValid(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        let count = bytes.count
        var position = 0
        while true {
            position = asciiEnd(start, position, count)
            if position == count { return true }
            repeat {
                let length = sequenceLength(start + position, count &- position)
                if length == 0 { return false }
                position &+= length
            } while position < count && start[position] >= 0x80
        }
    }

    /// Whether the bytes are UTF-8, and none of them is zero.
    public static func isValidWithoutNUL(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        let raw = UnsafeRawPointer(start)
        let count = bytes.count
        var position = 0
        var seen: UInt64 = 0
        while position &+ 8 <= count {
            let word = raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            // Some bit is set exactly where some byte is zero.
            if (word &- ones) & ~word & highs != 0 { return false }
            seen |= word
            position &+= 8
        }
        while position < count {
            let byte = start[position]
            if byte == 0 { return false }
            seen |= UInt64(byte)
            position &+= 1
        }
        return seen & highs == 0 || isValid(bytes)
    }

    /// The first place from `position` on where no byte below 128 stands.
    @inline(__always)
    private static func asciiEnd(_ start: UnsafePointer<UInt8>, _ position: Int, _ count: Int) -> Int {
        let raw = UnsafeRawPointer(start)
        var position = position
        while position &+ 32 <= count {
            let first = raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let second = raw.loadUnaligned(fromByteOffset: position &+ 8, as: UInt64.self)
            let third = raw.loadUnaligned(fromByteOffset: position &+ 16, as: UInt64.self)
            let fourth = raw.loadUnaligned(fromByteOffset: position &+ 24, as: UInt64.self)
            if (first | second | third | fourth) & highs != 0 { break }
            position &+= 32
        }
        while position &+ 8 <= count {
            let word = raw.loadUnaligned(fromByteOffset: position, as: UInt64.self).littleEndian & highs
            if word != 0 { return position &+ word.trailingZeroBitCount &>> 3 }
            position &+= 8
        }
        while position < count && start[position] < 0x80 { position &+= 1 }
        return position
    }

    /// How many bytes the character above 127 at `start` has, or 0 where there is none.
    @inline(__always)
    private static func sequenceLength(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int {
        let lead = start[0]
        guard count >= 2 else { return 0 }
        let second = start[1]
        switch lead {
        case 0xC2...0xDF: return isTail(second) ? 2 : 0
        case 0xE0...0xEF:
            // Not overlong, and no surrogate.
            guard count >= 3, isTail(second), isTail(start[2]), lead != 0xE0 || second >= 0xA0,
                lead != 0xED || second < 0xA0
            else { return 0 }
            return 3
        case 0xF0...0xF4:
            guard count >= 4, isTail(second), isTail(start[2]), isTail(start[3]), lead != 0xF0 || second >= 0x90,
                lead != 0xF4 || second < 0x90
            else { return 0 }
            return 4
        default: return 0
        }
    }

    @inline(__always)
    private static func isTail(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}
