// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// The rows of a guarded plan, or of the run that applies it: the record of each row that changes one is looked at
/// right before the row is handed on.
///
/// Records are read by id, as many together as one request can read; the rows wait until so many have come, and go on
/// together. A plan and its run form the same groups, so that both cost the same. Memory does not grow with the rows.
final class GuardedRows: DecidedRows {
    /// A chunk of which rows wait.
    private struct Waiting {
        var chunk: DecidedChunk
        /// How many of its rows were looked through.
        var scanned = 0
        /// How many of them were handed on.
        var handed = 0

        init(_ chunk: DecidedChunk) { self.chunk = chunk }
    }

    /// A row that waits for a look at its record.
    private struct Place {
        var chunk: Int
        var row: Int
        var id: String
    }

    /// How many rows may be on their way, or wait to be, when the next ones are looked at; and how many these are at
    /// most.
    ///
    /// Whatever the object says of rows at once: what lies between the look and the request is time to edit a record
    /// in.
    static let openMax = 100

    /// What it costs to look at the records of a sync.
    static func costs(_ sync: OpenSync) -> CompareCosts {
        var costs = sync.object.costs
        costs.readByIDsMax = min(costs.readByIDsMax, openMax)
        return CompareCosts(costs)
    }

    private let base: any DecidedRows
    private let pipeline: RowPipeline
    private let planned: PlannedLooks?
    private let costs: CompareCosts
    /// How many records are looked at together; 0 where records cannot be read by id.
    private let groupMax: Int
    private var waiting: [Waiting] = []
    /// How many chunks wait, with what they hold.
    var waitingCount: Int { waiting.count }
    private var places: [Place] = []
    private var ids: [String] = []
    /// Rows since the first of `places`.
    private var rowsSince = 0
    private var ready: [DecidedChunk] = []
    private var hasEnded = false
    /// Whether it was ended by a wish to stop.
    private var isCut = false

    /// The rows of `base`.
    ///
    /// - Parameters:
    ///   - pipeline: Where they come from, and what looks at records.
    ///   - planned: What a plan has seen, or nil while it is made.
    init(_ base: any DecidedRows, _ pipeline: RowPipeline, _ planned: PlannedLooks?) {
        self.base = base
        self.pipeline = pipeline
        self.planned = planned
        costs = Self.costs(pipeline.sync)
        groupMax = costs.readByID(1) == nil ? 0 : max(1, costs.groupMax)
    }

    var isExhausted: Bool { base.isExhausted && waiting.isEmpty && ready.isEmpty && !isCut }
    var isAtLimit: Bool { base.isAtLimit }
    var postponedFrom: Value? { base.postponedFrom }
    var openWriters: OpenWriters? { base.openWriters }
    var continuations: Int { base.continuations }
    var keepUp: (() throws(RunStop) -> Void)? {
        get { base.keepUp }
        set { base.keepUp = newValue }
    }

    func removedRows() throws(RunStop) -> RemovedRows? { try base.removedRows() }

    func noteListCost(in store: StateStore) throws(RunStop) { try base.noteListCost(in: store) }

    func countRest(within milliseconds: Int64) -> Int64? {
        let held = waiting.reduce(0) { $0 + $1.chunk.rows.count - $1.handed } + ready.reduce(0) { $0 + $1.rows.count }
        return base.countRest(within: milliseconds).map { $0 + Int64(held) }
    }

    func close() { base.close() }

    var secondLook: SecondLook? { SecondLook(pipeline, planned) }

    func next() throws(RunStop) -> DecidedChunk? {
        while ready.isEmpty {
            if let last = waiting.indices.last, waiting[last].scanned < waiting[last].chunk.rows.count {
                try scan(last)
            } else if hasEnded {
                guard !waiting.isEmpty else { return nil }
                try look()
            } else if let chunk = try base.next() {
                if chunk.rows.isEmpty, let last = waiting.indices.last {
                    // Chunks of nothing but quiet rows go on with the one that waits, however many they are.
                    waiting[last].chunk.quiet.add(chunk.quiet)
                } else {
                    waiting.append(Waiting(chunk))
                    if chunk.rows.isEmpty { handOn() }
                }
            } else {
                hasEnded = true
            }
        }
        return ready.removeFirst()
    }

    /// Looks through the rows of a chunk until enough wait for a look at their records.
    private func scan(_ chunk: Int) throws(RunStop) {
        while waiting[chunk].scanned < waiting[chunk].chunk.rows.count {
            let place = waiting[chunk].scanned
            waiting[chunk].scanned += 1
            if case .update(let id, _) = waiting[chunk].chunk.rows[place].fate {
                if groupMax == 0 { try judge(Place(chunk: chunk, row: place, id: id)) } else { add(chunk, place, id) }
            }
            if !places.isEmpty { rowsSince += 1 }
            if ids.count == groupMax && groupMax > 0 || rowsSince >= RowPipeline.heldRowsMax { return try look() }
        }
        if places.isEmpty { handOn() }
    }

    private func add(_ chunk: Int, _ row: Int, _ id: String) {
        places.append(Place(chunk: chunk, row: row, id: id))
        if !ids.contains(id) { ids.append(id) }
    }

    /// Looks at the records that rows wait for, decides about these rows, and hands on what was looked through.
    private func look() throws(RunStop) {
        var found = try records(ids)
        if !pipeline.sync.destinationHost.isCancelled {
            for place in places { try settle(place, found[place.id]) }
            // What match has found in place of others may have been read long ago.
            let moved = places.compactMap(moved)
            ids = []
            for place in moved where !ids.contains(place.id) { ids.append(place.id) }
            found = try records(ids)
            for place in moved { try settleMoved(place, found[place.id]) }
            for place in places { try judge(place) }
        }
        // What was not looked at for a wish to stop is not sent either: the run ends before these rows are taken.
        if pipeline.sync.destinationHost.isCancelled {
            (waiting, places, ids) = ([], [], [])
            (hasEnded, isCut) = (true, true)
            return
        }
        places.removeAll(keepingCapacity: true)
        ids.removeAll(keepingCapacity: true)
        rowsSince = 0
        handOn()
    }

    /// The records with these ids, as far as nobody wishes to stop.
    private func records(_ ids: [String]) throws(RunStop) -> [String: RecordBatch] {
        var records: [String: RecordBatch] = [:]
        let parts = costs.readsOneByOne(ids.count) ? ids.map { [$0] } : [ids]
        for part in parts where !part.isEmpty && !pipeline.sync.destinationHost.isCancelled {
            try keepUp?()
            records.merge(try pipeline.remote.records(part)) { first, _ in first }
        }
        return records
    }

    /// The row with the record that it goes to now, where that is another one than was looked at.
    private func moved(_ place: Place) -> Place? {
        guard case .update(let id, _) = waiting[place.chunk].chunk.rows[place.row].fate, id != place.id else {
            return nil
        }
        return Place(chunk: place.chunk, row: place.row, id: id)
    }

    /// Decides about a row whose record was found in place of another one, now that it was looked at by its id.
    private func settleMoved(_ place: Place, _ record: RecordBatch?) throws(RunStop) {
        let mapped = waiting[place.chunk].chunk.mapped
        var row = waiting[place.chunk].chunk.rows[place.row]
        if let record {
            row.forgetLook()
            try pipeline.settle(&row, place.id, record, mapped)
            let seen = try planned?.of(row.key)
            noteOwn(&row, seen)
        } else if planned != nil {
            row.fate = .rejected(PlanMatch.gone(place.id))
        }
        waiting[place.chunk].chunk.rows[place.row] = row
    }

    private func settle(_ place: Place, _ record: RecordBatch?) throws(RunStop) {
        let mapped = waiting[place.chunk].chunk.mapped
        var row = waiting[place.chunk].chunk.rows[place.row]
        let seen = try planned?.of(row.key)
        if record == nil, mapped.idText(row.row) == nil, case .update(_, other: nil) = seen {
            // Only the ledger knew the record: nothing takes its place that was not planned.
            row.known?.remoteID = nil
            row.fate = .rejected(PlanMatch.gone(place.id))
        } else {
            row.forgetLook()
            try pipeline.settle(&row, place.id, record, mapped)
            try pipeline.claimAnew(&row, place.id, mapped)
            noteOwn(&row, seen)
        }
        waiting[place.chunk].chunk.rows[place.row] = row
    }

    /// Makes a planned update unchanged that was sent by an attempt which did not come to write that down.
    private func noteOwn(_ row: inout DecidedRow, _ seen: PlannedLooks.Seen?) {
        guard case .update(let id, _) = row.fate, row.before?.isEmpty ?? false else { return }
        if case .update(let before, _) = seen, !before.isEmpty { row.fate = .unchanged(id: id, isKnown: false) }
    }

    /// Makes a row a reject that does something else than was planned, now that its record was looked at.
    private func judge(_ place: Place) throws(RunStop) {
        guard let planned else { return }
        let chunk = waiting[place.chunk].chunk
        if let reason = try planned.objection(to: chunk.rows[place.row], chunk, place.id) {
            if PlanMatch.isGone(reason) { waiting[place.chunk].chunk.rows[place.row].known?.remoteID = nil }
            waiting[place.chunk].chunk.rows[place.row].fate = .rejected(reason)
        }
    }

    /// Hands on what was looked through.
    private func handOn() {
        while let first = waiting.first, first.scanned == first.chunk.rows.count {
            var chunk = first.chunk
            if first.handed > 0 { chunk.rows.removeFirst(first.handed) }
            ready.append(chunk)
            waiting.removeFirst()
        }
        guard let first = waiting.first, first.scanned > first.handed else { return }
        var part = first.chunk
        part.rows = Array(first.chunk.rows[first.handed..<first.scanned])
        part.quiet = QuietRows()
        ready.append(part)
        waiting[0].handed = first.scanned
    }
}

/// What a guarded plan has seen of the records that its rows change; for any number of rows in a fixed amount of
/// memory.
///
/// Used from one thread.
final class PlannedLooks {
    /// What was planned for a row whose record was to be looked at.
    enum Seen {
        /// The record was to be changed, and held this: digests by field.
        ///
        /// - other: Its id, where it was found in place of the one that the ledger names.
        case update([String: String], other: String?)
        /// The record was gone, and another one was to be created.
        case create
        /// It was to be rejected, with this code; the record that this was about, or nil.
        case reject(code: String, id: String?)
        /// Nothing was to be sent.
        case nothing
    }

    private let texts: KeyTexts
    private let scribe: PlanScribe

    /// Nothing was planned yet.
    ///
    /// - Parameter folder: On whose disk a nameless file is made, if it comes to that.
    init(_ sync: OpenSync, salt: String, folder: String) {
        texts = KeyTexts(folder: folder)
        scribe = PlanScribe(sync, PlanMask(), salt: salt)
    }

    /// Takes note that a record was to be changed.
    ///
    /// - Parameter other: Its id, where it was found in place of the one that the ledger names; else nil.
    func noteUpdate(_ key: Fingerprint, _ before: [String: String], of other: String? = nil) throws(StateError) {
        var object = JSONObject()
        for (name, digest) in before.sorted(by: { $0.key < $1.key }) { object.append(name, .string(digest)) }
        let json = JSON.object(object)
        try texts.set(key, (other.map { .array([.string($0), json]) } ?? json).text)
    }

    /// Takes note that a record was to be created.
    func noteCreate(_ key: Fingerprint) throws(StateError) { try texts.set(key, Self.created) }

    /// Takes note that the row was to be rejected.
    func noteReject(_ key: Fingerprint, code: String, id: String?) throws(StateError) {
        try texts.set(key, Self.rejected + ([code] + (id.map { [$0] } ?? [])).joined(separator: " "))
    }

    private static let created = "create"
    private static let rejected = "!"

    /// What was planned for the row with this key.
    func of(_ key: Fingerprint) throws(RunStop) -> Seen {
        do {
            guard let text = try texts.text(of: key) else { return .nothing }
            if text == Self.created { return .create }
            if text.hasPrefix(Self.rejected) {
                let words = text.dropFirst().split(separator: " ", maxSplits: 1).map { String($0) }
                return .reject(code: words.first ?? "", id: words.count > 1 ? words[1] : nil)
            }
            // It is what was written above.
            let json = try? JSON(parsing: text)
            var before: [String: String] = [:]
            for member in (json?.arrayValue?.last ?? json)?.objectValue?.members ?? [] {
                before[member.key] = member.value.stringValue
            }
            return .update(before, other: json?.arrayValue?.first?.stringValue)
        } catch {
            throw .spool(error)
        }
    }

    /// Why a row is left alone whose record was looked at; nil where it may go on.
    ///
    /// - Parameter id: The record that was looked at.
    func objection(to row: DecidedRow, _ chunk: DecidedChunk, _ id: String) throws(RunStop) -> RejectReason? {
        switch (row.fate, try of(row.key)) {
        case (.update(let found, _), .update(let planned, let other)) where found == other ?? id:
            let now = scribe.entry(row, chunk).map(PlanMatch.before) ?? nil
            return PlanMatch.changed(planned, now ?? [:]).map { PlanMatch.conflict($0, found) }
        case (.update(let found, _), _):
            let now = scribe.entry(row, chunk).map(PlanMatch.before) ?? nil
            return PlanMatch.unplanned(now?.keys.min() ?? "", found)
        case (.create, .update(_, let other)): return PlanMatch.gone(other ?? id)
        case (.create, .nothing), (.create, .reject): return PlanMatch.gone(id)
        default: return nil
        }
    }
}
