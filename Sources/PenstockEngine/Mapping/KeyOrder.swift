// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The order of an Incremental Key's values, and how far a lookback goes back from one.
package enum KeyOrder {
    /// Whether columns of this type can be an Incremental Key.
    ///
    /// A time of day comes round again, and the others have no order that a source and a host agree on.
    package static func isUsableAsKey(_ type: DataType) -> Bool {
        switch type {
        case .int64, .uint64, .float64, .decimal, .text, .date, .timestamp, .instant: true
        case .bool, .bytes, .time, .json: false
        }
    }

    /// Whether a row with this key counts as a row without one: NULL, and everything without a place in the order
    /// or behind which nothing can follow (NaN, the infinities).
    package static func isMissing(_ value: Value) -> Bool {
        switch value {
        case .int64, .uint64, .text, .timestamp, .instant: false
        case .float64(let number): !number.isFinite
        case .decimal(let text): DecimalText(text) == nil
        case .date(let days): CivilDate(days: days) == nil
        case .null, .bool, .bytes, .time, .json: true
        }
    }

    /// Negative, zero or positive, as `left` comes before, with or after `right`.
    ///
    /// Numbers compare as numbers, text byte by byte. Missing keys (``isMissing(_:)``) come first, and are equal.
    /// - Precondition: Two values that are not missing have the same type.
    package static func compare(_ left: Value, _ right: Value) -> Int {
        switch (isMissing(left), isMissing(right)) {
        case (true, true): return 0
        case (true, false): return -1
        case (false, true): return 1
        case (false, false): break
        }
        switch (left, right) {
        case (.int64(let a), .int64(let b)), (.date(let a), .date(let b)), (.timestamp(let a), .timestamp(let b)),
            (.instant(let a), .instant(let b)):
            return order(a, b)
        case (.uint64(let a), .uint64(let b)): return order(a, b)
        case (.float64(let a), .float64(let b)): return order(a, b)
        case (.decimal(let a), .decimal(let b)):
            guard let first = DecimalText(a), let second = DecimalText(b) else { return 0 }
            return DecimalText.compare(first, second)
        case (.text(let a), .text(let b)):
            if a.utf8.elementsEqual(b.utf8) { return 0 }
            return a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : 1
        default: preconditionFailure("keys of one column have one type")
        }
    }

    private static func order<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a == b ? 0 : 1 }

    /// The value that lies `lookback` before `value`, rounded down where the type cannot hold it exactly, so that
    /// never too little is read; at the end of the type's range, that end.
    ///
    /// - Returns: Nil where the lookback does not fit the type: a duration for a number, a number for a time, any
    ///   for a text, or a number that is none.
    package static func subtract(_ lookback: FetchDefinition.Lookback, from value: Value) -> Value? {
        switch (lookback, value) {
        case (.microseconds(let length), .timestamp(let from)):
            return .timestamp(saturated(from, length))
        case (.microseconds(let length), .instant(let from)):
            return .instant(saturated(from, length))
        case (.microseconds(let length), .date(let days)):
            // A started day counts whole.
            let whole = TimeText.day(of: length)
            let started = length % TimeText.dayLength == 0 ? whole : whole + 1
            return .date(saturated(days, started))
        case (.number(let text), _):
            guard let number = DecimalText(text) else { return nil }
            return subtract(number, text, from: value)
        default: return nil
        }
    }

    private static func subtract(_ number: DecimalText, _ text: String, from value: Value) -> Value? {
        switch value {
        case .int64(let from):
            let result = (DecimalText(from) - number).roundedDown
            return .int64(result.integer() ?? (result < DecimalText(0) ? Int64.min : Int64.max))
        case .uint64(let from):
            let result = (DecimalText(from) - number).roundedDown
            return .uint64(result.integer() ?? (result < DecimalText(0) ? UInt64.min : UInt64.max))
        case .decimal(let from): return DecimalText(from).map { .decimal(($0 - number).canonicalText) }
        case .float64(let from):
            guard let exact = DecimalText(from), let near = Double((exact - number).canonicalText) else { return nil }
            if near.isInfinite {
                return .float64(near < 0 ? -Double.greatestFiniteMagnitude : .greatestFiniteMagnitude)
            }
            // The nearest double may lie above the exact difference.
            guard let back = DecimalText(near), back > exact - number else { return .float64(near) }
            return .float64(near.nextDown)
        default: return nil
        }
    }

    private static func saturated(_ value: Int64, _ length: Int64) -> Int64 {
        let (result, overflow) = value.subtractingReportingOverflow(length)
        guard overflow else { return result }
        return length > 0 ? .min : .max
    }
}
