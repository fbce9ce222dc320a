// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Synchronization

/// Compares the rows of a source with the ledger, in the order in which they come.
///
/// It knows the keys that the ledger had when it was made, with what is said of them now: what a resumed run settled
/// before is there; a key that first comes into the ledger while this is at work is not. So a key is repeated in the
/// source exactly if ``LedgerMatch/wasMatchedBefore`` says so or, for a key that is not known, if it came before.
///
/// Rows that come in the order of the ledger, which is that of earlier reads, cost least. Memory grows by one bit a row
/// of the ledger. One thread at a time may use it.
package final class LedgerMatcher: Sendable {
    private let store: StateStore?
    private let last: Int64
    private let walk: Mutex<LedgerWalk>

    /// A matcher that has seen no row of the source.
    ///
    /// - Parameters:
    ///   - store: The ledger, or nil where there is none; it must stay open.
    ///   - scratchFolder: On whose disk files without a name are made, if it comes to that.
    /// - Throws: ``StateError``.
    package init(_ store: StateStore?, scratchFolder: String) throws(StateError) {
        self.store = store
        last =
            try store?.read { connection throws(StateError) in
                try LedgerTable(connection: connection).lastPosition()
            } ?? 0
        walk = Mutex(LedgerWalk(last: last))
    }

    /// What the ledger says of each of `keys`, the next ones of the source.
    ///
    /// - Returns: One match a key, in their order.
    /// - Throws: ``StateError``; only releasing the object is allowed afterwards.
    package func match(_ keys: [Fingerprint]) throws(StateError) -> [LedgerMatch] {
        guard let store, last > 0 else { return [LedgerMatch](repeating: LedgerMatch(), count: keys.count) }
        return try store.read { connection throws(StateError) in
            try walk.withLock { walk throws(StateError) in try walk.match(keys, connection) }
        }
    }

    /// The id of the match's record, or nil; for a match of the last ``match(_:)``.
    package func remoteID(of match: LedgerMatch) -> String? {
        switch match.remoteKind {
        case .none: nil
        case .number: String(match.remoteNumber)
        case .text: walk.withLock { match.remoteText.string($0.texts) }
        }
    }

    /// The Incremental Key with which the match's row was last settled, or nil; for a match of the last ``match(_:)``.
    package func cursor(of match: LedgerMatch) -> String? {
        match.hasCursor ? walk.withLock { match.cursorText.string($0.texts) } : nil
    }

    /// How many rows with a record (created, updated or unchanged) were not matched: they are gone from the source,
    /// where all of it was matched.
    ///
    /// - Throws: ``StateError``.
    package var removedCount: Int64 {
        get throws {
            var count: Int64 = 0
            try forEachRemoved { _ in count += 1 }
            return count
        }
    }

    /// Visits the rows with a record that were not matched, in the order of the ledger.
    ///
    /// Only the blocks that hold such rows are read. `body` may use the store and not this matcher.
    ///
    /// - Throws: ``StateError``, and what `body` throws, which ends the visit.
    package func forEachRemoved(_ body: (LedgerEntry) throws -> Void) throws {
        guard let store else { return }
        var position: Int64 = 1
        while let gap = walk.withLock({ $0.matched.gap(from: position) }) {
            let page = try store.read { connection throws(StateError) in
                try LedgerTable(connection: connection)
                    .places(from: gap.lowerBound, through: gap.upperBound, limit: StateStore.pageSize)
            }
            for (entry, _) in page.found where entry.outcome.isAccepted { try body(entry) }
            position = page.next ?? gap.upperBound + 1
        }
    }
}
