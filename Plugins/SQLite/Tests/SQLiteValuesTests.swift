// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import Testing

@Suite struct SQLiteValuesTests {
    /// One value that is stored in a column of one declaration.
    struct Stored: Sendable, CustomTestStringConvertible {
        let declaration: String
        let sql: String
        let value: Value

        init(_ declaration: String, _ sql: String, _ value: Value) {
            self.declaration = declaration
            self.sql = sql
            self.value = value
        }

        var testDescription: String { "\(sql) in \(declaration)" }
    }

    @Test(arguments: [
        Stored("INTEGER", "9223372036854775807", .int64(.max)),
        Stored("INTEGER", "-9223372036854775808", .int64(.min)), Stored("INTEGER", "'12'", .int64(12)),
        Stored("BOOLEAN", "1", .bool(true)), Stored("BOOLEAN", "0", .bool(false)), Stored("REAL", "3", .float64(3)),
        Stored("REAL", "0.1", .float64(0.1)), Stored("DECIMAL(9,2)", "12.5", .decimal("12.5")),
        Stored("DECIMAL", "9223372036854775807", .decimal("9223372036854775807")),
        Stored("DECIMAL", "1e300 * 0.0000001", .decimal("1" + String(repeating: "0", count: 293))),
        Stored("DECIMAL", "0.1 + 0.2", .decimal("0.30000000000000004")), Stored("TEXT", "5", .text("5")),
        Stored("TEXT", "'grüße 🐘'", .text("grüße 🐘")), Stored("TEXT", "''", .text("")),
        Stored("STRING", "'007'", .text("7")), Stored("BLOB", "x'00FF'", .bytes([0, 255])),
        Stored("BLOB", "x''", .bytes([])), Stored("DATE", "'2024-02-29'", .date(19_782)),
        Stored("TIME", "'12:34'", .time(45_240_000_000)),
        Stored("DATETIME", "'1970-01-01T00:00:01.5'", .timestamp(1_500_000)),
        Stored("DATETIME", "'1970-01-02'", .timestamp(86_400_000_000)),
        Stored("TIMESTAMPTZ", "'1970-01-01 01:00+01:00'", .instant(0)),
        Stored("JSON", "'{\"a\": 1.50}'", .json("{\"a\": 1.50}")), Stored("JSON", "12", .json("12")),
        Stored("INTEGER", "NULL", .null), Stored("TEXT", "NULL", .null),
    ])
    func aValueThatFitsIsExact(stored: Stored) throws {
        let fixture = try SQLiteFixture(
            "CREATE TABLE t (c \(stored.declaration)); INSERT INTO t VALUES (\(stored.sql))")
        let (rows, rejects) = try fixture.read(ReadRequest(.object("t")))
        #expect(rows == [[stored.value]])
        #expect(rejects == [])
    }

    /// One value that does not fit, how it is shown, and another that fits.
    struct Unfit: Sendable, CustomTestStringConvertible {
        let declaration: String
        let sql: String
        let shown: String
        let fitting: String

        init(_ declaration: String, _ sql: String, _ shown: String, fitting: String) {
            self.declaration = declaration
            self.sql = sql
            self.shown = shown
            self.fitting = fitting
        }

        var testDescription: String { "\(sql) in \(declaration)" }
    }

    @Test(arguments: [
        Unfit("INTEGER", "'abc'", "abc", fitting: "1"), Unfit("INTEGER", "1.5", "1.5", fitting: "1"),
        Unfit("INTEGER", "x'01'", "x'01'", fitting: "1"),
        Unfit("UNSIGNED BIG INT", "18446744073709551615", "1.8446744073709552e+19", fitting: "1"),
        Unfit("BOOLEAN", "2", "2", fitting: "1"), Unfit("BOOLEAN", "'true'", "true", fitting: "1"),
        Unfit("REAL", "9e999", "inf", fitting: "1"), Unfit("REAL", "'n/a'", "n/a", fitting: "1"),
        Unfit("DECIMAL", "'12,5'", "12,5", fitting: "1"), Unfit("DECIMAL", "-9e999", "-inf", fitting: "1"),
        Unfit("TEXT", "x'00'", "x'00'", fitting: "'a'"),
        Unfit("TEXT", "CAST(x'61FF' AS TEXT)", "a\u{FFFD}", fitting: "'a'"),
        Unfit("TEXT", "CAST(x'610062' AS TEXT)", "a\0b", fitting: "'a'"),
        Unfit("TEXT", "CAST(x'6162636465666768690062' AS TEXT)", "abcdefghi\0b", fitting: "'a'"),
        Unfit("BLOB", "'a'", "a", fitting: "x'00'"),
        Unfit("DATE", "'01/02/2024'", "01/02/2024", fitting: "'2024-01-02'"),
        Unfit("DATE", "20240102", "20240102", fitting: "'2024-01-02'"),
        Unfit("TIME", "'25:00'", "25:00", fitting: "'12:00'"),
        Unfit("DATETIME", "1704164645", "1704164645", fitting: "'2024-01-02 03:04:05'"),
        Unfit(
            "DATETIME", "'2024-01-02 03:04:05.1234567'", "2024-01-02 03:04:05.1234567", fitting: "'2024-01-02 03:04:05'"
        ),
        Unfit("JSON", "'{'", "{", fitting: "'{}'"),
    ])
    func aValueThatDoesNotFitRejectsItsRow(unfit: Unfit) throws {
        let fixture = try SQLiteFixture(
            """
            CREATE TABLE t (id INTEGER, c \(unfit.declaration));
            INSERT INTO t VALUES (1, \(unfit.fitting)), (2, \(unfit.sql)), (3, \(unfit.fitting))
            """)
        let (rows, rejects) = try fixture.read(ReadRequest(.object("t")))
        #expect(rows.map { $0[0] } == [.int64(1), .int64(2), .int64(3)])
        #expect(rows[1][1] == .null)
        #expect(rows[0][1] != .null && rows[2][1] == rows[0][1])
        let reject = try #require(rejects.first)
        #expect(rejects.count == 1 && reject.row == 1 && reject.column == "c")
        #expect(reject.value == unfit.shown)
        #expect(reject.message.hasPrefix("Row 2, column \"c\": "))
    }

    @Test func aRowWithTwoFaultsIsRejectedOnce() throws {
        let fixture = try SQLiteFixture("CREATE TABLE t (a INT, b INT); INSERT INTO t VALUES ('x', 'y')")
        let (rows, rejects) = try fixture.read(ReadRequest(.object("t")))
        #expect(rows == [[.null, .null]])
        #expect(rejects.map(\.column) == ["a"])
    }

    @Test func numbersAmongTextsAreTheirText() throws {
        let fixture = try SQLiteFixture(
            "CREATE TABLE t (c); INSERT INTO t VALUES ('a'), (12), (0.1 + 0.2), (5.0), (x'00')")
        let (rows, rejects) = try fixture.read(ReadRequest(.object("t")))
        #expect(rows.map { $0[0] } == [.text("a"), .text("12"), .text("0.30000000000000004"), .text("5.0"), .null])
        #expect(rejects.map(\.row) == [4])
    }

    @Test func anIntegerThatADoubleCannotHoldIsRejectedAmongDoubles() throws {
        let fixture = try SQLiteFixture(
            "CREATE TABLE t (c); INSERT INTO t VALUES (1.5), (9007199254740992), (9007199254740993)")
        let (rows, rejects) = try fixture.read(ReadRequest(.object("t")))
        #expect(rows.map { $0[0] } == [.float64(1.5), .float64(9_007_199_254_740_992), .null])
        #expect(rejects.map(\.value) == ["9007199254740993"])
    }

    @Test func aFileInUTF16IsReadAsUTF8() throws {
        let fixture = try SQLiteFixture(
            "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (c TEXT); INSERT INTO t VALUES ('grüße 🐘'), ('z')")
        #expect(try fixture.column(ReadRequest(.object("t"), order: ["c"])) == [.text("grüße 🐘"), .text("z")])
    }
}
