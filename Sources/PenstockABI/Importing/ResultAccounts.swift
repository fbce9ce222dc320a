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
    }

    private var batches: [UInt64: Batch] = [:]

    /// Awaits one result for each of `rows` rows of batch `id`.
    ///
    /// - Returns: Whether the number was free.
    mutating func expect(_ id: UInt64, rows: Int) -> Bool {
        guard batches[id] == nil else { return false }
        batches[id] = Batch(awaited: [UInt64](repeating: .max, count: (rows + 63) / 64), rows: rows, left: rows)
        return true
    }

    /// Takes back ``expect(_:rows:)`` for a batch that was not taken over.
    ///
    /// - Returns: Whether no result had come for it.
    mutating func forget(_ id: UInt64) -> Bool {
        guard let batch = batches.removeValue(forKey: id) else { return true }
        return batch.left == batch.rows
    }

    /// Counts a result that came in.
    mutating func settle(_ id: UInt64, row: Int64) -> Verdict {
        guard let rows = batches[id]?.rows, row >= 0, row < rows else { return .stray }
        let word = Int(row >> 6)
        let bit: UInt64 = 1 << UInt64(row & 63)
        guard let awaited = batches[id]?.awaited[word], awaited & bit != 0 else { return .repeated }
        batches[id]?.awaited[word] &= ~bit
        batches[id]?.left -= 1
        return .counts
    }

    /// Stops waiting, and returns the rows without a result, by batch, in order; afterwards no batch is known.
    mutating func takeMissing() -> [(batch: UInt64, rows: [Int])] {
        defer { batches = [:] }
        return batches.filter { $0.value.left > 0 }.sorted { $0.key < $1.key }.map { id, batch in
            (id, (0..<batch.rows).filter { batch.awaited[$0 >> 6] & (1 << UInt64($0 & 63)) != 0 })
        }
    }
}
