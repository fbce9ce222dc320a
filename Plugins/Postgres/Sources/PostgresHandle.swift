// SPDX-License-Identifier: Apache-2.0

import CPostgres
import ConnectorKit
import Glibc

/// A connection of libpq, driven without ever blocking.
///
/// Not for two threads at once. Every call of libpq is in this file.
final class PostgresHandle {
    /// How far the making of a connection has come.
    enum Progress {
        case toRead
        case toWrite
        case connected
        case failed
    }

    /// What a connection that is being made is at.
    enum Stage {
        case network
        case encryption
        case credential
    }

    /// What the next call for rows found.
    enum Copied {
        /// A message of the server; it is good until the next call.
        case message(PostgresBytes)
        /// Nothing has arrived yet.
        case nothing
        /// The rows have ended, well or not: the result says it.
        case ended
    }

    private var connection: OpaquePointer?
    private var message: UnsafeMutablePointer<CChar>?
    /// Whether the server has cut a name to what it can hold, since this was last set.
    var hasCutName = false

    /// Starts to connect; ``progress()`` goes on with it.
    ///
    /// - Parameter isExpanded: Whether `dbname` may be a whole connection string.
    init(_ parameters: [(name: String, value: String)], isExpanded: Bool) {
        var names: [UnsafePointer<CChar>?] = parameters.map { UnsafePointer(strdup($0.name)) }
        var values: [UnsafePointer<CChar>?] = parameters.map { UnsafePointer(strdup($0.value)) }
        names.append(nil)
        values.append(nil)
        connection = PQconnectStartParams(names, values, isExpanded ? 1 : 0)
        for text in names + values { free(UnsafeMutablePointer(mutating: text)) }
        // What the server says of a failed connection then begins with its SQLSTATE.
        PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
        PQsetNoticeReceiver(
            connection,
            { context, result in
                guard let context, let state = PQresultErrorField(result, PostgresResult.stateField) else { return }
                let handle = Unmanaged<PostgresHandle>.fromOpaque(context).takeUnretainedValue()
                if String(cString: state) == "42622" { handle.hasCutName = true }
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { finish() }

    /// Gives everything back; what the server is doing goes on until it notices.
    func finish() {
        PQfreemem(message)
        message = nil
        PQfinish(connection)
        connection = nil
    }

    /// Ends what the server is doing, if anything, and gives everything back: within a second, whatever the network
    /// does.
    func abandon() {
        if PQtransactionStatus(connection) == PQTRANS_ACTIVE, PQstatus(connection) == CONNECTION_OK,
            let cancel = PQgetCancel(connection)
        {
            CancelRequest(cancel).run(milliseconds: 800)
        }
        finish()
    }

    // MARK: - Connecting

    /// Goes on with connecting.
    func progress() -> Progress {
        if PQstatus(connection) == CONNECTION_BAD { return .failed }
        switch PQconnectPoll(connection) {
        case PGRES_POLLING_READING: return .toRead
        case PGRES_POLLING_WRITING: return .toWrite
        case PGRES_POLLING_OK: return .connected
        default: return .failed
        }
    }

    /// What connecting is at; nil once it is neither.
    var stage: Stage? {
        switch PQstatus(connection) {
        case CONNECTION_STARTED, CONNECTION_NEEDED, CONNECTION_MADE: .network
        case CONNECTION_SSL_STARTUP, CONNECTION_GSS_STARTUP: .encryption
        case CONNECTION_AWAITING_RESPONSE, CONNECTION_AUTH_OK: .credential
        default: nil
        }
    }

    /// The socket to wait for.
    var socket: Int32 { PQsocket(connection) }
    /// libpq's words about what failed last.
    var failure: String { PQerrorMessage(connection).map { String(cString: $0) } ?? "" }
    /// Whether the connection is lost.
    var isLost: Bool { PQstatus(connection) != CONNECTION_OK }
    /// The server's version, for example 150018.
    var serverVersion: Int { Int(PQserverVersion(connection)) }
    /// The host in use; a folder where it is a Unix socket.
    var host: String { PQhost(connection).map { String(cString: $0) } ?? "" }
    /// The port in use.
    var port: String { PQport(connection).map { String(cString: $0) } ?? "" }
    /// The user.
    var user: String { PQuser(connection).map { String(cString: $0) } ?? "" }
    /// The database.
    var database: String { PQdb(connection).map { String(cString: $0) } ?? "" }
    /// The version of TLS, or nil where the connection is not encrypted.
    var encryption: String? {
        guard PQsslInUse(connection) != 0 else { return nil }
        return PQsslAttribute(connection, "protocol").map { String(cString: $0) } ?? "TLS"
    }

    /// Whether libpq would have needed a password and had none.
    var isMissingPassword: Bool { PQconnectionNeedsPassword(connection) != 0 }

    /// A setting that the server reports, for example `server_encoding`.
    func parameter(_ name: String) -> String {
        PQparameterStatus(connection, name).map { String(cString: $0) } ?? ""
    }

    /// What is known of the times of the server's certificates: 0 nothing, 1 they hold, 2 expired, 3 not valid yet.
    var certificateState: Int { Int(penstock_pg_certificate_state(connection)) }

    /// The options that are in effect, from settings, environment, service files and libpq's own defaults.
    var options: [String: String] { Self.dictionary(PQconninfo(connection)) }

    /// The options of a connection string, or nil where it is none.
    static func options(in text: String) -> [String: String]? {
        guard let options = PQconninfoParse(text, nil) else { return nil }
        return dictionary(options)
    }

    private static func dictionary(_ options: UnsafeMutablePointer<PQconninfoOption>?) -> [String: String] {
        defer { PQconninfoFree(options) }
        var found: [String: String] = [:]
        var next = options
        while let option = next?.pointee, let keyword = option.keyword {
            if let value = option.val, value.pointee != 0 { found[String(cString: keyword)] = String(cString: value) }
            next = next?.successor()
        }
        return found
    }

    /// Makes the kernel notice a peer that is gone; has no effect on a Unix socket.
    func keepAlive(_ option: Int32, _ value: Int32, level: Int32 = Int32(IPPROTO_TCP)) {
        var value = value
        setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    // MARK: - Statements

    /// Sends one statement.
    ///
    /// - Parameter parameters: What `$1` and so on stand for, as text.
    /// - Returns: Whether it was sent.
    func send(_ sql: String, _ parameters: [String?]) -> Bool {
        if parameters.isEmpty { return PQsendQueryParams(connection, sql, 0, nil, nil, nil, nil, 0) == 1 }
        let values = parameters.map { $0.flatMap { UnsafePointer(strdup($0)) } }
        defer { for value in values { free(UnsafeMutablePointer(mutating: value)) } }
        return PQsendQueryParams(connection, sql, Int32(values.count), nil, values, nil, nil, 0) == 1
    }

    /// Sends a statement to be prepared, without a name.
    func sendPrepare(_ sql: String) -> Bool { PQsendPrepare(connection, "", sql, 0, nil) == 1 }

    /// Asks for the columns of the statement that was prepared last.
    func sendDescribe() -> Bool { PQsendDescribePrepared(connection, "") == 1 }

    /// Takes in what has arrived; false where the connection is lost.
    func takeIn() -> Bool { PQconsumeInput(connection) == 1 }

    /// Whether ``result()`` would have to wait.
    var isWaiting: Bool { PQisBusy(connection) == 1 }

    /// The next result of what was sent, or nil after the last one.
    func result() -> PostgresResult? { PQgetResult(connection).map(PostgresResult.init) }

    /// The next message of a `COPY … TO STDOUT`.
    func copied() -> Copied {
        PQfreemem(message)
        // Not into the property itself: that would be looked at for conflicts at run time, once per row.
        var next: UnsafeMutablePointer<CChar>?
        let count = PQgetCopyData(connection, &next, 1)
        message = next
        if count > 0, let next {
            return .message(PostgresBytes(UnsafeRawBufferPointer(start: next, count: Int(count))))
        }
        return count == 0 ? .nothing : .ended
    }

    /// A text as an SQL literal, or nil where libpq refuses it.
    func literal(_ text: String) -> String? {
        guard !text.utf8.contains(0) else { return nil }
        let quoted = text.withCString { PQescapeLiteral(connection, $0, text.utf8.count) }
        defer { PQfreemem(quoted) }
        return quoted.map { String(cString: $0) }
    }
}

/// A request to the server to stop what a connection does.
///
/// `PQcancel` connects anew and waits, so it has a thread of its own, which nobody waits for longer than agreed.
private final class CancelRequest {
    private let cancel: OpaquePointer
    private let done = eventfd(0, Int32(EFD_CLOEXEC))

    init(_ cancel: OpaquePointer) { self.cancel = cancel }

    deinit {
        PQfreeCancel(cancel)
        close(done)
    }

    /// Sends the request; returns when the server has it, or after this time.
    func run(milliseconds: Int32) {
        var thread = pthread_t()
        // The thread releases what is retained here.
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let request = Unmanaged<CancelRequest>.fromOpaque(context).takeRetainedValue()
                // Without its words: whether it worked is seen by the connection that ends.
                PQcancel(request.cancel, nil, 0)
                eventfd_write(request.done, 1)
                return nil
            }, context.toOpaque())
        guard code == 0 else { return context.release() }
        pthread_detach(thread)
        var descriptor = pollfd(fd: done, events: Int16(POLLIN), revents: 0)
        _ = poll(&descriptor, 1, milliseconds)
    }
}

/// What the server answered to one statement.
final class PostgresResult {
    /// What sort of answer.
    enum Status {
        case done
        case rows
        case copying
        case failed
    }

    fileprivate static let stateField = Int32(UInt8(ascii: "C"))
    private let result: OpaquePointer

    fileprivate init(_ result: OpaquePointer) { self.result = result }

    deinit { PQclear(result) }

    /// What sort of answer.
    var status: Status {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: .done
        case PGRES_TUPLES_OK: .rows
        case PGRES_COPY_OUT: .copying
        default: .failed
        }
    }

    /// How many rows there are.
    var rowCount: Int { Int(PQntuples(result)) }
    /// How many columns there are.
    var columnCount: Int { Int(PQnfields(result)) }
    /// How many parameters a described statement has.
    var parameterCount: Int { Int(PQnparams(result)) }
    /// The name of a column.
    func name(_ column: Int) -> String { PQfname(result, Int32(column)).map { String(cString: $0) } ?? "" }
    /// The number of a column's type.
    func type(_ column: Int) -> UInt32 { PQftype(result, Int32(column)) }
    /// The modifier of a column's type, or -1.
    func modifier(_ column: Int) -> Int32 { PQfmod(result, Int32(column)) }

    /// A value as text, or nil for NULL.
    func text(_ row: Int, _ column: Int) -> String? {
        guard PQgetisnull(result, Int32(row), Int32(column)) == 0 else { return nil }
        return PQgetvalue(result, Int32(row), Int32(column)).map { String(cString: $0) }
    }

    /// A boolean; false for NULL.
    func flag(_ row: Int, _ column: Int) -> Bool { text(row, column) == "t" }
    /// An integer, or nil for NULL.
    func integer(_ row: Int, _ column: Int) -> Int64? { text(row, column).flatMap { Int64($0) } }

    /// The SQLSTATE of a failure; empty where libpq itself found it.
    var state: String { field("C") }
    /// The server's sentence about a failure.
    var primary: String {
        let words = field("M")
        return words.isEmpty ? PQresultErrorMessage(result).map { String(cString: $0) } ?? "" : words
    }
    /// What the server advises; may be empty.
    var hint: String { field("H") }
    /// What more the server says; may be empty.
    var detail: String { field("D") }
    /// Where in the statement the fault is, in characters from 1, or nil.
    var position: Int? { Int(field("P")) }

    private func field(_ code: Unicode.Scalar) -> String {
        PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) } ?? ""
    }
}

/// Bytes that the server sent, lent for as long as their owner says.
///
/// Numbers are in network order. Every access is within bounds or traps.
struct PostgresBytes {
    private let bytes: UnsafeRawBufferPointer

    fileprivate init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Lends bytes of our own to `body`.
    static func lending<R>(_ bytes: [UInt8], _ body: (PostgresBytes) -> R) -> R {
        bytes.withUnsafeBytes { body(PostgresBytes($0)) }
    }

    /// How many there are.
    var count: Int { bytes.count }
    /// A byte.
    subscript(position: Int) -> UInt8 { bytes[position] }

    /// Some of the bytes.
    func slice(_ position: Int, _ count: Int) -> PostgresBytes {
        PostgresBytes(UnsafeRawBufferPointer(rebasing: bytes[position..<position + count]))
    }

    /// A number of two, four or eight bytes.
    func integer<T: FixedWidthInteger>(_ position: Int, as type: T.Type = T.self) -> T {
        T(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: type))
    }

    /// Appends the bytes as one value.
    @inline(__always)
    func append(to column: ColumnBuilder) { column.append(bytes: bytes.assumingMemoryBound(to: UInt8.self)) }

    /// Appends the bytes as a text; false where they are no UTF-8, and then nothing was appended.
    @inline(__always)
    func appendText(to column: ColumnBuilder) -> Bool {
        column.append(text: bytes.assumingMemoryBound(to: UInt8.self))
    }

    /// The first `length` bytes as a text; what is no UTF-8 in it is replaced.
    func text(_ length: Int = .max) -> String { String(decoding: bytes.prefix(length), as: UTF8.self) }
}
