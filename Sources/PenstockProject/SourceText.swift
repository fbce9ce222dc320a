// SPDX-License-Identifier: Apache-2.0

/// The text of one file, by line, so that findings can show where they are.
///
/// Lines end where a YAML parser ends them: LF, CR, CRLF, NEL, LS and PS.
package struct SourceText: Sendable {
    /// The file, relative to the project's folder.
    package let file: String
    /// The text without a byte order mark.
    package let text: String
    /// The lines without their ends, as Unicode scalars: columns count these.
    let lines: [[Unicode.Scalar]]

    /// Decodes `bytes`.
    ///
    /// What is not UTF-8 is a finding at the first such byte; the text then has replacement characters there.
    package init(file: String, bytes: [UInt8], findings: inout Findings) {
        var bytes = bytes[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        self.init(file: file, text: String(decoding: bytes, as: UTF8.self))
        guard String(validating: bytes, as: UTF8.self) == nil else { return }
        let place = Self.firstInvalid(bytes)
        let isUTF16 = bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
        findings.error(
            .encoding, at: SourceSpan(file: file, line: place.line, column: place.column, length: 1),
            "the file is not UTF-8", suggestion: isUTF16 ? "this is UTF-16; save the file as UTF-8" : nil,
            notes: ["save it in the encoding UTF-8"])
    }

    /// A text that is already decoded.
    package init(file: String, text: String) {
        self.file = file
        self.text = text
        self.lines = Self.split(text)
    }

    /// How many lines there are; a text that ends with a line feed has an empty one behind it.
    package var lineCount: Int { lines.count }

    /// The line counted from 1, or an empty one.
    func line(_ number: Int) -> [Unicode.Scalar] {
        number >= 1 && number <= lines.count ? lines[number - 1] : []
    }

    private static func split(_ text: String) -> [[Unicode.Scalar]] {
        var lines: [[Unicode.Scalar]] = []
        var line: [Unicode.Scalar] = []
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n" where previous == "\r": break
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}":
                lines.append(line)
                line = []
            default: line.append(scalar)
            }
            previous = scalar
        }
        lines.append(line)
        return lines
    }

    private static func firstInvalid(_ bytes: ArraySlice<UInt8>) -> (line: Int, column: Int) {
        var iterator = bytes.makeIterator()
        var codec = UTF8()
        var place = (line: 1, column: 1)
        while case .scalarValue(let scalar) = codec.decode(&iterator) {
            place = scalar == "\n" ? (place.line + 1, 1) : (place.line, place.column + 1)
        }
        return place
    }
}
