// SPDX-License-Identifier: Apache-2.0

/// Writes findings the way a compiler does: a GNU style first line, the excerpt, carets, notes.
package struct DiagnosticRenderer: Sendable {
    private let sources: [String: SourceText]
    private static let gutter = "      "
    private static let hintColumn = 68
    private static let tabWidth = 4
    private static let excerptWidth = 160

    /// A renderer that takes its excerpts from `sources`, by file.
    package init(sources: [String: SourceText]) { self.sources = sources }

    /// All findings with a blank line between them, and the summary; no line feed at the end.
    package func render(_ diagnostics: [Diagnostic]) -> String {
        var hinted: Set<String> = []
        let masks = diagnostics.flatMap(\.masks)
        let blocks = diagnostics.map { diagnostic in
            let isFirst = hinted.isEmpty && DiagnosticCode(rawValue: diagnostic.code) != nil
            if isFirst { hinted.insert(diagnostic.code) }
            return render(diagnostic, hint: isFirst, masks: masks)
        }
        return (blocks + [Diagnostic.summary(diagnostics)]).joined(separator: "\n\n")
    }

    /// One finding; with `hint`, its last line names the command that explains the code.
    package func render(_ diagnostic: Diagnostic, hint: Bool = false) -> String {
        render(diagnostic, hint: hint, masks: diagnostic.masks)
    }

    private func render(_ diagnostic: Diagnostic, hint: Bool, masks: [SourceSpan]) -> String {
        let place = diagnostic.line > 0 ? ":\(diagnostic.line):\(diagnostic.column)" : ""
        var lines = [
            "\(diagnostic.file)\(place): \(diagnostic.severity.rawValue)[\(diagnostic.code)]: \(diagnostic.message)"
        ]
        if diagnostic.line > 0, let source = sources[diagnostic.file] {
            lines += excerpt(diagnostic, source, masks)
        } else if let suggestion = diagnostic.suggestion {
            lines.append("\(Self.gutter)= \(suggestion)")
        }
        lines += diagnostic.notes.map { "\(Self.gutter)= \($0)" }
        guard hint else { return lines.joined(separator: "\n") }
        let command = "penstock explain \(diagnostic.code)"
        let last = lines[lines.count - 1]
        let width = DisplayWidth.width(last)
        if lines.count > 1, !diagnostic.notes.isEmpty, width < Self.hintColumn {
            lines[lines.count - 1] = last + String(repeating: " ", count: Self.hintColumn - width) + command
        } else {
            lines.append("\(Self.gutter)= \(command)")
        }
        return lines.joined(separator: "\n")
    }

    private func excerpt(_ diagnostic: Diagnostic, _ source: SourceText, _ masks: [SourceSpan]) -> [String] {
        let line = masked(diagnostic.line, source, masks)
        var result: [String] = []
        let before = masked(diagnostic.line - 1, source, masks)
        if let outer = indentation(before), let inner = indentation(line), outer < inner {
            result.append(numbered(diagnostic.line - 1, Self.shown(before).text))
        }
        let shown = Self.shown(line)
        let end = shown.columns.count - 1
        let start = min(max(diagnostic.column - 1, 0), end)
        let stop = min(start + max(diagnostic.length, 1), end)
        let from = shown.columns[start]
        let carets = max(shown.columns[stop] - from, 1)
        let window = Self.window(shown.text, around: from)
        result.append(numbered(diagnostic.line, window.text))
        let suggestion = diagnostic.suggestion.map { " \($0)" } ?? ""
        let indent = String(repeating: " ", count: max(from - window.dropped, 0))
        let marks = String(repeating: "^", count: min(carets, Self.excerptWidth))
        result.append("\(Self.gutter)│ \(indent)\(marks)\(suggestion)")
        return result
    }

    /// A line without the secrets in it.
    private func masked(_ number: Int, _ source: SourceText, _ masks: [SourceSpan]) -> [Unicode.Scalar] {
        var line = SecretMask.masked(source.line(number))
        for mask in masks where mask.file == source.file && mask.line == number {
            let start = min(mask.column - 1, line.count)
            for index in start..<min(start + mask.length, line.count) { line[index] = "•" }
        }
        return line
    }

    /// How far a line is indented, or nil for a line that says nothing.
    private func indentation(_ line: [Unicode.Scalar]) -> Int? {
        guard let first = line.firstIndex(where: { $0 != " " && $0 != "\t" }), line[first] != "#" else { return nil }
        return first
    }

    private func numbered(_ line: Int, _ text: String) -> String {
        let number = String(line)
        let padding = String(repeating: " ", count: max(5 - number.count, 0))
        return "\(padding)\(number) │ \(text)"
    }

    /// The line as a terminal may show it, and for every scalar (and the end) the column at which it starts.
    private static func shown(_ line: [Unicode.Scalar]) -> (text: String, columns: [Int]) {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: line)
        var text = ""
        var columns: [Int] = []
        var column = 0
        for character in String(view) {
            columns += Array(repeating: column, count: character.unicodeScalars.count)
            if character == "\t" {
                let width = tabWidth - column % tabWidth
                text += String(repeating: " ", count: width)
                column += width
            } else if character.unicodeScalars.first?.properties.generalCategory == .control {
                text += "\u{FFFD}"
                column += 1
            } else {
                text.append(character)
                column += DisplayWidth.width(character)
            }
        }
        return (text, columns + [column])
    }

    /// A part of a very long line, with what was cut off on the left counted in columns.
    private static func window(_ text: String, around column: Int) -> (text: String, dropped: Int) {
        guard text.count > excerptWidth else { return (text, 0) }
        var dropped = 0
        var rest = Substring(text)
        while dropped < column - excerptWidth / 2, let first = rest.first {
            dropped += DisplayWidth.width(first)
            rest = rest.dropFirst()
        }
        let isCut = rest.count > excerptWidth
        let shown = (dropped > 0 ? "…" : "") + String(rest.prefix(excerptWidth)) + (isCut ? "…" : "")
        return (shown, dropped > 0 ? dropped - 1 : 0)
    }
}
