// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import Synchronization

/// The rows of one file.
package final class CSVStream: RecordStream {
    /// The columns that are read.
    package let schema: Schema
    private var reading: CSVReading?
    private let host: any HostServices
    private let isCancelled = Atomic(false)
    private var isClosed = false

    init(_ reading: CSVReading, host: any HostServices) {
        schema = reading.schema
        self.reading = reading
        self.host = host
    }

    /// Returns the next batch; the file is closed with the last one.
    package func next() throws(ConnectorError) -> SourceBatch? {
        guard !isClosed else {
            throw ConnectorError(.broken, "This read of a CSV file is closed; start another.")
        }
        let batch = try reading?.nextBatch { isCancelled.load(ordering: .relaxed) || host.isCancelled }
        if batch == nil { end() }
        return batch ?? nil
    }

    /// Makes ``next()`` end at its next look, at the latest after a buffer of bytes.
    package func cancel() { isCancelled.store(true, ordering: .relaxed) }

    /// Closes the file.
    package func close() {
        isClosed = true
        end()
    }

    private func end() {
        reading?.close()
        reading = nil
    }
}

/// A file being turned into batches.
struct CSVReading {
    let schema: Schema
    private var file: CSVFile
    private var builder: CSVBatchBuilder
    private let encoding: CSVEncoding
    private let batchRowsMax: Int
    private let batchBytesMax: Int
    private var rowsLeft: Int64

    /// A read of an open file.
    ///
    /// - Throws: ``ConnectorError``: `notFound` for a column that does not exist, `badRequest`.
    init(_ file: CSVFile, _ settings: CSVSettings, _ request: ReadRequest) throws(ConnectorError) {
        guard request.batchRowsMax > 0, request.batchBytesMax > 0, request.order.isEmpty, request.lowerBound == nil
        else {
            throw ConnectorError(
                .badRequest, "A CSV file was asked for with an order, a lower bound or an empty batch size.")
        }
        let positions = try Self.positions(request.columns, in: file)
        schema = Schema(
            positions.map { position in
                let type = settings.type(of: file.columns[position])
                return Schema.Field(file.columns[position], type.dataType, nativeType: type.rawValue)
            })
        builder = CSVBatchBuilder(schema, positions: positions, settings)
        encoding = settings.encoding
        // The bounds keep every offset of a column within 31 bits.
        batchRowsMax = min(request.batchRowsMax, 1 << 20)
        batchBytesMax = min(request.batchBytesMax, 1 << 30)
        rowsLeft = max(0, request.rowsMax ?? .max)
        self.file = file
    }

    /// The next rows, or nil at the end.
    mutating func nextBatch(_ isCancelled: () -> Bool) throws(ConnectorError) -> SourceBatch? {
        try Self.check(isCancelled)
        let rows = Int(min(Int64(batchRowsMax), rowsLeft))
        guard rows > 0, !file.columns.isEmpty else { return nil }
        var rejects: [SourceReject] = []
        reading: while builder.rowCount < rows && builder.byteCount < batchBytesMax {
            switch file.scanner.next() {
            case .needsInput:
                try Self.check(isCancelled)
                try file.refill()
            case .end: break reading
            case .record:
                if file.scanner.endsInsideRecord { try file.checkLastLine() }
                if file.columns.count > 1 && file.scanner.isBlank { continue }
                if let reject = appendRecord() { rejects.append(reject) }
            }
        }
        guard builder.rowCount > 0 else { return nil }
        rowsLeft -= Int64(builder.rowCount)
        return SourceBatch(builder.finish(), rejects: rejects)
    }

    func close() { file.close() }

    @inline(__always)
    private mutating func appendRecord() -> SourceReject? {
        if file.scanner.problem != nil || file.scanner.fields.count != file.columns.count { return appendBroken() }
        guard let failed = builder.append(file.scanner) else { return nil }
        return reject(failed)
    }

    /// Appends a row of NULLs for a record that is broken as a whole.
    private mutating func appendBroken() -> SourceReject {
        let row = builder.rowCount
        builder.appendNulls()
        let text = CSVReject(file, columns: file.columns, encoding)
        guard let problem = file.scanner.problem else {
            return SourceReject(row: row, column: "", value: "", message: text.raggedText())
        }
        let isInColumn = file.columns.indices.contains(problem.field) && problem.kind != .tooLong
        return SourceReject(
            row: row, column: isInColumn ? file.columns[problem.field] : "", value: "",
            message: text.text(of: problem))
    }

    /// The reject for the row that was just appended.
    private func reject(_ column: Int) -> SourceReject {
        let text = CSVReject(file, columns: file.columns, encoding)
        let position = builder.position(of: column)
        return SourceReject(
            row: builder.rowCount - 1, column: schema.fields[column].name, value: text.shown(position),
            message: text.text(of: position, builder.type(of: column)))
    }

    private static func check(_ isCancelled: () -> Bool) throws(ConnectorError) {
        if isCancelled() { throw ConnectorError(.cancelled, "The read of a CSV file was cancelled.") }
    }

    private static func positions(_ columns: [String], in file: CSVFile) throws(ConnectorError) -> [Int] {
        guard !columns.isEmpty else { return Array(file.columns.indices) }
        var positions: [Int] = []
        for column in columns {
            guard let position = file.columns.firstIndex(where: { $0.utf8.elementsEqual(column.utf8) }) else {
                throw ConnectorError(
                    .notFound,
                    "The table \(file.table.id) (\(file.table.path)) has no column \(column); it has "
                        + "\(file.columns.joined(separator: ", ")).", field: column)
            }
            positions.append(position)
        }
        return positions
    }
}
