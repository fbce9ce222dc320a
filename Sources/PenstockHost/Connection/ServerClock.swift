// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The other side's clock, as far as its answers tell it.
///
/// Any thread. Answers carry whole seconds and are some time on their way, so the clock shown here is behind theirs by
/// up to a second and the way: what changed since a moment that it showed is asked for a little too early, never too
/// late.
final class ServerClock: Sendable {
    private struct Reading {
        var server: Int64
        var here: Int64
    }

    private let newest = Mutex<Reading?>(nil)

    /// Takes note of what an answer that has just come in says, in milliseconds since 1970-01-01T00:00:00Z.
    func note(_ milliseconds: Int64) {
        newest.withLock { $0 = Reading(server: milliseconds, here: BootClock.milliseconds) }
    }

    /// What it shows now, in milliseconds since 1970-01-01T00:00:00Z, or nil where no answer has told.
    var milliseconds: Int64? {
        newest.withLock { newest in newest.map { $0.server + BootClock.milliseconds - $0.here } }
    }
}
