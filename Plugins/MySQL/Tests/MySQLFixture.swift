// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import DatabaseServers
import Foundation
import MySQLConnector
import Testing

/// A database of its own on the server of the tests.
final class MySQLFixture {
    /// A user who may read, and may not see other people's transactions: looking at those takes 0.13 s a read.
    private static let reader = Result { () throws(ServerProblem) -> String in
        let server = try MariaDBServer.shared.get()
        let name = "penstock_reader_\(ProcessInfo.processInfo.processIdentifier)"
        try server.run(
            "DROP USER IF EXISTS \(name); CREATE USER \(name) IDENTIFIED BY '\(server.password)'; "
                + "GRANT SELECT, SHOW VIEW ON *.* TO \(name)")
        return name
    }

    let server: MariaDBServer
    let database: String
    let user: String
    let host = TestHost()

    init(_ sql: String = "SELECT 1") throws {
        server = try MariaDBServer.shared.get()
        user = try Self.reader.get()
        database = try server.createDatabase()
        try run(sql)
    }

    deinit {
        // A database that is left behind fails no test; the server goes with the process.
        _ = try? server.run("DROP DATABASE \(database)")
    }

    @discardableResult func run(_ sql: String) throws -> String { try server.run(sql, database: database) }

    func session() throws -> DatabaseSession { try server.session(database: database) }

    /// The settings of a connection, some of them replaced; a nil leaves one out.
    func settings(_ changes: [String: JSON?] = [:]) -> JSON {
        var all: [String: JSON?] = [
            "host": .string(server.host), "port": .integer(server.port), "user": .string(user),
            "password": .string(server.password), "database": .string(database),
        ]
        for (name, value) in changes { all.updateValue(value, forKey: name) }
        var object = JSONObject()
        for name in all.keys.sorted() {
            if case .some(.some(let value)) = all[name] { object[name] = value }
        }
        return .object(object)
    }

    func source(_ changes: [String: JSON?] = [:]) throws -> any Source {
        try MySQLConnector().openSource(settings(changes), host: host)
    }

    func describe(_ request: ReadRequest) throws -> Schema { try source().describe(request) }

    /// Every row of a request, with the rejects' rows counted from the start of the read.
    func read(
        _ request: ReadRequest, _ changes: [String: JSON?] = [:]
    ) throws -> (rows: [[Value]], rejects: [SourceReject]) {
        let stream = try source(changes).read(request)
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

    /// The connections to this database that Penstock has open.
    func openConnections() throws -> Int {
        let text = try run(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE db = '\(database)' AND id <> CONNECTION_ID()")
        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1
    }

    /// Waits until no connection is open, at most a second.
    func closesInTime() throws -> Bool {
        for _ in 0..<50 {
            if try openConnections() == 0 { return true }
            usleep(20_000)
        }
        return false
    }
}

/// Microseconds since 1970-01-01T00:00:00 of an ISO text.
func micros(_ text: String) -> Int64 {
    let bytes = Array(text.utf8)
    var position = 0
    return TimeScanner.timestamp(bytes.span, &position) ?? 0
}
