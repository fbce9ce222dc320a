// SPDX-License-Identifier: Apache-2.0

import CMySQL
import ConnectorKit

/// A statement that the server has compiled, and the row that it stands on.
///
/// Rows come in the binary protocol, one by one, unbuffered: integers and floats are exact without being parsed, and
/// memory does not grow with the result.
final class MySQLStatement {
    /// How many bytes of a text lie in the row's own buffer; a longer one is fetched again into a larger one.
    private static let inlineBytesMax = 4_096
    /// The bytes of the largest value that is no text: a date and time.
    private static let fixedBytes = max(16, MemoryLayout<MYSQL_TIME>.stride)

    /// The columns of the result; empty where the statement has none.
    private(set) var columns: [MySQLField] = [] { didSet { wires = columns.map(\.wire) } }
    /// How the values of ``columns`` lie on the wire: all that is asked for at every value.
    // Looked at for every value, by one thread alone, as the others that are marked so.
    @exclusivity(unchecked) private(set) var wires: [MySQLField.Wire] = []
    /// Whether values would have to be given for question marks.
    var hasParameters: Bool { handle.map { mysql_stmt_param_count($0) > 0 } ?? false }
    private let session: MySQLSession
    private let doing: String
    @exclusivity(unchecked) private var handle: UnsafeMutablePointer<MYSQL_STMT>?
    private var binds: UnsafeMutableBufferPointer<MYSQL_BIND>?
    @exclusivity(unchecked) private var slots: UnsafeMutableBufferPointer<penstock_mysql_slot>?
    @exclusivity(unchecked) private var buffer: UnsafeMutableRawBufferPointer?
    /// Where each column's value lies in ``buffer``.
    @exclusivity(unchecked) private var places: [(offset: Int, capacity: Int)] = []

    init(_ handle: UnsafeMutablePointer<MYSQL_STMT>, _ session: MySQLSession, doing: String) {
        self.handle = handle
        self.session = session
        self.doing = doing
    }

    deinit { close() }

    /// Gives back what the statement held; where rows are still to come, the session must be closed first.
    func close() {
        if let handle { penstock_mysql_close_statement(handle) }
        handle = nil
        binds?.deallocate()
        slots?.deallocate()
        buffer?.deallocate()
        (binds, slots, buffer) = (nil, nil, nil)
    }

    /// The error of the last call on the statement.
    func failure(_ statementFault: ConnectorError.Code) -> ConnectorError {
        guard let handle else { return ConnectorError(.broken, "\(doing) stopped: the statement is closed.") }
        // MariaDB's library leaves an error that comes amid unbuffered rows at the connection.
        if mysql_stmt_errno(handle) == 0 { return session.failure(doing, statementFault: statementFault) }
        let report = MySQLErrors.Report(
            number: mysql_stmt_errno(handle), words: String(cString: mysql_stmt_error(handle)),
            state: String(cString: mysql_stmt_sqlstate(handle)))
        return session.failure(report, doing, statementFault)
    }

    /// Reads ``columns`` anew; the server may have compiled the statement again meanwhile.
    func readColumns() {
        var found: [MySQLField] = []
        defer { columns = found }
        guard let handle, let metadata = mysql_stmt_result_metadata(handle) else { return }
        defer { mysql_free_result(metadata) }
        while let field = mysql_fetch_field(metadata) { found.append(Self.described(field)) }
    }

    private static func described(_ field: UnsafeMutablePointer<MYSQL_FIELD>) -> MySQLField {
        let flags = field.pointee.flags
        let number = UInt32(field.pointee.type.rawValue)
        let kind = MySQLField.wire(number, special: attribute(field, 0), format: attribute(field, 1))
        let name = UnsafeRawBufferPointer(start: field.pointee.name, count: Int(field.pointee.name_length))
        let isEnumeration = flags & UInt32(ENUM_FLAG) != 0
        return MySQLField(
            name: String(decoding: name, as: UTF8.self), wire: kind.wire,
            typeName: isEnumeration ? "enum" : flags & UInt32(SET_FLAG) != 0 ? "set" : kind.name,
            isUnsigned: flags & UInt32(UNSIGNED_FLAG) != 0,
            isBinary: field.pointee.charsetnr == 63 && !["uuid", "inet4", "inet6"].contains(kind.name),
            isNotNull: flags & UInt32(NOT_NULL_FLAG) != 0, isInstant: kind.name == "timestamp",
            length: Int(field.pointee.length))
    }

    private static func attribute(_ field: UnsafeMutablePointer<MYSQL_FIELD>, _ isFormat: Int32) -> String {
        var length: UInt = 0
        guard let start = penstock_mysql_attribute(field, isFormat, &length) else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: Int(length)), as: UTF8.self)
    }

    /// Runs the statement; its rows are then to be read to the end, or the session to be closed.
    func execute() throws(ConnectorError) {
        guard let handle else { throw failure(.broken) }
        session.noteBusy(true)
        guard mysql_stmt_execute(handle) == 0 else {
            let error = failure(.badData)
            // After an answer there is nothing more to come.
            if error.code != .cancelled { session.noteBusy(false) }
            throw error
        }
        readColumns()
    }

    /// Lays out the buffers for the columns as they are after ``execute()``.
    ///
    /// - Parameter wanted: The columns that will be looked at; the others get no room.
    func prepareRows(_ wanted: Set<Int>) throws(ConnectorError) {
        let binds = UnsafeMutableBufferPointer<MYSQL_BIND>.allocate(capacity: columns.count)
        binds.initialize(repeating: MYSQL_BIND())
        let slots = UnsafeMutableBufferPointer<penstock_mysql_slot>.allocate(capacity: columns.count)
        slots.initialize(repeating: penstock_mysql_slot())
        var size = 0
        places = columns.enumerated().map { index, column in
            var capacity = Self.fixedBytes
            if column.isLong {
                capacity = wanted.contains(index) ? min(max(column.length, 16), Self.inlineBytesMax) : 0
            }
            // One byte more for the NUL that the library likes to add, and every value at a multiple of 16.
            defer { size += (capacity + 16) & ~15 }
            return (size, capacity)
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size + 16, alignment: 16)
        self.binds?.deallocate()
        self.slots?.deallocate()
        self.buffer?.deallocate()
        (self.binds, self.slots, self.buffer) = (binds, slots, buffer)
        guard let base = buffer.baseAddress, let firstBind = binds.baseAddress, let firstSlot = slots.baseAddress else {
            return
        }
        for (index, column) in columns.enumerated() {
            penstock_mysql_bind(
                firstBind + index, Self.bufferType(column), column.isUnsigned ? 1 : 0, base + places[index].offset,
                UInt(places[index].capacity), firstSlot + index)
        }
        guard let handle, penstock_mysql_bind_result(handle, firstBind) == 0 else { throw failure(.internalFault) }
    }

    private static func bufferType(_ column: MySQLField) -> enum_field_types {
        switch column.wire {
        case .integer: MYSQL_TYPE_LONGLONG
        case .float: MYSQL_TYPE_FLOAT
        case .double: MYSQL_TYPE_DOUBLE
        case .date: MYSQL_TYPE_DATE
        case .dateTime: MYSQL_TYPE_DATETIME
        case .time: MYSQL_TYPE_TIME
        case .decimal, .text, .json: MYSQL_TYPE_STRING
        case .bit, .geometry, .null: MYSQL_TYPE_BLOB
        }
    }

    /// Moves to the next row; false once there is none.
    ///
    /// - Throws: ``ConnectorError``; afterwards only closing the session is allowed.
    func step() throws(ConnectorError) -> Bool {
        guard let handle else { throw failure(.broken) }
        switch mysql_stmt_fetch(handle) {
        case 0, MYSQL_DATA_TRUNCATED: return true
        case MYSQL_NO_DATA:
            session.noteBusy(false)
            return false
        default: throw failure(.badData)
        }
    }

    /// Whether the value is NULL.
    func isNull(_ position: Int) -> Bool {
        guard let slot = slots?.baseAddress else { return true }
        return wires[position] == .null || penstock_mysql_is_null(slot + position) != 0
    }

    private func load<T>(_ position: Int, as type: T.Type) -> T {
        guard let buffer else { preconditionFailure("a row is read after the statement was closed") }
        return buffer.load(fromByteOffset: places[position].offset, as: type)
    }

    /// The value of a signed integer.
    func integer(_ position: Int) -> Int64 { load(position, as: Int64.self) }

    /// The value of an integer that is not negative.
    func unsigned(_ position: Int) -> UInt64 { load(position, as: UInt64.self) }

    /// The value of a `FLOAT`.
    func float(_ position: Int) -> Float { load(position, as: Float.self) }

    /// The value of a `DOUBLE`.
    func double(_ position: Int) -> Double { load(position, as: Double.self) }

    /// The value of a date, a time, or both.
    func moment(_ position: Int) -> MySQLMoment {
        let time = load(position, as: MYSQL_TIME.self)
        return MySQLMoment(
            year: Int64(time.year), month: Int64(time.month), day: Int64(time.day), hour: Int64(time.hour),
            minute: Int64(time.minute), second: Int64(time.second), microsecond: Int64(time.second_part),
            isNegative: MySQLMoment.isSet(time.neg))
    }

    /// Lends the bytes of a text, or of anything else that has a length of its own.
    func withBytes<R>(_ position: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        guard let buffer, let slots, let handle else { return body(UnsafeBufferPointer(start: nil, count: 0)) }
        let place = places[position]
        let length = Int(slots[position].length)
        if length <= place.capacity {
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[place.offset..<place.offset + length])
            return body(bytes.assumingMemoryBound(to: UInt8.self))
        }
        let whole = UnsafeMutableRawBufferPointer.allocate(byteCount: length + 1, alignment: 16)
        defer { whole.deallocate() }
        var bind = MYSQL_BIND()
        var slot = penstock_mysql_slot()
        return withUnsafeMutablePointer(to: &slot) { slot in
            penstock_mysql_bind(
                &bind, Self.bufferType(columns[position]), 0, whole.baseAddress, UInt(length), slot)
            let code = mysql_stmt_fetch_column(handle, &bind, UInt32(position), 0)
            precondition(code == 0, "a value of the row that was just read cannot be read again")
            return body(
                UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(whole)[..<length]).assumingMemoryBound(
                    to: UInt8.self))
        }
    }

    /// Appends bytes to `target` as they are.
    func appendBytes(_ position: Int, to target: ColumnBuilder) { withBytes(position) { target.append(bytes: $0) } }

    /// Appends a text to `target` where it is UTF-8 without a NUL; otherwise appends nothing and returns false.
    func appendText(_ position: Int, to target: ColumnBuilder) -> Bool {
        withBytes(position) { target.append(textWithoutNUL: $0) }
    }
}

extension MySQLMoment {
    /// A flag of MariaDB's library.
    fileprivate static func isSet(_ flag: CChar) -> Bool { flag != 0 }
    /// The same of MySQL's.
    fileprivate static func isSet(_ flag: Bool) -> Bool { flag }
}
