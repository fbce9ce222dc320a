// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// One execution of a sync, as the state file remembers it.
package struct RunRecord: Sendable, Hashable {
    /// Where a run stands.
    package enum Status: String, Sendable, Hashable, CaseIterable {
        /// It executes, or its process died without saying more.
        case running
        /// Every fetched row is settled.
        case finished
        /// It ended with rows that are not settled; the next run finishes it first.
        case unfinished
        /// It ended with an error before it could settle anything further.
        case failed
        /// It was unfinished, and a person gave its rest up.
        case abandoned
    }

    /// 1 for the first run of a sync, and so on.
    package var number: Int64
    /// See ``RunID``.
    package var id: String
    /// What was executed, for example `run`.
    package var kind: String
    /// Where the run stands.
    package var status: Status
    /// When it began, in milliseconds since 1970-01-01T00:00:00Z.
    package var startedAtMilliseconds: Int64
    /// When it ended, or nil.
    package var finishedAtMilliseconds: Int64?
    /// The digest of the sync's definition it executed.
    package var definition: Fingerprint
    /// Numbers by name.
    package var counts: [String: Int64]
    /// The watermark's text when it began, or nil where there was none.
    package var watermarkBefore: String?
    /// The watermark's text when it ended, or nil.
    package var watermarkAfter: String?
    /// One sentence on how it ended, or empty.
    package var message: String
    /// The exit code it ended with, or nil.
    package var exitCode: Int32?
    /// How many processes have worked on it.
    package var attempts: Int

    /// A run from its parts.
    package init(
        number: Int64, id: String, kind: String = "run", status: Status = .running, startedAtMilliseconds: Int64,
        finishedAtMilliseconds: Int64? = nil, definition: Fingerprint, counts: [String: Int64] = [:],
        watermarkBefore: String? = nil, watermarkAfter: String? = nil, message: String = "", exitCode: Int32? = nil,
        attempts: Int = 1
    ) {
        self.number = number
        self.id = id
        self.kind = kind
        self.status = status
        self.startedAtMilliseconds = startedAtMilliseconds
        self.finishedAtMilliseconds = finishedAtMilliseconds
        self.definition = definition
        self.counts = counts
        self.watermarkBefore = watermarkBefore
        self.watermarkAfter = watermarkAfter
        self.message = message
        self.exitCode = exitCode
        self.attempts = attempts
    }
}
