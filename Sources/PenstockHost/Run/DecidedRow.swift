// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

/// A row of the source with what is to be done about it.
package struct DecidedRow: Sendable {
    /// What is to be done.
    package enum Fate: Sendable {
        /// An earlier run settled it; it is not part of this run.
        case reread
        /// An interrupted attempt of this run settled it.
        case recovered(RowOutcome)
        /// It is at fault.
        ///
        /// What is at fault lies elsewhere, so that the many rows without a fault stay small.
        indirect case rejected(RejectReason)
        /// It has no record and is passed over.
        case skipped
        /// A person said that it is left out; the ledger says so already.
        case dropped
        /// The record already holds what the row says.
        ///
        /// - isKnown: Whether the ledger says so already, so that nothing is to be written down.
        case unchanged(id: String, isKnown: Bool)
        /// It may have been created before, and that cannot be told yet.
        ///
        /// - fault: What is wrong with it now, so that it cannot be sent.
        indirect case maybeCreated(fault: RejectReason?)
        /// Create a record.
        case create
        /// Set fields of a record: those that differ, where that is known, else all that the row has.
        case update(id: String, changes: [FieldChange]?)
        /// Whether there is anything to do cannot be known without asking the destination; only where nobody is asked.
        case undecided(id: String?)

        /// Whether the row goes to the destination.
        var isSent: Bool {
            switch self {
            case .create, .update: true
            default: false
            }
        }
    }

    /// The row's position in the run, from 1.
    package var number: Int64
    /// Its position in the chunk's batches.
    package var row: Int
    /// The digest of the source key.
    package var key: Fingerprint
    /// The source key for people.
    package var keyText: String
    /// The Incremental Key; NULL with FULL.
    package var cursor: Value
    /// The Incremental Key's exact text, or nil.
    package var cursorText: String?
    /// The digest of the row as it was read; nil where nothing will ask for it: with FULL and a source key.
    package var source: Fingerprint?
    /// The digest of what would be sent; nil for a row that was not mapped.
    package var payload: Fingerprint?
    /// What is to be done.
    package var fate: Fate
    private var rare = Rare.nothing

    /// What the ledger says, or nil.
    package var known: KnownRow? {
        get { rare.details?.known }
        set { if newValue != nil || known != nil { change { $0.known = newValue } } }
    }
    /// The fields that guards hold back; the others go.
    package var conflicts: [RecordComparison.Conflict] {
        get { rare.details?.conflicts ?? [] }
        set { change { $0.conflicts = newValue } }
    }
    /// What the record holds in the fields that an update changes, by target; nil where it was not looked at.
    var before: [Int: Value]? {
        get { rare.details?.before }
        set { change { $0.before = newValue } }
    }
    /// What the ledger is to say of the row where guards hold fields back, in place of ``payload``.
    var held: Fingerprint? {
        get { rare.details?.held }
        set { change { $0.held = newValue } }
    }

    /// Lets go of what an earlier look at the record has found.
    mutating func forgetLook() {
        if !conflicts.isEmpty { conflicts = [] }
        if before != nil { before = nil }
        if held != nil { held = nil }
    }

    /// What new rows do not have, and those without guards.
    private struct Details: Sendable {
        var known: KnownRow?
        var conflicts: [RecordComparison.Conflict] = []
        var before: [Int: Value]?
        var held: Fingerprint?
    }

    /// The details lie elsewhere, so that the rows of a first sync stay small.
    private enum Rare: Sendable {
        case nothing
        indirect case some(Details)

        var details: Details? { if case .some(let details) = self { details } else { nil } }
    }

    /// A row that was read.
    init(
        number: Int64, row: Int, key: Fingerprint, keyText: String, cursor: Value, cursorText: String?,
        source: Fingerprint?, payload: Fingerprint?, known: KnownRow?, fate: Fate
    ) {
        self.number = number
        self.row = row
        self.key = key
        self.keyText = keyText
        self.cursor = cursor
        self.cursorText = cursorText
        self.source = source
        self.payload = payload
        self.fate = fate
        if let known { rare = .some(Details(known: known)) }
    }

    private mutating func change(_ body: (inout Details) -> Void) {
        var details = rare.details ?? Details()
        body(&details)
        rare = .some(details)
    }

    /// Whether an update of the row sets less than what the row has.
    var setsSome: Bool {
        if case .update(_, .some) = fate { return true }
        return !conflicts.isEmpty
    }

    /// What the ledger says of the row once it is accepted.
    var accepted: Fingerprint? { conflicts.isEmpty ? payload : held }
}

/// Why a row is a reject.
package struct RejectReason: Sendable, Hashable, Error {
    /// Where it was found out: `source`, `key`, `map`, `check` or `deliver`.
    package var stage: String
    /// The kind of reason.
    package var code: String
    /// The field or column at fault, or empty.
    package var field: String
    /// The value at fault, or empty.
    package var value: String
    /// One sentence.
    package var message: String
    /// The record it is about, or nil.
    package var remoteID: String?
    /// The HTTP status of a refusal, or 0.
    package var httpStatus = 0

    /// Why a row is a reject.
    package init(
        stage: String, code: String, field: String = "", value: String = "", message: String, remoteID: String? = nil,
        httpStatus: Int = 0
    ) {
        self.stage = stage
        self.code = code
        self.field = field
        self.value = value
        self.message = message
        self.remoteID = remoteID
        self.httpStatus = httpStatus
    }
}

extension RejectReason {
    /// Why a row does not go that is found by `texts` of the field `name`: these records, two or more, have one of
    /// them.
    static func ambiguous(_ name: String, _ texts: [String], _ ids: [String]) -> RejectReason {
        let some = ids.prefix(2).joined(separator: " and ") + (ids.count > 2 ? " and more" : "")
        return RejectReason(
            stage: "check", code: "match-ambiguous", field: name, value: texts.joined(separator: ", "),
            message: texts.count == 1
                ? "Several records have this \(name): \(some)."
                : "Several records have a value of this \(name): \(some).")
    }

    init(_ reject: RowReject) {
        self.init(
            stage: "map", code: reject.code.rawValue, field: reject.field, value: reject.value,
            message: reject.message)
    }

    init(_ reject: SourceReject) {
        self.init(
            stage: "source", code: "source-value", field: reject.column, value: reject.value,
            message: reject.message)
    }
}

/// A field that a row would change.
package struct FieldChange: Sendable, Hashable {
    /// The target's place in the map.
    package var target: Int
    /// What the record holds, for display.
    package var old: String
    /// What the row says, for display.
    package var new: String
}

/// Records whose rows the source no longer has; they stay as they are.
package struct RemovedRows: Sendable {
    /// How many of them are named.
    static let examplesMax = 3

    /// How many there are.
    package var count: Int64
    /// The first of them: the source key for people, and the record.
    package var examples: [(keyText: String, remoteID: String?)] = []
}

/// Rows of one batch that are counted and not looked at again.
///
/// They are those that need nothing, and those of a plan that nobody is told of.
package struct QuietRows: Sendable, Hashable {
    /// Rows whose record holds what they say, as the ledger knows already: part of the run.
    package var unchanged: Int64 = 0
    /// Rows that an earlier run settled at exactly their Incremental Key: not part of the run.
    package var reread: Int64 = 0
    /// Rows that become a record each, where nobody wants to know more of them: part of the run.
    ///
    /// Only plans count so.
    package var created: Int64 = 0
    /// The largest Incremental Key among them, or nil.
    package var largestCursor: Value?

    /// Adds the rows of another batch.
    mutating func add(_ other: QuietRows) {
        unchanged += other.unchanged
        reread += other.reread
        created += other.created
        guard let cursor = other.largestCursor else { return }
        if largestCursor.map({ KeyOrder.compare($0, cursor) < 0 }) ?? true { largestCursor = cursor }
    }
}

/// The rows of one batch, decided, with the batches they came from.
package struct DecidedChunk: Sendable {
    /// The rows as they were read.
    package var source: RecordBatch
    /// The rows as they would be sent.
    package var mapped: MappedBatch
    /// What is to be done with each row that needs something, in their order.
    package var rows: [DecidedRow]
    /// The other rows of the fetch.
    package var quiet = QuietRows()
    /// The candidates of those of them that go to a record which no other row may go to.
    var quietCandidates: [RowSieve.Candidate] = []
    /// What ``source`` is known by; the same in all parts of a chunk.
    private(set) var origin = Origin()

    /// Knows a batch of rows again by being the same object.
    final class Origin: Sendable {}

    /// Lets go of the rows that need nothing, where they are many: the others may be on their way for long.
    mutating func shrink() {
        quietCandidates = []
        guard rows.count * 4 < source.rowCount else { return }
        let kept = rows.map(\.row)
        origin = Origin()
        source = RecordBatch(source.schema, source.columns.map { $0.selecting(kept) })
        mapped = mapped.selecting(kept)
        for place in rows.indices { rows[place].row = place }
    }
}
