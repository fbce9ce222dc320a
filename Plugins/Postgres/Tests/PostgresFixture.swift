// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import DatabaseServers
import Foundation
import PostgresConnector

/// A database of its own on the throwaway server, with a connection of the connector to it.
final class PostgresFixture {
    let server: PostgresServer
    let database: String
    let host = TestHost()

    init(_ sql: String = "", options: String = "") throws {
        server = try PostgresServer.shared.get()
        database = try server.createDatabase(options)
        try run(sql)
    }

    var url: String { server.url(database: database) }

    @discardableResult func run(_ sql: String) throws -> String {
        try server.run("SET client_min_messages = error; SET client_encoding = 'UTF8'; " + sql, database: database)
    }

    func session() throws -> DatabaseSession { try server.session(database: database) }

    /// A connection with settings beside the URL, or instead of it.
    func source(_ settings: JSONObject = [:], as url: String? = nil) throws -> any Source {
        var all = settings
        if all["url"] == nil { all["url"] = .string(url ?? self.url) }
        return try PostgresConnector().openSource(.object(all), host: host)
    }

    func describe(_ request: ReadRequest) throws -> Schema { try source().describe(request) }

    /// Every row of a request, with the rejects' rows counted from the start of the read.
    func read(_ request: ReadRequest, from source: (any Source)? = nil) throws -> (
        rows: [[Value]], rejects: [SourceReject]
    ) {
        let stream = try (source ?? self.source()).read(request)
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

    /// How many sessions the server shows in this database that are busy or in a transaction.
    func busySessions() throws -> Int {
        let text = try server.run(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(database)' AND application_name = 'penstock'")
        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1
    }

    /// Waits until the server shows no session of the connector in this database; false after `seconds`.
    func becomesIdle(within seconds: Double = 3) throws -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        while try busySessions() > 0 {
            if Date() > end { return false }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return true
    }
}

/// Opens connections that are not made of a URL.
enum PostgresFixtureSource {
    static func open(_ settings: JSONObject, _ fixture: PostgresFixture) throws -> any Source {
        try PostgresConnector().openSource(.object(settings), host: fixture.host)
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    /// A text.
    public init(stringLiteral text: String) { self = .string(text) }
    /// A number.
    public init(integerLiteral number: Int64) { self = .integer(number) }
}
