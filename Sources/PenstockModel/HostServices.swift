// SPDX-License-Identifier: Apache-2.0

/// What the host offers one open connection.
///
/// Every call is allowed from any thread of the connector, from the opening of the connection to the return of its
/// `close`. None blocks but ``pause(milliseconds:)``, ``lockCredential(since:)``, ``saveCredential(_:expecting:)`` and,
/// for as long as it takes to make a record of it durable, ``acquire(_:)``.
public protocol HostServices: Sendable {
    /// Adds a line to the host's log. Secrets of the connection are blanked out there, but do not rely on it.
    func log(_ level: LogLevel, _ message: String, _ fields: [String: String])

    /// Whether the work on this connection is to stop; ask once per batch or request.
    var isCancelled: Bool { get }

    /// Milliseconds of a clock that never goes back; its zero means nothing.
    var monotonicMilliseconds: Int64 { get }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    var wallMilliseconds: Int64 { get }

    /// Waits.
    ///
    /// - Throws: ``ConnectorError`` `cancelled`, early, once ``isCancelled``.
    func pause(milliseconds: Int64) throws(ConnectorError)

    /// Tells how far a long operation has come, for display.
    ///
    /// - Parameter total: How much there is in all, or nil.
    func progress(done: Int64, total: Int64?, note: String)

    /// Asks for leave to send one request, and, where it writes a row, has the intent made durable.
    ///
    /// Never waits for a free slot: ``Acquisition/wait(milliseconds:)`` says when to ask again. After
    /// ``Acquisition/granted(_:)`` send at once, and ``release(_:_:)`` with the answer, whatever it was.
    /// - Throws: ``ConnectorError``: `quotaSpent` where the budget does not allow it today, `cancelled`; the row
    ///   is then not tried.
    func acquire(_ intent: RequestIntent) throws(ConnectorError) -> Acquisition

    /// Gives a slot back with what came of the request.
    func release(_ ticket: UInt64, _ answer: RequestAnswer)

    /// Tells what the other side says about its limits, for example in headers.
    func report(_ limit: RateLimit)

    /// Stores a rotated credential, durably, before it is used.
    ///
    /// - Parameters:
    ///   - credential: The new credential, as the connector wants it back in its settings.
    ///   - revision: The revision the connection was opened with, or got here last.
    /// - Returns: The new revision, or the credential that somebody else stored meanwhile: use that one.
    /// - Throws: ``ConnectorError`` `unavailable` where it could not be stored; go on with the old one if you can.
    func saveCredential(_ credential: JSON, expecting revision: UInt64) throws(ConnectorError) -> SavedCredential

    /// Waits until nobody else on this machine renews the connection's credential, and keeps the others waiting until
    /// ``unlockCredential()``.
    ///
    /// Hold it around the request that renews and ``saveCredential(_:expecting:)``, and not longer: a credential that
    /// may be used once must not be used by two at a time. The end of the process gives it back, too.
    /// - Parameter revision: The revision that the connector holds, 0 for the one it was opened with.
    /// - Returns: What somebody else has stored since, or nil: use that one instead of renewing.
    /// - Throws: ``ConnectorError``: `cancelled`, `unavailable` where nothing could be stored; it is then not held.
    func lockCredential(since revision: UInt64) throws(ConnectorError) -> StoredCredential?

    /// Lets the others renew the credential.
    func unlockCredential()
}

extension HostServices {
    /// Waits for nobody, for hosts that store nothing.
    public func lockCredential(since revision: UInt64) throws(ConnectorError) -> StoredCredential? { nil }

    /// Does nothing, for hosts that store nothing.
    public func unlockCredential() {}
}

/// How much a log line matters.
public enum LogLevel: Int32, Sendable, Hashable {
    /// Per row.
    case trace = 0
    /// Per batch or request.
    case debug = 1
    /// Rare, worth knowing.
    case info = 2
    /// Once per cause.
    case warning = 3
    /// Where nobody is left to tell.
    case error = 4
}

/// A request that is about to be sent.
public struct RequestIntent: Sendable, Hashable {
    /// What a request does at the other side.
    public enum Kind: Int32, Sendable, Hashable {
        /// Changes nothing.
        case read = 0
        /// Creates a record; sent twice it creates two.
        case create = 1
        /// Sets fields of a known record; may be repeated.
        case update = 2
        /// Deletes a known record; may be repeated.
        case delete = 3
    }

    /// The limit that it falls under: ``RateLimit/bucket``.
    public var bucket: String
    /// What it costs of the daily budget.
    public var cost: Int64
    /// What it does.
    public var kind: Kind
    /// For a write: the batch and the row in it that it writes; nil for a read.
    public var row: BatchRow?
    /// The longest that it may be on its way, in milliseconds from now, or nil where the connector sets no limit.
    ///
    /// A create whose answer was lost is not asked about before this time has passed.
    public var timeoutMilliseconds: Int64?

    /// A request about to be sent.
    public init(bucket: String, cost: Int64, kind: Kind, row: BatchRow? = nil, timeoutMilliseconds: Int64? = nil) {
        self.bucket = bucket
        self.cost = cost
        self.kind = kind
        self.row = row
        self.timeoutMilliseconds = timeoutMilliseconds
    }
}

/// A row of a submitted batch.
public struct BatchRow: Sendable, Hashable {
    /// The number given to ``WriteSession/submit(_:id:)``.
    public var batch: UInt64
    /// The row in that batch, counted from 0.
    public var row: Int

    /// A row of a submitted batch.
    public init(batch: UInt64, row: Int) {
        self.batch = batch
        self.row = row
    }
}

/// The host's answer to a ``RequestIntent``.
public enum Acquisition: Sendable, Hashable {
    /// Send now; give the ticket back with the answer.
    case granted(UInt64)
    /// Ask again after this time, sooner if another request was answered.
    case wait(milliseconds: Int64)
}

/// What came of a request.
public struct RequestAnswer: Sendable, Hashable {
    /// The HTTP status, or 0 where none was read.
    public var status: Int
    /// Whether it provably never left this machine: its slot and its cost are free again.
    public var wasNeverSent: Bool
    /// How long the other side asks to wait, in milliseconds, or nil.
    public var retryAfterMilliseconds: Int64?
    /// The other side's clock when it answered, in milliseconds since 1970-01-01T00:00:00Z, or nil.
    ///
    /// Records that changed since a moment are asked for by this clock: ours may be wrong.
    public var serverTimeMilliseconds: Int64?
    /// Whether the other side has shut this machine out for a while: every further request makes it last longer.
    public var isBlocked: Bool

    /// What came of a request.
    public init(
        status: Int, wasNeverSent: Bool = false, retryAfterMilliseconds: Int64? = nil,
        serverTimeMilliseconds: Int64? = nil, isBlocked: Bool = false
    ) {
        self.status = status
        self.wasNeverSent = wasNeverSent
        self.retryAfterMilliseconds = retryAfterMilliseconds
        self.serverTimeMilliseconds = serverTimeMilliseconds
        self.isBlocked = isBlocked
    }
}

/// A limit of the other side, and how much of it is left.
///
/// Unknown numbers are nil.
public struct RateLimit: Sendable, Hashable {
    /// The usual bucket of requests per window.
    public static let burst = "burst"
    /// The usual bucket of the daily budget.
    public static let daily = "daily"
    /// The bucket of a limit on requests that change records, per day, beside the daily budget.
    public static let dailyWrites = "daily-writes"

    /// The limit's name; ``RequestIntent/bucket`` refers to it.
    public var bucket: String
    /// How much is allowed per window.
    public var limit: Int64?
    /// How much is left in this window.
    public var remaining: Int64?
    /// How long a window is, in milliseconds.
    public var windowMilliseconds: Int64?
    /// How long until everything is allowed again, in milliseconds.
    public var resetsInMilliseconds: Int64?

    /// A limit of the other side.
    public init(
        bucket: String, limit: Int64? = nil, remaining: Int64? = nil, windowMilliseconds: Int64? = nil,
        resetsInMilliseconds: Int64? = nil
    ) {
        self.bucket = bucket
        self.limit = limit
        self.remaining = remaining
        self.windowMilliseconds = windowMilliseconds
        self.resetsInMilliseconds = resetsInMilliseconds
    }
}

/// A credential as it is stored.
public struct StoredCredential: Sendable, Hashable {
    /// What was given to ``HostServices/saveCredential(_:expecting:)``.
    public var credential: JSON
    /// Its revision; larger ones are newer.
    public var revision: UInt64

    /// A credential as it is stored.
    public init(_ credential: JSON, revision: UInt64) {
        self.credential = credential
        self.revision = revision
    }
}

/// What came of storing a credential.
public enum SavedCredential: Sendable, Hashable {
    /// It is durable, under this revision.
    case saved(revision: UInt64)
    /// Somebody else was faster; this is theirs.
    case superseded(by: JSON, revision: UInt64)
}
