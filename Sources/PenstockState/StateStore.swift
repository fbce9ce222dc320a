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
    private let open: Mutex<OpenState?>
    private let isWriter: Bool

    private init(sync: String, isWriter: Bool, _ state: sending OpenState) {
        self.sync = sync
        self.isWriter = isWriter
        self.open = Mutex(state)
    }

    /// Opens the state file of `sync` for the one process that may write it; makes folder and file where they are
    /// missing, with rights for this user only, and brings an older file up to date.
    ///
    /// A file that was not closed is looked through first; one that was closed is held against its marks.
    ///
    /// - Parameters:
    ///   - folder: Where state files are kept; missing parents are made too.
    ///   - owner: What a second process is told.
    ///   - marks: What the file is held against, or nil for a file without marks.
    ///   - allowsNetworkDisk: Whether the folder may lie on a disk of the network.
    ///   - migrations: The steps to the current schema.
    /// - Throws: ``StateError``: `locked`, `newer`, `outgrown`, `damaged`, `outdated`, `cannotWrite`; nothing is open
    ///   or locked afterwards, and a file that is refused is as it was. A step of a migration that throws leaves the
    ///   file at the version before it, with a copy of the whole file as it was in `<sync>.db.v<version>.bak`.
    package static func openForWriting(
        folder: String, sync: String, owner: LockOwner, marks: StateMarks? = nil, allowsNetworkDisk: Bool = false,
        migrations: [StateMigration] = StateSchema.migrations
    ) throws(StateError) -> StateStore {
        let place = try StateFolder(folder, sync: sync)
        try place.create()
        if !allowsNetworkDisk { try place.refuseNetworkDisk() }
        let lock = try StateLock(path: place.lock, owner: owner)
        let found = try marks?.read() ?? StateMarks.Found()
        if try !StateFolder.hasContent(place.database) { try found.refuseMissing(place.database) }
        try StateFolder.createPrivateFile(place.database)
        let connection = try SQLiteConnection(path: place.database, access: .readWrite)
        // Before anything is asked of the file, which may change it.
        let content = found.isSealed ? try connection.digest() : nil
        connection.refuseDamagingStatements()
        connection.keepLogOnClose(true)
        // Before the journal mode: a file that is refused is left as it is.
        let version = try StateSchema.version(of: connection, migrations)
        try connection.execute(settings + writerSettings)
        if version > 0 {
            try OpenState.inspect(connection, found, content: content)
        } else {
            try found.refuseMissing(place.database)
        }
        guard try connection.statement("PRAGMA journal_mode = WAL").first([], { $0.text(0) }) == "wal" else {
            throw .cannotWrite("Writing ahead is not possible on the disk of \(place.database); use a local disk.")
        }
        try StateSchema.migrate(
            connection, from: version, migrations, backup: place.backup(version: version))
        connection.keepLogOnClose(false)
        let state = OpenState(connection, lock: lock)
        try state.begin(marks, found)
        return StateStore(sync: sync, isWriter: true, state)
    }

    /// Makes sure that no process writes the state of `sync` at this moment.
    ///
    /// - Throws: ``StateError``: `locked`; `cannotWrite` where the lock file cannot be looked at.
    package static func checkUnlocked(folder: String, sync: String) throws(StateError) {
        try StateLock.check(path: try StateFolder(folder, sync: sync).lock)
    }

    /// Opens the state file of `sync` to read it, also while another process writes.
    ///
    /// Without marks it shows what can be read, whatever is damaged beside it.
    ///
    /// - Parameter marks: What the file is held against, or nil for a file that is taken as it is.
    /// - Returns: nil where there is no state yet.
    /// - Throws: ``StateError``: `newer`, `older`, `outgrown`, `damaged`, `outdated`, `cannotWrite` (it cannot be
    ///   read); nothing is open then.
    package static func openForReading(
        folder: String, sync: String, marks: StateMarks? = nil,
        migrations: [StateMigration] = StateSchema.migrations
    ) throws(StateError) -> StateStore? {
        let place = try StateFolder(folder, sync: sync)
        // Before the file, which a process that writes may take further meanwhile.
        let found = try marks?.read() ?? StateMarks.Found()
        guard try StateFolder.exists(place.database) else {
            try found.refuseMissing(place.database)
            return nil
        }
        let connection = try SQLiteConnection(path: place.database, access: .readOnly)
        let content = found.isSealed ? try connection.digest() : nil
        connection.refuseDamagingStatements()
        try connection.execute(settings)
        let version = try StateSchema.version(of: connection, migrations)
        guard version > 0 else {
            try found.refuseMissing(place.database)
            return nil
        }
        if !found.isEmpty { try OpenState.compareRead(connection, found, content: content) }
        guard version == migrations.last?.version else { throw .older(version) }
        return StateStore(sync: sync, isWriter: false, OpenState(connection))
    }

    /// Closes the file and gives the lock back; every later call throws, except another `close`.
    ///
    /// A store that goes away without it loses nothing that was committed; the next one to open the file looks it
    /// through first.
    package func close() {
        open.withLock { state in
            if isWriter { state?.end() }
            state = nil
        }
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

    /// Writes a copy of the file, as it is at one moment, to `path`, an empty file.
    ///
    /// - Throws: ``StateError``.
    func copy(to path: String) throws(StateError) {
        try open.withLock { open throws(StateError) in
            guard let connection = open?.connection else { throw .internal("The state of this sync is closed.") }
            try connection.statement("VACUUM INTO ?1").execute([.text(path)])
        }
    }

    /// Writes with `body`, in one transaction that is on disk when this returns; `body` must not call this store.
    ///
    /// Once the disk has failed, nothing more is written: the kernel may have dropped what it could not write, and a
    /// second try that succeeds would prove nothing.
    func write<R: Sendable>(
        _ body: @Sendable (SQLiteConnection) throws(StateError) -> R
    ) throws(StateError) -> R {
        guard isWriter else { throw .internal("The state of this sync is open for reading only.") }
        return try open.withLock { open throws(StateError) in
            guard let open else { throw .internal("The state of this sync is closed.") }
            return try open.write(body)
        }
    }

    private static let settings = """
        PRAGMA busy_timeout = 5000;
        PRAGMA foreign_keys = ON;
        PRAGMA trusted_schema = OFF;
        PRAGMA cell_size_check = ON;
        PRAGMA mmap_size = 0;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -2000;
        """

    /// What a writer needs for its promises.
    ///
    /// `EXTRA` waits for the folder, too, once the journal is removed that a file has before it writes ahead: a journal
    /// that came back would take the beginning of the state away. From then on it is what `FULL` is.
    private static let writerSettings = """
        PRAGMA synchronous = EXTRA;
        PRAGMA secure_delete = ON;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA journal_size_limit = 67108864;
        """
}
