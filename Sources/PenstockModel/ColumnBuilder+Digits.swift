// SPDX-License-Identifier: Apache-2.0

extension ColumnBuilder {
    /// Appends a number as decimal text: `digits` × 10 to the minus `scale`, with `scale` digits after the point.
    ///
    /// - Parameter scale: 0 to 18; without a point where it is 0.
    public func append(digits: Int64, scale: Int = 0) {
        let magnitude = digits.magnitude
        let count = max(Self.digitCount(magnitude), scale &+ 1)
        let length = count &+ (digits < 0 ? 1 : 0) &+ (scale > 0 ? 1 : 0)
        let place = room(for: length)
        var rest = magnitude
        var end = place + length
        var left = scale
        while left > 0 {
            end -= 1
            end.pointee = UInt8(truncatingIfNeeded: 48 &+ rest % 10)
            rest /= 10
            left &-= 1
        }
        if scale > 0 {
            end -= 1
            end.pointee = UInt8(ascii: ".")
        }
        repeat {
            end -= 1
            end.pointee = UInt8(truncatingIfNeeded: 48 &+ rest % 10)
            rest /= 10
        } while rest > 0
        if digits < 0 { place.pointee = UInt8(ascii: "-") }
        endBytes(length)
    }

    /// Appends the shortest decimal that names a double, where it has at most two digits after the point.
    ///
    /// It has at least one digit there, as in `12.0`, and zero has no sign.
    /// - Returns: False where it has more, or is beyond 10¹³; nothing was appended then.
    public func append(shortDecimal value: Double) -> Bool {
        guard value.magnitude < 1e13 else { return false }
        let hundredfold = (value * 100).rounded()
        // Of at most 15 digits no two numbers are the same double, so what divides back is the shortest.
        guard hundredfold / 100 == value else { return false }
        let digits = Int64(hundredfold)
        if digits % 10 == 0 { append(digits: digits / 10, scale: 1) } else { append(digits: digits, scale: 2) }
        return true
    }

    private static func digitCount(_ number: UInt64) -> Int {
        var count = 1
        var rest = number
        while rest >= 10_000 {
            rest /= 10_000
            count &+= 4
        }
        if rest >= 1_000 { return count &+ 3 }
        if rest >= 100 { return count &+ 2 }
        return rest >= 10 ? count &+ 1 : count
    }
}
