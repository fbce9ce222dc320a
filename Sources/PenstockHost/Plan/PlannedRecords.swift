// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// The records that the rows of a planned sync would have after its run, for the plans of syncs that link to it.
///
/// Only what the run would change is kept: the rest is in the state of the sync. Memory does not grow with the rows.
/// Used from the thread that plans.
package final class PlannedRecords {
    /// What the run of the sync would leave of a row.
    enum Outcome: Sendable, Hashable {
        /// The record with this id.
        case record(String)
        /// A record that it creates.
        case created
        /// No record: it is rejected, with this code.
        case rejected(code: String)
        /// No record: it is passed over.
        case skipped
    }

    /// The columns of the source key.
    let keyColumns: [String]
    /// Why a row that the state does not know either has no record, as a sentence about the sync of this name; nil
    /// where the sync has no such row.
    private(set) var absence: ((String) -> String)?

    private let created: SeenKeys
    private let others: KeyTexts
    /// Whether the run would not begin, so that nothing of it comes to be.
    private(set) var isDiscarded = false

    /// Nothing yet of the rows of a sync with these columns as its source key.
    ///
    /// - Parameter folder: On whose disk nameless files are made, if it comes to that.
    package init(keyColumns: [String], folder: String = ScratchFolder.temporary) {
        self.keyColumns = keyColumns
        created = SeenKeys(folder: folder)
        others = KeyTexts(folder: folder)
    }

    /// Takes note of a row that was decided.
    ///
    /// - Parameter guarantee: How creates whose answer was lost are settled.
    /// - Throws: ``StateError`` where it cannot be kept.
    func note(_ row: DecidedRow, _ guarantee: DeliveryGuarantee) throws(StateError) {
        switch row.fate {
        case .reread, .recovered, .dropped: return
        case .create, .undecided(nil): _ = try created.insert(row.key)
        case .maybeCreated(let fault):
            // What became of its create cannot be told; where it is asked about it is found, or sent again.
            if fault == nil, guarantee != .atMostOnce { _ = try created.insert(row.key) }
        case .update(let id, _), .unchanged(let id, _), .undecided(let id?):
            if row.known?.remoteID != id { try others.set(row.key, "=" + id) }
        // A row that has a record keeps it, whatever becomes of what it says.
        case .rejected(let reason): if row.known?.remoteID == nil { try others.set(row.key, "!" + reason.code) }
        case .skipped: if row.known?.remoteID == nil { try others.set(row.key, "-") }
        }
    }

    /// Says that only some of the rows were looked at.
    func noteSample() { absence = { "Only the first rows of \($0) were planned, and its row is not among them." } }

    /// Lets go of everything, because the run would not begin.
    ///
    /// - Parameter reason: Says so; a clause.
    package func discard(_ reason: String) {
        isDiscarded = true
        absence = { "The run of \($0) would not begin (\(reason)), so that its row has no record." }
    }

    /// What the run would leave of the row with one of these digests; nil where the state of the sync says it.
    ///
    /// - Throws: ``StateError`` where what was kept cannot be read.
    func outcome(_ digests: [Fingerprint]) throws(StateError) -> Outcome? {
        guard !isDiscarded else { return nil }
        for digest in digests {
            if try created.contains(digest) { return .created }
            guard let text = try others.text(of: digest) else { continue }
            let rest = String(text.dropFirst())
            switch text.first {
            case "=": return .record(rest)
            case "!": return .rejected(code: rest)
            default: return .skipped
            }
        }
        return nil
    }
}
