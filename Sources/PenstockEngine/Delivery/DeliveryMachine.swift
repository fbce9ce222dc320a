// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Decides what is sent when, what is sent again, and when nothing more is sent; performs nothing itself.
///
/// The caller tells it of rows, of what the destination's session took over, of results and of the time; it says which
/// rows go next and how each ends. Every row that was added ends in exactly one ``Ending``, which is either an outcome
/// or ``Ending/isLost``: a create of which nobody knows whether it was carried out. A row is a number that the caller
/// gives it, and that no other open row has.
package struct DeliveryMachine: Sendable {
    /// Rows that are to go to the destination together.
    package struct Batch: Sendable {
        /// The number they are sent under.
        package let id: UInt64
        /// What happens to them.
        package let mode: WriteRequest.Mode
        /// The rows, at least one.
        package let rows: [Int]
        /// Those of them that were sent before.
        package let again: [Int]
    }

    /// How a row ended here.
    package struct Ending: Sendable {
        /// The row.
        package let row: Int
        /// What was to happen to it.
        package let mode: WriteRequest.Mode
        /// What became of it; `unknown` is a create that may have been carried out.
        package let outcome: RowOutcome
        /// What the destination said, or nil for a row that it said nothing about.
        package let result: RowResult?
        /// Whether it is certain that no request for it has arrived.
        package let isUnsent: Bool

        /// The end of a row.
        package init(
            row: Int, mode: WriteRequest.Mode, outcome: RowOutcome, result: RowResult?, isUnsent: Bool = false
        ) {
            self.isUnsent = isUnsent
            self.row = row
            self.mode = mode
            self.outcome = outcome
            self.result = result
        }

        /// Whether the row may have a record that nobody knows of.
        package var isLost: Bool { outcome == .unknown }
    }

    /// What to do about a session that says nothing.
    package enum Silence: Sendable {
        /// It is not silent.
        case none
        /// Ask it for what it owes, then tell ``DeliveryMachine/breach(_:)`` if that brings nothing.
        case ask
    }

    private struct Open {
        var row: Int
        var mode: WriteRequest.Mode
        var attempt: Int
        /// Why it was sent again, where that was paid for.
        var cause: RetryQuota.Cause?
        /// Whether a request for it may have been carried out whose answer was lost.
        var mayHaveArrived = false
    }

    /// Rows that wait, first come, first served: to take some off the front moves nothing but them.
    private struct Line {
        private var rows: [Open] = []
        private var start = 0

        var count: Int { rows.count - start }
        var isEmpty: Bool { count == 0 }
        var all: ArraySlice<Open> { rows[start...] }

        mutating func append(_ row: Open) { rows.append(row) }

        mutating func removeFirst(_ count: Int) {
            start += count
            guard start * 2 > rows.count else { return }
            rows.removeFirst(start)
            start = 0
        }

        mutating func remove(_ row: Int) -> Open? {
            guard let place = rows[start...].firstIndex(where: { $0.row == row }) else { return nil }
            return rows.remove(at: place)
        }
    }

    /// A line a mode, without a dictionary: they are asked for with every row.
    private struct Lines {
        private var creates = Line()
        private var updates = Line()
        private var deletes = Line()

        subscript(_ mode: WriteRequest.Mode) -> Line {
            get {
                switch mode {
                case .create: creates
                case .update: updates
                case .delete: deletes
                }
            }
            _modify {
                switch mode {
                case .create: yield &creates
                case .update: yield &updates
                case .delete: yield &deletes
                }
            }
        }

        var count: Int { creates.count + updates.count + deletes.count }
        var hasOthersThanCreates: Bool { !updates.isEmpty || !deletes.isEmpty }
    }

    /// The rows of a batch that a session has, without those whose results have come.
    private struct Sent {
        var rows: [Open?]
        var owed: Int

        mutating func take(_ row: Int) -> Open? {
            guard rows.indices.contains(row), let open = rows[row] else { return nil }
            rows[row] = nil
            owed -= 1
            return open
        }
    }

    private let policy: DeliveryPolicy
    private let batchRows: Int
    private let createRows: Int
    private let silenceMilliseconds: Int64
    private var quota: RetryQuota
    private var waiting = Lines()
    private var onTheirWay: [UInt64: Sent] = [:]
    private var retries: [(dueAt: Int64, open: Open)] = []
    private var nextBatch: UInt64 = 1
    private var failuresInARow = 0
    private var unknownsInARow = 0
    private var movedAt: Int64

    /// Why nothing more is sent, or nil.
    package private(set) var stop: ConnectorError?
    /// How often rows were sent again.
    package private(set) var retriesTotal: Int64 = 0
    /// Whether new creates are held back: so many are lost that they are asked about first.
    package var holdsCreates = false

    /// Updates go before creates.
    private static let order: [WriteRequest.Mode] = [.update, .delete, .create]
    private static var failuresInARowMax: Int { 12 }
    private static var unknownsInARowMax: Int { 10 }

    /// A machine that knows of no rows.
    ///
    /// - Parameters:
    ///   - batchRows: How many rows go together at most.
    ///   - createRows: How many creates do; nil for as many.
    ///   - silenceMilliseconds: How long a session may say nothing before it is asked.
    ///   - now: The time, on the monotonic clock that every call uses.
    package init(
        _ policy: DeliveryPolicy, batchRows: Int = 64, createRows: Int? = nil, silenceMilliseconds: Int64, now: Int64
    ) {
        self.policy = policy
        self.batchRows = batchRows
        self.createRows = createRows ?? batchRows
        quota = RetryQuota(times: Int64(max(1, batchRows / 64)))
        self.silenceMilliseconds = silenceMilliseconds
        movedAt = now
    }

    /// Rows that are waiting, on their way or to be sent again.
    package var openRows: Int { waiting.count + rowsOnTheirWay + retries.count }

    /// Rows that a session has and owes a result for.
    package private(set) var rowsOnTheirWay = 0

    /// Whether there are rows to go that are not creates.
    package var hasUpdates: Bool {
        waiting.hasOthersThanCreates || retries.contains { $0.open.mode != .create }
    }

    /// When the next row that waits to be sent again is due, or nil where none does.
    package var nextRetryAt: Int64? { stop == nil ? retries.map(\.dueAt).min() : nil }

    /// When ``lookIntoSilence(_:)`` has something to say at the earliest.
    package var silentAt: Int64 { movedAt + silenceMilliseconds + 1 }

    /// How many of the rows that go together make up what is counted of failures: they fail together.
    private func rowsPerFailure(_ mode: WriteRequest.Mode) -> Int {
        max(1, (mode == .create ? createRows : batchRows) / 64)
    }

    /// Takes a row over.
    package mutating func add(_ row: Int, _ mode: WriteRequest.Mode) {
        waiting[mode].append(Open(row: row, mode: mode, attempt: 1))
    }

    /// The rows that go next, updates before creates; nil where none may go.
    ///
    /// Followed by ``took(_:_:)`` where a session has taken them over; else they stay.
    package mutating func next(_ now: Int64) -> Batch? {
        guard stop == nil else { return nil }
        wake(now)
        for mode in Self.order where mode != .create || !holdsCreates {
            guard !waiting[mode].isEmpty else { continue }
            let rows = waiting[mode].all.prefix(mode == .create ? createRows : batchRows)
            let again = retriesTotal == 0 ? [] : rows.lazy.filter { $0.attempt > 1 }.map(\.row)
            return Batch(id: nextBatch, mode: mode, rows: rows.map(\.row), again: Array(again))
        }
        return nil
    }

    /// Takes a row back that waits to go; it is the caller's to end.
    ///
    /// - Returns: Whether an earlier request for it may have been carried out.
    package mutating func withdraw(_ row: Int, _ mode: WriteRequest.Mode) -> Bool {
        waiting[mode].remove(row)?.mayHaveArrived ?? false
    }

    /// Takes note that a session has taken a batch of ``next(_:)`` over.
    package mutating func took(_ batch: Batch, _ now: Int64) {
        let taken = waiting[batch.mode].all.prefix(batch.rows.count).map { Optional($0) }
        onTheirWay[batch.id] = Sent(rows: taken, owed: taken.count)
        rowsOnTheirWay += taken.count
        waiting[batch.mode].removeFirst(taken.count)
        nextBatch = batch.id + 1
        movedAt = now
    }

    /// Whether every row of a batch has its result.
    package func isDone(_ batch: UInt64) -> Bool { onTheirWay[batch] == nil }

    /// Takes note of results; those of rows that owe none are passed over.
    ///
    /// - Parameter jitter: Numbers in 0..<1 that spread retries out.
    /// - Returns: The rows that have ended with them.
    package mutating func settle(
        _ batch: UInt64, _ results: [RowResult], _ now: Int64, jitter: () -> Double
    ) -> [Ending] {
        if !results.isEmpty { movedAt = now }
        guard let index = onTheirWay.index(forKey: batch) else { return [] }
        var endings: [Ending] = []
        endings.reserveCapacity(results.count)
        for result in results {
            guard let open = onTheirWay.values[index].take(result.row) else { continue }
            rowsOnTheirWay -= 1
            if let ending = settle(result, open, now, jitter) { endings.append(ending) }
        }
        if onTheirWay.values[index].owed == 0 { onTheirWay.remove(at: index) }
        return endings
    }

    private mutating func settle(
        _ result: RowResult, _ open: Open, _ now: Int64, _ jitter: () -> Double
    ) -> Ending? {
        if let error = result.error, result.status != .rejected, DeliveryPolicy.stopsRun(error.code) { giveUp(error) }
        var step = policy.step(result, mode: open.mode, attempt: open.attempt, jitter: jitter())
        let cause = Self.cause(of: result)
        if case .again = step, let cause, !quota.pay(for: cause) { step = .close(.notTried) }
        switch step {
        case .again(let milliseconds):
            var again = open
            again.attempt += 1
            again.cause = cause
            if result.status == .unknown { again.mayHaveArrived = true }
            retriesTotal += 1
            noteFailure(result, open)
            retries.append((now + milliseconds, again))
            return nil
        case .close(let outcome):
            noteOutcome(outcome, result, open)
            // Both say for certain that the request had no effect.
            let isUnsent = !open.mayHaveArrived && [.notTried, .retry].contains(result.status)
            return Ending(
                row: open.row, mode: open.mode, outcome: outcome, result: result,
                isUnsent: isUnsent && outcome == .notTried)
        }
    }

    /// Stops sending; rows on their way are awaited, the others end as not tried.
    package mutating func giveUp(_ reason: ConnectorError) {
        if stop == nil { stop = reason }
    }

    /// After a stop: the rows that will not be sent.
    package mutating func unsent() -> [Ending] {
        guard stop != nil else { return [] }
        let open = Self.order.flatMap { waiting[$0].all } + retries.map(\.open)
        waiting = Lines()
        retries = []
        return open.map {
            Ending(row: $0.row, mode: $0.mode, outcome: .notTried, result: nil, isUnsent: !$0.mayHaveArrived)
        }
    }

    /// What to do about a session that has said nothing for long; stops where it takes no row although it has none.
    package mutating func lookIntoSilence(_ now: Int64) -> Silence {
        guard now - movedAt > silenceMilliseconds else { return .none }
        movedAt = now
        if rowsOnTheirWay > 0 { return .ask }
        if stop == nil, waiting.count > 0, !holdsCreates {
            giveUp(ConnectorError(.contractBreach, "The connector takes no rows although it has none."))
        }
        return .none
    }

    /// Takes note that a session has no more to say about the rows that it has: creates are lost, updates not tried.
    package mutating func breach() -> [Ending] {
        giveUp(ConnectorError(.contractBreach, "The connector gave no result for rows that it took."))
        let owed = onTheirWay.sorted { $0.key < $1.key }.flatMap { $0.value.rows.compactMap { $0 } }
        onTheirWay = [:]
        rowsOnTheirWay = 0
        return owed.map {
            Ending(row: $0.row, mode: $0.mode, outcome: $0.mode == .create ? .unknown : .notTried, result: nil)
        }
    }

    private mutating func wake(_ now: Int64) {
        guard retries.contains(where: { $0.dueAt <= now }) else { return }
        movedAt = now
        for retry in retries where retry.dueAt <= now { waiting[retry.open.mode].append(retry.open) }
        retries.removeAll { $0.dueAt <= now }
    }

    private mutating func noteFailure(_ result: RowResult, _ open: Open) {
        guard let error = result.error, error.code != .rateLimited else { return }
        failuresInARow += 1
        if failuresInARow > Self.failuresInARowMax * policy.attemptsMax * rowsPerFailure(open.mode) { giveUp(error) }
    }

    /// What a repetition is paid as; nil for a refusal for the rate, which the limiter answers to.
    private static func cause(of result: RowResult) -> RetryQuota.Cause? {
        switch result.error?.code {
        case .rateLimited: nil
        case .timedOut: .timeout
        default: .failure
        }
    }

    private mutating func noteOutcome(_ outcome: RowOutcome, _ result: RowResult, _ open: Open) {
        switch outcome {
        case .notTried:
            failuresInARow += 1
            if failuresInARow >= Self.failuresInARowMax * rowsPerFailure(open.mode), let error = result.error {
                giveUp(error)
            }
        case .unknown:
            unknownsInARow += 1
            if unknownsInARow >= Self.unknownsInARowMax * rowsPerFailure(open.mode), let error = result.error {
                giveUp(error)
            }
        default:
            failuresInARow = 0
            unknownsInARow = 0
            quota.succeed(after: open.cause)
        }
    }
}
