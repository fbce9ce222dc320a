// SPDX-License-Identifier: Apache-2.0

/// The lines of a YAML text with their ends, and the cuts that an editor makes in them.
///
/// Lines are counted from 1, columns from 0, both in Unicode scalars.
struct YAMLLines {
    private var lines: [[Unicode.Scalar]]
    /// What ends each line; the last one may have nothing.
    private var ends: [String]

    /// The lines of `text`.
    init(_ text: String) {
        lines = []
        ends = []
        var line: [Unicode.Scalar] = []
        var scalars = text.unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            switch scalar {
            case "\r" where scalars.first == "\n":
                scalars.removeFirst()
                end(&line, "\r\n")
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": end(&line, String(scalar))
            default: line.append(scalar)
            }
        }
        if !line.isEmpty { end(&line, "") }
    }

    private mutating func end(_ line: inout [Unicode.Scalar], _ end: String) {
        lines.append(line)
        ends.append(end)
        line = []
    }

    /// The whole text.
    var text: String {
        zip(lines, ends).map { line, end in String(String.UnicodeScalarView(line)) + end }.joined()
    }

    /// The scalars of a line; empty behind the last one.
    func scalars(_ number: Int) -> [Unicode.Scalar] { lines.indices.contains(number - 1) ? lines[number - 1] : [] }

    /// One scalar, or nil.
    func scalar(_ number: Int, _ column: Int) -> Unicode.Scalar? {
        let line = scalars(number)
        return line.indices.contains(column) ? line[column] : nil
    }

    // MARK: Lines

    /// The lines of a block map's entry: from its key to before what follows it.
    ///
    /// Blank lines and comments that stand before the next key belong to what follows.
    func extent(of entry: YAMLNode.Entry) -> Range<Int> {
        let first = entry.keySpan.line
        let indent = entry.keySpan.column - 1
        var end = first + 1
        var number = first + 1
        while number <= lines.count {
            let line = lines[number - 1]
            let depth = line.prefix { $0 == " " }.count
            let isBlank = line.allSatisfy { $0 == " " || $0 == "\t" }
            let isComment = depth < line.count && line[depth] == "#"
            // The dashes of a list may stand as far left as the key that it belongs to.
            let isDash =
                depth == indent && line.count > depth && line[depth] == "-"
                && (line.count == depth + 1 || line[depth + 1] == " ") && !entry.value.items.isEmpty
            if isBlank || (isComment && depth <= indent) {
                number += 1
                continue
            }
            guard depth > indent || isDash else { break }
            end = number + 1
            number += 1
        }
        return first..<end
    }

    /// Replaces whole lines.
    mutating func replace(_ range: Range<Int>, with new: [String]) {
        let end = newline
        let indices = (range.lowerBound - 1)..<min(range.upperBound - 1, lines.count)
        let isLast = indices.upperBound == lines.count
        let lastEnd = isLast ? ends.last ?? end : end
        lines.replaceSubrange(indices, with: new.map { Array($0.unicodeScalars) })
        ends.replaceSubrange(indices, with: new.indices.map { isLast && $0 == new.count - 1 ? lastEnd : end })
    }

    /// Puts lines before the line `number`, which may be the one behind the last.
    mutating func insert(_ new: [String], before number: Int) {
        let index = min(number - 1, lines.count)
        let end = newline
        if index > 0, index == lines.count, ends[index - 1].isEmpty { ends[index - 1] = end }
        lines.insert(contentsOf: new.map { Array($0.unicodeScalars) }, at: index)
        ends.insert(contentsOf: new.map { _ in end }, at: index)
    }

    /// Puts lines at the end.
    mutating func append(_ new: [String]) { insert(new, before: lines.count + 1) }

    private var newline: String { ends.first { !$0.isEmpty } ?? "\n" }

    // MARK: Within a line

    /// Replaces a piece of one line.
    mutating func replace(line number: Int, from column: Int, length: Int, with new: String) {
        guard lines.indices.contains(number - 1), column >= 0, column + length <= lines[number - 1].count else {
            return
        }
        lines[number - 1].replaceSubrange(column..<(column + length), with: Array(new.unicodeScalars))
    }

    /// Replaces the value that stands behind a key of a block map, where it ends on that line.
    mutating func replaceBehindKey(_ entry: YAMLNode.Entry, with new: String) -> Bool {
        let number = entry.value.span.line
        let line = scalars(number)
        guard let start = valueStart(entry), extent(of: entry).count == 1 else { return false }
        // Nothing stands there yet.
        guard start < line.count, line[start] != "#" else {
            let keyEnd = (line[..<min(start, line.count)].lastIndex { $0 != " " } ?? start) + 1
            replace(line: number, from: keyEnd, length: 0, with: " " + new)
            return true
        }
        guard let end = valueEnd(number, start, isInFlow: false), end.line == number else { return false }
        replace(line: number, from: start, length: end.column - start, with: new)
        return true
    }

    /// The comment behind the key or the value on the key's line, with the space before it.
    func trailingComment(_ number: Int, behind entry: YAMLNode.Entry) -> String {
        let line = scalars(number)
        guard let start = valueStart(entry) else { return "" }
        var column = start
        if start < line.count, line[start] != "#", line[start] != "|", line[start] != ">" {
            guard let end = valueEnd(number, start, isInFlow: false), end.line == number else { return "" }
            column = end.column
        }
        guard column < line.count, let hash = line[column...].firstIndex(of: "#"), hash > 0, line[hash - 1] == " "
        else {
            return ""
        }
        let from = line[..<hash].lastIndex { $0 != " " }.map { $0 + 1 } ?? hash
        return String(String.UnicodeScalarView(line[from...]))
    }

    /// Where the value on the key's own line begins: behind the colon and the spaces; nil without a colon.
    private func valueStart(_ entry: YAMLNode.Entry) -> Int? {
        let line = scalars(entry.keySpan.line)
        var column = entry.keySpan.column - 1 + entry.keySpan.length
        while column < line.count, line[column] == " " { column += 1 }
        guard column < line.count, line[column] == ":" else { return nil }
        column += 1
        while column < line.count, line[column] == " " { column += 1 }
        return column
    }

    // MARK: Flow maps

    /// Replaces the value of an entry of `{…}`.
    mutating func replaceInFlow(_ entry: YAMLNode.Entry, with new: String) -> Bool {
        guard let start = valueStart(entry), start < scalars(entry.keySpan.line).count,
            let end = valueEnd(entry.keySpan.line, start, isInFlow: true), end.line == entry.keySpan.line
        else { return false }
        replace(line: end.line, from: start, length: end.column - start, with: new)
        return true
    }

    /// Takes an entry of `{…}` away, with the comma that goes with it.
    mutating func removeFromFlow(_ entry: YAMLNode.Entry) -> Bool {
        let number = entry.keySpan.line
        guard let start = valueStart(entry), start < scalars(number).count,
            let end = valueEnd(number, start, isInFlow: true), end.line == number
        else { return false }
        let line = scalars(number)
        var from = entry.keySpan.column - 1
        var to = end.column
        while to < line.count, line[to] == " " { to += 1 }
        if to < line.count, line[to] == "," {
            to += 1
            while to < line.count, line[to] == " " { to += 1 }
        } else {
            to = end.column
            while from > 0, line[from - 1] == " " { from -= 1 }
            guard from > 0, line[from - 1] == "," else { return false }
            from -= 1
        }
        replace(line: number, from: from, length: to - from, with: "")
        return true
    }

    /// Adds an entry at the end of the `{…}` that begins at `span`.
    mutating func addToFlow(_ span: SourceSpan, _ entry: String, isFirst: Bool) -> Bool {
        guard let end = valueEnd(span.line, span.column - 1, isInFlow: true) else { return false }
        let line = scalars(end.line)
        // Behind the last value, before the spaces in front of the bracket.
        var column = end.column - 1
        while column > 0, line[column - 1] == " " { column -= 1 }
        guard column > 0 else { return false }
        let hasComma = line[column - 1] == ","
        replace(line: end.line, from: column, length: 0, with: isFirst ? entry : hasComma ? " " + entry : ", " + entry)
        return true
    }

    /// Where the value ends that begins at a place: the column behind it, and its line.
    private func valueEnd(_ number: Int, _ column: Int, isInFlow: Bool) -> (line: Int, column: Int)? {
        let line = scalars(number)
        guard column < line.count else { return nil }
        switch line[column] {
        case "{", "[": return bracketEnd(number, column)
        case "\"", "'": return quoteEnd(number, column)
        default:
            var end = column
            while end < line.count {
                if isInFlow, ",}]".unicodeScalars.contains(line[end]) { break }
                if line[end] == "#", end > column, line[end - 1] == " " { break }
                end += 1
            }
            while end > column, line[end - 1] == " " || line[end - 1] == "\t" { end -= 1 }
            return (number, end)
        }
    }

    private func bracketEnd(_ number: Int, _ column: Int) -> (line: Int, column: Int)? {
        var depth = 0
        var place = (line: number, column: column)
        while place.line <= lines.count {
            let line = scalars(place.line)
            guard place.column < line.count else {
                place = (place.line + 1, 0)
                continue
            }
            let scalar = line[place.column]
            let before = place.column > 0 ? line[place.column - 1] : " "
            switch scalar {
            case "{", "[": depth += 1
            case "}", "]": depth -= 1
            case "#" where before == " ":
                place = (place.line + 1, 0)
                continue
            case "\"", "'":
                // A quote within a plain text is an ordinary letter.
                if " {[,:".unicodeScalars.contains(before) {
                    guard let end = quoteEnd(place.line, place.column) else { return nil }
                    place = end
                    continue
                }
            default: break
            }
            place.column += 1
            if depth == 0 { return place }
        }
        return nil
    }

    private func quoteEnd(_ number: Int, _ column: Int) -> (line: Int, column: Int)? {
        guard let quote = scalar(number, column) else { return nil }
        var place = (line: number, column: column + 1)
        while place.line <= lines.count {
            let line = scalars(place.line)
            guard place.column < line.count else {
                place = (place.line + 1, 0)
                continue
            }
            let scalar = line[place.column]
            if scalar == "\\", quote == "\"" {
                place.column += 2
                continue
            }
            place.column += 1
            guard scalar == quote else { continue }
            if quote == "'", self.scalar(place.line, place.column) == "'" {
                place.column += 1
                continue
            }
            return place
        }
        return nil
    }
}
