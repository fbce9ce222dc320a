// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import DatabaseServers
import Testing

@Suite(MariaDBServer.isThere) struct MySQLQueryTests {
    @Test(arguments: [
        "SELECT a FROM t", "  \n-- first\n/* then */ # and\nselect a from t;", "SELECT a FROM t ; ;\n-- end",
        "WITH q AS (SELECT a FROM t) SELECT a FROM q", "(SELECT a FROM t) UNION ALL (SELECT a FROM t WHERE FALSE)",
        "SELECT a FROM t WHERE ';' <> \"\\\";\" AND '--' = '--' AND `a` IS NOT NULL /* ; */", "\u{FEFF}SELECT a FROM t",
        "SELECT a FROM t WHERE 'it''s; \\'' <> '' # ; end",
    ])
    func oneReadingStatementIsRead(query: String) throws {
        let fixture = try MySQLFixture("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)")
        #expect(try fixture.describe(ReadRequest(.query(query))).fields.map(\.name) == ["a"])
        let bound = ReadRequest.LowerBound(column: "a", value: .int64(0), isInclusive: true)
        for request in [ReadRequest(.query(query)), ReadRequest(.query(query), order: ["a"], lowerBound: bound)] {
            #expect(try fixture.column(request) == [.int64(1)])
        }
    }

    @Test func valuesAreRead() throws {
        let fixture = try MySQLFixture()
        #expect(try fixture.column(ReadRequest(.query("VALUES (1), (2)"))) == [.int64(1), .int64(2)])
    }

    @Test(arguments: [
        "", "-- nothing", "DELETE FROM t", "SELECT 1; SELECT 2", "SELECT 1; DROP TABLE t", "/*! DELETE FROM t */",
        "SELECT a INTO @x FROM t", "SELECT a FROM t INTO OUTFILE '/tmp/penstock-outfile'", "SHOW TABLES", "CALL p()",
        "WITH q AS (SELECT 1) DELETE FROM t", "SELECT ?", "SELECT a\0 FROM t", "SET @a = 1", "SELECT FROM",
    ])
    func anythingElseIsRefusedBeforeItRuns(query: String) throws {
        let fixture = try MySQLFixture("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)")
        // As a user whom the server would let do it.
        let source = try fixture.source(["user": .string(fixture.server.user)])
        #expect(fixture.error { try source.describe(ReadRequest(.query(query))) }?.code == .badRequest)
        #expect(fixture.error { try source.read(ReadRequest(.query(query))) }?.code == .badRequest)
        #expect(try fixture.run("SELECT COUNT(*) FROM t") == "1\n")
    }

    @Test func aSelectThatWritesIsStopped() throws {
        let fixture = try MySQLFixture("CREATE SEQUENCE s")
        let error = fixture.error {
            try fixture.read(ReadRequest(.query("SELECT NEXTVAL(s)")), ["user": .string(fixture.server.user)])
        }
        #expect(error?.code == .badRequest)
        #expect(try fixture.run("SELECT NEXTVAL(s)") == "1\n")
    }

    @Test func aMisspeltColumnIsRefusedBeforeReading() throws {
        let fixture = try MySQLFixture("CREATE TABLE t (updated_at DATETIME)")
        let inside = fixture.error { try fixture.describe(ReadRequest(.query("SELECT update_at FROM t"))) }
        #expect(inside?.code == .notFound)
        #expect(inside?.message.contains("update_at") == true)
        let bound = ReadRequest.LowerBound(column: "update_at", value: .timestamp(0), isInclusive: true)
        let limit = fixture.error { try fixture.describe(ReadRequest(.object("t"), lowerBound: bound)) }
        #expect(limit?.code == .notFound)
        #expect(limit?.message.contains("Did you mean `updated_at`?") == true)
    }

    @Test func aTableWithoutTheRightIsForbidden() throws {
        let fixture = try MySQLFixture("CREATE TABLE t (a INT, b INT)")
        let user = "u_\(fixture.database)"
        try fixture.run("CREATE USER \(user); GRANT SELECT (a) ON \(fixture.database).t TO \(user)")
        let source = try fixture.source(["user": .string(user), "password": nil])
        #expect(try source.describe(ReadRequest(.object("t"))).fields.map(\.name) == ["a"])
        #expect(fixture.error { try source.describe(ReadRequest(.query("SELECT b FROM t"))) }?.code == .forbidden)
        try fixture.run("DROP USER \(user)")
    }
}
