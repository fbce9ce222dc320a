// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Compares the rows of a source with the ledger, in the order in which they come.
///
/// It knows the keys that the ledger had when it was made, with what is said of them now: what a resumed run settled
/// before is there; a key that first comes into the ledger while this is at work is not. So a key is repeated in the
/// source exactly if ``LedgerMatch/wasMatchedBefore`` says so or, for a key that is not known, if it came before.
///
/// Rows that come in the order of the ledger, which is that of earlier reads, cost least. Memory grows by one bit a row
/// of the ledger. One thread at a time may use it.
package final class LedgerMatcher {
    private let store: StateStore?
    private var matched: PositionSet
    private var texts: [UInt8] = []

    /// A matcher that has seen no row of the source.
    ///
    /// - Parameters:
    ///   - store: The ledger, or nil where there is none; it must stay open.
    ///   - scratchFolder: On whose disk files without a name are made, if it comes to that.
    /// - Throws: ``StateError``.
    package init(_ store: StateStore?, scratchFolder: String) throws(StateError) {
        self.store = store
        let last = try store?.read { connection throws(StateError) in
            try connection.integer("SELECT coalesce(max(id), 0) FROM ledger")
        }
        matched = PositionSet(last: last ?? 0)
    }

    /// What the ledger says of each of `keys`, the next ones of the source.
    ///
    /// - Returns: One match a key, in their order.
    /// - Throws: ``StateError``; only releasing the object is allowed afterwards.
    package func match(_ keys: [Fingerprint]) throws(StateError) -> [LedgerMatch] {
        texts.removeAll(keepingCapacity: true)
        guard let store, matched.last > 0 else { return [LedgerMatch](repeating: LedgerMatch(), count: keys.count) }
        let found = try store.read { connection throws(StateError) in
            var found: [(LedgerEntry, Int64)?] = []
            for key in keys { found.append(try LedgerTable(connection: connection).place(key)) }
            return found
        }
        return found.map { found in
            guard let (entry, position) = found, position <= matched.last else { return LedgerMatch() }
            return match(entry, position)
        }
    }

    private func match(_ entry: LedgerEntry, _ position: Int64) -> LedgerMatch {
        var match = LedgerMatch()
        match.position = position
        match.payload = entry.payload
        match.source = entry.source
        match.run = entry.run
        match.outcome = entry.outcome
        match.isHot = true
        match.wasMatchedBefore = !matched.insert(position)
        if let id = entry.remoteID {
            if let number = UInt64(id), String(number) == id {
                match.remoteKind = .number
                match.remoteNumber = number
            } else {
                match.remoteKind = .text
                match.remoteText = keep(id)
            }
        }
        if let cursor = entry.cursor { match.cursorText = keep(cursor) }
        return match
    }

    private func keep(_ text: String) -> LedgerMatch.ArenaText {
        let start = texts.count
        texts.append(contentsOf: text.utf8)
        return LedgerMatch.ArenaText(start: Int32(start), count: Int32(texts.count - start))
    }

    private func text(_ place: LedgerMatch.ArenaText) -> String {
        String(decoding: texts[Int(place.start)..<Int(place.start + place.count)], as: UTF8.self)
    }

    /// The id of the match's record, or nil; for a match of the last ``match(_:)``.
    package func remoteID(of match: LedgerMatch) -> String? {
        switch match.remoteKind {
        case .none: nil
        case .number: String(match.remoteNumber)
        case .text: text(match.remoteText)
        }
    }

    /// The Incremental Key with which the match's row was last settled, or nil; for a match of the last ``match(_:)``.
    package func cursor(of match: LedgerMatch) -> String? {
        match.cursorText.count < 0 ? nil : text(match.cursorText)
    }

    /// Everything that the ledger says of the row, or nil for a match that is not known; for any match.
    ///
    /// - Throws: ``StateError``.
    package func entry(of match: LedgerMatch) throws(StateError) -> LedgerEntry? {
        guard match.isKnown, let store else { return nil }
        return try store.read { connection throws(StateError) in
            try LedgerTable(connection: connection).find(position: match.position)
        }
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
    /// `body` may use the store and not this matcher.
    ///
    /// - Throws: ``StateError``, and what `body` throws, which ends the visit.
    package func forEachRemoved(_ body: (LedgerEntry) throws -> Void) throws {
        guard let store else { return }
        var position: Int64 = 0
        while true {
            let start = position
            let page = try store.read { connection throws(StateError) in
                try LedgerTable(connection: connection).places(after: start, limit: StateStore.pageSize)
            }
            for (entry, place) in page where place <= matched.last {
                if entry.outcome.isAccepted, !matched.contains(place) { try body(entry) }
            }
            guard page.count == StateStore.pageSize, let last = page.last?.1 else { return }
            position = last
        }
    }
}
