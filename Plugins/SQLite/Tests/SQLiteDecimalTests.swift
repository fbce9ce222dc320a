// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import Foundation
import SQLiteConnector
import Testing

@Suite struct SQLiteDecimalTests {
    private func decimal(_ text: String) throws -> SQLiteDecimal { try #require(SQLiteDecimal(text.utf8)) }

    @Test(arguments: [
        ("12.50", "12.50"), ("-0.5", "-0.5"), ("+7", "7"), (".5", "0.5"), ("5.", "5"), ("007.10", "7.10"), ("0", "0"),
        ("-0.0", "0.0"), ("1e3", "1000"), ("1.5E+21", "1500000000000000000000"), ("1e-07", "0.0000001"),
        ("12.345e1", "123.45"), ("99999999999999999999999999.99", "99999999999999999999999999.99"),
    ])
    func theDigitsAreKeptAndTheExponentIsWrittenOut(written: String, text: String) throws {
        #expect(try decimal(written).text == text)
    }

    @Test(arguments: ["", "-", ".", "1,5", " 1", "1 ", "abc", "0x10", "1e", "1e999", "--1", "1.2.3", "Infinity"])
    func whatIsNoNumberIsNone(text: String) {
        #expect(SQLiteDecimal(text.utf8) == nil)
    }

    @Test(arguments: [
        ("1", "2"), ("-2", "-1"), ("-1", "0"), ("9.99", "10"), ("0.10", "0.2"),
        ("9007199254740992", "9007199254740993"),
        ("1.00000000000000000001", "1.00000000000000000002"), ("-10", "9"),
    ])
    func orderIsExact(smaller: String, larger: String) throws {
        #expect(try decimal(smaller) < decimal(larger))
        #expect(try !(decimal(larger) < decimal(smaller)))
    }

    @Test func zerosAtTheEndDoNotCount() throws {
        #expect(try decimal("1.5") == decimal("1.500"))
        #expect(try decimal("0") == decimal("-0.00"))
    }

    @Test func doublesOfADecimalColumnAreTheirShortestText() throws {
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
        var state = seed
        func random() -> Int64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int64(bitPattern: state ^ state >> 29) >> Int64(state >> 33 % 50)
        }
        let doubles = (0..<2_000).map { Double(random()) / [1, 10, 100, 1_000, 3][$0 % 5] }
        let fixture = try SQLiteFixture("CREATE TABLE t (id INTEGER PRIMARY KEY, a DECIMAL(20,4))")
        // A text with an exponent keeps a whole number from being stored as an integer.
        let values = doubles.enumerated().map { "(\($0), CAST('\($1)' AS REAL))" }
        try fixture.run("INSERT INTO t VALUES \(values.joined(separator: ","))")
        let rows = try fixture.read(ReadRequest(.object("t"), columns: ["a"], order: ["id"])).rows
        for (row, double) in doubles.enumerated() {
            // A whole number that fits 64 bits is stored as an integer in such a column.
            let integer = Int64(exactly: double).map { Value.decimal(String($0)) }
            let text = try #require(SQLiteDecimal("\(double)".utf8)).text
            #expect(rows[row] == [.decimal(text)] || rows[row][0] == integer, "PENSTOCK_SEED=\(seed): \(double)")
        }
    }
}
