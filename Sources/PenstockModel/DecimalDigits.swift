// SPDX-License-Identifier: Apache-2.0

/// Numbers as decimal digits, four of them at a time.
public enum DecimalDigits {
    /// The four digits of a number below 10,000 as ASCII, the first one in the lowest byte.
    @inlinable @inline(__always) static func word(_ number: UInt32) -> UInt32 {
        // Two numbers below 100 in the halves of a word, and each of them divided by 10 with one multiplication.
        let hundreds = number / 100
        let pairs = hundreds | (number &- hundreds &* 100) &<< 16
        let tens = (pairs &* 103) &>> 10 & 0x000F_000F
        return tens | (pairs &- tens &* 10) &<< 8 | 0x3030_3030
    }

    /// Writes the four digits of a number below 10,000.
    @inlinable @inline(__always) public static func writeFour(_ number: UInt32, _ out: UnsafeMutablePointer<UInt8>) {
        UnsafeMutableRawPointer(out).storeBytes(of: word(number).littleEndian, as: UInt32.self)
    }

    /// Writes a number below 10,000 without zeros before it; returns how many digits it has.
    ///
    /// Four bytes are written in any case.
    @inlinable @inline(__always) public static func writeShort(
        _ number: UInt32, _ out: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let digits = word(number)
        // The last digit is one even where it is zero.
        let zeros = ((digits ^ 0x3030_3030) | 0x0100_0000).trailingZeroBitCount &>> 3
        let shifted = digits &>> UInt32(truncatingIfNeeded: 8 &* zeros)
        UnsafeMutableRawPointer(out).storeBytes(of: shifted.littleEndian, as: UInt32.self)
        return 4 &- zeros
    }

    /// Writes a number without zeros before it; returns how many digits it has.
    ///
    /// Three bytes more than those are written at most.
    @inlinable @inline(__always) public static func write(
        _ number: UInt64, _ out: UnsafeMutablePointer<UInt8>
    ) -> Int {
        if number < 10_000 { return writeShort(UInt32(truncatingIfNeeded: number), out) }
        return writeLong(number, out)
    }

    @usableFromInline static func writeLong(_ number: UInt64, _ out: UnsafeMutablePointer<UInt8>) -> Int {
        let (rest, group) = number.quotientAndRemainder(dividingBy: 10_000)
        let count = write(rest, out)
        writeFour(UInt32(truncatingIfNeeded: group), out + count)
        return count &+ 4
    }
}
