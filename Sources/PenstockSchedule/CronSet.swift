// SPDX-License-Identifier: Apache-2.0

/// The numbers from 0 to 63 that a field of a cron expression stands for.
struct CronSet: Sendable, Hashable {
    private(set) var bits: UInt64 = 0

    /// The numbers from `range` at every `step`th.
    init(_ range: ClosedRange<Int>, step: Int = 1) {
        for number in stride(from: range.lowerBound, through: range.upperBound, by: step) { insert(number) }
    }

    init() {}

    /// The numbers, ascending.
    var numbers: [Int] { (0..<64).filter(contains) }

    /// How many there are.
    var count: Int { bits.nonzeroBitCount }

    func contains(_ number: Int) -> Bool { bits >> UInt64(number) & 1 == 1 }

    mutating func insert(_ number: Int) { bits |= 1 << UInt64(number) }

    mutating func remove(_ number: Int) { bits &= ~(1 << UInt64(number)) }

    mutating func formUnion(_ other: CronSet) { bits |= other.bits }

    /// The least number that is at least `number`, or nil.
    func first(from number: Int) -> Int? {
        guard number < 64 else { return nil }
        let rest = bits >> UInt64(number)
        return rest == 0 ? nil : number + rest.trailingZeroBitCount
    }
}
