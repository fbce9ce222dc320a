// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// The rows of one read, from a connection and a snapshot of its own.
final class PostgresStream: RecordStream {
    /// A column's bytes lie behind 32-bit offsets, and one value has less than 2³⁰ bytes.
    private static let batchBytesCeiling = 1 << 30
    private static let signature = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0]

    let schema: Schema
    let openWriters: OpenWriters?
    private let wires: [PostgresType.Wire]
    private let doing: String
    private let batchRowsMax: Int
    private let batchBytesMax: Int
    private let cancellation: PostgresCancellation
    private var connection: PostgresConnection?
    private var hasStarted = false
    private var hasHeader = false
    private var rowsRead: Int64 = 0
    private let batch: BatchBuilder
    private var rejects: [SourceReject] = []
    private var rows = 0
    private var bytes = 0

    /// A stream over a copy that `connection` has sent.
    init(
        _ connection: PostgresConnection, _ schema: Schema, _ wires: [PostgresType.Wire], _ request: ReadRequest,
        openWriters: OpenWriters?, doing: String
    ) {
        self.connection = connection
        self.schema = schema
        batch = BatchBuilder(schema)
        self.wires = wires
        self.openWriters = openWriters
        self.doing = doing
        cancellation = connection.cancellation
        batchRowsMax = max(1, request.batchRowsMax)
        batchBytesMax = min(max(1, request.batchBytesMax), Self.batchBytesCeiling)
    }

    deinit { close() }

    func cancel() { cancellation.request() }

    func close() {
        connection?.close()
        connection = nil
    }

    func next() throws(ConnectorError) -> SourceBatch? {
        if cancellation.isRequested {
            close()
            throw ConnectorError(.cancelled, "\(doing) was cancelled.")
        }
        guard let connection else { return nil }
        rejects = []
        rows = 0
        bytes = 0
        do throws(ConnectorError) {
            try fill(connection)
        } catch {
            close()
            throw error
        }
        return rows == 0 ? nil : SourceBatch(batch.finish(), rejects: rejects)
    }

    private func fill(_ connection: PostgresConnection) throws(ConnectorError) {
        if !hasStarted { try connection.startCopy(doing) }
        hasStarted = true
        let handle = connection.handle
        while rows < batchRowsMax, bytes < batchBytesMax {
            switch handle.copied() {
            case .message(let message): try take(message)
            case .nothing: try connection.takeIn(doing)
            case .ended:
                try connection.finishCopy(doing)
                // The snapshot ends with the rows, not with the last batch.
                close()
                return
            }
        }
    }

    /// Takes in one message: the header, a row, or what ends the rows.
    private func take(_ message: PostgresBytes) throws(ConnectorError) {
        var position = 0
        if !hasHeader {
            guard message.count >= 19, Self.signature.indices.allSatisfy({ message[$0] == Self.signature[$0] }) else {
                throw breach("the copy does not begin as PostgreSQL's does")
            }
            position = 19 + Int(message.integer(15, as: UInt32.self))
            hasHeader = true
        }
        while position + 2 <= message.count {
            let count = Int(message.integer(position, as: Int16.self))
            position += 2
            // What ends the rows.
            if count == -1 { return }
            guard count == wires.count else { throw breach("a row has \(count) columns instead of \(wires.count)") }
            position = try takeRow(message, position)
        }
        guard position == message.count else { throw breach("a row is cut short") }
    }

    private func takeRow(_ message: PostgresBytes, _ start: Int) throws(ConnectorError) -> Int {
        var position = start
        rowsRead += 1
        for index in wires.indices {
            guard position + 4 <= message.count else { throw breach("a row is cut short") }
            let length = Int(message.integer(position, as: Int32.self))
            position += 4
            if length < 0 {
                batch[index].appendNull()
                continue
            }
            guard position + length <= message.count else { throw breach("a row is cut short") }
            let cell = message.slice(position, length)
            position += length
            if let words = PostgresValues.append(cell, wires[index], to: batch[index]) { reject(index, cell, words) }
        }
        rows += 1
        bytes += position - start
        return position
    }

    /// Takes down what is wrong with a value of the row that is being read; of each row the first one counts.
    ///
    /// It stands apart so that the loop over all values keeps what it needs in registers.
    @inline(never)
    private func reject(_ column: Int, _ cell: PostgresBytes, _ words: String) {
        guard rejects.last?.row != rows else { return }
        let name = schema.fields[column].name
        rejects.append(
            SourceReject(
                row: rows, column: name, value: PostgresValues.shown(cell, wires[column]),
                message: "Row \(rowsRead), column \(PostgresNames.quoted(name)): the value \(words)."))
    }

    private func breach(_ words: String) -> ConnectorError {
        ConnectorError(.unavailable, "\(doing) stopped: \(words); look for what stands between here and the server.")
    }
}
