// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import DatabaseServers
import Testing

/// Every native type with its edges, on the real server: exact, or rejected by name.
@Suite(MariaDBServer.isThere) struct MySQLTypesTests {
    struct Edge: Sendable, CustomTestStringConvertible {
        enum Outcome: Sendable {
            case value(Value)
            /// Rejected; the value is shown like this.
            case reject(String)
        }

        let declaration: String
        let literal: String
        let outcome: Outcome
        let type: DataType?

        init(_ declaration: String, _ literal: String, _ value: Value) {
            self.declaration = declaration
            self.literal = literal
            outcome = .value(value)
            type = value.type
        }

        init(_ declaration: String, _ literal: String, rejected: String, as type: DataType) {
            self.declaration = declaration
            self.literal = literal
            outcome = .reject(rejected)
            self.type = type
        }

        var testDescription: String { "\(declaration): \(literal)" }
    }

    static let numbers: [Edge] = [
        Edge("TINYINT(1)", "1", .bool(true)), Edge("BOOLEAN", "FALSE", .bool(false)),
        Edge("TINYINT(1)", "2", rejected: "2", as: .bool), Edge("TINYINT(1)", "-1", rejected: "-1", as: .bool),
        Edge("TINYINT(1) UNSIGNED", "255", .int64(255)),
        Edge("TINYINT", "-128", .int64(-128)), Edge("TINYINT UNSIGNED", "255", .int64(255)),
        Edge("SMALLINT", "-32768", .int64(-32_768)), Edge("SMALLINT UNSIGNED", "65535", .int64(65_535)),
        Edge("MEDIUMINT", "-8388608", .int64(-8_388_608)),
        Edge("MEDIUMINT UNSIGNED", "16777215", .int64(16_777_215)),
        Edge("INT", "-2147483648", .int64(-2_147_483_648)), Edge("INT UNSIGNED", "4294967295", .int64(4_294_967_295)),
        Edge("INT(6) ZEROFILL", "42", .int64(42)),
        Edge("BIGINT", "-9223372036854775808", .int64(.min)), Edge("BIGINT", "9223372036854775807", .int64(.max)),
        Edge("BIGINT", "9007199254740993", .int64(9_007_199_254_740_993)),
        Edge("BIGINT UNSIGNED", "18446744073709551615", .uint64(.max)), Edge("BIGINT UNSIGNED", "0", .uint64(0)),
        Edge(
            "DECIMAL(65,30)", "12345678901234567890123456789012345.123456789012345678901234567891",
            .decimal("12345678901234567890123456789012345.123456789012345678901234567891")),
        Edge(
            "DECIMAL(65,0)", "-" + String(repeating: "9", count: 65), .decimal("-" + String(repeating: "9", count: 65))),
        Edge("DECIMAL(5,2)", "-0.10", .decimal("-0.10")), Edge("DECIMAL(5,2)", "0", .decimal("0.00")),
        Edge("DECIMAL(8,2) ZEROFILL", "1.5", .decimal("1.50")), Edge("DECIMAL(8,2) ZEROFILL", "0.5", .decimal("0.50")),
        Edge("DECIMAL(8,0) ZEROFILL", "0", .decimal("0")),
        Edge("FLOAT", "0.1", .float64(0.1)), Edge("FLOAT", "16777217", .float64(16_777_216)),
        Edge("FLOAT", "3.4028234e38", .float64(3.4028235e38)), Edge("FLOAT", "-1.5", .float64(-1.5)),
        Edge("FLOAT", "8388608.5", .float64(8_388_608)), Edge("FLOAT", "123456.789", .float64(123_456.79)),
        Edge("DOUBLE", "0.1", .float64(0.1)),
        Edge("DOUBLE", "1.7976931348623157e308", .float64(1.7976931348623157e308)),
        Edge("DOUBLE", "2.2250738585072014e-308", .float64(2.2250738585072014e-308)),
        Edge("DOUBLE", "123456789012345680", .float64(123_456_789_012_345_680)),
        Edge("BIT(1)", "b'1'", .bool(true)), Edge("BIT(9)", "b'100000001'", .uint64(257)),
        Edge("BIT(64)", "18446744073709551615", .uint64(.max)),
        Edge("YEAR", "2155", .int64(2155)), Edge("YEAR", "0", .int64(0)),
    ]

    static let texts: [Edge] = [
        Edge("VARCHAR(40)", "''", .text("")), Edge("VARCHAR(40)", "'a  '", .text("a  ")),
        Edge("CHAR(5)", "'ab'", .text("ab")), Edge("VARCHAR(40)", "'Zoë 👩‍👩‍👧 漢字'", .text("Zoë 👩‍👩‍👧 漢字")),
        Edge("VARCHAR(40) CHARACTER SET latin1", "'€ä'", .text("€ä")),
        Edge("VARCHAR(40) CHARACTER SET utf8mb3", "'漢'", .text("漢")),
        Edge("VARCHAR(40) CHARACTER SET utf16", "'😀'", .text("😀")),
        Edge("VARCHAR(40) CHARACTER SET sjis", "'漢字'", .text("漢字")),
        Edge("TEXT", "REPEAT('ä', 20000)", .text(String(repeating: "ä", count: 20_000))),
        Edge("LONGTEXT", "REPEAT('x', 300000)", .text(String(repeating: "x", count: 300_000))),
        Edge("VARCHAR(40)", "'a\\0b'", rejected: "a\0b", as: .text),
        Edge("VARCHAR(40)", "'tab\\tnew\\nline\"''\\\\'", .text("tab\tnew\nline\"'\\")),
        Edge("ENUM('b','a')", "'a'", .text("a")), Edge("ENUM('b','a')", "0", .text("")),
        Edge("SET('x','y','z')", "'z,x'", .text("x,z")), Edge("SET('x')", "''", .text("")),
        Edge("BINARY(3)", "'a'", .bytes([97, 0, 0])), Edge("VARBINARY(4)", "X'00FF'", .bytes([0, 255])),
        Edge("BLOB", "''", .bytes([])),
        Edge("LONGBLOB", "REPEAT(X'FE', 70000)", .bytes(Array(repeating: 254, count: 70_000))),
        Edge("VARCHAR(40) CHARACTER SET binary", "X'C3'", .bytes([195])),
        Edge("JSON", "'{\"a\": [1, 12345678901234567890]}'", .json("{\"a\": [1, 12345678901234567890]}")),
        Edge("UUID", "'123e4567-e89b-12d3-a456-426655440000'", .text("123e4567-e89b-12d3-a456-426655440000")),
        Edge("INET4", "'10.0.0.1'", .text("10.0.0.1")), Edge("INET6", "'2001:db8::1'", .text("2001:db8::1")),
        Edge("POINT", "POINT(1.5, -2)", .text("POINT(1.5 -2)")),
        Edge("GEOMETRY", "ST_GeomFromText('POINT(0.1 52)', 4326)", .text("SRID=4326;POINT(0.1 52)")),
        Edge(
            "GEOMETRY", "ST_GeomFromText('POLYGON((0 0,9 0,9 9,0 0),(1 1,2 1,2 2,1 1))')",
            .text("POLYGON((0 0,9 0,9 9,0 0),(1 1,2 1,2 2,1 1))")),
        Edge("GEOMETRY", "ST_GeomFromText('MULTIPOINT(1 2,3 4)')", .text("MULTIPOINT((1 2),(3 4))")),
        Edge(
            "GEOMETRY", "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))')",
            .text("GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))")),
        Edge("INT", "NULL", .null), Edge("TEXT", "NULL", .null),
    ]

    static let times: [Edge] = [
        Edge("DATE", "'1970-01-01'", .date(0)), Edge("DATE", "'2024-02-29'", .date(19_782)),
        Edge("DATE", "'0001-01-01'", .date(-719_162)), Edge("DATE", "'9999-12-31'", .date(2_932_896)),
        Edge("DATE", "'0000-00-00'", rejected: "0000-00-00", as: .date),
        Edge("DATE", "'2024-02-00'", rejected: "2024-02-00", as: .date),
        Edge("DATE", "'2024-00-15'", rejected: "2024-00-15", as: .date),
        Edge("DATE", "'2023-02-30'", rejected: "2023-02-30", as: .date),
        Edge("DATETIME", "'2024-03-31 02:30:00'", .timestamp(micros("2024-03-31T02:30:00"))),
        Edge("DATETIME(6)", "'1969-12-31 23:59:59.999999'", .timestamp(-1)),
        Edge("DATETIME(6)", "'9999-12-31 23:59:59.999999'", .timestamp(micros("9999-12-31T23:59:59.999999"))),
        Edge("DATETIME(3)", "'2024-01-02 03:04:05.678'", .timestamp(micros("2024-01-02T03:04:05.678"))),
        Edge("DATETIME", "'0000-00-00 00:00:00'", rejected: "0000-00-00 00:00:00", as: .timestamp),
        Edge("DATETIME(6)", "'2024-01-00 01:02:03.5'", rejected: "2024-01-00 01:02:03.500000", as: .timestamp),
        Edge("TIMESTAMP(6) NULL", "'2024-01-02 03:04:05.678901'", .instant(micros("2024-01-02T02:04:05.678901"))),
        Edge("TIMESTAMP NULL", "'2024-07-01 12:00:00'", .instant(micros("2024-07-01T11:00:00"))),
        Edge("TIMESTAMP NULL", "0", rejected: "0000-00-00 00:00:00", as: .instant),
        Edge("TIME", "'00:00:00'", .time(0)), Edge("TIME(6)", "'23:59:59.999999'", .time(86_399_999_999)),
        Edge("TIME", "'24:00:00'", rejected: "24:00:00", as: .time),
        Edge("TIME", "'-00:00:01'", rejected: "-00:00:01", as: .time),
        Edge("TIME", "'838:59:59'", rejected: "838:59:59", as: .time),
        Edge("TIME(6)", "'-838:59:59.000001'", rejected: "-838:59:59.000001", as: .time),
    ]

    @Test(arguments: numbers + texts + times)
    func aValueArrivesExactlyOrIsRejectedByName(edge: Edge) throws {
        let fixture = try MySQLFixture(
            """
            SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+01:00';
            CREATE TABLE t (id INT PRIMARY KEY, c \(edge.declaration));
            INSERT INTO t VALUES (1, \(edge.literal))
            """)
        if let type = edge.type { #expect(try fixture.describe(ReadRequest(.object("t"))).fields[1].type == type) }
        // The last makes a temporary table, in which the server may describe a column otherwise.
        let bound = ReadRequest.LowerBound(column: "id", value: .int64(0), isInclusive: true)
        for request in [
            ReadRequest(.object("t")), ReadRequest(.query("SELECT * FROM t")),
            ReadRequest(.query("SELECT id, c FROM t LIMIT 10"), lowerBound: bound),
        ] {
            let result = try fixture.read(request)
            try #require(result.rows.count == 1)
            switch edge.outcome {
            case .value(let value):
                #expect(result.rejects == [])
                #expect(result.rows[0][1] == value)
            case .reject(let shown):
                #expect(result.rows[0] == [.int64(1), .null])
                #expect(result.rejects.map(\.column) == ["c"])
                #expect(result.rejects.map(\.value) == [shown])
            }
        }
    }

    @Test func expressionsHaveTheTypeThatTheServerGivesThem() throws {
        let fixture = try MySQLFixture()
        let query = "SELECT 1 + 1, 0.1 + 0.2, 1e0, NULL, CONCAT('a', 1), NOW(6), 'ä', X'FF', COUNT(*), SUM(1) FROM dual"
        let result = try fixture.read(ReadRequest(.query(query)))
        #expect(result.rejects == [])
        let row = result.rows[0]
        #expect(row[0] == .int64(2))
        #expect(row[1] == .decimal("0.3"))
        #expect(row[2] == .float64(1))
        #expect(row[3] == .null)
        #expect(row[4] == .text("a1"))
        #expect(row[5].type == .timestamp)
        #expect(row[6] == .text("ä"))
        #expect(row[7] == .bytes([255]))
        #expect(row[8] == .int64(1))
        #expect(row[9] == .decimal("1"))
    }

    @Test func namesOfTypesAreThoseOfTheTable() throws {
        let fixture = try MySQLFixture("CREATE TABLE t (a VARCHAR(40) NOT NULL, b BIGINT(20) UNSIGNED)")
        let fields = try fixture.describe(ReadRequest(.object("t"))).fields
        #expect(fields.map(\.nativeType) == ["varchar(40)", "bigint(20) unsigned"])
        #expect(fields.map(\.isNullable) == [false, true])
    }
}
