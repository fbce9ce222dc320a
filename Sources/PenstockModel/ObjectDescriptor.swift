// SPDX-License-Identifier: Apache-2.0

/// Something a destination can write, known without a connection.
public struct ObjectDescriptor: Sendable, Hashable {
    /// The name for project files, in the singular, for example `organization`.
    public var id: String
    /// The name for people.
    public var title: String
    /// The fields of which Append needs every one mapped.
    public var requiredOnCreate: [String]
    /// What requests cost.
    public var costs: RequestCosts
    /// The field (of kind instant) that says when a record was created; empty where there is none.
    public var createdAtField: String
    /// The field (of kind instant) that says when a record was changed last; empty where there is none.
    ///
    /// A record that nobody has changed since it was created has the time of its creation there.
    public var updatedAtField: String
    /// How many of its rows can be on their way at once; 0 leaves that to the host.
    ///
    /// It is for objects that take many rows together: where each row is a request, the host knows how many suit.
    public var rowsAtOnce: Int

    /// Something a destination can write.
    public init(
        id: String, title: String, requiredOnCreate: [String], costs: RequestCosts, createdAtField: String = "",
        updatedAtField: String = "", rowsAtOnce: Int = 0
    ) {
        self.rowsAtOnce = rowsAtOnce
        self.updatedAtField = updatedAtField
        self.createdAtField = createdAtField
        self.id = id
        self.title = title
        self.requiredOnCreate = requiredOnCreate
        self.costs = costs
    }
}

/// What requests cost of the daily budget, in the destination's own unit.
public struct RequestCosts: Sendable, Hashable {
    /// One create.
    public var create: Int64
    /// One update.
    public var update: Int64
    /// One delete.
    public var delete: Int64
    /// One read-back request for records by id.
    public var readByIDs: Int64
    /// The most ids in one such request; 0 where records cannot be read by id.
    public var readByIDsMax: Int
    /// A read-back of exactly one record by id, where the connector has a request for that; 0 where it has none, so
    /// that it costs ``readByIDs``.
    public var readOne: Int64
    /// One page of a read-back of all or changed records.
    public var readPage: Int64
    /// The most records on such a page.
    public var readPageMax: Int

    /// What a request may cost: more than any destination asks, and little enough to be added up.
    package static let allowed: ClosedRange<Int64> = 0...1_000_000_000

    /// What requests cost.
    public init(
        create: Int64, update: Int64, delete: Int64, readByIDs: Int64, readByIDsMax: Int, readPage: Int64,
        readPageMax: Int, readOne: Int64 = 0
    ) {
        self.readOne = readOne
        self.create = create
        self.update = update
        self.delete = delete
        self.readByIDs = readByIDs
        self.readByIDsMax = readByIDsMax
        self.readPage = readPage
        self.readPageMax = readPageMax
    }
}
