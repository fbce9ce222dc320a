// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel

/// One write session with everything that was seen of it.
struct WriteTrial {
    /// What a trial does.
    struct Plan {
        var mode = WriteRequest.Mode.create
        var rows = 12
        var ids: [String] = []
        var word = ""
        var inFlightMax = 4
        var policy = KitHost.Policy.grant
        /// Aborts from another thread once the host has granted so many writes.
        var abortAfter: Int?
        /// Submits until the session is busy, and only then lets the host grant.
        var fillsWindow = false
        /// The most rows that are offered where the window is filled.
        var rowsMax = 400
    }

    /// The host that was asked.
    let host: KitHost
    /// The results, in the order of their arrival.
    private(set) var results: [ReportedResult] = []
    /// How many rows each batch that was taken over had.
    private(set) var taken: [UInt64: Int] = [:]
    /// How many batches were refused as busy.
    private(set) var busy = 0
    /// How often a busy session kept a batch that stays with the host.
    private(set) var stolen = 0
    /// How many batches were released, and how many were made.
    private(set) var released = 0
    private(set) var made = 0
    /// Results that came once the session had ended, and calls that overlapped.
    private(set) var late = 0
    private(set) var overlaps = 0
    /// What flush and submit answered, if not OK.
    private(set) var flushRefusal: Refusal?
    private(set) var submitRefusal: Refusal?
    /// How long flush and end took together, in milliseconds.
    private(set) var endMilliseconds = 0
    /// The most rows that were taken over and had no result.
    private(set) var openMax = 0
    /// How many rows were granted leave once the session was aborted.
    private(set) var sentAfterAbort = 0
    /// Rows that had no result when flush returned.
    private(set) var openAfterFlush = 0

    /// Runs a session.
    ///
    /// - Parameter settings: Other settings than those given, or nil.
    init(_ context: CheckContext, _ maker: RowMaker, _ plan: Plan, settings: JSON? = nil) throws {
        host = context.host(plan.fillsWindow ? .closed : plan.policy)
        let settings = try settings ?? context.settings()
        let destination = try context.connector().openDestination(settings.text, host)
        defer { destination.close() }
        let inbox = ResultInboxUnderTest(context.transcript)
        let request = WriteRequest(
            object: maker.object, mode: plan.mode, schema: maker.schema(plan.mode), inFlightMax: plan.inFlightMax)
        let session = try destination.begin(request, inbox)
        let counter = ReleaseCounter()
        let atAbort = Guarded(Int.max)
        let abort = plan.abortAfter.map { Self.aborting(session, after: $0, host, atAbort) }
        try submitAll(context, session, maker, plan, inbox, counter)
        host.open(unless: plan.policy, plan.fillsWindow)
        let start = ContinuousClock.now
        do throws(Refusal) { try session.flush() } catch { flushRefusal = error }
        openAfterFlush = max(0, taken.values.reduce(0, +) - inbox.results.count)
        abort?.wait()
        session.end()
        sentAfterAbort = max(0, host.writes.count - atAbort.value)
        endMilliseconds = (ContinuousClock.now - start).wholeMilliseconds
        usleep(150_000)
        results = inbox.results
        late = inbox.late
        if results.contains(where: { $0.code == ConnectorError.Code.rateLimited.rawValue }) { throw CheckDeferral() }
        overlaps = inbox.overlaps
        released = counter.value
    }

    private static func aborting(
        _ session: SessionUnderTest, after writes: Int, _ host: KitHost, _ atAbort: Guarded<Int>
    ) -> DispatchSemaphore {
        let carried = Carried(session)
        return Threads.later(0) {
            // Something must have been granted, or else nothing is ever sent and there is nothing to stop.
            for _ in 0..<2_000 where host.writes.count < writes { usleep(1_000) }
            carried.value.abort()
            // Whoever is asking just now may still be granted what it asks.
            usleep(20_000)
            let sent = host.writes.count
            atAbort.update { $0 = sent }
            host.open()
        }
    }

    private mutating func submitAll(
        _ context: CheckContext, _ session: SessionUnderTest, _ maker: RowMaker, _ plan: Plan,
        _ inbox: ResultInboxUnderTest, _ counter: ReleaseCounter
    ) throws {
        var next = 0
        var id: UInt64 = 1
        let goal = plan.fillsWindow ? plan.rowsMax : plan.rows
        var patience = 2_000
        while next < goal {
            let count = min(goal - next, Int.random(in: 1...min(3, plan.inFlightMax), using: &context.numbers))
            let ids = plan.ids.isEmpty ? [] : Array(plan.ids[next..<next + count])
            let batch = maker.batch(plan.mode, next..<next + count, ids: ids, word: plan.word)
            var isTaken = false
            while !isTaken {
                made += 1
                do throws(Refusal) {
                    switch try session.submit(batch, id: id, counter) {
                    case .taken: isTaken = true
                    case .busy(let isStillOurs):
                        busy += 1
                        if !isStillOurs { stolen += 1 }
                        if plan.fillsWindow { return }
                        patience -= 1
                        if patience == 0 { throw Refusal(call: "submit", error: Self.stuck, flaws: []) }
                        usleep(2_000)
                    }
                } catch {
                    submitRefusal = error
                    return
                }
            }
            taken[id] = count
            next += count
            id += 1
            openMax = max(openMax, next - inbox.results.count)
        }
    }

    private static let stuck = ConnectorError(.busy, "The session stays busy although every request is granted.")

    // MARK: - What was seen

    /// The results of each row that was taken over, by batch and row.
    var byRow: [BatchRow: [ReportedResult]] {
        Dictionary(grouping: results) { BatchRow(batch: $0.batch, row: $0.row) }
    }

    /// Every row that was taken over.
    var rows: [BatchRow] {
        taken.sorted { $0.key < $1.key }.flatMap { id, count in (0..<count).map { BatchRow(batch: id, row: $0) } }
    }

    /// The ids of the records that were created.
    var createdIDs: [String] { results.filter { $0.status == 1 }.map(\.remoteID) }

    /// How many rows ended in each status, in words.
    var summary: String {
        let counts = Dictionary(grouping: results, by: \.statusName).mapValues(\.count)
        return counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }
}

extension KitHost {
    /// Grants everything from now on where a window was being filled.
    fileprivate func open(unless policy: Policy, _ fillsWindow: Bool) { if fillsWindow { open() } }
}
