// SPDX-License-Identifier: Apache-2.0

/// Why a connector could not do what it was asked.
public struct ConnectorError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure this is, chosen by who must act.
    ///
    /// More codes may be added; always handle the rest.
    public struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        /// The number that crosses the C boundary; `PENSTOCK_…` in `penstock.h`.
        public let rawValue: Int32
        /// A code from its number; unknown numbers are kept.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// This connector cannot do that at all.
        public static let unsupported = Code(rawValue: 1)
        /// The connection's settings are wrong.
        public static let badConfig = Code(rawValue: 2)
        /// The host asked for something that the contract forbids.
        public static let badRequest = Code(rawValue: 3)
        /// The credential was refused.
        public static let unauthorized = Code(rawValue: 4)
        /// The credential is good but lacks the right.
        public static let forbidden = Code(rawValue: 5)
        /// The table, file, object or field does not exist.
        public static let notFound = Code(rawValue: 6)
        /// Somebody else changed it first.
        public static let conflict = Code(rawValue: 7)
        /// The data are at fault.
        public static let badData = Code(rawValue: 8)
        /// The other side cannot be reached or answers with a fault of its own.
        public static let unavailable = Code(rawValue: 9)
        /// Too many requests for the moment.
        public static let rateLimited = Code(rawValue: 10)
        /// The budget is used up until it is reset.
        public static let quotaSpent = Code(rawValue: 11)
        /// No answer within the time allowed.
        public static let timedOut = Code(rawValue: 12)
        /// The operation was cancelled.
        public static let cancelled = Code(rawValue: 13)
        /// The window is full; try again after a result.
        ///
        /// Flow control, not a fault.
        public static let busy = Code(rawValue: 14)
        /// The columns or fields are not what they were.
        public static let schemaChanged = Code(rawValue: 15)
        /// This handle is of no more use; close it and open another.
        public static let broken = Code(rawValue: 16)
        /// No memory.
        public static let noMemory = Code(rawValue: 17)
        /// A fault of the connector itself.
        public static let internalFault = Code(rawValue: 18)
        /// The connector, or the host, did not keep to the contract.
        public static let contractBreach = Code(rawValue: 19)

        private static let names = [
            "ok", "unsupported", "bad-config", "bad-request", "unauthorized", "forbidden", "not-found", "conflict",
            "bad-data", "unavailable", "rate-limited", "quota-spent", "timed-out", "cancelled", "busy",
            "schema-changed", "broken", "no-memory", "internal", "contract-breach",
        ]

        /// The name for messages and logs, for example `not-found`.
        public var description: String {
            Self.names.indices.contains(Int(rawValue)) ? Self.names[Int(rawValue)] : "internal"
        }
    }

    /// What kind of failure.
    public var code: Code
    /// One sentence for the person who runs the sync; no secrets, no stack traces.
    public var message: String
    /// More for the operator's log; may be empty; no secrets.
    public var detail: String
    /// The setting, column or field at fault, or empty.
    public var field: String
    /// The other side's own code, for example an SQLSTATE or an API error slug, or empty.
    public var vendorCode: String
    /// How long to wait before trying again, in milliseconds; nil where that makes no sense or is not known.
    public var retryAfterMilliseconds: Int64?

    /// An error with its sentence.
    public init(
        _ code: Code, _ message: String, detail: String = "", field: String = "", vendorCode: String = "",
        retryAfterMilliseconds: Int64? = nil
    ) {
        self.code = code
        self.message = message
        self.detail = detail
        self.field = field
        self.vendorCode = vendorCode
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    /// The code and the sentence.
    public var description: String { "\(code): \(message)" }
}
