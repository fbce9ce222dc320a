// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
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
        /// What they cost, by what they did.
        package var tokens: [RequestIntent.Kind: Int64] = [:]
        /// How often the other side refused for too many requests.
        package var refusals: Int64 = 0
        /// How many milliseconds requests were told to wait, all requests together.
        package var waited: Int64 = 0

        /// All requests together.
        package var requestsTotal: Int64 { requests.values.reduce(0, +) }
    }

    private struct Open {
        var grant: SharedLimits.Grant
        var intent: RequestIntent
    }

    private struct State {
        var meter = Meter()
        var open: [UInt64: Open] = [:]
        var nextTicket: UInt64 = 1
        var lastReport: [Report: RateLimit] = [:]
        var hasSaidProblem = false
        var journal: Journal?
    }

    /// What a thread was told last of a limit; the answer to its request comes next.
    private struct Report: Hashable {
        var thread: UInt
        var bucket: String
    }

    /// The other side's clock.
    let serverClock = ServerClock()
    /// What the other side's clock shows now, in milliseconds since 1970-01-01T00:00:00Z, up to a second behind; nil
    /// where no answer has told.
    package var serverMilliseconds: Int64? { serverClock.milliseconds }
    private let state = Mutex(State())
    private let limits: CredentialLimits
    private let terms: SharedLimits.Terms
    private let cancellation: Cancellation
    private let redactor: Redactor
    private let logger: Logger
    private let name: String
    private let tokensPerRun: Int64?
    /// Whether nobody may be asked anything.
    let isOffline: Bool

    /// Services for the connection `name`.
    ///
    /// - Parameter credential: What is used there, so that everybody who uses it keeps its limits together; nil for
    ///   limits of this connection alone.
    /// - Parameter isOffline: Whether every request is refused.
    package init(
        name: String, budget: ConnectionBudget, redactor: Redactor, cancellation: Cancellation, logger: Logger,
        credential: CredentialLimits.Identity? = nil, isOffline: Bool = false
    ) {
        self.name = name
        self.isOffline = isOffline
        tokensPerRun = budget.tokensPerRun
        self.redactor = redactor
        self.cancellation = cancellation
        self.logger = logger
        terms = budget.terms
        limits = CredentialLimits(credential, budget.terms)
    }

    /// Leaves the others who use the credential their slots; call it when the connection is closed.
    package func leave() { limits.leave() }

    /// What was sent so far.
    package var meter: Meter { state.withLock { $0.meter } }

    /// What may still be spent today, or nil where nothing is known.
    package var spendable: Int64? { limits.latest.budget.spendable(terms.budget) }

    /// What is left today, the reserve included, or nil where nothing is known.
    package var remaining: Int64? { limits.latest.budget.remaining(terms.budget) }

    /// What may be spent today and on the days after, for a forecast.
    package var allowance: BudgetForecast.Allowance {
        let limits = limits.latest
        let size = [terms.budget.daily, limits.budget.sizeSaid].compactMap { $0 }.min()
        let now = BootClock.milliseconds
        return BudgetForecast.Allowance(
            left: limits.budget.spendable(terms.budget),
            daily: size.map { max(0, $0 - limits.budget.reserved(terms.budget)) },
            renewsAt: WallClock.milliseconds + max(0, limits.budget.renewedAtLatest(now) - now),
            slots: min(terms.slots, limits.limitSaid ?? terms.slots), window: terms.window)
    }

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

    /// Calls `tell` when the work is to stop, on whatever thread says so, for as long as what is returned lives.
    func whenCancelled(_ tell: @escaping @Sendable () -> Void) -> Cancellation.Watch { cancellation.watch(tell) }

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
        if isOffline { throw Self.offline }
        if let tokensPerRun, state.withLock({ $0.meter.spent }) + intent.cost > tokensPerRun {
            throw ConnectorError(
                .quotaSpent, "The limit of \(tokensPerRun) tokens for one run is reached (limits.tokens_per_run).",
                vendorCode: LimitText.rationCode)
        }
        let answer = limits.acquire(cost: intent.cost, isWrite: intent.kind != .read)
        sayProblem()
        switch answer {
        case .wait(let milliseconds):
            state.withLock { $0.meter.waited += milliseconds }
            return .wait(milliseconds: milliseconds)
        case .refused(let refusal): throw LimitText.error(refusal, connection: name)
        case .granted(let grant): return .granted(try ticket(grant, intent))
        }
    }

    /// A ticket for a slot that was granted, once the intent is durable.
    private func ticket(_ grant: SharedLimits.Grant, _ intent: RequestIntent) throws(ConnectorError) -> UInt64 {
        let (ticket, journal) = state.withLock { state in
            let ticket = state.nextTicket
            state.nextTicket += 1
            state.open[ticket] = Open(grant: grant, intent: intent)
            state.meter.requests[intent.kind, default: 0] += 1
            state.meter.spent += intent.cost
            state.meter.tokens[intent.kind, default: 0] += intent.cost
            return (ticket, intent.kind == .create ? state.journal : nil)
        }
        guard let journal else { return ticket }
        do throws(ConnectorError) {
            guard let row = intent.row else {
                throw ConnectorError(
                    .contractBreach, "The connector wants to create a record without saying for which row.")
            }
            try journal(row, intent.timeoutMilliseconds)
        } catch {
            release(ticket, RequestAnswer(status: 0, wasNeverSent: true))
            throw error
        }
        // The way to the other side begins now; the disk is no part of it.
        state.withLock { $0.open[ticket]?.grant.sentAt = BootClock.milliseconds }
        return ticket
    }

    package func release(_ ticket: UInt64, _ answer: RequestAnswer) {
        if let time = answer.serverTimeMilliseconds { serverClock.note(time) }
        let open = state.withLock { state -> (Open, SharedLimits.Outcome)? in
            guard let open = state.open.removeValue(forKey: ticket) else { return nil }
            if answer.wasNeverSent { state.meter.requests[open.intent.kind, default: 1] -= 1 }
            if answer.wasNeverSent || answer.status == 429 || answer.isBlocked {
                state.meter.spent -= open.intent.cost
                state.meter.tokens[open.intent.kind, default: 0] -= open.intent.cost
            }
            if answer.status == 429 { state.meter.refusals += 1 }
            return (open, Self.outcome(answer, &state))
        }
        guard let (open, outcome) = open else { return }
        limits.release(open.grant, outcome)
    }

    private static func outcome(_ answer: RequestAnswer, _ state: inout State) -> SharedLimits.Outcome {
        func told(_ bucket: String) -> RateLimit? {
            state.lastReport.removeValue(forKey: Report(thread: thread, bucket: bucket))
        }
        var outcome = SharedLimits.Outcome(status: answer.status)
        outcome.wasNeverSent = answer.wasNeverSent
        outcome.retryAfter = answer.retryAfterMilliseconds
        outcome.isBlocked = answer.isBlocked
        if let burst = told(RateLimit.burst) {
            outcome.limit = burst.limit
            outcome.remaining = burst.remaining
        }
        if let daily = told(RateLimit.daily) {
            outcome.daily.limit = daily.limit
            outcome.daily.remaining = daily.remaining
            outcome.daily.renewsIn = daily.resetsInMilliseconds
        }
        outcome.daily.writesLeft = told(RateLimit.dailyWrites)?.remaining
        return outcome
    }

    package func report(_ limit: RateLimit) {
        state.withLock { $0.lastReport[Report(thread: Self.thread, bucket: limit.bucket)] = limit }
    }

    private static var thread: UInt { UInt(pthread_self()) }

    /// Says once that limits cannot be shared, and why.
    private func sayProblem() {
        guard let problem = limits.problem else { return }
        let isNew = state.withLock { state in
            defer { state.hasSaidProblem = true }
            return !state.hasSaidProblem
        }
        if isNew { log(.warning, "limits are not shared with other processes", ["reason": problem]) }
    }

    package func saveCredential(
        _ credential: JSON, expecting revision: UInt64
    ) throws(ConnectorError) -> SavedCredential {
        throw ConnectorError(
            .unsupported, "The connector of \(name) renews a credential without saying that it does.")
    }

    private static let offline = ConnectorError(.unsupported, "Nobody is asked anything offline.")
    private static let cancelled = ConnectorError(.cancelled, "The work was cancelled.")
}
