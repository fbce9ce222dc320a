// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Logging
import PenstockEngine
import PenstockModel
import Synchronization

/// What one open connection gets from the host: log, clock, cancellation, and leave to send.
package final class ConnectionHost: HostServices {
    /// What a connection has sent so far.
    package struct Meter: Sendable, Hashable {
        /// Requests sent, by what they did.
        package var requests: [RequestIntent.Kind: Int64] = [:]
        /// What they cost together, refunds taken off.
        package var spent: Int64 = 0
        /// How often the other side refused for too many requests.
        package var refusals: Int64 = 0
        /// Milliseconds spent waiting for a slot of the burst limit.
        package var waitedMilliseconds: Int64 = 0

        /// All requests together.
        package var requestsTotal: Int64 { requests.values.reduce(0, +) }
    }

    private struct State {
        var limiter: SlotLimiter
        var budget: DailyBudget
        var meter = Meter()
        var open: [UInt64: RequestIntent] = [:]
        var lastReport: [String: RateLimit] = [:]
        var hasRecalled = false
        var journal: Journal?
    }

    /// The other side's clock.
    let serverClock = ServerClock()
    private let state: Mutex<State>
    private let cancellation: Cancellation
    private let redactor: Redactor
    private let logger: Logger
    private let name: String
    private let tokensPerRun: Int64?
    private let memory: SlotMemory?
    private let slots: Int

    /// Services for the connection `name`.
    package init(
        name: String, budget: ConnectionBudget, redactor: Redactor, cancellation: Cancellation, logger: Logger,
        memory: SlotMemory? = nil
    ) {
        self.memory = memory
        slots = budget.burst
        self.name = name
        tokensPerRun = budget.tokensPerRun
        self.redactor = redactor
        self.cancellation = cancellation
        self.logger = logger
        state = Mutex(
            State(
                limiter: SlotLimiter(slots: budget.burst, window: budget.windowMilliseconds),
                budget: DailyBudget(daily: budget.dailyTokens, reserve: budget.reserve)))
    }

    /// Takes note of the slots that another process has taken, before the first request.
    private func recall(_ state: inout State) {
        guard !state.hasRecalled else { return }
        state.hasRecalled = true
        guard let memory else { return }
        let now = monotonicMilliseconds
        let offset = wallMilliseconds - now
        state.limiter.occupy(until: memory.times.map { $0 - offset }, now)
    }

    /// Leaves word for the next process about the slots that are taken; call it when the connection is closed.
    package func leaveWord() {
        let now = monotonicMilliseconds
        let offset = wallMilliseconds - now
        let occupied = state.withLock { $0.meter.requestsTotal > 0 ? $0.limiter.occupied(now) : [] }
        guard let memory, !occupied.isEmpty else { return }
        memory.remember(occupied.map { $0 + offset }, slots: slots)
    }

    /// What was sent so far.
    package var meter: Meter { state.withLock { $0.meter } }

    /// What may still be spent today, or nil where nothing is known.
    package var spendable: Int64? { state.withLock { $0.budget.spendable } }

    /// What is left today, the reserve included, or nil where nothing is known.
    package var remaining: Int64? { state.withLock { $0.budget.remaining } }

    /// What makes the intent to create a row durable, given the longest that its request may be on its way.
    package typealias Journal = @Sendable (BatchRow, _ timeoutMilliseconds: Int64?) throws(ConnectorError) -> Void

    /// Sets what makes the intent to create a row durable; it is called once per create, before it is sent.
    package func setJournal(_ journal: Journal?) {
        state.withLock { $0.journal = journal }
    }

    /// Writes a line to the host's log, with the connection's secrets blanked out.
    package func log(_ level: LogLevel, _ message: String, _ fields: [String: String]) {
        let level: Logger.Level =
            switch level {
            case .trace: .trace
            case .debug: .debug
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
        var metadata = fields.mapValues { Logger.MetadataValue.string(redactor.redacted($0)) }
        metadata[LogKey.connection.rawValue] = .string(name)
        logger.log(level: level, "\(redactor.redacted(message))", metadata: metadata)
    }

    /// `error` with the connection's secrets blanked out.
    package func redacted(_ error: ConnectorError) -> ConnectorError { redactor.redacted(error) }

    package var isCancelled: Bool { cancellation.isCancelled }
    package var monotonicMilliseconds: Int64 { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }
    package var wallMilliseconds: Int64 { WallClock.milliseconds }

    package func pause(milliseconds: Int64) throws(ConnectorError) {
        if cancellation.wait(milliseconds: milliseconds) { throw Self.cancelled }
    }

    package func progress(done: Int64, total: Int64?, note: String) {
        log(.debug, "progress", ["done": "\(done)", "total": total.map { "\($0)" } ?? "", "note": note])
    }

    package func acquire(_ intent: RequestIntent) throws(ConnectorError) -> Acquisition {
        if isCancelled { throw Self.cancelled }
        let now = monotonicMilliseconds
        let tokensPerRun = tokensPerRun
        let answer = state.withLock { state -> Grant in
            recall(&state)
            if let tokensPerRun, state.meter.spent + intent.cost > tokensPerRun { return .limited(tokensPerRun) }
            let ticket: UInt64
            switch state.limiter.acquire(now) {
            case .wait(let milliseconds):
                return .wait(milliseconds)
            case .granted(let granted): ticket = granted
            }
            guard state.budget.charge(intent.cost) else {
                state.limiter.release(ticket, now, wasNeverSent: true)
                return .spent
            }
            state.open[ticket] = intent
            state.meter.requests[intent.kind, default: 0] += 1
            state.meter.spent += intent.cost
            return .granted(ticket, intent.kind == .create ? state.journal : nil)
        }
        switch answer {
        case .wait(let milliseconds): return .wait(milliseconds: milliseconds)
        case .limited(let limit):
            throw ConnectorError(
                .quotaSpent, "The limit of \(limit) tokens for one run is reached (limits.tokens_per_run).")
        case .spent:
            throw ConnectorError(.quotaSpent, "The daily budget of connection \(name) is used up, but for the reserve.")
        case .granted(let ticket, let journal):
            guard let journal else { return .granted(ticket) }
            guard let row = intent.row else {
                release(ticket, RequestAnswer(status: 0, wasNeverSent: true))
                throw ConnectorError(
                    .contractBreach, "The connector wants to create a record without saying for which row.")
            }
            do {
                try journal(row, intent.timeoutMilliseconds)
            } catch {
                release(ticket, RequestAnswer(status: 0, wasNeverSent: true))
                throw error
            }
            return .granted(ticket)
        }
    }

    package func release(_ ticket: UInt64, _ answer: RequestAnswer) {
        let now = monotonicMilliseconds
        if let time = answer.serverTimeMilliseconds { serverClock.note(time) }
        state.withLock { state in
            guard let intent = state.open.removeValue(forKey: ticket) else { return }
            if let report = state.lastReport.removeValue(forKey: RateLimit.burst) {
                state.limiter.observe(
                    ticket, limit: report.limit.map(Int.init), remaining: report.remaining.map(Int.init), now)
            }
            let daily = state.lastReport.removeValue(forKey: RateLimit.daily)
            let wasSpent = !answer.wasNeverSent && answer.status != 429
            state.budget.settle(
                intent.cost, wasSpent: wasSpent, limit: daily?.limit, remaining: daily?.remaining)
            if !wasSpent { state.meter.spent -= intent.cost }
            state.limiter.release(ticket, now, wasNeverSent: answer.wasNeverSent)
            if answer.wasNeverSent { state.meter.requests[intent.kind, default: 1] -= 1 }
            if answer.status == 429 {
                state.meter.refusals += 1
                let asked = answer.retryAfterMilliseconds ?? 0
                if asked > 120_000 {
                    state.budget.exhaust()
                } else {
                    state.limiter.refused(now, retryAfter: asked)
                }
            }
        }
    }

    package func report(_ limit: RateLimit) {
        state.withLock { $0.lastReport[limit.bucket] = limit }
    }

    package func saveCredential(
        _ credential: JSON, expecting revision: UInt64
    ) throws(ConnectorError) -> SavedCredential {
        throw ConnectorError(
            .unsupported, "The connector of \(name) renews a credential without saying that it does.")
    }

    private enum Grant {
        case granted(UInt64, Journal?)
        case wait(Int64)
        case spent
        case limited(Int64)
    }

    private static let cancelled = ConnectorError(.cancelled, "The work was cancelled.")
}
