// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// A table, view or query with the columns that it delivers.
struct PostgresRelation {
    /// One column.
    struct Column: Hashable, Sendable {
        /// The name that is delivered.
        var name: String
        /// The name by which the column is reached in SQL; differs in a query, which may repeat names.
        var sqlName: String
        /// The server's name of the type, for example `character varying(40)`.
        var nativeType: String
        /// The number of the type, domains followed to their base.
        var native: UInt32
        /// How it is read and compared.
        var type: PostgresType
        /// Whether NULL may occur.
        var isNullable: Bool
    }

    /// How messages name it.
    var label: String
    /// The SQL text after FROM, which names the relation `q`.
    var source: String
    /// The columns, in order.
    var columns: [Column]
    /// Whether it is a query that somebody else wrote.
    var isQuery = false

    /// The positions of these columns; all of them where `names` is empty.
    ///
    /// - Throws: ``ConnectorError``: `notFound`, `badRequest`.
    func positions(of names: [String]) throws(ConnectorError) -> [Int] {
        if names.isEmpty { return Array(columns.indices) }
        var positions: [Int] = []
        for name in names { positions.append(try position(of: name)) }
        return positions
    }

    /// The position of a column, by its exact name.
    ///
    /// - Throws: ``ConnectorError``: `notFound` with the names that exist, `badRequest` for a name that cannot be.
    func position(of name: String) throws(ConnectorError) -> Int {
        if let position = columns.firstIndex(where: { PostgresNames.areSame($0.name, name) }) { return position }
        try PostgresNames.check(name)
        let advice = PostgresNames.advice(for: name, among: columns.map(\.name))
        throw ConnectorError(
            .notFound, "There is no column \(PostgresNames.quoted(name)) in \(label). \(advice)", field: name)
    }

    /// The columns at `positions`, as a schema.
    func schema(_ positions: [Int]) -> Schema {
        Schema(
            positions.map { position in
                let column = columns[position]
                return Schema.Field(
                    column.name, column.type.type, isNullable: column.isNullable, nativeType: column.nativeType)
            })
    }
}
