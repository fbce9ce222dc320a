// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// What a database holds: its tables and views, and a query's columns.
///
/// Looks through a connection whose transaction has begun.
struct PostgresCatalog {
    /// A table or view by name.
    struct Entry: Hashable, Sendable {
        var number: UInt32
        var schema: String
        var name: String
        /// The name to read it by: as SQL writes it, quoted where it must be.
        var id: String
        /// `pg_class.relkind`.
        var sort: String
        /// Whether the bare name finds it on the search path.
        var isVisible: Bool
        var isPartition: Bool
        var isReadable: Bool
        var estimatedRows: Int64?

        /// What it is.
        var kind: CatalogObject.Kind { sort == "v" || sort == "m" ? .view : .table }

        /// The server's word where the kind is too coarse.
        var detail: String {
            switch sort {
            case "m": "materialized view"
            case "p": "partitioned table"
            case "f": "foreign table"
            default: isPartition ? "partition" : ""
            }
        }

        /// The name in SQL.
        var sql: String { PostgresNames.quoted(schema) + "." + PostgresNames.quoted(name) }
    }

    let connection: PostgresConnection

    init(_ connection: PostgresConnection) { self.connection = connection }

    /// The tables and views outside the server's own schemas, ordered by the bytes of their names.
    func entries() throws(ConnectorError) -> [Entry] {
        let answer = try connection.run(
            """
            SELECT c.oid, n.nspname, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relkind,
                pg_table_is_visible(c.oid), c.relispartition,
                has_schema_privilege(n.oid, 'USAGE') AND (has_table_privilege(c.oid, 'SELECT')
                    OR has_any_column_privilege(c.oid, 'SELECT')),
                CASE WHEN c.relkind IN ('r', 'm', 'p', 'f') AND (c.reltuples > 0 OR c.relpages > 0
                    OR c.reltuples = 0 AND current_setting('server_version_num')::int >= 140000)
                    AND c.reltuples >= 0 THEN c.reltuples::int8 END
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname <> 'information_schema'
                AND n.nspname !~ '^pg_'
            ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
            """, doing: "Listing the tables")
        return (0..<answer.rowCount).map { row in
            Entry(
                number: UInt32(answer.text(row, 0) ?? "") ?? 0, schema: answer.text(row, 1) ?? "",
                name: answer.text(row, 2) ?? "", id: answer.text(row, 3) ?? "", sort: answer.text(row, 4) ?? "",
                isVisible: answer.flag(row, 5), isPartition: answer.flag(row, 6), isReadable: answer.flag(row, 7),
                estimatedRows: answer.integer(row, 8))
        }
    }

    /// The table or view of this name: as it is listed, as it is spelled in the catalog with or without its schema,
    /// or as SQL reads the name.
    ///
    /// - Throws: ``ConnectorError``: `notFound` with the names that exist, `badRequest` where two are meant.
    func entry(_ id: String, in entries: [Entry]) throws(ConnectorError) -> Entry {
        try PostgresNames.check(id)
        let parts = PostgresNames.parts(id) ?? []
        let rules: [(Entry) -> Bool] = [
            { PostgresNames.areSame($0.id, id) },
            { PostgresNames.areSame($0.schema + "." + $0.name, id) },
            {
                parts.count == 2 && PostgresNames.areSame($0.schema, parts[0])
                    && PostgresNames.areSame($0.name, parts[1])
            },
            { $0.isVisible && PostgresNames.areSame($0.name, id) },
            { $0.isVisible && parts.count == 1 && PostgresNames.areSame($0.name, parts[0]) },
        ]
        for rule in rules {
            let found = entries.filter(rule)
            if found.count == 1 { return found[0] }
            if found.count > 1 {
                throw ConnectorError(
                    .badRequest,
                    "The name \(id) fits \(found.map(\.id).joined(separator: " and ")); write it with its quotes.",
                    field: id)
            }
        }
        throw ConnectorError(
            .notFound,
            "There is no table or view \(id) in the database \(connection.handle.database). "
                + PostgresNames.advice(
                    for: id, among: entries.filter { $0.isReadable && !$0.isPartition }.map(\.id)),
            field: id)
    }

    /// What a request reads.
    ///
    /// Afterwards nobody changes its columns until the transaction ends.
    func relation(_ target: ReadRequest.Target) throws(ConnectorError) -> PostgresRelation {
        switch target {
        case .object(let id): try relation(entry(id, in: entries()))
        case .query(let query): try relation(query: query)
        }
    }

    /// A table or view with its columns.
    ///
    /// - Throws: ``ConnectorError``: `forbidden`, `notFound` for a view that reads something which is gone.
    func relation(_ entry: Entry) throws(ConnectorError) -> PostgresRelation {
        guard entry.isReadable else {
            let role = PostgresNames.quoted(connection.handle.user)
            throw ConnectorError(
                .forbidden,
                "The role may not read \(entry.id); run: GRANT USAGE ON SCHEMA \(PostgresNames.quoted(entry.schema)) "
                    + "TO \(role); GRANT SELECT ON \(entry.sql) TO \(role);",
                field: entry.id, vendorCode: "42501")
        }
        // Preparing locks the columns against changes for as long as the transaction lasts.
        _ = try connection.prepare(
            "SELECT * FROM \(entry.sql)", doing: "Describing \(entry.id)", statementFault: .badData)
        let answer = try connection.run(
            """
            SELECT attname, atttypid, atttypmod, attnotnull FROM pg_attribute
            WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped
                AND has_column_privilege(attrelid, attnum, 'SELECT') ORDER BY attnum
            """, ["\(entry.number)"], doing: "Describing \(entry.id)")
        let rows = 0..<answer.rowCount
        let natives = try natives(rows.map { (answer.text($0, 1) ?? "0", answer.text($0, 2) ?? "-1") })
        let columns = rows.map { row in
            let name = answer.text(row, 0) ?? ""
            return PostgresRelation.Column(
                name: name, sqlName: "q." + PostgresNames.quoted(name), nativeType: natives[row].name,
                native: natives[row].native.number, type: PostgresType(natives[row].native),
                isNullable: !answer.flag(row, 3))
        }
        guard !columns.isEmpty else {
            throw ConnectorError(
                .badRequest, "\(entry.id) has no columns, so there is nothing to read.", field: entry.id)
        }
        return PostgresRelation(label: entry.id, source: "\(entry.sql) AS q", columns: columns)
    }

    /// The result of a query, with its columns and their types.
    ///
    /// - Throws: ``ConnectorError`` `badRequest` for anything but one reading statement.
    func relation(query: String) throws(ConnectorError) -> PostgresRelation {
        let text = try PostgresQueryText(query)
        let answer = try connection.prepare(text.body, doing: "Preparing the query", statementFault: .badRequest)
        if answer.parameterCount > 0 {
            throw ConnectorError(
                .badRequest, "The query has a parameter, for which there is no value; write the value there.")
        }
        if connection.handle.hasCutName {
            throw ConnectorError(
                .badRequest,
                "The query has a name longer than \(PostgresNames.bytesMax) bytes, of which PostgreSQL would silently "
                    + "cut the rest; shorten it.", vendorCode: "42622")
        }
        let positions = 0..<answer.columnCount
        guard !positions.isEmpty else {
            throw ConnectorError(.badRequest, "The query returns no columns; write a SELECT.")
        }
        let natives = try natives(positions.map { ("\(answer.type($0))", "\(answer.modifier($0))") })
        let columns = positions.map { position in
            PostgresRelation.Column(
                name: answer.name(position), sqlName: "q.c\(position + 1)", nativeType: natives[position].name,
                native: natives[position].native.number, type: PostgresType(natives[position].native),
                isNullable: true)
        }
        // The columns get names of ours, because a query may repeat its own.
        let names = positions.map { "c\($0 + 1)" }.joined(separator: ", ")
        return PostgresRelation(
            label: "the query", source: "(\n\(text.body)\n) AS q(\(names))", columns: columns, isQuery: true)
    }

    /// What stands behind the types of columns, in their order.
    private func natives(
        _ types: [(number: String, modifier: String)]
    ) throws(ConnectorError) -> [(name: String, native: PostgresNative)] {
        let answer = try connection.run(
            """
            WITH RECURSIVE base(place, number, modifier, origin) AS (
                SELECT place, number, modifier, number
                FROM unnest($1::oid[], $2::int4[]) WITH ORDINALITY AS t(number, modifier, place)
                UNION ALL
                SELECT b.place, t.typbasetype, b.modifier, b.origin
                FROM base b JOIN pg_type t ON t.oid = b.number WHERE t.typtype = 'd')
            SELECT format_type(b.origin, b.modifier), t.oid, t.typtype, t.typcategory
            FROM base b JOIN pg_type t ON t.oid = b.number WHERE t.typtype <> 'd' ORDER BY b.place
            """,
            [
                "{" + types.map(\.number).joined(separator: ",") + "}",
                "{" + types.map(\.modifier).joined(separator: ",") + "}",
            ])
        guard answer.rowCount == types.count else {
            throw ConnectorError(.internalFault, "The server does not know the types of its own columns.")
        }
        return (0..<answer.rowCount).map { row in
            (
                answer.text(row, 0) ?? "",
                PostgresNative(
                    number: UInt32(answer.text(row, 1) ?? "") ?? 0, sort: answer.text(row, 2) ?? "",
                    category: answer.text(row, 3) ?? "")
            )
        }
    }
}
