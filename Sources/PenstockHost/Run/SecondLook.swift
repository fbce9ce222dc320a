// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// A look at the records of guarded rows that are sent again: some time has passed since the first one.
///
/// Used from the thread of the run.
struct SecondLook {
    private let pipeline: RowPipeline
    private let planned: PlannedLooks?
    /// How many records are read together.
    let groupMax: Int

    /// - Parameter planned: What a guarded plan has seen of the records; nil where only fields are guarded.
    /// - Returns: Nil where records cannot be read by id.
    init?(_ pipeline: RowPipeline, _ planned: PlannedLooks?) {
        guard pipeline.costs.readByID(1) != nil else { return nil }
        self.pipeline = pipeline
        self.planned = planned
        groupMax = max(1, pipeline.costs.groupMax)
    }

    /// Whether it is about the row: its record decides what is sent.
    func concerns(_ item: Delivery.Item) -> Bool {
        let chunk = item.chunk.chunk
        guard case .update = chunk.rows[item.place].fate else { return false }
        return planned != nil || pipeline.guards.holdsFields(chunk.mapped, chunk.rows[item.place].row)
    }

    /// The rows as their records have it now, at most ``groupMax``.
    ///
    /// A row whose record holds all that would be sent is unchanged. One whose record is gone stays as it is: the
    /// destination says so, too.
    ///
    /// - Throws: ``RunStop``.
    func look(_ items: [Delivery.Item]) throws(RunStop) -> [DecidedRow] {
        var ids: [String] = []
        for item in items {
            if let id = Delivery.id(of: item.row), !ids.contains(id) { ids.append(id) }
        }
        var records: [String: RecordBatch] = [:]
        for part in pipeline.costs.readsOneByOne(ids.count) ? ids.map({ [$0] }) : [ids] {
            records.merge(try pipeline.remote.records(part)) { first, _ in first }
        }
        var rows: [DecidedRow] = []
        for item in items {
            var row = item.row
            if let id = Delivery.id(of: row), let record = records[id] { try decide(&row, id, record, item) }
            rows.append(row)
        }
        return rows
    }

    private func decide(
        _ row: inout DecidedRow, _ id: String, _ record: RecordBatch, _ item: Delivery.Item
    ) throws(RunStop) {
        let chunk = item.chunk.chunk
        row.forgetLook()
        try pipeline.settle(&row, id, record, chunk.mapped)
        if case .update = row.fate, row.before?.isEmpty ?? false { row.fate = .unchanged(id: id, isKnown: false) }
        if let reason = try planned?.objection(to: row, chunk, id) { row.fate = .rejected(reason) }
    }
}

extension Delivery {
    /// Looks at the records of those rows of a batch that go again, where they are guarded.
    ///
    /// - Returns: Whether the batch is another one now.
    /// - Throws: ``RunStop`` `state`.
    func lookAgain(_ batch: DeliveryMachine.Batch) throws(RunStop) -> Bool {
        guard let secondLook else { return false }
        let open = batch.again.filter { !lookedAgain.contains($0) && secondLook.concerns(items[$0]) }
        guard !open.isEmpty else { return false }
        var isChanged = false
        for start in stride(from: 0, to: open.count, by: secondLook.groupMax) {
            let numbers = Array(open[start..<min(start + secondLook.groupMax, open.count)])
            let rows: [DecidedRow]
            do throws(RunStop) {
                rows = try secondLook.look(numbers.map { items[$0] })
            } catch {
                // What cannot be looked at is not sent; the rows are left to the next run.
                guard case .connector(let error, connection: _, doing: _) = error else { throw error }
                giveUp(error)
                return true
            }
            lookedAgain.formUnion(numbers)
            for (number, row) in zip(numbers, rows) {
                let hasEnded = try settleAgain(number, row)
                isChanged = isChanged || hasEnded
            }
        }
        return isChanged
    }

    /// Takes note of what a second look has found.
    ///
    /// - Returns: Whether the row has ended with it.
    private func settleAgain(_ number: Int, _ row: DecidedRow) throws(RunStop) -> Bool {
        let old = items[number].row.conflicts
        let id = Self.id(of: items[number].row)
        let found = row.conflicts.filter { conflict in !old.contains { $0.target == conflict.target } }
        switch row.fate {
        case .update, .unchanged: if !found.isEmpty { noteHeld(row, found) }
        default: break
        }
        items[number] = items[number].with(row)
        switch row.fate {
        case .update:
            ledger.images?.reconsider(row.key)
            // The record was kept as it is now, and is about to be another.
            if let keeper = ledger.keeper, keeper.knowsWrites {
                keeper.noteWrite(row, items[number].chunk.chunk.mapped)
            }
            return false
        case .rejected(let reason):
            try leave(number, row, reason)
        default:
            // What was looked for is there: by our first request, where that may have been carried out.
            let isOurs = machine.withdraw(number, .update)
            let result = RowResult(row: 0, status: isOurs ? .updated : .unchanged, remoteID: id ?? "")
            let outcome: RowOutcome = isOurs ? .updated : .unchanged
            try close([DeliveryMachine.Ending(row: number, mode: .update, outcome: outcome, result: result)])
        }
        lookedAgain.remove(number)
        return true
    }

    /// Makes a row a reject that is not sent again.
    private func leave(_ number: Int, _ row: DecidedRow, _ reason: RejectReason) throws(RunStop) {
        let mayHaveArrived = machine.withdraw(number, .update)
        let item = items.remove(number)
        count(reason)
        observe(.rejected(row: row.number, keyText: row.keyText, reason))
        // Where the first request may have been carried out, its values stay known as ours.
        if !mayHaveArrived { try ledger.images?.close(item, .rejected, remoteID: nil) }
        try ledger.reject(row, reason, item.chunk.chunk, isSent: false)
    }
}
