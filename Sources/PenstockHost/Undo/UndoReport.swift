// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// What undoing a run would do, or has done.
package struct UndoReport: Sendable {
    /// One record that is put back, for display.
    package struct Example: Sendable, Hashable {
        /// The source key for people.
        package var keyText: String
        /// The record.
        package var remoteID: String
        /// The fields: as the map spelled them, what they hold, and what they held before.
        package var fields: [Field]
        /// Whether the record is deleted.
        package var isDelete: Bool
    }

    /// A field that is put back, for display.
    package struct Field: Sendable, Hashable {
        /// The field as the map spelled it.
        package var name: String
        /// What it holds.
        package var live: String
        /// What it held before.
        package var before: String
    }

    /// The run that is undone.
    package var undone: RunRecord
    /// The undoing run as it is stored; nil for a plan.
    package var run: RunRecord?
    /// The ids of the runs that have undone it before, in their order.
    package var undoneBy: [String] = []
    /// Records of the run that were looked at.
    package var records: Int64 = 0
    /// Records of which fields are put back.
    package var restored: Int64 = 0
    /// Fields that are put back.
    package var restoredFields: Int64 = 0
    /// Records that are deleted.
    package var deleted: Int64 = 0
    /// Records that are as they were before, or that were put back by an earlier undo.
    package var already: Int64 = 0
    /// Fields and records that are left as they are.
    package var conflictsTotal: Int64 = 0
    /// Records with a conflict.
    package var recordsInConflict: Int64 = 0
    /// Records of which nothing was put back, for nothing but conflicts.
    package var left: Int64 = 0
    /// Records that the destination refused to have changed.
    package var refused: Int64 = 0
    /// Fields that the destination refused, of records whose others were put back or tried.
    package var refusedFields: Int64 = 0
    /// Records that were not sent.
    package var notTried: Int64 = 0
    /// Updates of the run whose record nobody had looked at, so that nothing is known of what was there before.
    package var unknownBefore: Int64 = 0
    /// Records that the run created and that are not known here.
    package var unknownCreated: Int64 = 0
    /// The first conflicts.
    package var conflicts: [UndoConflict] = []
    /// The first records that are put back or deleted.
    package var examples: [Example] = []
    /// What was sent.
    package var meter = ConnectionHost.Meter()
    /// What putting back costs.
    package var restoreCost: Int64 = 0
    /// What deleting costs.
    package var deleteCost: Int64 = 0
    /// What is left of the daily budget, or nil where that is not known.
    package var budgetLeft: Int64?
    /// Why it stopped early, or nil.
    package var stop: RunStop?
    /// Whether it went on with an undo that was interrupted.
    package var isResumed = false
    /// What the plan said that was applied, or nil.
    package var predicted: PlanNumbers?

    /// What carrying it out costs, the looking included, which is done again then.
    package var cost: Int64 { meter.spent + restoreCost + deleteCost }
    /// The requests that carrying it out takes.
    package var requests: Int64 { meter.requestsTotal + restored + deleted }
    /// Whether anything is to be sent.
    package var hasWork: Bool { restored + deleted > 0 }

    /// What the record of the run holds, by name.
    var counts: [String: Int64] {
        [
            "fetched": records, "updated": restored, "deleted": deleted, "unchanged": already,
            "conflicts": conflictsTotal, "skipped": left, "rejected": refused, "not_tried": notTried,
        ]
    }

    /// What carrying it out is to do and to cost; of a plan.
    package var numbers: PlanNumbers {
        var numbers = PlanNumbers()
        numbers.counts = counts
        numbers.requests = requests
        numbers.tokens = cost
        return numbers
    }

    /// Whether everything came as the plan said that was applied; nil where that is not to be told.
    ///
    /// An undo that goes on with an interrupted one sees only the rest.
    package var isAsPlanned: Bool? {
        guard let predicted, !isResumed else { return nil }
        return predicted.requests == meter.requestsTotal && predicted.tokens == meter.spent
            && predicted.counts == counts
    }

    init(undone: RunRecord) { self.undone = undone }
}

/// Why a run cannot be undone.
package enum UndoProblem: Error, Sendable, Hashable {
    /// Nothing is kept of it.
    case nothingKept
    /// It has written records of this object, and the sync writes others now.
    case otherObject(String)
    /// So many creates of it may have been carried out, and nobody knows.
    case lostCreates(Int)
}
