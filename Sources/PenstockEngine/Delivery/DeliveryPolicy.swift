// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Decides what follows from the result of one sent row.
///
/// Performs nothing itself.
package struct DeliveryPolicy: Sendable {
    /// What follows.
    package enum Step: Sendable, Hashable {
        /// The row is settled, or left open, this way.
        case close(RowOutcome)
        /// Send it again after so many milliseconds.
        case again(milliseconds: Int64)
    }

    /// How often a row is sent in one run before it is left for the next.
    package var attemptsMax = 6
    /// The first pause; each further one is twice as long, up to ``pauseMaxMilliseconds``.
    package var pauseMilliseconds: Int64 = 500
    /// The longest pause, and the longest `Retry-After` that is waited for in a run.
    package var pauseMaxMilliseconds: Int64 = 60_000

    /// The policy of every run.
    package init() {}

    /// What follows from `result`.
    ///
    /// - Parameters:
    ///   - mode: What the request did; only a create must not be repeated blindly.
    ///   - attempt: How often the row was sent, this time included.
    ///   - jitter: A number in 0..<1 that spreads retries out; asked for where there is one.
    package func step(
        _ result: RowResult, mode: WriteRequest.Mode, attempt: Int, jitter: @autoclosure () -> Double
    ) -> Step {
        switch result.status {
        case .created: return .close(.created)
        case .updated, .deleted: return .close(.updated)
        case .unchanged: return .close(.unchanged)
        case .rejected: return .close(.rejected)
        case .notTried: return .close(.notTried)
        case .unknown where mode == .create: return .close(.unknown)
        case .unknown, .retry: return retry(result, attempt, jitter())
        }
    }

    private func retry(_ result: RowResult, _ attempt: Int, _ jitter: Double) -> Step {
        if let code = result.error?.code, Self.stopsRun(code) { return .close(.notTried) }
        guard attempt < attemptsMax else { return .close(.notTried) }
        let asked = result.error?.retryAfterMilliseconds ?? 0
        guard asked <= pauseMaxMilliseconds else { return .close(.notTried) }
        let ceiling = min(pauseMaxMilliseconds, pauseMilliseconds << Int64(min(attempt - 1, 20)))
        return .again(milliseconds: max(asked, Int64(Double(ceiling) * jitter)))
    }

    /// Whether an error means that no further row can be sent in this run.
    package static func stopsRun(_ code: ConnectorError.Code) -> Bool {
        switch code {
        case .unauthorized, .quotaSpent, .cancelled, .broken, .contractBreach, .internalFault, .noMemory: true
        default: false
        }
    }
}
