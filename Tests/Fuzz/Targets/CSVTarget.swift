// SPDX-License-Identifier: Apache-2.0

import CSVConnector

extension FuzzTarget {
    /// The CSV scanner: the same records as the reference, and the same in pieces of any size.
    static let csv = FuzzTarget(
        "csv", pieces: [",", ";", "\t", "\"", "\"\"", "\r", "\n", "\r\n", "a", " ", "\u{0}", "é", "\"a,b\"", ",,,"]
    ) { bytes, isPlanted in
        var input = FuzzInput(bytes)
        var dialect = CSVDialect()
        dialect.delimiter = [UInt8(ascii: ","), UInt8(ascii: ";"), 9, UInt8(ascii: " ")][input.choice(4)]
        dialect.quote = [UInt8(ascii: "\""), UInt8(ascii: "'"), nil][input.choice(3)]
        dialect.trims = input.flag()
        let chunk = 1 + input.choice(9)
        let recordBytesMax = 1 + input.choice(64)
        let file = input.rest
        let whole = Scan(file, dialect, chunk: max(1, file.count))
        if let fault = whole.difference(from: ReferenceCSV(file, dialect)) { return fault }
        if Scan(file, dialect, chunk: chunk) != whole { return "in pieces of \(chunk) bytes the records are others" }
        dialect.recordBytesMax = recordBytesMax
        if Scan(file, dialect, chunk: chunk) != Scan(file, dialect, chunk: 1) {
            return "with records of \(recordBytesMax) bytes at most, pieces of 1 and \(chunk) bytes differ"
        }
        // The planted fault: a quoted field with a line end and a doubled quote loses its line end.
        let isCut = whole.records.joined().contains { $0.contains(10) && $0.contains(UInt8(ascii: "\"")) }
        return isPlanted && isCut ? "planted" : nil
    }
}

/// What the scanner makes of a file.
private struct Scan: Equatable {
    var records: [[[UInt8]]] = []
    var problems: [CSVScanner.Problem?] = []
    var lines: [Int] = []
    var starts: [Int] = []
    var endsInside = false

    init(_ bytes: [UInt8], _ dialect: CSVDialect, chunk: Int) {
        var scanner = CSVScanner(dialect)
        var offset = 0
        while true {
            switch scanner.next() {
            case .needsInput:
                if offset == bytes.count { scanner.finish() }
                let end = min(bytes.count, offset + chunk)
                scanner.feed(bytes[offset..<end])
                offset = end
            case .end:
                endsInside = scanner.endsInsideRecord
                return
            case .record:
                records.append(scanner.fields.map { scanner.bytes($0) })
                problems.append(scanner.problem)
                lines.append(scanner.recordLine)
                starts.append(scanner.windowOffset + scanner.recordStart)
            }
        }
    }

    func difference(from reference: ReferenceCSV) -> String? {
        let good = Array(records.prefix(problems.firstIndex { $0 != nil } ?? records.count))
        if good != reference.records {
            return "the records up to the first broken one are others: \(good.map { $0.map(text) }) and "
                + "\(reference.records.map { $0.map(text) })"
        }
        let isBroken = good.count < records.count
        return isBroken == reference.isBroken ? nil : "record \(good.count + 1) is broken: \(isBroken)"
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
