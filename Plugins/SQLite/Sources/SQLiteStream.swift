// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// The rows of one read, from a connection and a snapshot of its own.
final class SQLiteStream: RecordStream {
    /// A column's bytes lie behind 32-bit offsets, and one value has up to 10⁹ bytes.
    private static let batchBytesCeiling = 1 << 30

    let schema: Schema
    private let query: SQLiteQuery
    private let batch: BatchBuilder
    private let batchRowsMax: Int
    private let batchBytesMax: Int
    private let cancellation: SQLiteCancellation
    private var database: SQLiteDatabase?
    private var statement: SQLiteStatement?
    private var rowsLeft: Int64
    private var rowsRead: Int64 = 0

    init(
        _ database: SQLiteDatabase, _ query: SQLiteQuery, _ schema: Schema, _ request: ReadRequest,
        _ cancellation: SQLiteCancellation
    ) throws(ConnectorError) {
        self.database = database
        self.query = query
        self.schema = schema
        batch = BatchBuilder(schema)
        self.cancellation = cancellation
        batchRowsMax = max(1, request.batchRowsMax)
        batchBytesMax = min(max(1, request.batchBytesMax), Self.batchBytesCeiling)
        rowsLeft = max(0, request.rowsMax ?? .max)
        statement = try database.prepare(query.sql, query.parameters)
    }

    deinit { close() }

    func cancel() { cancellation.request() }

    func close() {
        statement?.close()
        statement = nil
        database?.close()
        database = nil
    }

    func next() throws(ConnectorError) -> SourceBatch? {
        if cancellation.isRequested {
            close()
            throw ConnectorError(.cancelled, "The read was cancelled.")
        }
        guard let statement else { return nil }
        let delivered = query.delivered
        var rejects: [SourceReject] = []
        var rows = 0
        while rows < batchRowsMax, rowsLeft > 0 {
            guard try step(statement) else {
                // The snapshot ends with the rows, not with the last batch.
                close()
                break
            }
            if let filter = query.filter, !filter.admits(statement) { continue }
            rowsRead += 1
            rowsLeft -= 1
            if let reject = append(statement, delivered, row: rows) { rejects.append(reject) }
            rows += 1
            if batch.byteCount >= batchBytesMax { break }
        }
        if rowsLeft == 0 { close() }
        if rows == 0 { return nil }
        return SourceBatch(batch.finish(), rejects: rejects)
    }

    private func step(_ statement: SQLiteStatement) throws(ConnectorError) -> Bool {
        do throws(ConnectorError) {
            return try statement.step()
        } catch {
            close()
            throw error
        }
    }

    /// Appends the row; what does not fit is NULL there, and the first such column is named.
    private func append(_ row: SQLiteStatement, _ delivered: [Int], row number: Int) -> SourceReject? {
        var reject: SourceReject?
        for index in delivered.indices {
            let cell = row.cell(delivered[index])
            guard let fault = SQLiteValues.append(cell, to: batch[index]), reject == nil else { continue }
            let name = schema.fields[index].name
            reject = SourceReject(
                row: number, column: name, value: SQLiteValues.shown(cell),
                message: "Row \(rowsRead), column \(SQLiteNames.quoted(name)): the value \(fault).")
        }
        return reject
    }
}
