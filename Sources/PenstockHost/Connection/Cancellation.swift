// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A wish to stop that many threads can see, and that wakes those that wait.
package final class Cancellation: Sendable {
    private let condition = NSCondition()
    // Guarded by `condition`, which every access below locks.
    private nonisolated(unsafe) var wish = false
    // Guarded by `condition` as well.
    private nonisolated(unsafe) var watches: [UInt64: @Sendable () -> Void] = [:]
    // Guarded by `condition` as well.
    private nonisolated(unsafe) var nextWatch: UInt64 = 0

    /// Somebody who is told of the wish, for as long as this object lives.
    package final class Watch: Sendable {
        private let cancellation: Cancellation
        private let number: UInt64

        fileprivate init(_ cancellation: Cancellation, _ number: UInt64) {
            self.cancellation = cancellation
            self.number = number
        }

        deinit { cancellation.forget(number) }
    }

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
        let told = Array(watches.values)
        condition.unlock()
        for tell in told { tell() }
    }

    /// Calls `tell` when the wish is made, on the thread that makes it; at once where it was made before.
    package func watch(_ tell: @escaping @Sendable () -> Void) -> Watch {
        condition.lock()
        let number = nextWatch
        nextWatch += 1
        watches[number] = tell
        let isLate = wish
        condition.unlock()
        if isLate { tell() }
        return Watch(self, number)
    }

    private func forget(_ number: UInt64) {
        condition.lock()
        watches[number] = nil
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
