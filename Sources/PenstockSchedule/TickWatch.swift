// SPDX-License-Identifier: Apache-2.0

/// Tells ticks that came while the scheduler watched from those that came while it could not.
///
/// The wall clock is compared with one that nobody sets and that stands still while the machine sleeps. Where the wall
/// clock has gone further, by more than a little, the ticks in between are missed ones: the server was not running, the
/// machine was asleep, or somebody set the clock. A scheduler that is merely slow misses nothing.
package struct TickWatch: Sendable, Hashable {
    /// Up to when ticks count as missed.
    package private(set) var missedThrough: Int64
    private var wall: Int64
    private var steady: Int64

    /// A tick so many milliseconds old is still on time after a start or a jump.
    package static let grace: Int64 = 60_000

    /// A watch that begins now, with both clocks in milliseconds.
    package init(wall: Int64, steady: Int64) {
        self.wall = wall
        self.steady = steady
        missedThrough = wall - Self.grace
    }

    /// Takes note of the time.
    ///
    /// - Returns: By how many milliseconds the wall clock has jumped since the last look; 0 where it went evenly.
    package mutating func look(wall: Int64, steady: Int64) -> Int64 {
        let jump = (wall - self.wall) - (steady - self.steady)
        self.wall = wall
        self.steady = steady
        guard abs(jump) > Self.grace else { return 0 }
        if jump > 0 { missedThrough = max(missedThrough, wall - Self.grace) }
        // What comes now is on time, however late it was before by a clock that was ahead.
        if jump < 0 { missedThrough = min(missedThrough, wall - Self.grace) }
        return jump
    }
}
