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
    private let unseen: SeenKeys
    /// Whether the run changes records without a look at them.
    private(set) var hasUnseen = false
    /// Whether the run would not begin, so that nothing of it comes to be.
    private(set) var isDiscarded = false

    /// Nothing yet of the rows of a sync with these columns as its source key.
    ///
    /// - Parameter folder: On whose disk nameless files are made, if it comes to that.
    package init(keyColumns: [String], folder: String = ScratchFolder.temporary) {
        self.keyColumns = keyColumns
        created = SeenKeys(folder: folder)
        others = KeyTexts(folder: folder)
        unseen = SeenKeys(folder: folder)
    }

    /// Takes note of the rows of a run that are held until it begins.
    ///
    /// - Parameters:
    ///   - guarantee: How creates whose answer was lost are settled.
    ///   - looks: What its plan has seen of records that are looked at later; nil where there are none.
    /// - Throws: ``RunStop`` where they cannot be kept.
    func note(
        _ rows: [DecidedRow], _ guarantee: DeliveryGuarantee, _ looks: PlannedLooks?
    ) throws(RunStop) {
        for var row in rows {
            if let looks, case .update = row.fate { try take(looks.of(row.key), &row) }
            do throws(StateError) {
                try note(row, guarantee)
            } catch {
                throw .spool(error)
            }
        }
    }

    /// Makes a row what its plan has seen, where its record is looked at later.
    private func take(_ seen: PlannedLooks.Seen, _ row: inout DecidedRow) {
        switch seen {
        case .update(_, let other?): row.fate = .update(id: other, changes: nil)
        case .update(_, nil), .nothing: break
        case .create: row.fate = .create
        case .reject(let code, let id):
            // Without a record only the ledger knew one, and it was gone.
            if id == nil { row.known?.remoteID = nil }
            row.fate = .rejected(RejectReason(stage: "check", code: code, field: "", message: "", remoteID: id))
        }
    }

    /// Takes note of a row that was decided.
    ///
    /// - Parameter guarantee: How creates whose answer was lost are settled.
    /// - Throws: ``StateError`` where it cannot be kept.
    func note(_ row: DecidedRow, _ guarantee: DeliveryGuarantee) throws(StateError) {
        if case .update(_, nil) = row.fate, row.before == nil {
            _ = try unseen.insert(row.key)
            hasUnseen = true
        }
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

    /// Whether the run changes the record of the row with one of these digests without a look at it, so that it is not
    /// known whether it is there.
    ///
    /// - Throws: ``StateError`` where what was kept cannot be read.
    func isUnseen(_ digests: [Fingerprint]) throws(StateError) -> Bool {
        guard hasUnseen, !isDiscarded else { return false }
        for digest in digests where try unseen.contains(digest) { return true }
        return false
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

/// Tells which rows refer to records that a linked sync changes first without a look at them.
///
/// Where such a record is gone the linked sync's row is rejected, and what becomes of these rows cannot be foreseen.
/// Used from one thread.
final class UnseenLinks {
    private let sync: OpenSync
    private let parents: [String: PlannedRecords]
    /// Where the chunk came from that ``mapped`` is of.
    private var origin: DecidedChunk.Origin?
    private var mapped: MappedBatch?
    private var failure: StateError?

    /// The links of `sync`; nil where none of the syncs that it links to changes anything without a look.
    init?(_ sync: OpenSync, _ parents: [String: PlannedRecords]) {
        self.parents = parents.filter(\.value.hasUnseen)
        self.sync = sync
        if self.parents.isEmpty { return nil }
    }

    /// Whether a row of `chunk` refers to such a record.
    ///
    /// - Throws: ``RunStop`` where what was kept cannot be read.
    func isOne(_ row: DecidedRow, _ chunk: DecidedChunk) throws(RunStop) -> Bool {
        if origin !== chunk.origin || mapped == nil {
            // What the rows say is of no matter here: the links are told apart, and nothing else.
            mapped = sync.mapping.map(chunk.source) { sync, key in
                self.isUnseen(sync, key) ? .planned("") : .record("1")
            }
            origin = chunk.origin
        }
        if let failure { throw .spool(failure) }
        return mapped.map { !sync.mapping.plannedLinks($0, row.row).isEmpty } ?? false
    }

    private func isUnseen(_ sync: String, _ key: Value) -> Bool {
        do throws(StateError) {
            return try parents[sync]?.isUnseen(LinkedStates.digests(of: key)) ?? false
        } catch {
            failure = error
            return false
        }
    }
}
