// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

/// JSON that is written into one piece of memory, held against the plain writer.
@Suite struct JSONBufferTests {
    @Test func whatIsWrittenIsWhatThePlainWriterWrites() {
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
        print("whatIsWrittenIsWhatThePlainWriterWrites: seed \(seed)")
        var random = SplitMix(state: seed)
        let letters = Array("ab\"\\/\n\r\t\u{0}\u{1}\u{1f}\u{7f}é€😀 ")
        let out = JSONBuffer(capacity: 1)
        for _ in 0..<500 {
            out.truncate(to: 0)
            var plain: [UInt8] = []
            for _ in 0..<Int.random(in: 1...30, using: &random) {
                let count = Int.random(in: 0...40, using: &random)
                let text = String((0..<count).map { _ in letters.randomElement(using: &random) ?? "a" })
                let number = Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0...63, using: &random)
                let digest = Fingerprint(low: random.next(), high: random.next())
                out.appendString(text)
                JSON.writeString(text.utf8, into: &plain)
                out.append(number)
                plain += String(number).utf8
                out.append(",\"null\":")
                plain += ",\"null\":".utf8
                out.append(hex: digest)
                plain += digest.hex.utf8
            }
            #expect(out.bytes == plain)
            #expect(out.withBytes { Array($0) } == plain && out.count == plain.count)
        }
        for number in [Int64.min, -1, 0, 9, 10, 99, 100, .max] {
            out.truncate(to: 0)
            out.append(number)
            #expect(out.bytes == Array(String(number).utf8))
        }
    }
}
