// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// Writes down what is to be done with rows, for people and for files.
struct PlanScribe {
    private let sync: OpenSync
    private let mask: PlanMask
    private let comparison: RecordComparison
    /// A text that goes into the digests of what records hold; nil where there are to be none.
    private let salt: String?
    private let keyed: KeyedPayloads

    /// A scribe for a sync.
    ///
    /// - Parameter salt: What goes into the digests of a plan that is guarded, or nil.
    init(_ sync: OpenSync, _ mask: PlanMask, salt: String? = nil) {
        self.sync = sync
        self.mask = mask
        self.salt = salt
        keyed = KeyedPayloads(sync)
        comparison = RecordComparison(sync.mapping, records: sync.mapping.fieldSchema)
    }

    /// What would be done with a row; nil for one that a run would not touch.
    static func action(_ row: DecidedRow) -> PlanEntry.Action? {
        switch row.fate {
        case .reread, .recovered, .skipped, .dropped, .unchanged: nil
        case .rejected: .reject
        case .maybeCreated: .ask
        case .create: .create
        case .update: .update
        case .undecided: .undecided
        }
    }

    /// What is said of a row; nil for a row that a run would not touch.
    func entry(_ row: DecidedRow, _ chunk: DecidedChunk) -> PlanEntry? {
        switch row.fate {
        case .reread, .recovered, .skipped, .dropped, .unchanged: return nil
        case .rejected(let reason):
            var entry = self.entry(.reject, row, id: reason.remoteID)
            entry.reason = shown(reason)
            return entry
        case .maybeCreated:
            var entry = self.entry(.ask, row)
            entry.payload = row.payload
            return entry
        case .create:
            var entry = self.entry(.create, row)
            note(row, chunk, &entry)
            entry.fields = values(row, chunk)
            return entry
        case .update(let id, let changes):
            var entry = self.entry(.update, row, id: id)
            note(row, chunk, &entry)
            entry.isCompared = changes != nil
            entry.fields = changes?.map { field($0, row) } ?? values(row, chunk)
            return entry
        case .undecided(let id):
            var entry = self.entry(.undecided, row, id: id)
            entry.payload = row.payload
            entry.fields = values(row, chunk)
            return entry
        }
    }

    /// Notes what would be sent, and the records it refers to that are not there yet.
    private func note(_ row: DecidedRow, _ chunk: DecidedChunk, _ entry: inout PlanEntry) {
        let linked = sync.mapping.plannedLinks(chunk.mapped, row.row)
        entry.linked = linked.map { sync.mapping.targets[$0].name }
        entry.payload = linked.isEmpty ? row.payload : keyed.payload(row, chunk)
    }

    /// What is said of a row that the source no longer has.
    func removed(_ entry: LedgerEntry) -> PlanEntry {
        PlanEntry(
            .removed, row: 0, key: entry.key, keyText: mask.hidesKey ? PlanMask.dots : entry.keyText,
            remoteID: entry.remoteID)
    }

    /// The digest of a value of a record, by which a guarded plan knows it again.
    static func digest(_ value: String, _ salt: String) -> String {
        var hasher = FingerprintHasher()
        hasher.combine(salt)
        hasher.combine(value)
        return hasher.finish().hex
    }

    private func entry(_ action: PlanEntry.Action, _ row: DecidedRow, id: String? = nil) -> PlanEntry {
        PlanEntry(
            action, row: row.number, key: row.key, keyText: mask.hidesKey ? PlanMask.dots : row.keyText,
            remoteID: id)
    }

    private func isMasked(_ target: Int) -> Bool {
        let target = sync.mapping.targets[target]
        return mask.fields.contains(target.name) || mask.fields.contains(target.field.key)
    }

    /// The digest of what the record of a row holds; nil where nobody is to know it again, or it is not known.
    private func before(_ target: Int, _ row: DecidedRow) -> String? {
        salt.flatMap { salt in row.before?[target].map { Self.digest("\($0)", salt) } }
    }

    private func field(_ change: FieldChange, _ row: DecidedRow) -> PlanEntry.Field {
        let isMasked = isMasked(change.target)
        return PlanEntry.Field(
            name: sync.mapping.targets[change.target].name, old: isMasked ? PlanMask.dots : change.old,
            new: isMasked ? PlanMask.dots : change.new, before: before(change.target, row))
    }

    private func values(_ row: DecidedRow, _ chunk: DecidedChunk) -> [PlanEntry.Field] {
        sync.mapping.targets.indices.filter { chunk.mapped.presence[row.row, $0] }.map { target in
            PlanEntry.Field(
                name: sync.mapping.targets[target].name, old: nil,
                new: isMasked(target)
                    ? PlanMask.dots : comparison.display(chunk.mapped.columns[target], row.row, target),
                before: before(target, row))
        }
    }

    private func shown(_ reason: RejectReason) -> RejectReason {
        guard mask.fields.contains(reason.field), !reason.value.isEmpty else { return reason }
        var shown = reason
        shown.message = reason.message.replacing(reason.value, with: PlanMask.dots)
        shown.value = PlanMask.dots
        return shown
    }
}

/// The digests of what rows would send, with the source keys of linked rows in place of the records' ids.
///
/// By these a row is known again that was planned before the records were there that it refers to. Used from one
/// thread.
final class KeyedPayloads {
    private let sync: OpenSync
    /// What ``payloads`` are about.
    private var origin: DecidedChunk.Origin?
    private var payloads: [Fingerprint] = []

    /// Digests for rows of `sync`.
    init(_ sync: OpenSync) { self.sync = sync }

    /// The digest of a row of `chunk`; nil where the map refers to no other sync.
    func payload(_ row: DecidedRow, _ chunk: DecidedChunk) -> Fingerprint? {
        guard !sync.mapping.links.isEmpty else { return nil }
        if origin !== chunk.origin {
            payloads = sync.mapping.map(chunk.source, links: LinkedStates.byKey).payloads
            origin = chunk.origin
        }
        return payloads[row.row]
    }
}
