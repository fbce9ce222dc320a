// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A row that did not make it, with its reason; a source key has at most one.
package struct RejectRecord: Sendable, Hashable {
    /// The digest of the source key.
    package var key: Fingerprint
    /// The source key for people.
    package var keyText: String
    /// The number of the run that rejected the row last.
    package var run: Int64
    /// The row's position in that run, from 1.
    package var row: Int64
    /// Where it was rejected: `source`, `map`, `check` or `deliver`.
    package var stage: String
    /// The kind of reason, for example `missing-name`.
    package var code: String
    /// The field at fault, or empty.
    package var field: String
    /// The value at fault, or empty.
    package var value: String
    /// One sentence.
    package var message: String
    /// The source row as JSON.
    package var record: String
    /// The id of the record at the destination, where it is known.
    package var remoteID: String?
    /// The HTTP status of the refusal, or 0.
    package var httpStatus: Int
    /// Whether the row needs nothing more.
    package var isSettled: Bool
    /// How often the row was tried.
    package var attempts: Int
    /// When the row was rejected first; the store keeps the earliest it was given for a key.
    package var firstSeenMilliseconds: Int64
    /// When the row was rejected last.
    package var lastSeenMilliseconds: Int64

    /// A reject from its parts.
    package init(
        key: Fingerprint, keyText: String, run: Int64, row: Int64, stage: String, code: String, field: String = "",
        value: String = "", message: String, record: String, remoteID: String? = nil, httpStatus: Int = 0,
        isSettled: Bool, attempts: Int = 1, firstSeenMilliseconds: Int64, lastSeenMilliseconds: Int64
    ) {
        self.key = key
        self.keyText = keyText
        self.run = run
        self.row = row
        self.stage = stage
        self.code = code
        self.field = field
        self.value = value
        self.message = message
        self.record = record
        self.remoteID = remoteID
        self.httpStatus = httpStatus
        self.isSettled = isSettled
        self.attempts = attempts
        self.firstSeenMilliseconds = firstSeenMilliseconds
        self.lastSeenMilliseconds = lastSeenMilliseconds
    }
}

/// The rejects of one code.
package struct RejectSummary: Sendable, Hashable {
    /// The code they share.
    package var code: String
    /// How many there are.
    package var count: Int64
    /// When the last of them was seen, in milliseconds since 1970-01-01T00:00:00Z.
    package var lastSeenMilliseconds: Int64
    /// The one that was seen last.
    package var example: RejectRecord
}
