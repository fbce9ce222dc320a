// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import Testing

@Suite struct CSVRejectTests {
    private static let types: JSONObject = ["types": .object(["n": .string("integer")] as JSONObject)]

    @Test(
        "a broken record says where and why, and costs one row",
        arguments: [
            ("1\n", "", "line 2: there is 1 field, but the table has 2 columns."),
            ("1,2,3\n", "", "line 2: there are 3 fields, but the table has 2 columns."),
            ("1,\"x\ny\",3\n", "", "line 2: there are 3 fields, but the table has 2 columns."),
            ("1,a\0\n", "s", "line 2, column 2 (s): there is a NUL byte; remove it."),
            ("\"1\n\n\0\",a\n", "n", "line 4, column 1 (n): there is a NUL byte; remove it."),
            ("1,2,\0\n", "", "line 2, column 3: there is a NUL byte; remove it."),
            (
                "1,\"a\"b\n", "s",
                "line 2, column 2 (s): there is text after the closing quote; a quote inside a quoted field must be "
                    + "doubled."
            ),
            (
                "1,\"a\n", "s",
                "line 2, column 2 (s): the quote that opens here is not closed before the file ends."
            ),
        ])
    func aBrokenRecordSaysWhereAndWhy(record: String, column: String, message: String) throws {
        let rows = try Rows.of("n,s\n" + record + "7,end\n", Self.types)
        #expect(rows.messages == [message])
        #expect(rows.rejects.map(\.column) == [column])
        #expect(rows.rejects.map(\.row) == [0])
        #expect(rows.values == [[.null, .null], [.int64(7), .text("end")]])
    }

    @Test func bytesThatAreNotUTF8AreNamedWithTheirPlaceInTheFile() throws {
        let rows = try Rows.of([0xEF, 0xBB, 0xBF] + Array("n,s\n1,caf".utf8) + [0xE9, 0x0A] + Array("2,x\n".utf8))
        let message =
            "line 2, column 2 (s): the byte 0xE9, byte 13 of the file, is not UTF-8; if all of the file is so, "
            + "set encoding."
        #expect(rows.messages == [message])
        #expect(rows.values == [[.null, .null], [.text("2"), .text("x")]])
    }

    @Test(
        "a value that does not convert is NULL, and told",
        arguments: [
            ("integer", "x", "is not an integer"), ("integer", "1.5", "is not an integer"),
            ("integer", "9223372036854775808", "does not fit an integer of 64 bits"),
            ("decimal", "1e5", "is not a decimal number without an exponent"),
            ("number", "1e999", "is not a number that a 64-bit float can hold"),
            ("boolean", "maybe", "is not a boolean (true, false, t, f, yes, no, 1 or 0)"),
            ("date", "2023-02-29", "is not a date (YYYY-MM-DD)"),
            ("time", "25:00", "is not a time (HH:MM[:SS[.ffffff]])"),
            (
                "timestamp", "2023-01-01 00:00Z",
                "is not a timestamp (YYYY-MM-DD HH:MM[:SS[.ffffff]], without a zone)"
            ),
            (
                "instant", "2023-01-01 00:00",
                "is not an instant (YYYY-MM-DD HH:MM[:SS[.ffffff]] with Z or an offset)"
            ),
            ("json", "{", "is not JSON"),
        ])
    func aValueThatDoesNotConvertIsTold(type: String, value: String, complaint: String) throws {
        let settings: JSONObject = ["types": .object(["v": .string(type)] as JSONObject)]
        let rows = try Rows.of("k,v\n\"a\nb\",\(value)\nc,\n", settings)
        #expect(rows.values == [[.text("a\nb"), .null], [.text("c"), .null]])
        let message = "line 3, column 2 (v): \"\(value)\" \(complaint)."
        #expect(rows.rejects == [SourceReject(row: 0, column: "v", value: value, message: message)])
    }

    @Test func aRowHasOneRejectHoweverManyValuesAreBad() throws {
        let settings: JSONObject = ["types": .object(["a": .string("date"), "b": .string("time")] as JSONObject)]
        let rows = try Rows.of("a,b,c\nx,y,z\n", settings)
        #expect(rows.rejects.map(\.column) == ["a"])
        #expect(rows.values == [[.null, .null, .text("z")]])
    }

    @Test func aColumnThatIsNotReadIsNotConverted() throws {
        #expect(try Rows.of("n,s\nx,y\n", Self.types, columns: ["s"]).rejects.isEmpty)
    }

    @Test func aShownValueIsCutAndHasNoLineEnds() throws {
        let rows = try Rows.of("n,s\n\"\(String(repeating: "é", count: 90))\",\n\"a\"\"\n\t\",\n", Self.types)
        #expect(rows.rejects.map(\.value) == [String(repeating: "é", count: 80) + "…", "a\"\\n\\t"])
        #expect(rows.messages.last == "line 3, column 1 (n): \"a\"\\n\\t\" is not an integer.")
    }

    @Test func anEndlessQuoteIsToldAndTheNextLinesAreRead() throws {
        let filler = String(repeating: "2,some text to fill the file with\n", count: 600_000)
        let rows = try Rows.of("n,s\n1,\"x\n" + filler, Self.types)
        let message = "record too long: a quote that opened at line 2 is probably not closed."
        #expect(rows.messages == [message])
        #expect(rows.values.count == 600_001)
        #expect(rows.values[0] == [.null, .null])
        #expect(rows.values[600_000] == [.int64(2), .text("some text to fill the file with")])
    }
}
