// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The system's clock that never goes back, for waits that run beside a network wait.
package enum MonotonicClock {
    /// Milliseconds since some moment that does not change.
    package static var milliseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }
}
