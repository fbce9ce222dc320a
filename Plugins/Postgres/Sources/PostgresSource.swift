// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// A database.
///
/// Between two calls nothing is open; every read has a connection and a snapshot of its own.
final class PostgresSource: Source {
    /// What a schema was asked for.
    private struct Question: Hashable {
        var target: ReadRequest.Target
        var columns: [String]
    }

    private let settings: PostgresSettings
    private let host: any HostServices
    /// What was said of the columns last, so that a read notices that they are others now.
    private var described: [Question: Schema] = [:]
    private var hasSaidBlind = false

    init(_ settings: PostgresSettings, _ host: any HostServices) {
        self.settings = settings
        self.host = host
    }

    func close() {}

    func check() throws(ConnectorError) -> CheckReport {
        try PostgresCheck(settings, host).report()
    }

    func discover(_ ids: [String]) throws(ConnectorError) -> Catalog {
        try withCatalog { (catalog) throws(ConnectorError) in
            let entries = try catalog.entries()
            var objects: [CatalogObject] = []
            for entry in entries where ids.isEmpty && entry.isReadable && !entry.isPartition {
                objects.append(
                    CatalogObject(entry.id, entry.kind, estimatedRows: entry.estimatedRows, detail: entry.detail))
            }
            for id in ids {
                var object = try catalog.object(catalog.entry(id, in: entries))
                object.id = id
                objects.append(object)
            }
            return Catalog(objects)
        }
    }

    func describe(_ request: ReadRequest) throws(ConnectorError) -> Schema {
        let schema = try withCatalog { (catalog) throws(ConnectorError) in
            let relation = try catalog.relation(request.target)
            let query = try Self.query(request, relation, catalog.connection)
            try Self.plan(query, relation, catalog.connection)
            return relation.schema(query.delivered)
        }
        described[Question(target: request.target, columns: request.columns)] = schema
        return schema
    }

    func read(_ request: ReadRequest) throws(ConnectorError) -> any RecordStream {
        let connection = try PostgresConnection.open(settings, PostgresCancellation(host))
        do throws(ConnectorError) {
            let writers = request.needsOpenWriters ? try PostgresWriters(connection) : nil
            let wasWritten = try connection.begin()
            let openWriters = writers?.openWriters(wasWritten)
            if let writers { sayBlind(writers) }
            let question = Question(target: request.target, columns: request.columns)
            let catalog = PostgresCatalog(connection)
            let relation: PostgresRelation
            let query: PostgresQuery
            do throws(ConnectorError) {
                relation = try catalog.relation(request.target)
                query = try Self.query(request, relation, connection)
            } catch {
                guard error.code == .notFound, let before = described[question] else { throw error }
                throw Self.gone(error, before)
            }
            let schema = relation.schema(query.delivered)
            if let before = described[question] { try Self.compare(before, schema, relation.label) }
            described[question] = schema
            let doing = "Reading \(relation.label)"
            try Self.plan(query, relation, connection)
            try connection.sendCopy(query.sql, doing: doing)
            return PostgresStream(
                connection, schema, query.delivered.map { relation.columns[$0].type.wire }, request,
                openWriters: openWriters, doing: doing)
        } catch {
            connection.close()
            throw error
        }
    }

    private func withCatalog<R>(
        _ body: (PostgresCatalog) throws(ConnectorError) -> R
    ) throws(ConnectorError) -> R {
        let connection = try PostgresConnection.open(settings, PostgresCancellation(host))
        defer { connection.close() }
        try connection.begin()
        return try body(PostgresCatalog(connection))
    }

    private static func query(
        _ request: ReadRequest, _ relation: PostgresRelation, _ connection: PostgresConnection
    ) throws(ConnectorError) -> PostgresQuery {
        try PostgresQuery(
            request, relation, encoding: connection.handle.parameter("server_encoding"),
            literal: { connection.handle.literal($0) })
    }

    /// Has the statement planned, so that what reading would refuse is refused now: rights, clauses, limits.
    private static func plan(
        _ query: PostgresQuery, _ relation: PostgresRelation, _ connection: PostgresConnection
    ) throws(ConnectorError) {
        try connection.run(
            "EXPLAIN \(query.sql)", doing: "Preparing \(relation.label)",
            statementFault: relation.isQuery ? .badRequest : .badData)
    }

    /// Says once that the watermark cannot be kept behind transactions that are not seen.
    private func sayBlind(_ writers: PostgresWriters) {
        guard writers.isBlind, !hasSaidBlind else { return }
        hasSaidBlind = true
        host.log(
            .info,
            "open transactions of other roles are not visible; grant pg_read_all_stats to the role, or set a lookback "
                + "longer than the longest transaction", [:])
    }

    // MARK: - Columns that have changed

    private static func gone(_ error: ConnectorError, _ before: Schema) -> ConnectorError {
        ConnectorError(
            .schemaChanged, "What is read has changed since it was described: \(error.message)", detail: error.detail,
            field: error.field, vendorCode: error.vendorCode)
    }

    /// Holds the columns to what was said of them before.
    ///
    /// - Throws: ``ConnectorError`` `schemaChanged` with the first difference.
    private static func compare(_ before: Schema, _ now: Schema, _ label: String) throws(ConnectorError) {
        func changed(_ what: String, _ column: String) -> ConnectorError {
            ConnectorError(
                .schemaChanged,
                "The columns of \(label) have changed since they were described: \(what); check the sync and run it "
                    + "again.", field: column)
        }
        for field in before.fields {
            guard let index = now.index(of: field.name) else {
                throw changed("column \(PostgresNames.quoted(field.name)) is gone", field.name)
            }
            let found = now.fields[index]
            guard found.type == field.type else {
                throw changed(
                    "column \(PostgresNames.quoted(field.name)) was \(field.nativeType) and is \(found.nativeType)",
                    field.name)
            }
        }
        for field in now.fields where before.index(of: field.name) == nil {
            throw changed("column \(PostgresNames.quoted(field.name)) is new", field.name)
        }
        guard before.fields.map(\.name) == now.fields.map(\.name) else {
            throw changed("they stand in another order", "")
        }
    }
}
