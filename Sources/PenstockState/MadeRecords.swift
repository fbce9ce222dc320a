// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Which of the records that are found are kept already as created, for the changes of one transaction.
///
/// The table of created records has no index over its keys: it is gone through once, and not for every record.
struct MadeRecords {
    private struct Entry: Hashable {
        var run: Int64
        var key: Fingerprint
        var remoteID: String

        init(_ image: RecordImage) { (run, key, remoteID) = (image.run, image.key, image.remoteID) }
        init(_ run: Int64, _ key: Fingerprint, _ remoteID: String) {
            (self.run, self.key, self.remoteID) = (run, key, remoteID)
        }
    }

    private let connection: SQLiteConnection
    /// The keys of the rows whose records are found, by run.
    private let wanted: [Int64: Set<Fingerprint>]
    /// Nil until the first record is asked for: what comes before it in the transaction is in the table by then.
    private var known: Set<Entry>?

    /// What `changes` ask for.
    init(_ changes: [ImageChange], _ connection: SQLiteConnection) {
        self.connection = connection
        var wanted: [Int64: Set<Fingerprint>] = [:]
        for case .found(let image) in changes { wanted[image.run, default: []].insert(image.key) }
        self.wanted = wanted
    }

    /// Whether a record is among those that its run has created for its row.
    mutating func contains(_ image: RecordImage) throws(StateError) -> Bool {
        if known == nil { known = try load() }
        return known?.contains(Entry(image)) ?? false
    }

    /// Takes note of a record that is about to be kept.
    mutating func add(_ image: RecordImage) {
        if known != nil, wanted[image.run]?.contains(image.key) ?? false { known?.insert(Entry(image)) }
    }

    private func load() throws(StateError) -> Set<Entry> {
        var found: Set<Entry> = []
        // As text, because a list is handed over as JSON.
        let sql = """
            SELECT key, remote_id FROM made WHERE id > (SELECT made_from FROM run WHERE number = ?1) AND run = ?1
            AND hex(key) IN (SELECT value FROM json_each(?2))
            """
        for (run, keys) in wanted {
            let list = JSON.strings(keys.map { $0.hex.uppercased() }).text
            try connection.statement(sql).rows([.integer(run), .text(list)]) { row throws(StateError) in
                guard let key = row.fingerprint(0), let id = row.text(1) else { return }
                found.insert(Entry(run, key, id))
            }
        }
        return found
    }
}
