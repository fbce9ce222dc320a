// SPDX-License-Identifier: Apache-2.0

/// What is done to the few bytes of a cell, in whole words and without a call.
///
/// No byte outside of those that are named is read or written.
public enum FewBytes {
    /// From so many bytes on, a call costs less than it gains.
    @usableFromInline static var callMin: Int { 64 }
    @usableFromInline static var highs: UInt64 { 0x8080_8080_8080_8080 }
    @usableFromInline static var ones: UInt64 { 0x0101_0101_0101_0101 }

    /// Copies bytes that do not overlap.
    @inlinable @inline(__always) public static func copy(
        _ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, _ count: Int
    ) {
        if count > callMin {
            UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: count)
        } else {
            // What was seen is nobody's concern here, and the compiler leaves it out.
            _ = seen(copying: source, target, count)
        }
    }

    /// Copies bytes that do not overlap, and says whether all of them are below 128.
    @inlinable @inline(__always) public static func isASCII(
        copying source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, _ count: Int
    ) -> Bool {
        seen(copying: source, target, count) & highs == 0
    }

    /// Copies bytes that do not overlap, and says whether all of them are below 128, and none is 0.
    @inlinable @inline(__always) public static func isASCIIWithoutNUL(
        copying source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, _ count: Int
    ) -> Bool {
        seen(copying: source, target, count, marksZeros: true) & highs == 0
    }

    /// Copies bytes; the result has a high bit where one of them has.
    ///
    /// - Parameter marksZeros: Whether it has one where one of them is 0, too.
    @inlinable @inline(__always) static func seen(
        copying source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, _ count: Int,
        marksZeros: Bool = false
    ) -> UInt64 {
        let (from, to) = (UnsafeRawPointer(source), UnsafeMutableRawPointer(target))
        // The last words lie over what was copied before them: a branch for each length would be guessed wrong too
        // often.
        if count >= 16 {
            var seen = marked(moved(from, to, 0, as: SIMD2<UInt64>.self), marksZeros)
            var place = 16
            if count > 32 {
                seen |= marked(moved(from, to, 16, as: SIMD2<UInt64>.self), marksZeros)
                seen |= marked(moved(from, to, count &- 32, as: SIMD2<UInt64>.self), marksZeros)
                while place &+ 48 < count {
                    place &+= 16
                    seen |= marked(moved(from, to, place, as: SIMD2<UInt64>.self), marksZeros)
                }
            }
            seen |= marked(moved(from, to, count &- 16, as: SIMD2<UInt64>.self), marksZeros)
            return seen[0] | seen[1]
        }
        if count >= 8 {
            return marked(moved(from, to, 0, as: UInt64.self), marksZeros)
                | marked(moved(from, to, count &- 8, as: UInt64.self), marksZeros)
        }
        if count >= 4 {
            return UInt64(
                marked(moved(from, to, 0, as: UInt32.self), marksZeros)
                    | marked(moved(from, to, count &- 4, as: UInt32.self), marksZeros))
        }
        guard count > 0 else { return 0 }
        let (first, middle, last) = (source[0], source[count &>> 1], source[count &- 1])
        target[0] = first
        target[count &>> 1] = middle
        target[count &- 1] = last
        return UInt64(marked(first, marksZeros) | marked(middle, marksZeros) | marked(last, marksZeros))
    }

    /// The word with a high bit where a byte is 0, if that is wanted: then some byte has one exactly where some is 0.
    @inlinable @inline(__always) static func marked<T: FixedWidthInteger>(_ word: T, _ marksZeros: Bool) -> T {
        marksZeros ? word | (word &- T(truncatingIfNeeded: ones)) & ~word : word
    }

    /// The same for two words.
    @inlinable @inline(__always) static func marked(_ words: SIMD2<UInt64>, _ marksZeros: Bool) -> SIMD2<UInt64> {
        marksZeros ? words | (words &- SIMD2(repeating: ones)) & ~words : words
    }

    /// Copies one word.
    @inlinable @inline(__always) static func moved<T: BitwiseCopyable>(
        _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ place: Int, as type: T.Type
    ) -> T {
        let word = from.loadUnaligned(fromByteOffset: place, as: type)
        to.storeBytes(of: word, toByteOffset: place, as: type)
        return word
    }

    /// Up to seven bytes as the low bytes of a word, of which the others are 0.
    @inlinable @inline(__always) public static func word(_ source: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        let from = UnsafeRawPointer(source)
        if count >= 4 {
            let low = UInt64(UInt32(littleEndian: from.loadUnaligned(as: UInt32.self)))
            let high = UInt64(UInt32(littleEndian: from.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)))
            // Bytes that are in both halves fall onto themselves.
            return low | high &<< UInt64(truncatingIfNeeded: 8 &* (count &- 4))
        }
        guard count > 0 else { return 0 }
        let (middle, last) = (count &>> 1, count &- 1)
        return UInt64(source[0]) | UInt64(source[middle]) &<< UInt64(truncatingIfNeeded: 8 &* middle)
            | UInt64(source[last]) &<< UInt64(truncatingIfNeeded: 8 &* last)
    }

    /// The last one to seven bytes of `count` as the low bytes of a word, of which the others are 0.
    @inlinable @inline(__always) public static func lastWord(
        _ source: UnsafePointer<UInt8>, _ count: Int, bytes rest: Int
    ) -> UInt64 {
        guard count >= 8 else { return word(source + (count &- rest), rest) }
        let last = UnsafeRawPointer(source).loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        return UInt64(littleEndian: last) &>> UInt64(truncatingIfNeeded: 8 &* (8 &- rest))
    }

    /// Whether two pieces of as many bytes have the same ones.
    @inlinable @inline(__always) public static func isSame(
        _ one: UnsafePointer<UInt8>, _ other: UnsafePointer<UInt8>, _ count: Int
    ) -> Bool {
        var place = 0
        while place &+ 8 <= count {
            let word = UnsafeRawPointer(one).loadUnaligned(fromByteOffset: place, as: UInt64.self)
            if word != UnsafeRawPointer(other).loadUnaligned(fromByteOffset: place, as: UInt64.self) { return false }
            place &+= 8
        }
        let rest = count &- place
        return rest == 0 || lastWord(one, count, bytes: rest) == lastWord(other, count, bytes: rest)
    }

    /// A high bit for every byte of a word that JSON escapes: control characters, quotes and backslashes.
    ///
    /// Exact up to the lowest one, and where there is none; a subtraction that borrows may mark bytes above it. The
    /// first byte is the lowest.
    @inlinable @inline(__always) public static func escaped(_ word: UInt64) -> UInt64 {
        let (ones, highs) = (0x0101_0101_0101_0101 as UInt64, 0x8080_8080_8080_8080 as UInt64)
        let (quotes, slashes) = (word ^ (ones &* 0x22), word ^ (ones &* 0x5C))
        let control = (word &- (ones &* 0x20)) & ~word
        return (control | ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes)) & highs
    }

    /// A number that equal bytes share, for tables that are soon forgotten.
    @inlinable @inline(__always) public static func hash(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        var hash = mixed(UInt64(truncatingIfNeeded: count))
        var place = 0
        while place &+ 8 <= count {
            hash = mixed(hash ^ UnsafeRawPointer(bytes).loadUnaligned(fromByteOffset: place, as: UInt64.self))
            place &+= 8
        }
        return place == count ? hash : mixed(hash ^ lastWord(bytes, count, bytes: count &- place))
    }

    /// The bits of a number spread over all bits.
    @inlinable @inline(__always) public static func mixed(_ word: UInt64) -> UInt64 {
        let product = word &* 0x9E37_79B9_7F4A_7C15
        return product ^ product &>> 32
    }
}
