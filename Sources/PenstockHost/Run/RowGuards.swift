// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// What the guards of a sync's fields, and what is kept for undoing a run, ask of the rows that update records.
struct RowGuards {
    private let sync: OpenSync
    private let images: BeforeImages?
    private let hasGuards: Bool
    private let readsAll: Bool
    /// Whether an update sends fields that do not differ, too.
    let sendsAll: Bool
    /// Whether it is kept what updates overwrite, as far as it is known.
    let keepsBefore: Bool

    /// - Parameter images: What the sync wrote last, or nil where nothing is kept.
    init(_ sync: OpenSync, _ images: BeforeImages?) {
        self.sync = sync
        self.images = images
        hasGuards = sync.mapping.needsRecord
        readsAll = sync.definition.undo == .on
        sendsAll = sync.definition.insert.compare == .none
        keepsBefore = images != nil && sync.definition.undo != .off
    }

    /// What is wrong where guards, or `undo: on`, need records that cannot be read; nil otherwise.
    static func problem(
        in definition: SyncDefinition, _ mapping: CompiledMapping, _ object: ObjectDescriptor
    ) -> DefinitionProblem? {
        guard definition.insert.mode == .update, object.costs.readByIDsMax == 0 else { return nil }
        if let target = mapping.targets.first(where: { $0.editGuard.needsRecord && !$0.isFinderOnly }) {
            let isOwn = definition.map[target.entry].editGuard != nil
            return DefinitionProblem(
                place: .editGuard(entry: isOwn ? target.entry : nil), code: "guard-not-allowed",
                message: "\(target.editGuard.rawValue) needs the record as it is, and the records of \(object.id) "
                    + "cannot be read by id", notes: ["allowed here: overwrite, never-null"])
        }
        guard definition.undo == .on else { return nil }
        return DefinitionProblem(
            place: .undo, code: "undo-not-allowed",
            message: "undo: on needs the records as they are, and the records of \(object.id) cannot be read by id",
            notes: ["allowed here: auto, off"])
    }

    /// Whether an update by the row can be decided about only with the record at hand.
    func needsRecord(_ mapped: MappedBatch, _ row: Int) -> Bool {
        readsAll || holdsFields(mapped, row)
    }

    /// Whether guards may hold fields of an update by the row, as its record has it.
    func holdsFields(_ mapped: MappedBatch, _ row: Int) -> Bool { hasGuards && sync.mapping.needsRecord(mapped, row) }

    /// What stands in the ledger for the row where fields of it were held back; nil where nothing can be.
    func held(_ mapped: MappedBatch, _ row: Int) -> Fingerprint? {
        hasGuards ? sync.mapping.held(mapped.payloads[row]) : nil
    }

    /// Takes note in the row of what guards hold back, and of what the other fields hold; returns the others.
    ///
    /// - Throws: ``RunStop`` `state`.
    func hold(
        _ row: inout DecidedRow, _ differences: [RecordComparison.Difference], _ record: RecordBatch,
        _ mapped: MappedBatch, _ comparison: RecordComparison
    ) throws(RunStop) -> [RecordComparison.Difference] {
        var free = differences
        if hasGuards, !differences.isEmpty {
            let written = try written(row.key)
            var conflicts = comparison.conflicts(differences, record, 0) { written[$0] }
            conflicts += dependents(of: conflicts, differences)
            free.removeAll { difference in conflicts.contains { $0.target == difference.target } }
            row.conflicts = conflicts
            row.held = held(mapped, row.row)
        }
        row.before = Dictionary(uniqueKeysWithValues: free.map { ($0.target, $0.before) })
        return free
    }

    /// Takes note in the row of what its update overwrites in a record that was read for another reason.
    func note(
        _ row: inout DecidedRow, _ record: RecordBatch, _ mapped: MappedBatch, _ comparison: RecordComparison
    ) {
        let differences = comparison.differences(mapped, row.row, record, 0)
        row.before = Dictionary(uniqueKeysWithValues: differences.map { ($0.target, $0.before) })
    }

    /// The fields whose value means something only with a field that is held: they stay as they are with it.
    private func dependents(
        of conflicts: [RecordComparison.Conflict], _ differences: [RecordComparison.Difference]
    ) -> [RecordComparison.Conflict] {
        differences.compactMap { difference in
            guard let companion = sync.mapping.targets[difference.target].companion,
                let held = conflicts.first(where: { $0.target == companion }),
                !conflicts.contains(where: { $0.target == difference.target })
            else { return nil }
            return RecordComparison.Conflict(
                target: difference.target, editGuard: held.editGuard, live: difference.old, ours: nil,
                wanted: difference.new)
        }
    }

    /// Whether an update is left of a row, once guards have held their fields back.
    func sendsAnything(
        _ free: [RecordComparison.Difference], _ row: DecidedRow, _ mapped: MappedBatch
    ) -> Bool {
        guard free.isEmpty else { return true }
        guard sendsAll else { return false }
        return sync.mapping.targets.indices.contains { place in
            mapped.presence[row.row, place] && !sync.mapping.targets[place].isFinderOnly
                && !row.conflicts.contains { $0.target == place }
        }
    }

    /// What an update changes; nil where everything is sent whatever the record holds.
    func changes(_ free: [RecordComparison.Difference]) -> [FieldChange]? {
        sendsAll ? nil : free.map { FieldChange(target: $0.target, old: $0.old, new: $0.new) }
    }

    private func written(_ key: Fingerprint) throws(RunStop) -> [Int: RecordComparison.Written] {
        guard let images else { return [:] }
        let places = sync.mapping.rememberedTargets
        guard !places.isEmpty else { return [:] }
        do {
            let known = try images.written(key)
            var out: [Int: RecordComparison.Written] = [:]
            for place in places {
                let field = sync.mapping.targets[place].field
                guard let values = known[field.key] else { continue }
                out[place] = RecordComparison.Written(
                    last: values.last.flatMap { FieldImage.value($0, field.kind) },
                    next: values.next.flatMap { FieldImage.value($0, field.kind) })
            }
            return out
        } catch {
            throw .state(error)
        }
    }
}
