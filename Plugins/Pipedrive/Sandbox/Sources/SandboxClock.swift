// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// What time it is, as a value: the server asks nothing else.
package struct SandboxClock: Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    package let now: @Sendable () -> Int64

    /// A clock that answers with what `now` returns.
    package init(now: @escaping @Sendable () -> Int64) { self.now = now }

    /// The machine's clock.
    package static let system = SandboxClock {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// A clock that stands still until it is moved, for tests.
package final class ManualClock: Sendable {
    private let time: Mutex<Int64>

    /// A clock that stands at `seconds` after 1970.
    package init(seconds: Int64 = 1_767_225_600) { time = Mutex(seconds * 1_000_000_000) }

    /// The value to give to the server.
    package var clock: SandboxClock { SandboxClock { self.time.withLock { $0 } } }

    /// Moves the clock forward.
    package func advance(milliseconds: Int64) { time.withLock { $0 += milliseconds * 1_000_000 } }
}
