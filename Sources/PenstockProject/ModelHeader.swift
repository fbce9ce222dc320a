// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What the comments in the first lines of a SQL file say.
struct ModelHeader {
    /// A text and where it stands.
    typealias Word = (text: String, span: SourceSpan)

    /// The connection, where one is named.
    var connection: Word?
    /// The columns of the key.
    var keys: [Word] = []
    /// What may have been meant by a word that is nearly one of ours, and where it stands.
    var misspelled: (word: String, span: SourceSpan)?
    /// Which lines say something of this, counted from 0.
    var lines: Set<Int> = []

    /// Nothing said.
    init() {}

    /// What the first lines of `source` say.
    init(_ source: SourceText) {
        for (index, line) in source.lines.enumerated() {
            guard let first = line.firstIndex(where: { !$0.properties.isWhitespace }) else { continue }
            guard line[first...].starts(with: ["-", "-"]) else { break }
            guard let colon = line[first...].firstIndex(of: ":") else { continue }
            let word = Self.token(line, first + 2, colon, source.file, index + 1)
            let value = Self.token(line, colon + 1, line.count, source.file, index + 1)
            switch word.text.lowercased() {
            case "connection":
                connection = value.text.isEmpty ? nil : value
                lines.insert(index)
            case "key":
                keys = Self.columns(line, colon + 1, source.file, index + 1)
                lines.insert(index)
            default:
                if let near = NearestName.of(word.text, in: ["connection"]) { misspelled = (near, word.span) }
            }
        }
    }

    private static func columns(
        _ line: [Unicode.Scalar], _ start: Int, _ file: String, _ number: Int
    ) -> [Word] {
        var result: [Word] = []
        var from = start
        for index in start...line.count where index == line.count || line[index] == "," {
            let item = token(line, from, index, file, number)
            if !item.text.isEmpty { result.append(item) }
            from = index + 1
        }
        return result
    }

    /// The text between two columns without white space around it.
    private static func token(
        _ line: [Unicode.Scalar], _ start: Int, _ end: Int, _ file: String, _ number: Int
    ) -> Word {
        var range = start..<max(start, end)
        while let first = range.first, line[first].properties.isWhitespace { range = (first + 1)..<range.upperBound }
        while let last = range.last, line[last].properties.isWhitespace { range = range.lowerBound..<last }
        let text = line[range].map(String.init).joined()
        let span = SourceSpan(file: file, line: number, column: range.lowerBound + 1, length: max(range.count, 1))
        return (text, span)
    }
}
