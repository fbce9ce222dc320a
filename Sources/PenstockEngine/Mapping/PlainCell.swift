// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What can be told of a cell, and made of it, from its bytes alone.
enum PlainCell {
    /// The instants with a year from 1 to 9999.
    static let fourDigitInstants =
        CivilDate.fourDigitDays.lowerBound
        * TimeText.dayLength...(CivilDate.fourDigitDays.upperBound + 1) * TimeText.dayLength - 1

    /// Whether any of `count` bytes is 0.
    static func holdsZero(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var place = 0
        var found: UInt64 = 0
        while place &+ 8 <= count {
            let word = UnsafeRawPointer(bytes + place).loadUnaligned(as: UInt64.self)
            found |= (word &- 0x0101_0101_0101_0101) & ~word
            place &+= 8
        }
        if found & 0x8080_8080_8080_8080 != 0 { return true }
        while place < count {
            if bytes[place] == 0 { return true }
            place &+= 1
        }
        return false
    }

    /// Whether the bytes are a number as the destination's column has it: no sign `+`, no leading zeros, no exponent.
    @inline(__always)
    static func isNumber(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = bytes.first else { return false }
        var place = first == UInt8(ascii: "-") ? 1 : 0
        let start = place
        while place < bytes.count, bytes[place] &- 0x30 < 10 { place &+= 1 }
        let digits = place &- start
        guard digits > 0, bytes[start] != 0x30 || (digits == 1 && start == 0) else { return false }
        if place == bytes.count { return true }
        guard bytes[place] == UInt8(ascii: ".") else { return false }
        place &+= 1
        let fraction = place
        while place < bytes.count, bytes[place] &- 0x30 < 10 { place &+= 1 }
        return place == bytes.count && place > fraction
    }

    /// Whether the bytes are the id of a record as the destination's column has it.
    @inline(__always)
    static func isID(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let number = integer(bytes) else { return false }
        return number > 0 && bytes[0] != 0x30
    }

    /// The integer that up to 18 digits say, with a `-` before them or not; nil for everything else.
    @inline(__always)
    static func integer(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard let first = bytes.first else { return nil }
        let start = first == UInt8(ascii: "-") ? 1 : 0
        guard bytes.count > start, bytes.count <= 18 &+ start else { return nil }
        var number: Int64 = 0
        for place in start..<bytes.count {
            let digit = bytes[place] &- 0x30
            guard digit < 10 else { return nil }
            number = number &* 10 &+ Int64(digit)
        }
        return start == 0 ? number : -number
    }

    /// The date that `YYYY-MM-DD` says; nil for everything else.
    @inline(__always)
    static func date(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        var place = 0
        guard bytes.count == 10, let days = TimeScanner.date(bytes.span, &place), CivilDate.fourDigitDays.contains(days)
        else { return nil }
        return days
    }

    /// The instant that a date, a time and a zone say; nil for everything else.
    @inline(__always)
    static func instant(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        var place = 0
        guard let local = TimeScanner.timestamp(bytes.span, &place),
            let offset = TimeScanner.offset(bytes.span, &place), place == bytes.count
        else { return nil }
        let instant = local - offset * 60_000_000
        return fourDigitInstants.contains(instant) ? instant : nil
    }

    /// Writes a number as decimal text; returns how many bytes, at most 20.
    @inline(__always)
    static func write(_ number: Int64, _ out: UnsafeMutablePointer<UInt8>) -> Int {
        var rest = number.magnitude
        var digits = 1
        var power: UInt64 = 10
        while digits < 19, rest >= power {
            digits &+= 1
            power &*= 10
        }
        let length = digits &+ (number < 0 ? 1 : 0)
        if number < 0 { out[0] = UInt8(ascii: "-") }
        var place = length
        repeat {
            place &-= 1
            out[place] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        return length
    }

    /// Whether a text stands in JSON as it is, and neither begins with white space nor is JSON itself.
    ///
    /// - Parameter isTrimmed: Whether it must not end with white space either.
    @inline(__always)
    static func isWord(_ bytes: UnsafeBufferPointer<UInt8>, isTrimmed: Bool) -> Bool {
        guard let first = bytes.first, let last = bytes.last, (0x21...0x7E).contains(first),
            first != UInt8(ascii: "["), first != UInt8(ascii: "{"), !isTrimmed || (0x21...0x7E).contains(last)
        else { return false }
        return !holdsEscapes(bytes)
    }

    /// Whether a byte must be escaped in JSON: a control character, a quote or a backslash.
    ///
    /// Eight bytes at a time; the low bytes of a subtraction that borrows may be wrong, but only where one is found.
    @inline(__always)
    private static func holdsEscapes(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = bytes.baseAddress else { return false }
        var found: UInt64 = 0
        var place = 0
        while place &+ 8 <= bytes.count {
            found |= FewBytes.escaped(UnsafeRawPointer(start + place).loadUnaligned(as: UInt64.self))
            place &+= 8
        }
        if place < bytes.count {
            let rest = bytes.count &- place
            // Blanks stand where the text has ended.
            let blanks: UInt64 = 0x2020_2020_2020_2020 &<< UInt64(truncatingIfNeeded: 8 &* rest)
            found |= FewBytes.escaped(FewBytes.lastWord(start, bytes.count, bytes: rest) | blanks)
        }
        return found != 0
    }
}

extension MappedBatch {
    /// The ids of ``idText(_:)`` that are numbers, 0 for the others; empty where no row names a record.
    package func idNumbers() -> [UInt64] {
        guard let ids else { return [] }
        return ids.withPointers { view in
            if view.layout == .int64 {
                return (0..<view.count).map { view.isNull($0) ? 0 : UInt64(bitPattern: view.int64s[$0]) }
            }
            return (0..<view.count).map { row in
                view.isNull(row) ? 0 : UInt64(max(0, PlainCell.integer(view.cell(row)) ?? 0))
            }
        }
    }
}
