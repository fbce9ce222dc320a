// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// Sends what puts records back, and writes down what became of each.
///
/// Before a record is put back, what it holds and that its row is to be looked at again are on disk; so an undo that is
/// cut off can be done once more. Used from one thread.
final class UndoDelivery {
    private let target: UndoTarget
    private let store: StateStore
    private let images: BeforeImages
    private let run: RunRecord
    private let schema: Schema
    private let settled: (UndoItem, RowOutcome, RowResult?) throws(RunStop) -> Void
    private let refused: (UndoItem, UndoItem.Field, RowResult) throws(RunStop) -> UndoConflict
    private let queue = ResultQueue()
    private var machine: DeliveryMachine
    private var items = RowSlots<UndoItem>()
    private var sessions: [WriteRequest.Mode: any WriteSession] = [:]
    private var isAborted = false
    private var prepared: Set<Fingerprint> = []
    /// What was known of rows whose records are on their way to be deleted.
    private var before: [Fingerprint: LedgerEntry] = [:]
    private var asBefore: [ImageChange] = []

    private static let asBeforeMax = 1_000

    /// What is put back is made ready anew whenever a session had no room, so it goes in small batches.
    private static let window = DeliveryWindow.requests

    /// - Parameters:
    ///   - fields: The fields that may be put back, as the destination has them now.
    ///   - refused: Is told of a field for which the destination refuses a record that is sent once more without it,
    ///     and says how that field is left.
    ///   - settled: Is told how each record ended.
    init(
        _ target: UndoTarget, _ store: StateStore, _ images: BeforeImages, _ run: RunRecord,
        fields: [DestinationField], _ options: RunOptions,
        refused: @escaping (UndoItem, UndoItem.Field, RowResult) throws(RunStop) -> UndoConflict,
        settled: @escaping (UndoItem, RowOutcome, RowResult?) throws(RunStop) -> Void
    ) {
        self.target = target
        self.store = store
        self.images = images
        self.run = run
        self.settled = settled
        self.refused = refused
        schema = Schema(
            [
                Schema.Field(WriteRequest.rowKeyColumn, .text, isNullable: false),
                Schema.Field(WriteRequest.remoteIDColumn, .text, isNullable: false),
                Schema.Field(WriteRequest.presenceColumn, .bytes, isNullable: false),
            ] + fields.map { Schema.Field($0.key, $0.kind.columnType) })
        var policy = DeliveryPolicy()
        policy.pauseMilliseconds = options.retryPauseMilliseconds
        machine = DeliveryMachine(
            policy, batchRows: Self.window.batchRows, silenceMilliseconds: options.silenceMilliseconds,
            now: target.host.monotonicMilliseconds)
    }

    /// Why nothing more is sent, or nil.
    var stop: ConnectorError? { machine.stop }

    private var now: Int64 { target.host.monotonicMilliseconds }

    /// Takes a record over.
    func add(_ item: UndoItem) { machine.add(items.add(item), item.isDelete ? .delete : .update) }

    /// Works until at most `rows` records are open, or nothing more can be sent.
    ///
    /// - Throws: ``RunStop`` `state`.
    func work(untilOpen rows: Int) throws(RunStop) {
        while machine.openRows > rows {
            if target.host.isCancelled { giveUp(ConnectorError(.cancelled, "The undo was stopped.")) }
            if machine.stop != nil {
                abortSessions()
                try close(machine.unsent())
                if machine.rowsOnTheirWay == 0 { return }
            } else {
                try submit()
            }
            try settle(queue.take(waitingMilliseconds: machine.openRows > rows ? 50 : 0))
            if case .ask = machine.lookIntoSilence(now) {
                // What a flush reports about rows, their results say as well.
                for session in sessions.values { try? session.flush() }
                try settle(queue.take(waitingMilliseconds: 0))
                if machine.rowsOnTheirWay > 0 { try close(machine.breach()) }
            }
        }
    }

    /// Ends the sessions, whatever is open.
    func end() {
        for session in sessions.values {
            session.abort()
            session.end()
        }
        sessions = [:]
    }

    private func giveUp(_ reason: ConnectorError) {
        machine.giveUp(reason)
        abortSessions()
    }

    private func abortSessions() {
        guard !isAborted else { return }
        isAborted = true
        for session in sessions.values { session.abort() }
    }

    private func submit() throws(RunStop) {
        while let batch = machine.next(now) {
            // A batch that was not taken over comes again, and then perhaps with more rows.
            let rows = batch.rows.map { items[$0] }
            try prepare(rows)
            do throws(ConnectorError) {
                let session = try session(batch.mode)
                guard try session.submit(columns(rows, batch.mode), id: batch.id) else { return }
            } catch {
                try settle(queue.take(waitingMilliseconds: 0))
                return giveUp(error)
            }
            machine.took(batch, now)
        }
    }

    private func session(_ mode: WriteRequest.Mode) throws(ConnectorError) -> any WriteSession {
        if let session = sessions[mode] { return session }
        let queue = queue
        let columns = mode == .delete ? Schema(Array(schema.fields.prefix(2))) : schema
        let request = WriteRequest(
            object: target.object.id, mode: mode, schema: columns, inFlightMax: Self.window.inFlightMax)
        let session = try target.destination.begin(request) { queue.add($0, $1) }
        sessions[mode] = session
        return session
    }

    private func columns(_ rows: [UndoItem], _ mode: WriteRequest.Mode) -> RecordBatch {
        let isDelete = mode == .delete
        var batch = RecordBatch(isDelete ? Schema(Array(schema.fields.prefix(2))) : schema, capacity: rows.count)
        for item in rows {
            var values: [Value] = [.text(item.keyText), .text(item.image.remoteID)]
            if !isDelete {
                var presence = [UInt8](repeating: 0, count: (schema.fields.count + 7) >> 3)
                var cells: [Value] = []
                for (place, column) in schema.fields.enumerated().dropFirst(3) {
                    let field = item.fields.first { $0.image.field == column.name }
                    if field != nil { presence[place >> 3] |= 1 << UInt8(place & 7) }
                    cells.append(field.map { Self.value($0.image) } ?? .null)
                }
                values += [.bytes(presence)] + cells
            }
            batch.append(values)
        }
        return batch
    }

    /// What a field is given: an empty value of any shape is nothing.
    private static func value(_ image: FieldImage) -> Value {
        FieldEmptiness.isEmpty(image.before, image.kind) ? .null : image.before
    }

    /// Makes sure that nothing is lost if this process ends while records are put back.
    ///
    /// Their rows are looked at again from now on, whether or not the request arrives; and what is overwritten is kept.
    private func prepare(_ items: [UndoItem]) throws(RunStop) {
        let fresh = items.filter { prepared.insert($0.image.key).inserted }
        guard !fresh.isEmpty else { return }
        do {
            var forgotten: [StateChange] = []
            for item in fresh {
                guard let change = try forgetting(item, isGone: false) else { continue }
                forgotten.append(change)
                if item.isDelete { before[item.image.key] = try store.entry(for: item.image.key) }
            }
            try store.commit(forgotten)
            try images.commit(
                fresh.map { item in
                    .record(
                        RecordImage(
                            run: run.number, key: item.image.key, remoteID: item.image.remoteID,
                            action: item.isDelete ? .delete : .update,
                            fields: item.fields.map {
                                FieldImage(
                                    field: $0.image.field, kind: $0.image.kind, before: $0.live,
                                    after: Self.value($0.image))
                            }))
                }, isDurable: true)
        } catch {
            throw .state(error)
        }
    }

    /// Puts back what was known of a row whose record is still there: it is not to be sent as a new one.
    private func remember(_ before: LedgerEntry) throws(RunStop) {
        do {
            guard let now = try store.entry(for: before.key), now.outcome == .notTried, now.run == 0,
                now.remoteID == before.remoteID
            else { return }
            try store.commit([.ledger(before)])
        } catch {
            throw .state(error)
        }
    }

    private func forgetting(_ item: UndoItem, isGone: Bool) throws(StateError) -> StateChange? {
        guard var entry = try store.entry(for: item.image.key), entry.remoteID == item.image.remoteID else {
            return nil
        }
        // A create in doubt stays what it is.
        guard entry.outcome != .intent, entry.outcome != .unknown else { return nil }
        entry.payload = nil
        entry.source = nil
        entry.cursor = nil
        entry.run = 0
        entry.outcome = .notTried
        entry.intent = nil
        if isGone { entry.remoteID = nil }
        return .ledger(entry)
    }

    /// Takes note that a record which a run created is gone.
    ///
    /// - Throws: ``RunStop`` `state`.
    func forgetRecord(_ item: UndoItem) throws(RunStop) {
        do {
            if let change = try forgetting(item, isGone: true) { try store.commit([change]) }
            let change = ImageChange.undone(position: item.image.position, item.image.action, item.undone)
            try images.commit([change], isDurable: false)
        } catch {
            throw .state(error)
        }
    }

    /// Takes note of a record of which nothing is to be put back, because it is as it was before.
    ///
    /// - Throws: ``RunStop`` `state`.
    func noteAsBefore(_ item: UndoItem) throws(RunStop) {
        asBefore.append(.undone(position: item.image.position, item.image.action, item.undone))
        if asBefore.count >= Self.asBeforeMax { try flush() }
    }

    /// Writes down what was taken note of.
    ///
    /// - Throws: ``RunStop`` `state`.
    func flush() throws(RunStop) {
        do {
            try images.commit(asBefore, isDurable: false)
            asBefore = []
        } catch {
            throw .state(error)
        }
    }

    // MARK: - Results

    private func settle(_ results: [(batch: UInt64, rows: [RowResult])]) throws(RunStop) {
        let now = now
        for (batch, rows) in results { try close(machine.settle(batch, rows, now) { Double.random(in: 0..<1) }) }
        if machine.stop != nil { abortSessions() }
    }

    private func close(_ endings: [DeliveryMachine.Ending]) throws(RunStop) {
        for ending in endings {
            let item = items.remove(ending.row)
            var outcome = ending.outcome
            var result = ending.result
            if let error = ending.result?.error { result?.error = target.host.redacted(error) }
            if outcome == .rejected, let result, try sendRest(of: item, result) { continue }
            prepared.remove(item.image.key)
            let isMissing = outcome == .rejected && result?.error?.code == .notFound
            let before = before.removeValue(forKey: item.image.key)
            let isThere = (outcome == .rejected && !isMissing) || ending.isUnsent
            if isThere, let before { try remember(before) }
            if isMissing, item.isDelete { outcome = .updated }
            if outcome == .updated || outcome == .unchanged { try note(item) }
            try settled(item, outcome, result)
        }
    }

    /// Sends a record once more without the field that the destination does not take, where it names one of several.
    ///
    /// What is kept of the record speaks of all its fields: one that was not overwritten holds what it held before.
    private func sendRest(of item: UndoItem, _ result: RowResult) throws(RunStop) -> Bool {
        guard !item.isDelete, item.fields.count > 1, machine.stop == nil, let error = result.error,
            error.code == .badData, let place = item.fields.firstIndex(where: { $0.image.field == error.field })
        else { return false }
        var rest = item
        let field = rest.fields.remove(at: place)
        rest.conflicts.append(try refused(item, field, result))
        add(rest)
        return true
    }

    private func note(_ item: UndoItem) throws(RunStop) {
        var changes: [ImageChange] = [
            .done(run: run.number, key: item.image.key, at: target.host.serverMilliseconds ?? WallClock.milliseconds)
        ]
        changes.append(.undone(position: item.image.position, item.image.action, item.undone))
        do {
            if item.isDelete, let change = try forgetting(item, isGone: true) { try store.commit([change]) }
            let written = try images.written(item.image.key)
            for field in item.fields where written[field.image.field] != nil {
                let isEmpty = FieldEmptiness.isEmpty(field.image.before, field.image.kind)
                changes.append(
                    isEmpty
                        ? .forget(key: item.image.key, field: field.image.field)
                        : .wrote(
                            key: item.image.key, field: field.image.field, FieldImage.json(field.image.before)))
            }
            if item.isDelete {
                for field in written.keys { changes.append(.forget(key: item.image.key, field: field)) }
            }
            try images.commit(changes, isDurable: false)
        } catch {
            throw .state(error)
        }
    }
}
