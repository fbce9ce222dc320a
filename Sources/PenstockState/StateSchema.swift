// SPDX-License-Identifier: Apache-2.0

/// One step from a schema version to the next.
package struct StateMigration: Sendable {
    /// The version that the step leads to, from that of the step before it.
    package let version: Int
    /// Runs inside the step's transaction; a throw leaves the file at the version before.
    package let apply: @Sendable (SQLiteConnection) throws(StateError) -> Void

    /// A step from its parts.
    package init(version: Int, apply: @escaping @Sendable (SQLiteConnection) throws(StateError) -> Void) {
        self.version = version
        self.apply = apply
    }
}

/// The tables of a state file, as the steps that lead to them; a step that was released never changes.
package enum StateSchema {
    /// "Pstk", in the header of every state file.
    static let applicationID: Int64 = 0x5073_746B

    /// The current version.
    package static var version: Int { migrations.last?.version ?? 0 }

    /// The steps to the current schema, in order.
    ///
    /// Versions before the first one told rows by other digests: with those, every row would look new.
    package static let migrations = [
        StateMigration(version: 4) { connection throws(StateError) in try connection.execute(version4) }
    ]

    /// Rows of `ledger` and `reject` lie in the order in which they came, which later runs of a sync repeat: an update
    /// touches neighbours, while a table in the order of its random keys would touch a page of the file per row.
    ///
    /// An intent has what it takes to find its record whatever becomes of the row: the marker or the row itself, and
    /// when the request is over, by a clock that a change of the time of day does not touch.
    ///
    /// What is settled is packed: blocks of neighbours under the position of the first, each as large as a page; where
    /// keys lie in them; and the ids of records that were created, as far as they are numbers.
    private static let version4 = """
        CREATE TABLE ledger (
            id INTEGER PRIMARY KEY,
            key BLOB NOT NULL UNIQUE CHECK (length(key) = 16),
            key_text TEXT NOT NULL,
            remote_id TEXT,
            payload BLOB,
            source BLOB,
            cursor TEXT,
            run INTEGER NOT NULL,
            outcome INTEGER NOT NULL,
            intent_payload BLOB,
            intent_started_at INTEGER,
            "check" INTEGER NOT NULL,
            intent_marker TEXT,
            intent_deadline INTEGER,
            intent_boot INTEGER,
            intent_server_time INTEGER,
            intent_row BLOB
        ) STRICT;
        CREATE INDEX ledger_unsettled ON ledger (outcome) WHERE outcome >= 16;
        CREATE INDEX ledger_remote_id ON ledger (remote_id) WHERE remote_id IS NOT NULL;
        CREATE TABLE created (remote_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
        CREATE TABLE reject (
            id INTEGER PRIMARY KEY,
            key BLOB NOT NULL UNIQUE CHECK (length(key) = 16),
            key_text TEXT NOT NULL,
            run INTEGER NOT NULL,
            row INTEGER NOT NULL,
            stage TEXT NOT NULL,
            code TEXT NOT NULL,
            field TEXT NOT NULL,
            value TEXT NOT NULL,
            message TEXT NOT NULL,
            record TEXT NOT NULL,
            remote_id TEXT,
            http_status INTEGER NOT NULL,
            is_settled INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            first_seen INTEGER NOT NULL,
            last_seen INTEGER NOT NULL,
            "check" INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX reject_position ON reject (run, row);
        CREATE INDEX reject_code ON reject (code, last_seen);
        CREATE TABLE run (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            status TEXT NOT NULL,
            started_at INTEGER NOT NULL,
            finished_at INTEGER,
            definition BLOB NOT NULL,
            counts TEXT NOT NULL,
            watermark_before TEXT,
            watermark_after TEXT,
            message TEXT NOT NULL,
            exit_code INTEGER,
            attempts INTEGER NOT NULL,
            "check" INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE watermark (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            column_name TEXT NOT NULL,
            type TEXT NOT NULL,
            text TEXT NOT NULL,
            run INTEGER NOT NULL,
            "check" INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE meta (
            key TEXT PRIMARY KEY,
            value TEXT NOT NULL,
            "check" INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE pack (first INTEGER PRIMARY KEY, "check" INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
        CREATE TABLE pack_index (id INTEGER PRIMARY KEY, "check" INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
        CREATE TABLE pack_segment (id INTEGER PRIMARY KEY, places INTEGER NOT NULL, "check" INTEGER NOT NULL) STRICT;
        CREATE TABLE pack_created (first INTEGER PRIMARY KEY, "check" INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
        """

    /// Tells a state file from another SQLite file, from a later Penstock's and from one that no step leads on from,
    /// before anything is written.
    ///
    /// - Returns: The file's version, 0 where it is empty.
    static func version(
        of connection: SQLiteConnection, _ migrations: [StateMigration]
    ) throws(StateError) -> Int {
        let (version, application, isEmpty) = try header(of: connection)
        guard isEmpty ? version == 0 : version > 0 && application == applicationID else {
            throw .damaged("\(connection.path) is not a state file of Penstock")
        }
        guard isEmpty || version >= migrations.first?.version ?? 0 else { throw .outgrown(version) }
        guard version <= migrations.last?.version ?? 0 else { throw .newer(version) }
        return version
    }

    private static func header(
        of connection: SQLiteConnection
    ) throws(StateError) -> (version: Int, application: Int64, isEmpty: Bool) {
        do {
            return (
                Int(try connection.integer("PRAGMA user_version")), try connection.integer("PRAGMA application_id"),
                try connection.integer("SELECT count(*) FROM sqlite_schema") == 0
            )
        } catch .internal(let sentence) {
            // These statements are right, so what SQLite cannot answer them with is the file.
            throw .unanswered(sentence)
        }
    }

    /// Takes the file from `version` to the last of `migrations`, a transaction a step; a copy of the file as it was,
    /// `backup`, comes first unless the file is empty.
    static func migrate(
        _ connection: SQLiteConnection, from version: Int, _ migrations: [StateMigration], backup: String
    ) throws(StateError) {
        let steps = migrations.filter { $0.version > version }
        guard !steps.isEmpty else { return }
        if version > 0 { try copy(connection, to: backup) }
        var before = version
        for step in steps {
            try connection.transaction { () throws(StateError) in
                let current = try connection.integer("PRAGMA user_version")
                guard current == Int64(before) else {
                    throw .internal("The step to state version \(step.version) does not follow version \(current).")
                }
                try step.apply(connection)
                try connection.execute(
                    """
                    CREATE TABLE IF NOT EXISTS schema_version (
                        version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL
                    ) STRICT;
                    INSERT INTO schema_version VALUES (\(step.version), datetime('now'));
                    PRAGMA application_id = \(applicationID);
                    PRAGMA user_version = \(step.version);
                    """)
            }
            before = step.version
            // What the connection knows is of the file before the step.
            connection.ledger = LedgerCache()
        }
    }

    private static func copy(_ connection: SQLiteConnection, to backup: String) throws(StateError) {
        // A copy that an interrupted migration left behind may be incomplete.
        try StateFolder.remove(backup)
        try StateFolder.createPrivateFile(backup)
        try connection.statement("VACUUM INTO ?1").execute([.text(backup)])
        try StateFolder.syncFile(backup)
    }
}
