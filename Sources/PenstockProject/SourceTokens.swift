// SPDX-License-Identifier: Apache-2.0

import Yams

extension SourceText {
    /// The place of a scalar that begins at `line` and `column`, as long as it is on that line.
    func span(of text: String, style: Node.Scalar.Style, line: Int, column: Int) -> SourceSpan {
        let rest = self.line(line).dropFirst(max(column - 1, 0))
        let length: Int
        switch style {
        case .singleQuoted, .doubleQuoted: length = tokenLength(line, column)
        case .literal, .folded: length = 1
        default:
            let wanted = Array(text.unicodeScalars)
            length = rest.starts(with: wanted) ? wanted.count : plainLength(rest)
        }
        return SourceSpan(file: file, line: line, column: column, length: max(length, 1))
    }

    /// How long the quoted or plain text is that begins at `column`, or one column before it where that is a quote.
    func tokenLength(_ line: Int, _ column: Int) -> Int {
        let scalars = self.line(line)
        var start = max(column - 1, 0)
        guard start < scalars.count else { return 1 }
        if start > 0, scalars[start] != "\"", scalars[start] != "'",
            scalars[start - 1] == "\"" || scalars[start - 1] == "'"
        {
            start -= 1
        }
        let quote = scalars[start]
        guard quote == "\"" || quote == "'" else {
            let end = scalars[start...].firstIndex { ":,}]".unicodeScalars.contains($0) } ?? scalars.count
            return max(end - start, 1)
        }
        var index = start + 1
        while index < scalars.count {
            if scalars[index] == "\\", quote == "\"" {
                index += 2
                continue
            }
            if scalars[index] == quote {
                let isEscape = quote == "'" && index + 1 < scalars.count && scalars[index + 1] == "'"
                guard isEscape else { return index - start + 1 }
                index += 1
            }
            index += 1
        }
        return scalars.count - start
    }

    private func plainLength(_ rest: ArraySlice<Unicode.Scalar>) -> Int {
        var end = rest.endIndex
        for index in rest.indices where rest[index] == "#" && index > rest.startIndex && rest[index - 1] == " " {
            end = index
            break
        }
        return rest[..<end].reversed().drop { $0 == " " || $0 == "\t" }.count
    }

    /// The place of `part` at or after the start of `span`, its `occurrence`th one; nil where it is not written so.
    func place(of part: String, occurrence: Int, from span: SourceSpan) -> SourceSpan? {
        let wanted = Array(part.unicodeScalars)
        guard span.line > 0, span.line <= lines.count, !wanted.isEmpty else { return nil }
        var seen = 0
        for number in span.line...lines.count {
            let scalars = lines[number - 1]
            let first = number == span.line ? max(span.column - 1, 0) : 0
            guard scalars.count >= wanted.count + first else { continue }
            for start in first...(scalars.count - wanted.count) where scalars[start...].starts(with: wanted) {
                if seen == occurrence {
                    return SourceSpan(file: file, line: number, column: start + 1, length: wanted.count)
                }
                seen += 1
            }
        }
        return nil
    }
}
