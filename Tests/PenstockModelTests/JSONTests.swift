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

    /// Texts are written in pieces; the plain way looks at every byte.
    @Test func textsAreWrittenAsByteAfterByte() throws {
        func plain(_ bytes: [UInt8]) -> [UInt8] {
            var out: [UInt8] = [UInt8(ascii: "\"")]
            for byte in bytes {
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
                case 0x0A: out += Array("\\n".utf8)
                case 0x0D: out += Array("\\r".utf8)
                case 0x09: out += Array("\\t".utf8)
                case 0..<0x20:
                    out +=
                        Array("\\u00".utf8) + Array((byte < 16 ? "0" : "").utf8) + Array(String(byte, radix: 16).utf8)
                default: out.append(byte)
                }
            }
            return out + [UInt8(ascii: "\"")]
        }
        let letters = Array("abc\"\\\n\r\t\u{0}\u{1f}\u{7f}é€😀 /")
        for length in Array(0..<40) + [100, 1_000] {
            let text = String((0..<length).map { _ in letters.randomElement() ?? "a" })
            let bytes = Array(text.utf8)
            func written(_ write: (inout [UInt8]) -> Void) -> [UInt8] {
                var out = Array("before".utf8)
                write(&out)
                return Array(out.dropFirst(6))
            }
            #expect(written { JSON.writeString(text.utf8, into: &$0) } == plain(bytes))
            #expect(written { JSON.writeString(bytes, into: &$0) } == plain(bytes))
            #expect(written { JSON.writeString(bytes[...], into: &$0) } == plain(bytes))
            // No bytes in one piece.
            #expect(written { JSON.writeString(AnySequence(bytes.lazy.map { $0 }), into: &$0) } == plain(bytes))
            #expect(try JSON(parsing: plain(bytes)).stringValue == text)
        }
    }
}
