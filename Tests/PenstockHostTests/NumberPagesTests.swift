// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import PenstockHost

@Suite struct NumberPagesTests {
    @Test("Numbers are remembered as a set remembers them", arguments: [10, 40_000, 1 << 62])
    func numbersAreRememberedAsInASet(largest: UInt64) {
        var random = SystemRandomNumberGenerator()
        var pages = NumberPages()
        var set: Set<UInt64> = []
        for _ in 0..<5_000 {
            let number = UInt64.random(in: 0...largest, using: &random)
            #expect(pages.contains(number) == set.contains(number))
            #expect(pages.insert(number) == set.insert(number).inserted)
        }
        #expect(pages.insert(.max) == true)
        #expect(pages.contains(.max) == true)
    }

    @Test func whatThereIsNoRoomForIsForOthersToRemember() {
        var pages = NumberPages()
        var held: Set<UInt64> = []
        for page in 0..<UInt64(9_000) {
            guard let isNew = pages.insert(page << 12) else { continue }
            #expect(isNew)
            held.insert(page)
        }
        #expect(held.count == 8_192)
        for page in 0..<UInt64(9_000) {
            let isHeld = held.contains(page)
            #expect(pages.contains(page << 12) == (isHeld ? true : nil))
            #expect(pages.insert(page << 12 + 1) == (isHeld ? true : nil))
        }
    }
}
