// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A text for each of any number of keys, in a fixed amount of memory.
///
/// New ones gather in memory and move to a nameless SQLite file in the order of their keys; it goes with the object.
/// One thread at a time may use it.
package final class KeyTexts {
    private let folder: String
    private let batchKeys: Int
    private var batch: [Fingerprint: String] = [:]
    private var file: SQLiteConnection?

    /// No key has a text yet.
    ///
    /// - Parameters:
    ///   - folder: On whose disk the file is made, if it comes to that; it must exist then.
    ///   - batchKeys: How many keys gather in memory.
    package init(folder: String, batchKeys: Int = 16_384) {
        self.folder = folder
        self.batchKeys = batchKeys
    }

    /// Gives `key` a text, in place of the one that it has.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``, for example because the disk is full; only releasing the object is
    ///   allowed afterwards.
    package func set(_ key: Fingerprint, _ text: String) throws(StateError) {
        batch[key] = text
        if batch.count > batchKeys { try store() }
    }

    /// The text of `key`, or nil.
    ///
    /// - Throws: As for ``set(_:_:)``.
    package func text(of key: Fingerprint) throws(StateError) -> String? {
        if let text = batch[key] { return text }
        guard let file else { return nil }
        return try file.statement("SELECT text FROM entry WHERE key = ?1").first([.bytes(key.bytes)]) { $0.text(0) }
            ?? nil
    }

    private func store() throws(StateError) {
        let file = try opened()
        let insert = try file.statement("INSERT OR REPLACE INTO entry VALUES (?1, ?2)")
        // Neighbours go to one page.
        let sorted = batch.map { (key: $0.key.bytes, text: $0.value) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
        for entry in sorted { try insert.execute([.bytes(entry.key), .text(entry.text)]) }
        batch.removeAll(keepingCapacity: true)
    }

    private func opened() throws(StateError) -> SQLiteConnection {
        if let file { return file }
        let made = try SQLiteConnection.scratch(folder: folder)
        try made.execute("CREATE TABLE entry (key BLOB PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID")
        file = made
        return made
    }
}
