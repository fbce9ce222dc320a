// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension RecordSnapshot {
    /// What is known of a record.
    package enum Found: Sendable, Hashable {
        /// It was read.
        case record(Entry)
        /// It did not exist at this time, in milliseconds since 1970.
        case absent(Int64)
        /// Nothing, or it was written since.
        case unknown
    }

    /// A record that was read.
    package struct Entry: Sendable, Hashable {
        /// Its id at the destination.
        package var id: String
        /// What was stored with it.
        package var record: [UInt8]
        /// When it was read, in milliseconds since 1970.
        package var readAt: Int64

        /// A record that was read.
        package init(id: String, record: [UInt8], readAt: Int64) {
            self.id = id
            self.record = record
            self.readAt = readAt
        }
    }

    /// The two sorts of what is written.
    private enum Written: Int64 {
        case id
        case text
    }

    // MARK: - Keeping

    /// Keeps a record as it was just read, unless it was written in this session: it may have been read before that.
    ///
    /// - Parameters:
    ///   - matches: The values it is found by.
    ///   - record: What is stored with it; nil where it does not exist.
    /// - Throws: ``StateError``; only ``close()`` is allowed afterwards.
    package func keep(id: String, matches: [String], record: [UInt8]?, readAt: Int64) throws(StateError) {
        let key = Self.key(id)
        if hasWritten, try isWritten(.id, key, since: about.session) { return }
        if hadWritten { try statement("DELETE FROM written WHERE kind = 0 AND text = ?1").execute([key]) }
        let texts = matches.isEmpty ? "" : JSON.strings(matches).text
        try keep(matches, texts, key)
        try statement("INSERT OR REPLACE INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6)").execute([
            key, .text(texts), record.map { .bytes($0) } ?? .null, .integer(readAt), .integer(about.session),
            .integer(Self.check(id, texts, record, readAt)),
        ])
    }

    /// Lets a record be found by these values and no others.
    private func keep(_ matches: [String], _ texts: String, _ key: SQLiteValue) throws(StateError) {
        guard hasMatches || !matches.isEmpty else { return }
        hasMatches = true
        let earlier = try statement("SELECT matches FROM record WHERE id = ?1").first([key]) { $0.text(0) ?? "" } ?? ""
        guard earlier != texts else { return }
        // What is stored is JSON; what is not would only leave a value that finds the new record.
        let old = (try? JSON(parsing: earlier))?.arrayValue ?? []
        let delete = try statement("DELETE FROM match WHERE value = ?1 AND id = ?2")
        for match in old.compactMap(\.stringValue) { try delete.execute([.text(match), key]) }
        let insert = try statement("INSERT OR IGNORE INTO match VALUES (?1, ?2)")
        for match in matches { try insert.execute([.text(match), key]) }
    }

    /// An id as it is stored: as a number where it reads as one that is written like this.
    private static func key(_ id: String) -> SQLiteValue {
        let digits = id.utf8
        guard let first = digits.first, digits.count < 19, first != 0x30,
            digits.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(id)
        else { return .text(id) }
        return .integer(number)
    }

    /// Takes note that the list of all records was read to its end, and every record of it kept in this session.
    ///
    /// What was not read in this session does not exist.
    ///
    /// - Parameter readAt: When its first page was read, in milliseconds since 1970.
    /// - Throws: ``StateError``; only ``close()`` is allowed afterwards.
    package func endList(readAt: Int64) throws(StateError) {
        try drop("session <> ?1", [.integer(about.session)])
        try statement("DELETE FROM written WHERE session <> ?1").execute([.integer(about.session)])
        about.listedAt = readAt
        about.oldest = readAt
    }

    /// Takes note that the list does not have all records any more.
    package func forgetList() { about.listedAt = nil }

    /// Takes note that a record is written: nothing is known of it from now on, nor of whom these values find.
    ///
    /// - Parameter id: Its id; nil for one that is created.
    /// - Throws: ``StateError``; only ``close()`` is allowed afterwards.
    package func noteWritten(id: String?, matches: [String]) throws(StateError) {
        hasWritten = true
        let insert = try statement("INSERT OR REPLACE INTO written VALUES (?1, ?2, ?3)")
        if let id { try insert.execute([.integer(Written.id.rawValue), Self.key(id), .integer(about.session)]) }
        for match in matches {
            try insert.execute([.integer(Written.text.rawValue), .text(match), .integer(about.session)])
        }
    }

    // MARK: - Looking

    /// What is known of the record `id`.
    ///
    /// - Throws: ``StateError``, `damaged` where it is not what was stored.
    package func find(id: String) throws(StateError) -> Found {
        let key = Self.key(id)
        if try isWritten(.id, key, since: 0) { return .unknown }
        let found = try statement("SELECT id, record, read_at, matches, \"check\" FROM record WHERE id = ?1")
            .first([key]) { row throws(StateError) in try Self.found(row) }
        if let found { return found }
        return about.listedAt.map { Found.absent($0) } ?? .unknown
    }

    /// Up to `limit` records that are found by one of `matches`, in the order of their ids.
    ///
    /// - Returns: Nil where that cannot be told: the whole list was not read, or something was written since that may
    ///   be found by them, or not any more.
    /// - Throws: ``StateError``, `damaged` where a record is not what was stored.
    package func find(matches: [String], limit: Int) throws(StateError) -> [Entry]? {
        guard about.listedAt != nil else { return nil }
        var entries: [Entry] = []
        for text in matches where entries.count < limit {
            if try isWritten(.text, .text(text), since: 0) { return nil }
            let found = try find(match: text, limit: limit)
            for entry in found {
                if try isWritten(.id, Self.key(entry.id), since: 0) { return nil }
                if !entries.contains(where: { $0.id == entry.id }) { entries.append(entry) }
            }
        }
        return Array(entries.prefix(limit))
    }

    private func find(match: String, limit: Int) throws(StateError) -> [Entry] {
        var entries: [Entry] = []
        try statement(
            """
            SELECT record.id, record, read_at, matches, "check" FROM match
            CROSS JOIN record ON record.id = match.id WHERE match.value = ?1 ORDER BY match.id LIMIT ?2
            """
        ).rows([.text(match), .integer(Int64(limit))]) { row throws(StateError) in
            if case .record(let entry) = try Self.found(row) { entries.append(entry) }
        }
        return entries
    }

    private static func found(_ row: SQLiteStatement) throws(StateError) -> Found {
        let id = row.text(0) ?? ""
        let record = row.isNull(1) ? nil : row.bytes(1)
        let readAt = row.integer(2)
        guard check(id, row.text(3) ?? "", record, readAt) == row.integer(4) else {
            throw .damaged("the kept record \(id)")
        }
        guard let record else { return .absent(readAt) }
        return .record(Entry(id: id, record: record, readAt: readAt))
    }

    private static func check(_ id: String, _ matches: String, _ record: [UInt8]?, _ readAt: Int64) -> Int64 {
        var check = RowCheck("record")
        check.add(id)
        check.add(matches)
        check.add(record)
        check.add(readAt)
        return check.value
    }

    /// Whether a record was written since a session, and not read again in a later one.
    private func isWritten(_ kind: Written, _ text: SQLiteValue, since session: Int64) throws(StateError) -> Bool {
        guard hasWritten || hadWritten else { return false }
        return try statement("SELECT 1 FROM written WHERE kind = ?1 AND text = ?2 AND session >= ?3")
            .first([.integer(kind.rawValue), text, .integer(session)]) { _ in true } ?? false
    }

    private func statement(_ sql: String) throws(StateError) -> SQLiteStatement { try connection.statement(sql) }
}
