// SPDX-License-Identifier: Apache-2.0

/// How the bytes of a file are cut into records and fields.
package struct CSVDialect: Sendable, Hashable {
    /// The byte between two fields.
    package var delimiter = UInt8(ascii: ",")
    /// The byte around a quoted field, or nil where there are no quoted fields.
    package var quote: UInt8? = UInt8(ascii: "\"")
    /// Whether blanks around an unquoted field, and outside the quotes of a quoted one, are dropped.
    package var trims = false
    /// The longest record in bytes; a longer one is a reject.
    package var recordBytesMax = 16 << 20

    /// Commas, double quotes, nothing trimmed.
    package init() {}

    /// Whether `byte` is a blank that trimming drops.
    @inline(__always)
    func isBlank(_ byte: UInt8) -> Bool {
        (byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")) && byte != delimiter
    }
}

/// How the bytes of a file become characters.
package enum CSVEncoding: String, Sendable, Hashable, CaseIterable {
    /// UTF-8; what is not UTF-8 is a reject.
    case utf8 = "utf-8"
    /// ISO 8859-1; every byte is a character.
    case latin1 = "latin-1"
    /// Windows code page 1252; the five bytes it leaves undefined are rejects.
    case windows1252 = "windows-1252"

    /// The characters of code page 1252 from 0x80 to 0x9F; 0 where it has none.
    private static let windowsCharacters: [UInt16] = [
        0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
        0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
        0x0153, 0, 0x017E, 0x0178,
    ]

    /// Returns `bytes` as UTF-8.
    ///
    /// A byte that the encoding does not define is passed on as it is; it is then invalid UTF-8, and found as such.
    package func decode(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + bytes.count / 8)
        for byte in bytes {
            var character = UInt16(byte)
            if self == .windows1252, 0x80..<0xA0 ~= byte { character = Self.windowsCharacters[Int(byte) - 0x80] }
            switch character {
            case 0 where byte != 0: text.append(byte)
            case ..<0x80: text.append(UInt8(truncatingIfNeeded: character))
            case ..<0x800:
                text.append(0xC0 | UInt8(truncatingIfNeeded: character >> 6))
                text.append(0x80 | UInt8(truncatingIfNeeded: character & 0x3F))
            default:
                text.append(0xE0 | UInt8(truncatingIfNeeded: character >> 12))
                text.append(0x80 | UInt8(truncatingIfNeeded: character >> 6 & 0x3F))
                text.append(0x80 | UInt8(truncatingIfNeeded: character & 0x3F))
            }
        }
        return text
    }
}
