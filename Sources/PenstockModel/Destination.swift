// SPDX-License-Identifier: Apache-2.0

/// An open connection to something that can be written.
///
/// Calls are serial, as for ``Source``; a ``WriteSession`` has its own rules.
public protocol Destination: AnyObject {
    /// Tries whether the connection works, step by step, without writing anything.
    ///
    /// - Throws: ``ConnectorError`` only where not even a report can be made; a refusal is a step of the report.
    func check() throws(ConnectorError) -> CheckReport

    /// Returns the fields of `object` as the account has them now.
    ///
    /// - Parameter optionsOf: Keys or labels of fields whose options are needed although they cost extra
    ///   (``DestinationField/optionsCost``): users. Names that are not fields are passed over.
    /// - Throws: ``ConnectorError``: `notFound` for an unknown object, `unavailable`, `unauthorized`, `quotaSpent`.
    func fields(of object: String, optionsOf: [String]) throws(ConnectorError) -> [DestinationField]

    /// Returns the limits as they are known without asking, from settings and from answers so far.
    func limits() throws(ConnectorError) -> [RateLimit]

    /// Starts reading records back.
    ///
    /// The stream's first column is `id` (text, never NULL); the others are ``ReadBackRequest/fields`` in their
    /// order, in the column types of their kinds. Records that are deleted or not visible are left out.
    /// - Throws: ``ConnectorError`` as for ``fields(of:optionsOf:)``, `notFound` for an unknown field.
    func readBack(_ request: ReadBackRequest) throws(ConnectorError) -> any RecordStream

    /// Opens a session that writes rows of one shape in one mode.
    ///
    /// - Parameter onResults: Called with results of submitted rows from any thread, never twice at once for one
    ///   session; it copies, returns at once and does not call back into the connector.
    /// - Throws: ``ConnectorError``: `badRequest` for a field that cannot be written in this mode or has the wrong
    ///   type, `notFound` for an unknown object or field; nothing was sent.
    func begin(
        _ request: WriteRequest, onResults: @escaping @Sendable (UInt64, [RowResult]) -> Void
    ) throws(ConnectorError) -> any WriteSession

    /// Makes sure that `object` has a text field named `label` for the host's own markers, and returns its key.
    ///
    /// - Throws: ``ConnectorError`` `unsupported` where ``Capabilities/prepare`` is missing.
    func prepareMarker(of object: String, label: String) throws(ConnectorError) -> String

    /// Closes the connection. Sessions must have ended before.
    func close()
}

extension Destination {
    /// Refuses, for destinations without ``Capabilities/prepare``.
    public func prepareMarker(of object: String, label: String) throws(ConnectorError) -> String {
        throw ConnectorError(.unsupported, "This destination cannot create a marker field.")
    }
}

/// Which records to read back, and what of them.
public struct ReadBackRequest: Sendable, Hashable {
    /// Which records.
    public enum Selection: Sendable, Hashable {
        /// These, by id; at most ``RequestCosts/readByIDsMax``. Ids that do not exist are left out of the stream.
        case ids([String])
        /// Those changed at or after this time, in milliseconds since 1970-01-01T00:00:00Z, rounded down to seconds.
        case changedSince(Int64)
        /// All.
        case all
    }

    /// The object.
    public var object: String
    /// Which records.
    public var selection: Selection
    /// Keys of the fields to return, besides `id`.
    public var fields: [String]

    /// Which records to read back.
    public init(object: String, selection: Selection, fields: [String]) {
        self.object = object
        self.selection = selection
        self.fields = fields
    }
}

/// What a write session is to do.
public struct WriteRequest: Sendable, Hashable {
    /// What happens to each row.
    public enum Mode: Int32, Sendable, Hashable {
        /// Creates a record per row.
        case create = 1
        /// Sets the given fields of the record named by ``WriteRequest/remoteIDColumn``.
        case update = 2
        /// Deletes the record named by ``WriteRequest/remoteIDColumn``.
        case delete = 4
    }

    /// The column with the row's source key (text), for logs and messages.
    public static let rowKeyColumn = "__penstock_row_key"
    /// The column with the record's id (text); present for updates and deletes.
    public static let remoteIDColumn = "__penstock_remote_id"
    /// The column that says which fields a row sets (bytes).
    ///
    /// Bit `i`, least significant first, stands for column
    /// `i` of the schema. A field whose bit is 0 is left alone; NULL in a field whose bit is 1 clears it.
    public static let presenceColumn = "__penstock_presence"

    /// The object to write.
    public var object: String
    /// What happens to each row.
    public var mode: Mode
    /// The columns of every batch: the reserved ones first, then one per field, named by field key, in the column
    /// type of the field's kind.
    public var schema: Schema
    /// The most rows that may be on their way at once.
    public var inFlightMax: Int

    /// What a write session is to do.
    public init(object: String, mode: Mode, schema: Schema, inFlightMax: Int) {
        self.object = object
        self.mode = mode
        self.schema = schema
        self.inFlightMax = inFlightMax
    }
}

/// Rows on their way to a destination.
public protocol WriteSession: AnyObject {
    /// Takes a batch over, or says that the window is full.
    ///
    /// Every row of a batch that was taken over gets exactly one terminal result, in any order.
    /// - Parameters:
    ///   - batch: Rows of the request's schema, at least one.
    ///   - id: A number of the host's, not used before in this session.
    /// - Returns: Whether it was taken over; if not, try again after the next result.
    /// - Throws: ``ConnectorError``: `broken` once the session has given up, and other codes for a batch that was
    ///   not taken over; its rows stay with the caller.
    func submit(_ batch: RecordBatch, id: UInt64) throws(ConnectorError) -> Bool

    /// Waits until every row taken over has its result.
    ///
    /// - Throws: ``ConnectorError`` only after all results were delivered.
    func flush() throws(ConnectorError)

    /// Stops sending. Requests on their way are awaited, the rest is reported `notTried`. Any thread; never blocks.
    func abort()

    /// Ends the session, after ``flush()`` or ``abort()``; no result is delivered after it returns.
    func end()
}

/// What became of one submitted row.
public struct RowResult: Sendable, Hashable {
    /// The terminal states of a row.
    public enum Status: Int32, Sendable, Hashable {
        /// A record was created; ``RowResult/remoteID`` is its id.
        case created = 1
        /// The fields were set.
        case updated = 2
        /// The record already was as the row wants it.
        case unchanged = 3
        /// The record was deleted.
        case deleted = 4
        /// The row is at fault and was refused.
        case rejected = 16
        /// Provably not applied; safe to send again.
        case retry = 17
        /// May have been applied: look before sending again.
        case unknown = 18
        /// Never sent.
        case notTried = 19
    }

    /// The row in its batch, counted from 0.
    public var row: Int
    /// What became of it.
    public var status: Status
    /// Why, for every status from ``Status/rejected`` on; nil before.
    public var error: ConnectorError? {
        get { reason.error }
        set { reason = newValue.map { .error($0) } ?? .none }
    }
    /// The HTTP status, or 0.
    public var httpStatus: Int
    /// The record's id, or empty.
    public var remoteID: String
    private var reason: Reason

    /// An error is five texts and lies elsewhere, so that the many results without one stay small.
    private enum Reason: Sendable, Hashable {
        case none
        indirect case error(ConnectorError)

        var error: ConnectorError? { if case .error(let error) = self { error } else { nil } }
    }

    /// What became of one submitted row.
    public init(
        row: Int, status: Status, error: ConnectorError? = nil, httpStatus: Int = 0, remoteID: String = ""
    ) {
        self.row = row
        self.status = status
        reason = error.map { .error($0) } ?? .none
        self.httpStatus = httpStatus
        self.remoteID = remoteID
    }
}
