// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

/// The check many bytes at a time against the standard library's; `PENSTOCK_SEED` repeats a run.
@Suite struct UTF8CheckTests {
    private static let seed =
        ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)

    private static func check(_ bytes: [UInt8], _ note: String) {
        let isText = String(validating: bytes, as: UTF8.self) != nil
        bytes.withUnsafeBufferPointer { room in
            #expect(UTF8Check.isValid(room) == isText, "\(bytes) \(note)")
            #expect(UTF8Check.isValidWithoutNUL(room) == (isText && !bytes.contains(0)), "\(bytes) \(note)")
            #expect(UTF8Check.isASCII(room) == bytes.allSatisfy { $0 < 0x80 }, "\(bytes) \(note)")
        }
    }

    @Test func everyLeadWithEveryEdgeIsJudgedRight() {
        let edges: [UInt8] = [0, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF]
        for lead in UInt8(0x7F)...0xFF {
            Self.check([lead], "")
            for second in edges {
                Self.check([lead, second], "")
                for third in edges {
                    Self.check([lead, second, third], "")
                    for fourth in edges { Self.check([0x41, lead, second, third, fourth], "") }
                }
            }
        }
    }

    @Test func randomBytesAreJudgedRight() {
        var random = SplitMix(state: Self.seed)
        let pieces: [[UInt8]] = [
            Array("a".utf8), Array("twelve bytes".utf8), Array("é".utf8), Array("€".utf8), Array("\u{1F600}".utf8),
            Array(repeating: 0x7A, count: 33), [0], [0x80], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90],
        ]
        for round in 0..<4_000 {
            var bytes: [UInt8] = []
            // Mostly text, so that what is found is found late.
            let bad = round % 3 == 0 ? pieces.count : 6
            for _ in 0..<Int(random.next() % 12) { bytes += pieces[Int(random.next() % UInt64(bad))] }
            Self.check(bytes, "PENSTOCK_SEED=\(Self.seed)")
        }
    }
}

/// The generator SplitMix64.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
