// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import Testing

@Suite struct LineAllowanceTests {
    @Test func aBurstPassesAndTheRestAtItsRate() {
        var allowance = LineAllowance(most: 100, perSecond: 50)
        var passed = 0
        for moment in 0..<400 {
            let isWritten = allowance.take(1, at: Int64(moment) * 10)
            passed += isWritten ? 1 : 0
        }
        // 100 at once, and 50 in each of the 3.99 s.
        #expect(passed == 299)
        #expect(allowance.takeOmitted() == 101)
        #expect(allowance.takeOmitted() == 0)
    }

    @Test func rowsThatWereSettledTogetherStayTogether() {
        var allowance = LineAllowance(most: 10, perSecond: 10)
        let first = allowance.take(4_096, at: 0)
        let second = allowance.take(1, at: 1_000)
        // What was let through beyond the allowance is made good first: 4,086 lines at 10 in a second.
        let later = allowance.take(1, at: 408_500)
        #expect(first)
        #expect(!second)
        #expect(!later)
        #expect(allowance.omitted == 2)
    }

    @Test func aPauseFillsItAndNoMore() {
        var allowance = LineAllowance(most: 3, perSecond: 1_000)
        var passed = 0
        for now in [0, 0, 0, 0, 86_400_000, 86_400_000, 86_400_000, 86_400_000] as [Int64] {
            let isWritten = allowance.take(1, at: now)
            passed += isWritten ? 1 : 0
        }
        #expect(passed == 6)
    }

    @Test func aClockThatGoesBackAddsNothing() {
        var allowance = LineAllowance(most: 1, perSecond: 1_000)
        let first = allowance.take(1, at: 1_000_000)
        let back = allowance.take(1, at: 0)
        let soon = allowance.take(1, at: 1)
        #expect(first)
        #expect(!back)
        #expect(soon)
    }

    @Test func partsOfALineAreNotLost() {
        var allowance = LineAllowance(most: 1, perSecond: 3)
        var passed = 0
        for now in 0..<10_000 as Range<Int64> {
            let isWritten = allowance.take(1, at: now)
            passed += isWritten ? 1 : 0
        }
        // One at the start, then one whenever 334 ms have made a whole line.
        #expect(passed == 30)
    }
}
