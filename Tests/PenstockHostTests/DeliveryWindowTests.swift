// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Testing

@testable import PenstockHost

@Suite struct DeliveryWindowTests {
    @Test(
        "an object gets as many rows as it takes at once, else as suit where a row is a request",
        arguments: [
            (0, [64, 64, 32]), (1, [1, 1, 1]), (8, [8, 8, 4]), (200, [200, 64, 100]), (4_096, [4_096, 1_024, 2_048]),
            (1_000_000, [16_384, 4_096, 8_192]),
        ] as [(Int, [Int])])
    func window(rowsAtOnce: Int, expected: [Int]) {
        let costs = RequestCosts(
            create: 1, update: 1, delete: 1, readByIDs: 1, readByIDsMax: 1, readPage: 1, readPageMax: 1)
        let object = ObjectDescriptor(
            id: "thing", title: "Thing", requiredOnCreate: [], costs: costs, rowsAtOnce: rowsAtOnce)
        let window = DeliveryWindow(object)
        #expect([window.inFlightMax, window.batchRows, window.resultsPerRoom] == expected)
        // A batch of a source goes whole, and another one is decided about meanwhile.
        #expect(window.openRows == max(1_000, window.inFlightMax / 2))
        // Also where it was full before that: asked again when half of what it had is done.
        #expect(window.mayHaveRoom(0, full: 1) && !window.mayHaveRoom(1, full: 1))
        #expect(window.mayHaveRoom(5, full: 10) || rowsAtOnce == 1)
    }
}
