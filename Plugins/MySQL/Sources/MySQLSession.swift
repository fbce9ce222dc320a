// SPDX-License-Identifier: Apache-2.0

import CMySQL
import ConnectorKit
import Glibc
import Synchronization

/// Why no connection came about.
struct MySQLRefusal: Error {
    /// The step of a check that failed.
    let step: String
    /// What to tell.
    let error: ConnectorError
}

/// The socket of a session, which any thread may shut down so that a call that waits for the server returns.
final class MySQLSwitch: Sendable {
    private struct State {
        var socket: Int32?
        var isOff = false
    }

    private let state = Mutex(State())

    /// Whether ``turnOff()`` was called.
    var isOff: Bool { state.withLock { $0.isOff } }

    /// Ends what the session waits for, now and later.
    ///
    /// Never blocks.
    func turnOff() {
        state.withLock { state in
            state.isOff = true
            if let socket = state.socket { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    fileprivate func attach(_ socket: Int32) {
        state.withLock { state in
            state.socket = socket
            if state.isOff { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    /// Forgets the socket before its number can become another file's.
    fileprivate func detach() { state.withLock { $0.socket = nil } }
}

/// One connection to a server, prepared so that what is read does not depend on the server's or user's habits.
///
/// Not for two threads at once.
final class MySQLSession {
    private static let isLibraryReady = mysql_server_init(0, nil, nil) == 0

    /// How the server is reached.
    let settings: MySQLSettings
    /// The server's own number for this connection.
    let number: UInt
    /// For example `10.11.6-MariaDB`.
    let serverVersion: String
    /// What ends a call that waits.
    let breaker: MySQLSwitch
    private var handle: UnsafeMutablePointer<MYSQL>?
    /// Whether rows are still to come, so that the connection cannot be ended by asking.
    private var isBusy = false
    private var isLost = false

    /// Whether the server is a MariaDB.
    var isMariaDB: Bool { serverVersion.contains("MariaDB") }

    /// Connects and sets the session up.
    init(_ settings: MySQLSettings, breaker: MySQLSwitch = MySQLSwitch()) throws(MySQLRefusal) {
        guard Self.isLibraryReady, let handle = mysql_init(nil) else {
            throw MySQLRefusal(step: "network", error: ConnectorError(.noMemory, "There is no memory left."))
        }
        penstock_mysql_enter()
        self.settings = settings
        self.breaker = breaker
        Self.setOptions(handle, settings)
        guard Self.connect(handle, settings) else {
            let report = Self.report(handle)
            mysql_close(handle)
            throw MySQLRefusal(
                step: MySQLErrors.step(report.number), error: MySQLErrors.connecting(report, settings))
        }
        self.handle = handle
        number = UInt(mysql_thread_id(handle))
        serverVersion = mysql_get_server_info(handle).map { String(cString: $0) } ?? ""
        penstock_mysql_secure(handle)
        breaker.attach(penstock_mysql_socket(handle))
        watch(penstock_mysql_socket(handle))
        do throws(ConnectorError) {
            try checkTLS(handle)
        } catch {
            close()
            throw MySQLRefusal(step: "tls", error: error)
        }
        do throws(ConnectorError) {
            try setUp(handle)
        } catch {
            close()
            throw MySQLRefusal(step: "right", error: error)
        }
    }

    deinit { close() }

    private static func setOptions(_ handle: UnsafeMutablePointer<MYSQL>, _ settings: MySQLSettings) {
        if let file = settings.optionFile { mysql_options(handle, MYSQL_READ_DEFAULT_FILE, file) }
        mysql_options(handle, MYSQL_READ_DEFAULT_GROUP, settings.optionGroup)
        mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        var seconds = UInt32(settings.connectSeconds)
        mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &seconds)
        if let limit = settings.answerSeconds {
            var seconds = UInt32(limit)
            mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &seconds)
            mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &seconds)
        }
        mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", settings.applicationName)
        if settings.needsTCP {
            var kind = UInt32(MYSQL_PROTOCOL_TCP.rawValue)
            mysql_options(handle, MYSQL_OPT_PROTOCOL, &kind)
        } else if settings.socket != nil {
            var kind = UInt32(MYSQL_PROTOCOL_SOCKET.rawValue)
            mysql_options(handle, MYSQL_OPT_PROTOCOL, &kind)
        }
        if let ca = settings.ca { mysql_options(handle, MYSQL_OPT_SSL_CA, ca) }
        if let cert = settings.cert { mysql_options(handle, MYSQL_OPT_SSL_CERT, cert) }
        if let key = settings.key { mysql_options(handle, MYSQL_OPT_SSL_KEY, key) }
        penstock_mysql_set_tls(handle, penstock_mysql_tls(rawValue: UInt32((settings.tls ?? .prefer).rawValue)))
        penstock_mysql_secure(handle)
    }

    private static func connect(_ handle: UnsafeMutablePointer<MYSQL>, _ settings: MySQLSettings) -> Bool {
        func attempt(_ password: String?) -> Bool {
            mysql_real_connect(
                handle, settings.host, settings.user, password, settings.database, UInt32(settings.port ?? 0),
                settings.socket, 0) != nil
        }
        guard let password = settings.password else { return attempt(nil) }
        return password.reveal { attempt($0) }
    }

    /// Option files are read while connecting and win over what was set before; what was asked for must hold anyway.
    private func checkTLS(_ handle: UnsafeMutablePointer<MYSQL>) throws(ConnectorError) {
        guard let tls = settings.tls, tls >= .require else { return }
        guard cipher != nil else {
            throw ConnectorError(
                .unauthorized,
                "\(settings.address) does not offer TLS, which the setting tls asks for; turn it on at the server, or "
                    + "change tls.", field: "tls")
        }
        let ca = penstock_mysql_ca(handle).map { String(cString: $0) }
        let isKept = tls < .verifyFull || penstock_mysql_checks_name(handle) != 0
        guard isKept, settings.ca == nil || settings.ca == ca else {
            throw ConnectorError(
                .badConfig,
                "An option file sets ssl-ca or ssl-verify-server-cert against the settings tls and ca; remove it there, "
                    + "or set option_file and option_group.", field: "tls")
        }
    }

    /// The cipher of the connection; nil in plain text.
    var cipher: String? {
        guard let handle, let name = mysql_get_ssl_cipher(handle) else { return nil }
        let text = String(cString: name)
        return text.isEmpty ? nil : text
    }

    /// Notices within about a minute that the other side is gone without a word.
    private func watch(_ socket: Int32) {
        let options: [(level: Int32, name: Int32, value: Int32)] = [
            (SOL_SOCKET, SO_KEEPALIVE, 1), (Int32(IPPROTO_TCP), TCP_KEEPIDLE, 30),
            (Int32(IPPROTO_TCP), TCP_KEEPINTVL, 10), (Int32(IPPROTO_TCP), TCP_KEEPCNT, 3),
        ]
        for option in options {
            var value = option.value
            // A Unix socket refuses them and needs none.
            setsockopt(socket, option.level, option.name, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    private func setUp(_ handle: UnsafeMutablePointer<MYSQL>) throws(ConnectorError) {
        guard mysql_set_character_set(handle, "utf8mb4") == 0 else { throw failure("Setting up the session") }
        var assignments = [
            "time_zone = '+00:00'",
            // What a query groups by is the server's rule; every other mode would change what a text means.
            "sql_mode = IF(FIND_IN_SET('ONLY_FULL_GROUP_BY', @@sql_mode), 'ONLY_FULL_GROUP_BY', '')",
            "sql_auto_is_null = 0", "sql_select_limit = 18446744073709551615", "autocommit = 1",
            // GROUP_CONCAT cuts its result at this many bytes, with a warning that nobody reads.
            "group_concat_max_len = 1073741824",
            "net_write_timeout = GREATEST(@@net_write_timeout, 600)",
            "net_read_timeout = GREATEST(@@net_read_timeout, 600)", "wait_timeout = GREATEST(@@wait_timeout, 600)",
            "lock_wait_timeout = LEAST(@@lock_wait_timeout, 60)",
        ]
        if let limit = settings.statementMilliseconds {
            assignments.append(
                isMariaDB
                    ? "max_statement_time = \(limit / 1_000).\(String(limit % 1_000 + 1_000).dropFirst())"
                    : "max_execution_time = \(limit)")
        }
        try run("SET SESSION " + assignments.joined(separator: ", "), "Setting up the session")
        try run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "Setting up the session")
    }

    /// Ends the connection, within a second however much was left to read.
    ///
    /// A statement whose rows are not all read goes on at the server until it next writes, which it may not do for
    /// hours; so it is ended there too.
    func close() {
        guard let handle else { return }
        self.handle = nil
        let mustEnd = isBusy && !isLost
        if isBusy { shutdown(penstock_mysql_socket(handle), Int32(SHUT_RDWR)) }
        breaker.detach()
        mysql_close(handle)
        if mustEnd { Self.end(number, settings) }
    }

    private static func end(_ number: UInt, _ settings: MySQLSettings) {
        // Where this does not succeed the server notices the closed socket as soon as it writes.
        guard let other = try? MySQLSession(settings.forRelease) else { return }
        // The connection may be gone already, which is what is wanted.
        try? other.run("KILL CONNECTION \(number)", "Ending a statement")
        other.close()
    }

    /// Notes whether rows of a statement are still to come.
    func noteBusy(_ isBusy: Bool) { self.isBusy = isBusy }

    private static func report(_ handle: UnsafeMutablePointer<MYSQL>) -> MySQLErrors.Report {
        MySQLErrors.Report(
            number: mysql_errno(handle), words: String(cString: mysql_error(handle)),
            state: String(cString: mysql_sqlstate(handle)))
    }

    /// The error of the last call on the connection.
    func failure(
        _ doing: String, statementFault: ConnectorError.Code = .internalFault
    ) -> ConnectorError {
        guard let handle else { return ConnectorError(.broken, "\(doing) stopped: the connection is closed.") }
        return failure(Self.report(handle), doing, statementFault)
    }

    /// The error of a failed call, unless it failed because it was to end.
    func failure(
        _ report: MySQLErrors.Report, _ doing: String, _ statementFault: ConnectorError.Code
    ) -> ConnectorError {
        if MySQLErrors.isLost(report.number) || report.number == 2026 { isLost = true }
        if breaker.isOff {
            isLost = false
            return ConnectorError(.cancelled, "\(doing) was cancelled.")
        }
        var report = report
        // A broken line inside TLS is reported as an error of TLS.
        if report.number == 2026 { report.number = 2013 }
        return MySQLErrors.statement(report, doing, settings, statementFault: statementFault)
    }

    /// Runs a statement without a result.
    func run(_ sql: String, _ doing: String) throws(ConnectorError) {
        _ = try rows(sql, doing)
    }

    /// Runs a statement and returns its whole result, as texts; for results that are small.
    func rows(_ sql: String, _ doing: String) throws(ConnectorError) -> [[String?]] {
        guard let handle else { throw failure(doing) }
        penstock_mysql_enter()
        guard mysql_real_query(handle, sql, UInt(sql.utf8.count)) == 0 else { throw failure(doing) }
        guard let result = mysql_store_result(handle) else {
            if mysql_field_count(handle) == 0 { return [] }
            throw failure(doing)
        }
        defer { mysql_free_result(result) }
        let width = Int(mysql_num_fields(result))
        var rows: [[String?]] = []
        while let row = mysql_fetch_row(result), let lengths = mysql_fetch_lengths(result) {
            rows.append(
                (0..<width).map { index in
                    guard let start = row[index] else { return nil }
                    let bytes = UnsafeRawBufferPointer(start: start, count: Int(lengths[index]))
                    return String(decoding: bytes, as: UTF8.self)
                })
        }
        return rows
    }

    /// Compiles one statement at the server, which tells its columns without running it.
    ///
    /// - Parameter statementFault: The code where the statement itself is at fault.
    func prepare(
        _ sql: String, _ doing: String, statementFault: ConnectorError.Code = .badData
    ) throws(ConnectorError) -> MySQLStatement {
        guard let handle else { throw failure(doing) }
        penstock_mysql_enter()
        guard let statement = mysql_stmt_init(handle) else { throw failure(doing) }
        let prepared = MySQLStatement(statement, self, doing: doing)
        guard mysql_stmt_prepare(statement, sql, UInt(sql.utf8.count)) == 0 else {
            let error = prepared.failure(statementFault)
            prepared.close()
            throw error
        }
        prepared.readColumns()
        return prepared
    }
}
