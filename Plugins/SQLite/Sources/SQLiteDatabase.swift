// SPDX-License-Identifier: Apache-2.0

import CSQLite
import ConnectorKit
import Glibc

/// How SQLite stores one value.
enum SQLiteStorage {
    case null
    case integer
    case real
    case text
    case blob
}

/// What a question mark in a statement stands for.
enum SQLiteParameter: Hashable, Sendable {
    case integer(Int64)
    case real(Double)
    case text(String)
}

/// One read-only connection to a database file, with one snapshot that lasts until ``close()``.
///
/// Not for two threads at once. Every call of SQLite's C interface is in this file.
final class SQLiteDatabase {
    /// The collation that compares UTF-8 bytes, whatever the file's own encoding is.
    private static let byteCollation = "penstock_bytes"
    /// The function that turns a date and time into its microseconds, or NULL where it is none.
    static let microsecondsFunction = "penstock_micros"
    /// How many of its instructions SQLite may run before it asks whether to stop: well below a millisecond.
    private static let instructionsBetweenChecks: Int32 = 10_000

    /// The version of the SQLite library.
    static var libraryVersion: String { String(cString: sqlite3_libversion()) }

    /// The file.
    let path: String
    /// The name of a collation that compares bytes of UTF-8.
    private(set) var collation = "BINARY"
    private let waiting: LockWait
    private var handle: OpaquePointer?

    /// Opens the file and starts the snapshot.
    ///
    /// - Throws: ``ConnectorError``: `notFound`, `forbidden`, `badConfig`, `unavailable`, `cancelled`.
    init(path: String, busyMilliseconds: Int, cancellation: SQLiteCancellation) throws(ConnectorError) {
        self.path = path
        waiting = LockWait(milliseconds: busyMilliseconds, cancellation: cancellation)
        try Self.checkFile(path)
        // A path that begins with `file:` or `:` would be more than a path to SQLite.
        let name = path.hasPrefix("/") ? path : "./" + path
        let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(name, &handle, flags, nil)
        guard code == SQLITE_OK else {
            let error = failure(code, "Opening")
            close()
            throw error
        }
        installCallbacks()
        do throws(ConnectorError) {
            try secure()
            try beginSnapshot()
        } catch {
            close()
            throw error
        }
    }

    deinit { close() }

    /// Ends the snapshot and gives the file back.
    ///
    /// Close the statements first.
    func close() {
        sqlite3_close_v2(handle)
        handle = nil
    }

    private static func checkFile(_ path: String) throws(ConnectorError) {
        var status = stat()
        if stat(path, &status) != 0 {
            if errno == EACCES {
                throw ConnectorError(
                    .forbidden, "The file \(path) cannot be reached; give this user the right to its folder.",
                    field: "path")
            }
            throw ConnectorError(
                .notFound, "There is no database file \(path); correct the setting path.", field: "path")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ConnectorError(
                .badConfig, "\(path) is not a file; the setting path must name one database file.", field: "path")
        }
        guard access(path, R_OK) == 0 else {
            throw ConnectorError(
                .forbidden, "The file \(path) may not be read by this user; give it the right to read.",
                field: "path")
        }
    }

    private func installCallbacks() {
        let context = Unmanaged.passUnretained(waiting).toOpaque()
        sqlite3_progress_handler(
            handle, Self.instructionsBetweenChecks,
            { context in
                guard let context else { return 0 }
                return Unmanaged<LockWait>.fromOpaque(context).takeUnretainedValue().isCancelled ? 1 : 0
            }, context)
        sqlite3_busy_handler(
            handle,
            { context, calls in
                guard let context else { return 0 }
                return Unmanaged<LockWait>.fromOpaque(context).takeUnretainedValue().wait(calls) ? 1 : 0
            }, context)
        sqlite3_create_function_v2(
            handle, Self.microsecondsFunction, 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nil,
            { context, _, arguments in
                guard let value = arguments?[0], sqlite3_value_type(value) == SQLITE_TEXT,
                    let start = sqlite3_value_text(value)
                else { return sqlite3_result_null(context) }
                let bytes = UnsafeBufferPointer(start: start, count: Int(sqlite3_value_bytes(value)))
                guard let moment = SQLiteTime.moment(bytes.span) else { return sqlite3_result_null(context) }
                sqlite3_result_int64(context, moment.microseconds)
            }, nil, nil, nil)
        sqlite3_create_collation_v2(
            handle, Self.byteCollation, SQLITE_UTF8, nil,
            { _, firstCount, first, secondCount, second in
                guard let first, let second else { return firstCount - secondCount }
                let order = memcmp(first, second, Int(min(firstCount, secondCount)))
                return order != 0 ? order : firstCount - secondCount
            }, nil)
    }

    /// Nothing in the file may run code, and nothing here may change the file.
    private func secure() throws(ConnectorError) {
        _ = penstock_sqlite_switch(handle, SQLITE_DBCONFIG_DEFENSIVE, 1)
        _ = penstock_sqlite_switch(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        _ = penstock_sqlite_switch(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0)
        try run("PRAGMA query_only = ON")
    }

    /// Says whether `"x"` may be a text where no column is named `x`, as in views of old files.
    ///
    /// SQLite allows it by default, so that a misspelt column becomes a text and every row matches.
    func setDoubleQuotedTexts(_ isAllowed: Bool) {
        _ = penstock_sqlite_switch(handle, SQLITE_DBCONFIG_DQS_DML, isAllowed ? 1 : 0)
    }

    private func beginSnapshot() throws(ConnectorError) {
        try run("BEGIN")
        // BEGIN takes no snapshot; the first read does.
        try run("SELECT count(*) FROM main.sqlite_schema")
        let encoding = try prepare("PRAGMA main.encoding")
        defer { encoding.close() }
        if try encoding.step(), encoding.string(0) != "UTF-8" { collation = Self.byteCollation }
    }

    private func run(_ sql: String) throws(ConnectorError) {
        let statement = try prepare(sql)
        defer { statement.close() }
        while try statement.step() {}
    }

    /// Compiles one statement of our own.
    ///
    /// - Parameters:
    ///   - parameters: Bound in order.
    ///   - doing: What for, for the message of an error.
    func prepare(
        _ sql: String, _ parameters: [SQLiteParameter] = [], doing: String = "Reading"
    ) throws(ConnectorError) -> SQLiteStatement {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v2(handle, sql, -1, &statement, nil)
        guard code == SQLITE_OK, let statement else { throw failure(code, doing) }
        let prepared = SQLiteStatement(statement, self)
        try prepared.bind(parameters)
        return prepared
    }

    /// Compiles a query that somebody else wrote.
    ///
    /// - Throws: ``ConnectorError`` `badRequest` with SQLite's words, and where it is not exactly one statement.
    func prepareQuery(_ sql: String) throws(ConnectorError) -> SQLiteStatement {
        guard !sql.utf8.contains(0) else {
            throw ConnectorError(.badRequest, "The query holds a NUL character; remove it.")
        }
        var found: [OpaquePointer] = []
        var code = SQLITE_OK
        sql.withCString { start in
            var rest: UnsafePointer<CChar>? = start
            while let next = rest, next.pointee != 0, code == SQLITE_OK, found.count < 2 {
                var statement: OpaquePointer?
                code = sqlite3_prepare_v2(handle, next, -1, &statement, &rest)
                if let statement { found.append(statement) }
            }
        }
        let refusal: ConnectorError? =
            if let only = found.first, found.count == 1, code == SQLITE_OK {
                refusal(of: only)
            } else if !found.isEmpty {
                ConnectorError(.badRequest, "The query holds more than one statement; leave one SELECT.")
            } else if code != SQLITE_OK {
                failure(code, "Preparing the query on", statementFault: .badRequest)
            } else {
                ConnectorError(.badRequest, "The query holds no statement; write one SELECT.")
            }
        if let refusal {
            for statement in found { sqlite3_finalize(statement) }
            throw refusal
        }
        return SQLiteStatement(found[0], self)
    }

    private func refusal(of statement: OpaquePointer) -> ConnectorError? {
        if sqlite3_stmt_readonly(statement) == 0 {
            return ConnectorError(
                .badRequest, "The query would change the database, which is only read; write a SELECT.")
        }
        if sqlite3_column_count(statement) == 0 {
            return ConnectorError(.badRequest, "The query returns no columns; write a SELECT.")
        }
        if sqlite3_bind_parameter_count(statement) > 0 {
            return ConnectorError(
                .badRequest, "The query has a parameter, for which there is no value; write the value there.")
        }
        return nil
    }

    /// The error of a call that returned `code`.
    ///
    /// - Parameter statementFault: The code where the statement itself is at fault.
    fileprivate func failure(
        _ code: Int32, _ doing: String, statementFault: ConnectorError.Code = .badData
    ) -> ConnectorError {
        if waiting.isCancelled || code & 0xFF == SQLITE_INTERRUPT {
            return ConnectorError(.cancelled, "\(doing) \(path) was cancelled.")
        }
        let words = handle.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
        let (kind, advice) = Self.meaning(code, waiting.milliseconds, statementFault)
        return ConnectorError(
            kind, "\(doing) \(path) stopped: \(words); \(advice).", vendorCode: "SQLITE \(code)")
    }

    private static func meaning(
        _ code: Int32, _ waited: Int, _ statementFault: ConnectorError.Code
    ) -> (ConnectorError.Code, String) {
        switch code & 0xFF {
        case SQLITE_BUSY, SQLITE_LOCKED:
            (
                .unavailable,
                "another program held its lock for more than \(waited) ms, so try again, or raise busy_timeout"
            )
        case SQLITE_NOTADB:
            (.badConfig, "it is no SQLite database or an encrypted one, so correct the setting path")
        case SQLITE_CORRUPT:
            (.badData, "the file is damaged, so restore it or rebuild it with the sqlite3 command .recover")
        case SQLITE_CANTOPEN:
            (
                .badConfig,
                "a database in WAL mode needs its -wal and -shm files beside it, so let this user write to the "
                    + "folder, or read a copy made with VACUUM INTO"
            )
        case SQLITE_READONLY:
            (
                .unavailable,
                "a crash left a journal that must be rolled back, so open it once with the program that owns it"
            )
        case SQLITE_PERM, SQLITE_AUTH: (.forbidden, "give this user the right to read it")
        case SQLITE_NOMEM: (.noMemory, "there is no memory left")
        case SQLITE_IOERR, SQLITE_FULL, SQLITE_PROTOCOL: (.unavailable, "look at the disk, then try again")
        default: (statementFault, "correct the query or the view")
        }
    }
}

/// A compiled statement and the row that it stands on.
///
/// Values are read by position, counted from 0.
final class SQLiteStatement {
    private let database: SQLiteDatabase
    private var handle: OpaquePointer?

    fileprivate init(_ handle: OpaquePointer, _ database: SQLiteDatabase) {
        self.handle = handle
        self.database = database
    }

    deinit { close() }

    /// Gives back what the statement held.
    func close() {
        sqlite3_finalize(handle)
        handle = nil
    }

    fileprivate func bind(_ parameters: [SQLiteParameter]) throws(ConnectorError) {
        // SQLite copies a text that is bound with this destructor.
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        for (index, parameter) in parameters.enumerated() {
            let position = Int32(index + 1)
            let code =
                switch parameter {
                case .integer(let value): sqlite3_bind_int64(handle, position, value)
                case .real(let value): sqlite3_bind_double(handle, position, value)
                case .text(let value): sqlite3_bind_text(handle, position, value, Int32(value.utf8.count), copied)
                }
            guard code == SQLITE_OK else { throw database.failure(code, "Reading") }
        }
    }

    /// Moves to the next row; false once there is none.
    ///
    /// - Throws: ``ConnectorError``; afterwards only ``close()`` is allowed.
    func step() throws(ConnectorError) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        guard code == SQLITE_DONE else { throw database.failure(code, "Reading") }
        return false
    }

    /// The text of the statement, without what follows it.
    var sql: String { sqlite3_sql(handle).map { String(cString: $0) } ?? "" }

    /// How many columns there are.
    var columnCount: Int { Int(sqlite3_column_count(handle)) }

    /// The name of a column.
    func name(_ column: Int) -> String {
        sqlite3_column_name(handle, Int32(column)).map { String(cString: $0) } ?? ""
    }

    /// What the column was declared as in its table; empty for an expression.
    func declaration(_ column: Int) -> String {
        sqlite3_column_decltype(handle, Int32(column)).map { String(cString: $0) } ?? ""
    }

    /// How the value is stored.
    func storage(_ column: Int) -> SQLiteStorage {
        switch sqlite3_column_type(handle, Int32(column)) {
        case SQLITE_INTEGER: .integer
        case SQLITE_FLOAT: .real
        case SQLITE_TEXT: .text
        case SQLITE_BLOB: .blob
        default: .null
        }
    }

    /// The value of an integer.
    func integer(_ column: Int) -> Int64 { sqlite3_column_int64(handle, Int32(column)) }

    /// The value of a double.
    func real(_ column: Int) -> Double { sqlite3_column_double(handle, Int32(column)) }

    /// A text as a string; what is no UTF-8 in it is replaced.
    func string(_ column: Int) -> String { withBytes(column) { String(decoding: $0, as: UTF8.self) } }

    /// Lends the bytes of a text, as UTF-8, or of a blob.
    func withBytes<R>(_ column: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        let column = Int32(column)
        let isBlob = sqlite3_column_type(handle, column) == SQLITE_BLOB
        let start =
            isBlob
            ? sqlite3_column_blob(handle, column)?.assumingMemoryBound(to: UInt8.self)
            : sqlite3_column_text(handle, column)
        precondition(isBlob || start != nil, "SQLite has no memory for a text")
        // The count is asked for after the text: making UTF-8 of UTF-16 changes it.
        let count = start == nil ? 0 : Int(sqlite3_column_bytes(handle, column))
        return body(UnsafeBufferPointer(start: start, count: count))
    }

    /// The value in a column of the row.
    @inline(__always)
    func cell(_ column: Int) -> SQLiteCell { SQLiteCell(value: sqlite3_column_value(handle, Int32(column))) }
}

/// One value of the row that a statement stands on; valid until the statement moves.
///
/// Looked up once: every function that goes by column looks up the value anew, and locks and unlocks on the way.
struct SQLiteCell {
    fileprivate let value: OpaquePointer?

    /// How the value is stored.
    @inline(__always)
    var storage: SQLiteStorage {
        switch sqlite3_value_type(value) {
        case SQLITE_INTEGER: .integer
        case SQLITE_FLOAT: .real
        case SQLITE_TEXT: .text
        case SQLITE_BLOB: .blob
        default: .null
        }
    }

    /// The value of an integer.
    var integer: Int64 { sqlite3_value_int64(value) }

    /// The value of a double.
    var real: Double { sqlite3_value_double(value) }

    /// The bytes of a text, as UTF-8.
    @inline(__always)
    var text: UnsafeBufferPointer<UInt8> {
        guard let start = sqlite3_value_text(value) else { preconditionFailure("SQLite has no memory for a text") }
        // The count is asked for after the text: making UTF-8 of UTF-16 changes it.
        return UnsafeBufferPointer(start: start, count: Int(sqlite3_value_bytes(value)))
    }

    /// The bytes of a blob.
    var blob: UnsafeBufferPointer<UInt8> {
        let start = sqlite3_value_blob(value)?.assumingMemoryBound(to: UInt8.self)
        return UnsafeBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_value_bytes(value)))
    }
}

/// What SQLite's callbacks ask: whether to stop, and how long to wait for a lock.
private final class LockWait {
    let milliseconds: Int
    private let cancellation: SQLiteCancellation
    private var start: Int64 = 0

    init(milliseconds: Int, cancellation: SQLiteCancellation) {
        self.milliseconds = milliseconds
        self.cancellation = cancellation
    }

    var isCancelled: Bool { cancellation.isRequested }

    /// Waits a little; false where it has been long enough.
    func wait(_ calls: Int32) -> Bool {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let now = Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
        if calls == 0 { start = now }
        let left = Int64(milliseconds) - (now - start)
        guard left > 0, !isCancelled else { return false }
        usleep(UInt32(min(left, 1 << Int64(min(calls, 4)), 10)) * 1_000)
        return true
    }
}
