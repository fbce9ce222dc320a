// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// How often each key of a run was met, for any number of keys in a fixed amount of memory (about 20 MB).
///
/// New keys gather in memory and move to a nameless SQLite file in sorted batches, because an insert in random order
/// costs a page of the file each. A filter tells most new keys from those in the file without reading it. One thread
/// at a time may use it.
package final class SeenKeys {
    private let folder: String
    private let batchKeys: Int
    private var batch = KeyCounts()
    private var stored: Stored?

    /// What exists once there are more keys than fit a batch.
    private struct Stored {
        let connection: SQLiteConnection
        var filter: KeyFilter
        var count = 0
    }

    /// Nothing seen so far.
    ///
    /// - Parameters:
    ///   - folder: On whose disk the file is made, if it comes to that.
    ///   - batchKeys: How many keys gather in memory.
    package init(folder: String, batchKeys: Int = 65_536) {
        self.folder = folder
        self.batchKeys = batchKeys
    }

    /// How many different keys were met.
    package var count: Int { batch.count + (stored?.count ?? 0) }

    /// Counts `key` once more.
    ///
    /// - Returns: How often it was met before, 0 for a new one.
    /// - Throws: ``StateError/cannotWrite(_:)``, for example because the disk is full; only releasing the object is
    ///   allowed afterwards.
    package func insert(_ key: Fingerprint) throws(StateError) -> Int {
        let slot = batch.slot(of: key)
        let before = batch.times(slot)
        if before == 0, let stored = try countStored(key) { return stored }
        batch.set(slot, key, times: before + 1)
        if batch.count > batchKeys { try store() }
        return before
    }

    /// Whether `key` was met before; does not count it.
    ///
    /// - Throws: As for ``insert(_:)``.
    package func contains(_ key: Fingerprint) throws(StateError) -> Bool {
        if batch.times(batch.slot(of: key)) > 0 { return true }
        guard let stored, stored.filter.mayContain(key) else { return false }
        return try stored.connection.statement("SELECT 1 FROM seen WHERE key = ?1").first([.fingerprint(key)]) { _ in
            true
        } ?? false
    }

    private func countStored(_ key: Fingerprint) throws(StateError) -> Int? {
        guard let stored, stored.filter.mayContain(key) else { return nil }
        return try stored.connection
            .statement("UPDATE seen SET times = times + 1 WHERE key = ?1 RETURNING times - 1")
            .first([.fingerprint(key)]) { Int($0.integer(0)) }
    }

    private func store() throws(StateError) {
        if stored == nil { stored = try makeStored() }
        guard let connection = stored?.connection else { return }
        let insert = try connection.statement("INSERT INTO seen VALUES (?1, ?2)")
        let sorted = batch.sorted
        for entry in sorted {
            try insert.execute([.fingerprint(entry.key), .integer(Int64(entry.times))])
            stored?.filter.add(entry.key)
        }
        stored?.count += sorted.count
        batch.removeAll()
    }

    private func makeStored() throws(StateError) -> Stored {
        let connection = try SQLiteConnection.scratch(folder: folder)
        try connection.execute(
            "CREATE TABLE seen (key BLOB PRIMARY KEY, times INTEGER NOT NULL) STRICT, WITHOUT ROWID")
        return Stored(connection: connection, filter: KeyFilter(blockBits: 17))
    }
}
