// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import PenstockState

/// The positions of a ledger beside a plain set of numbers.
@Suite struct PositionSetTests {
    @Test("In any order a set says what a plain one says, and finds the same gaps", arguments: 0..<6)
    func sameAsPlain(round: Int) {
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
        var random = Randomness(state: seed &+ UInt64(round) << 32)
        // Around the ends of words and pieces, too.
        let last = [1, 63, 64, 4_095, 4_096, 20_000][round] + Int64.random(in: 0...1, using: &random)
        var positions = PositionSet(last: last)
        var plain: Set<Int64> = []
        var next: Int64 = 1
        for _ in 0..<2 * last {
            // Mostly in order, as a source comes, with leaps.
            if Int.random(in: 0..<50, using: &random) == 0 { next = Int64.random(in: 1...last, using: &random) }
            let isNew = positions.insert(next)
            #expect(isNew == plain.insert(next).inserted, "position \(next), seed \(seed)")
            next = next == last ? 1 : next + 1
        }
        #expect(gaps(of: positions) == gaps(of: plain, last), "seed \(seed)")
    }

    @Test("A set without positions is one gap, and a whole one has none")
    func ends() {
        var positions = PositionSet(last: 10_000)
        #expect(gaps(of: positions) == [1...10_000])
        let added = (1...10_000).filter { positions.insert(Int64($0)) }.count
        #expect(added == 10_000)
        #expect(gaps(of: positions).isEmpty)
        let again = (1...10_000).filter { positions.insert(Int64($0)) }.count
        #expect(again == 0)
    }

    @Test("A gap ends where a whole piece begins, and another one begins where it ends")
    func wholePieces() {
        var positions = PositionSet(last: 20_000)
        let added = ((4_096...8_191).map { $0 } + (12_288...16_383).reversed()).filter { positions.insert(Int64($0)) }
        #expect(added.count == 8_192)
        #expect(gaps(of: positions) == [1...4_095, 8_192...12_287, 16_384...20_000])
        #expect(positions.gap(from: 5_000) == 8_192...12_287)
    }

    private func gaps(of positions: PositionSet) -> [ClosedRange<Int64>] {
        var gaps: [ClosedRange<Int64>] = []
        var from: Int64 = 1
        while let gap = positions.gap(from: from) {
            gaps.append(gap)
            from = gap.upperBound + 1
        }
        return gaps
    }

    private func gaps(of plain: Set<Int64>, _ last: Int64) -> [ClosedRange<Int64>] {
        var gaps: [ClosedRange<Int64>] = []
        for position in 1...last where !plain.contains(position) {
            if let gap = gaps.last, gap.upperBound == position - 1 {
                gaps[gaps.count - 1] = gap.lowerBound...position
            } else {
                gaps.append(position...position)
            }
        }
        return gaps
    }
}
