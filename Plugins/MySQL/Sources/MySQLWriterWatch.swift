// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Looks at who else is writing, before and after a snapshot is taken.
///
/// InnoDB tells its transactions from a cache that is up to 0.1 s old, and a transaction that begins after one look
/// and ends before the next is seen by neither; so the second look waits for the cache, and the count of transactions
/// that ever wrote must not have moved between the two.
struct MySQLWriterWatch {
    /// How long InnoDB keeps its list of transactions, with some room.
    private static let cacheMilliseconds: Int64 = 130
    /// How long a statement may have waited for a lock before its transaction began, which then carries the earlier
    /// time of the statement; and the second that InnoDB cuts off.
    private static let lockWaitMilliseconds: Int64 = 5_000
    private static let doing = "Looking for open transactions"

    private struct Look {
        /// Whether a transaction or statement that may write was seen.
        var sawWriters: Bool
        /// The least of the server's clock and of what was seen, in microseconds since 1970-01-01T00:00:00Z.
        var since: Int64
        /// The server's clock.
        var clock: Int64
        /// How many transactions ever wrote.
        var counter: String
    }

    private let session: MySQLSession
    private let before: Look

    /// Takes the first look; nil where the user may not.
    init?(_ session: MySQLSession, _ host: any HostServices) throws(ConnectorError) {
        do throws(ConnectorError) {
            before = try Self.look(session)
        } catch {
            guard error.code == .forbidden || error.code == .notFound else { throw error }
            host.log(
                .warning,
                "open transactions are not visible without the PROCESS privilege; only lookback finds late commits",
                [:])
            return nil
        }
        self.session = session
    }

    /// Takes the second look, after the snapshot.
    func finish() throws(ConnectorError) -> OpenWriters {
        try session.run("DO SLEEP(\(Self.cacheMilliseconds) / 1000)", Self.doing)
        let after = try Self.look(session)
        let hasWriters = before.sawWriters || after.sawWriters || before.counter != after.counter
        let since = min(before.since, after.since)
        // Where the wall clock goes back within the hour, as at the end of summer time, its later readings are the
        // earlier ones.
        let hour: Int64 = 3_600_000_000
        let now = try local(since)
        let later = try local(since + hour).map { $0 - hour }
        return OpenWriters(
            hasWriters: hasWriters, since: since, localSince: now.map { min($0, later ?? $0) }, clock: before.clock)
    }

    /// A moment on the wall clock of the server's default zone.
    private func local(_ moment: Int64) throws(ConnectorError) -> Int64? {
        let rows = try session.rows(
            "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', CONVERT_TZ(TIMESTAMPADD(MICROSECOND, \(moment), "
                + "'1970-01-01'), '+00:00', @@global.time_zone))", Self.doing)
        return rows.first?[0].flatMap { Int64($0) }
    }

    private static func look(_ session: MySQLSession) throws(ConnectorError) -> Look {
        let status = try Status(session)
        // InnoDB writes the beginnings in the zone of the server's system, whatever the session's is.
        let transactions = try session.rows(
            """
            SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)), COUNT(trx_id),
                TIMESTAMPDIFF(MICROSECOND, '1970-01-01', CONVERT_TZ(MIN(trx_started), 'SYSTEM', '+00:00'))
            FROM information_schema.innodb_trx
            WHERE trx_mysql_thread_id <> CONNECTION_ID() AND trx_is_read_only = 0
            """, doing)
        // A statement that still waits for a table has no transaction yet, but has its time already.
        let statements = try session.rows(
            """
            SELECT COUNT(*), MAX(time) FROM information_schema.processlist
            WHERE id <> CONNECTION_ID() AND command IN ('Query', 'Execute')
                AND info REGEXP '^([[:space:]]|/[*]([^*]|[*][^/])*[*]/|(--|#)[^\n]*\n)*(INSERT|UPDATE|DELETE|REPLACE|LOAD|CALL|EXECUTE|WITH|XA|COMMIT)'
            """, doing)
        guard let row = transactions.first, let now = row[0].flatMap({ Int64($0) }) else {
            throw ConnectorError(.unavailable, "The server did not tell its time.")
        }
        var since = now - cacheMilliseconds * 1_000
        if let first = row[2].flatMap({ Int64($0) }) {
            since = min(since, first - lockWaitMilliseconds * 1_000)
        }
        let waiting = statements.first?[0] ?? "0"
        if waiting != "0", let seconds = statements.first?[1].flatMap({ Int64($0) }) {
            since = min(since, now - (seconds + 1) * 1_000_000)
        }
        if let seconds = status.oldestWriterSeconds { since = min(since, now - (seconds + 1) * 1_000_000) }
        let isWriting = row[1] != "0" || waiting != "0" || status.oldestWriterSeconds != nil
        return Look(sawWriters: isWriting, since: since, clock: now, counter: status.counter)
    }

    /// What InnoDB's own report says, which comes from no cache that another program keeps from being renewed.
    private struct Status {
        /// The number that the next transaction that writes will get.
        var counter = ""
        /// How long ago the oldest transaction of another session began that has written, or nil.
        var oldestWriterSeconds: Int64?

        /// Numbers from here on are given to transactions that have not written.
        private static let readersFrom: UInt64 = 1 << 47

        init(_ session: MySQLSession) throws(ConnectorError) {
            let own = try session.rows("SELECT CONNECTION_ID()", doing).first?[0] ?? ""
            let report = try session.rows("SHOW ENGINE INNODB STATUS", doing).first?.last ?? ""
            for block in (report ?? "").split(separator: "---TRANSACTION ").dropFirst() {
                guard let number = UInt64(block.prefix { $0.isNumber }), number < Self.readersFrom,
                    !block.contains("thread id \(own),"), let active = block.firstRange(of: ", ACTIVE "),
                    let seconds = Int64(block[active.upperBound...].drop { !$0.isNumber }.prefix { $0.isNumber })
                else { continue }
                oldestWriterSeconds = max(oldestWriterSeconds ?? 0, seconds)
            }
            let line = (report ?? "").split(separator: "\n").first { $0.hasPrefix("Trx id counter ") }
            counter = line.map(String.init) ?? ""
        }
    }
}
