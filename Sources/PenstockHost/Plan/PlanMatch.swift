// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// Holds the rows of a run against those of a plan.
///
/// Both usually come in the same order, and nothing is kept then. A row that comes elsewhere waits until its other half
/// has come.
final class PlanMatch {
    /// What a plan and the rows have in common.
    private struct Half {
        var action: PlanEntry.Action
        var payload: Fingerprint?
        /// Of a row of the run, ``payload`` with the keys of linked rows in place of ids; nil where nothing asks for
        /// it.
        var keyed: Fingerprint?
        /// Whether ``payload`` of a row of the plan has keys of linked rows in place of ids.
        var isLinked = false
        var remoteID: String?
        var row: Int64
        var keyText: String
        /// The digests of what the record holds, by field; nil where it was not looked at.
        var before: [String: String]?
        var isSettled = false
        /// Why the row itself is at fault, so that it would not have been planned; no such row is kept.
        var fault: Fault?
        /// The digest of the source key, where the plan is guarded.
        var key: Fingerprint?
        /// The targets that an update would empty whose record is looked at later; of a plan those are not known.
        var emptied: [Int] = []
        /// Whether it is an update whose record is looked at later.
        var waits = false
        /// Whether only the ledger knows that record, so that another one may be found in its place.
        var mayMove = false
        /// The fields that are sent, where the plan has compared them; nil else.
        var compared: Set<String>?

        /// Whether this row of a plan sends what `now` does.
        func sends(_ now: Half) -> Bool { payload == (isLinked ? now.keyed : now.payload) }
    }

    /// A reason that lies elsewhere, so that rows without one stay small.
    private indirect enum Fault {
        case reason(RejectReason)

        var reason: RejectReason {
            switch self {
            case .reason(let reason): reason
            }
        }
    }

    /// A row that waits for its other half; it lies elsewhere, so that the room that tables keep free is small.
    private final class Waiting {
        let half: Half

        init(_ half: Half) { self.half = half }
    }

    /// How many rows may wait for their other half, at some 300 bytes each.
    static let waitingMax = 250_000

    private let reader: PlanReader
    private let header: PlanHeader
    private let scribe: PlanScribe
    private let keyed: KeyedPayloads
    private let waitingMax: Int
    private var planned: [Fingerprint: Waiting] = [:]
    private var found: [Fingerprint: Waiting] = [:]
    /// How many rows wait for their other half.
    var waitingCount: Int { planned.count + found.count }
    private var ahead: (key: Fingerprint, half: Half)?
    private var hasEnded = false
    private var differences: PlanDifferences

    /// What a guarded plan has seen of the records; nil for another plan.
    let looks: PlannedLooks?
    /// What a guarded plan knows of updates whose record is looked at later.
    struct Seen {
        /// How many of them are none: the plan has found that there is nothing to send.
        var unplanned: Int64 = 0
        /// How many of them create a record: theirs was gone.
        var creates: Int64 = 0
        /// How many values they do not empty, by target: the record had none there.
        var notEmptied: [Int: Int64] = [:]
        /// How many values they empty or not, of which the plan knows it.
        var looked: Int64 = 0
    }
    private(set) var seen = Seen()
    private let names: [String]
    private let kinds: [DestinationField.Kind]
    /// Whether records can be looked at before their rows are sent.
    private let looksLater: Bool

    /// - Parameters:
    ///   - folder: On whose disk nameless files are made, if it comes to that.
    ///   - waitingMax: How many rows may wait for their other half.
    init(
        _ plan: SealedPlan, _ sync: OpenSync, _ mask: PlanMask, folder: String, waitingMax: Int = PlanMatch.waitingMax
    ) {
        self.waitingMax = waitingMax
        names = sync.mapping.targets.map(\.name)
        kinds = sync.mapping.targets.map(\.field.kind)
        looksLater = CompareCosts(sync.object.costs).readByID(1) != nil
        looks = plan.header.isGuarded ? PlannedLooks(sync, salt: plan.header.salt, folder: folder) : nil
        differences = PlanDifferences(mask)
        reader = plan.reader()
        header = plan.header
        keyed = KeyedPayloads(sync)
        scribe = PlanScribe(sync, mask, salt: plan.header.isGuarded ? plan.header.salt : nil)
    }

    /// Takes the rows of a chunk.
    ///
    /// - Throws: ``PlanFileProblem``.
    func take(_ chunk: DecidedChunk) throws(PlanFileProblem) {
        for row in chunk.rows {
            guard var half = half(row, chunk) else { continue }
            if !header.linked.isEmpty, half.fault == nil { half.keyed = keyed.payload(row, chunk) }
            if looks != nil { note(&half, row, chunk) }
            try take(row.key, half)
        }
    }

    /// Takes note of what is known of an update whose record is looked at later.
    private func note(_ half: inout Half, _ row: DecidedRow, _ chunk: DecidedChunk) {
        half.key = row.key
        guard looksLater, case .update(_, nil) = row.fate else { return }
        half.waits = true
        half.mayMove = chunk.mapped.idText(row.row) == nil
        // Of a record that was read for another reason it is known what the row empties.
        guard row.before == nil else { return }
        half.emptied = names.indices.filter {
            chunk.mapped.presence[row.row, $0] && FieldEmptiness.isEmpty(chunk.mapped.columns[$0], row.row, kinds[$0])
        }
    }

    /// What of the plan is no longer true, a clause a line; empty where all of it is.
    ///
    /// - Throws: ``PlanFileProblem``.
    func finish() throws(PlanFileProblem) -> [String] {
        for waiting in planned.values { note(.settled, waiting.half, waiting.half.action.rawValue) }
        planned = [:]
        // No row comes any more, so that nothing of the rest of the plan is kept.
        while let next = try peek() {
            ahead = nil
            if let other = found.removeValue(forKey: next.key) {
                try compare(next.half, other.half)
            } else {
                note(.settled, next.half, next.half.action.rawValue)
            }
        }
        for waiting in found.values { noteNew(waiting.half) }
        found = [:]
        return differences.clauses
    }

    /// Whether rows refer to records that another sync creates first; for after ``finish()``.
    var waitsForOthers: Bool { differences.has(.linked) }

    private func half(_ row: DecidedRow, _ chunk: DecidedChunk) -> Half? {
        switch row.fate {
        case .create, .update: break
        case .maybeCreated:
            return Half(action: .ask, payload: row.payload, row: row.number, keyText: row.keyText)
        case .recovered(let outcome) where [.created, .updated, .unchanged, .rejected].contains(outcome):
            // An interrupted attempt at this plan has settled it.
            return Half(action: .ask, row: row.number, keyText: row.keyText, isSettled: true)
        case .rejected(let reason) where ["source", "key", "map"].contains(reason.stage):
            return Half(action: .reject, row: row.number, keyText: row.keyText, isSettled: true, fault: .reason(reason))
        case .unchanged(id: _, isKnown: false), .rejected:
            // The record has changed since, so that there is nothing to send; that is no harm.
            return Half(
                action: .reject, payload: row.payload, row: row.number, keyText: row.keyText, isSettled: true)
        default: return nil
        }
        guard let entry = scribe.entry(row, chunk) else { return nil }
        return Self.half(entry)
    }

    private static func half(_ entry: PlanEntry) -> Half {
        var half = Half(
            action: entry.action, payload: entry.payload, remoteID: entry.remoteID, row: entry.row,
            keyText: entry.keyText)
        half.isLinked = !entry.linked.isEmpty
        half.before = before(entry)
        if entry.isCompared { half.compared = Set(entry.fields.map(\.name)) }
        return half
    }

    /// The digests of what the record of a row holds, by field; nil where it was not looked at.
    static func before(_ entry: PlanEntry) -> [String: String]? {
        let before = entry.fields.compactMap { field in field.before.map { (field.name, $0) } }
        guard entry.isCompared || !before.isEmpty else { return nil }
        return Dictionary(before, uniquingKeysWith: { first, _ in first })
    }

    /// The next row of the plan that something is to be sent for; nil at the end.
    private func peek() throws(PlanFileProblem) -> (key: Fingerprint, half: Half)? {
        while ahead == nil, !hasEnded {
            guard let entry = try reader.next() else {
                hasEnded = true
                break
            }
            if [.create, .update, .ask].contains(entry.action) { ahead = (entry.key, Self.half(entry)) }
            if let reason = entry.reason, reason.stage == "check" {
                // What its record was like is looked at once more, and what links to the row counts on this.
                try keep { (looks) throws(StateError) in
                    try looks.noteReject(entry.key, code: reason.code, id: entry.remoteID)
                }
            }
        }
        return ahead
    }

    private func take(_ key: Fingerprint, _ half: Half) throws(PlanFileProblem) {
        try drain()
        if let other = planned.removeValue(forKey: key) { return try compare(other.half, half) }
        guard let next = try peek() else {
            // Behind the end of the plan no other half comes, so the row is not kept.
            if !half.isSettled { noteNew(half) }
            return
        }
        if next.key == key {
            ahead = nil
            return try compare(next.half, half)
        }
        // A row for which nothing is sent usually has no other half.
        guard !half.isSettled else { return }
        // In the order of the plan a row before the next planned one has no other half.
        let isEarly = half.row < next.half.row
        if isEarly, waitingCount >= waitingMax, mayBeUnplanned(half) { return noteNew(half) }
        found[key] = Waiting(half)
        if !isEarly {
            planned[next.key] = Waiting(next.half)
            ahead = nil
        }
        try drain()
        guard waitingCount <= waitingMax else {
            throw PlanFileProblem(
                kind: .damaged,
                message: "\(found.count) rows are new, or come in another place than planned, and \(planned.count) "
                    + "planned ones have not come so far; no more are compared. Where rows come in another order each "
                    + "time, order the query of the model")
        }
    }

    /// Puts rows of the plan together with rows that have come before.
    private func drain() throws(PlanFileProblem) {
        while !found.isEmpty, let next = try peek(), let other = found.removeValue(forKey: next.key) {
            ahead = nil
            try compare(next.half, other.half)
        }
    }

    private func compare(_ planned: Half, _ now: Half) throws(PlanFileProblem) {
        if let fault = now.fault?.reason {
            if planned.isLinked, RowReject.Code.links.contains(where: { $0.rawValue == fault.code }) {
                return differences.noteLink(row: now.row, keyText: now.keyText, fault.message)
            }
            return note(.action, now, "\(planned.action.rawValue), now reject")
        }
        if now.isSettled {
            if now.payload != nil, planned.payload != nil, !planned.sends(now) {
                note(.values, now, planned.action.rawValue)
            }
            return
        }
        // Its create is on its way already: an interrupted attempt at this plan has sent it, or was about to.
        // What becomes of it if the row has changed since was not planned.
        if now.action == .ask, planned.action == .create {
            guard !planned.sends(now) else { return }
            return note(.values, now, planned.action.rawValue)
        }
        // Only the ledger knows its record, which was gone when the run was planned: it is looked at once more.
        let isGone = planned.action == .create && now.waits
        // Or another one was found in its place, as it is found again by that look.
        let hasMoved = planned.remoteID != now.remoteID
        guard isGone || (planned.action == now.action && (!hasMoved || now.mayMove)) else {
            return note(.action, now, "\(planned.action.rawValue), now \(now.action.rawValue)")
        }
        guard planned.sends(now) else {
            return note(.values, now, now.action.rawValue)
        }
        guard now.action == .update, let key = now.key else { return }
        try keep { (looks) throws(StateError) in
            guard !isGone else { return try looks.noteCreate(key) }
            try looks.noteUpdate(key, planned.before ?? [:], of: hasMoved ? planned.remoteID : nil)
        }
        if isGone { seen.creates += 1 }
        see(now, compared: isGone ? [] : planned.compared)
    }

    /// Keeps what the plan has seen of a record until it is looked at again.
    private func keep(_ body: (PlannedLooks) throws(StateError) -> Void) throws(PlanFileProblem) {
        do {
            if let looks { try body(looks) }
        } catch {
            throw PlanFileProblem(kind: .unwritable, message: "what the plan has seen cannot be kept: \(error)")
        }
    }

    /// Takes note of what the plan knows of an update whose record is looked at later.
    ///
    /// - Parameter compared: The fields that differed then; nil where the plan does not know.
    private func see(_ now: Half, compared: Set<String>?) {
        guard now.waits, let compared else { return }
        seen.looked += Int64(now.emptied.count)
        for target in now.emptied where !compared.contains(names[target]) {
            seen.notEmptied[target, default: 0] += 1
        }
    }

    /// Whether the plan may have found, with a look at its record, that nothing is to be sent for a row.
    private func mayBeUnplanned(_ half: Half) -> Bool {
        looks != nil && half.action == .update && (half.waits || half.before != nil)
    }

    /// A row that the plan does not have: with a guard it is one whose record is looked at before anything is sent.
    private func noteNew(_ half: Half) {
        guard mayBeUnplanned(half) else { return note(.added, half, half.action.rawValue) }
        if half.waits { seen.unplanned += 1 }
        see(half, compared: [])
    }

    /// The first field that is not as planned; nil where all of them are.
    static func changed(_ planned: [String: String], _ now: [String: String]) -> String? {
        guard planned != now else { return nil }
        return Set(planned.keys).union(now.keys).filter { planned[$0] != now[$0] }.min() ?? ""
    }

    /// The code of rows whose records no longer look as planned.
    private static let changedCode = "changed-since-plan"

    /// Why a row is left alone whose record no longer looks as planned.
    static func conflict(_ field: String, _ id: String?) -> RejectReason {
        RejectReason(
            stage: "check", code: changedCode, field: field,
            message: "The record no longer looks as it did when the run was planned; it was left alone.", remoteID: id)
    }

    /// Why a row is left alone that would change a record now, and was to do something else.
    static func unplanned(_ field: String, _ id: String?) -> RejectReason {
        RejectReason(
            stage: "check", code: changedCode, field: field,
            message: "This update was not planned: the row has changed since, or its record has; it was left alone.",
            remoteID: id)
    }

    /// What is known of a reject that an earlier attempt has kept.
    struct Kept: Equatable {
        var code: String
        var stage: String
    }

    /// The reject of a row whose record was gone: the next run must meet it again.
    static var gone: Kept { Kept(code: changedCode, stage: "deliver") }

    /// Whether a row is left alone because its record is gone since the plan was made.
    static func isGone(_ reason: RejectReason) -> Bool { Kept(code: reason.code, stage: reason.stage) == gone }

    /// Why a row is left alone whose record is gone since the plan was made.
    static func gone(_ id: String?) -> RejectReason {
        RejectReason(
            stage: "deliver", code: changedCode, field: "id", value: id ?? "",
            message: "The record is gone since the run was planned; the next run decides about the row anew.",
            remoteID: id, httpStatus: 404)
    }

    private func note(_ kind: PlanDifferences.Kind, _ half: Half, _ what: String) {
        differences.note(kind, row: half.row, keyText: half.keyText, what)
    }
}
