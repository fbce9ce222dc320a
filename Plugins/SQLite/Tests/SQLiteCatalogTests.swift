// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import Testing

@Suite struct SQLiteCatalogTests {
    @Test func tablesViewsAndVirtualTablesAreListedAndNothingElse() throws {
        let fixture = try SQLiteFixture(
            """
            CREATE TABLE b (id INTEGER PRIMARY KEY AUTOINCREMENT);
            CREATE VIEW a AS SELECT * FROM b;
            CREATE VIRTUAL TABLE c USING fts5(body);
            CREATE TEMP TABLE d (x);
            ANALYZE
            """)
        let objects = try fixture.source().discover([]).objects
        #expect(objects.map(\.id) == ["a", "b", "c"])
        #expect(objects.map(\.kind) == [.view, .table, .table])
        #expect(objects.allSatisfy { $0.columns.isEmpty })
    }

    @Test func aVirtualTableShowsItsOwnColumnsOnly() throws {
        let fixture = try SQLiteFixture("CREATE VIRTUAL TABLE c USING fts5(body); INSERT INTO c VALUES ('hello')")
        let object = try #require(try fixture.source().discover(["c"]).objects.first)
        #expect(object.columns.map(\.name) == ["body"])
        #expect(try fixture.column(ReadRequest(.object("c"))) == [.text("hello")])
    }

    @Test func thePrimaryKeyComesInItsOwnOrder() throws {
        let fixture = try SQLiteFixture(
            "CREATE TABLE t (a TEXT NOT NULL, b INTEGER, c TEXT, PRIMARY KEY (c, a)); CREATE TABLE none (x INTEGER)")
        let objects = try fixture.source().discover(["t", "none"]).objects
        #expect(objects[0].primaryKey == ["c", "a"])
        #expect(objects[0].columns.map(\.isNullable) == [false, true, true])
        #expect(objects[1].primaryKey == [])
    }

    @Test(arguments: [
        ("id INTEGER PRIMARY KEY", "", false), ("id INTEGER PRIMARY KEY DESC", "", true),
        ("id INT PRIMARY KEY", "", true),
        ("id TEXT PRIMARY KEY", "WITHOUT ROWID", false), ("id INTEGER PRIMARY KEY", "WITHOUT ROWID", false),
    ])
    func aKeyMayBeNullWhereSQLiteAllowsIt(column: String, options: String, isNullable: Bool) throws {
        let fixture = try SQLiteFixture("CREATE TABLE t (\(column)) \(options)")
        let object = try #require(try fixture.source().discover(["t"]).objects.first)
        #expect(object.columns.map(\.isNullable) == [isNullable])
        #expect(object.primaryKey == ["id"])
    }

    @Test func generatedColumnsAreRead() throws {
        let fixture = try SQLiteFixture(
            """
            CREATE TABLE t (a INTEGER, b INTEGER AS (a * 2) VIRTUAL, c TEXT AS ('n' || a) STORED);
            INSERT INTO t VALUES (4)
            """)
        let (rows, rejects) = try fixture.read(ReadRequest(.object("t")))
        #expect(rows == [[.int64(4), .int64(8), .text("n4")]])
        #expect(rejects == [])
    }

    @Test func theRowEstimateIsThatOfAnalyze() throws {
        let fixture = try SQLiteFixture(
            "CREATE TABLE t (a INTEGER); CREATE INDEX i ON t (a); INSERT INTO t VALUES (1), (2), (3)")
        #expect(try fixture.source().discover(["t"]).objects[0].estimatedRows == nil)
        try fixture.run("ANALYZE")
        #expect(try fixture.source().discover(["t"]).objects[0].estimatedRows == 3)
    }

    @Test func anUnknownTableIsMetWithTheNearest() throws {
        let fixture = try SQLiteFixture("CREATE TABLE companies (a); CREATE TABLE deals (a)")
        let error = try #require(fixture.error { try fixture.source().discover(["compannies"]) })
        #expect(error.code == .notFound)
        #expect(error.message.contains("\"companies\", \"deals\""))
        #expect(error.message.contains("Did you mean \"companies\"?"))
        #expect(fixture.error { try fixture.source().discover(["sqlite_schema"]) }?.code == .notFound)
    }

    @Test func aBrokenViewSpoilsOnlyItself() throws {
        let fixture = try SQLiteFixture("CREATE VIEW v AS SELECT * FROM gone; CREATE TABLE t (a)")
        #expect(try fixture.source().discover([]).objects.map(\.id) == ["t", "v"])
        let error = try #require(fixture.error { try fixture.source().discover(["v"]) })
        #expect(error.code == .notFound)
        #expect(error.message.contains("gone"))
    }

    @Test func aViewWithTextsInDoubleQuotesStillReads() throws {
        let fixture = try SQLiteFixture("CREATE VIEW v AS SELECT \"open\" AS state")
        #expect(try fixture.column(ReadRequest(.object("v"))) == [.text("open")])
    }
}
