// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// What a server holds: its tables and views, and a query's columns.
struct MySQLCatalog {
    /// A table or view by name.
    struct Entry: Hashable, Sendable {
        var schema: String
        var name: String
        var isView: Bool
        /// About how many rows there are, as the server guesses.
        var estimatedRows: Int64?
        /// What else there is to say, for example `partitioned table`.
        var detail: String

        var id: String { MySQLNames.id(schema, name) }
        var source: String { "\(MySQLNames.quoted(schema)).\(MySQLNames.quoted(name))" }
    }

    private let session: MySQLSession

    init(_ session: MySQLSession) { self.session = session }

    private static let selectEntries = """
        SELECT table_schema, table_name, table_type, table_rows, create_options, engine FROM information_schema.tables
        """
    private static let ownSchemas = "('information_schema', 'performance_schema', 'mysql', 'sys')"

    /// The tables and views of every database that the user may see, ordered by the bytes of their ids.
    func entries() throws(ConnectorError) -> [Entry] {
        // Without row counts, for which the server would have to ask the engine about every table.
        let rows = try session.rows(
            "SELECT table_schema, table_name, table_type, NULL, create_options, engine FROM information_schema.tables "
                + "WHERE table_schema NOT IN \(Self.ownSchemas)", "Listing the tables")
        return rows.compactMap(Self.entry).sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
    }

    private static func entry(_ row: [String?]) -> Entry? {
        guard row.count == 6, let schema = row[0], let name = row[1], let type = row[2] else { return nil }
        let isView = type == "VIEW"
        guard isView || type == "BASE TABLE" || type == "SYSTEM VERSIONED" else { return nil }
        var words: [String] = []
        if row[4]?.contains("partitioned") == true { words.append("partitioned table") }
        if type == "SYSTEM VERSIONED" { words.append("system-versioned table") }
        if let engine = row[5], engine != "InnoDB" { words.append("engine \(engine)") }
        return Entry(
            schema: schema, name: name, isView: isView, estimatedRows: isView ? nil : row[3].flatMap { Int64($0) },
            detail: words.joined(separator: ", "))
    }

    /// The connection's database; nil without one.
    func database() throws(ConnectorError) -> String? {
        try session.rows("SELECT DATABASE()", "Asking for the database").first?[0]
    }

    /// The table or view of this id.
    ///
    /// - Throws: ``ConnectorError`` `notFound` with the ids that exist.
    func entry(_ id: String) throws(ConnectorError) -> Entry {
        let database = try database()
        for meaning in try MySQLNames.meanings(of: id) {
            guard let schema = meaning.schema ?? database else { continue }
            if let entry = try entry(schema: schema, table: meaning.table) { return entry }
        }
        let entries = try entries()
        var names = entries.map(\.id)
        if !id.contains("."), let database {
            // Somebody who wrote no database meant one of the connection's own.
            names = entries.filter { $0.schema == database }.map(\.name) + names
        }
        throw ConnectorError(
            .notFound,
            "There is no table or view \(MySQLNames.quoted(id)) on \(session.settings.address), or this user may not read "
                + "it. " + MySQLNames.advice(for: id, among: names), field: id)
    }

    private func entry(schema: String, table: String) throws(ConnectorError) -> Entry? {
        let rows = try session.rows(
            "\(Self.selectEntries) WHERE table_schema = \(MySQLNames.literal(schema)) "
                + "AND table_name = \(MySQLNames.literal(table))", "Looking for the table")
        let found = rows.compactMap(Self.entry)
        if let exact = found.first(where: { $0.schema == schema && $0.name == table }) { return exact }
        // The comparison above folds case; whether names do is the server's rule.
        let folding = try session.rows("SELECT @@lower_case_table_names", "Looking for the table")
        return folding.first?[0] == "0" ? nil : found.first
    }

    /// A table or view with its columns and their types.
    ///
    /// - Throws: ``ConnectorError`` `notFound` for a view that reads something which is gone, `forbidden`.
    func relation(_ entry: Entry) throws(ConnectorError) -> MySQLRelation {
        let doing = "Describing \(entry.source)"
        let rows = try session.rows(
            "SELECT column_name, column_type, is_nullable, collation_name FROM information_schema.columns "
                + "WHERE table_schema = \(MySQLNames.literal(entry.schema)) "
                + "AND table_name = \(MySQLNames.literal(entry.name)) ORDER BY ordinal_position", doing)
        let names = rows.compactMap { $0[0] }
        let list = names.isEmpty ? "*" : names.map(MySQLNames.quoted).joined(separator: ", ")
        let statement = try session.prepare("SELECT \(list) FROM \(entry.source)", doing)
        defer { statement.close() }
        let columns = statement.columns.enumerated().map { index, field in
            var column = Self.column(field)
            guard index < rows.count else { return column }
            column.nativeType = rows[index][1] ?? column.nativeType
            column.isNullable = entry.isView || rows[index][2] != "NO"
            column.comparesBytes = rows[index][3].map(Self.comparesBytes) ?? false
            return column
        }
        return MySQLRelation(label: entry.source, source: entry.source, columns: columns)
    }

    private static func column(_ field: MySQLField) -> MySQLRelation.Column {
        MySQLRelation.Column(
            name: field.name, type: field.type,
            nativeType: field.isUnsigned && field.typeName != "year" ? field.typeName + " unsigned" : field.typeName,
            isNullable: !field.isNotNull, isFloat: field.wire == .float, bytesMax: field.length)
    }

    /// Collations without padding that compare code points, which is the order of UTF-8 bytes.
    private static func comparesBytes(_ collation: String) -> Bool {
        ["utf8mb4_nopad_bin", "utf8mb3_nopad_bin", "utf8_nopad_bin", "utf8mb4_0900_bin", "ascii_nopad_bin"]
            .contains(collation)
    }

    /// The result of a query, with its columns and their types.
    ///
    /// - Throws: ``ConnectorError`` `badRequest` for anything but one reading statement.
    func relation(query: String) throws(ConnectorError) -> MySQLRelation {
        let text = try MySQLQueryText.body(query)
        let statement = try session.prepare(text, "Preparing the query", statementFault: .badRequest)
        defer { statement.close() }
        if statement.columns.isEmpty {
            throw ConnectorError(.badRequest, "The query returns no columns; write a SELECT.")
        }
        if statement.hasParameters {
            throw ConnectorError(
                .badRequest, "The query has a parameter, for which there is no value; write the value there.")
        }
        return MySQLRelation(
            label: "the query", source: "(\n\(text)\n)", query: text, columns: statement.columns.map(Self.column))
    }

    /// What a request reads.
    func relation(_ target: ReadRequest.Target) throws(ConnectorError) -> MySQLRelation {
        switch target {
        case .object(let id): try relation(entry(id))
        case .query(let query): try relation(query: query)
        }
    }

    /// An index, as far as it tells rows apart or finds them.
    struct Index: Hashable, Sendable {
        var name: String
        var isUnique: Bool
        var columns: [String] = []
        /// Whether it is over whole columns that are never NULL.
        var isKey = true
    }

    /// The indexes of a table, the primary key first.
    func indexes(_ entry: Entry) throws(ConnectorError) -> [Index] {
        if entry.isView { return [] }
        let rows = try session.rows(
            "SELECT index_name, non_unique, column_name, sub_part, nullable FROM information_schema.statistics "
                + "WHERE table_schema = \(MySQLNames.literal(entry.schema)) "
                + "AND table_name = \(MySQLNames.literal(entry.name)) "
                + "ORDER BY index_name <> 'PRIMARY', index_name, seq_in_index", "Describing \(entry.source)")
        var indexes: [Index] = []
        for row in rows {
            guard let name = row[0] else { continue }
            if indexes.last?.name != name { indexes.append(Index(name: name, isUnique: row[1] == "0")) }
            let last = indexes.count - 1
            // An index over an expression names no column.
            indexes[last].columns.append(row[2] ?? "")
            if row[2] == nil || row[3] != nil || row[4] == "YES" { indexes[last].isKey = false }
        }
        return indexes
    }

    /// The columns that tell rows apart: the primary key, else a unique index without NULLs.
    static func key(_ indexes: [Index]) -> [String] { indexes.first { $0.isUnique && $0.isKey }?.columns ?? [] }
}
