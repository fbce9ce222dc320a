// SPDX-License-Identifier: Apache-2.0

import Foundation
import FuzzTargets
import Testing

/// The kept inputs of every target, and a short search from them; the long one is `make fuzz`.
@Suite(.serialized) struct FuzzTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Corpus")

    /// The kept inputs of a target by name, in order.
    static func corpus(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = folder.appendingPathComponent(target.name).path
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
            (name, Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))))
        }
    }

    @Test("Every kept input is taken as it should be", arguments: FuzzTarget.all)
    func replay(_ target: FuzzTarget) throws {
        let corpus = try Self.corpus(target)
        #expect(corpus.count >= 5, "\(target.name) has too few inputs to start from")
        for (name, bytes) in corpus {
            let fault = target.fault(bytes, false)
            #expect(fault == nil, "Corpus/\(target.name)/\(name)")
        }
        #expect(target.fault([], false) == nil)
    }

    @Test("A short search finds nothing", arguments: FuzzTarget.all)
    func search(_ target: FuzzTarget) throws {
        var mutator = Mutator(try Self.corpus(target).map(\.bytes), target.pieces, seed: 4)
        for round in 0..<300 {
            let input = mutator.next()
            let fault = target.fault(input, false)
            #expect(fault == nil, "\(target.name), input \(round): \(Data(input).base64EncodedString())")
        }
    }

    @Test("A search finds a fault that was built in", arguments: FuzzTarget.all)
    func plantedFaultIsFound(_ target: FuzzTarget) throws {
        let corpus = try Self.corpus(target).map(\.bytes)
        let isGivenAway = corpus.contains { target.fault($0, true) != nil }
        #expect(!isGivenAway, "the kept inputs of \(target.name) already hold what the search is to find")
        var mutator = Mutator(corpus, target.pieces, seed: 7)
        let found = (0..<100_000).first { _ in target.fault(mutator.next(), true) == "planted" }
        #expect(found != nil, "\(target.name)")
    }
}

extension FuzzTarget: CustomTestStringConvertible {
    /// The name.
    public var testDescription: String { name }
}
