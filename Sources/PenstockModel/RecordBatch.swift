// SPDX-License-Identifier: Apache-2.0

/// Some rows of a stream, as columns of equal length.
public struct RecordBatch: Sendable, Hashable {
    /// The columns' names and types; ``columns`` has the same order.
    public let schema: Schema
    /// The values, one column per field of ``schema``.
    public private(set) var columns: [Column]

    /// An empty batch.
    ///
    /// - Parameter capacity: Rows to make room for.
    public init(_ schema: Schema, capacity: Int = 0) {
        self.schema = schema
        columns = schema.fields.map { Column($0.type, capacity: capacity) }
    }

    /// A batch of finished columns.
    ///
    /// - Precondition: One column per field, of the field's type, all of the same length.
    public init(_ schema: Schema, _ columns: [Column]) {
        precondition(columns.count == schema.fields.count, "one column per field")
        self.schema = schema
        self.columns = columns
    }

    /// How many rows there are.
    public var rowCount: Int { columns.first?.count ?? 0 }

    /// Lends column `index` to `body` for appending; every column must have got the same rows in the end.
    public mutating func withColumn(_ index: Int, _ body: (inout Column) -> Void) { body(&columns[index]) }

    /// Appends one row; `row` has one value per field, each NULL or of the field's type.
    public mutating func append(_ row: [Value]) {
        precondition(row.count == columns.count, "one value per column")
        for index in columns.indices { columns[index].append(row[index]) }
    }

    /// The digest of each row over some of its columns, in the order given; all where none are named.
    ///
    /// The same as a ``FingerprintHasher`` that is given the row's cells one by one.
    public func fingerprints(of places: [Int]? = nil) -> [Fingerprint] {
        withPointers(of: places) { RowDigests.whole($0, rows: rowCount) }
    }

    /// The value in row `row` of column `column`.
    public func value(_ row: Int, _ column: Int) -> Value { columns[column].value(row) }
}
