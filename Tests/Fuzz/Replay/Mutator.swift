// SPDX-License-Identifier: Apache-2.0

import FuzzTargets

/// A generator with a seed, so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// Makes inputs out of the kept ones: a short search in every test run, where libFuzzer's is a long one on demand.
struct Mutator {
    private let corpus: [[UInt8]]
    private let pieces: [[UInt8]]
    private var generator: SeededGenerator

    init(_ corpus: [[UInt8]], _ pieces: [String], seed: UInt64) {
        self.corpus = corpus
        self.pieces = pieces.map { Array($0.utf8) }
        generator = SeededGenerator(seed: seed)
    }

    /// The next input.
    mutating func next() -> [UInt8] {
        var input = corpus.randomElement(using: &generator) ?? []
        for _ in 0..<Int.random(in: 1...4, using: &generator) { change(&input) }
        return Array(input.prefix(FuzzTarget.bytesMax))
    }

    private mutating func change(_ input: inout [UInt8]) {
        let place = input.isEmpty ? 0 : Int.random(in: 0..<input.count, using: &generator)
        switch Int.random(in: 0..<7, using: &generator) {
        case 0 where !input.isEmpty: input.remove(at: place)
        case 1 where !input.isEmpty: input[place] = UInt8.random(in: 0...255, using: &generator)
        case 2 where !input.isEmpty: input[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 3: input.removeSubrange(place..<min(place + Int.random(in: 0..<12, using: &generator), input.count))
        case 4:
            let other = corpus.randomElement(using: &generator) ?? []
            let from = Int.random(in: 0...other.count, using: &generator)
            input.insert(contentsOf: other[from..<min(other.count, from + 32)], at: place)
        case 5:
            let end = min(input.count, place + Int.random(in: 1...16, using: &generator))
            input.insert(contentsOf: input[place..<end], at: place)
        default:
            let end = Int.random(in: 0...input.count, using: &generator)
            input.insert(contentsOf: pieces.randomElement(using: &generator) ?? [0], at: end)
        }
    }
}
