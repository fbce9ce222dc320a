// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Testing

/// Words against single bytes, for every length and in pieces of memory without a byte too many.
@Suite struct FewBytesTests {
    private static let lengths = 0...140

    /// Bytes of which none is like its neighbours.
    private static func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8($0 * 37 % 126 + 1) } }

    /// What stands in memory around and in a target of the copy.
    private static func target(of source: [UInt8], _ copy: (UnsafePointer<UInt8>, UnsafeMutablePointer<UInt8>) -> Void)
        -> [UInt8]
    {
        var room = [UInt8](repeating: 0xEE, count: source.count + 80)
        room.withUnsafeMutableBufferPointer { room in
            source.withUnsafeBufferPointer { source in
                copy(source.baseAddress.unsafelyUnwrapped, room.baseAddress.unsafelyUnwrapped + 40)
            }
        }
        return room
    }

    @Test func bytesAreCopiedAndNoneBesideThem() {
        let around = [UInt8](repeating: 0xEE, count: 40)
        for count in Self.lengths {
            // Without spare room an array of no bytes has no address.
            var source = Self.bytes(count)
            source.reserveCapacity(1)
            let expected = around + source + around
            #expect(Self.target(of: source) { FewBytes.copy($0, $1, count) } == expected, "\(count) bytes")
            var isASCII = false
            let seen = Self.target(of: source) { isASCII = FewBytes.isASCII(copying: $0, $1, count) }
            #expect(isASCII && seen == expected, "\(count) bytes")
        }
    }

    @Test func aByteAbove127IsSeenWhereverItStands() {
        for count in Self.lengths {
            for place in 0..<count {
                var source = Self.bytes(count)
                source[place] = 0x80
                var isASCII = true
                var isText = true
                _ = Self.target(of: source) { isASCII = FewBytes.isASCII(copying: $0, $1, count) }
                _ = Self.target(of: source) { isText = FewBytes.isASCIIWithoutNUL(copying: $0, $1, count) }
                #expect(!isASCII && !isText, "byte \(place) of \(count)")
            }
        }
    }

    @Test func aZeroIsSeenWhereverItStands() {
        for count in Self.lengths {
            var plain = [UInt8](repeating: 1, count: count)
            plain.reserveCapacity(1)
            var isText = false
            let seen = Self.target(of: plain) { isText = FewBytes.isASCIIWithoutNUL(copying: $0, $1, count) }
            #expect(isText && Array(seen[40..<40 + count]) == plain, "\(count) bytes")
            for place in 0..<count {
                var source = Self.bytes(count)
                source[place] = 0
                _ = Self.target(of: source) { isText = FewBytes.isASCIIWithoutNUL(copying: $0, $1, count) }
                #expect(!isText, "byte \(place) of \(count)")
            }
        }
    }

    @Test func aWordHasTheBytesInTheirOrder() {
        for count in 1...40 {
            let source = Self.bytes(count)
            source.withUnsafeBufferPointer { room in
                let start = room.baseAddress.unsafelyUnwrapped
                for rest in 1...min(7, count) {
                    let expected = source.suffix(rest).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                    #expect(FewBytes.lastWord(start, count, bytes: rest) == expected, "\(rest) of \(count)")
                    #expect(FewBytes.word(start + (count - rest), rest) == expected, "\(rest) of \(count)")
                }
            }
        }
        #expect(Self.bytes(1).withUnsafeBufferPointer { FewBytes.word($0.baseAddress.unsafelyUnwrapped, 0) } == 0)
    }

    @Test func equalBytesAreTheSameAndShareANumber() {
        for count in 0...40 {
            let source = [0] + Self.bytes(count) + [0]
            let copy = Self.bytes(count) + [7, 7]
            source.withUnsafeBufferPointer { room in
                let start = room.baseAddress.unsafelyUnwrapped + 1
                copy.withUnsafeBufferPointer { other in
                    let other = other.baseAddress.unsafelyUnwrapped
                    #expect(FewBytes.isSame(start, other, count), "\(count) bytes")
                    #expect(FewBytes.hash(start, count) == FewBytes.hash(other, count), "\(count) bytes")
                }
            }
            for place in 0..<count {
                var changed = Self.bytes(count)
                changed[place] ^= 0x80
                let isSame = changed.withUnsafeBufferPointer { changed in
                    source.withUnsafeBufferPointer {
                        FewBytes.isSame(
                            $0.baseAddress.unsafelyUnwrapped + 1, changed.baseAddress.unsafelyUnwrapped, count)
                    }
                }
                #expect(!isSame, "byte \(place) of \(count)")
            }
        }
    }
}

/// Digits four at a time against the standard library's.
@Suite struct DecimalDigitsTests {
    private static func text(_ write: (UnsafeMutablePointer<UInt8>) -> Int) -> String {
        let bytes = [UInt8](unsafeUninitializedCapacity: 24) { room, used in
            used = write(room.baseAddress.unsafelyUnwrapped)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func everyNumberBelow10000HasItsDigits() {
        for number in UInt32(0)..<10_000 {
            let plain = "\(number)"
            let four = Self.text { out in
                DecimalDigits.writeFour(number, out)
                return 4
            }
            #expect(four == String(repeating: "0", count: 4 - plain.count) + plain)
            #expect(Self.text { DecimalDigits.writeShort(number, $0) } == plain)
        }
    }

    @Test func largeNumbersHaveTheirDigits() {
        var random = SplitMix(state: 11)
        var numbers: [UInt64] = [9_999, 10_000, 10_001, 99_999_999, 100_000_000, .max, UInt64(Int64.max) + 1]
        for round in 0..<5_000 { numbers.append(random.next() >> UInt64(round % 60)) }
        for number in numbers { #expect(Self.text { DecimalDigits.write(number, $0) } == "\(number)") }
    }
}
