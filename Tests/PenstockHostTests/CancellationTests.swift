// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import Synchronization
import Testing

@Suite struct CancellationTests {
    private final class Tally: Sendable {
        let count = Atomic(0)

        func add(_ number: Int) { count.add(number, ordering: .relaxed) }
        var value: Int { count.load(ordering: .relaxed) }
    }

    @Test func whoWatchesIsToldOfTheWishForAsLongAsTheWatchLives() {
        let cancellation = Cancellation()
        let tally = Tally()
        let watch = cancellation.watch { tally.add(1) }
        do {
            let other = cancellation.watch { tally.add(10) }
            withExtendedLifetime(other) {}
        }
        #expect(tally.value == 0)
        cancellation.cancel()
        #expect(tally.value == 1)
        let late = cancellation.watch { tally.add(100) }
        #expect(tally.value == 101, "the wish was made before")
        withExtendedLifetime((watch, late)) {}
    }
}
