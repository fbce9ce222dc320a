// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Synchronization

/// What runs of one sync have overwritten and created, and what they wrote last into guarded fields.
///
/// It lies beside the state, in a file of its own, and is kept as long as the history of runs. Who writes it holds the
/// sync's state open for writing. Any thread; calls wait for each other.
package final class BeforeImages: Sendable {
    private let open: Mutex<Connection?>

    /// The connection goes from thread to thread, one at a time.
    private final class Connection {
        let connection: SQLiteConnection
        /// Whether transactions are to survive a loss of power now, as ``settings`` has it first.
        var isDurable = true
        init(_ connection: SQLiteConnection) { self.connection = connection }
    }

    /// Files of an earlier version go with the states that they belong to, which cannot be read any more either.
    private static let version: Int64 = 2

    private init(_ connection: sending Connection) { open = Mutex(connection) }

    /// The file that belongs to the state of `sync` in `folder`.
    static func path(_ folder: String, _ sync: String) -> String { "\(folder)/\(sync).before" }

    /// Whether anything is kept.
    ///
    /// - Throws: ``StateError`` where that cannot be told.
    package static func exist(folder: String, sync: String) throws(StateError) -> Bool {
        try StateFolder.hasContent(path(folder, sync))
    }

    /// Opens the file, for this user only, and makes it where it is missing.
    ///
    /// - Throws: ``StateError``.
    package static func openForWriting(folder: String, sync: String) throws(StateError) -> BeforeImages {
        let path = path(folder, sync)
        try StateFolder.createPrivateFile(path)
        let connection = try SQLiteConnection(path: path, access: .readWrite)
        connection.refuseDamagingStatements()
        try connection.execute(settings)
        guard try connection.statement("PRAGMA journal_mode = WAL").first([], { $0.text(0) }) == "wal" else {
            throw .cannotWrite("Writing ahead is not possible on the disk of \(path); use a local disk.")
        }
        if try version(of: connection) < version {
            try connection.transaction { () throws(StateError) in
                for table in ["run", "image", "made", "written"] {
                    try connection.execute("DROP TABLE IF EXISTS \(table)")
                }
                try connection.execute(schema + "PRAGMA user_version = \(version);")
            }
        }
        return BeforeImages(Connection(connection))
    }

    /// Opens the file to read it; nil where nothing is kept.
    ///
    /// - Throws: ``StateError``.
    package static func openForReading(folder: String, sync: String) throws(StateError) -> BeforeImages? {
        guard try exist(folder: folder, sync: sync) else { return nil }
        let connection = try SQLiteConnection(path: path(folder, sync), access: .readOnly)
        connection.refuseDamagingStatements()
        try connection.execute("PRAGMA busy_timeout = 5000; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;")
        guard try version(of: connection) == version else { return nil }
        return BeforeImages(Connection(connection))
    }

    /// Forgets what is kept of runs, by their ids; the caller holds the state open for writing.
    ///
    /// - Throws: ``StateError``.
    package static func forget(runs: [String], folder: String, sync: String) throws(StateError) {
        guard !runs.isEmpty, try exist(folder: folder, sync: sync) else { return }
        let images = try openForWriting(folder: folder, sync: sync)
        defer { images.close() }
        try images.use { connection throws(StateError) in
            try connection.transaction { () throws(StateError) in
                for id in runs {
                    let number = try connection.statement("SELECT number FROM run WHERE id = ?1")
                        .first([.text(id)]) { $0.integer(0) }
                    guard let number else { continue }
                    try ImageTable(connection: connection).forget(number)
                }
            }
        }
    }

    private static func version(of connection: SQLiteConnection) throws(StateError) -> Int64 {
        let found = try connection.integer("PRAGMA user_version")
        guard found <= version else { throw .newer(Int(found)) }
        return found
    }

    /// Closes the file.
    package func close() { open.withLock { $0 = nil } }

    func use<R: Sendable>(_ body: (SQLiteConnection) throws(StateError) -> R) throws(StateError) -> R {
        try lend { open throws(StateError) in try body(open.connection) }
    }

    private func lend<R: Sendable>(_ body: (Connection) throws(StateError) -> R) throws(StateError) -> R {
        try open.withLock { open throws(StateError) in
            guard let open else { throw .internal("What is kept for undoing runs is closed.") }
            return try body(open)
        }
    }

    /// Makes all `changes` at once.
    ///
    /// - Parameter isDurable: Whether they are to survive a loss of power once this returns; else the end of the
    ///   process.
    /// - Throws: ``StateError``; none is made then.
    package func commit(_ changes: [ImageChange], isDurable: Bool) throws(StateError) {
        guard !changes.isEmpty else { return }
        try lend { open throws(StateError) in
            let connection = open.connection
            if open.isDurable != isDurable {
                try connection.execute("PRAGMA synchronous = \(isDurable ? "FULL" : "NORMAL")")
                open.isDurable = isDurable
            }
            try connection.transaction { () throws(StateError) in
                try ImageTable(connection: connection).apply(changes)
            }
        }
    }

    // MARK: - Reading

    /// The run with this number, or nil where nothing is kept of it.
    ///
    /// - Throws: ``StateError``.
    package func run(_ number: Int64) throws(StateError) -> ImageRun? {
        try use { connection throws(StateError) in try ImageTable(connection: connection).run(number) }
    }

    /// The records of a run behind a place, in the order in which they were touched, updates before creates.
    ///
    /// - Throws: ``StateError``, `damaged` for a record that is not what was written.
    package func records(
        run: Int64, _ action: RecordImage.Action, after position: Int64, limit: Int
    ) throws(StateError) -> [RecordImage] {
        try use { connection throws(StateError) in
            try ImageTable(connection: connection).records(run: run, action, after: position, limit: limit)
        }
    }

    /// What runs of which images are kept have done to the record of an image besides.
    ///
    /// - Throws: ``StateError``.
    package func ownChanges(of image: RecordImage) throws(StateError) -> OwnChanges {
        try use { connection throws(StateError) in try ImageTable(connection: connection).ownChanges(of: image) }
    }

    /// What was written into the guarded fields of a row, by field; nothing of those that never were.
    ///
    /// - Throws: ``StateError``, `damaged` for a value that is not what was written.
    package func written(_ key: Fingerprint) throws(StateError) -> [String: WrittenValues] {
        try use { connection throws(StateError) in try ImageTable(connection: connection).written(key) }
    }

    private static let settings = """
        PRAGMA busy_timeout = 5000;
        PRAGMA trusted_schema = OFF;
        PRAGMA cell_size_check = ON;
        PRAGMA mmap_size = 0;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -4000;
        PRAGMA synchronous = EXTRA;
        PRAGMA secure_delete = ON;
        PRAGMA journal_size_limit = 16777216;
        """

    /// `made` has no index over its keys, so that a first run of millions of rows stays a file that only grows.
    private static let schema = """
        CREATE TABLE run (
          number INTEGER PRIMARY KEY, id TEXT NOT NULL, object TEXT NOT NULL, fields TEXT NOT NULL, undoes INTEGER,
          image_from INTEGER NOT NULL, made_from INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE image (
          id INTEGER PRIMARY KEY, run INTEGER NOT NULL, key BLOB NOT NULL, remote_id TEXT NOT NULL,
          action INTEGER NOT NULL, fields TEXT NOT NULL, done_at INTEGER NOT NULL, is_undone INTEGER NOT NULL,
          "check" INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX image_key ON image (key, run);
        CREATE TABLE made (
          id INTEGER PRIMARY KEY, run INTEGER NOT NULL, key BLOB NOT NULL, remote_id TEXT NOT NULL,
          mark BLOB NOT NULL, done_at INTEGER NOT NULL, is_undone INTEGER NOT NULL, "check" INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE written (
          key BLOB NOT NULL, field TEXT NOT NULL, value TEXT, next TEXT, "check" INTEGER NOT NULL,
          PRIMARY KEY (key, field)
        ) STRICT, WITHOUT ROWID;
        """
}

/// What a sync has written into a field of a record.
package struct WrittenValues: Sendable, Hashable {
    /// What it wrote last, as far as that is known; nil where it never did.
    package let last: JSON?
    /// What it was about to write then, which may have arrived or may never have left; nil for nothing.
    package let next: JSON?
}
