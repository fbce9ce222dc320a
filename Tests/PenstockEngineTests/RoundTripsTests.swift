// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import PenstockEngine

@Suite struct RoundTripsTests {
    private func seen(_ count: Int, _ milliseconds: Int64) -> RoundTrips {
        var trips = RoundTrips()
        for _ in 0..<count { trips.note(milliseconds, 1_000) }
        return trips
    }

    @Test func nothingIsKnownOfTheWayBeforeThirtyAnswers() {
        #expect(seen(30, 60).floor == 0)
        #expect(seen(31, 60).floor > 0)
    }

    @Test("Answers of one busy burst do not say how short the way can be")
    func theFirstAnswersAreDoubted() {
        #expect(seen(41, 60).floor == 10)
        #expect(seen(41, 40).floor == 0)
        #expect(seen(121, 60).floor == 60)
    }

    @Test("Answers that waited for their connections are longer than the way")
    func connectionsTakeTheirTime() {
        #expect(seen(64, 900).floor == 225)
        #expect(seen(65, 900).floor == 850)
    }
}
