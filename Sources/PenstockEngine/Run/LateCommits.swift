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
    /// A key of dates or times carries the clock of its writer: what is still to come begins with the oldest open
    /// transaction. Other keys, a sequence above all, are given out in another order than they are committed in, and
    /// say nothing of time: they wait until nobody writes.
    package init(_ writers: OpenWriters?, type: DataType) {
        guard let writers else {
            self = .none
            return
        }
        let otherwise: LateCommits = writers.hasWriters ? .hold : .none
        // A column without a zone holds the wall clock of somebody: of UTC or of the source, the earlier counts.
        let local = writers.since.map { min($0, writers.localSince ?? $0) }
        switch type {
        case .instant: self = writers.since.map { .ceiling(.instant($0)) } ?? otherwise
        case .timestamp: self = local.map { .ceiling(.timestamp($0)) } ?? otherwise
        case .date: self = local.map { .ceiling(.date(Self.day(of: $0))) } ?? otherwise
        default: self = otherwise
        }
    }

    private static func day(of microseconds: Int64) -> Int64 {
        let length: Int64 = 86_400_000_000
        let quotient = microseconds / length
        return microseconds % length < 0 ? quotient - 1 : quotient
    }
}
