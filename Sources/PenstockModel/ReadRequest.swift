// SPDX-License-Identifier: Apache-2.0

/// What to read from a source.
public struct ReadRequest: Sendable, Hashable {
    /// A named object, or a query in the source's own language.
    public enum Target: Sendable, Hashable {
        /// A table, view or file, by its ``CatalogObject/id``.
        case object(String)
        /// A `SELECT`; needs ``Capabilities/query``.
        case query(String)
    }

    /// A lower limit for one column.
    ///
    /// Rows whose value is NULL are always read; the host decides about them.
    public struct LowerBound: Sendable, Hashable {
        /// The column.
        public var column: String
        /// The limit, of the column's type; never NULL.
        public var value: Value
        /// Whether rows with exactly this value are read.
        public var isInclusive: Bool

        /// A lower limit.
        public init(column: String, value: Value, isInclusive: Bool) {
            self.column = column
            self.value = value
            self.isInclusive = isInclusive
        }
    }

    /// What to read.
    public var target: Target
    /// The columns to read, in this order; empty for all.
    public var columns: [String]
    /// The columns to order by, ascending; needs ``Capabilities/order``.
    public var order: [String]
    /// A lower limit; needs ``Capabilities/lowerBound``.
    public var lowerBound: LowerBound?
    /// The most rows that a batch may have.
    public var batchRowsMax: Int
    /// About how many bytes a batch may have.
    public var batchBytesMax: Int
    /// The most rows to read at all, or nil.
    public var rowsMax: Int64?
    /// Whether ``RecordStream/openWriters`` is looked at: where it is not, a source that must ask or wait for it does
    /// not.
    public var needsOpenWriters: Bool

    /// A request for a whole object or query, unless narrowed.
    public init(
        _ target: Target, columns: [String] = [], order: [String] = [], lowerBound: LowerBound? = nil,
        batchRowsMax: Int = 4_096, batchBytesMax: Int = 4 << 20, rowsMax: Int64? = nil,
        needsOpenWriters: Bool = true
    ) {
        self.target = target
        self.columns = columns
        self.order = order
        self.lowerBound = lowerBound
        self.batchRowsMax = batchRowsMax
        self.batchBytesMax = batchBytesMax
        self.rowsMax = rowsMax
        self.needsOpenWriters = needsOpenWriters
    }
}

/// A row that a source found but cannot represent, named so that it can be rejected and the rest go on.
public struct SourceReject: Sendable, Hashable {
    /// The position of the row in its batch: it stands there with NULL in the column at fault.
    public var row: Int
    /// The column at fault, or empty where the row as a whole is.
    public var column: String
    /// The value as far as it can be shown, or empty.
    public var value: String
    /// What is wrong, and where it stands in the source, for example `line 7, column 3: …`.
    public var message: String

    /// A row that cannot be represented.
    public init(row: Int, column: String, value: String, message: String) {
        self.row = row
        self.column = column
        self.value = value
        self.message = message
    }
}
