// SPDX-License-Identifier: Apache-2.0

import CSVConnector
import Foundation
import Testing

/// Records that lie whole in the window are scanned eight bytes at a time; in pieces of one byte none of them do.
///
/// `PENSTOCK_SEED` repeats one seed.
@Suite struct CSVPlainRecordTests {
    static let seeds: [UInt64] = {
        if let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) { return [seed] }
        let first = UInt64.random(in: 1...999_999)
        return Array(first..<first + 300)
    }()

    private static let words = [
        "", "a", "1234567", "12345678", "123456789", "a text of some length, in fact", "é", "Österberg", "\u{1F600}",
        "tab\tand\u{1}control", "\"", "x\"y", "a\nb", "a\r\nb", "\r", "\n\n", " ", "semi;colon",
        String(repeating: "z", count: 70),
    ]

    /// A table of `width` columns as text, with some rows that are not plain.
    private static func table(_ random: inout SeededGenerator, _ width: Int, _ dialect: CSVDialect, _ end: String)
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...40, using: &random) {
            let isOdd = random.next() % 12 == 0
            let cells = isOdd ? max(1, width + Int(random.next() % 3) - 1) : width
            for cell in 0..<cells {
                if cell > 0 { bytes.append(dialect.delimiter) }
                let word = Array(words[Int(random.next() % UInt64(words.count))].utf8)
                let special = word.contains { $0 == dialect.delimiter || $0 == dialect.quote || $0 == 10 || $0 == 13 }
                if let quote = dialect.quote, special || random.next() % 4 == 0 {
                    bytes.append(quote)
                    for byte in word { bytes += byte == quote ? [quote, quote] : [byte] }
                    if !isOdd || random.next() % 3 != 0 { bytes.append(quote) }
                    if isOdd && random.next() % 3 == 0 { bytes.append(0x78) }
                } else {
                    bytes += word
                }
                if isOdd && random.next() % 4 == 0 { bytes.append([0, 0xFF, 0xC3][Int(random.next() % 3)]) }
            }
            bytes += Array(end.utf8)
        }
        if random.next() % 3 == 0 { bytes.removeLast(min(bytes.count, Int(random.next() % 9))) }
        return bytes
    }

    @Test("records are the same eight bytes at a time and one by one", arguments: Self.seeds)
    func recordsAreTheSame(seed: UInt64) {
        var random = SeededGenerator(seed)
        var dialect = CSVDialect()
        dialect.delimiter = [UInt8(ascii: ","), UInt8(ascii: ";"), 9][Int(random.next() % 3)]
        dialect.quote = [UInt8(ascii: "\""), UInt8(ascii: "'"), nil][Int(random.next() % 3)]
        if random.next() % 4 == 0 { dialect.recordBytesMax = Int.random(in: 1...200, using: &random) }
        let end = ["\n", "\r\n", "\r"][Int(random.next() % 3)]
        let bytes = Self.table(&random, Int.random(in: 1...6, using: &random), dialect, end)
        let plain = CSVScannerTests.scan(bytes, dialect, chunk: 1)
        for chunk in [bytes.count, 7, 64, 200] where chunk > 0 {
            #expect(CSVScannerTests.scan(bytes, dialect, chunk: chunk) == plain, "seed \(seed), pieces of \(chunk)")
        }
    }
}
