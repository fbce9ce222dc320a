// SPDX-License-Identifier: Apache-2.0

/// How many repetitions a run may afford: it has 500 tokens, a retry costs 5, one after a timeout 10, and successes
/// bring tokens back.
///
/// While most requests succeed it is never felt; where nothing succeeds it ends the repetitions after a hundred.
package struct RetryQuota: Sendable, Hashable {
    /// Why a request is repeated.
    package enum Cause: Sendable, Hashable {
        /// It was answered, but not as it should have been.
        case failure
        /// It was not answered in time.
        case timeout

        /// What a repetition costs.
        package var cost: Int64 {
            switch self {
            case .failure: 5
            case .timeout: 10
            }
        }
    }

    /// The most that there can be where a row is a request.
    package static let capacity: Int64 = 500

    /// What is left.
    package private(set) var left: Int64
    private let capacity: Int64

    /// A full quota.
    ///
    /// - Parameter times: So many times as large as usual, for rows that go, and fail, together.
    package init(times: Int64 = 1) {
        capacity = Self.capacity * times
        left = capacity
    }

    /// Pays for a repetition.
    ///
    /// - Returns: Whether there was enough; where there was not, nothing is taken and the request is not repeated now.
    package mutating func pay(for cause: Cause) -> Bool {
        guard left >= cause.cost else { return false }
        left -= cause.cost
        return true
    }

    /// Takes note of a success.
    ///
    /// - Parameter cause: Why the request had been repeated, which gives its price back; nil for a first try, which
    ///   gives 1.
    package mutating func succeed(after cause: Cause?) {
        left = min(capacity, left + (cause?.cost ?? 1))
    }
}
