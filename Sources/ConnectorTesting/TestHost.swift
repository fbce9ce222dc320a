// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Synchronization

/// A host for tests of connectors: it grants every request, writes down what it is told, and has a clock that the
/// test moves.
package final class TestHost: HostServices {
    private struct State {
        var lines: [String] = []
        var intents: [RequestIntent] = []
        var answers: [RequestAnswer] = []
        var limits: [RateLimit] = []
        var pauses: [Int64] = []
        var isCancelled = false
        var now: Int64 = 1_000
        var quotaAfter: Int?
        var saved: [JSON] = []
    }

    private let state = Mutex(State())

    /// A host that has heard nothing yet.
    package init() {}

    /// The log lines, in order.
    package var lines: [String] { state.withLock { $0.lines } }
    /// The requests that were asked for, in order.
    package var intents: [RequestIntent] { state.withLock { $0.intents } }
    /// The answers that were given back, in order.
    package var answers: [RequestAnswer] { state.withLock { $0.answers } }
    /// The limits that were reported, in order.
    package var limits: [RateLimit] { state.withLock { $0.limits } }
    /// The pauses that were asked for, in milliseconds; none of them takes real time.
    package var pauses: [Int64] { state.withLock { $0.pauses } }
    /// What the granted requests cost together.
    package var spent: Int64 { state.withLock { $0.intents.reduce(0) { $0 + $1.cost } } }

    /// Makes ``isCancelled`` true.
    package func cancel() { state.withLock { $0.isCancelled = true } }

    /// Makes ``acquire(_:)`` throw `quotaSpent` once so many requests were granted.
    package func setQuota(after requests: Int) { state.withLock { $0.quotaAfter = requests } }

    package func log(_ level: LogLevel, _ message: String, _ fields: [String: String]) {
        let pairs = fields.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        state.withLock { $0.lines.append(message + pairs) }
    }

    package var isCancelled: Bool { state.withLock { $0.isCancelled } }
    package var monotonicMilliseconds: Int64 { state.withLock { $0.now } }
    package var wallMilliseconds: Int64 { 1_800_000_000_000 + monotonicMilliseconds }

    package func pause(milliseconds: Int64) throws(ConnectorError) {
        let isCancelled = state.withLock { state in
            state.pauses.append(milliseconds)
            state.now += milliseconds
            return state.isCancelled
        }
        if isCancelled { throw ConnectorError(.cancelled, "The work was cancelled.") }
    }

    package func progress(done: Int64, total: Int64?, note: String) {}

    package func acquire(_ intent: RequestIntent) throws(ConnectorError) -> Acquisition {
        let ticket: UInt64? = state.withLock { state in
            if let quota = state.quotaAfter, state.intents.count >= quota { return nil }
            state.intents.append(intent)
            return UInt64(state.intents.count)
        }
        guard let ticket else { throw ConnectorError(.quotaSpent, "The budget of this test is spent.") }
        return .granted(ticket)
    }

    package func release(_ ticket: UInt64, _ answer: RequestAnswer) { state.withLock { $0.answers.append(answer) } }
    package func report(_ limit: RateLimit) { state.withLock { $0.limits.append(limit) } }

    /// The credentials that the connector had stored, in order.
    package var savedCredentials: [JSON] { state.withLock { $0.saved } }

    package func saveCredential(
        _ credential: JSON, expecting revision: UInt64
    ) throws(ConnectorError) -> SavedCredential {
        state.withLock { $0.saved.append(credential) }
        return .saved(revision: revision + 1)
    }
}
