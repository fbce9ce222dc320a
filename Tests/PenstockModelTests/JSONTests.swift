// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Testing

@Suite struct JSONTests {
    @Test func aNumberKeepsTheTextItWasWrittenWith() throws {
        let text = #"{"id":9007199254740993,"amount":0.10,"big":1e400}"#
        #expect(try JSON(parsing: text).text == text)
    }

    @Test func escapesAndSurrogatePairsAreResolved() throws {
        let json = try JSON(parsing: #""a\"\\\/\n\u00e9\ud83d\ude00""#)
        #expect(json.stringValue == "a\"\\/\né😀")
    }

    @Test func controlCharactersAreEscapedWhenWritten() {
        #expect(JSON.string("\u{1}\n\u{1f}\"").text == #""\u0001\n\u001f\"""#)
    }

    @Test(
        "What is not JSON is refused with its place",
        arguments: [
            ("", 0), ("[1,]", 3), ("{\"a\":1,\"a\":2}", 10), ("01", 1), ("\"\\x\"", 3), ("[1] 2", 4),
            ("\"\\ud800\"", 7), ("nul", 3), ("{\"a\" 1}", 5), ("\"a\nb\"", 2), ("-", 1), ("1.", 2),
        ])
    func whatIsNotJSONIsRefused(text: String, offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSON(parsing: text) }
        #expect(error?.offset == offset)
    }

    @Test func invalidUTF8IsRefused() {
        #expect(throws: JSONError.self) { try JSON(parsing: [0x22, 0xC3, 0x28, 0x22]) }
    }

    @Test func nestingHasALimit() {
        let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        #expect(throws: JSONError.self) { try JSON(parsing: deep) }
    }
}
