// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// How far a watermark may move while others were writing at the source.
///
/// A transaction that was open when the snapshot was taken can still commit rows whose Incremental Key the read has
/// passed. Rows beyond the limit are read again by the next run, which knows from the ledger what was settled.
package enum LateCommits: Sendable, Hashable {
    /// As far as rows were seen.
    case none
    /// No further than this value.
    case ceiling(Value)
    /// Not at all.
    case hold

    /// The limit for an Incremental Key of type `type`.
    ///
    /// - Parameter held: The largest key that an earlier run has seen while others were writing.
    ///
    /// A key of instants carries the clock of its writer: what is still to come begins with the oldest open
    /// transaction. A date or time without a zone holds the wall clock of somebody, whose zone nobody knows. Other
    /// keys, a sequence above all, are given out in another order than they are committed in, and say nothing of time.
    /// All of these wait until nobody writes, or until everybody has ended who was writing when an earlier run saw
    /// them, and then move to what that run saw.
    package init(_ writers: OpenWriters?, type: DataType, held: HeldKey? = nil) {
        guard let writers else {
            self = .none
            return
        }
        var otherwise: LateCommits = writers.hasWriters ? .hold : .none
        if writers.hasWriters, let held, let since = writers.since, since > held.clock {
            otherwise = .ceiling(held.value)
        }
        switch type {
        case .instant: self = writers.since.map { .ceiling(.instant($0)) } ?? otherwise
        case .timestamp, .date:
            guard let since = writers.since else {
                self = otherwise
                return
            }
            let local = min(since, writers.localSince ?? since)
            self = Self.lower(otherwise, type == .date ? .date(Self.day(of: local)) : .timestamp(local))
        default: self = otherwise
        }
    }

    /// The stricter one of a limit and a ceiling.
    private static func lower(_ limit: LateCommits, _ ceiling: Value) -> LateCommits {
        switch limit {
        case .none: .ceiling(ceiling)
        case .hold: .hold
        case .ceiling(let value): .ceiling(KeyOrder.compare(value, ceiling) < 0 ? value : ceiling)
        }
    }

    private static func day(of microseconds: Int64) -> Int64 {
        let length: Int64 = 86_400_000_000
        let quotient = microseconds / length
        return microseconds % length < 0 ? quotient - 1 : quotient
    }
}

/// The largest key that a run has seen while others were writing, and the source's clock before it looked.
package struct HeldKey: Sendable, Hashable {
    /// The key.
    package var value: Value
    /// The clock, in microseconds since 1970-01-01T00:00:00Z.
    package var clock: Int64

    /// A key that waits.
    package init(value: Value, clock: Int64) {
        self.value = value
        self.clock = clock
    }
}
