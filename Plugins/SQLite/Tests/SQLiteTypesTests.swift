// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import SQLiteConnector
import Testing

@Suite struct SQLiteTypesTests {
    @Test(arguments: [
        ("INTEGER", DataType.int64), ("int", .int64), ("BIGINT", .int64), ("UNSIGNED BIG INT", .int64),
        ("TINYINT(1)", .int64), ("BOOLEAN", .bool), ("bool", .bool), ("DECIMAL(10,2)", .decimal),
        ("NUMERIC", .decimal), ("money", .decimal), ("NUMBER(9)", .decimal), ("REAL", .float64), ("FLOAT", .float64),
        ("DOUBLE PRECISION", .float64), ("VARCHAR(255)", .text), ("NATIVE CHARACTER(70)", .text), ("CLOB", .text),
        ("TEXT", .text), ("STRING", .text), ("UUID", .text), ("BLOB", .bytes), ("VARBINARY(16)", .bytes),
        ("DATE", .date), ("DATETIME", .timestamp), ("datetime(6)", .timestamp), ("TIMESTAMP", .timestamp),
        ("TIMESTAMPTZ", .instant), ("timestamp with time zone", .instant), ("TIME", .time), ("JSON", .json),
    ])
    func aDeclarationNamesItsType(declaration: String, type: DataType) throws {
        #expect(SQLiteTypes.declared(declaration) == type)
        let fixture = try SQLiteFixture("CREATE TABLE t (c \(declaration))")
        let field = try #require(try fixture.describe(ReadRequest(.object("t"))).fields.first)
        #expect(field.type == type)
        #expect(field.nativeType.uppercased() == declaration.uppercased())
    }

    @Test(arguments: ["", "INTERVAL", "POINT", "ANY", "GEOGRAPHY", "ENUM('INTEGER')", "TIMETZ"])
    func anyOtherDeclarationLeavesItToTheValues(declaration: String) {
        #expect(SQLiteTypes.declared(declaration) == nil)
    }

    @Test(arguments: [
        ("(1), (2), (NULL)", DataType.int64), ("(1), (2.5)", .float64), ("(2.5)", .float64), ("('a'), (NULL)", .text),
        ("(x'00')", .bytes), ("(1), ('a')", .text), ("(x'00'), ('a')", .text), ("(NULL)", .text),
    ])
    func withoutADeclarationTheValuesDecide(values: String, type: DataType) throws {
        let fixture = try SQLiteFixture("CREATE TABLE t (c); INSERT INTO t VALUES \(values)")
        #expect(try fixture.type(of: "c") == type)
        let query = ReadRequest(.query("SELECT coalesce(c, NULL) AS c FROM t"))
        #expect(try fixture.describe(query).fields.map(\.type) == [type])
    }

    @Test(arguments: [
        ("'2024-01-02 03:04:05'", DataType.timestamp), ("'2024-01-02T03:04Z'", .instant),
        ("1704164645", .int64), ("2460312.5", .float64), ("NULL", .timestamp),
    ])
    func aDateTimeColumnIsWhatAllItsValuesAre(value: String, type: DataType) throws {
        let fixture = try SQLiteFixture("CREATE TABLE t (c DATETIME); INSERT INTO t VALUES (\(value)), (NULL)")
        #expect(try fixture.type(of: "c") == type)
    }

    @Test func zonesInSomeValuesOnlyMakeNoInstant() throws {
        let fixture = try SQLiteFixture(
            "CREATE TABLE t (c DATETIME); INSERT INTO t VALUES ('2024-01-02 03:04:05'), ('2024-01-02 03:04:05Z')")
        let (rows, rejects) = try fixture.read(ReadRequest(.object("t")))
        #expect(rows == [[.timestamp(1_704_164_645_000_000)], [.null]])
        #expect(rejects.map(\.row) == [1])
        #expect(rejects[0].message.contains("time zone"))
    }

    @Test func aViewKeepsTheDeclarationsOfItsTable() throws {
        let fixture = try SQLiteFixture(
            """
            CREATE TABLE t (a DECIMAL(9,2), b TEXT);
            INSERT INTO t VALUES (1.5, 'x');
            CREATE VIEW v AS SELECT a AS money, b, a + 1 AS computed FROM t
            """)
        let schema = try fixture.describe(ReadRequest(.object("v")))
        #expect(schema.fields.map(\.type) == [.decimal, .text, .float64])
        #expect(schema.fields.map(\.nativeType) == ["DECIMAL(9,2)", "TEXT", ""])
    }

    @Test func aValueBeyondTheSampleRejectsItsRowOnly() throws {
        let fixture = try SQLiteFixture(
            """
            CREATE TABLE t (c);
            WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < \(SQLiteTypes.sampleRows))
            INSERT INTO t SELECT x FROM n;
            INSERT INTO t VALUES ('abc'), (5)
            """)
        let (rows, rejects) = try fixture.read(ReadRequest(.object("t")))
        #expect(rows.count == SQLiteTypes.sampleRows + 2)
        #expect(rows.last == [.int64(5)])
        #expect(rejects.map(\.row) == [SQLiteTypes.sampleRows])
        #expect(rejects.map(\.value) == ["abc"])
    }
}
