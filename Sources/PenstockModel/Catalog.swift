// SPDX-License-Identifier: Apache-2.0

/// What a source connection offers to read.
public struct Catalog: Sendable, Hashable {
    /// The tables, views and files, in a stable order.
    public var objects: [CatalogObject]

    /// A catalog of these objects.
    public init(_ objects: [CatalogObject]) { self.objects = objects }
}

/// One table, view or file.
public struct CatalogObject: Sendable, Hashable {
    /// What it is at the source.
    public enum Kind: String, Sendable, Hashable {
        /// A table.
        case table
        /// A view of any sort.
        case view
        /// A file.
        case file
    }

    /// The name to read it by; unique in the connection, for example `mart.orgs`.
    public var id: String
    /// What it is.
    public var kind: Kind
    /// The columns in order; empty where only names were asked for.
    public var columns: [Schema.Field]
    /// The columns of the primary key, in order; empty where there is none.
    public var primaryKey: [String]
    /// About how many rows there are, or nil.
    public var estimatedRows: Int64?
    /// The columns that suit as an Incremental Key, the best first: of a type with an order, led by an index first.
    public var cursorColumns: [String]
    /// The source's own word for what it is where ``kind`` is too coarse, for example `materialized view`; or empty.
    public var detail: String

    /// A table, view or file.
    public init(
        _ id: String, _ kind: Kind, columns: [Schema.Field] = [], primaryKey: [String] = [],
        estimatedRows: Int64? = nil, cursorColumns: [String] = [], detail: String = ""
    ) {
        self.id = id
        self.kind = kind
        self.columns = columns
        self.primaryKey = primaryKey
        self.estimatedRows = estimatedRows
        self.cursorColumns = cursorColumns
        self.detail = detail
    }
}
