// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What earlier runs know of a row, as far as a decision needs it.
package struct KnownRow: Sendable, Hashable {
    /// What became of it last.
    package enum Outcome: Sendable, Hashable {
        /// Settled, this way.
        case settled(RowOutcome)
        /// A create was sent, or was about to be, and nothing is known of it.
        case maybeCreated
        /// Nothing that matters now.
        case open
    }

    /// What became of it last.
    package var outcome: Outcome
    /// Whether that was in the run that is being decided about.
    package var isOfThisRun: Bool
    /// The record that stands for the row, where one is known.
    package var remoteID: String?
    /// What was last accepted, or last refused.
    package var payload: Fingerprint?
    /// The Incremental Key it was last settled with.
    package var cursor: String?
    /// The row as it was read when it was last settled.
    package var source: Fingerprint?
    /// Whether a person said that the row, as it was, is left out.
    package var isDropped = false

    /// What earlier runs know of a row.
    package init(
        outcome: Outcome, isOfThisRun: Bool, remoteID: String?, payload: Fingerprint?, cursor: String?,
        source: Fingerprint? = nil
    ) {
        self.outcome = outcome
        self.isOfThisRun = isOfThisRun
        self.remoteID = remoteID
        self.payload = payload
        self.cursor = cursor
        self.source = source
    }

    /// Whether its record holds what was sent last.
    package var isAccepted: Bool {
        switch outcome {
        case .settled(.created), .settled(.updated), .settled(.unchanged): true
        default: false
        }
    }
}

/// A mapped row, as far as a decision needs it.
package struct CandidateRow: Sendable, Hashable {
    /// What would be sent: the digest of the present fields' values.
    package var payload: Fingerprint
    /// What stands in the ledger where the destination refused this payload as things are now.
    package var refusal: Fingerprint
    /// The id in the row, where `id` is mapped and not empty.
    package var remoteID: String?
    /// The Incremental Key's exact text; nil with FULL and for NULL.
    package var cursor: String?
    /// What stands in the ledger where this payload was accepted without fields that guards hold back.
    package var held: Fingerprint?
    /// Whether an update can be decided about only with the record at hand.
    package var needsRecord: Bool

    /// A mapped row.
    package init(
        payload: Fingerprint, refusal: Fingerprint? = nil, remoteID: String? = nil, cursor: String? = nil,
        held: Fingerprint? = nil, needsRecord: Bool = false
    ) {
        self.payload = payload
        self.refusal = refusal ?? payload
        self.held = held
        self.needsRecord = needsRecord
        self.remoteID = remoteID
        self.cursor = cursor
    }
}

/// What is to be done with a row.
package enum RowDecision: Sendable, Hashable {
    /// An interrupted attempt of this run settled it.
    case recovered(RowOutcome)
    /// An earlier run settled it at exactly this value; it is not part of this run.
    case reread
    /// It may have been created before: it is not sent again.
    case maybeCreated
    /// Create a record.
    case create
    /// Set the row's fields of this record.
    case update(String)
    /// Look at this record first.
    case compare(String)
    /// Find its record by the match field first.
    case match
    /// There is no record.
    case missing
    /// A person said that it is left out.
    case dropped
    /// Its record already holds this.
    case unchanged(String)
    /// It was refused before, with the same values.
    case rejectedBefore
}

/// Why nothing is to be done with a row.
package enum QuietDecision: Sendable, Hashable {
    /// Its record holds what it says, and the ledger knows.
    case unchanged
    /// An earlier run settled it at exactly this Incremental Key.
    case reread(Value)
}

/// Decides what is to be done with each row of a sync.
///
/// Performs nothing itself.
package struct RowDecider: Sendable {
    private let insert: InsertDefinition
    private let isIncremental: Bool
    private let comparesRemote: Bool
    private let isFullRefresh: Bool

    /// A decider for one sync.
    ///
    /// - Parameter isFullRefresh: Whether updates are looked at again although they were settled before.
    package init(_ fetch: FetchDefinition, _ insert: InsertDefinition, isFullRefresh: Bool = false) {
        self.insert = insert
        self.isFullRefresh = isFullRefresh
        isIncremental = fetch.mode == .incremental
        comparesRemote = insert.compare == .remote || insert.compare == .auto
    }

    /// Decides about a row that was mapped without a fault.
    package func decide(_ row: CandidateRow, _ known: KnownRow?) -> RowDecision {
        if let known {
            // An Append of a later run is about a record of its own.
            if known.isDropped, known.payload == row.payload, known.isOfThisRun || insert.mode == .update {
                return known.isOfThisRun ? .recovered(.skipped) : .dropped
            }
            if let early = settledBefore(row, known) { return early }
            if case .maybeCreated = known.outcome, mayCreate(row) { return .maybeCreated }
            if !isFullRefresh, case .settled(.rejected) = known.outcome, known.payload == row.refusal {
                return .rejectedBefore
            }
        }
        return insert.mode == .append ? .create : decideUpdate(row, known)
    }

    /// Decides about a row whose match field was looked up.
    ///
    /// - Parameter found: The ids of the records that carry its value; two or more are a reject.
    package func decideMatched(_ row: CandidateRow, found id: String?) -> RowDecision {
        guard let id else { return .missing }
        return comparesRemote || row.needsRecord ? .compare(id) : .update(id)
    }

    /// Whether there can be rows that ``quiet(hasSamePayload:cursor:)`` knows to need nothing.
    package var findsQuiet: Bool { isIncremental || (insert.mode == .update && usesLedger) }

    /// Whether every row becomes a record.
    package var isAppend: Bool { insert.mode == .append }

    /// What ``decide(_:_:)`` says of a row that an earlier run had accepted, where it says that nothing is to be done.
    ///
    /// - Parameters:
    ///   - hasSamePayload: Whether the row says what was accepted.
    ///   - cursor: The Incremental Key, which is the one that the row was settled with; nil with FULL, where the row
    ///     has a record, names no other one, and was settled without such a key.
    /// - Returns: Nil where it must be looked at more closely.
    package func quiet(hasSamePayload: Bool, cursor: Value?) -> QuietDecision? {
        guard let cursor, isIncremental else {
            return !isIncremental && !isAppend && usesLedger && hasSamePayload ? .unchanged : nil
        }
        return isAppend || (hasSamePayload && !isFullRefresh) ? .reread(cursor) : nil
    }

    /// Whether ``decide(_:_:)`` says of every row without a fault that it becomes a record: of rows that nobody knows,
    /// or of those that an earlier run had accepted.
    package func creates(isAccepted: Bool) -> Bool { isAppend && !(isAccepted && isIncremental) }

    private var usesLedger: Bool { insert.compare == .auto || insert.compare == .ledger }

    private func mayCreate(_ row: CandidateRow) -> Bool {
        insert.mode == .append || (insert.onMissing == .create && row.remoteID == nil)
    }

    private func settledBefore(_ row: CandidateRow, _ known: KnownRow) -> RowDecision? {
        guard case .settled(let outcome) = known.outcome else { return nil }
        let isRefused = outcome == .rejected
        // It was mended since, or what refused it has changed.
        if isRefused, known.payload != row.refusal { return nil }
        let isHeld = known.payload != nil && known.payload == row.held
        let hasSameValues = isRefused || known.payload == row.payload || isHeld
        // A NULL says nothing about the version of a row; its values then do.
        let isSameVersion = known.cursor == row.cursor && (row.cursor != nil || hasSameValues)
        if known.isOfThisRun {
            switch insert.mode {
            case .append: return !isIncremental || isSameVersion || row.cursor == nil ? .recovered(outcome) : nil
            case .update: return hasSameValues ? .recovered(outcome) : nil
            }
        }
        guard isIncremental, isSameVersion else { return nil }
        if insert.mode == .append { return .reread }
        return hasSameValues && !isFullRefresh ? .reread : nil
    }

    private func decideUpdate(_ row: CandidateRow, _ known: KnownRow?) -> RowDecision {
        // Whatever became of the row last, its record is its record.
        guard let id = row.remoteID ?? known?.remoteID else { return insert.match == "id" ? .missing : .match }
        if usesLedger, let known, known.isAccepted, known.remoteID == id {
            if known.payload == row.payload { return .unchanged(id) }
            // What a guard has held back may be free now.
            let isHeld = known.payload != nil && known.payload == row.held
            return row.needsRecord || isHeld ? .compare(id) : .update(id)
        }
        return comparesRemote || row.needsRecord ? .compare(id) : .update(id)
    }
}
