// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Who else had a transaction open just before a snapshot was taken.
///
/// Asked for in a transaction of its own: what is seen here has begun before the snapshot, and what begins later
/// carries a later clock than ``clock``.
struct PostgresWriters {
    /// Whether the role may see only some of the other sessions.
    let isBlind: Bool
    /// Whether a session that is seen has a transaction open.
    private let hasOpen: Bool
    private let since: Int64?
    private let localSince: Int64?
    private let clock: Int64?

    init(_ connection: PostgresConnection) throws(ConnectorError) {
        // A session reports the beginning of its transaction microseconds after it has taken it; a tenth of a second is
        // far more. The clock is read before the sessions are looked at. Where the wall clock of the zone goes back
        // within the hour, as at the end of summer time, its later readings are the earlier ones. Of a prepared
        // transaction only the end of its work is known, and of sessions that are not tracked nothing.
        let answer = try connection.run(
            """
            WITH start AS MATERIALIZED (SELECT clock_timestamp() AS clock),
            other AS MATERIALIZED (
                SELECT xact_start, backend_type, state FROM start, pg_stat_activity
                WHERE datid = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND pid <> pg_backend_pid() AND start.clock IS NOT NULL),
            open AS MATERIALIZED (
                SELECT xact_start AS since FROM other WHERE xact_start IS NOT NULL AND backend_type NOT IN
                    ('autovacuum worker', 'autovacuum launcher', 'parallel worker', 'walsender')),
            moments AS MATERIALIZED (
                SELECT clock, least((SELECT min(since) FROM open), clock - interval '100 milliseconds') AS since,
                    (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone') AS zone
                FROM start)
            SELECT EXISTS (SELECT FROM open)
                    OR EXISTS (SELECT FROM pg_prepared_xacts WHERE database = current_database()),
                EXISTS (SELECT FROM other WHERE backend_type IS NULL OR state = 'disabled')
                    OR EXISTS (SELECT FROM pg_prepared_xacts WHERE database = current_database()),
                round(extract(epoch FROM since) * 1000000)::int8,
                round(extract(epoch FROM least(
                    since AT TIME ZONE zone, clock AT TIME ZONE zone,
                    (since + interval '1 hour') AT TIME ZONE zone - interval '1 hour')) * 1000000)::int8,
                pg_is_in_recovery(), round(extract(epoch FROM clock) * 1000000)::int8
            FROM moments
            """, doing: "Looking for open transactions")
        hasOpen = answer.flag(0, 0)
        // A standby shows none of the sessions that write on its primary.
        isBlind = answer.flag(0, 1) || answer.flag(0, 4)
        since = answer.integer(0, 2)
        localSince = answer.integer(0, 3)
        clock = answer.integer(0, 5)
    }

    /// What is known once the snapshot was taken.
    ///
    /// - Parameter wasWritten: Whether the snapshot itself says that somebody was writing.
    func openWriters(_ wasWritten: Bool) -> OpenWriters {
        if isBlind { return OpenWriters(hasWriters: wasWritten || hasOpen) }
        return OpenWriters(hasWriters: wasWritten || hasOpen, since: since, localSince: localSince, clock: clock)
    }
}
