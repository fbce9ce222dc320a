// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Finds where a watermark may move when a run ends: to the largest key, once nothing is outstanding.
///
/// While a row is outstanding the watermark stays. What was settled beyond it is in the ledger and is dropped as
/// reread by the run that finishes the rest, so nothing is lost and nothing goes twice.
package struct WatermarkTracker: Sendable {
    private let isBefore: @Sendable (Value, Value) -> Bool
    private let start: Value?
    /// The largest key that was seen, or the watermark before the run.
    package private(set) var largest: Value?
    private var ceiling: Value?
    private var isHeld = false

    /// The lowest key of the rows that are left to the next run, which may lie before the watermark; nil for none.
    package private(set) var left: Value?

    /// Whether a row stayed outstanding.
    package private(set) var hasOutstanding = false

    /// A tracker that orders keys by `isBefore`.
    ///
    /// - Parameter start: The watermark before the run, or nil; it never moves back.
    package init(start: Value?, isBefore: @escaping @Sendable (Value, Value) -> Bool) {
        self.isBefore = isBefore
        self.start = start
        largest = start
    }

    /// Takes note of the key of a row that was fetched or reread.
    ///
    /// NULL keys do not count.
    package mutating func see(_ key: Value) {
        guard !key.isNull else { return }
        if largest.map({ isBefore($0, key) }) ?? true { largest = key }
    }

    /// Takes note that a row, or a part of the source, is not settled.
    package mutating func leaveOutstanding() { hasOutstanding = true }

    /// Keeps the watermark from moving past a value: rows beyond it are read again by the next run.
    ///
    /// A ceiling below the watermark before the run keeps it where it is. The lowest of several counts.
    package mutating func limit(_ limit: LateCommits) {
        switch limit {
        case .none: break
        case .ceiling(let value): ceiling = ceiling.map { isBefore(value, $0) ? value : $0 } ?? value
        case .hold: isHeld = true
        }
    }

    /// Leaves the rows from a key on to the next run.
    package mutating func leave(from key: Value) {
        limit(.ceiling(key))
        left = left.map { isBefore(key, $0) ? key : $0 } ?? key
    }

    /// Whether a limit keeps the watermark behind the rows that were seen.
    package var isLimited: Bool {
        guard let largest, largest != start else { return false }
        return isHeld || ceiling.map { isBefore($0, largest) } ?? false
    }

    /// Where the watermark may move, or nil where it stays.
    package var watermark: Value? {
        guard !hasOutstanding else { return nil }
        guard isLimited else { return largest }
        guard !isHeld, let ceiling, start.map({ isBefore($0, ceiling) }) ?? true else { return nil }
        return ceiling
    }
}
