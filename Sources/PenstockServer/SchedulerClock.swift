// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel

/// The clock of the scheduler: the machine's, or one for rehearsals that begins elsewhere and runs faster.
///
/// Nothing but the scheduler looks at it: runs, limits and logs keep the machine's time.
package struct SchedulerClock: Sendable {
    /// The variable that asks for a rehearsal: `2026-10-20T00:00:00Z@20000`, the start and how many times faster.
    ///
    /// A third part, `@` and a moment, says at which moment of the machine's clock the rehearsal stands at its start;
    /// a server that is started again then goes on where the rehearsal is.
    package static let variable = "PENSTOCK_TEST_CLOCK"

    /// How many times faster than the machine's clock it runs.
    package let speed: Int64
    private let start: Int64?
    private let begun: Int64

    /// The machine's clock.
    package init() {
        speed = 1
        start = nil
        begun = 0
    }

    /// A clock for a rehearsal, or nil where `text` does not describe one.
    package init?(rehearsal text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, let start = TimeText.parseStamp(parts[0])?.instant,
            let speed = Int64(parts[1]), (1...1_000_000).contains(speed)
        else { return nil }
        var elapsed: Int64 = 0
        if parts.count == 3 {
            guard let moment = TimeText.parseStamp(parts[2])?.instant else { return nil }
            elapsed = Self.wall - moment / 1_000
        }
        self.start = start / 1_000
        self.speed = speed
        begun = Self.steadyNow - elapsed
    }

    /// Whether it is a clock for a rehearsal.
    package var isRehearsal: Bool { start != nil }

    /// The time, in milliseconds since 1970-01-01T00:00:00Z.
    package var milliseconds: Int64 { start.map { $0 + (Self.steadyNow - begun) * speed } ?? Self.wall }

    /// The time, and milliseconds of a clock that nobody sets and that stands still while the machine sleeps.
    package var moment: (wall: Int64, steady: Int64) {
        let steady = Self.steadyNow
        // A rehearsal goes evenly: both are reckoned from one look, or a moment in between would count as a jump.
        return (start.map { $0 + (steady - begun) * speed } ?? Self.wall, steady * speed)
    }

    /// How many milliseconds of the machine's clock a time is ahead, at least 0.
    package func wait(until time: Int64) -> Int64 {
        let ahead = max(0, time - milliseconds)
        return ahead / speed + (ahead % speed == 0 ? 0 : 1)
    }

    private static var wall: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }

    private static var steadyNow: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}

extension Int64 {
    /// This many milliseconds since 1970-01-01T00:00:00Z as RFC 3339 in UTC, to the second.
    package var utcText: String { TimeText.instant(self / 1_000 * 1_000_000) }
}
