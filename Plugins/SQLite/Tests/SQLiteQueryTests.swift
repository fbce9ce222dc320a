// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import Testing

@Suite struct SQLiteQueryTests {
    private func people() throws -> SQLiteFixture {
        try SQLiteFixture(
            """
            CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, age INTEGER);
            INSERT INTO people VALUES (1, 'Ann', 40), (2, 'Bob', 30), (3, 'Cid', 50)
            """)
    }

    @Test(arguments: [
        "SELECT id FROM people", "select id from people;", " \n-- which\n/* ones */ SELECT id FROM people ; -- all;",
        "WITH p AS (SELECT * FROM people) SELECT id FROM p", ";SELECT id FROM people;;",
        "SELECT id FROM people -- end;",
    ])
    func oneReadingStatementIsRead(query: String) throws {
        let fixture = try people()
        #expect(try fixture.column(ReadRequest(.query(query))) == [.int64(1), .int64(2), .int64(3)])
        let bound = ReadRequest.LowerBound(column: "id", value: .int64(2), isInclusive: true)
        let wrapped = ReadRequest(.query(query), order: ["id"], lowerBound: bound)
        #expect(try fixture.column(wrapped) == [.int64(2), .int64(3)])
    }

    @Test func valuesAreAQueryToo() throws {
        #expect(try people().column(ReadRequest(.query("VALUES (1), (2)"))) == [.int64(1), .int64(2)])
    }

    @Test(arguments: [
        ("DELETE FROM people", "SELECT"), ("SELECT 1; SELECT 2", "more than one"),
        ("SELECT 1; DELETE FROM people", "more than one"), ("PRAGMA table_info(people)", "SELECT"),
        ("EXPLAIN SELECT 1", "SELECT"), ("ATTACH 'x' AS x", "SELECT"), ("", "SELECT"), ("-- nothing", "SELECT"),
        ("WITH x AS (SELECT 1) DELETE FROM people", "only read"), ("SELECT id FROM people WHERE id = ?", "parameter"),
        ("SELECT id FRM people", "syntax error"), ("SELECT 1) UNION SELECT (2", "syntax error"),
        ("SELECT nope FROM people", "no such column: nope"), ("SELECT * FROM gone", "no such table: gone"),
        ("SELECT id FROM people WHERE \"nmae\" = 'Ann'", "no such column: nmae"),
    ])
    func anythingElseIsRefusedWithTheReason(query: String, reason: String) throws {
        let fixture = try people()
        for attempt in [
            { try fixture.describe(ReadRequest(.query(query))).fields.count },
            { try fixture.read(ReadRequest(.query(query))).rows.count },
        ] {
            let error = try #require(fixture.error(attempt))
            #expect(error.code == .badRequest)
            #expect(error.message.contains(reason), "\(error.message)")
        }
        #expect(try fixture.column(ReadRequest(.query("SELECT count(*) FROM people"))) == [.int64(3)])
    }

    @Test func columnsComeInTheOrderAskedFor() throws {
        let fixture = try people()
        for target in [ReadRequest.Target.object("people"), .query("SELECT * FROM people")] {
            let request = ReadRequest(target, columns: ["age", "id"], order: ["age"])
            #expect(try fixture.describe(request).fields.map(\.name) == ["age", "id"])
            let rows = try fixture.read(request).rows
            #expect(rows == [[.int64(30), .int64(2)], [.int64(40), .int64(1)], [.int64(50), .int64(3)]])
        }
    }

    @Test func anUnknownColumnIsMetWithTheNamesThatExist() throws {
        let fixture = try people()
        let bound = ReadRequest.LowerBound(column: "nmae", value: .text(""), isInclusive: true)
        for target in [ReadRequest.Target.object("people"), .query("SELECT * FROM people")] {
            let requests = [
                ReadRequest(target, columns: ["nmae"]), ReadRequest(target, order: ["nmae"]),
                ReadRequest(target, lowerBound: bound),
            ]
            for request in requests {
                let error = try #require(fixture.error { try fixture.describe(request) })
                #expect(error.code == .notFound)
                #expect(error.message.contains("\"id\", \"name\", \"age\""))
                #expect(error.message.contains("Did you mean \"name\"?"))
            }
        }
    }

    @Test func aRepeatedNameKeepsBothColumns() throws {
        let query = "SELECT id, name, id FROM people"
        let bound = ReadRequest.LowerBound(column: "id", value: .int64(3), isInclusive: true)
        let request = ReadRequest(.query(query), lowerBound: bound)
        #expect(try people().describe(request).fields.map(\.name) == ["id", "name", "id"])
        #expect(try people().read(request).rows == [[.int64(3), .text("Cid"), .int64(3)]])
    }

    @Test func anExpressionWithoutANameCanBeALimit() throws {
        let bound = ReadRequest.LowerBound(column: "age + 1", value: .int64(41), isInclusive: false)
        let request = ReadRequest(.query("SELECT id, age + 1 FROM people"), order: ["age + 1"], lowerBound: bound)
        #expect(try people().read(request).rows == [[.int64(3), .int64(51)]])
    }

    @Test func aQueryKeepsItsOwnOrderAndEndsAtTheRowsAskedFor() throws {
        let request = ReadRequest(.query("SELECT name FROM people ORDER BY age"), rowsMax: 2)
        #expect(try people().column(request) == [.text("Bob"), .text("Ann")])
    }
}
