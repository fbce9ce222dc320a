// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// What a database holds: its tables and views, and a query's columns.
struct SQLiteCatalog {
    /// A table or view by name.
    struct Entry: Hashable, Sendable {
        var name: String
        var kind: SQLiteRelation.Kind
        var isWithoutRowid: Bool
    }

    private let database: SQLiteDatabase

    init(_ database: SQLiteDatabase) { self.database = database }

    /// The tables and views, ordered by the bytes of their names; SQLite's own and those behind virtual tables left
    /// out.
    func entries() throws(ConnectorError) -> [Entry] {
        let statement = try database.prepare(
            "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow'",
            doing: "Listing the tables of")
        defer { statement.close() }
        var entries: [Entry] = []
        while try statement.step() {
            let name = statement.string(0)
            if SQLiteNames.isReserved(name) { continue }
            let kind: SQLiteRelation.Kind =
                switch statement.string(1) {
                case "view": .view
                case "virtual": .virtualTable
                default: .table
                }
            entries.append(Entry(name: name, kind: kind, isWithoutRowid: statement.integer(2) != 0))
        }
        return entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// The table or view of this name, compared as SQLite does where the exact spelling does not exist.
    ///
    /// - Throws: ``ConnectorError`` `notFound` with the names that exist.
    func entry(_ id: String, in entries: [Entry]) throws(ConnectorError) -> Entry {
        let names = entries.map(\.name)
        if let index = SQLiteNames.index(of: id, in: names) { return entries[index] }
        throw ConnectorError(
            .notFound,
            "There is no table or view \(SQLiteNames.quoted(id)) in \(database.path). "
                + SQLiteNames.advice(for: id, among: names),
            field: id)
    }

    /// A table or view with its columns and their types.
    ///
    /// - Throws: ``ConnectorError`` `notFound` for a view that reads something which is gone.
    func relation(_ entry: Entry) throws(ConnectorError) -> SQLiteRelation {
        var relation = try outline(entry)
        try relation.settleTypes(database)
        return relation
    }

    /// A table or view with its columns, their types not yet settled.
    func outline(_ entry: Entry) throws(ConnectorError) -> SQLiteRelation {
        var columns: [SQLiteRelation.Column] = []
        var keyed: [(order: Int64, name: String, declaration: String)] = []
        do throws(ConnectorError) {
            let statement = try database.prepare(
                "SELECT name, \"notnull\", pk, hidden, type FROM pragma_table_xinfo(?1, 'main') ORDER BY cid",
                [.text(entry.name)], doing: "Describing \(SQLiteNames.quoted(entry.name)) of")
            defer { statement.close() }
            // 1 marks what a virtual table hides; 2 and 3 are generated columns.
            while try statement.step() {
                if statement.integer(3) == 1 { continue }
                let name = statement.string(0)
                columns.append(
                    SQLiteRelation.Column(name: name, sqlName: name, isNullable: statement.integer(1) == 0))
                let order = statement.integer(2)
                if order > 0 { keyed.append((order, name, statement.string(4))) }
            }
        } catch {
            guard entry.kind == .view, error.code == .badData else { throw error }
            throw Self.brokenView(entry, error)
        }
        keyed.sort { $0.order < $1.order }
        if keyed.count == 1, try isRowid(keyed[0].declaration, entry) {
            for index in columns.indices where columns[index].name == keyed[0].name {
                columns[index].isNullable = false
            }
        }
        let list = columns.map { SQLiteNames.quoted($0.sqlName) }.joined(separator: ", ")
        let source = "main." + SQLiteNames.quoted(entry.name)
        return SQLiteRelation(
            kind: entry.kind, source: source, wholeText: "SELECT \(list) FROM \(source)", columns: columns,
            primaryKey: keyed.map(\.name))
    }

    private static func brokenView(_ entry: Entry, _ error: ConnectorError) -> ConnectorError {
        ConnectorError(
            .notFound, "The view \(SQLiteNames.quoted(entry.name)) cannot be read; \(error.message)",
            field: entry.name, vendorCode: error.vendorCode)
    }

    /// Whether the only column of a primary key is the row number itself, which is never NULL.
    ///
    /// It is not where the key has an index, which `INTEGER PRIMARY KEY DESC` has.
    private func isRowid(_ declaration: String, _ entry: Entry) throws(ConnectorError) -> Bool {
        guard entry.kind == .table, !entry.isWithoutRowid, SQLiteNames.areSame(declaration, "INTEGER") else {
            return false
        }
        let statement = try database.prepare(
            "SELECT count(*) FROM pragma_index_list(?1, 'main') WHERE origin = 'pk'", [.text(entry.name)])
        defer { statement.close() }
        return try statement.step() && statement.integer(0) == 0
    }

    /// About how many rows a table has, as the last ANALYZE counted; nil without one.
    func estimatedRows(_ entry: Entry) throws(ConnectorError) -> Int64? {
        let tables = try database.prepare("SELECT 1 FROM main.sqlite_schema WHERE name = 'sqlite_stat1'")
        defer { tables.close() }
        guard entry.kind == .table, try tables.step() else { return nil }
        let statement = try database.prepare(
            "SELECT stat FROM main.sqlite_stat1 WHERE tbl = ?1", [.text(entry.name)])
        defer { statement.close() }
        var rows: Int64?
        while try statement.step() {
            guard let first = statement.string(0).split(separator: " ").first, let count = Int64(first) else {
                continue
            }
            rows = max(rows ?? 0, count)
        }
        return rows
    }

    /// The result of a query, with its columns and their types.
    ///
    /// - Throws: ``ConnectorError`` `badRequest` for anything but one reading statement.
    func relation(query: String) throws(ConnectorError) -> SQLiteRelation {
        guard SQLiteQuery.isReading(query) else {
            throw ConnectorError(
                .badRequest, "The query does not begin with SELECT, WITH or VALUES; write one SELECT.")
        }
        database.setDoubleQuotedTexts(false)
        let statement = try database.prepareQuery(query)
        defer { statement.close() }
        let source = "(\n\(SQLiteQuery.body(statement.sql))\n)"
        let inner = try database.prepare("SELECT * FROM \(source)")
        defer { inner.close() }
        let columns = (0..<statement.columnCount).map { index in
            SQLiteRelation.Column(name: statement.name(index), sqlName: inner.name(index))
        }
        var relation = SQLiteRelation(kind: .query, source: source, wholeText: statement.sql, columns: columns)
        try relation.settleTypes(database)
        return relation
    }

    /// What a request reads.
    func relation(_ target: ReadRequest.Target) throws(ConnectorError) -> SQLiteRelation {
        switch target {
        case .object(let id): try relation(entry(id, in: entries()))
        case .query(let query): try relation(query: query)
        }
    }
}
