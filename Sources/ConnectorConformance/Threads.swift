// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Work on threads of its own, never on Swift's pool: connectors may block.
enum Threads {
    /// Runs `body` on so many threads that start together, and waits for all.
    static func together(_ count: Int, _ body: @escaping @Sendable () -> Void) {
        let start = NSCondition()
        let waiting = Guarded(count)
        let left = DispatchSemaphore(value: 0)
        for _ in 0..<count {
            let thread = Thread {
                start.lock()
                if waiting.update({
                    $0 -= 1; return $0
                }) == 0 {
                    start.broadcast()
                }
                while waiting.value > 0 { start.wait() }
                start.unlock()
                body()
                left.signal()
            }
            thread.start()
        }
        for _ in 0..<count { left.wait() }
    }

    /// Runs `body` on another thread after `milliseconds`, and does not wait for it.
    static func later(_ milliseconds: Int, _ body: @escaping @Sendable () -> Void) -> DispatchSemaphore {
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            usleep(UInt32(milliseconds) * 1_000)
            body()
            done.signal()
        }
        thread.start()
        return done
    }
}

/// A clock that never goes back.
enum Stopwatch {
    /// How many milliseconds `body` took, with what it returned.
    static func milliseconds<R>(_ body: () throws -> R) rethrows -> (R, Int) {
        let start = ContinuousClock.now
        let result = try body()
        return (result, (ContinuousClock.now - start).wholeMilliseconds)
    }
}

extension Duration {
    /// The duration in whole milliseconds.
    var wholeMilliseconds: Int { Int(components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000) }
}
