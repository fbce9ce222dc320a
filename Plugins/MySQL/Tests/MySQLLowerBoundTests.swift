// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import DatabaseServers
import Testing

@Suite(MariaDBServer.isThere) struct MySQLLowerBoundTests {
    /// A column's values in ascending order of their meaning, and a limit among them.
    struct Limited: Sendable, CustomTestStringConvertible {
        let declaration: String
        /// SQL of values below the limit, equal to it, and above it.
        let below: [String]
        let equal: [String]
        let above: [String]
        let limit: Value

        init(_ declaration: String, _ limit: Value, below: [String], equal: [String], above: [String]) {
            self.declaration = declaration
            self.limit = limit
            self.below = below
            self.equal = equal
            self.above = above
        }

        var testDescription: String { "\(declaration), \(limit)" }
    }

    static let cases: [Limited] = [
        Limited("INT", .int64(10), below: ["-1", "9"], equal: ["10", "10"], above: ["11", "2147483647"]),
        Limited(
            "BIGINT", .int64(9_007_199_254_740_993), below: ["-9223372036854775808", "9007199254740992"],
            equal: ["9007199254740993"], above: ["9007199254740994"]),
        Limited("BIGINT", .int64(.min), below: [], equal: ["-9223372036854775808"], above: ["0"]),
        Limited(
            "BIGINT UNSIGNED", .uint64(18_446_744_073_709_551_614), below: ["1", "9223372036854775808"],
            equal: ["18446744073709551614"], above: ["18446744073709551615"]),
        Limited("BOOLEAN", .bool(true), below: ["0", "0"], equal: ["1", "1"], above: []),
        Limited("BIT(8)", .uint64(5), below: ["b'100'"], equal: ["b'101'"], above: ["b'110'"]),
        Limited("YEAR", .int64(2024), below: ["1999"], equal: ["2024"], above: ["2025"]),
        Limited(
            "DOUBLE", .float64(0.1), below: ["-1e300", "0.0999"], equal: ["0.1", "0.1"], above: ["0.1000001", "2"]),
        Limited("FLOAT", .float64(0.7), below: ["0.1", "0.6999"], equal: ["0.7", "0.7"], above: ["0.7000001", "2"]),
        Limited(
            "FLOAT", .float64(0.1), below: ["-3e38", "0.09999999"], equal: ["0.1"], above: ["0.10000001", "3e38"]),
        Limited(
            "DECIMAL(10,2)", .decimal("12.5"), below: ["2", "12.49"], equal: ["12.5", "12.50"], above: ["12.51", "100"]),
        Limited(
            "DECIMAL(65,30)", .decimal("0.000000000000000000000000000002"),
            below: ["-1", "0.000000000000000000000000000001"],
            equal: ["0.000000000000000000000000000002"], above: ["0.000000000000000000000000000003"]),
        Limited(
            "VARCHAR(20)", .text("b"), below: ["''", "'B'", "'a'"], equal: ["'b'", "'b'"],
            above: ["'b '", "'ba'", "'ä'"]),
        Limited("VARCHAR(20)", .text("a "), below: ["'a'", "'a\\t'"], equal: ["'a '"], above: ["'a!'", "'b'"]),
        Limited(
            "VARCHAR(20) CHARACTER SET latin1", .text("z"), below: ["'a'"], equal: ["'z'"],
            above: ["'\u{A0}'", "'ä'", "'€'"]),
        Limited(
            "VARCHAR(20) COLLATE utf8mb4_nopad_bin", .text("b"), below: ["'B'"], equal: ["'b'"], above: ["'b '", "'😀'"]),
        Limited(
            "TEXT", .text("b"), below: ["'a'"], equal: ["'b'"],
            above: ["CONCAT('b', REPEAT('x', 2000), 'a')", "CONCAT('b', REPEAT('x', 2000), 'b')"]),
        Limited("ENUM('c','b','a')", .text("b"), below: ["'a'"], equal: ["'b'"], above: ["'c'"]),
        Limited(
            "DATE", .date(19_782), below: ["'0999-01-01'", "'2024-02-28'"], equal: ["'2024-02-29'", "'2024-02-29'"],
            above: ["'2024-03-01'", "'9999-12-31'"]),
        Limited(
            "TIME(6)", .time(43_200_000_000), below: ["'09:00'", "'11:59:59.999999'"], equal: ["'12:00'"],
            above: ["'12:00:00.000001'", "'23:00'"]),
        Limited(
            "DATETIME(6)", .timestamp(1_704_164_645_000_001), below: ["'1000-01-01'", "'2024-01-02 03:04:05.000000'"],
            equal: ["'2024-01-02 03:04:05.000001'"], above: ["'2024-01-02 03:04:05.000002'", "'2024-01-03'"]),
        Limited(
            "TIMESTAMP(6) NULL", .instant(1_704_164_645_000_001),
            below: ["'1999-01-01'", "'2024-01-02 03:04:05.000000'"],
            equal: ["'2024-01-02 03:04:05.000001'"], above: ["'2024-01-02 03:04:05.000002'", "'2024-01-03'"]),
    ]

    private static func fixture(_ limited: Limited, _ values: [String]) throws -> MySQLFixture {
        let rows = values.map { "(\($0))" }.joined(separator: ", ")
        let isLong = limited.declaration == "TEXT"
        return try MySQLFixture(
            """
            SET time_zone = '+00:00', sql_mode = '';
            CREATE TABLE t (c \(limited.declaration)\(isLong ? "" : ", KEY (c)")); INSERT INTO t VALUES \(rows)
            """)
    }

    @Test(arguments: cases, [true, false])
    func aLimitReadsTiesAndNullsAndNothingBelow(limited: Limited, isInclusive: Bool) throws {
        let fixture = try Self.fixture(
            limited, limited.above.reversed() + limited.below + ["NULL"] + limited.equal)
        let bound = ReadRequest.LowerBound(column: "c", value: limited.limit, isInclusive: isInclusive)
        let expected = 1 + limited.above.count + (isInclusive ? limited.equal.count : 0)
        var targets: [ReadRequest.Target] = [
            .object("t"), .query("SELECT * FROM t"), .query("SELECT c FROM t LIMIT 1000000"),
        ]
        // In a union a TINYINT(1) is a number.
        if limited.limit.type != .bool {
            targets.append(.query("SELECT c FROM t UNION ALL SELECT c FROM t WHERE FALSE"))
        }
        for target in targets {
            let result = try fixture.read(ReadRequest(target, order: ["c"], lowerBound: bound))
            #expect(result.rows.count == expected)
            #expect(result.rejects == [])
            #expect(result.rows.first == [.null])
        }
    }

    @Test(arguments: cases)
    func orderIsThatOfTheTypeWithNullsFirst(limited: Limited) throws {
        let sorted = limited.below + limited.equal + limited.above
        let fixture = try Self.fixture(limited, sorted.reversed() + ["NULL"])
        let ordered = try fixture.column(ReadRequest(.object("t"), order: ["c"]))
        // In a table with a number before each value their order is known.
        let rows = (["NULL"] + sorted).enumerated().map { "(\($0), \($1))" }.joined(separator: ", ")
        try fixture.run(
            "SET time_zone = '+00:00', sql_mode = ''; CREATE TABLE s (n INT PRIMARY KEY, c \(limited.declaration)); "
                + "INSERT INTO s VALUES \(rows)")
        #expect(try ordered == fixture.column(ReadRequest(.object("s"), columns: ["c"], order: ["n"])))
    }

    @Test(arguments: [
        ("DATE", "'0000-00-00'", "'2024-01-02'", Value.date(19_783)),
        ("DATETIME", "'0000-00-00'", "'2024-01-02 03:04'", .timestamp(micros("2024-01-03T00:00:00"))),
        ("TIMESTAMP NULL", "0", "'2024-01-01'", .instant(micros("2024-06-03T00:00:00"))),
        ("TIME", "'-01:00:00'", "'01:00:00'", .time(7_200_000_000)),
        ("TINYINT(1)", "-1", "0", .bool(true)),
    ])
    func aValueThatDoesNotFitIsReadPastALimitSoThatItIsRejected(
        declaration: String, unfit: String, below: String, limit: Value
    ) throws {
        let fixture = try MySQLFixture(
            "SET sql_mode = ''; CREATE TABLE t (c \(declaration)); INSERT INTO t VALUES (\(below)), (\(unfit))")
        let bound = ReadRequest.LowerBound(column: "c", value: limit, isInclusive: true)
        let result = try fixture.read(ReadRequest(.object("t"), lowerBound: bound))
        #expect(result.rows == [[.null]])
        #expect(result.rejects.count == 1)
    }

    @Test(arguments: [
        ("INT", Value.text("5")), ("INT", .null), ("TEXT", .int64(5)), ("BLOB", .bytes([1])), ("JSON", .json("1")),
        ("DOUBLE", .float64(.nan)), ("DECIMAL(5)", .decimal("abc")), ("DECIMAL(5)", .decimal("1; DROP TABLE t")),
        ("BIGINT UNSIGNED", .int64(5)),
    ])
    func aLimitOfAnotherTypeIsRefused(declaration: String, limit: Value) throws {
        let fixture = try MySQLFixture("CREATE TABLE t (c \(declaration))")
        let bound = ReadRequest.LowerBound(column: "c", value: limit, isInclusive: true)
        let request = ReadRequest(.object("t"), lowerBound: bound)
        #expect(fixture.error { try fixture.describe(request) }?.code == .badRequest)
        #expect(fixture.error { try fixture.read(request) }?.code == .badRequest)
    }

    @Test func aTextLimitIsDataWhateverItHolds() throws {
        let fixture = try MySQLFixture("CREATE TABLE t (c VARCHAR(80)); INSERT INTO t VALUES (''' OR 1=1 -- '), ('~')")
        let bound = ReadRequest.LowerBound(column: "c", value: .text("' OR 1=1 -- \\"), isInclusive: true)
        #expect(try fixture.column(ReadRequest(.object("t"), lowerBound: bound)) == [.text("~")])
    }

    @Test func aLimitOnAColumnThatIsNotDeliveredHolds() throws {
        let fixture = try MySQLFixture("CREATE TABLE t (a INT, c INT); INSERT INTO t VALUES (1, 1), (2, 2)")
        let bound = ReadRequest.LowerBound(column: "c", value: .int64(2), isInclusive: true)
        for target in [ReadRequest.Target.object("t"), .query("SELECT c, a FROM t")] {
            #expect(try fixture.read(ReadRequest(target, columns: ["a"], lowerBound: bound)).rows == [[.int64(2)]])
        }
    }

    @Test func aQueryThatRepeatsANameCanBeLimitedAndOrdered() throws {
        let fixture = try MySQLFixture("CREATE TABLE t (a INT, c INT); INSERT INTO t VALUES (1, 10), (3, 30), (2, 20)")
        let bound = ReadRequest.LowerBound(column: "a", value: .int64(2), isInclusive: true)
        let query = ReadRequest.Target.query("SELECT a, c, a FROM t -- three columns")
        let rows = try fixture.read(ReadRequest(query, order: ["a"], lowerBound: bound)).rows
        #expect(rows == [[.int64(2), .int64(20), .int64(2)], [.int64(3), .int64(30), .int64(3)]])
    }

    @Test func aThousandTiesAtTheLimitAreAllRead() throws {
        let fixture = try MySQLFixture(
            """
            SET time_zone = '+00:00';
            CREATE TABLE t (id INT PRIMARY KEY, c TIMESTAMP(6) NOT NULL, KEY (c));
            INSERT INTO t SELECT seq, '2024-01-02 03:04:05.678901' FROM seq_1_to_1000;
            INSERT INTO t VALUES (1001, '2024-01-02 03:04:05.678900'), (1002, '2024-01-02 03:04:05.678902')
            """)
        let limit = Value.instant(micros("2024-01-02T03:04:05.678901"))
        func count(_ isInclusive: Bool) throws -> Int {
            let bound = ReadRequest.LowerBound(column: "c", value: limit, isInclusive: isInclusive)
            return try fixture.read(ReadRequest(.object("t"), order: ["c", "id"], lowerBound: bound)).rows.count
        }
        #expect(try count(true) == 1_001)
        #expect(try count(false) == 1)
    }
}
