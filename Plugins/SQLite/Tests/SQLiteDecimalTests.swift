// SPDX-License-Identifier: Apache-2.0

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
}
