// SPDX-License-Identifier: Apache-2.0

/// What became of the rows of a run; the numbers always add up.
package struct RunCounts: Sendable, Hashable {
    /// Rows that the run is about, whatever became of them.
    package var fetched: Int64 = 0
    /// Rows that became a new record.
    package var created: Int64 = 0
    /// Rows whose record was changed.
    package var updated: Int64 = 0
    /// Rows whose record already was as they want it.
    package var unchanged: Int64 = 0
    /// Rows without a record that were to be passed over.
    package var skipped: Int64 = 0
    /// Rows at fault, stored with their reason.
    package var rejected: Int64 = 0
    /// Rows that may have been applied.
    package var unknown: Int64 = 0
    /// Rows that were fetched but not sent, or refused for the moment.
    package var notTried: Int64 = 0
    /// Rows read again that an earlier run had settled; outside ``fetched``.
    package var reread: Int64 = 0
    /// Rows of this run that an interrupted attempt had settled; inside ``fetched``.
    package var recovered: Int64 = 0
    /// Rows with a NULL in the Incremental Key; inside ``fetched``.
    package var nullKeys: Int64 = 0
    /// Fields that guards have held back, in rows that are counted by what became of their other fields.
    package var conflicts: Int64 = 0
    /// Rows with a record that the source no longer has; outside ``fetched``.
    package var removed: Int64 = 0

    /// Counts of nothing.
    package init() {}

    /// Whether every fetched row is accounted for exactly once.
    package var addUp: Bool {
        fetched == created + updated + unchanged + skipped + rejected + unknown + notTried
    }

    /// Whether every fetched row is settled.
    package var isSettled: Bool { unknown == 0 && notTried == 0 }

    /// The counts by name, in the order in which they are shown.
    package var named: [(name: String, value: Int64)] {
        [
            ("fetched", fetched), ("created", created), ("updated", updated), ("unchanged", unchanged),
            ("skipped", skipped), ("rejected", rejected), ("unknown", unknown), ("not_tried", notTried),
            ("reread", reread), ("recovered", recovered), ("null_keys", nullKeys),
            ("conflicts", conflicts), ("removed", removed),
        ]
    }

    /// Counts a row by its settled or open outcome.
    package mutating func add(_ outcome: RowOutcome, _ rows: Int64 = 1) {
        switch outcome {
        case .created: created += rows
        case .updated: updated += rows
        case .unchanged: unchanged += rows
        case .skipped: skipped += rows
        case .rejected: rejected += rows
        case .unknown: unknown += rows
        case .notTried: notTried += rows
        }
    }
}

/// What became of a row.
package enum RowOutcome: String, Sendable, Hashable, CaseIterable {
    /// A record was created.
    case created
    /// Its record was changed.
    case updated
    /// Its record already was as it should be.
    case unchanged
    /// It has no record and was passed over.
    case skipped
    /// It is at fault.
    case rejected
    /// It may have been applied.
    case unknown
    /// It was not sent, or refused for the moment.
    case notTried = "not_tried"

    /// Whether nothing is left to do for the row in this run.
    package var isSettled: Bool { self != .unknown && self != .notTried }
}
