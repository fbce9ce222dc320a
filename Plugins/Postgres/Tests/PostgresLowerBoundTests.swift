// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import DatabaseServers
import Testing

@Suite(PostgresServer.isThere) struct PostgresLowerBoundTests {
    /// A column's values in ascending order of their meaning, and a limit among them.
    struct Limited: Sendable, CustomTestStringConvertible {
        let native: String
        let below: [String]
        let equal: [String]
        let above: [String]
        let limit: Value

        init(_ native: String, _ limit: Value, below: [String], equal: [String], above: [String]) {
            self.native = native
            self.below = below
            self.equal = equal
            self.above = above
            self.limit = limit
        }

        var testDescription: String { "\(native), \(limit)" }
    }

    static let cases: [Limited] = [
        Limited("smallint", .int64(10), below: ["-1", "9"], equal: ["10", "10"], above: ["11", "32767"]),
        Limited("int", .int64(5_000_000_000), below: ["2147483647"], equal: [], above: []),
        Limited(
            "bigint", .int64(9_007_199_254_740_993), below: ["9007199254740992"], equal: ["9007199254740993"],
            above: ["9007199254740994"]),
        Limited("oid", .int64(3_000_000_000), below: ["7"], equal: ["3000000000"], above: ["4294967295"]),
        Limited(
            "numeric", .decimal("12.50"), below: ["-1", "12.4999999999999999999"], equal: ["12.5", "12.500"],
            above: ["12.5000000000000000001"]),
        Limited("money", .decimal("12.50"), below: ["12.49"], equal: ["12.5"], above: ["12.51"]),
        Limited("real", .float64(0.1), below: ["0.09999999"], equal: ["0.1"], above: ["0.10000001", "1"]),
        Limited(
            "float8", .float64(0.1), below: ["0.09999999999999999"], equal: ["0.1"], above: ["0.10000000000000002"]),
        Limited("bool", .bool(true), below: ["false"], equal: ["true"], above: []),
        Limited(
            "text COLLATE \"en-x-icu\"", .text("b"), below: ["''", "'B'", "'a'"], equal: ["'b'"],
            above: ["'ba'", "'ä'", "'世'", "'😀'"]),
        Limited("text", .text("it's \\"), below: ["'it'"], equal: ["'it''s \\'"], above: ["'it''s \\a'"]),
        Limited("varchar(9)", .text("b"), below: ["'B'"], equal: ["'b'"], above: ["'b '"]),
        Limited("char(3)", .text("a  "), below: ["E'a\\x01'"], equal: ["'a'"], above: ["'a!'", "'b'"]),
        Limited("mood", .text("good"), below: ["'bad'"], equal: ["'good'"], above: ["'so so'"]),
        Limited(
            "uuid", .text("a0000000-0000-0000-0000-000000000000"), below: ["'9fffffff-ffff-ffff-ffff-ffffffffffff'"],
            equal: ["'a0000000-0000-0000-0000-000000000000'"], above: ["'a0000000-0000-0000-0000-000000000001'"]),
        Limited(
            "uuid", .text("b"), below: ["'afffffff-0000-0000-0000-000000000000'"], equal: [],
            above: ["'b0000000-0000-0000-0000-000000000000'"]),
        Limited("inet", .text("10.0.0.2"), below: ["'10.0.0.10'"], equal: ["'10.0.0.2'"], above: ["'9.0.0.1'"]),
        Limited(
            "date", .date(19_782), below: ["'0044-03-15 BC'", "'2024-02-28'"], equal: ["'2024-02-29'"],
            above: ["'2024-03-01'", "'5874897-12-31'"]),
        Limited(
            "date", .date(-735_160), below: ["'0045-01-01 BC'"], equal: ["'0044-03-15 BC'"], above: ["'0001-01-01'"]),
        Limited("date", .date(.min), below: [], equal: [], above: ["'4714-11-24 BC'", "'today'"]),
        Limited(
            "time", .time(43_200_000_000), below: ["'11:59:59.999999'"], equal: ["'12:00'"],
            above: ["'12:00:00.000001'"]),
        Limited(
            "timestamp", .timestamp(1_704_164_645_000_001), below: ["'2024-01-02 03:04:05'"],
            equal: ["'2024-01-02 03:04:05.000001'"], above: ["'2024-01-02 03:04:05.000002'", "'294276-12-31'"]),
        Limited("timestamp", .timestamp(.min), below: [], equal: [], above: ["'4714-11-24 BC'", "'now'"]),
        Limited(
            "timestamptz", .instant(1_729_989_000_000_001), below: ["'2024-10-27 02:30+02'"],
            equal: ["'2024-10-27 02:30:00.000001+02'"],
            above: ["'2024-10-27 02:30:00.000002+02'", "'2024-10-27 02:30+01'"]),
        Limited(
            "timestamptz", .instant(-62_167_219_200_000_001), below: ["'0002-01-01 BC'"], equal: [], above: ["'epoch'"]),
    ]

    private static let prelude = "CREATE TYPE mood AS ENUM ('so so', 'good', 'bad');"

    @Test(arguments: cases)
    func aLimitSplitsTheValuesWhereItSays(limited: Limited) throws {
        let values = limited.below + limited.equal + limited.above
        let rows = values.enumerated().map { "(\($0.offset), \($0.element))" } + ["(-1, NULL)"]
        let fixture = try PostgresFixture(
            """
            \(Self.prelude) CREATE TABLE t (place int, v \(limited.native)); CREATE INDEX ON t (v);
            INSERT INTO t VALUES \(rows.reversed().joined(separator: ", "))
            """)
        for target in [ReadRequest.Target.object("t"), .query("SELECT place, v FROM t WHERE place > -2")] {
            for isInclusive in [true, false] {
                let bound = ReadRequest.LowerBound(column: "v", value: limited.limit, isInclusive: isInclusive)
                let request = ReadRequest(target, columns: ["place"], order: ["v", "place"], lowerBound: bound)
                let first = limited.below.count + (isInclusive ? 0 : limited.equal.count)
                let expected = (first..<max(first, values.count)).map { Value.int64(Int64($0)) } + [.int64(-1)]
                #expect(try fixture.column(request) == expected, "\(target), inclusive \(isInclusive)")
            }
        }
    }

    @Test func aColumnThatIsNeverNullCanUseItsIndex() throws {
        let fixture = try PostgresFixture(
            """
            CREATE TABLE t (id int, at timestamptz NOT NULL); CREATE INDEX ON t (at);
            INSERT INTO t SELECT n, timestamptz '2024-01-01 00:00Z' + n * interval '1 s' FROM generate_series(1, 9) n
            """)
        let bound = ReadRequest.LowerBound(column: "at", value: .instant(1_704_067_207_000_000), isInclusive: false)
        let request = ReadRequest(.object("t"), columns: ["id"], order: ["at"], lowerBound: bound, rowsMax: 1)
        #expect(try fixture.column(request) == [.int64(8)])
    }

    @Test(
        arguments: [
            ("id", .text("1")), ("id", .decimal("1")), ("doc", .json("{}")), ("raw", .bytes([1])),
            ("n", .decimal("1; DROP")),
            ("n", .decimal("NaN")), ("name", .text("a\0b")),
        ] as [(String, Value)])
    func aLimitThatDoesNotFitItsColumnIsRefused(column: String, value: Value) throws {
        let fixture = try PostgresFixture("CREATE TABLE t (id int, doc json, raw bytea, n numeric, name text)")
        let bound = ReadRequest.LowerBound(column: column, value: value, isInclusive: true)
        let request = ReadRequest(.object("t"), lowerBound: bound)
        for attempt in [
            fixture.error { try fixture.describe(request) }, fixture.error { try fixture.source().read(request) },
        ] {
            #expect(attempt?.code == .badRequest)
            #expect(attempt?.field == column)
        }
    }

    @Test func aThousandTiesAreAllReadAndNoneTwice() throws {
        let fixture = try PostgresFixture(
            """
            CREATE TABLE t (id int PRIMARY KEY, at timestamptz); CREATE INDEX ON t (at);
            INSERT INTO t SELECT n, '2024-06-01 12:00:00.123456Z' FROM generate_series(1, 1000) n;
            INSERT INTO t SELECT n, '2024-06-01 12:00:00.123455Z' FROM generate_series(1001, 1100) n;
            INSERT INTO t SELECT n, '2024-06-01 12:00:00.123457Z' FROM generate_series(1101, 1200) n
            """)
        func ids(isInclusive: Bool) throws -> [Value] {
            let bound = ReadRequest.LowerBound(
                column: "at", value: .instant(1_717_243_200_123_456), isInclusive: isInclusive)
            return try fixture.column(
                ReadRequest(.object("t"), columns: ["id"], order: ["at", "id"], lowerBound: bound, batchRowsMax: 7))
        }
        #expect(try ids(isInclusive: true) == ((1...1000).map { .int64($0) } + (1101...1200).map { .int64($0) }))
        #expect(try ids(isInclusive: false) == (1101...1200).map { .int64($0) })
    }

    @Test func anySortOfColumnCanBeOrderedBy() throws {
        let fixture = try PostgresFixture(
            """
            CREATE TABLE t (a json, b bytea, c int[], d point, e interval);
            INSERT INTO t VALUES ('2', '\\x02', '{2}', '(2,0)', '2 s'), ('1', '\\x01', '{1}', '(1,0)', '1 s')
            """)
        for column in ["a", "b", "c", "d", "e"] {
            let values = try fixture.column(ReadRequest(.object("t"), columns: ["a"], order: [column]))
            #expect(values == [.json("1"), .json("2")], "\(column)")
        }
    }
}
