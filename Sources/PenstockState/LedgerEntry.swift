// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What is known about one source key at the destination.
package struct LedgerEntry: Sendable, Hashable {
    /// How the last touch of a row ended, or that it has not.
    package enum Outcome: Int64, Sendable, Hashable, CaseIterable {
        /// A record was created.
        case created = 1
        /// A record was changed.
        case updated = 2
        /// The record had these values already.
        case unchanged = 3
        /// The sync says that such rows are left out.
        case skipped = 4
        /// The row is kept as a reject.
        case rejected = 5
        /// A person said that the row is left out, whether there is a record or not.
        case dropped = 6
        /// A request is about to be sent or has been sent; no outcome is known.
        case intent = 16
        /// A request was sent and its outcome cannot be known from its answer.
        case unknown = 17
        /// The request certainly had no effect and is to be sent again.
        case retry = 18
        /// No request was sent.
        case notTried = 19

        /// Whether the row needs nothing more.
        package var isSettled: Bool { rawValue < 16 }
    }

    /// A request that may have been sent.
    package struct Intent: Sendable, Hashable {
        /// The digest of the payload.
        package var payload: Fingerprint
        /// When it was about to be sent, in milliseconds since 1970-01-01T00:00:00Z.
        package var startedAtMilliseconds: Int64
        /// The marker that its record carries, or nil.
        package var marker: String?
        /// When it is over at the latest, in milliseconds since the machine started, or nil where that is not known.
        package var deadlineMilliseconds: Int64?
        /// The start of the machine that the deadline counts from.
        package var boot: Int64?
        /// The other side's clock when it was about to be sent, in milliseconds since 1970, or nil.
        package var serverTimeMilliseconds: Int64?
        /// The row that was sent, as ``RowEncoding`` has it, or nil where it is not needed to find the record.
        package var row: [UInt8]?

        /// An intent from its parts.
        package init(
            payload: Fingerprint, startedAtMilliseconds: Int64, marker: String? = nil,
            deadlineMilliseconds: Int64? = nil, boot: Int64? = nil, serverTimeMilliseconds: Int64? = nil,
            row: [UInt8]? = nil
        ) {
            self.payload = payload
            self.startedAtMilliseconds = startedAtMilliseconds
            self.marker = marker
            self.deadlineMilliseconds = deadlineMilliseconds
            self.boot = boot
            self.serverTimeMilliseconds = serverTimeMilliseconds
            self.row = row
        }
    }

    /// The digest of the source key.
    package var key: Fingerprint
    /// The source key for people.
    package var keyText: String
    /// The id of the record at the destination, where it is known.
    package var remoteID: String?
    /// The digest of the payload last accepted.
    package var payload: Fingerprint?
    /// The digest of the source row when it was last settled.
    package var source: Fingerprint?
    /// The text of the Incremental Key when the row was last settled.
    package var cursor: String?
    /// The number of the run that touched the row last.
    package var run: Int64
    /// How that ended.
    package var outcome: Outcome
    /// The last request, kept while ``outcome`` needs it: the writer of an entry decides.
    package var intent: Intent? {
        get { if case .sent(let intent) = request { intent } else { nil } }
        set { request = if let newValue { .sent(newValue) } else { .nothing } }
    }
    private var request = Request.nothing

    /// A request elsewhere, so that the many entries without one stay small.
    private enum Request: Sendable, Hashable {
        case nothing
        indirect case sent(Intent)
    }

    /// An entry from its parts.
    package init(
        key: Fingerprint, keyText: String, remoteID: String? = nil, payload: Fingerprint? = nil,
        source: Fingerprint? = nil, cursor: String? = nil, run: Int64, outcome: Outcome, intent: Intent? = nil
    ) {
        self.key = key
        self.keyText = keyText
        self.remoteID = remoteID
        self.payload = payload
        self.source = source
        self.cursor = cursor
        self.run = run
        self.outcome = outcome
        self.intent = intent
    }
}
