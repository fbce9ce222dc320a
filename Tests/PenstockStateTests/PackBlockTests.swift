// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

@testable import PenstockState

/// The bytes of blocks, held against those that are made of entries a text at a time.
@Suite struct PackBlockTests {
    private static func entry(_ random: inout Randomness) -> LedgerEntry {
        let outcomes = LedgerEntry.Outcome.allCases.filter(\.isSettled)
        var entry = LedgerEntry(
            key: digest(random.next() % 1_000_000), keyText: text(&random), run: random.pick([1, 2, -3, .max]),
            outcome: random.pick(outcomes))
        if random.next() % 4 > 0 { entry.remoteID = random.pick([text(&random), String(random.next() >> 40)]) }
        if random.next() % 4 > 0 { entry.payload = digest(random.next() % 1_000_000) }
        if random.next() % 2 == 0 { entry.cursor = text(&random) }
        if random.next() % 2 == 0 { entry.source = digest(random.next() % 1_000_000) }
        return entry
    }

    private static func text(_ random: inout Randomness) -> String {
        let start = random.pick(["", "id=", "2026-01-01 10:00:0", "é€😀", "1"])
        return start + random.pick(["", String(random.next() % 1_000), String(repeating: "x", count: 130)])
    }

    @Test func blocksAreWhatTheyAreMadeOfTextByText() throws {
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
        print("blocksAreWhatTheyAreMadeOfTextByText: seed \(seed)")
        var random = Randomness(state: seed)
        for _ in 0..<300 {
            var (items, plain) = (PackItems(), [PlainItem]())
            let first = Int64(random.next() % 1_000) + 1
            var position = first + Int64(random.next() % 3)
            for _ in 0..<random.next() % 60 + 1 {
                if random.next() % 9 == 0 {
                    let key = digest(position)
                    items.appendVacated(key, at: position)
                    plain.append(PlainItem(position: position, entry: PlainItem.vacated(key), isVacated: true))
                } else {
                    let entry = Self.entry(&random)
                    items.append(entry, at: position)
                    plain.append(PlainItem(position: position, entry: PlainItem.kept(entry), isVacated: false))
                }
                position += Int64(random.pick([1, 1, 1, 2, 70]))
            }
            let bytes = PackBlock.bytes(items.items[...], items.texts, first: first)
            #expect(bytes == PlainItem.bytes(plain[...], first: first))
            for place in plain.indices {
                let before = place > 0 ? place - 1 : nil
                #expect(
                    PackBlock.size(items.items[place], after: before.map { items.items[$0] }, items.texts)
                        == PlainItem.size(plain[place], after: before.map { plain[$0] }))
            }
            try readsBack(PackBlock(bytes, first: first), bytes, plain)
        }
    }

    /// A block that is read says what was put into it, and is written again as it was, beside other texts.
    private func readsBack(_ block: PackBlock, _ bytes: [UInt8], _ plain: [PlainItem]) throws {
        var texts = Array("others".utf8)
        let again = try block.items(texts: &texts)
        #expect(again.map(\.position) == plain.map(\.position))
        #expect(PackBlock.bytes(again[...], texts, first: block.first) == bytes)
        var whole = block
        try whole.readKeyTexts()
        for (place, item) in plain.enumerated() {
            #expect(whole.entry(place) == (item.isVacated ? nil : item.entry))
        }
    }

    @Test func itemsComeInTheOrderOfTheirPositions() {
        var items = PackItems()
        for position in [5, 3, 9, 1] { items.append(PenstockStateTests.entry(Int64(position)), at: Int64(position)) }
        items.sort()
        #expect(items.items.map(\.position) == [1, 3, 5, 9])
        #expect(items.items.map { $0.row.keyText.string(items.texts) } == ["id=1", "id=3", "id=5", "id=9"])
        items.removeAll()
        #expect(items.items.isEmpty && items.texts.isEmpty && !items.isFull)
    }
}
