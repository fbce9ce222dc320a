// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import Testing

@Suite struct SQLiteLowerBoundTests {
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

        var testDescription: String { declaration.isEmpty ? "no declaration, \(limit)" : declaration }
    }

    static let cases: [Limited] = [
        Limited(
            "INTEGER", .int64(10), below: ["-1", "9"], equal: ["10", "10"], above: ["11", "9223372036854775807"]),
        Limited(
            "INTEGER", .int64(9_007_199_254_740_993), below: ["9007199254740992"], equal: ["9007199254740993"],
            above: ["9007199254740994"]),
        Limited("BOOLEAN", .bool(true), below: ["0", "0"], equal: ["1", "1"], above: []),
        Limited(
            "REAL", .float64(0.1), below: ["-1e300", "0.0999"], equal: ["0.1", "0.1"], above: ["0.1000001", "2"]),
        Limited(
            "DECIMAL", .decimal("12.5"), below: ["2", "12.49"], equal: ["12.5", "12.5"], above: ["12.51", "100"]),
        Limited(
            "DECIMAL", .decimal("9007199254740995"), below: ["9007199254740994"], equal: ["9007199254740995"],
            above: ["9007199254740996"]),
        Limited("TEXT", .text("b"), below: ["''", "'B'", "'a'"], equal: ["'b'", "'b'"], above: ["'ba'", "'ä'"]),
        Limited("TEXT COLLATE NOCASE", .text("b"), below: ["'B'", "'C'"], equal: ["'b'"], above: ["'c'"]),
        Limited("STRING", .text("12"), below: ["1", "101"], equal: ["12", "12"], above: ["2", "'a'"]),
        Limited("", .text("5"), below: ["10", "'4'"], equal: ["5", "'5'"], above: ["5.5", "'a'"]),
        Limited("", .int64(5), below: ["4"], equal: ["5"], above: ["6"]),
        Limited(
            "DATE", .date(19_782), below: ["'0999-01-01'", "'2024-02-28'"], equal: ["'2024-02-29'", "'2024-02-29'"],
            above: ["'2024-03-01'"]),
        Limited(
            "TIME", .time(43_200_000_000), below: ["'09:00'", "'11:59:59.999'"], equal: ["'12:00'", "'12:00:00.0'"],
            above: ["'12:00:00.000001'"]),
        Limited(
            "DATETIME", .timestamp(1_704_164_645_000_000), below: ["'2024-01-02'", "'2024-01-02T03:04:04.999999'"],
            equal: ["'2024-01-02 03:04:05'", "'2024-01-02T03:04:05.000'"],
            above: ["'2024-01-02 03:04:05.000001'", "'2024-01-02T03:05'", "'2024-01-03'"]),
        Limited(
            "TIMESTAMPTZ", .instant(1_704_164_645_000_000),
            below: ["'2024-01-02 10:00:00+14:00'", "'2024-01-02T03:04:04Z'"],
            equal: ["'2024-01-02T03:04:05Z'", "'2024-01-01 17:04:05-10:00'"],
            above: ["'2024-01-02 03:04:06Z'", "'2024-01-01 23:00:00-10'"]),
    ]

    @Test(arguments: cases, [true, false])
    func aLimitReadsTiesAndNullsAndNothingBelow(limited: Limited, isInclusive: Bool) throws {
        let values = limited.above.reversed() + limited.below + ["NULL"] + limited.equal
        let rows = values.map { "(\($0))" }.joined(separator: ", ")
        let fixture = try SQLiteFixture(
            "CREATE TABLE t (c \(limited.declaration)); CREATE INDEX i ON t (c); INSERT INTO t VALUES \(rows)")
        let bound = ReadRequest.LowerBound(column: "c", value: limited.limit, isInclusive: isInclusive)
        let expected = 1 + limited.above.count + (isInclusive ? limited.equal.count : 0)
        for target in [
            ReadRequest.Target.object("t"), .query("SELECT * FROM t"),
            .query("SELECT c FROM t UNION ALL SELECT c FROM t WHERE 0"),
        ] {
            let result = try fixture.read(ReadRequest(target, order: ["c"], lowerBound: bound))
            #expect(result.rows.count == expected)
            #expect(result.rejects == [])
            #expect(result.rows.first == [.null])
            #expect(result.rows.contains([limited.limit]) == isInclusive)
        }
    }

    @Test(arguments: cases)
    func orderIsThatOfTheTypeWithNullsFirst(limited: Limited) throws {
        let sorted = limited.below + limited.equal + limited.above
        let rows = (sorted.reversed() + ["NULL"]).map { "(\($0))" }.joined(separator: ", ")
        let fixture = try SQLiteFixture("CREATE TABLE t (c \(limited.declaration)); INSERT INTO t VALUES \(rows)")
        let ordered = try fixture.column(ReadRequest(.object("t"), order: ["c"]))
        // In a table of its own each value says what it is as this type, one row after the other.
        try fixture.run("CREATE TABLE s (c \(limited.declaration))")
        for value in ["NULL"] + sorted { try fixture.run("INSERT INTO s VALUES (\(value))") }
        #expect(try ordered == fixture.column(ReadRequest(.object("s"))))
    }

    @Test func aLimitOnAColumnThatIsNotDeliveredHolds() throws {
        let fixture = try SQLiteFixture(
            "CREATE TABLE t (a INTEGER, c DATETIME); INSERT INTO t VALUES (1, '2024-01-01 00:00'), (2, '2024-01-02 00:00')"
        )
        let bound = ReadRequest.LowerBound(column: "c", value: .timestamp(1_704_153_600_000_000), isInclusive: true)
        for target in [ReadRequest.Target.object("t"), .query("SELECT c, a FROM t")] {
            #expect(try fixture.read(ReadRequest(target, columns: ["a"], lowerBound: bound)).rows == [[.int64(2)]])
        }
    }

    @Test(arguments: [
        ("INTEGER", "'abc'", "1", Value.int64(5)),
        ("DATETIME", "''", "'2024-01-02 03:04'", .timestamp(1_704_164_645_000_000)),
        ("DATETIME", "17", "'2024-01-02 03:04'", .timestamp(1_704_164_645_000_000)),
        ("DECIMAL", "'n/a'", "1", .decimal("5")),
        ("DATE", "'01/02/2024'", "'2024-01-02'", .date(19_782)),
    ])
    func aValueThatDoesNotFitIsReadPastALimitSoThatItIsRejected(
        declaration: String, unfit: String, below: String, limit: Value
    ) throws {
        let fixture = try SQLiteFixture(
            "CREATE TABLE t (c \(declaration)); INSERT INTO t VALUES (\(below)), (\(unfit))")
        let bound = ReadRequest.LowerBound(column: "c", value: limit, isInclusive: true)
        let result = try fixture.read(ReadRequest(.object("t"), lowerBound: bound))
        #expect(result.rows == [[.null]])
        #expect(result.rejects.count == 1)
    }

    @Test(arguments: [
        ("INTEGER", Value.text("5")), ("INTEGER", .null), ("TEXT", .int64(5)), ("BLOB", .bytes([1])),
        ("JSON", .json("1")),
        ("REAL", .float64(.nan)), ("DECIMAL", .decimal("abc")),
    ])
    func aLimitOfAnotherTypeIsRefused(declaration: String, limit: Value) throws {
        let fixture = try SQLiteFixture("CREATE TABLE t (c \(declaration))")
        let bound = ReadRequest.LowerBound(column: "c", value: limit, isInclusive: true)
        #expect(
            fixture.error { try fixture.describe(ReadRequest(.object("t"), lowerBound: bound)) }?.code == .badRequest)
    }

    @Test func aViewThatJoinsNumbersAndTextsComparesThemAsItDeliversThem() throws {
        let fixture = try SQLiteFixture(
            """
            CREATE TABLE n (c DECIMAL); CREATE TABLE s (c TEXT);
            INSERT INTO n VALUES (3); INSERT INTO s VALUES ('10');
            CREATE VIEW numbers AS SELECT c FROM s UNION ALL SELECT c FROM n;
            CREATE VIEW texts AS SELECT c FROM n UNION ALL SELECT c FROM s
            """)
        let number = ReadRequest.LowerBound(column: "c", value: .decimal("5"), isInclusive: true)
        #expect(try fixture.column(ReadRequest(.object("numbers"), lowerBound: number)) == [.decimal("10")])
        let text = ReadRequest.LowerBound(column: "c", value: .text("2"), isInclusive: true)
        #expect(try fixture.column(ReadRequest(.object("texts"), lowerBound: text)) == [.text("3")])
        let ordered = ReadRequest(.object("texts"), order: ["c"])
        #expect(try fixture.column(ordered) == [.text("10"), .text("3")])
    }

    @Test func textLimitsAreBytesInAFileOfUTF16Too() throws {
        let fixture = try SQLiteFixture(
            "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (c TEXT); INSERT INTO t VALUES ('ā'), ('b'), ('a')")
        let bound = ReadRequest.LowerBound(column: "c", value: .text("b"), isInclusive: true)
        let request = ReadRequest(.object("t"), order: ["c"], lowerBound: bound)
        #expect(try fixture.column(request) == [.text("b"), .text("ā")])
    }

    @Test func orderTakesSeveralColumns() throws {
        let fixture = try SQLiteFixture(
            "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (2, 'x'), (1, 'z'), (1, 'Z'), (NULL, 'y')")
        let rows = try fixture.read(ReadRequest(.object("t"), order: ["a", "b"])).rows
        #expect(rows.map { $0[1] } == [.text("y"), .text("Z"), .text("z"), .text("x")])
    }
}
