// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Synchronization

/// What must survive a crash of one sync, in one SQLite file: runs, ledger, rejects and watermark.
///
/// One process writes; any number read, also while it writes, and each call of a reader sees one committed state.
/// Every function may be called from any thread; calls wait for each other. A write is on disk when its function
/// returns; one that throws has changed nothing.
package final class StateStore: Sendable {
    /// The name of the sync.
    package let sync: String
    private let open: Mutex<Open?>
    private let isWriter: Bool

    /// What exists while the store is open; the connection goes first, the lock last.
    private final class Open {
        let connection: SQLiteConnection
        let lock: StateLock?

        init(connection: SQLiteConnection, lock: consuming StateLock?) {
            self.connection = connection
            self.lock = lock
        }
    }

    private init(sync: String, connection: sending SQLiteConnection, lock: consuming sending StateLock?) {
        self.sync = sync
        self.isWriter = connection.access == .readWrite
        self.open = Mutex(Open(connection: connection, lock: lock))
    }

    /// Opens the state file of `sync` for the one process that may write it; makes folder and file where they are
    /// missing, with rights for this user only, and brings an older file up to date.
    ///
    /// - Parameters:
    ///   - folder: Where state files are kept; missing parents are made too.
    ///   - owner: What a second process is told.
    ///   - migrations: The steps to the current schema.
    /// - Throws: ``StateError``: `locked`, `newer`, `damaged`, `cannotWrite`; nothing is open or locked afterwards. A
    ///   step of a migration that throws leaves the file at the version before it, with a copy of the whole file as it
    ///   was in `<sync>.db.v<version>.bak`.
    package static func openForWriting(
        folder: String, sync: String, owner: LockOwner, migrations: [StateMigration] = StateSchema.migrations
    ) throws(StateError) -> StateStore {
        let place = try StateFolder(folder, sync: sync)
        try place.create()
        let lock = try StateLock(path: place.lock, owner: owner)
        try StateFolder.createPrivateFile(place.database)
        let connection = try SQLiteConnection(path: place.database, access: .readWrite)
        connection.refuseDamagingStatements()
        let known = migrations.last?.version ?? 0
        // Before the journal mode: a file that is refused is left as it is.
        let version = try StateSchema.version(of: connection, known: known)
        try connection.execute(settings + writerSettings)
        guard try connection.statement("PRAGMA journal_mode = WAL").first([], { $0.text(0) }) == "wal" else {
            throw .cannotWrite("Writing ahead is not possible on the disk of \(place.database); use a local disk.")
        }
        try StateSchema.migrate(
            connection, from: version, migrations, backup: place.backup(version: version))
        return StateStore(sync: sync, connection: connection, lock: lock)
    }

    /// Opens the state file of `sync` to read it, also while another process writes.
    ///
    /// - Returns: nil where there is no state yet.
    /// - Throws: ``StateError``: `newer`, `older`, `damaged`, `cannotWrite` (it cannot be read); nothing is open then.
    package static func openForReading(
        folder: String, sync: String, migrations: [StateMigration] = StateSchema.migrations
    ) throws(StateError) -> StateStore? {
        let place = try StateFolder(folder, sync: sync)
        guard try StateFolder.exists(place.database) else { return nil }
        let connection = try SQLiteConnection(path: place.database, access: .readOnly)
        connection.refuseDamagingStatements()
        try connection.execute(settings)
        let known = migrations.last?.version ?? 0
        let version = try StateSchema.version(of: connection, known: known)
        guard version > 0 else { return nil }
        guard version == known else { throw .older(version) }
        return StateStore(sync: sync, connection: connection, lock: nil)
    }

    /// Closes the file and gives the lock back; every later call throws, except another `close`.
    ///
    /// A store that goes away without it loses nothing that was committed.
    package func close() {
        open.withLock { $0 = nil }
    }

    /// Reads with `body`, in one snapshot; `body` must not call this store.
    ///
    /// - Throws: ``StateError``, and what `body` throws.
    package func read<R: Sendable>(
        _ body: @Sendable (SQLiteConnection) throws(StateError) -> R
    ) throws(StateError) -> R {
        try open.withLock { open throws(StateError) in
            guard let connection = open?.connection else { throw .internal("The state of this sync is closed.") }
            return try connection.snapshot { () throws(StateError) in try body(connection) }
        }
    }

    /// Writes with `body`, in one transaction that is on disk when this returns; `body` must not call this store.
    func write<R: Sendable>(
        _ body: @Sendable (SQLiteConnection) throws(StateError) -> R
    ) throws(StateError) -> R {
        guard isWriter else { throw .internal("The state of this sync is open for reading only.") }
        return try open.withLock { open throws(StateError) in
            guard let connection = open?.connection else { throw .internal("The state of this sync is closed.") }
            return try connection.transaction { () throws(StateError) in try body(connection) }
        }
    }

    private static let settings = """
        PRAGMA busy_timeout = 5000;
        PRAGMA foreign_keys = ON;
        PRAGMA trusted_schema = OFF;
        PRAGMA cell_size_check = ON;
        PRAGMA mmap_size = 0;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -16000;
        """

    private static let writerSettings = """
        PRAGMA synchronous = FULL;
        PRAGMA secure_delete = ON;
        PRAGMA wal_autocheckpoint = 1000;
        PRAGMA journal_size_limit = 67108864;
        """
}
