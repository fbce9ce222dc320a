// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import DatabaseServers
import Foundation
import Testing

@Suite(MariaDBServer.isThere) struct MySQLOpenWritersTests {
    private static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }

    /// A server of its own: whoever writes beside the test would be seen.
    private static let quiet = Result { () throws(ServerProblem) in try MariaDBServer(.good) }

    private static func read(
        _ server: MariaDBServer, _ database: String, user: String? = nil, isNeeded: Bool = true
    ) throws -> (OpenWriters?, TestHost) {
        let fixture = try MySQLFixture()
        let changes: [String: JSON?] = [
            "port": .integer(server.port), "database": .string(database),
            "user": .string(user ?? server.user), "password": user == nil ? .string(server.password) : nil,
        ]
        let stream = try fixture.source(changes).read(ReadRequest(.object("t"), needsOpenWriters: isNeeded))
        defer { stream.close() }
        return (stream.openWriters, fixture.host)
    }

    @Test func aTransactionThatCommitsLateIsSeenWithItsBeginning() throws {
        let server = try Self.quiet.get()
        defer { server.stop() }
        let database = try server.createDatabase()
        try server.run(
            "CREATE TABLE t (id INT PRIMARY KEY, c TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6)); "
                + "CREATE USER limited; GRANT SELECT ON *.* TO limited", database: database)

        let start = Self.now()
        let idle = try #require(try Self.read(server, database).0)
        #expect(idle.hasWriters == false)
        let since = try #require(idle.since)
        #expect(since > start - 2_000_000 && since <= Self.now())

        let slow = try server.session(database: database)
        try slow.execute("BEGIN; INSERT INTO t (id) VALUES (1);")
        let began = Self.now()
        try server.run("DO SLEEP(1.2); INSERT INTO t (id) VALUES (2)", database: database)
        let open = try #require(try Self.read(server, database).0)
        #expect(open.hasWriters)
        let first = try #require(open.since)
        #expect(first <= began && first > began - 9_000_000)
        // What was committed before the snapshot carries a later time than the open transaction's row.
        let fast = try server.run(
            "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', c) FROM t WHERE id = 2", database: database)
        #expect(try #require(Int64(fast.trimmingCharacters(in: .whitespacesAndNewlines))) > first)

        try slow.execute("COMMIT;")
        let reader = try server.session(database: database)
        try reader.execute("START TRANSACTION READ ONLY; SELECT COUNT(*) FROM t;")
        #expect(try Self.read(server, database).0?.hasWriters == false)

        try server.run("SET GLOBAL time_zone = '+05:30'")
        let moved = try #require(try Self.read(server, database).0)
        #expect(try #require(moved.localSince) - #require(moved.since) == 19_800_000_000)

        let (unseen, host) = try Self.read(server, database, user: "limited")
        #expect(unseen == nil)
        #expect(host.lines.contains { $0.contains("PROCESS privilege") && $0.contains("lookback") })
        let (unasked, quiet) = try Self.read(server, database, user: "limited", isNeeded: false)
        #expect(unasked == nil && !quiet.lines.contains { $0.contains("PROCESS") })
        #expect(try Self.read(server, database, isNeeded: false).0 == nil)
    }
}
