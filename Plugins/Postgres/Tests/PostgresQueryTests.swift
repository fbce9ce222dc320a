// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import DatabaseServers
import Testing

@Suite(PostgresServer.isThere) struct PostgresQueryTests {
    private static let table =
        "CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'a'), (2, 'b');"

    @Test(arguments: [
        "SELECT id FROM t ORDER BY id;", "TABLE t", "VALUES (1), (2) -- two", "WITH x AS (TABLE t) SELECT * FROM x",
        "(SELECT id FROM t) ORDER BY 1", "SELECT id, name FROM t /* ; */ ORDER BY id ; -- end",
    ])
    func everyFormOfAQueryIsRead(query: String) throws {
        let fixture = try PostgresFixture(Self.table)
        #expect(try fixture.column(ReadRequest(.query(query))) == [.int64(1), .int64(2)])
    }

    @Test func columnsMayRepeatAndHaveAnyName() throws {
        let fixture = try PostgresFixture(Self.table)
        let query = "SELECT a.id, b.id, 'x' AS \"a \"\"b\", 1.50, NULL FROM t a JOIN t b USING (id) ORDER BY a.id"
        let schema = try fixture.describe(ReadRequest(.query(query)))
        #expect(schema.fields.map(\.name) == ["id", "id", "a \"b", "?column?", "?column?"])
        #expect(schema.fields.map(\.type) == [.int64, .int64, .text, .decimal, .text])
        #expect(
            try fixture.read(ReadRequest(.query(query))).rows.first
                == [.int64(1), .int64(1), .text("x"), .decimal("1.50"), .null])
        let some = ReadRequest(.query(query), columns: ["a \"b"], rowsMax: 1)
        #expect(try fixture.read(some).rows == [[.text("x")]])
    }

    @Test(arguments: [
        ("DELETE FROM t RETURNING id", "does not begin with"), ("SELECT 1; SELECT 2", "more than one statement"),
        ("SELECT $1::int", "has a parameter"), ("SELEC 1", "does not begin with"), ("", "no statement"),
        ("SELECT FROM t", "returns no columns"), ("SELECT id FROM", "syntax error"),
        ("WITH d AS (DELETE FROM t RETURNING id) SELECT * FROM d", "WITH"),
        ("SELECT id INTO u FROM t", "returns no columns"), ("SELECT 1) TO PROGRAM 'true'; --", "syntax error"),
        ("SELECT 1) q", "syntax error"),
    ])
    func anythingElseIsRefusedBeforeReading(query: String, words: String) throws {
        let fixture = try PostgresFixture(Self.table)
        for attempt in [
            fixture.error { try fixture.describe(ReadRequest(.query(query))) },
            fixture.error { try fixture.read(ReadRequest(.query(query))) },
        ] {
            let error = try #require(attempt)
            #expect(error.code == .badRequest, "\(error)")
            #expect(error.message.contains(words), "\(error)")
        }
        #expect(try fixture.run("SELECT count(*) FROM t") == "2\n")
    }

    @Test func nothingCanBeWrittenThroughAFunction() throws {
        let fixture = try PostgresFixture(
            Self.table + "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM t RETURNING id'")
        let error = try #require(fixture.error { try fixture.read(ReadRequest(.query("SELECT f()"))) })
        #expect(error.code == .badRequest)
        #expect(error.vendorCode == "25006")
        #expect(try fixture.run("SELECT count(*) FROM t") == "2\n")
    }

    @Test func aMisspeltColumnIsRefusedWithTheServersHint() throws {
        let fixture = try PostgresFixture(Self.table)
        let error = try #require(fixture.error { try fixture.describe(ReadRequest(.query("SELECT nmae FROM t"))) })
        #expect(error.code == .notFound)
        #expect(error.message.contains("nmae"))
        #expect(error.message.contains("character 8"))
        #expect(error.message.contains("t.name"))
        let bound = ReadRequest.LowerBound(column: "nmae", value: .text("a"), isInclusive: true)
        let request = ReadRequest(.query("TABLE t"), lowerBound: bound)
        #expect(fixture.error { try fixture.read(request) }?.field == "nmae")
    }

    @Test func aFaultInTheMiddleOfAQueryEndsTheStreamWithTheServersWords() throws {
        let fixture = try PostgresFixture()
        let query = "SELECT 1 / (3 - n) AS x FROM generate_series(1, 5) AS n"
        let stream = try fixture.source().read(ReadRequest(.query(query), batchRowsMax: 1))
        #expect(try stream.next()?.batch.rowCount == 1)
        #expect(try stream.next()?.batch.rowCount == 1)
        let error = try #require(fixture.error { try stream.next() })
        #expect(error.code == .badData)
        #expect(error.message.contains("division by zero"))
        #expect(try fixture.becomesIdle())
    }

    @Test func aStatementThatTakesTooLongIsTimedOut() throws {
        let fixture = try PostgresFixture()
        let source = try fixture.source(["statement_timeout": "200ms"])
        let error = try #require(
            fixture.error { try fixture.read(ReadRequest(.query("SELECT pg_sleep(30)::text")), from: source) })
        #expect(error.code == .timedOut)
        #expect(error.message.contains("statement_timeout"))
    }

    @Test func theSessionIsThatOfTheRules() throws {
        let fixture = try PostgresFixture()
        try fixture.run(
            """
            ALTER DATABASE \(fixture.database) SET TimeZone = 'Asia/Kolkata';
            ALTER DATABASE \(fixture.database) SET DateStyle = 'German';
            ALTER DATABASE \(fixture.database) SET extra_float_digits = -5;
            ALTER DATABASE \(fixture.database) SET standard_conforming_strings = off;
            ALTER DATABASE \(fixture.database) SET default_transaction_read_only = off
            """)
        let query = """
            SELECT current_setting('TimeZone'), current_setting('DateStyle'), current_setting('client_encoding'),
                current_setting('transaction_isolation'), current_setting('transaction_read_only'),
                current_setting('application_name'), 'a\\b', ARRAY[0.1::float8 + 0.2::float8]
            """
        #expect(
            try fixture.read(ReadRequest(.query(query))).rows.first
                == [
                    .text("UTC"), .text("ISO, DMY"), .text("UTF8"), .text("repeatable read"), .text("on"),
                    .text("penstock"), .text("a\\b"), .json("[0.30000000000000004]"),
                ])
    }
}
