// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// One open file on its way through the scanner, and the columns that its first record gives it.
package struct CSVFile {
    /// What the file is as a table.
    package let table: CSVTable
    /// The names of the columns, in the order of the file.
    package private(set) var columns: [String] = []
    /// The records; behind the header once the file is open.
    package var scanner: CSVScanner
    private let reader: FileReader
    private let encoding: CSVEncoding
    private var buffer: [UInt8]
    /// How many bytes of byte-order mark were left out before the scanner.
    private var markLength = 0

    /// Opens the file and reads its header.
    ///
    /// - Parameter bufferSize: How many bytes are read at once.
    /// - Throws: ``ConnectorError``: `notFound`, `forbidden`, `unavailable`, `badConfig`; `badData` where it cannot
    ///   be a table.
    package init(
        _ table: CSVTable, _ settings: CSVSettings, bufferSize: Int = 256 << 10
    ) throws(ConnectorError) {
        self.table = table
        encoding = settings.encoding
        reader = try FileReader(table.path)
        scanner = CSVScanner(settings.dialect(for: table))
        buffer = [UInt8](repeating: 0, count: max(4, Int(min(Int64(bufferSize), reader.size))))
        try refill(isFirst: true)
        try readColumns(settings.hasHeader)
    }

    /// Gives the scanner more bytes, or tells it that there are none.
    ///
    /// - Throws: ``ConnectorError`` `unavailable`.
    package mutating func refill() throws(ConnectorError) { try refill(isFirst: false) }

    /// How many bytes of the file were read.
    package var offset: Int64 { reader.offset }

    /// How many bytes the file had when it was opened.
    package var size: Int64 { reader.size }

    /// The position in the file of a byte of the scanner's record, or nil where the encoding hides it.
    package func fileOffset(_ offset: Int) -> Int? {
        encoding == .utf8 ? scanner.windowOffset + scanner.recordStart + offset + markLength : nil
    }

    /// Refuses a last line that was only half written when the file was opened.
    ///
    /// - Throws: ``ConnectorError`` `unavailable`.
    package func checkLastLine() throws(ConnectorError) {
        guard scanner.endsInsideRecord && reader.hasGrown else { return }
        throw ConnectorError(
            .unavailable,
            "\(table.path) was being written to while it was read, and its last line (\(scanner.recordLine)) may be "
                + "incomplete; run again when nothing writes to it.")
    }

    /// Closes the file; may be called again.
    package func close() { reader.close() }

    private mutating func refill(isFirst: Bool) throws(ConnectorError) {
        let count = try reader.read(into: &buffer)
        if isFirst { try readMark(count) }
        let bytes = buffer[min(count, isFirst ? markLength : 0)..<count]
        if encoding == .utf8 { scanner.feed(bytes) } else { scanner.feed(encoding.decode(bytes)) }
        if reader.offset == reader.size { scanner.finish() }
    }

    /// Looks at the first bytes: a mark is skipped, another format than text is refused.
    private mutating func readMark(_ count: Int) throws(ConnectorError) {
        let start = buffer.prefix(count)
        if start.starts(with: [0xEF, 0xBB, 0xBF]) {
            guard encoding == .utf8 else {
                throw badData("starts with the mark of UTF-8; set encoding to utf-8")
            }
            markLength = 3
        } else if start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF]) {
            throw badData("is UTF-16, which is not read; save it as UTF-8")
        } else if start.starts(with: [0x1F, 0x8B]) {
            throw badData("is compressed with gzip, which is not read; unpack it")
        } else if start.starts(with: [0x50, 0x4B, 3, 4]) {
            throw badData("is a ZIP archive or a spreadsheet, which is not read; save it as CSV")
        }
    }

    private mutating func readColumns(_ hasHeader: Bool) throws(ConnectorError) {
        guard try readFirstRecord() else {
            guard hasHeader else { return }
            throw badData("has no header line; write the names of the columns into its first line")
        }
        if hasHeader {
            columns = scanner.fields.map { scanner.text($0) }
            if let problem = scanner.problem { throw headerProblem(problem) }
            try checkNames()
        } else {
            if let problem = scanner.problem, problem.kind.hidesFields { throw headerProblem(problem) }
            columns = scanner.fields.indices.map { "c\($0 + 1)" }
            scanner.rewind()
        }
    }

    private mutating func readFirstRecord() throws(ConnectorError) -> Bool {
        while true {
            switch scanner.next() {
            case .record: if !scanner.isBlank { return true }
            case .needsInput: try refill()
            case .end: return false
            }
        }
    }

    private func headerProblem(_ problem: CSVScanner.Problem) -> ConnectorError {
        let hint = problem.kind == .nul ? " The file may be UTF-16: save it as UTF-8." : ""
        return ConnectorError(
            .badData,
            "\(table.path), \(CSVReject(self, columns: [], encoding).text(of: problem))" + hint)
    }

    private func checkNames() throws(ConnectorError) {
        let line = scanner.recordLine
        if let empty = columns.firstIndex(of: "") {
            throw badData("line \(line), column \(empty + 1): the column has no name; give it one", separator: ", ")
        }
        var positions: [[UInt8]: Int] = [:]
        for (index, name) in columns.enumerated() {
            if let other = positions.updateValue(index, forKey: Array(name.utf8)) {
                throw badData(
                    "line \(line): the columns \(other + 1) and \(index + 1) are both named \(name); rename one of "
                        + "them", separator: ", ")
            }
        }
    }

    private func badData(_ what: String, separator: String = " ") -> ConnectorError {
        ConnectorError(.badData, "\(table.path)\(separator)\(what).")
    }
}
