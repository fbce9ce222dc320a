// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import PenstockState

/// Places in memory, held against a list of them.
@Suite struct PlaceTableTests {
    @Test("Places lie in their order and are found, also where many begin alike", arguments: [64, 12, 3])
    func placesLieInTheirOrder(bits: UInt64) {
        var random = Randomness(state: bits)
        var table = PlaceTable()
        for _ in 0..<3 {
            var places: Set<UInt64> = []
            for position in 1...600 {
                // Of few first bits, those that are all ones among them: they go on behind the last slot.
                let word = bits == 64 ? random.next() : random.next() | .max >> bits
                let place = (word >> 32) << 32 | UInt64(position)
                table.add(place)
                places.insert(place)
            }
            #expect(table.count == places.count)
            #expect(table.sorted == places.sorted())
            for hash in Set(places.map { UInt32($0 >> 32) }) {
                var found: [Int64] = []
                table.find(hash) { found.append($0) }
                #expect(found == places.filter { $0 >> 32 == UInt64(hash) }.map { Int64($0 & 0xFFFF_FFFF) }.sorted())
            }
            let strangers = (0..<100).map { _ in UInt32(truncatingIfNeeded: random.next()) }
            for hash in strangers where !places.contains(where: { $0 >> 32 == UInt64(hash) }) {
                table.find(hash) { _ in Issue.record("a place of another hash was found") }
            }
            table.removeAll()
            #expect(table.count == 0 && table.sorted.isEmpty)
            table.find(strangers[0]) { _ in Issue.record("a place is left") }
        }
    }
}
