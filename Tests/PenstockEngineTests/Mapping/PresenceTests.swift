// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockModel
import Testing

/// What is told of many rows at once, held against what is told of each.
@Suite struct PresenceTests {
    /// Presence in which targets are set never, always, in runs, and here and there.
    private func presence(_ rows: Int) -> Presence {
        var presence = Presence(rowCount: rows, targetCount: 11)
        for row in 0..<rows {
            for target in 1..<11 {
                let isSet =
                    switch target {
                    case 1: true
                    case 2...5: (row / (target * 13)) % 2 == 0
                    default: (row * 2_654_435_761 >> target) % 3 != 0
                    }
                presence[row, target] = isSet
            }
        }
        return presence
    }

    @Test(arguments: [1, 2, 63, 64, 65, 128, 300])
    func aRunEndsWhereTheNextRowIsOtherwise(rows: Int) {
        let presence = presence(rows)
        for target in 0..<presence.targetCount {
            for first in 0..<rows {
                for end in Set([first + 1, min(rows, first + 70), rows]) {
                    let run = presence.run(of: target, first..<end)
                    let isSet = presence[first, target]
                    #expect(run.isSet == isSet)
                    #expect(run.end == (first..<end).first { presence[$0, target] != isSet } ?? end)
                }
            }
        }
    }

    @Test(arguments: [0, 2, 3, 5, 6])
    func theBitsOfManyRowsAreThoseOfEach(reserved: Int) {
        let presence = presence(200)
        let width = (presence.targetCount + reserved + 7) / 8
        var bits: [UInt8] = [7]
        presence.append(3..<190, reserved: reserved, width: width, to: &bits)
        var expected: [UInt8] = [7]
        for row in 3..<190 {
            var one = [UInt8](repeating: 0, count: width)
            for target in 0..<presence.targetCount where presence[row, target] {
                one[(target + reserved) / 8] |= 1 << UInt8((target + reserved) % 8)
            }
            expected += one
        }
        #expect(bits == expected)
    }

    /// The bits of many rows against those of one row after the other.
    @Test(arguments: [0, 1, 7, 8, 9, 63, 64, 65, 200], [0, 1, 3])
    func manyRowsHaveTheBitsOfEvery(rows: Int, reserved: Int) {
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
        var random = SplitMix(seed: seed)
        for targets in [0, 1, 5, 7, 8, 15, 16, 40] {
            var presence = Presence(rowCount: rows, targetCount: targets)
            for row in 0..<rows {
                for target in 0..<targets { presence[row, target] = Bool.random(using: &random) }
            }
            let expected = (0..<rows).flatMap { presence.bits($0, reserved: reserved) }
            var bits: [UInt8] = []
            presence.append(0..<rows, reserved: reserved, width: (targets + reserved + 7) / 8, to: &bits)
            #expect(bits == expected, "\(targets) targets, seed \(seed)")
        }
    }
}
