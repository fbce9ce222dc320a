// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// The SQL text of one request.
///
/// Rows are copied out in binary, which costs the least of all that the server offers, and `COPY` takes no
/// parameters. A lower limit is therefore written into the text: numbers, dates and times are written by us from
/// numbers, decimals are let through only where they are digits, and texts are quoted by libpq for the encoding of
/// the connection, in a transaction whose strings have no backslashes. Each literal has its type written at it.
struct PostgresQuery {
    /// The text, without the copy around it.
    private(set) var sql: String
    /// The columns of the relation that are delivered, in order.
    let delivered: [Int]

    /// The text for `request`.
    ///
    /// - Parameters:
    ///   - encoding: That of the database.
    ///   - literal: Makes an SQL literal of a text.
    /// - Throws: ``ConnectorError``: `notFound` for an unknown column, `badRequest` for a limit of another type.
    init(
        _ request: ReadRequest, _ relation: PostgresRelation, encoding: String, literal: (String) -> String?
    ) throws(ConnectorError) {
        delivered = try relation.positions(of: request.columns)
        let order = request.order.isEmpty ? [] : try relation.positions(of: request.order)
        let list = delivered.map { relation.columns[$0].type.selected(relation.columns[$0].sqlName) }
        sql = "SELECT \(list.joined(separator: ", ")) FROM \(relation.source)"
        if let bound = request.lowerBound {
            let column = relation.columns[try relation.position(of: bound.column)]
            let key = PostgresKey(column, column.sqlName, encoding: encoding)
            guard let condition = key.condition(bound, literal: literal) else {
                throw ConnectorError(
                    .badRequest,
                    "The column \(PostgresNames.quoted(column.name)) is read as \(column.type.type.rawValue), for which "
                        + "the lower limit of the type \(bound.value.type?.rawValue ?? "NULL") cannot be used.",
                    field: column.name)
            }
            // Without the first part, where it can be left out, the server can walk an index from the limit on.
            sql += " WHERE " + (column.isNullable ? "(\(column.sqlName) IS NULL OR \(condition))" : condition)
        }
        if !order.isEmpty {
            let keys = order.map { position in
                let column = relation.columns[position]
                return PostgresKey(column, column.sqlName, encoding: encoding).expression
            }
            sql += " ORDER BY " + keys.joined(separator: ", ")
        }
        if let rowsMax = request.rowsMax { sql += " LIMIT \(max(0, rowsMax))" }
    }
}
