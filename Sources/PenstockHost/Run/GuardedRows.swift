// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// The rows of a guarded plan, or of the run that applies it: the record of each row that changes one is looked at right
/// before the row is handed on.
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

    /// How many rows may be on their way, or wait to be, when the next ones are looked at.
    static let openMax = 100

    private let base: any DecidedRows
    private let pipeline: RowPipeline
    private let planned: PlannedLooks?
    /// How many records are looked at together; 0 where records cannot be read by id.
    private let groupMax: Int
    private var waiting: [Waiting] = []
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
        groupMax = pipeline.costs.readByID(1) == nil ? 0 : max(1, pipeline.costs.groupMax)
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
                waiting.append(Waiting(chunk))
                if chunk.rows.isEmpty, places.isEmpty { handOn() }
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
        var records: [String: RecordBatch] = [:]
        let parts = pipeline.costs.readsOneByOne(ids.count) ? ids.map { [$0] } : [ids]
        for part in parts where !part.isEmpty && !pipeline.sync.destinationHost.isCancelled {
            try keepUp?()
            records.merge(try pipeline.remote.records(part)) { first, _ in first }
        }
        // What was not looked at for a wish to stop is not sent either: the run ends before these rows are taken.
        if pipeline.sync.destinationHost.isCancelled {
            (waiting, places, ids) = ([], [], [])
            (hasEnded, isCut) = (true, true)
            return
        }
        for place in places { try settle(place, records[place.id]) }
        places.removeAll(keepingCapacity: true)
        ids.removeAll(keepingCapacity: true)
        rowsSince = 0
        handOn()
    }

    private func settle(_ place: Place, _ record: RecordBatch?) throws(RunStop) {
        let mapped = waiting[place.chunk].chunk.mapped
        var row = waiting[place.chunk].chunk.rows[place.row]
        let seen = try planned?.of(row.key)
        if record == nil, mapped.idText(row.row) == nil, case .update = seen {
            // Only the ledger knew the record: nothing takes its place that was not planned.
            row.known?.remoteID = nil
            row.fate = .rejected(PlanMatch.gone(place.id))
        } else {
            row.forgetLook()
            try pipeline.settle(&row, place.id, record, mapped)
            try pipeline.claimCreate(&row, mapped)
            if case .update = row.fate, row.before?.isEmpty ?? false, case .update(let before) = seen, !before.isEmpty {
                // It was sent by an attempt that did not come to write that down.
                row.fate = .unchanged(id: place.id, isKnown: false)
            }
        }
        waiting[place.chunk].chunk.rows[place.row] = row
        try judge(place)
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
        let part = DecidedChunk(
            source: first.chunk.source, mapped: first.chunk.mapped,
            rows: Array(first.chunk.rows[first.handed..<first.scanned]))
        ready.append(part)
        waiting[0].handed = first.scanned
    }
}

/// What a guarded plan has seen of the records that its rows change; for any number of rows in a fixed amount of memory.
///
/// Used from one thread.
final class PlannedLooks {
    /// What was planned for a row whose record was to be looked at.
    enum Seen {
        /// The record was to be changed, and held this: digests by field.
        case update([String: String])
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
    func noteUpdate(_ key: Fingerprint, _ before: [String: String]) throws(StateError) {
        var object = JSONObject()
        for (name, digest) in before.sorted(by: { $0.key < $1.key }) { object.append(name, .string(digest)) }
        try texts.set(key, JSON.object(object).text)
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
            var before: [String: String] = [:]
            // It is what was written above.
            for member in (try? JSON(parsing: text))?.objectValue?.members ?? [] {
                before[member.key] = member.value.stringValue
            }
            return .update(before)
        } catch {
            throw .spool(error)
        }
    }

    /// Why a row is left alone whose record was looked at; nil where it may go on.
    func objection(to row: DecidedRow, _ chunk: DecidedChunk, _ id: String) throws(RunStop) -> RejectReason? {
        switch (row.fate, try of(row.key)) {
        case (.update, .update(let planned)):
            let now = scribe.entry(row, chunk).map(PlanMatch.before) ?? nil
            return PlanMatch.changed(planned, now ?? [:]).map { PlanMatch.conflict($0, id) }
        case (.update, _):
            let now = scribe.entry(row, chunk).map(PlanMatch.before) ?? nil
            return PlanMatch.conflict(now?.keys.min() ?? "", id)
        case (.create, .update), (.create, .nothing), (.create, .reject): return PlanMatch.gone(id)
        default: return nil
        }
    }
}
