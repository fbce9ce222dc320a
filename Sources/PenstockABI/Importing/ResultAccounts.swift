// SPDX-License-Identifier: Apache-2.0

/// Which submitted rows still await their result; it decides, and does nothing itself.
struct ResultAccounts: Sendable {
    /// What a result that came in is worth.
    enum Verdict: Sendable {
        /// The first for its row.
        case counts
        /// The row has one already.
        case repeated
        /// No such row is on its way.
        case stray
    }

    private struct Batch {
        var awaited: [UInt64]
        var rows: Int
        var left: Int

        mutating func settle(_ row: Int64) -> Verdict {
            guard row >= 0, row < rows else { return .stray }
            let word = Int(row >> 6)
            let bit: UInt64 = 1 << UInt64(row & 63)
            guard awaited[word] & bit != 0 else { return .repeated }
            awaited[word] &= ~bit
            left -= 1
            return .counts
        }
    }

    private var batches: [UInt64: Batch] = [:]
    /// The batches that have all their results, by how many rows they had: a session may have very many of them.
    private var done: [Int: RangeSet<UInt64>] = [:]

    /// Awaits one result for each of `rows` rows of batch `id`.
    ///
    /// - Returns: Whether the number was free.
    mutating func expect(_ id: UInt64, rows: Int) -> Bool {
        guard batches[id] == nil, rowsOfDone(id) == nil else { return false }
        batches[id] = Batch(awaited: [UInt64](repeating: .max, count: (rows + 63) / 64), rows: rows, left: rows)
        return true
    }

    /// Takes back ``expect(_:rows:)`` for a batch that was not taken over.
    ///
    /// - Returns: Whether no result had come for it.
    mutating func forget(_ id: UInt64) -> Bool {
        if let batch = batches.removeValue(forKey: id) { return batch.left == batch.rows }
        guard let rows = rowsOfDone(id) else { return true }
        done[rows]?.remove(contentsOf: id..<id + 1)
        return false
    }

    /// Counts results that came in together.
    ///
    /// - Returns: What each is worth.
    mutating func settle(_ id: UInt64, rows: some Collection<Int64>) -> [Verdict] {
        guard let index = batches.index(forKey: id) else {
            let known = Int64(rowsOfDone(id) ?? 0)
            return rows.map { $0 >= 0 && $0 < known ? .repeated : .stray }
        }
        let verdicts = rows.map { batches.values[index].settle($0) }
        if batches.values[index].left == 0 {
            let rows = batches.remove(at: index).value.rows
            done[rows, default: RangeSet()].insert(contentsOf: id..<id + 1)
        }
        return verdicts
    }

    /// How many rows a batch had that has all its results, or nil where it is none.
    private func rowsOfDone(_ id: UInt64) -> Int? { done.first { $0.value.contains(id) }?.key }

    /// Stops waiting, and returns the rows without a result, by batch, in order; afterwards no batch is known.
    mutating func takeMissing() -> [(batch: UInt64, rows: [Int])] {
        defer {
            batches = [:]
            done = [:]
        }
        return batches.filter { $0.value.left > 0 }.sorted { $0.key < $1.key }.map { id, batch in
            (id, (0..<batch.rows).filter { batch.awaited[$0 >> 6] & (1 << UInt64($0 & 63)) != 0 })
        }
    }
}
