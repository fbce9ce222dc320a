// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// One change of the state; ``StateStore/commit(_:)`` makes many of them at once or none.
///
/// Thousands of them wait at once, nearly all of them rows that are settled: what is rare lies elsewhere.
package enum StateChange: Sendable, Hashable {
    /// Replaces the whole entry of its key, or adds it.
    case ledger(LedgerEntry)
    /// As `ledger`, removes the reject of the key, and remembers the record of an entry that was created.
    ///
    /// It is what becomes of most rows, in one change.
    case settled(LedgerEntry)
    /// Makes the entry of its key one with an intent, and keeps the record and the payload that are known of it.
    case intent(LedgerEntry)
    /// Turns the intent of the key's entry into `unknown`, or adds an entry whose request nothing else is known of.
    case lost(key: Fingerprint, keyText: String, run: Int64, payload: Fingerprint)
    /// Forgets the entry of the key, if there is one: a row that comes with it is a new one.
    case forgotten(Fingerprint)
    /// Replaces the reject of its key, or adds it; the earlier ``RejectRecord/firstSeenMilliseconds`` of the two stays.
    indirect case reject(RejectRecord)
    /// Removes the reject of the key, if there is one.
    case rejectCleared(Fingerprint)
    /// Remembers that a record was created by this sync, whatever becomes of its row.
    case created(remoteID: String)
    /// Removes the rejects of runs before this one: the run has read everything, and did not meet them again.
    case rejectsOutdated(before: Int64)
    /// Sets the watermark, or removes it.
    indirect case watermark(Watermark?)
    /// Replaces the run of this number, which must exist.
    indirect case run(RunRecord)
}
