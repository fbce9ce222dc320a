// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockState
import Testing

@Suite struct ScratchTests {
    let folder = TemporaryFolder()

    @Test("Every key's earlier meetings are counted, in memory and in the file", arguments: [2, 7, 100, 1_000_000])
    func everyKeysEarlierMeetingsAreCounted(batchKeys: Int) throws {
        let seen = SeenKeys(folder: folder.path, batchKeys: batchKeys)
        var expected: [Int: Int] = [:]
        var source = SeededGenerator(seed: 42)
        for _ in 0..<20_000 {
            let number = Int.random(in: 0..<9000, using: &source)
            #expect(try seen.contains(digest(number)) == (expected[number] != nil), "looking counts nothing")
            #expect(try seen.insert(digest(number)) == expected[number, default: 0])
            expected[number, default: 0] += 1
        }
        #expect(seen.count == expected.count)
    }

    @Test("Every key has the text that it was given last, in memory and in the file", arguments: [0, 5, 1_000_000])
    func everyKeyHasItsText(batchKeys: Int) throws {
        let texts = KeyTexts(folder: folder.path, batchKeys: batchKeys)
        #expect(try texts.text(of: digest(1)) == nil)
        for round in 1...2 {
            for number in stride(from: round - 1, to: 200, by: round) {
                try texts.set(digest(number), "\(round) \(number)")
            }
        }
        for number in 0..<200 {
            let round = number >= 1 && (number - 1) % 2 == 0 ? 2 : 1
            #expect(try texts.text(of: digest(number)) == "\(round) \(number)")
        }
        #expect(try texts.text(of: digest(1_000)) == nil)
        #expect(TemporaryFolder.names(folder.path).isEmpty, "the file has no name")
    }

    @Test func keysThatShareTheirPlaceAreToldApart() throws {
        let seen = SeenKeys(folder: folder.path, batchKeys: 2)
        // All of these have the same bits in the filter, and half of each key is the same.
        for low in UInt64(0)..<100 { #expect(try seen.insert(Fingerprint(low: low << 32, high: .max)) == 0) }
        for low in UInt64(0)..<100 { #expect(try seen.insert(Fingerprint(low: low << 32, high: .max)) == 1) }
        #expect(try seen.insert(Fingerprint(low: 0, high: 0)) == 0)
        #expect(seen.count == 101)
    }

    @Test func scratchFilesHaveNoName() throws {
        let seen = SeenKeys(folder: folder.path, batchKeys: 1)
        let index = try RemoteIndex(folder: folder.path)
        for number in 0..<100 {
            _ = try seen.insert(digest(number))
            try index.add(matches: ["a"], id: String(number), record: [1])
        }
        #expect(TemporaryFolder.names(folder.path).isEmpty)
    }

    @Test func aScratchFileNeedsAFolder() {
        let seen = SeenKeys(folder: folder.path + "/missing", batchKeys: 0)
        #expect(throws: StateError.self) { try seen.insert(digest(1)) }
        #expect(throws: StateError.self) { try RemoteIndex(folder: folder.path + "/missing") }
    }

    @Test func recordsAreFoundByMatchAndByID() throws {
        let index = try RemoteIndex(folder: folder.path)
        for number in 0..<2000 {
            try index.add(matches: ["m\(number / 2)", "all"], id: "\(number)", record: Array("r\(number)".utf8))
        }
        try index.add(matches: [], id: "none", record: [])
        #expect(index.count == 2001)
        #expect(try index.find(match: "m7", limit: 5).map(\.id) == ["14", "15"])
        #expect(try index.find(match: "m7", limit: 1).map(\.record) == [Array("r14".utf8)])
        #expect(try index.find(match: "all", limit: 3).map(\.id) == ["0", "1", "2"])
        #expect(try index.find(match: "M7", limit: 5).isEmpty)
        #expect(try index.find(id: "1999") == Array("r1999".utf8))
        #expect(try index.find(id: "none") == [])
        #expect(try index.find(id: "2000") == nil)
    }

    @Test func aRecordShownTwiceIsOneRecordWithItsLastValues() throws {
        let index = try RemoteIndex(folder: folder.path)
        try index.add(matches: ["old", "both"], id: "1", record: [1])
        try index.add(matches: ["both", "new", "new"], id: "1", record: [2])
        #expect(index.count == 1)
        #expect(try index.find(match: "old", limit: 5).isEmpty)
        #expect(try index.find(match: "both", limit: 5).map(\.record) == [[2]])
        #expect(try index.find(match: "new", limit: 5).count == 1)
    }
}

/// SplitMix64, so that a test's numbers follow from its seed.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
