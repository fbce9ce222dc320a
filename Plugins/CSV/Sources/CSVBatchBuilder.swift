// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Collects records as the rows of a batch: only the columns asked for, each in its type.
struct CSVBatchBuilder {
    /// How many rows there are since the last ``finish()``.
    private(set) var rowCount = 0
    /// About how many bytes their values take.
    private(set) var byteCount = 0
    private let schema: Schema
    private let batch: BatchBuilder
    private let columns: [CSVCell]
    private let nulls: CSVNulls

    /// - Parameters:
    ///   - schema: The columns to collect.
    ///   - positions: For each of them the position of its field.
    init(_ schema: Schema, positions: [Int], _ settings: CSVSettings) {
        self.schema = schema
        batch = BatchBuilder(schema)
        nulls = CSVNulls(settings)
        columns = zip(schema.fields, positions).map { CSVCell(position: $1, type: settings.type(of: $0.name)) }
    }

    /// The batch of the rows since the last call.
    mutating func finish() -> RecordBatch {
        rowCount = 0
        byteCount = 0
        return batch.finish()
    }

    /// Appends a row of NULLs.
    mutating func appendNulls() {
        for index in columns.indices { batch[index].appendNull() }
        rowCount += 1
    }

    /// Appends the scanner's record, which has a field for every column; what does not convert is NULL.
    ///
    /// - Returns: The first column of the schema whose value did not convert, or nil.
    mutating func append(_ scanner: CSVScanner) -> Int? {
        var failed: Int?
        var size = 0
        scanner.withRecord { start, fields in
            for index in columns.indices {
                let cell = columns[index]
                let field = fields[cell.position]
                let first = Int(field.start)
                let count = Int(field.end) &- first
                size &+= count &+ 4
                if count == 0 ? nulls.isNull(field.isQuoted) : nulls.isNull(start + first, count, field.isQuoted) {
                    batch[index].appendNull()
                } else if !cell.append(start + first, count, scanner, field, to: batch[index]) {
                    batch[index].appendNull()
                    failed = failed ?? index
                }
            }
        }
        byteCount &+= size
        rowCount &+= 1
        return failed
    }

    /// The position in a record of a column of the schema.
    func position(of column: Int) -> Int { columns[column].position }

    /// The declared type of a column of the schema.
    func type(of column: Int) -> CSVType { columns[column].type }
}
