// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// A table, view or query with the columns that it delivers.
struct SQLiteRelation {
    /// What it is.
    enum Kind: Hashable, Sendable {
        case table
        case view
        /// A table whose rows are made by a module, for example a full-text index.
        case virtualTable
        case query
    }

    /// One column.
    struct Column: Hashable, Sendable {
        /// The name that is delivered.
        var name: String
        /// The name by which the column is reached in SQL; differs where a query repeats a name.
        var sqlName: String
        /// What it was declared as; may be empty.
        var declaration = ""
        /// The type of what is delivered.
        var type = DataType.text
        /// Whether NULL may occur.
        var isNullable = true
    }

    /// What it is.
    var kind: Kind
    /// The SQL text after FROM: a quoted name, or the query in parentheses.
    var source: String
    /// The SQL text that reads every column.
    var wholeText: String
    /// The columns, in order.
    var columns: [Column]
    /// The columns of the primary key, in order.
    var primaryKey: [String] = []

    /// The positions of these columns; all of them where `names` is empty.
    ///
    /// - Throws: ``ConnectorError`` `notFound`.
    func positions(of names: [String]) throws(ConnectorError) -> [Int] {
        if names.isEmpty { return Array(columns.indices) }
        var positions: [Int] = []
        for name in names { positions.append(try position(of: name)) }
        return positions
    }

    /// The position of a column, by its exact name.
    ///
    /// - Throws: ``ConnectorError`` `notFound` with the names that exist.
    func position(of name: String) throws(ConnectorError) -> Int {
        if let position = columns.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) { return position }
        let advice = SQLiteNames.advice(for: name, among: columns.map(\.name))
        throw ConnectorError(
            .notFound, "There is no column \(SQLiteNames.quoted(name)) in \(label). \(advice)", field: name)
    }

    /// Whether SQLite keeps nothing but texts and blobs in a column; only a table promises it.
    func holdsTextOnly(_ position: Int) -> Bool {
        kind == .table && SQLiteTypes.hasTextAffinity(columns[position].declaration)
    }

    /// How messages name it.
    var label: String { kind == .query ? "the query" : source }

    /// The columns at `positions`, as a schema.
    func schema(_ positions: [Int]) -> Schema {
        Schema(
            positions.map { position in
                let column = columns[position]
                return Schema.Field(
                    column.name, column.type, isNullable: column.isNullable, nativeType: column.declaration)
            })
    }

    /// Settles every column's type from its declaration and, where that is not enough, from the first rows.
    mutating func settleTypes(_ database: SQLiteDatabase) throws(ConnectorError) {
        let statement = try database.prepare(wholeText)
        defer { statement.close() }
        var undecided: [Int] = []
        for index in columns.indices {
            columns[index].declaration = statement.declaration(index)
            let declared = SQLiteTypes.declared(columns[index].declaration)
            columns[index].type = SQLiteTypes.settled(declared, [])
            if SQLiteTypes.needsSample(declared) { undecided.append(index) }
        }
        if undecided.isEmpty { return }
        var samples = [SQLiteSample](repeating: [], count: undecided.count)
        var rows = 0
        while rows < SQLiteTypes.sampleRows, try statement.step() {
            for (slot, index) in undecided.enumerated() { samples[slot].formUnion(Self.sample(statement, index)) }
            rows += 1
        }
        for (slot, index) in undecided.enumerated() {
            let declared = SQLiteTypes.declared(columns[index].declaration)
            columns[index].type = SQLiteTypes.settled(declared, samples[slot])
        }
    }

    private static func sample(_ row: SQLiteStatement, _ column: Int) -> SQLiteSample {
        switch row.storage(column) {
        case .null: return []
        case .integer: return .integer
        case .real: return .real
        case .blob: return .blob
        case .text:
            guard let moment = row.withBytes(column, { SQLiteTime.moment($0.span) }) else { return .text }
            return moment.isZoned ? [.text, .zoned] : [.text, .unzoned]
        }
    }
}
