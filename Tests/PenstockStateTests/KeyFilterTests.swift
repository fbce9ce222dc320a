// SPDX-License-Identifier: Apache-2.0

import PenstockState
import Testing

@Suite struct KeyFilterTests {
    @Test func everyAddedKeyIsFoundAndFewOthers() {
        // 10,000 keys in 2^7 blocks have 6.5 bits each, as 10^7 keys have in the 2^17 blocks of a run.
        var filter = KeyFilter(blockBits: 7)
        for number in 0..<10_000 { filter.add(digest(number)) }
        #expect((0..<10_000).allSatisfy { filter.mayContain(digest($0)) })
        let strangers = (10_000..<30_000).count { filter.mayContain(digest($0)) }
        #expect(strangers < 20_000 / 15)
    }

    @Test func anEmptyFilterHoldsNothing() {
        let filter = KeyFilter(blockBits: 3)
        #expect(!(0..<1000).contains { filter.mayContain(digest($0)) })
    }
}
