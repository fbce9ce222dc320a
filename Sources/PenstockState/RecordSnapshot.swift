// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel

/// Records of a destination as they were read last, to be found by their id or by the value of a match field.
///
/// A file of its own that anybody may delete, for this user only. Who writes does so in one transaction, which
/// ``commit(run:now:)`` ends: a kill leaves what was there before, and others read that meanwhile. Every record has a
/// checksum, which its keys have not: a damaged file may know less than it did. One thread at a time may use it.
package final class RecordSnapshot {
    /// What a snapshot must be to be of use.
    package struct Stamp: Sendable, Hashable {
        /// What the records were read for; they mean nothing for anything else.
        package var subject: String
        /// Where the runs of the sync stood when they were read, so that what a run has written since is noticed.
        package var run: String

        /// What a snapshot must be.
        package init(subject: String, run: String) {
            self.subject = subject
            self.run = run
        }
    }

    /// What the file says of itself.
    struct About {
        var stamp: Stamp
        /// Counts those who have written.
        var session: Int64
        /// When the whole list of records was begun to be read; nil where it was not, or is not known whole any more.
        var listedAt: Int64?
        /// No record was read before this time.
        var oldest: Int64
    }

    /// How long a record is kept that nobody reads again.
    package static let keepMilliseconds: Int64 = 30 * dayMilliseconds
    private static let dayMilliseconds: Int64 = 86_400_000
    /// How many records may be known to be others now, whatever the number of records, before a list is no list.
    private static let writtenMin: Int64 = 1_000
    private static let version: Int64 = 2

    let connection: SQLiteConnection
    var about: About
    /// Whether records were written in this session.
    var hasWritten = false
    /// Whether records were written in earlier sessions.
    let hadWritten: Bool
    /// Whether there are match texts; where there are none, none can be wrong.
    var hasMatches: Bool

    private init(_ connection: SQLiteConnection, _ about: About) throws(StateError) {
        self.connection = connection
        self.about = about
        hadWritten = try connection.integer("SELECT EXISTS (SELECT 1 FROM written)") == 1
        hasMatches = try connection.integer("SELECT EXISTS (SELECT 1 FROM match)") == 1
    }

    /// When the whole list of records was read, in milliseconds since 1970; what it did not have did not exist then.
    package var listedAt: Int64? { about.listedAt }

    // MARK: - Opening

    /// Opens a snapshot to look at it, as it is at this moment.
    ///
    /// - Returns: Nil where there is none, or one of something else.
    /// - Throws: ``StateError``, where it cannot be read or is damaged.
    package static func openForReading(path: String, _ stamp: Stamp) throws(StateError) -> RecordSnapshot? {
        guard try StateFolder.exists(path) else { return nil }
        let connection = try SQLiteConnection(path: path, access: .readOnly)
        try connection.execute(settings + "BEGIN;")
        guard let about = try told(connection), about.stamp == stamp else { return nil }
        return try RecordSnapshot(connection, about)
    }

    /// Opens a snapshot to change it; nothing of that stays before ``commit(run:now:)``.
    ///
    /// - Parameters:
    ///   - creates: Whether one is begun where there is none, or one of something else, or a damaged one.
    ///   - now: The time in milliseconds since 1970.
    /// - Returns: Nil where there is none that is meant.
    /// - Throws: ``StateError``, also where another process is changing it.
    package static func openForWriting(
        path: String, _ stamp: Stamp, creates: Bool, now: Int64
    ) throws(StateError) -> RecordSnapshot? {
        if let there = try existing(path, stamp) { return there }
        guard creates else { return nil }
        try remove(path: path)
        try StateFolder.makeFolders(StateFolder.parent(path))
        try StateFolder.createPrivateFile(path)
        let connection = try SQLiteConnection(path: path, access: .readWrite)
        try connection.execute(settings + writerSettings)
        guard try connection.statement("PRAGMA journal_mode = WAL").first([], { $0.text(0) }) == "wal" else {
            throw .cannotWrite("Writing ahead is not possible on the disk of \(path).")
        }
        try connection.execute("BEGIN IMMEDIATE;" + tables + "PRAGMA user_version = \(version);")
        return try RecordSnapshot(connection, About(stamp: stamp, session: 1, listedAt: nil, oldest: now))
    }

    private static func existing(_ path: String, _ stamp: Stamp) throws(StateError) -> RecordSnapshot? {
        do {
            guard try StateFolder.exists(path) else { return nil }
            let connection = try SQLiteConnection(path: path, access: .readWrite)
            try connection.execute(settings + writerSettings + "BEGIN IMMEDIATE;")
            guard var about = try told(connection), about.stamp == stamp else { return nil }
            about.session += 1
            return try RecordSnapshot(connection, about)
        } catch {
            if case .locked = error { throw error }
            // What cannot be read is begun anew.
            return nil
        }
    }

    private static func told(_ connection: SQLiteConnection) throws(StateError) -> About? {
        guard try connection.integer("PRAGMA user_version") == version else { return nil }
        return try connection.statement("SELECT subject, run, session, listed_at, oldest FROM about").first([]) { row in
            About(
                stamp: Stamp(subject: row.text(0) ?? "", run: row.text(1) ?? ""), session: row.integer(2),
                listedAt: row.optionalInteger(3), oldest: row.integer(4))
        }
    }

    /// Removes a snapshot, whatever is in it.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``.
    package static func remove(path: String) throws(StateError) {
        for ending in ["-wal", "-shm", ""] { try StateFolder.remove(path + ending) }
    }

    /// Lets go of the file; what was changed and not committed is gone.
    package func close() { connection.close() }

    // MARK: - Keeping

    /// Makes what was changed last, with `run` as where the runs of the sync stand now, and closes the file.
    ///
    /// - Throws: ``StateError``; the file is then as it was, or what was changed is kept and its free room not given
    ///   back.
    package func commit(run: String, now: Int64) throws(StateError) {
        about.stamp.run = run
        try dropOld(now)
        try bound()
        try connection.execute("DELETE FROM about")
        try connection.statement("INSERT INTO about VALUES (?1, ?2, ?3, ?4, ?5)").execute([
            .text(about.stamp.subject), .text(run), .integer(about.session), SQLiteValue(about.listedAt),
            .integer(about.oldest),
        ])
        try connection.execute("COMMIT")
        let free = try connection.integer("PRAGMA freelist_count")
        if free > Self.writtenMin, try 2 * free > connection.integer("PRAGMA page_count") {
            // In memory it would take as much of it as there are records.
            try connection.execute("PRAGMA temp_store = FILE; VACUUM")
        }
        connection.close()
    }

    /// Drops what was read long ago, once a day at most: to look for it takes a look at everything.
    private func dropOld(_ now: Int64) throws(StateError) {
        let limit = now - Self.keepMilliseconds
        guard about.oldest < limit - Self.dayMilliseconds else { return }
        if let listedAt, listedAt < limit { about.listedAt = nil }
        try drop("read_at < ?1", [.integer(limit)])
        about.oldest = limit
    }

    /// Drops what is known to be another record now, unless it is needed to know what the list does not tell.
    private func bound() throws(StateError) {
        guard hasWritten || hadWritten else { return }
        if about.listedAt != nil, hasWritten {
            let written = try connection.integer("SELECT count(*) FROM written")
            let records = try connection.integer("SELECT count(*) FROM record")
            if written > max(Self.writtenMin, records) { about.listedAt = nil }
        }
        guard about.listedAt == nil else { return }
        try drop("id IN (SELECT text FROM written WHERE kind = 0)", [])
        try connection.execute("DELETE FROM written")
    }

    /// Drops the records for which a condition holds.
    func drop(_ condition: String, _ values: [SQLiteValue]) throws(StateError) {
        if hasMatches {
            try connection.statement("DELETE FROM match WHERE id IN (SELECT id FROM record WHERE \(condition))")
                .execute(values)
        }
        try connection.statement("DELETE FROM record WHERE \(condition)").execute(values)
    }

    private static let settings = """
        PRAGMA trusted_schema = OFF;
        PRAGMA cell_size_check = ON;
        PRAGMA mmap_size = 0;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -2000;

        """

    /// Nobody waits for another who writes.
    private static let writerSettings = """
        PRAGMA busy_timeout = 0;
        PRAGMA synchronous = NORMAL;
        PRAGMA journal_size_limit = 0;

        """

    /// A record without bytes is one that was looked for and is not there.
    ///
    /// Ids that are numbers are stored as such, so that records which are read in their order lie in their order.
    ///
    /// `written` has what this host has written since: ids (kind 0) and match texts (kind 1) of which nothing is known.
    private static let tables = """
        CREATE TABLE about (subject TEXT, run TEXT, session INTEGER, listed_at INTEGER, oldest INTEGER) STRICT;
        CREATE TABLE record (
            id ANY PRIMARY KEY, matches TEXT NOT NULL, record BLOB, read_at INTEGER NOT NULL, session INTEGER NOT NULL,
            "check" INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE match (value TEXT, id ANY, PRIMARY KEY (value, id)) STRICT, WITHOUT ROWID;
        CREATE TABLE written (kind INTEGER, text ANY, session INTEGER NOT NULL, PRIMARY KEY (kind, text))
            STRICT, WITHOUT ROWID;

        """
}
