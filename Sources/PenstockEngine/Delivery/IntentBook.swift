// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Decides which intents to write when a connector asks for leave to send a create; performs nothing itself.
///
/// Intents of a few rows that will be asked for next are written together, so that the disk is waited for once per
/// group. A group is as large as what is asked for in a short while: it doubles where the last one was used up quickly,
/// and halves where rows of it were not asked for in time. An intent that was written ahead counts for a short while;
/// after that it is written anew, with a new deadline. A crash leaves at most a group of rows behind that look as if
/// they had been sent.
package struct IntentBook<Row: Sendable>: Sendable {
    /// What is to be done before a row may be sent.
    package enum Step: Sendable {
        /// Nothing: its intent is on disk and young enough.
        case send
        /// Write intents for these rows, and call ``wrote(_:_:)`` once they are on disk.
        case write([(place: BatchRow, row: Row)])
        /// The connector was never given this row.
        case refuse
    }

    /// What was done about a row.
    private struct Mark {
        var writtenAt: Int64?
        var isAsked = false
        var isClosed = false
    }

    /// Rows and their marks; apart, since rows do not change and are larger.
    private struct Batch {
        let rows: [Row]
        var marks: [Mark]
    }

    private var batches: [UInt64: Batch] = [:]
    /// How many intents are written together now.
    private var group: Int
    private let groupMax: Int
    private var wroteAt: Int64?

    /// How many intents are written together at most, where nothing speaks against it.
    package static var groupMost: Int { 64 }
    /// How many are written together at first.
    private static var groupFirst: Int { 16 }
    /// How long an intent that was written ahead counts, in milliseconds.
    package static var freshMilliseconds: Int64 { 2_000 }
    /// A group that is used up sooner than this was too small, in milliseconds.
    private static var quickMilliseconds: Int64 { freshMilliseconds / 4 }

    /// A book without rows.
    ///
    /// - Parameter groupMax: How many intents are written together at most, at least 1.
    package init(groupMax: Int = Self.groupMost) {
        self.groupMax = groupMax
        group = min(groupMax, Self.groupFirst)
    }

    /// Takes note of the rows of a batch, before it is handed over.
    package mutating func register(_ batch: UInt64, _ rows: [Row]) {
        batches[batch] = Batch(rows: rows, marks: Array(repeating: Mark(), count: rows.count))
    }

    /// Forgets a batch: all of its rows have their results, or it was not taken over.
    package mutating func forget(_ batch: UInt64) { batches[batch] = nil }

    /// Takes note that rows have their results: no intent is written ahead for them any more.
    package mutating func close(_ batch: UInt64, _ rows: [Int]) {
        change(batch) { marks in
            for row in rows where marks.indices.contains(row) { marks[row].isClosed = true }
        }
    }

    /// Changes the marks of a batch where they are; nothing happens where it is not known.
    private mutating func change(_ batch: UInt64, _ body: (inout [Mark]) -> Void) {
        guard let index = batches.index(forKey: batch) else { return }
        body(&batches.values[index].marks)
    }

    /// What has to be done before the row at `place` may be sent.
    package mutating func ask(_ place: BatchRow, _ now: Int64) -> Step {
        guard let index = batches.index(forKey: place.batch),
            batches.values[index].marks.indices.contains(place.row)
        else { return .refuse }
        let mark = batches.values[index].marks[place.row]
        batches.values[index].marks[place.row].isAsked = true
        if let writtenAt = mark.writtenAt, !mark.isAsked, now - writtenAt <= Self.freshMilliseconds { return .send }
        adapt(isLate: mark.writtenAt != nil, now)
        let batch = batches.values[index]
        let end = min(batch.rows.count, place.row + group)
        return .write(
            (place.row..<end).filter { $0 == place.row || isOpen(batch.marks[$0], now) }
                .map { (BatchRow(batch: place.batch, row: $0), batch.rows[$0]) })
    }

    /// - Parameter isLate: Whether the row had an intent that is too old by now.
    private mutating func adapt(isLate: Bool, _ now: Int64) {
        if isLate {
            group = max(1, group / 2)
        } else if let wroteAt, now - wroteAt <= Self.quickMilliseconds {
            group = min(groupMax, group * 2)
        }
    }

    /// Whether a row behind the one that is asked for still needs an intent.
    private func isOpen(_ mark: Mark, _ now: Int64) -> Bool {
        !mark.isAsked && !mark.isClosed && (mark.writtenAt.map { now - $0 > Self.freshMilliseconds / 2 } ?? true)
    }

    /// Takes note that intents are on disk.
    package mutating func wrote(_ places: [BatchRow], _ now: Int64) {
        wroteAt = now
        for place in places {
            change(place.batch) { marks in
                if marks.indices.contains(place.row) { marks[place.row].writtenAt = now }
            }
        }
    }
}
