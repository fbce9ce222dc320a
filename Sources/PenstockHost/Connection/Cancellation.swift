// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A wish to stop that many threads can see, and that wakes those that wait.
package final class Cancellation: Sendable {
    private let condition = NSCondition()
    // Guarded by `condition`, which every access below locks.
    private nonisolated(unsafe) var wish = false

    /// A wish that was not made yet.
    package init() {}

    /// Whether the work is to stop.
    package var isCancelled: Bool {
        condition.lock()
        defer { condition.unlock() }
        return wish
    }

    /// Makes the wish, and wakes whoever waits.
    package func cancel() {
        condition.lock()
        wish = true
        condition.broadcast()
        condition.unlock()
    }

    /// Wakes whoever waits, without a wish to stop: something has changed.
    package func notify() {
        condition.lock()
        condition.broadcast()
        condition.unlock()
    }

    /// Waits so long, or until the wish is made.
    ///
    /// - Returns: Whether the wish was made.
    package func wait(milliseconds: Int64) -> Bool {
        let end = Date(timeIntervalSinceNow: Double(milliseconds) / 1_000)
        condition.lock()
        defer { condition.unlock() }
        while !wish, condition.wait(until: end) {}
        return wish
    }
}
