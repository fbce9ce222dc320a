// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// What happens in a run, for who writes it down.
package enum RunEvent: Sendable {
    /// The rest of this run was given up.
    case gaveUp(RunRecord)
    /// A new run is about to be written down, with this id: where that fails it may be on disk all the same.
    case begins(String)
    /// The run has begun, or goes on; nothing was read yet.
    case began(RunRecord, isResumed: Bool)
    /// It exceeds a limit because a person has said so.
    case passed(BlastRadius.Excess)
    /// How far it is.
    case progress(RunProgress)
    /// What became of rows that were sent, or that are in doubt.
    case delivered(DeliveredRows)
    /// A row was rejected before it was sent.
    case rejected(row: Int64, keyText: String, RejectReason)
    /// Fields of a row are held back by their guards.
    case held([HeldField])
    /// The run is over for now.
    case ended(RunReport)
}

/// A field that its guard has held back, for people.
package struct HeldField: Sendable, Hashable {
    /// The row's position in the run, from 1.
    package var row: Int64
    /// The source key for people.
    package var keyText: String
    /// The record.
    package var remoteID: String
    /// The target as the map spells it.
    package var field: String
    /// The guard.
    package var editGuard: EditGuard
    /// What the destination has; empty for nothing.
    package var live: String
    /// What the sync wrote last; nil where it never wrote the field, or that is not remembered.
    package var ours: String?
    /// What the row wants; empty for nothing.
    package var wanted: String

    /// A field of `row` that is held back.
    package init(_ conflict: RecordComparison.Conflict, _ row: DecidedRow, _ sync: OpenSync) {
        self.row = row.number
        keyText = row.keyText
        remoteID =
            switch row.fate {
            case .update(let id, _), .unchanged(let id, _): id
            default: ""
            }
        field = sync.mapping.targets[conflict.target].name
        editGuard = conflict.editGuard
        live = conflict.live
        ours = conflict.ours
        wanted = conflict.wanted
    }
}

/// A row that was sent, and what came of it.
package struct DeliveredRow: Sendable {
    /// How it ended.
    package enum Ending: Sendable, Hashable {
        /// As the destination said.
        case outcome(RowOutcome)
        /// The answer was lost.
        case lost
    }

    /// The row's position in the run, from 1.
    package var row: Int64
    /// The digest of the source key.
    package var key: Fingerprint
    /// The source key for people.
    package var keyText: String
    /// Whether a record was to be created; else one was to be changed.
    package var isCreate: Bool
    /// How it ended.
    package var ending: Ending
    /// The record, or nil.
    package var remoteID: String?
    /// The HTTP status of a refusal, or 0.
    package var httpStatus: Int
    /// The code of a refusal, or empty.
    package var code: String
    /// The words of a refusal, or empty.
    package var message: String
    /// What the request costs of a budget.
    package var tokens: Int64
    /// What was sent.
    package var fields: SentFields
    /// Whether the record was to be deleted.
    package var isDelete = false
}

/// What is told of a run while it goes on.
package struct RunProgress: Sendable {
    /// The counts so far.
    package var counts: RunCounts
    /// Rows that are decided and not yet settled.
    package var openRows: Int
    /// What the destination's connection has sent.
    package var meter: ConnectionHost.Meter
    /// What is waited for before rows whose answer was lost are asked about: how many, and how many milliseconds more.
    package var waiting: (rows: Int, milliseconds: Int64)?
}
