// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// A table, view or query with the columns that it delivers.
struct MySQLRelation {
    /// One column.
    struct Column: Hashable, Sendable {
        /// The name that is delivered.
        var name: String
        /// The type of what is delivered.
        var type: DataType
        /// What it was declared as, for example `varchar(40)`.
        var nativeType: String
        /// Whether NULL may occur.
        var isNullable: Bool
        /// Whether the server already compares its texts byte for byte, as UTF-8.
        var comparesBytes = false
        /// Whether the values are floats of 32 bits.
        var isFloat = false
        /// The most bytes that a value has.
        var bytesMax = 0
    }

    /// How messages name it.
    var label: String
    /// The SQL text after FROM: a quoted name, or the query in parentheses.
    var source: String
    /// The query itself; nil for a table or view.
    var query: String?
    /// The columns, in order.
    var columns: [Column]

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
        let advice = MySQLNames.advice(for: name, among: columns.map { MySQLNames.quoted($0.name) })
        throw ConnectorError(
            .notFound, "There is no column \(MySQLNames.quoted(name)) in \(label). \(advice)", field: name)
    }

    /// The columns at `positions`, as a schema.
    func schema(_ positions: [Int]) -> Schema {
        Schema(
            positions.map { position in
                let column = columns[position]
                return Schema.Field(
                    column.name, column.type, isNullable: column.isNullable, nativeType: column.nativeType)
            })
    }
}
