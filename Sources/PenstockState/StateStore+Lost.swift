// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What a person says of a create whose answer was lost.
package enum LostCreateResolution: Sendable, Hashable {
    /// This record is the row's.
    case adopt(String)
    /// There is no record: the row is to be sent again.
    case resend
    /// The row is to be left out.
    case drop
}

extension StateStore {
    /// The creates whose answer was lost, in the order in which their keys first came.
    ///
    /// While a run is at work they include those that are on their way.
    ///
    /// - Throws: ``StateError``.
    package func lostCreates() throws -> [LedgerEntry] {
        var entries: [LedgerEntry] = []
        for outcome in [LedgerEntry.Outcome.intent, .unknown] {
            try forEachEntry(where: outcome) { entries.append($0) }
        }
        return entries
    }

    /// Settles a create whose answer was lost as a person says.
    ///
    /// - Throws: ``StateError``; nothing is settled then.
    package func resolve(_ entry: LedgerEntry, _ resolution: LostCreateResolution) throws(StateError) {
        var entry = entry
        var changes: [StateChange] = []
        switch resolution {
        case .adopt(let id):
            entry.outcome = .created
            entry.remoteID = id
            entry.payload = entry.intent?.payload
            changes.append(.created(remoteID: id))
        case .resend: entry.outcome = .notTried
        case .drop:
            entry.outcome = .dropped
            entry.payload = entry.intent?.payload
        }
        entry.intent = nil
        try commit([.ledger(entry)] + changes)
    }
}
