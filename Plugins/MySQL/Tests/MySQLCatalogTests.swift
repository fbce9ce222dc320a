// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import DatabaseServers
import Testing

@Suite(MariaDBServer.isThere) struct MySQLCatalogTests {
    private func object(_ fixture: MySQLFixture, _ id: String) throws -> CatalogObject {
        try #require(try fixture.source().discover([id]).objects.first)
    }

    @Test func everythingThatCanBeReadIsListedByDatabase() throws {
        let fixture = try MySQLFixture(
            """
            CREATE TABLE t (a INT PRIMARY KEY); CREATE VIEW v AS SELECT a FROM t;
            CREATE TABLE p (a INT) PARTITION BY HASH (a) PARTITIONS 2; CREATE SEQUENCE s;
            CREATE TABLE h (a INT) WITH SYSTEM VERSIONING; CREATE TABLE m (a INT) ENGINE = MyISAM
            """)
        let objects = try fixture.source().discover([]).objects.filter { $0.id.hasPrefix(fixture.database + ".") }
        #expect(objects.map(\.id) == ["h", "m", "p", "t", "v"].map { "\(fixture.database).\($0)" })
        #expect(objects.map(\.kind) == [.table, .table, .table, .table, .view])
        #expect(objects.map(\.detail) == ["system-versioned table", "engine MyISAM", "partitioned table", "", ""])
        #expect(try fixture.source().discover([]).objects.allSatisfy { !$0.id.hasPrefix("mysql.") })
    }

    @Test func anObjectHasItsKeyItsColumnsAndAGuessAtItsRows() throws {
        let fixture = try MySQLFixture(
            """
            CREATE TABLE t (b VARCHAR(9), a INT NOT NULL, c INT AS (a + 1), PRIMARY KEY (b, a));
            INSERT INTO t (b, a) SELECT 'x', seq FROM seq_1_to_500; ANALYZE TABLE t
            """)
        let object = try object(fixture, "t")
        #expect(object.id == "t")
        #expect(object.primaryKey == ["b", "a"])
        #expect(object.columns.map(\.name) == ["b", "a", "c"])
        #expect(object.columns.map(\.isNullable) == [false, false, true])
        #expect((object.estimatedRows ?? 0) > 100)
    }

    @Test(arguments: [
        ("a INT NOT NULL, b INT, UNIQUE KEY u (a)", ["a"]), ("a INT, UNIQUE KEY u (a)", []),
        ("a VARCHAR(20) NOT NULL, UNIQUE KEY u (a(5))", []), ("a INT NOT NULL, KEY k (a)", []),
        ("a INT NOT NULL, b INT NOT NULL, UNIQUE KEY u (b, a)", ["b", "a"]),
    ])
    func withoutAPrimaryKeyAUniqueIndexWithoutNullsIsTheKey(columns: String, key: [String]) throws {
        #expect(try object(MySQLFixture("CREATE TABLE t (\(columns))"), "t").primaryKey == key)
    }

    @Test func theBestIncrementalKeyComesFirst() throws {
        let fixture = try MySQLFixture(
            """
            CREATE TABLE t (id INT PRIMARY KEY, name TEXT, d DATE, modified_at DATETIME, updated_at TIMESTAMP NULL,
                flag BOOLEAN, n DECIMAL(9,2), KEY (updated_at), KEY (name(5)));
            CREATE VIEW v AS SELECT name, d, modified_at FROM t
            """)
        #expect(try object(fixture, "t").cursorColumns == ["updated_at", "id", "modified_at", "d", "n"])
        #expect(try object(fixture, "v").cursorColumns == ["modified_at", "d"])
    }

    @Test(arguments: [
        "plain", "Mixed Case", "a.b", "tick`s", "select", "größe", "quote\"s", "semi;colon", "-- dash", "per%cent",
        String(repeating: "n", count: 64),
    ])
    func aNameOfAnySpellingIsRead(name: String) throws {
        let fixture = try MySQLFixture()
        let quoted = "`" + name.split(separator: "`", omittingEmptySubsequences: false).joined(separator: "``") + "`"
        try fixture.run("CREATE TABLE \(quoted) (\(quoted) INT PRIMARY KEY); INSERT INTO \(quoted) VALUES (7)")
        let listed = try #require(try fixture.source().discover([]).objects.first { $0.id.contains(fixture.database) })
        for id in [name, listed.id, "\(fixture.database).\(name)", "`\(fixture.database)`.\(quoted)", quoted] {
            #expect(try object(fixture, id).id == id, "it bears the name by which it was asked for")
            let request = ReadRequest(.object(id), columns: [name], order: [name])
            #expect(try fixture.column(request) == [.int64(7)])
        }
    }

    @Test func aTableOfAnotherDatabaseNeedsItsName() throws {
        let first = try MySQLFixture("CREATE TABLE only_here (a INT)")
        let second = try MySQLFixture()
        #expect(second.error { try second.describe(ReadRequest(.object("only_here"))) }?.code == .notFound)
        #expect(try second.describe(ReadRequest(.object("\(first.database).only_here"))).fields.count == 1)
        #expect(try second.read(ReadRequest(.object("\(first.database).only_here"))).rows == [])
    }

    @Test func anUnknownNameIsAnsweredWithTheNearest() throws {
        let fixture = try MySQLFixture("CREATE TABLE customers (id INT, updated_at DATETIME)")
        let table = fixture.error { try fixture.describe(ReadRequest(.object("custmers"))) }
        #expect(table?.code == .notFound)
        #expect(table?.message.contains("Did you mean customers?") == true)
        let column = fixture.error { try fixture.read(ReadRequest(.object("customers"), order: ["update_at"])) }
        #expect(column?.code == .notFound)
        #expect(column?.field == "update_at")
        #expect(column?.message.contains("Did you mean `updated_at`?") == true)
    }

    @Test(arguments: ["", "a\0b", String(repeating: "n", count: 65), ".", "a."])
    func aNameThatNoServerCanHaveIsRefused(name: String) throws {
        let fixture = try MySQLFixture()
        let error = fixture.error { try fixture.describe(ReadRequest(.object(name))) }
        #expect(error?.code == .badRequest || error?.code == .notFound)
        if name.count == 65 { #expect(error?.message.contains("64 characters") == true) }
    }

    @Test func aViewThatIsBrokenSaysSo() throws {
        let fixture = try MySQLFixture("CREATE TABLE t (a INT); CREATE VIEW v AS SELECT a FROM t; DROP TABLE t")
        let error = fixture.error { try fixture.describe(ReadRequest(.object("v"))) }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("view") == true)
    }
}
