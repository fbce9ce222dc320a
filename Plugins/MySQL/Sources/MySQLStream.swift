// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// The rows of one read, from a connection and a snapshot of its own.
final class MySQLStream: RecordStream {
    /// A column's bytes lie behind 32-bit offsets, and one value has up to 2³⁰ bytes.
    private static let batchBytesCeiling = 1 << 30

    let schema: Schema
    let openWriters: OpenWriters?
    private let query: MySQLQuery
    private let batch: BatchBuilder
    private let doing: String
    private let batchRowsMax: Int
    private let batchBytesMax: Int
    private let host: any HostServices
    private let breaker: MySQLSwitch
    private var session: MySQLSession?
    private var statement: MySQLStatement?
    private var hasStarted = false
    private var rowsLeft: Int64
    private var rowsRead: Int64 = 0

    /// Takes over a session that stands at the start of its snapshot.
    init(
        _ session: MySQLSession, _ query: MySQLQuery, _ relation: MySQLRelation, _ request: ReadRequest,
        _ host: any HostServices, openWriters: OpenWriters?
    ) throws(ConnectorError) {
        self.query = query
        self.openWriters = openWriters
        self.host = host
        doing = "Reading \(relation.label)"
        schema = relation.schema(try relation.positions(of: request.columns))
        batch = BatchBuilder(schema)
        batchRowsMax = max(1, request.batchRowsMax)
        batchBytesMax = min(max(1, request.batchBytesMax), Self.batchBytesCeiling)
        rowsLeft = max(0, request.rowsMax ?? .max)
        breaker = session.breaker
        statement = try session.prepare(query.sql, doing)
        self.session = session
        try checkColumns()
    }

    deinit { close() }

    func cancel() { breaker.turnOff() }

    func close() {
        // The session first: a statement that is closed on a living connection reads all its rows.
        session?.close()
        session = nil
        statement?.close()
        statement = nil
    }

    /// Whether the columns are still what the schema says.
    private func checkColumns() throws(ConnectorError) {
        let found = statement?.columns ?? []
        for (index, field) in schema.fields.enumerated() {
            let position = query.delivered[index]
            guard position < found.count, found[position].name.utf8.elementsEqual(field.name.utf8) || isRenamed else {
                throw changed("the column \(MySQLNames.quoted(field.name)) is gone", field.name)
            }
            let type = found[position].type
            // In a derived table MariaDB may forget that a text is JSON, and the width that makes a number a bool.
            let isForgotten = (field.type == .json && type == .text) || (field.type == .bool && type == .int64)
            guard type == field.type || isForgotten else {
                throw changed(
                    "the column \(MySQLNames.quoted(field.name)) was \(field.type.rawValue) and is now \(type.rawValue)",
                    field.name)
            }
        }
    }

    /// Whether the text gives the columns names of its own.
    private var isRenamed: Bool { query.sql.hasPrefix("WITH penstock_query") }

    private func changed(_ what: String, _ field: String) -> ConnectorError {
        ConnectorError(
            .schemaChanged, "\(doing) stopped: \(what); look at the sync's columns, then run again.", field: field)
    }

    func next() throws(ConnectorError) -> SourceBatch? {
        do throws(ConnectorError) {
            return try nextBatch()
        } catch {
            close()
            throw error
        }
    }

    private func nextBatch() throws(ConnectorError) -> SourceBatch? {
        if breaker.isOff || host.isCancelled { throw ConnectorError(.cancelled, "\(doing) was cancelled.") }
        guard let statement else { return nil }
        if !hasStarted { try start(statement) }
        let delivered = query.delivered
        var rejects: [SourceReject] = []
        var rows = 0
        while rows < batchRowsMax, rowsLeft > 0 {
            guard try statement.step() else {
                // The snapshot ends with the rows, not with the last batch.
                close()
                break
            }
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

    private func start(_ statement: MySQLStatement) throws(ConnectorError) {
        hasStarted = true
        do throws(ConnectorError) {
            try statement.execute()
        } catch {
            if error.code == .schemaChanged || error.code == .notFound { throw difference(error) }
            throw error
        }
        try checkColumns()
        try statement.prepareRows(Set(query.delivered))
    }

    /// The error of a table that was changed after it was described, with what changed.
    private func difference(_ error: ConnectorError) -> ConnectorError {
        guard let session else { return error }
        do throws(ConnectorError) {
            // The old snapshot does not see the table as it is now.
            try session.run("ROLLBACK", doing)
            statement?.close()
            statement = try session.prepare(query.sql, doing)
            try checkColumns()
            return changed("the table was changed in the moment of the snapshot", "")
        } catch {
            if error.code == .schemaChanged { return error }
            return ConnectorError(
                .schemaChanged, "\(doing) stopped, because it is not what it was: \(error.message)",
                field: error.field, vendorCode: error.vendorCode)
        }
    }

    /// Appends the row; what does not fit is NULL there, and the first such column is named.
    private func append(_ row: MySQLStatement, _ delivered: [Int], row number: Int) -> SourceReject? {
        var reject: SourceReject?
        for index in delivered.indices {
            let position = delivered[index]
            guard let fault = MySQLValues.append(row, position, to: batch[index]), reject == nil else { continue }
            let name = schema.fields[index].name
            reject = SourceReject(
                row: number, column: name, value: MySQLValues.shown(row, position),
                message: "Row \(rowsRead), column \(MySQLNames.quoted(name)): the value \(fault).")
        }
        return reject
    }
}
