// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockProject
import Testing

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

@Suite struct MutationTests {
    private static let pieces = [
        "\t", "  ", "\n", "\r", ": ", "- ", "{", "}", "[", "]", "\"", "'", "${", "}", "$$", "&a ", "*a", "#", "|\n",
        ">",
        "!!str ", "---\n", "<<: ", "? ", "%", "@", "\u{FEFF}", "\u{2028}", "é", "日", "\u{0}", "null", "~", "name: x\n",
    ]

    @Test("A damaged file leads to findings at places that exist, and to nothing else", arguments: 1...12)
    func aDamagedFileLeadsToFindings(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let fixture = try ProjectFixture(AnnotatedProject.files)
        let files = AnnotatedProject.files.keys.sorted()
        for round in 0..<40 {
            let file = files[round % files.count]
            var bytes = Array((AnnotatedProject.files[file] ?? "").utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes.remove(at: place)
                case 1: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 2: bytes.removeSubrange(place..<min(place + 12, bytes.count))
                default:
                    let piece = Self.pieces.randomElement(using: &generator) ?? ""
                    bytes.insert(contentsOf: piece.utf8, at: place)
                }
            }
            try fixture.write(file, Data(bytes))
            let (project, found) = fixture.validate()
            let report = project.renderer.render(found)
            #expect(report.hasSuffix(Diagnostic.summary(found)), "seed \(seed), round \(round)")
            for diagnostic in found where diagnostic.line > 0 {
                let lines = project.sources[diagnostic.file]?.lineCount ?? 0
                #expect(diagnostic.line <= lines && diagnostic.column > 0, "seed \(seed), round \(round)")
            }
            try fixture.write(file, Data((AnnotatedProject.files[file] ?? "").utf8))
        }
    }
}
