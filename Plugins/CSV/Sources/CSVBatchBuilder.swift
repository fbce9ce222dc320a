// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Collects records as the rows of a batch: only the columns asked for, each in its type.
struct CSVBatchBuilder: Sendable {
    /// How many rows there are since ``begin(_:)``.
    private(set) var rowCount = 0
    /// About how many bytes their values take.
    private(set) var byteCount = 0
    private let schema: Schema
    /// For each column of the schema the position of its field in a record.
    private let positions: [Int]
    private let emptyIsNull: Bool
    private let quotedEmptyIsNull: Bool
    private let nullText: [UInt8]?
    private var columns: [CSVColumnBuilder]

    /// - Parameters:
    ///   - schema: The columns to collect.
    ///   - positions: For each of them the position of its field.
    init(_ schema: Schema, positions: [Int], _ settings: CSVSettings) {
        self.schema = schema
        self.positions = positions
        emptyIsNull = settings.nullRule != .never
        quotedEmptyIsNull = settings.nullRule == .empty
        nullText = settings.nullText
        columns = schema.fields.map { CSVColumnBuilder(settings.type(of: $0.name)) }
    }

    /// Begins a batch, with room for `rows` rows.
    mutating func begin(_ rows: Int) {
        rowCount = 0
        byteCount = 0
        for index in columns.indices { columns[index].begin(rows) }
    }

    /// The batch of the rows since ``begin(_:)``.
    mutating func finish() -> RecordBatch {
        var finished: [Column] = []
        for index in columns.indices { finished.append(columns[index].finish(rowCount)) }
        return RecordBatch(schema, finished)
    }

    /// Appends a row of NULLs.
    mutating func appendNulls() {
        for index in columns.indices { columns[index].appendNull(rowCount) }
        rowCount += 1
    }

    /// Appends the scanner's record, which has a field for every column; what does not convert is NULL.
    ///
    /// - Returns: The first column of the schema whose value did not convert, or nil.
    mutating func append(_ scanner: CSVScanner) -> Int? {
        var failed: Int?
        for index in columns.indices {
            let field = scanner.fields[positions[index]]
            let start = scanner.recordStart &+ Int(field.start)
            let end = scanner.recordStart &+ Int(field.end)
            byteCount &+= end &- start &+ 4
            if isNull(scanner.window, start, end, field.isQuoted) {
                columns[index].appendNull(rowCount)
            } else if field.hasEscapes {
                let bytes = scanner.bytes(field)
                guard !columns[index].append(typed: bytes, 0..<bytes.count) else { continue }
                columns[index].appendNull(rowCount)
                failed = failed ?? index
            } else if columns[index].type == .text {
                columns[index].append(text: scanner.window, start..<end)
            } else if !columns[index].append(typed: scanner.window, start..<end) {
                columns[index].appendNull(rowCount)
                failed = failed ?? index
            }
        }
        rowCount &+= 1
        return failed
    }

    /// The position in a record of a column of the schema.
    func position(of column: Int) -> Int { positions[column] }

    /// The declared type of a column of the schema.
    func type(of column: Int) -> CSVType { columns[column].type }

    @inline(__always)
    private func isNull(_ window: [UInt8], _ start: Int, _ end: Int, _ isQuoted: Bool) -> Bool {
        if start == end { return isQuoted ? quotedEmptyIsNull : emptyIsNull || nullText == [] }
        guard let nullText, !isQuoted, end - start == nullText.count else { return false }
        return window[start..<end].elementsEqual(nullText)
    }
}
