// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import DatabaseServers
import Foundation
import Testing

/// One native type and value: what it becomes, or how it is rejected.
struct EdgeValue: Sendable {
    enum Outcome: Sendable {
        case value(Value)
        /// The value as it is shown, and words of the reason.
        case reject(String, String)
    }

    let native: String
    let sql: String
    let type: DataType
    let outcome: Outcome

    init(_ native: String, _ sql: String, _ value: Value) {
        self.native = native
        self.sql = sql
        type = value.type ?? .text
        outcome = .value(value)
    }

    init(_ native: String, _ sql: String, _ type: DataType, rejected shown: String, _ words: String) {
        self.native = native
        self.sql = sql
        self.type = type
        outcome = .reject(shown, words)
    }

    static let numbers: [EdgeValue] = [
        EdgeValue("smallint", "-32768", .int64(-32_768)),
        EdgeValue("integer", "2147483647", .int64(2_147_483_647)),
        EdgeValue("bigint", "9223372036854775807", .int64(.max)),
        EdgeValue("bigint", "-9223372036854775808", .int64(.min)),
        EdgeValue("oid", "4294967295", .int64(4_294_967_295)),
        EdgeValue("numeric", "0", .decimal("0")),
        EdgeValue("numeric", "0.00", .decimal("0.00")),
        EdgeValue("numeric(12,3)", "12.5", .decimal("12.500")),
        EdgeValue("numeric", "-0.000000000000000000000000000001", .decimal("-0.000000000000000000000000000001")),
        EdgeValue("numeric", "9007199254740993", .decimal("9007199254740993")),
        EdgeValue("numeric", "10000", .decimal("10000")),
        EdgeValue("numeric", "100000000", .decimal("100000000")),
        EdgeValue("numeric", "1234567890123.00045", .decimal("1234567890123.00045")),
        EdgeValue("numeric", "0.0001", .decimal("0.0001")),
        EdgeValue("numeric", "0.00001000", .decimal("0.00001000")),
        EdgeValue(
            "numeric(65,30)", "99999999999999999999999999999999999.999999999999999999999999999999",
            .decimal("99999999999999999999999999999999999.999999999999999999999999999999")),
        EdgeValue("numeric(3,-2)", "12345", .decimal("12300")),
        EdgeValue("numeric", "1e60", .decimal("1" + String(repeating: "0", count: 60))),
        EdgeValue("numeric", "'NaN'", .decimal, rejected: "NaN", "is NaN"),
        EdgeValue("numeric", "'Infinity'", .decimal, rejected: "Infinity", "infinite"),
        EdgeValue("numeric", "'-Infinity'", .decimal, rejected: "-Infinity", "infinite"),
        EdgeValue("money", "'-92233720368547758.08'", .decimal("-92233720368547758.08")),
        EdgeValue("money", "12.5", .decimal("12.50")),
        EdgeValue("real", "0.1", .float64(0.1)),
        EdgeValue("real", "'3.4028235e38'", .float64(3.4028235e38)),
        EdgeValue("real", "'1e-45'", .float64(1e-45)),
        EdgeValue("real", "16777216", .float64(16_777_216)),
        EdgeValue("real", "'NaN'", .float64, rejected: "NaN", "is NaN"),
        EdgeValue("double precision", "0.1", .float64(0.1)),
        EdgeValue("double precision", "'1.7976931348623157e308'", .float64(.greatestFiniteMagnitude)),
        EdgeValue("double precision", "'5e-324'", .float64(.leastNonzeroMagnitude)),
        EdgeValue("double precision", "'-0'", .float64(-0.0)),
        EdgeValue("double precision", "'Infinity'", .float64, rejected: "Infinity", "infinite"),
        EdgeValue("double precision", "'-Infinity'", .float64, rejected: "-Infinity", "infinite"),
        EdgeValue("boolean", "true", .bool(true)),
        EdgeValue("boolean", "false", .bool(false)),
        EdgeValue("positive", "7", .int64(7)),
        EdgeValue("price", "7", .decimal("7.00")),
    ]

    static let texts: [EdgeValue] = [
        EdgeValue("text", "''", .text("")),
        EdgeValue(
            "text", "E'line\\r\\n\\ttab \\u00e4\\u4e16\\U0001F600 \\u0301\"''\\\\'",
            .text("line\r\n\ttab ä世😀 \u{301}\"'\\")),
        EdgeValue("text COLLATE \"C\"", "' blank '", .text(" blank ")),
        EdgeValue("character varying(3)", "'äöü'", .text("äöü")),
        EdgeValue("character(5)", "'ab'", .text("ab   ")),
        EdgeValue("name", "'Ann'", .text("Ann")),
        EdgeValue("\"char\"", "'x'", .text("x")),
        EdgeValue("citext", "'MiXed'", .text("MiXed")),
        EdgeValue("mood", "'so so'", .text("so so")),
        EdgeValue("xml", "'<a b=\"1\">ä</a>'", .text("<a b=\"1\">ä</a>")),
        EdgeValue("bytea", "'\\x00ff0a'", .bytes([0, 255, 10])),
        EdgeValue("bytea", "''", .bytes([])),
        EdgeValue("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", .text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        EdgeValue(
            "json", "'{\"b\": 1.50,  \"a\":[null,\"\\u00e4\"]}'", .json("{\"b\": 1.50,  \"a\":[null,\"\\u00e4\"]}")),
        EdgeValue(
            "jsonb", "'{\"b\": 12345678901234567890.50, \"a\": [null]}'",
            .json("{\"a\": [null], \"b\": 12345678901234567890.50}")),
        EdgeValue("integer[]", "'{1,NULL,-3}'", .json("[1,null,-3]")),
        EdgeValue("bigint[]", "'{9223372036854775807}'", .json("[9223372036854775807]")),
        EdgeValue("numeric[]", "'{1.50,9007199254740993.1}'", .json("[1.50,9007199254740993.1]")),
        EdgeValue("text[]", "ARRAY['a \"b\"', '', 'ä,{}', NULL]", .json("[\"a \\\"b\\\"\",\"\",\"ä,{}\",null]")),
        EdgeValue("integer[]", "'{{1,2},{3,4}}'", .json("[[1,2],[3,4]]")),
        EdgeValue("text[]", "'{}'", .json("[]")),
        EdgeValue("timestamp[]", "'{2024-01-02 03:04:05.000006}'", .json("[\"2024-01-02T03:04:05.000006\"]")),
        EdgeValue("tags", "'{a,b}'", .json("[\"a\",\"b\"]")),
        EdgeValue("bit(4)", "B'0101'", .text("0101")),
        EdgeValue("bit varying", "B''", .text("")),
        EdgeValue("int4range", "'[1,5]'", .text("[1,6)")),
        EdgeValue("tstzrange", "'[2024-01-01 00:00+02,)'", .text("[\"2023-12-31 22:00:00+00\",)")),
        EdgeValue("int4multirange", "'{[1,3),[5,7)}'", .text("{[1,3),[5,7)}")),
        EdgeValue("address", "ROW('Main St, 1', NULL, 12.50)", .text("(\"Main St, 1\",,12.50)")),
        EdgeValue("inet", "'192.168.1.7'", .text("192.168.1.7")),
        EdgeValue("inet", "'192.168.1.7/24'", .text("192.168.1.7/24")),
        EdgeValue("cidr", "'2001:db8::/32'", .text("2001:db8::/32")),
        EdgeValue("macaddr", "'08:00:2B:01:02:03'", .text("08:00:2b:01:02:03")),
        EdgeValue("macaddr8", "'08:00:2b:01:02:03:04:05'", .text("08:00:2b:01:02:03:04:05")),
        EdgeValue("point", "'(0.1,-2)'", .text("(0.1,-2)")),
        EdgeValue("polygon", "'((0,0),(1,0),(1,1))'", .text("((0,0),(1,0),(1,1))")),
        EdgeValue("line", "'{1,2,3}'", .text("{1,2,3}")),
        EdgeValue("box", "'(1,1),(0,0)'", .text("(1,1),(0,0)")),
        EdgeValue("path", "'[(0,0),(1,0.5)]'", .text("[(0,0),(1,0.5)]")),
        EdgeValue("circle", "'<(0,0),0.1>'", .text("<(0,0),0.1>")),
        EdgeValue("hstore", "'a=>1, b=>NULL'", .text("\"a\"=>\"1\", \"b\"=>NULL")),
        EdgeValue("tsvector", "'fat:2 cat:1'", .text("'cat':1 'fat':2")),
        EdgeValue("tsquery", "'fat & cat'", .text("'fat' & 'cat'")),
        EdgeValue("pg_lsn", "'16/B374D848'", .text("16/B374D848")),
        EdgeValue("xid", "'4294967295'", .text("4294967295")),
        EdgeValue("xid8", "'18446744073709551615'", .text("18446744073709551615")),
        EdgeValue("regclass", "'pg_class'", .text("pg_class")),
    ]

    static let times: [EdgeValue] = [
        EdgeValue("date", "'2024-02-29'", .date(19_782)),
        EdgeValue("date", "'1970-01-01'", .date(0)),
        EdgeValue("date", "'0044-03-15 BC'", .date(-735_160)),
        EdgeValue("date", "'4714-11-24 BC'", .date(-2_440_588)),
        EdgeValue("date", "'5874897-12-31'", .date(2_145_042_905)),
        EdgeValue("date", "'infinity'", .date, rejected: "infinity", "infinite"),
        EdgeValue("date", "'-infinity'", .date, rejected: "-infinity", "infinite"),
        EdgeValue("time", "'00:00'", .time(0)),
        EdgeValue("time", "'23:59:59.999999'", .time(86_399_999_999)),
        EdgeValue("time", "'24:00'", .time, rejected: "24:00:00", "24:00:00"),
        EdgeValue("time with time zone", "'04:05:06.000007-08'", .text("04:05:06.000007-08")),
        EdgeValue("timestamp", "'2024-03-31 02:30:00.000001'", .timestamp(1_711_852_200_000_001)),
        EdgeValue("timestamp(0)", "'1969-12-31 23:59:59'", .timestamp(-1_000_000)),
        EdgeValue("timestamp", "'4714-11-24 00:00:00 BC'", .timestamp(-210_866_803_200_000_000)),
        EdgeValue("timestamp", "'294246-01-01'", .timestamp(9_223_339_708_800_000_000)),
        EdgeValue("timestamp", "'294276-12-31'", .timestamp, rejected: "+294276-12-31T00:00:00", "294246"),
        EdgeValue("timestamp", "'infinity'", .timestamp, rejected: "infinity", "infinite"),
        EdgeValue("timestamptz", "'2024-10-27 02:30:00.123456 Europe/Berlin'", .instant(1_729_992_600_123_456)),
        EdgeValue("timestamptz", "'2024-10-27 02:30:00+02'", .instant(1_729_989_000_000_000)),
        EdgeValue("timestamptz", "'-infinity'", .instant, rejected: "-infinity", "infinite"),
        EdgeValue("timestamptz", "'infinity'", .instant, rejected: "infinity", "infinite"),
        EdgeValue("timestamptz", "'294276-12-31 00:00Z'", .instant, rejected: "+294276-12-31T00:00:00", "294246"),
        EdgeValue("date[]", "'{infinity,0044-03-15 BC}'", .json("[\"infinity\",\"0044-03-15 BC\"]")),
        EdgeValue("interval", "'1 year 2 mons -3 days 04:05:06.7'", .text("P1Y2M-3DT4H5M6.7S")),
        EdgeValue("interval", "'0'", .text("PT0S")),
    ]

    static let all = numbers + texts + times
}

@Suite(PostgresServer.isThere) struct PostgresTypesTests {
    private static let prelude = """
        CREATE EXTENSION citext; CREATE EXTENSION hstore;
        CREATE TYPE mood AS ENUM ('bad', 'so so', 'good');
        CREATE TYPE address AS (street text, floor int, rent numeric(8,2));
        CREATE DOMAIN positive AS int CHECK (VALUE > 0);
        CREATE DOMAIN price_base AS numeric(8,2); CREATE DOMAIN price AS price_base;
        CREATE DOMAIN tags AS text[];
        """

    private static func database(_ values: [EdgeValue]) throws -> PostgresFixture {
        let columns = values.enumerated().map { "c\($0.offset) \($0.element.native)" }.joined(separator: ", ")
        let row = values.map { "\($0.sql)" }.joined(separator: ", ")
        return try PostgresFixture("\(prelude) CREATE TABLE t (\(columns)); INSERT INTO t VALUES (\(row))")
    }

    @Test func thereAreEnoughEdges() { #expect(EdgeValue.all.count >= 100) }

    @Test func everyTypeArrivesExactlyOrIsRejectedByName() throws {
        let fixture = try Self.database(EdgeValue.all)
        let source = try fixture.source()
        for (index, edge) in EdgeValue.all.enumerated() {
            for target in [ReadRequest.Target.object("t"), .query("SELECT c\(index) FROM t")] {
                let request = ReadRequest(target, columns: ["c\(index)"])
                let field = try #require(try source.describe(request).fields.first)
                #expect(field.type == edge.type, "\(edge.native) of \(target)")
                let (rows, rejects) = try fixture.read(request, from: source)
                switch edge.outcome {
                case .value(let value):
                    #expect(rows == [[value]], "\(edge.native) \(edge.sql) of \(target)")
                    #expect(rejects.isEmpty, "\(edge.native) \(edge.sql) of \(target)")
                case .reject(let shown, let words):
                    #expect(rows == [[.null]], "\(edge.native) \(edge.sql) of \(target)")
                    let reject = try #require(rejects.first, "\(edge.native) \(edge.sql) of \(target)")
                    #expect(reject.column == "c\(index)")
                    #expect(reject.value == shown)
                    #expect(reject.message.contains(words))
                }
            }
        }
    }

    @Test func everyTypeHasItsNull() throws {
        let fixture = try Self.database(EdgeValue.all)
        try fixture.run("DELETE FROM t; INSERT INTO t DEFAULT VALUES")
        let (rows, rejects) = try fixture.read(ReadRequest(.object("t")))
        #expect(rows == [[Value](repeating: .null, count: EdgeValue.all.count)])
        #expect(rejects.isEmpty)
    }

    @Test func theFirstColumnAtFaultIsNamedAndTheRestOfTheRowStays() throws {
        let fixture = try PostgresFixture(
            """
            CREATE TABLE t (id int, a numeric, b date);
            INSERT INTO t VALUES (1, 1, 'today'), (2, 'NaN', 'infinity'), (3, 3, '-infinity')
            """)
        let (rows, rejects) = try fixture.read(ReadRequest(.object("t"), columns: ["id", "a", "b"], order: ["id"]))
        #expect(rows[1] == [.int64(2), .null, .null])
        #expect(rejects.map(\.row) == [1, 2])
        #expect(rejects.map(\.column) == ["a", "b"])
        #expect(rejects[0].message == "Row 2, column \"a\": the value is NaN, which is no decimal number.")
    }

    @Test func nativeTypesAreNamedAsTheServerDoes() throws {
        let fixture = try PostgresFixture(
            "\(Self.prelude) CREATE TABLE t (a varchar(40) NOT NULL, b numeric(14,2), c price, d timestamptz(3))")
        let fields = try fixture.describe(ReadRequest(.object("t"))).fields
        #expect(
            fields.map(\.nativeType) == [
                "character varying(40)", "numeric(14,2)", "price", "timestamp(3) with time zone",
            ])
        #expect(fields.map(\.isNullable) == [false, true, true, true])
    }

    @Test func aLatin1DatabaseIsReadAsUnicode() throws {
        let fixture = try PostgresFixture(
            "CREATE TABLE t (\"größe\" text); INSERT INTO t VALUES ('Zürich'), ('Ætna'), ('Ünal')",
            options: "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        let bound = ReadRequest.LowerBound(column: "größe", value: .text("Æ"), isInclusive: true)
        let request = ReadRequest(.object("t"), order: ["größe"], lowerBound: bound)
        #expect(try fixture.column(request) == [.text("Ætna"), .text("Ünal")])
    }

    @Test func anEncodingWithAnotherOrderIsComparedInUnicodesOrder() throws {
        let fixture = try PostgresFixture(
            "CREATE TABLE t (a text); INSERT INTO t VALUES ('€'), ('ž'), ('é')",
            options: "ENCODING 'LATIN9' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        let bound = ReadRequest.LowerBound(column: "a", value: .text("é"), isInclusive: false)
        let request = ReadRequest(.object("t"), order: ["a"], lowerBound: bound)
        #expect(try fixture.column(request) == [.text("ž"), .text("€")])
    }

    @Test func bytesThatAreNoTextAreRejected() throws {
        let fixture = try PostgresFixture(
            "CREATE TABLE t (a text); INSERT INTO t VALUES ('ok'), (convert_from('\\xfffe', 'SQL_ASCII'))",
            options: "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        let (rows, rejects) = try fixture.read(ReadRequest(.object("t")))
        #expect(rows == [[.text("ok")], [.null]])
        #expect(rejects.first?.message.contains("is not UTF-8 text") == true)
    }

    @Test func numbersAreTheTextsTheServerPrints() throws {
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
        let fixture = try PostgresFixture(
            """
            SELECT setseed(\(Double(seed % 1_000) / 1_000));
            CREATE TABLE t AS SELECT n AS id, CASE WHEN n % 9 <> 0 THEN
                (round((random() - 0.5)::numeric * 10::numeric ^ (n % 40), n % 23) + (n % 3) * 10000) END AS a,
                CASE WHEN n % 7 <> 0 THEN repeat('é\u{1F600}x', n % 17) || n END AS b FROM generate_series(1, 5000) n
            """)
        let query = "SELECT a, a::text AS c, b, encode(convert_to(b, 'UTF8'), 'hex') AS d FROM t ORDER BY id"
        let rows = try fixture.read(ReadRequest(.query(query))).rows
        #expect(rows.count == 5_000)
        for (index, row) in rows.enumerated() {
            guard case .decimal(let number) = row[0], case .text(let printed) = row[1] else {
                #expect((index + 1) % 9 == 0 && row[0] == .null && row[1] == .null)
                continue
            }
            #expect(number == printed, "PENSTOCK_SEED=\(seed)")
            guard case .text(let text) = row[2], case .text(let hex) = row[3] else { continue }
            #expect(text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == hex)
        }
    }
}
