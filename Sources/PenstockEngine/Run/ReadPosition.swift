// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// How far a read has come, so that another read can go on behind it without a gap and without a repeat.
///
/// The rows come ordered by one column. Where they are cut, the next read begins at the last value, that value
/// included, and drops the rows of it that were delivered. Rows whose value is NULL are read by every read, wherever
/// the source orders them, so those that were delivered are remembered too.
package struct ReadPosition: Sendable {
    private let leading: Int
    private let identity: [Int]
    private let remembered: Int
    private var last: Value?
    private var ties: [Fingerprint: Int] = [:]
    private var nulls: [Fingerprint: Int] = [:]
    private var tieCount = 0
    private var nullCount = 0
    private var skippedTies: [Fingerprint: Int] = [:]
    private var skippedNulls: [Fingerprint: Int] = [:]

    /// The most rows of one value that are remembered; beyond that a read cannot be continued.
    package static let rememberedMax = 1_000_000

    /// Nothing was read so far.
    ///
    /// - Parameters:
    ///   - leading: The column that the rows are ordered by.
    ///   - identity: The columns that tell rows of one value apart.
    package init(leading: Int, identity: [Int], remembered: Int = ReadPosition.rememberedMax) {
        self.leading = leading
        self.identity = identity
        self.remembered = remembered
    }

    /// The types whose values have one order that a source and the host agree on.
    package static func orders(_ type: DataType) -> Bool {
        switch type {
        case .int64, .uint64, .decimal, .text, .date, .time, .timestamp, .instant: true
        case .bool, .float64, .bytes, .json: false
        }
    }

    /// Whether another read can go on from here.
    package var canContinue: Bool { tieCount <= remembered && nullCount <= remembered }

    /// The value that another read begins at, that value included; nil where it begins at the beginning.
    package var start: Value? { last }

    /// Takes note of rows that were delivered, in their order.
    ///
    /// - Parameter rejected: Rows that the source rejected: a NULL of theirs need not be one, and does not tell them
    ///   apart. They may come again, and be rejected again.
    package mutating func note(_ batch: RecordBatch, rejected: Set<Int> = []) {
        let column = batch.columns[leading]
        var first = 0
        if column.nullCount > 0 { noteNulls(batch, column, rejected) }
        // Only the rows of the last value matter, and they stand at the end.
        guard let end = (0..<column.count).last(where: { !column.isNull($0) }) else { return }
        let value = column.value(end)
        if !isLast(value) {
            last = value
            ties = [:]
            tieCount = 0
            first = end
            while first > 0, !column.isNull(first - 1), isLast(column.value(first - 1)) { first -= 1 }
        }
        for row in first...end where !column.isNull(row) && isLast(column.value(row)) {
            tieCount += 1
            if tieCount <= remembered { ties[digest(batch, row), default: 0] += 1 }
        }
    }

    /// Whether a value is in the same place of the order as the last one: `1.0` is in that of `1.00`.
    private func isLast(_ value: Value) -> Bool { last.map { KeyOrder.compare($0, value) == 0 } ?? false }

    private mutating func noteNulls(_ batch: RecordBatch, _ column: Column, _ rejected: Set<Int>) {
        for row in 0..<column.count where column.isNull(row) && !rejected.contains(row) {
            nullCount += 1
            if nullCount <= remembered { nulls[digest(batch, row), default: 0] += 1 }
        }
    }

    /// Takes note that another read begins at ``start``.
    package mutating func restart() {
        skippedTies = ties
        skippedNulls = nulls
    }

    /// The rows of the continued read that were not delivered before.
    ///
    /// - Returns: Nil where that is all of them.
    package mutating func fresh(_ batch: RecordBatch) -> [Int]? {
        guard !skippedTies.isEmpty || !skippedNulls.isEmpty else { return nil }
        let column = batch.columns[leading]
        var rows: [Int] = []
        for row in 0..<column.count {
            if column.isNull(row) {
                if Self.take(digest(batch, row), from: &skippedNulls) { continue }
            } else if isLast(column.value(row)) {
                if Self.take(digest(batch, row), from: &skippedTies) { continue }
            } else {
                // Past the value; what is left of its rows is gone from the source.
                skippedTies = [:]
            }
            rows.append(row)
        }
        return rows.count == column.count ? nil : rows
    }

    private static func take(_ digest: Fingerprint, from counts: inout [Fingerprint: Int]) -> Bool {
        guard let count = counts[digest] else { return false }
        counts[digest] = count > 1 ? count - 1 : nil
        return true
    }

    private func digest(_ batch: RecordBatch, _ row: Int) -> Fingerprint {
        var hasher = FingerprintHasher()
        for place in identity { hasher.combine(batch.columns[place], row: row) }
        return hasher.finish()
    }
}

extension SourceBatch {
    /// Some of the rows, with their rejects.
    package func selecting(_ rows: [Int]) -> SourceBatch {
        var selected = RecordBatch(batch.schema, capacity: rows.count)
        var places: [Int: Int] = [:]
        for row in rows {
            places[row] = selected.rowCount
            selected.append(batch.columns.map { $0.value(row) })
        }
        let kept = rejects.compactMap { reject in
            places[reject.row].map {
                SourceReject(row: $0, column: reject.column, value: reject.value, message: reject.message)
            }
        }
        return SourceBatch(selected, rejects: kept)
    }
}
