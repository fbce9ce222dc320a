// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// A kept plan of an undo that is applied.
package struct UndoTerms: Sendable {
    /// The plan.
    package var plan: SealedPlan
    /// What there is now of what it was made from, as far as the connection and the files say it.
    package var pins: [PlanPin]

    /// A plan that is applied.
    package init(plan: SealedPlan, pins: [PlanPin]) {
        self.plan = plan
        self.pins = pins
    }

    /// Why the plan is not applied, by the files, the connection and the connector; nil where these are the same.
    package var refusal: RunRefusal? {
        // The fields and the run are looked at once the destination is open.
        let planned = plan.header.pins.filter { $0.kind != .field && $0.kind != .state }
        let differences = PlanPin.differences(planned, pins)
        return differences.isEmpty ? nil : stale(differences)
    }

    /// A refusal because what the plan was made from has changed.
    func stale(_ differences: [String]) -> RunRefusal {
        RunRefusal(
            .stalePlan, "the plan \(plan.path) is no longer true; nothing was sent",
            notes: differences + ["plan again, and look at it: penstock undo \(plan.header.undoes ?? "RUN") -O FILE"])
    }
}

/// Writes down what an undo does with records, for people and for files.
package struct UndoScribe: Sendable {
    private let mask: PlanMask
    private let salt: String

    /// A scribe.
    ///
    /// - Parameters:
    ///   - mask: What is not shown.
    ///   - salt: A text of the plan alone, which goes into the digests of its values.
    package init(_ mask: PlanMask, salt: String) {
        self.mask = mask
        self.salt = salt
    }

    /// What is said of a record; nothing of one that is as it was before.
    func entries(_ item: UndoItem, _ decider: UndoDecider) -> [PlanEntry] {
        var entries: [PlanEntry] = []
        if item.hasWork {
            var entry = entry(item, item.isDelete ? .delete : .restore)
            entry.payload = digest(item)
            entry.isCompared = !item.isDelete
            entry.fields = item.fields.map { field in
                let name = decider.name(field.image.field)
                let isMasked = isMasked(name) || isMasked(field.image.field)
                return PlanEntry.Field(
                    name: name, old: isMasked ? PlanMask.dots : decider.text(field.live, field.image),
                    new: isMasked ? PlanMask.dots : decider.text(field.image.before, field.image))
            }
            entries.append(entry)
        }
        for conflict in item.conflicts {
            var entry = entry(item, .leave)
            let isMasked = isMasked(conflict.field) || isMasked(decider.key(conflict.field))
            func shown(_ value: String) -> String {
                isMasked ? PlanMask.dots : value.isEmpty ? "(empty)" : value
            }
            entry.reason = RejectReason(
                stage: "undo", code: conflict.reason.rawValue, field: conflict.field,
                value: conflict.field.isEmpty || conflict.live.isEmpty ? "" : shown(conflict.live),
                message: conflict.sentence(shown), remoteID: conflict.remoteID)
            entries.append(entry)
        }
        return entries
    }

    private func entry(_ item: UndoItem, _ action: PlanEntry.Action) -> PlanEntry {
        PlanEntry(
            action, row: item.place, key: item.image.key, keyText: mask.hidesKey ? PlanMask.dots : item.keyText,
            remoteID: item.image.remoteID)
    }

    private func isMasked(_ field: String) -> Bool { mask.fields.contains(field) }

    /// The digest of what is done with a record: by it an undo knows it again.
    func digest(_ item: UndoItem) -> Fingerprint {
        var hasher = FingerprintHasher()
        hasher.combine(salt)
        hasher.combine(item.isDelete ? "delete" : "restore")
        hasher.combine(item.image.remoteID)
        for field in item.fields {
            hasher.combine(field.image.field)
            hasher.combine(field.image.kind.rawValue)
            // What the record holds now is what the run wrote: nothing else is put back.
            hasher.combine(FieldImage.json(field.image.after).text)
            hasher.combine(FieldImage.json(field.image.before).text)
        }
        if item.isDelete { hasher.combine(item.image.mark.map { String($0, radix: 16) }.joined(separator: ".")) }
        return hasher.finish()
    }
}

/// Holds the records of an undo against a kept plan.
///
/// Both come in the order in which the run has touched the records, so that nothing of them is kept. Used from one
/// thread.
final class UndoMatch {
    private let reader: PlanReader
    private let scribe: UndoScribe
    private var ahead: PlanEntry?

    init(_ plan: SealedPlan) {
        reader = plan.reader()
        scribe = UndoScribe(PlanMask(), salt: plan.header.salt)
    }

    /// What is done with a record: what was planned, or nothing.
    ///
    /// A record of which now less, more or something else would be put back is left alone as a whole.
    ///
    /// - Throws: ``RunStop`` `state` where the plan cannot be read any more.
    func held(_ item: UndoItem, _ decider: UndoDecider) throws(RunStop) -> UndoItem {
        let planned = try entry(at: item.place)
        guard item.hasWork else { return item }
        if let planned, planned.key == item.image.key, planned.payload == scribe.digest(item) { return item }
        var held = item
        held.fields = []
        held.isDelete = false
        held.conflicts.append(decider.conflict(item, .changedSincePlan))
        return held
    }

    /// What the plan does with the record at a place; nil where it does nothing.
    private func entry(at place: Int64) throws(RunStop) -> PlanEntry? {
        do {
            while true {
                if ahead == nil { ahead = try reader.next() }
                guard let entry = ahead, entry.row <= place else { return nil }
                ahead = nil
                if entry.row == place, entry.payload != nil { return entry }
            }
        } catch {
            throw .state(.internal(error.message))
        }
    }
}
