// SPDX-License-Identifier: Apache-2.0

import CLinux
import CSQLite
import Glibc
import PenstockModel

/// A value on its way into a statement.
package enum SQLiteValue: Sendable, Hashable {
    /// NULL.
    case null
    /// An integer.
    case integer(Int64)
    /// A text; NUL characters included.
    case text(String)
    /// Bytes.
    case bytes([UInt8])
    /// The 16 bytes of a digest.
    case fingerprint(Fingerprint)

    /// An integer, or NULL for nil.
    package init(_ value: Int64?) { self = value.map(SQLiteValue.integer) ?? .null }

    /// A text, or NULL for nil.
    package init(_ value: String?) { self = value.map(SQLiteValue.text) ?? .null }

    /// A digest, or NULL for nil.
    package init(_ value: Fingerprint?) { self = value.map(SQLiteValue.fingerprint) ?? .null }
}

/// One open SQLite file, which one thread at a time may use with its statements.
package final class SQLiteConnection {
    /// What a connection may do.
    package enum Access: Sendable, Hashable {
        /// Read and write an existing file.
        case readWrite
        /// Read an existing file, and never move its write-ahead log into it.
        case readOnly
    }

    /// The file.
    package let path: String
    /// What this connection may do.
    package let access: Access
    private let handle: OpaquePointer
    private var statements: [String: SQLiteStatement] = [:]
    private var isOpen = true
    /// What is known of the ledger of this file.
    // Nothing changes it while something else looks at it: to ask that at every access is a twentieth of a commit.
    @exclusivity(unchecked) var ledger = LedgerCache()

    /// How the index of the ledger is cut.
    var packSizes = PackSizes()

    /// Opens an existing file and makes it strict: no double-quoted strings, no trust in its schema.
    ///
    /// - Throws: ``StateError``; nothing is open afterwards.
    package init(path: String, access: Access) throws(StateError) {
        var opened: OpaquePointer?
        let mode = access == .readWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY
        let code = sqlite3_open_v2(path, &opened, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard let opened, code == SQLITE_OK else {
            let error = SQLiteConnection.error(code, opened, path)
            sqlite3_close_v2(opened)
            throw error
        }
        self.handle = opened
        self.path = path
        self.access = access
        penstock_sqlite_switch(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        penstock_sqlite_switch(handle, SQLITE_DBCONFIG_DQS_DML, 0)
        penstock_sqlite_switch(handle, SQLITE_DBCONFIG_DQS_DDL, 0)
        if access == .readOnly { penstock_sqlite_switch(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1) }
    }

    deinit { close() }

    /// Closes the file; nothing else may be called afterwards.
    func close() {
        guard isOpen else { return }
        isOpen = false
        statements = [:]
        // A statement still alive elsewhere keeps the file open until it goes too.
        sqlite3_close_v2(handle)
    }

    /// Whether closing this connection leaves the write-ahead log as it is.
    func keepLogOnClose(_ keeps: Bool) {
        guard isOpen else { return }
        penstock_sqlite_switch(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keeps ? 1 : 0)
    }

    /// The digest of the whole file as it lies there, without what is in the log only.
    ///
    /// ``StateFolder/digest(of:)`` gives the same for a file that is not open.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)`` where it cannot be read.
    func digest() throws(StateError) -> Fingerprint {
        var halves = [UInt64](repeating: 0, count: 2)
        guard penstock_digest(penstock_sqlite_read, UnsafeMutableRawPointer(handle), &halves) == 0 else {
            throw .system("Reading", path, errno)
        }
        return Fingerprint(low: halves[0], high: halves[1])
    }

    /// Moves what is in the write-ahead log into the file, as far as no reader is in the way.
    ///
    /// - Returns: How many pages are left in the log.
    /// - Throws: ``StateError``; the log still holds everything.
    func moveLogIntoFile(truncates: Bool = false) throws(StateError) -> Int {
        var logged: Int32 = 0
        var moved: Int32 = 0
        let mode = truncates ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
        let code = sqlite3_wal_checkpoint_v2(handle, nil, mode, &logged, &moved)
        guard code == SQLITE_OK || code == SQLITE_BUSY else { throw SQLiteConnection.error(code, handle, path) }
        return code == SQLITE_BUSY ? max(1, Int(logged - moved)) : max(0, Int(logged - moved))
    }

    /// How many pages this connection has written, into the log and elsewhere.
    var pagesWritten: Int {
        var current: Int32 = 0
        var highest: Int32 = 0
        sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_WRITE, &current, &highest, 0)
        return Int(current)
    }

    /// Refuses statements that could damage the file on purpose.
    package func refuseDamagingStatements() { penstock_sqlite_switch(handle, SQLITE_DBCONFIG_DEFENSIVE, 1) }

    /// Runs one or more statements without values and drops their rows.
    ///
    /// - Throws: ``StateError``; statements before the one at fault have run.
    package func execute(_ sql: String) throws(StateError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw SQLiteConnection.error(code, handle, path) }
    }

    /// The prepared form of one statement, kept for the next time.
    ///
    /// - Throws: ``StateError``.
    package func statement(_ sql: String) throws(StateError) -> SQLiteStatement {
        if let statement = statements[sql] { return statement }
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK, let prepared else { throw SQLiteConnection.error(code, handle, path) }
        let statement = SQLiteStatement(prepared, path)
        statements[sql] = statement
        return statement
    }

    /// The integer that a statement without values answers, for example a PRAGMA.
    ///
    /// - Throws: ``StateError``, also where there is no row.
    package func integer(_ sql: String) throws(StateError) -> Int64 {
        guard let value = try statement(sql).first([], { $0.integer(0) }) else {
            throw .internal("The statement \"\(sql)\" answered no row.")
        }
        return value
    }

    /// How many rows the last statement changed.
    package var changes: Int { Int(sqlite3_changes64(handle)) }

    /// Runs `body` in one write transaction.
    ///
    /// - Throws: ``StateError``; nothing of the transaction is kept.
    package func transaction<R>(_ body: () throws(StateError) -> R) throws(StateError) -> R {
        try enclose("BEGIN IMMEDIATE", body)
    }

    /// Runs `body`, which only reads, while it sees one state of the file.
    ///
    /// - Throws: ``StateError``.
    package func snapshot<R>(_ body: () throws(StateError) -> R) throws(StateError) -> R {
        try enclose("BEGIN", body)
    }

    private func enclose<R>(_ begin: String, _ body: () throws(StateError) -> R) throws(StateError) -> R {
        try statement(begin).execute([])
        do {
            let result = try body()
            try statement("COMMIT").execute([])
            return result
        } catch {
            rollBack()
            throw error
        }
    }

    private func rollBack() {
        ledger = LedgerCache()
        // SQLite ends some transactions itself. An error of ROLLBACK adds nothing to the one that is being reported.
        if sqlite3_get_autocommit(handle) == 0 { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
    }

    fileprivate static func error(_ code: Int32, _ handle: OpaquePointer?, _ path: String) -> StateError {
        let reason = handle.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
        switch code & 0xff {
        case SQLITE_FULL:
            return .cannotWrite("Writing \(path) stopped because the disk is full; free some space and run again.")
        case SQLITE_IOERR, SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_PERM:
            return .cannotWrite(
                "Using \(path) stopped with \"\(reason)\" (SQLite \(code)); check the disk and the file's permissions.")
        case SQLITE_CORRUPT, SQLITE_NOTADB: return .damaged("\(path), \(reason)")
        case SQLITE_BUSY, SQLITE_LOCKED: return .locked(by: nil)
        default: return .internal("Using \(path) stopped with \"\(reason)\" (SQLite \(code)).")
        }
    }
}

/// A prepared statement; its columns may be read only inside the closures of ``rows(_:_:)`` and ``first(_:_:)``.
package final class SQLiteStatement {
    private let handle: OpaquePointer
    private let path: String

    fileprivate init(_ handle: OpaquePointer, _ path: String) {
        self.handle = handle
        self.path = path
    }

    deinit { sqlite3_finalize(handle) }

    /// Runs the statement with `values` and drops its rows.
    ///
    /// - Throws: ``StateError``; nothing of this statement is kept.
    package func execute(_ values: [SQLiteValue]) throws(StateError) {
        defer { sqlite3_reset(handle) }
        try bind(values)
        while try step() {}
    }

    /// Calls `body` for each row, in the statement's order.
    ///
    /// - Throws: ``StateError``, and what `body` throws, which ends the visit.
    package func rows(
        _ values: [SQLiteValue], _ body: (SQLiteStatement) throws(StateError) -> Void
    ) throws(StateError) {
        defer { sqlite3_reset(handle) }
        try bind(values)
        while try step() { try body(self) }
    }

    /// What `body` makes of the first row, or nil where there is none; the statement runs to its end.
    ///
    /// - Throws: ``StateError``, and what `body` throws.
    package func first<R>(
        _ values: [SQLiteValue], _ body: (SQLiteStatement) throws(StateError) -> R
    ) throws(StateError) -> R? {
        defer { sqlite3_reset(handle) }
        try bind(values)
        guard try step() else { return nil }
        let result = try body(self)
        while try step() {}
        return result
    }

    /// Whether the column is NULL.
    package func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    /// The integer in the column, 0 for NULL.
    package func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    /// The integer in the column, nil for NULL.
    package func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

    /// The text in the column, nil for NULL; what is not UTF-8 in it is replaced, and so fails the row's check.
    package func text(_ column: Int32) -> String? {
        guard let start = sqlite3_column_text(handle, column) else { return nil }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// The bytes in the column, empty for NULL.
    package func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }

    /// The digest in the column, nil for NULL and for anything that is not 16 bytes.
    package func fingerprint(_ column: Int32) -> Fingerprint? {
        guard let start = sqlite3_column_blob(handle, column), sqlite3_column_bytes(handle, column) == 16 else {
            return nil
        }
        let low = start.loadUnaligned(as: UInt64.self)
        let high = start.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        return Fingerprint(low: UInt64(littleEndian: low), high: UInt64(littleEndian: high))
    }

    private func step() throws(StateError) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        guard code == SQLITE_DONE else {
            throw SQLiteConnection.error(code, sqlite3_db_handle(handle), path)
        }
        return false
    }

    private func bind(_ values: [SQLiteValue]) throws(StateError) {
        for (index, value) in values.enumerated() {
            let code = bind(value, Int32(index + 1))
            guard code == SQLITE_OK else {
                throw SQLiteConnection.error(code, sqlite3_db_handle(handle), path)
            }
        }
    }

    private func bind(_ value: SQLiteValue, _ index: Int32) -> Int32 {
        // SQLITE_TRANSIENT, a cast that Swift does not import: SQLite copies the bytes before the call returns.
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch value {
        case .null: return sqlite3_bind_null(handle, index)
        case .integer(let number): return sqlite3_bind_int64(handle, index, number)
        case .text(var text):
            return text.withUTF8 { utf8 in
                // An empty buffer may have no address, and SQLite takes that for NULL.
                guard let start = utf8.baseAddress, !utf8.isEmpty else {
                    return sqlite3_bind_text(handle, index, "", 0, copied)
                }
                return start.withMemoryRebound(to: CChar.self, capacity: utf8.count) {
                    sqlite3_bind_text64(handle, index, $0, UInt64(utf8.count), copied, UInt8(SQLITE_UTF8))
                }
            }
        case .bytes(let bytes):
            guard !bytes.isEmpty else { return sqlite3_bind_zeroblob(handle, index, 0) }
            return bytes.withUnsafeBytes {
                sqlite3_bind_blob64(handle, index, $0.baseAddress, UInt64($0.count), copied)
            }
        case .fingerprint(let fingerprint):
            return withUnsafeBytes(of: (fingerprint.low.littleEndian, fingerprint.high.littleEndian)) {
                sqlite3_bind_blob64(handle, index, $0.baseAddress, UInt64($0.count), copied)
            }
        }
    }
}
