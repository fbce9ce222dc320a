// SPDX-License-Identifier: Apache-2.0

/// An open connection to something that can be read.
///
/// Calls are serial: the host never overlaps two calls on one source; the thread may differ from call to call.
/// Calls block; the host makes them from threads of its own, never from Swift's cooperative pool.
public protocol Source: AnyObject {
    /// Tries whether the connection works, step by step, without writing anything.
    ///
    /// - Throws: ``ConnectorError`` only where not even a report can be made; a refusal is a step of the report.
    func check() throws(ConnectorError) -> CheckReport

    /// Lists what can be read.
    ///
    /// - Parameter ids: Only these objects, with their columns; empty for all. An object that is asked for by another
    ///   spelling of its name that the source accepts bears that spelling as its id.
    /// - Throws: ``ConnectorError``: `notFound` for an id that does not exist, `unavailable`, `unauthorized`.
    func discover(_ ids: [String]) throws(ConnectorError) -> Catalog

    /// Returns the columns that ``read(_:)`` would deliver, without reading rows.
    ///
    /// - Throws: ``ConnectorError``: `notFound` for an unknown object or column, `badRequest` for a bad query.
    func describe(_ request: ReadRequest) throws(ConnectorError) -> Schema

    /// Starts reading one snapshot of the source.
    ///
    /// - Throws: ``ConnectorError`` as for ``describe(_:)``; nothing stays open then.
    func read(_ request: ReadRequest) throws(ConnectorError) -> any RecordStream

    /// Closes the connection. Streams that are still open stay usable until they are closed.
    func close()
}

/// The rows of one read, batch by batch.
public protocol RecordStream: AnyObject {
    /// The columns; fixed for the whole stream.
    var schema: Schema { get }

    /// Who else was writing at the source when the snapshot was taken; nil where the source cannot know, and where the
    /// request does not need it.
    var openWriters: OpenWriters? { get }

    /// Returns the next batch, or nil once the stream has ended.
    ///
    /// Calls are serial. A batch has at least one row and at most the request's `batchRowsMax`, and stays valid
    /// after the stream is closed. Rows that could not be represented are in ``SourceBatch/rejects``.
    /// - Throws: ``ConnectorError``; afterwards only ``close()`` is allowed.
    func next() throws(ConnectorError) -> SourceBatch?

    /// Makes a running or later ``next()`` end with `cancelled`. Any thread, any time; never blocks.
    func cancel()

    /// Ends the read and gives back what it held, within a second, however much was left to read.
    func close()
}

extension RecordStream {
    /// Nil: nothing is known.
    public var openWriters: OpenWriters? { nil }
}

/// Transactions of others that may still commit rows which the snapshot of a read does not hold.
///
/// Such a row can carry a value of the Incremental Key that the read has passed. The host keeps the watermark from
/// moving past what these transactions may still write.
public struct OpenWriters: Sendable, Hashable {
    /// Whether a transaction that writes, or may write, was open when the snapshot was taken.
    public var hasWriters: Bool
    /// The earliest moment that a value written by the source's own clock can have in a row that is committed after
    /// the snapshot, in microseconds since 1970-01-01T00:00:00Z; nil where it cannot be known.
    ///
    /// The least of the beginnings of all open transactions and of the source's clock before the snapshot.
    public var since: Int64?
    /// ``since`` on the wall clock of the source's default time zone, for columns without a zone.
    public var localSince: Int64?
    /// The source's clock just before the snapshot, as ``since``: what is open later with an earlier beginning was open
    /// then; nil where it is not known.
    public var clock: Int64?

    /// What is known of open transactions.
    public init(hasWriters: Bool, since: Int64? = nil, localSince: Int64? = nil, clock: Int64? = nil) {
        self.clock = clock
        self.hasWriters = hasWriters
        self.since = since
        self.localSince = localSince
    }
}

/// A batch with the rows in it that could not be represented.
public struct SourceBatch: Sendable, Hashable {
    /// The rows.
    public var batch: RecordBatch
    /// Which of them must be rejected, in row order; at most one entry a row.
    public var rejects: [SourceReject]

    /// A batch, with its rejects if there are any.
    public init(_ batch: RecordBatch, rejects: [SourceReject] = []) {
        self.batch = batch
        self.rejects = rejects
    }
}

/// What a check of a connection found.
public struct CheckReport: Sendable, Hashable {
    /// One thing that was tried.
    public struct Step: Sendable, Hashable {
        /// What was tried: `name`, `network`, `tls`, `credential`, `right`, `file` or another short word.
        public var id: String
        /// Why it did not work, or nil where it did.
        public var failure: ConnectorError?
        /// What was found, in a few words; may be empty.
        public var message: String

        /// Something that was tried.
        public init(_ id: String, _ message: String = "", failure: ConnectorError? = nil) {
            self.id = id
            self.message = message
            self.failure = failure
        }
    }

    /// What was tried, in order; steps after a failed one are left out.
    public var steps: [Step]
    /// Who and what answered, for display, in order: for example `account` and `Acme`.
    public var identity: [String: String]

    /// A report.
    public init(_ steps: [Step], identity: [String: String] = [:]) {
        self.steps = steps
        self.identity = identity
    }

    /// Whether every step worked.
    public var isOK: Bool { steps.allSatisfy { $0.failure == nil } }
}
