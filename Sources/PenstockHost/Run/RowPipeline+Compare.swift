// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// The chunks that wait until the records behind their rows were looked at.
///
/// Rows of several chunks are looked at together, so that groups are full; and a source that ends within the chunks
/// that are held is known to its last row before anything is read.
struct HeldChunks {
    /// A row of a chunk that is held.
    struct Place {
        /// The number of its chunk.
        var chunk: Int
        /// Its place among the rows of the chunk.
        var row: Int
    }

    /// A chunk with what is needed to take it.
    struct Held {
        /// The chunk.
        var chunk: DecidedChunk
        /// The batch that it came of.
        let read: SourceBatch
        /// The records of its rows that need nothing.
        let targets: [RunTargets.Quiet]
        /// How many of its rows wait.
        fileprivate var openRows = 0

        /// A chunk none of whose rows waits yet.
        init(_ chunk: DecidedChunk, _ read: SourceBatch, _ targets: [RunTargets.Quiet]) {
            self.chunk = chunk
            self.read = read
            self.targets = targets
        }
    }

    private var held: [Held] = []
    private var firstNumber = 0
    /// The rows that wait, by record.
    var queue: CompareQueue<Place>

    /// No chunk.
    ///
    /// - Parameter pageRecords: How many records a page of the list has; 0 where there is no list.
    init(pageRecords: Int) { queue = CompareQueue(pageRecords: pageRecords) }

    /// Whether no chunk is held.
    var isEmpty: Bool { held.isEmpty }

    /// Whether the first chunk waits for a look at records.
    var waits: Bool { held.first.map { $0.openRows > 0 } ?? false }

    /// How many rows of the source are held.
    var rowCount: Int { held.reduce(0) { $0 + $1.read.batch.rowCount } }

    /// Holds a chunk some of whose rows wait for a record each.
    mutating func add(_ chunk: Held, _ open: [(index: Int, id: String)], mustLook: (Int) -> Bool) {
        for (index, id) in open {
            queue.add(id, Place(chunk: firstNumber + held.count, row: index), mustLook: mustLook(index))
        }
        held.append(chunk)
        held[held.count - 1].openRows = open.count
    }

    /// Takes the first chunk, none of whose rows waits any more.
    mutating func removeFirst() -> Held {
        firstNumber += 1
        return held.removeFirst()
    }

    /// Settles a row.
    mutating func settle<E: Error>(
        _ place: Place, _ body: (inout DecidedRow, MappedBatch) throws(E) -> Void
    ) throws(E) {
        let index = place.chunk - firstNumber
        held[index].openRows -= 1
        // A copy of the batches costs two counts of owners; the row is changed where it lies.
        let mapped = held[index].chunk.mapped
        try body(&held[index].chunk.rows[place.row], mapped)
    }
}

extension RowPipeline {
    /// What follows for a row that has no record.
    func missing(_ row: DecidedRow, _ mapped: MappedBatch) -> DecidedRow.Fate {
        switch sync.definition.insert.onMissing {
        case .skip: return .skipped
        case .create:
            if let reject = mapped.createRejects.first(where: { $0.row == row.row }) {
                return .rejected(RejectReason(reject.reject))
            }
            return .create
        case .reject:
            let match = sync.definition.insert.match
            return .rejected(
                RejectReason(
                    stage: "check", code: match == "id" ? "id-missing" : "match-missing", field: match,
                    value: mapped.matchText(row.row) ?? "",
                    message: match == "id"
                        ? "The row has no id, and an update needs one; see insert.on_missing."
                        : "No \(sync.object.id) has this \(match); see insert.on_missing."))
        }
    }

    /// What follows for a row that is sent whatever its record holds.
    ///
    /// - Parameter record: The record, where it was read to find it; else what the list has shown of it counts.
    func update(
        _ row: inout DecidedRow, _ id: String, _ record: RecordBatch?, _ mapped: MappedBatch
    ) throws(RunStop) -> DecidedRow.Fate {
        guard guards.keepsBefore else { return .update(id: id, changes: nil) }
        var read = record
        if read == nil { read = try remote.indexed(id) }
        if let read { guards.note(&row, read, mapped, comparison) }
        return .update(id: id, changes: nil)
    }

    /// The most rows that are held until their records were looked at.
    static let heldRowsMax = 4 * batchRows
    /// The name under which the state keeps what the whole list of records cost last.
    static let listCostSetting = "compare_list_cost"

    /// Does one step towards the records that rows of the held chunks wait for.
    ///
    /// - Throws: ``RunStop``.
    func lookUp() throws(RunStop) {
        try keepUp?()
        if sync.destinationHost.isOffline { return try settleKept() }
        if remote.knowsAll { return try settleListed() }
        let before = remote.spent
        let first = held.queue.first(max(1, costs.groupMax))
        let looksAlways = sync.definition.insert.compare == .remote || looksHere
        let mustLook = looksAlways || held.queue.mustLook(first)
        let demand: CompareStrategy.Demand = mustLook ? .look : .cheapest
        switch strategy.step(held.queue.count, isLast: hasEnded, demand, ids: held.queue.ids) {
        case .page:
            var found = 0
            try remote.page { id, record throws(RunStop) in
                strategy.noteShown(id)
                let places = held.queue.take(id)
                if !places.isEmpty { found += 1 }
                for place in places { try settle(place, id, record()) }
            }
            strategy.notePage(found, cost: remote.spent - before)
        case .together(let count) where isGuarded: leave(count)
        case .alone where isGuarded: leave(1)
        case .together(let count): try readByID(Array(first.prefix(count)), before)
        case .alone: try readByID(Array(first.prefix(1)), before)
        case .send(let count): send(count)
        }
    }

    /// Whether a guard has nothing but the list of records to look at, which is read once and here.
    var looksHere: Bool { isGuarded && costs.readByID(1) == nil }

    /// Makes the first so many rows updates whose records are looked at later.
    private func leave(_ count: Int) {
        send(count)
        strategy.noteByID(count, cost: costs.readByID(Int64(count)) ?? 0)
    }

    /// Makes the first so many rows updates whose records were not looked at.
    private func send(_ count: Int) {
        for id in held.queue.first(count) {
            for place in held.queue.take(id) {
                held.settle(place) { row, _ in row.fate = .update(id: id, changes: nil) }
            }
        }
    }

    /// Settles every row whose record was read before by what was kept of it, and leaves the others open.
    private func settleKept() throws(RunStop) {
        for id in held.queue.first(.max) {
            let remembered = remote.remembered(id)
            for place in held.queue.take(id) {
                switch remembered {
                case .known(let record): try settle(place, id, record)
                case .unknown: held.settle(place) { row, _ in row.fate = .undecided(id: id) }
                }
            }
        }
    }

    private func readByID(_ ids: [String], _ before: Int64) throws(RunStop) {
        let records = try remote.records(ids)
        strategy.noteByID(ids.count, cost: remote.spent - before)
        for id in ids {
            for place in held.queue.take(id) { try settle(place, id, records[id]) }
        }
    }

    /// Settles every row by the list, which was read to its end: what it does not have does not exist.
    private func settleListed() throws(RunStop) {
        for id in held.queue.first(.max) {
            let record = try remote.indexed(id)
            for place in held.queue.take(id) { try settle(place, id, record) }
        }
    }

    private func settle(_ place: HeldChunks.Place, _ id: String, _ record: RecordBatch?) throws(RunStop) {
        try held.settle(place) { row, mapped throws(RunStop) in try settle(&row, id, record, mapped) }
    }

    /// Keeps what the list of records cost, or seems to cost, for the next run to count with.
    ///
    /// - Throws: ``RunStop`` `state`.
    func noteListCost(in store: StateStore) throws(RunStop) {
        guard let cost = remote.listCost ?? strategy.listEstimate else { return }
        do {
            try store.setMeta(Self.listCostSetting, String(cost))
        } catch {
            throw .state(error)
        }
    }

    /// What the list of records cost when it was read last, or nil.
    static func listCost(in store: StateStore?) throws(RunStop) -> Int64? {
        do {
            return try store?.meta(listCostSetting).flatMap { Int64($0) }
        } catch {
            throw .state(error)
        }
    }
}
