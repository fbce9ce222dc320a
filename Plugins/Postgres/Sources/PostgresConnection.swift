// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import Glibc

/// One session with the server, in which only reading is possible.
///
/// Not for two threads at once; only its cancellation may be asked for from anywhere.
final class PostgresConnection {
    /// How long connecting may take where nothing says it.
    private static let connectSeconds: Int64 = 10
    /// How long a transaction of ours may stand idle before the server ends it: nobody waits for a host that hangs.
    private static let idleMilliseconds = 60_000

    /// What libpq calls.
    let handle: PostgresHandle
    /// What stops the work.
    let cancellation: PostgresCancellation
    private let settings: PostgresSettings

    private init(_ handle: PostgresHandle, _ settings: PostgresSettings, _ cancellation: PostgresCancellation) {
        self.handle = handle
        self.settings = settings
        self.cancellation = cancellation
    }

    /// Connects.
    ///
    /// - Throws: ``ConnectorError``: `unavailable`, `unauthorized`, `badConfig`, `notFound`, `cancelled`.
    static func open(
        _ settings: PostgresSettings, _ cancellation: PostgresCancellation
    ) throws(ConnectorError) -> PostgresConnection {
        switch attempt(settings, cancellation) {
        case .success(let connection): return connection
        case .failure(let refused): throw refused.refusal.error
        }
    }

    /// A refusal as an error.
    struct Refused: Error {
        let refusal: PostgresRefusal
    }

    /// Connects, or says at which step that ended.
    static func attempt(
        _ settings: PostgresSettings, _ cancellation: PostgresCancellation
    ) -> Result<PostgresConnection, Refused> {
        let handle = PostgresHandle(settings.parameters, isExpanded: settings.isURL)
        let seconds = connectSeconds(handle)
        let (ending, stage) = drive(
            handle, cancellation, until: PostgresCancellation.now + seconds * 1_000, while: { _ in true })
        switch ending {
        case .connected:
            keepAlive(handle)
            return .success(PostgresConnection(handle, settings, cancellation))
        case .cancelled:
            let error = PostgresRefusal("network", .cancelled, "Connecting was cancelled.", "", "")
            return .failure(Refused(refusal: error))
        case .timedOut:
            return .failure(
                Refused(refusal: PostgresRefusal(timedOutAt: stage, host: handle.host, seconds: seconds)))
        case .stopped, .failed:
            let refusal = PostgresRefusal(
                words: settings.withoutSecrets(handle.failure), stage: stage, host: handle.host,
                isMissingPassword: handle.isMissingPassword,
                certificateState: { certificateState(settings, cancellation) })
            return .failure(Refused(refusal: refusal))
        }
    }

    private enum Ending {
        case connected
        case failed
        case cancelled
        case timedOut
        case stopped
    }

    private static func drive(
        _ handle: PostgresHandle, _ cancellation: PostgresCancellation, until deadline: Int64,
        while goesOn: (PostgresHandle.Stage?) -> Bool
    ) -> (Ending, PostgresHandle.Stage?) {
        var stage = handle.stage
        while true {
            let progress = handle.progress()
            stage = handle.stage ?? stage
            switch progress {
            case .connected: return (.connected, stage)
            case .failed: return (.failed, stage)
            case .toRead, .toWrite: break
            }
            guard goesOn(handle.stage) else { return (.stopped, stage) }
            switch cancellation.wait(for: handle.socket, toWrite: progress == .toWrite, until: deadline) {
            case .ready: break
            case .cancelled: return (.cancelled, stage)
            case .timedOut: return (.timedOut, stage)
            }
        }
    }

    /// How long connecting may take, for each of the hosts in the list.
    private static func connectSeconds(_ handle: PostgresHandle) -> Int64 {
        let options = handle.options
        let hosts = Int64((options["hostaddr"] ?? options["host"] ?? "").split(separator: ",").count)
        let seconds = options["connect_timeout"].flatMap { Int64($0) } ?? connectSeconds
        // Zero is libpq's word for as long as it takes.
        return seconds <= 0 ? 1_000_000 : seconds * max(1, hosts)
    }

    /// What is wrong with the times of the server's certificate, seen in a second connection that trusts everybody
    /// and ends before anything is told to the server.
    private static func certificateState(_ settings: PostgresSettings, _ cancellation: PostgresCancellation) -> Int {
        let trusting = [("sslmode", "require"), ("sslrootcert", "/nonexistent"), ("password", "-")]
        let handle = PostgresHandle(settings.parameters + trusting, isExpanded: settings.isURL)
        defer { handle.finish() }
        let deadline = PostgresCancellation.now + connectSeconds * 1_000
        _ = drive(handle, cancellation, until: deadline) { $0 != .credential && handle.certificateState == 0 }
        return handle.certificateState
    }

    /// Makes a dead peer noticed within about a minute, unless the settings say something else.
    private static func keepAlive(_ handle: PostgresHandle) {
        let options = handle.options
        if options["keepalives"] == "0" { return }
        handle.keepAlive(SO_KEEPALIVE, 1, level: SOL_SOCKET)
        if options["keepalives_idle"] == nil { handle.keepAlive(TCP_KEEPIDLE, 30) }
        if options["keepalives_interval"] == nil { handle.keepAlive(TCP_KEEPINTVL, 10) }
        if options["keepalives_count"] == nil { handle.keepAlive(TCP_KEEPCNT, 3) }
        if options["tcp_user_timeout"] == nil { handle.keepAlive(TCP_USER_TIMEOUT, 60_000) }
    }

    // MARK: - Statements

    /// Starts the transaction in which everything is read, and takes its snapshot.
    ///
    /// The settings are those of the transaction, so that they hold behind a pooler too. `txid_…` is what servers of
    /// every age have. Scans begin at the start of a table, so that the same rows come in the same order in every read:
    /// with `synchronize_seqscans`, which is on by default, one of a large table joins another that is under way, or
    /// goes on where the last one stood (PostgreSQL's manual, "Version and Platform Compatibility").
    ///
    /// A snapshot lists the open transactions only up to the newest that had ended; those with later
    /// numbers are counted up to the next number that is free after the snapshot was taken.
    ///
    /// - Returns: Whether somebody was writing in this database when the snapshot was taken. A standby does not list
    ///   the transactions of its primary, but its snapshot spans them.
    @discardableResult
    func begin() throws(ConnectorError) -> Bool {
        try run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        var values = [
            "TimeZone": "UTC", "DateStyle": "ISO", "IntervalStyle": "iso_8601", "extra_float_digits": "1",
            "bytea_output": "hex", "xmlbinary": "base64", "standard_conforming_strings": "on",
            "synchronize_seqscans": "off",
            "idle_in_transaction_session_timeout": "\(Self.idleMilliseconds)",
        ]
        // What is stored in a database without an encoding is looked at here, row by row, instead of refused as a
        // whole.
        if handle.parameter("server_encoding") == "SQL_ASCII" { values["client_encoding"] = "SQL_ASCII" }
        if let milliseconds = settings.statementMilliseconds { values["statement_timeout"] = "\(milliseconds)" }
        let calls = values.sorted { $0.key < $1.key }.map { "set_config('\($0.key)', '\($0.value)', true)" }
        let answer = try run(
            """
            WITH snap AS MATERIALIZED (
                SELECT txid_current_snapshot() AS s, txid_snapshot_xmax(txid_current_snapshot()) AS ahead),
            open AS (
                SELECT txid_snapshot_xip(s) AS number FROM snap
                UNION ALL
                SELECT generate_series(ahead, ahead + age((ahead & 4294967295)::text::xid) - 1) FROM snap)
            SELECT EXISTS (SELECT FROM open WHERE NOT EXISTS (
                    SELECT FROM pg_stat_activity WHERE backend_xid::text::int8 = number & 4294967295
                        AND (datname <> current_database() OR backend_type = 'autovacuum worker'))
                    AND NOT EXISTS (SELECT FROM pg_prepared_xacts
                        WHERE transaction::text::int8 = number & 4294967295 AND database <> current_database()))
                OR pg_is_in_recovery() AND (SELECT txid_snapshot_xmin(s) <> ahead FROM snap),
                \(calls.joined(separator: ", "))
            """, doing: "Starting to read")
        if handle.serverVersion >= 140_000 {
            // The server then notices a client that is gone while it sorts or waits, and not only when it sends; on
            // other systems than Linux it refuses the setting.
            try run(
                "SELECT set_config('client_connection_check_interval', '1000', true) WHERE version() LIKE '%linux%'")
        }
        return answer.flag(0, 0)
    }

    /// Runs one statement of ours.
    ///
    /// - Parameters:
    ///   - parameters: What `$1` and so on stand for, as text.
    ///   - doing: What for, as the beginning of a sentence.
    @discardableResult
    func run(
        _ sql: String, _ parameters: [String?] = [], doing: String = "Reading from the server",
        statementFault: ConnectorError.Code = .badData
    ) throws(ConnectorError) -> PostgresResult {
        guard handle.send(sql, parameters) else { throw PostgresFailure.lost(doing, handle.failure) }
        return try answer(doing, statementFault)
    }

    /// Sends a copy; the server may work for long before it says anything, so ``startCopy(_:_:)`` waits for that.
    func sendCopy(_ sql: String, doing: String) throws(ConnectorError) {
        guard handle.send("COPY (\(sql)) TO STDOUT (FORMAT binary)", []) else {
            throw PostgresFailure.lost(doing, handle.failure)
        }
    }

    /// Waits until the copy that was sent has begun.
    func startCopy(_ doing: String) throws(ConnectorError) { _ = try answer(doing, .badData) }

    /// Prepares a query that somebody else wrote, and returns what is known of its columns.
    func prepare(
        _ sql: String, doing: String, statementFault: ConnectorError.Code
    ) throws(ConnectorError) -> PostgresResult {
        handle.hasCutName = false
        guard handle.sendPrepare(sql) else { throw PostgresFailure.lost(doing, handle.failure) }
        _ = try answer(doing, statementFault)
        guard handle.sendDescribe() else { throw PostgresFailure.lost(doing, handle.failure) }
        return try answer(doing, statementFault)
    }

    /// Waits for the answer to what was sent; a copy is left to be read.
    private func answer(
        _ doing: String, _ statementFault: ConnectorError.Code
    ) throws(ConnectorError) -> PostgresResult {
        var last: PostgresResult?
        while true {
            while handle.isWaiting { try takeIn(doing) }
            guard let result = handle.result() else { break }
            if result.status == .copying { return result }
            // The first failure is the cause; what follows it is not.
            if last?.status != .failed { last = result }
        }
        guard let last else { throw PostgresFailure.lost(doing, handle.failure) }
        if last.status == .failed { throw failure(last, doing, statementFault) }
        return last
    }

    private func failure(
        _ result: PostgresResult, _ doing: String, _ statementFault: ConnectorError.Code
    ) -> ConnectorError {
        if cancellation.isRequested { return ConnectorError(.cancelled, "\(doing) was cancelled.") }
        if result.state.isEmpty, handle.isLost { return PostgresFailure.lost(doing, result.primary) }
        return PostgresFailure.statement(result, doing, statementFault: statementFault)
    }

    /// Waits until something arrives, and takes it in.
    ///
    /// - Throws: ``ConnectorError``: `cancelled`, `unavailable`.
    func takeIn(_ doing: String) throws(ConnectorError) {
        guard cancellation.wait(for: handle.socket) == .ready else {
            throw ConnectorError(.cancelled, "\(doing) was cancelled.")
        }
        guard handle.takeIn() else {
            // What the server said before it hung up is the cause, and it is a result.
            while !handle.isWaiting, let result = handle.result() {
                if result.status == .failed, !result.state.isEmpty { throw failure(result, doing, .unavailable) }
                if result.status == .copying { break }
            }
            throw PostgresFailure.lost(doing, handle.failure)
        }
    }

    /// Ends the transaction after its last row; a fault changes nothing, because it only read.
    func finishCopy(_ doing: String) throws(ConnectorError) {
        _ = try answer(doing, .badData)
        try run("COMMIT")
    }

    /// Gives the session back: at once where it is idle, within a second where the server is busy with it.
    func close() { handle.abandon() }
}
