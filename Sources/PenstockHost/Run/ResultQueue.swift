// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel

/// Carries results from a connector's thread to the thread that runs the sync.
final class ResultQueue: Sendable {
    private let condition = NSCondition()
    // Guarded by `condition`, which every access below locks.
    private nonisolated(unsafe) var results: [(batch: UInt64, rows: [RowResult])] = []
    // Guarded by `condition` as well.
    private nonisolated(unsafe) var isWoken = false

    /// Adds results; never blocks for long.
    func add(_ batch: UInt64, _ rows: [RowResult]) {
        condition.lock()
        results.append((batch, rows))
        condition.signal()
        condition.unlock()
    }

    /// Ends the wait that goes on, or else the next one: there is something to look at.
    func wake() {
        condition.lock()
        isWoken = true
        condition.signal()
        condition.unlock()
    }

    /// Takes everything that is there, after waiting so long for the first of it.
    func take(waitingMilliseconds: Int64) -> [(batch: UInt64, rows: [RowResult])] {
        condition.lock()
        defer { condition.unlock() }
        if waitingMilliseconds > 0 {
            let end = Date(timeIntervalSinceNow: Double(waitingMilliseconds) / 1_000)
            while results.isEmpty, !isWoken, condition.wait(until: end) {}
            isWoken = false
        }
        defer { results = [] }
        return results
    }
}
