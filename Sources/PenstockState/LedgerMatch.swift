// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What the ledger says of one source row, as a plain value.
///
/// Texts are with the ``LedgerMatcher`` that gave it, until its next ``LedgerMatcher/match(_:)``.
package struct LedgerMatch: Sendable {
    /// Where the row lies in the ledger: its key came as the so-manieth, from 1; 0 where nothing is known of it.
    package var position: Int64 = 0
    /// The digest of the payload last accepted, or refused.
    package var payload: Fingerprint?
    /// The digest of the source row when it was last settled; only kept of rejects with a cursor and of open rows.
    package var source: Fingerprint?
    /// The number of the run that touched the row last.
    package var run: Int64 = 0
    /// How that ended; without meaning where nothing is known.
    package var outcome = LedgerEntry.Outcome.notTried
    /// Whether the row is one of the few that are not packed: open, or with an intent.
    package var isHot = false
    /// Whether an earlier row of this read had the same key.
    package var wasMatchedBefore = false
    /// Its record's id, where that is a number in its shortest form.
    package var remoteNumber: UInt64 = 0
    var remoteKind = RemoteKind.none
    /// Where the texts lie: the id of the record that is not a number, and the cursor; -1 for none.
    var remoteText = PackText()
    var cursorText = PackText()

    /// What is known of the id of a row's record.
    enum RemoteKind: UInt8, Sendable {
        case none = 0
        case number = 1
        case text = 2
    }

    /// Whether the ledger has the row's key.
    package var isKnown: Bool { position > 0 }

    /// Whether a record stands for the row.
    package var hasRemoteID: Bool { remoteKind != .none }

    /// Whether there is an Incremental Key with which the row was last settled.
    package var hasCursor: Bool { cursorText.count >= 0 }

    /// Whether the row was accepted: created, updated or unchanged.
    package var isAccepted: Bool { outcome.isAccepted }
}

extension LedgerEntry.Outcome {
    /// Whether the destination has what the row says: created, updated or unchanged.
    package var isAccepted: Bool { rawValue <= LedgerEntry.Outcome.unchanged.rawValue }
}
