// SPDX-License-Identifier: Apache-2.0

import CSVConnector
import Testing

/// A record as the scanner reports it.
struct ScannedRecord: Equatable, CustomStringConvertible {
    var line: Int
    var start: Int
    var fields: [String]
    var quoted: [Bool]
    var problem: CSVScanner.Problem?
    var isBlank: Bool

    init(_ scanner: CSVScanner) {
        line = scanner.recordLine
        start = scanner.windowOffset + scanner.recordStart
        fields = scanner.fields.map { scanner.text($0) }
        quoted = scanner.fields.map(\.isQuoted)
        problem = scanner.problem
        isBlank = scanner.isBlank
    }

    /// Like `2: a|"b"`, with the problem behind it.
    var description: String {
        let cells = zip(fields, quoted).map { $1 ? "\"\($0)\"" : $0 }.joined(separator: "|")
        guard let problem else { return "\(line): \(cells)" }
        return "\(line): \(problem.kind) field \(problem.field) offset \(problem.offset)"
    }
}

@Suite struct CSVScannerTests {
    /// Scans `bytes`, handed over in pieces of `chunk` bytes.
    static func scan(_ bytes: [UInt8], _ dialect: CSVDialect = CSVDialect(), chunk: Int) -> [ScannedRecord] {
        var scanner = CSVScanner(dialect)
        var records: [ScannedRecord] = []
        var offset = 0
        while true {
            switch scanner.next() {
            case .record: records.append(ScannedRecord(scanner))
            case .end: return records
            case .needsInput:
                if offset == bytes.count { scanner.finish() }
                let end = min(bytes.count, offset + chunk)
                scanner.feed(bytes[offset..<end])
                offset = end
            }
        }
    }

    static let corpus: [(input: String, records: [String])] = [
        ("", []),
        ("a", ["1: a"]),
        ("a,b\nc,d\n", ["1: a|b", "2: c|d"]),
        ("a,b\r\nc,d\r\n", ["1: a|b", "2: c|d"]),
        ("a,b\rc,d\r", ["1: a|b", "2: c|d"]),
        ("a,b\nc,d", ["1: a|b", "2: c|d"]),
        ("a,", ["1: a|"]),
        (",\n", ["1: |"]),
        ("\"\",\n", ["1: \"\"|"]),
        ("\n\na\n", ["1: ", "2: ", "3: a"]),
        ("\r\n\r\na", ["1: ", "2: ", "3: a"]),
        ("\r\r\na", ["1: ", "2: ", "3: a"]),
        ("\"a,b\",c\n", ["1: \"a,b\"|c"]),
        ("\"a\nb\",c\nd,e\n", ["1: \"a\nb\"|c", "3: d|e"]),
        ("\"a\r\nb\",c\r\nd,e\r\n", ["1: \"a\r\nb\"|c", "3: d|e"]),
        ("\"a\rb\rc\",x\nd", ["1: \"a\rb\rc\"|x", "4: d"]),
        ("\"a\"\"b\"\"\"\n", ["1: \"a\"b\"\""]),
        ("\"\"\"\"", ["1: \"\"\""]),
        ("\"a\"", ["1: \"a\""]),
        ("a\"b,c\"\n", ["1: a\"b|c\""]),
        (" \"a\"\n", ["1:  \"a\""]),
        ("ä,\"ö\"\n\u{1F600}\n", ["1: ä|\"ö\"", "2: \u{1F600}"]),
        ("a\0b,c\nd", ["1: nul field 0 offset 1", "2: d"]),
        ("a,\"x\0\"\nd", ["1: nul field 1 offset 4", "2: d"]),
        ("a,\"b\"c,d\ne", ["1: textAfterQuote field 1 offset 5", "2: e"]),
        ("a,\"b\" \ne", ["1: textAfterQuote field 1 offset 5", "2: e"]),
        ("a,\"b\nc\nd", ["1: unclosedQuote field 1 offset 2", "2: c", "3: d"]),
        ("a,\"b\r\nc\r\nd", ["1: unclosedQuote field 1 offset 2", "2: c", "3: d"]),
        ("a,\"b", ["1: unclosedQuote field 1 offset 2"]),
        ("a\n\"", ["1: a", "2: unclosedQuote field 0 offset 0"]),
        ("\"a\nb\",\"c\nd,e\nf", ["1: unclosedQuote field 1 offset 6", "3: d|e", "4: f"]),
    ]

    @Test("the corpus is read alike in pieces of any size", arguments: [1, 2, 3, 7, 1_000])
    func theCorpusIsReadAlike(chunk: Int) {
        for (input, records) in Self.corpus {
            let scanned = Self.scan(Array(input.utf8), chunk: chunk).map(\.description)
            #expect(scanned == records, "input \(input.debugDescription) in pieces of \(chunk)")
        }
    }

    @Test("bytes that are not UTF-8 are found where they stand", arguments: [1, 2, 3, 7, 1_000])
    func invalidUTF8IsFound(chunk: Int) {
        let inputs: [([UInt8], Int)] = [
            ([0xE9], 0), ([0x61, 0xC3], 1), ([0xC0, 0x80], 0), ([0x61, 0xED, 0xA0, 0x80], 1),
            ([0xF4, 0x90, 0x80, 0x80], 0), ([0xC3, 0xA9, 0xFF], 2),
        ]
        for (bytes, offset) in inputs {
            let records = Self.scan([0x78, 0x2C] + bytes + [0x0A, 0x79], chunk: chunk)
            #expect(records.map(\.description) == ["1: encoding field 1 offset \(offset + 2)", "2: y"])
        }
    }

    @Test func trimmingDropsBlanksOutsideQuotesOnly() {
        var dialect = CSVDialect()
        dialect.trims = true
        let input = " a b\t,\t\" c \" , \n  \nx,\"y\" z\n  "
        let scanned = Self.scan(Array(input.utf8), dialect, chunk: 1)
        #expect(scanned.map(\.description).prefix(2) == ["1: a b|\" c \"|", "2: "])
        #expect(scanned[1].isBlank)
        #expect(scanned[2].problem?.kind == .textAfterQuote)
        #expect(scanned[3].isBlank)
    }

    @Test func aTabDelimiterIsNotABlank() {
        var dialect = CSVDialect()
        dialect.delimiter = UInt8(ascii: "\t")
        dialect.trims = true
        #expect(Self.scan(Array("a\t\tb \n".utf8), dialect, chunk: 2)[0].fields == ["a", "", "b"])
    }

    @Test func withoutAQuoteQuotesAreText() {
        var dialect = CSVDialect()
        dialect.quote = nil
        let scanned = Self.scan(Array("\"a,b\"\n\0".utf8), dialect, chunk: 3)
        #expect(scanned.map(\.description) == ["1: \"a|b\"", "2: nul field 0 offset 0"])
    }

    @Test("a quote that never closes costs one line", arguments: [1, 2, 3, 7, 1_000])
    func anEndlessQuoteCostsOneLine(chunk: Int) {
        var dialect = CSVDialect()
        dialect.recordBytesMax = 12
        let input = "a\nb,\"c\r\nd,1\ne,2\nf,3\ng,4\nh,5\n"
        let expected = ["1: a", "2: endlessQuote field 1 offset 2", "3: d|1", "4: e|2", "5: f|3", "6: g|4", "7: h|5"]
        #expect(Self.scan(Array(input.utf8), dialect, chunk: chunk).map(\.description) == expected)
    }

    @Test("a line that is too long is skipped to its end", arguments: [1, 2, 3, 7, 1_000])
    func aLongLineIsSkipped(chunk: Int) {
        var dialect = CSVDialect()
        dialect.recordBytesMax = 8
        let input = "a\r\n0123456789,abcdefghijklm\r\nb\n\"0123456789abcdef\nc,d\n01234567890"
        let expected = [
            "1: a", "2: tooLong field 0 offset 0", "3: b", "4: endlessQuote field 0 offset 0", "5: c|d",
            "6: tooLong field 0 offset 0",
        ]
        #expect(Self.scan(Array(input.utf8), dialect, chunk: chunk).map(\.description) == expected)
    }

    @Test("what a writer writes is read back", arguments: 1...40)
    func whatIsWrittenIsReadBack(seed: UInt64) {
        var random = SeededGenerator(seed)
        let alphabet = ["a", "b", ",", "\"", "\n", "\r", "\r\n", " ", "ä", "\u{1F600}", ";"]
        let lineEnd = ["\n", "\r\n", "\r"][Int(seed % 3)]
        let width = Int.random(in: 2...5, using: &random)
        var rows: [[String]] = []
        var text = ""
        for _ in 0..<30 {
            var row: [String] = []
            for _ in 0..<width {
                let length = Int.random(in: 0...6, using: &random)
                row.append((0..<length).map { _ in alphabet[Int(random.next() % 11)] }.joined())
            }
            rows.append(row)
            let cells = row.map { cell in
                let mustQuote = cell.unicodeScalars.contains { ",\"\r\n".unicodeScalars.contains($0) }
                guard mustQuote || random.next() % 4 == 0 else { return cell }
                return "\"" + cell.replacing("\"", with: "\"\"") + "\""
            }
            text += cells.joined(separator: ",") + lineEnd
        }
        for chunk in [1, 2, 3, 7, text.utf8.count] {
            let scanned = Self.scan(Array(text.utf8), chunk: chunk)
            #expect(scanned.map(\.fields) == rows, "seed \(seed), pieces of \(chunk)")
            #expect(scanned.allSatisfy { $0.problem == nil }, "seed \(seed), pieces of \(chunk)")
        }
    }

    @Test("any bytes are read alike in pieces of any size, with true line numbers", arguments: 1...300)
    func anyBytesAreReadAlike(seed: UInt64) {
        var random = SeededGenerator(seed)
        let alphabet = Array("aa,,\"\"\n\r \0".utf8) + [0xC3, 0xA9, 0xFF]
        let bytes = (0..<200).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
        var dialect = CSVDialect()
        dialect.trims = seed % 2 == 0
        dialect.recordBytesMax = seed % 3 == 0 ? 1 << 20 : 20
        let whole = Self.scan(bytes, dialect, chunk: bytes.count)
        for chunk in [1, 2, 3, 7] {
            #expect(Self.scan(bytes, dialect, chunk: chunk) == whole, "seed \(seed), pieces of \(chunk)")
        }
        for record in whole {
            var line = 1
            for index in 0..<record.start where bytes[index] == 13 || bytes[index] == 10 {
                if bytes[index] == 13 || index == 0 || bytes[index - 1] != 13 { line += 1 }
            }
            #expect(record.line == line, "seed \(seed), record at byte \(record.start)")
        }
        #expect(zip(whole, whole.dropFirst()).allSatisfy { $0.start < $1.start }, "seed \(seed)")
    }
}
