// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import DatabaseServers
import Testing

@Suite(PostgresServer.isThere) struct PostgresCatalogTests {
    private func object(_ fixture: PostgresFixture, _ id: String) throws -> CatalogObject {
        try #require(try fixture.source().discover([id]).objects.first)
    }

    @Test func everythingThatCanBeReadIsListedBySchema() throws {
        let fixture = try PostgresFixture(
            """
            CREATE SCHEMA mart; CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
            CREATE TABLE b (id int); CREATE VIEW a AS TABLE b; CREATE MATERIALIZED VIEW c AS TABLE b;
            CREATE TABLE mart.p (id int, d date) PARTITION BY RANGE (d);
            CREATE TABLE mart.p_2024 PARTITION OF mart.p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
            CREATE FOREIGN TABLE mart.f (line text) SERVER files OPTIONS (filename '/etc/hostname');
            CREATE TEMP TABLE gone (x int); CREATE SEQUENCE s; CREATE INDEX i ON b (id)
            """)
        let objects = try fixture.source().discover([]).objects
        #expect(objects.map(\.id) == ["mart.f", "mart.p", "public.a", "public.b", "public.c"])
        #expect(objects.map(\.kind) == [.table, .table, .view, .table, .view])
        #expect(objects.map(\.detail) == ["foreign table", "partitioned table", "", "", "materialized view"])
        #expect(objects.allSatisfy { $0.columns.isEmpty })
    }

    @Test func everyKindIsRead() throws {
        let fixture = try PostgresFixture(
            """
            CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
            CREATE TABLE b (id int); INSERT INTO b VALUES (1), (2); CREATE VIEW a AS SELECT id + 10 AS id FROM b;
            CREATE MATERIALIZED VIEW c AS SELECT id + 20 AS id FROM b;
            CREATE TABLE p (id int) PARTITION BY RANGE (id);
            CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (10);
            CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (10) TO (20); INSERT INTO p VALUES (3), (13);
            CREATE FOREIGN TABLE f (line text) SERVER files OPTIONS (program 'echo hello');
            CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent); INSERT INTO child VALUES (7)
            """)
        func ids(_ table: String) throws -> [Value] {
            try fixture.column(ReadRequest(.object(table), order: ["id"]))
        }
        #expect(try ids("a") == [.int64(11), .int64(12)])
        #expect(try ids("c") == [.int64(21), .int64(22)])
        #expect(try ids("p") == [.int64(3), .int64(13)])
        #expect(try ids("public.p_2") == [.int64(13)])
        #expect(try ids("parent") == [.int64(7)])
        #expect(try fixture.column(ReadRequest(.object("f"))) == [.text("hello")])
    }

    static let names = [
        "Orgs", "with space", "dot.ted", "quo\"te", "select", "größe", "UPPER", "a'b", "semi;colon", "tab\there",
        "percent%s", "$1", "Ünïcode 世界", "123", "back\\slash",
    ]

    @Test func namesInAnyCaseWithQuotesDotsSpacesAndReservedWords() throws {
        let tables = Self.names.map { name in
            let quoted = "\"" + name.replacing("\"", with: "\"\"") + "\""
            return "CREATE TABLE s.\(quoted) (\(quoted) int PRIMARY KEY); INSERT INTO s.\(quoted) VALUES (7);"
        }
        let fixture = try PostgresFixture("CREATE SCHEMA s; \(tables.joined(separator: " "))")
        let source = try fixture.source()
        let listed = try source.discover([]).objects.map(\.id)
        #expect(listed.count == Self.names.count)
        for id in listed {
            let object = try #require(try source.discover([id]).objects.first)
            #expect(object.id == id)
            let column = try #require(object.columns.first?.name)
            #expect(object.primaryKey == [column])
            let bound = ReadRequest.LowerBound(column: column, value: .int64(7), isInclusive: true)
            let request = ReadRequest(.object(id), columns: [column], order: [column], lowerBound: bound)
            #expect(try fixture.column(request) == [.int64(7)], "\(id)")
        }
        for name in Self.names {
            #expect(try fixture.column(ReadRequest(.object("s." + name))) == [.int64(7)], "\(name)")
        }
        #expect(listed.contains("s.\"select\""))
    }

    @Test func theSearchPathFindsABareName() throws {
        let fixture = try PostgresFixture(
            """
            CREATE SCHEMA mart; CREATE TABLE mart.orgs (a int); INSERT INTO mart.orgs VALUES (1);
            CREATE TABLE orgs (a int); INSERT INTO orgs VALUES (2); CREATE TABLE mart."Deals" (in_mart int);
            CREATE TABLE deals (in_public int)
            """)
        #expect(try fixture.column(ReadRequest(.object("orgs"))) == [.int64(2)])
        #expect(try fixture.column(ReadRequest(.object("ORGS"))) == [.int64(2)])
        #expect(try fixture.column(ReadRequest(.object("MART.Orgs"))) == [.int64(1)])
        #expect(fixture.error { try fixture.describe(ReadRequest(.object("Deals"))) } == nil)
        try fixture.run("ALTER DATABASE \(fixture.database) SET search_path = mart, public")
        #expect(try fixture.column(ReadRequest(.object("orgs"))) == [.int64(1)])
        #expect(try object(fixture, "Deals").columns.map(\.name) == ["in_mart"])
        #expect(try object(fixture, "deals").columns.map(\.name) == ["in_public"])
        #expect(try object(fixture, "deals").id == "deals", "it bears the name by which it was asked for")
    }

    @Test func aNameThatFitsTwoIsRefusedWithBoth() throws {
        let fixture = try PostgresFixture(
            "CREATE SCHEMA a; CREATE SCHEMA \"a.b\"; CREATE TABLE \"a.b\".c (x int); CREATE TABLE a.\"b.c\" (x int)")
        let error = try #require(fixture.error { try fixture.source().discover(["a.b.c"]) })
        #expect(error.code == .badRequest)
        #expect(error.message.contains("a.\"b.c\" and \"a.b\".c"))
        #expect(try object(fixture, "\"a.b\".c").columns.map(\.name) == ["x"])
    }

    @Test func anUnknownTableOrColumnIsMetWithTheNearest() throws {
        let fixture = try PostgresFixture(
            "CREATE TABLE companies (name int, updated_at date); CREATE TABLE deals (a int)")
        for id in ["compannies", "public.compannies", "puplic.companies"] {
            let error = try #require(fixture.error { try fixture.source().discover([id]) })
            #expect(error.code == .notFound)
            #expect(error.message.contains("public.companies, public.deals"))
            #expect(error.message.contains("Did you mean public.companies?"), "\(error.message)")
        }
        let column = try #require(
            fixture.error { try fixture.describe(ReadRequest(.object("companies"), columns: ["update_at"])) })
        #expect(column.code == .notFound)
        #expect(column.message.contains("Did you mean updated_at?"))
    }

    @Test func aNameThatTheServerWouldCutIsRefused() throws {
        let long = String(repeating: "x", count: 63)
        let fixture = try PostgresFixture("CREATE TABLE \(long) (\(long) int)")
        let cut = try #require(fixture.error { try fixture.describe(ReadRequest(.object(long + "y"))) })
        #expect(cut.code == .badRequest)
        #expect(cut.message.contains("63 bytes"))
        let column = ReadRequest(.object(long), columns: [long + "y"])
        #expect(fixture.error { try fixture.describe(column) }?.message.contains("63 bytes") == true)
        let query = ReadRequest(.query("SELECT \(long)y FROM \(long)"))
        #expect(fixture.error { try fixture.describe(query) }?.message.contains("63 bytes") == true)
        #expect(fixture.error { try fixture.describe(ReadRequest(.object("a\0b"))) }?.code == .badRequest)
    }

    @Test func keysAreThePrimaryOneOrAnotherThatIdentifies() throws {
        let fixture = try PostgresFixture(
            """
            CREATE TABLE a (x text, y int, z text, PRIMARY KEY (z, x));
            CREATE TABLE b (x int UNIQUE, y int NOT NULL, z int NOT NULL, UNIQUE (y, z));
            CREATE TABLE c (x int NOT NULL); CREATE UNIQUE INDEX ON c (x) WHERE x > 0;
            CREATE UNIQUE INDEX ON c ((x + 1));
            CREATE TABLE d (x int NOT NULL UNIQUE DEFERRABLE); CREATE VIEW e AS TABLE a
            """)
        #expect(try object(fixture, "a").primaryKey == ["z", "x"])
        #expect(try object(fixture, "b").primaryKey == ["y", "z"])
        for id in ["c", "d", "e"] { #expect(try object(fixture, id).primaryKey == [], "\(id)") }
    }

    @Test func cursorColumnsComeWithTheBestFirst() throws {
        let fixture = try PostgresFixture(
            """
            CREATE TABLE t (id bigint PRIMARY KEY, code text, ulid text, note jsonb, flag bool, score numeric,
                created_at timestamptz, updated_at timestamptz, amount float8, at time, seen date);
            CREATE INDEX ON t (updated_at); CREATE INDEX ON t (ulid, score); CREATE INDEX ON t USING hash (seen)
            """)
        #expect(
            try object(fixture, "t").cursorColumns == [
                "updated_at", "id", "ulid", "created_at", "score", "seen", "amount",
            ])
    }

    @Test func rowsAreEstimatedOnceAnalyzed() throws {
        let fixture = try PostgresFixture(
            """
            CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 500);
            CREATE TABLE p (a int) PARTITION BY RANGE (a);
            CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
            CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (1000);
            INSERT INTO p SELECT generate_series(1, 300)
            """)
        #expect(try object(fixture, "t").estimatedRows == nil)
        try fixture.run("ANALYZE t; ANALYZE p1; ANALYZE p2")
        #expect(try object(fixture, "t").estimatedRows == 500)
        #expect(try object(fixture, "p").estimatedRows == 300)
        #expect(try fixture.source().discover([]).objects.first { $0.id == "public.t" }?.estimatedRows == 500)
    }

    @Test func generatedAndDroppedColumns() throws {
        let fixture = try PostgresFixture(
            """
            CREATE TABLE t (a int, gone int, b int GENERATED ALWAYS AS (a * 2) STORED); ALTER TABLE t DROP gone;
            INSERT INTO t VALUES (4); CREATE TABLE none ()
            """)
        #expect(try fixture.read(ReadRequest(.object("t"))).rows == [[.int64(4), .int64(8)]])
        #expect(fixture.error { try fixture.describe(ReadRequest(.object("none"))) }?.code == .badRequest)
    }
}
