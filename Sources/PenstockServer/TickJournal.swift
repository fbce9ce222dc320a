// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockSchedule
import PenstockState

/// What the scheduler has decided and started, in `.penstock/schedule.db`: on disk before anything is started.
///
/// One process writes; others may read meanwhile. Times are milliseconds since 1970-01-01T00:00:00Z of the scheduler's
/// clock.
package final class TickJournal {
    private let connection: SQLiteConnection

    private static let application = 0x5065_6e54  // "PenT"
    private static let tables = """
        CREATE TABLE mark (sync TEXT PRIMARY KEY, definition TEXT NOT NULL, anchor INTEGER NOT NULL) STRICT;
        CREATE TABLE tick (
            id INTEGER PRIMARY KEY, sync TEXT NOT NULL, tick INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT,
            not_before INTEGER NOT NULL, attempts INTEGER NOT NULL, missed INTEGER NOT NULL, asked INTEGER NOT NULL,
            finished_before INTEGER, begun_at INTEGER, run TEXT, exit_code INTEGER, pid INTEGER, pid_start INTEGER,
            decided_at INTEGER NOT NULL, started_at INTEGER, ended_at INTEGER) STRICT;
        CREATE INDEX tick_open ON tick (state) WHERE state <> 'done';
        CREATE INDEX tick_sync ON tick (sync, id);
        CREATE TABLE skip (
            id INTEGER PRIMARY KEY AUTOINCREMENT, sync TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
            count INTEGER NOT NULL, reason TEXT NOT NULL, decided_at INTEGER NOT NULL) STRICT;
        CREATE TABLE life (
            id INTEGER PRIMARY KEY AUTOINCREMENT, pid INTEGER NOT NULL, started_at INTEGER NOT NULL,
            ended_at INTEGER) STRICT;
        """
    /// What ticks came to, counted for good: what is removed because it is old stays counted.
    private static let counts = """
        CREATE TABLE total (
            sync TEXT NOT NULL, outcome TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (sync, outcome)) STRICT;
        INSERT INTO total SELECT sync, outcome, sum(count) FROM (
            SELECT sync, 'run' AS outcome, count(*) AS count FROM tick WHERE started_at IS NOT NULL GROUP BY sync
            UNION ALL SELECT sync, reason, count(*) FROM tick
                WHERE reason IS NOT NULL AND started_at IS NULL GROUP BY sync, reason
            UNION ALL SELECT sync, reason, sum(count) FROM skip GROUP BY sync, reason) GROUP BY sync, outcome;
        """
    /// How long what is done is kept.
    private static let keep: Int64 = 90 * 86_400_000

    /// Opens the journal to write it; makes it where there is none.
    ///
    /// - Throws: `StateError`.
    package init(writing path: String) throws(StateError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw .cannotWrite("\(path) cannot be opened: \(String(cString: strerror(errno))).")
        }
        close(descriptor)
        connection = try SQLiteConnection(path: path, access: .readWrite)
        try connection.execute(
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                + "PRAGMA trusted_schema = OFF")
        switch try connection.integer("PRAGMA user_version") {
        case let version where (0...1).contains(version):
            let tables = (version == 0 ? Self.tables : "") + Self.counts
            let application = Self.application
            try connection.transaction { () throws(StateError) in
                try connection.execute(tables + "PRAGMA application_id = \(application); PRAGMA user_version = 2;")
            }
        case 2: break
        case let version: throw .newer(Int(version))
        }
        let verdict = try connection.statement("PRAGMA quick_check(1)").first([]) { $0.text(0) ?? "" }
        guard verdict == "ok" else { throw .damaged(verdict ?? "it answers nothing") }
    }

    /// Opens the journal to read it; nil where there is none.
    ///
    /// - Throws: `StateError`.
    package init?(reading path: String) throws(StateError) {
        guard access(path, F_OK) == 0 else { return nil }
        connection = try SQLiteConnection(path: path, access: .readOnly)
        try connection.execute("PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF")
        guard try connection.integer("PRAGMA user_version") > 0 else { return nil }
    }

    // MARK: - Writing

    /// Writes down a server's start and removes what is old.
    ///
    /// - Returns: The number of this life.
    /// - Throws: `StateError`.
    package func begin(at now: Int64) throws(StateError) -> Int64 {
        try prune(at: now)
        try connection.statement("INSERT INTO life (pid, started_at) VALUES (?1, ?2)")
            .execute([.integer(Int64(getpid())), .integer(now)])
        return try connection.integer("SELECT last_insert_rowid()")
    }

    /// Removes what is done and kept no longer.
    ///
    /// - Throws: `StateError`.
    package func prune(at now: Int64) throws(StateError) {
        let old = now - Self.keep
        try connection.transaction { () throws(StateError) in
            try connection.statement(
                "DELETE FROM tick WHERE state = 'done' AND decided_at < ?1 AND id < (SELECT max(id) FROM tick)"
            ).execute([.integer(old)])
            try connection.statement("DELETE FROM skip WHERE decided_at < ?1").execute([.integer(old)])
        }
    }

    /// Writes down a server's clean end.
    ///
    /// - Throws: `StateError`.
    package func end(life: Int64, at now: Int64) throws(StateError) {
        try connection.statement("UPDATE life SET ended_at = ?2 WHERE id = ?1").execute([.integer(life), .integer(now)])
    }

    /// Writes down what the planner has decided, all or nothing.
    ///
    /// - Parameter finished: The numbers of the last finished runs of the syncs whose items start, by sync.
    /// - Throws: `StateError`.
    package func record(_ actions: [TickAction], finished: [String: Int64] = [:], at now: Int64) throws(StateError) {
        guard !actions.isEmpty else { return }
        try connection.transaction { () throws(StateError) in
            for action in actions { try record(action, finished, now) }
        }
    }

    private func record(_ action: TickAction, _ finished: [String: Int64], _ now: Int64) throws(StateError) {
        switch action {
        case .mark(let sync, let mark):
            try connection.statement("INSERT OR REPLACE INTO mark VALUES (?1, ?2, ?3)")
                .execute([.text(sync), .text(mark.definition), .integer(mark.anchor)])
        case .item(let item): try record(item, now)
        case .skip(let sync, let first, let last, let count, let reason):
            let sql = "INSERT INTO skip (sync, first, last, count, reason, decided_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
            try connection.statement(sql).execute([
                .text(sync), .integer(first), .integer(last), .integer(Int64(count)), .text(reason.rawValue),
                .integer(now),
            ])
            try self.count(sync, reason.rawValue, Int64(count))
        case .drop(let item, let reason):
            try connection.statement("UPDATE tick SET state = 'done', reason = ?2, ended_at = ?3 WHERE id = ?1")
                .execute([.integer(item.id), .text(reason.rawValue), .integer(now)])
            if item.attempts == 0 { try self.count(item.sync, reason.rawValue, 1) }
        case .start(let item):
            let sql = """
                UPDATE tick SET started_at = coalesce(started_at, ?2), pid = NULL, pid_start = NULL,
                    finished_before = coalesce(finished_before, ?3), begun_at = coalesce(begun_at, ?4) WHERE id = ?1
                """
            // By the machine's clock, which the run's own times are told by.
            let begun = Int64(Date().timeIntervalSince1970 * 1_000)
            try connection.statement(sql)
                .execute([.integer(item.id), .integer(now), .integer(finished[item.sync] ?? 0), .integer(begun)])
            if item.attempts == 1 { try count(item.sync, "run", 1) }
        }
    }

    private func count(_ sync: String, _ outcome: String, _ more: Int64) throws(StateError) {
        let sql = """
            INSERT INTO total VALUES (?1, ?2, ?3) ON CONFLICT (sync, outcome) DO UPDATE SET count = count + ?3
            """
        try connection.statement(sql).execute([.text(sync), .text(outcome), .integer(more)])
    }

    private func record(_ item: TickBook.Item, _ now: Int64) throws(StateError) {
        let sql = """
            INSERT INTO tick (id, sync, tick, state, not_before, attempts, missed, asked, decided_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            ON CONFLICT (id) DO UPDATE SET state = ?4, not_before = ?5, attempts = ?6
            """
        try connection.statement(sql).execute([
            .integer(item.id), .text(item.sync), .integer(item.tick), .text(item.state.rawValue),
            .integer(item.notBefore), .integer(Int64(item.attempts)), .integer(item.isMissed ? 1 : 0),
            .integer(item.isAsked ? 1 : 0), .integer(now),
        ])
    }

    /// Writes down which process executes an item's run.
    ///
    /// - Throws: `StateError`.
    package func record(process: ProcessIdentity, of id: Int64) throws(StateError) {
        try connection.statement("UPDATE tick SET pid = ?2, pid_start = ?3 WHERE id = ?1")
            .execute([.integer(id), .integer(Int64(process.pid)), .integer(process.start)])
    }

    /// Writes down how an item's run ended: done, or as the item stands then.
    ///
    /// - Throws: `StateError`.
    package func record(
        end id: Int64, exitCode: Int32?, run: String?, item: TickBook.Item?, at now: Int64
    ) throws(StateError) {
        try connection.transaction { () throws(StateError) in
            let sql = """
                UPDATE tick SET state = ?2, exit_code = ?3, run = coalesce(?4, run), ended_at = ?5, pid = NULL,
                    pid_start = NULL, not_before = coalesce(?6, not_before) WHERE id = ?1
                """
            try connection.statement(sql).execute([
                .integer(id), .text(item?.state.rawValue ?? "done"), SQLiteValue(exitCode.map(Int64.init)),
                SQLiteValue(run), .integer(now), SQLiteValue(item?.notBefore),
            ])
        }
    }

    // MARK: - Reading

    /// What must be remembered.
    ///
    /// - Throws: `StateError`.
    package func book() throws(StateError) -> TickBook {
        var book = TickBook()
        try connection.statement("SELECT sync, definition, anchor FROM mark").rows([]) { row throws(StateError) in
            book.marks[row.text(0) ?? ""] = TickBook.Mark(definition: row.text(1) ?? "", anchor: row.integer(2))
        }
        let open = """
            SELECT id, sync, tick, state, not_before, attempts, missed, asked FROM tick WHERE state <> 'done' ORDER BY id
            """
        try connection.statement(open).rows([]) { row throws(StateError) in
            guard let state = TickBook.Item.State(rawValue: row.text(3) ?? "") else {
                throw .damaged("the state of tick \(row.integer(0))")
            }
            book.items.append(
                TickBook.Item(
                    id: row.integer(0), sync: row.text(1) ?? "", tick: row.integer(2), state: state,
                    notBefore: row.integer(4), attempts: Int(row.integer(5)), isMissed: row.integer(6) != 0,
                    isAsked: row.integer(7) != 0))
        }
        book.nextID = try connection.integer("SELECT coalesce(max(id), 0) + 1 FROM tick")
        return book
    }

    /// What is known of the start of an item's run: its process, the number of the last finished run before it, and
    /// when it was by the machine's clock.
    ///
    /// - Throws: `StateError`.
    package func start(
        of id: Int64
    ) throws(StateError) -> (process: ProcessIdentity?, finishedBefore: Int64?, startedAt: Int64) {
        let sql = "SELECT pid, pid_start, finished_before, begun_at FROM tick WHERE id = ?1"
        return try connection.statement(sql).first([.integer(id)]) { row in
            let process = row.optionalInteger(0).map {
                ProcessIdentity(pid: Int32(truncatingIfNeeded: $0), start: row.integer(1))
            }
            return (process, row.optionalInteger(2), row.integer(3))
        } ?? (nil, nil, 0)
    }

    /// Ticks and rows of ticks that were left out, the newest decision first.
    ///
    /// - Throws: `StateError`.
    package func entries(sync: String? = nil, limit: Int) throws(StateError) -> [TickEntry] {
        let sql = """
            SELECT sync, tick, tick, 1, state, reason, attempts, missed, asked, run, exit_code, decided_at, started_at,
                ended_at, not_before, id
            FROM tick WHERE ?1 IS NULL OR sync = ?1
            UNION ALL
            SELECT sync, first, last, count, 'skipped', reason, 0, 0, 0, NULL, NULL, decided_at, NULL, NULL, last, id
            FROM skip WHERE ?1 IS NULL OR sync = ?1
            ORDER BY 12 DESC, 3 DESC, 1, 16 DESC LIMIT ?2
            """
        var entries: [TickEntry] = []
        try connection.statement(sql).rows([SQLiteValue(sync), .integer(Int64(limit))]) { row throws(StateError) in
            entries.append(
                TickEntry(
                    sync: row.text(0) ?? "", first: row.integer(1), last: row.integer(2), count: Int(row.integer(3)),
                    state: row.text(4) ?? "", reason: row.text(5), attempts: Int(row.integer(6)),
                    isMissed: row.integer(7) != 0, isAsked: row.integer(8) != 0, run: row.text(9),
                    exitCode: row.optionalInteger(10).map { Int32(truncatingIfNeeded: $0) },
                    decidedAt: row.integer(11), startedAt: row.optionalInteger(12), endedAt: row.optionalInteger(13),
                    notBefore: row.integer(14)))
        }
        return entries
    }

    /// How many ticks of each sync were started and left out, by reason, since the journal begins.
    ///
    /// - Throws: `StateError`.
    package func totals() throws(StateError) -> [TickTotal] {
        let sql = "SELECT sync, outcome, count FROM total ORDER BY 1, 2"
        var totals: [TickTotal] = []
        try connection.statement(sql).rows([]) { row throws(StateError) in
            totals.append(TickTotal(sync: row.text(0) ?? "", outcome: row.text(1) ?? "", count: row.integer(2)))
        }
        return totals
    }
}

/// How many ticks of a sync came to one end.
package struct TickTotal: Sendable, Hashable {
    /// The sync.
    package var sync: String
    /// `run`, or why they were left out.
    package var outcome: String
    /// How many.
    package var count: Int64
}

/// A tick, or neighbouring ticks that were left out, as the journal has them.
package struct TickEntry: Sendable, Hashable {
    /// The sync.
    package var sync: String
    /// The first tick.
    package var first: Int64
    /// The last tick; the same as the first except for ticks that were left out.
    package var last: Int64
    /// How many ticks.
    package var count: Int
    /// `waiting`, `running`, `retrying`, `done` or `skipped`.
    package var state: String
    /// Why it was left out or given up, or nil.
    package var reason: String?
    /// How many runs were started for it.
    package var attempts: Int
    /// Whether it is made up for after it was missed.
    package var isMissed: Bool
    /// Whether somebody asked for it.
    package var isAsked: Bool
    /// The id of its last run, where that is known.
    package var run: String?
    /// The exit code of its last run, where that is known.
    package var exitCode: Int32?
    /// When it was decided.
    package var decidedAt: Int64
    /// When its first run was started.
    package var startedAt: Int64?
    /// When its last run ended.
    package var endedAt: Int64?
    /// When it may be started, or tried again.
    package var notBefore: Int64
}
