// SPDX-License-Identifier: Apache-2.0

import CSQLite
import ConnectorKit
import ConnectorTesting
import Foundation
import SQLiteConnector

/// A database file in a folder of its own, with a connection that may write to it.
final class SQLiteFixture {
    struct Failure: Error {
        let message: String
    }

    let folder: URL
    let host = TestHost()
    private var handle: OpaquePointer?

    init(_ sql: String = "") throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        sqlite3_open(path, &handle)
        try run(sql)
    }

    deinit {
        disconnect()
        // Leaving a temporary folder behind fails no test.
        try? FileManager.default.removeItem(at: folder)
    }

    var path: String { folder.appendingPathComponent("crm.db").path }
    var files: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() } }

    func disconnect() {
        sqlite3_close_v2(handle)
        handle = nil
    }

    func run(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
            throw Failure(message: String(cString: sqlite3_errmsg(handle)))
        }
    }

    func source(busy: Int = 0) throws -> any Source {
        let settings: JSONObject = ["path": .string(path), "busy_timeout": .integer(busy)]
        return try SQLiteConnector().openSource(.object(settings), host: host)
    }

    func describe(_ request: ReadRequest) throws -> Schema { try source().describe(request) }

    func type(of column: String, in table: String = "t") throws -> DataType? {
        try describe(ReadRequest(.object(table), columns: [column])).fields.first?.type
    }

    /// Every row of a request, with the rejects' rows counted from the start of the read.
    func read(_ request: ReadRequest) throws -> (rows: [[Value]], rejects: [SourceReject]) {
        let stream = try source().read(request)
        defer { stream.close() }
        var rows: [[Value]] = []
        var rejects: [SourceReject] = []
        while let next = try stream.next() {
            for var reject in next.rejects {
                reject.row += rows.count
                rejects.append(reject)
            }
            let width = next.batch.columns.count
            for row in 0..<next.batch.rowCount { rows.append((0..<width).map { next.batch.value(row, $0) }) }
        }
        return (rows, rejects)
    }

    /// The first column of every row of a request.
    func column(_ request: ReadRequest) throws -> [Value] { try read(request).rows.map { $0[0] } }

    /// The error of `body`, or nil where it throws none.
    func error(_ body: () throws -> some Any) -> ConnectorError? {
        do {
            _ = try body()
            return nil
        } catch {
            return error as? ConnectorError
        }
    }
}
