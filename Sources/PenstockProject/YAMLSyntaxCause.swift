// SPDX-License-Identifier: Apache-2.0

import Yams

/// Says of a YAML syntax error where it is and what is the likely cause.
struct YAMLSyntaxCause {
    private let source: SourceText

    init(_ source: SourceText) { self.source = source }

    /// The finding for an error that Yams threw.
    func diagnostic(_ error: any Error) -> Diagnostic {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _):
            return diagnostic(problem, mark, context?.mark)
        case YamlError.composer(_, let problem, let mark, _):
            let length = source.tokenLength(mark.line, mark.column)
            return Diagnostic(
                .error, DiagnosticCode.syntax.rawValue, at: span(mark.line, mark.column, length), problem,
                suggestion: problem.contains("alias") ? quoteHint("*") : nil)
        case YamlError.reader(let problem, _, _, _):
            let place = controlCharacter() ?? span(1, 1, 1)
            return Diagnostic(.error, DiagnosticCode.syntax.rawValue, at: place, problem)
        default:
            return Diagnostic(.error, DiagnosticCode.syntax.rawValue, at: span(1, 1, 1), "the file is not YAML")
        }
    }

    private func diagnostic(_ problem: String, _ mark: Mark, _ context: Mark?) -> Diagnostic {
        if let tab = tab(mark.line) {
            return Diagnostic(
                .error, DiagnosticCode.tab.rawValue, at: tab, "a tab in the indentation",
                suggestion: "YAML is indented with spaces")
        }
        if let reference = reference(mark) {
            return syntax(reference.span, problem, "inside { } and [ ] a reference is quoted: \"\(reference.text)\"")
        }
        let isUnclosed = problem.contains("expected ',' or") || problem.contains("unexpected end of stream")
        let places = isUnclosed ? [context, mark] : [mark, context]
        for place in places.prefix(isUnclosed ? 1 : 2).compactMap({ $0 }) {
            if let cause = cause(place) { return syntax(cause.span, problem, cause.hint) }
        }
        let place = (isUnclosed ? context : nil) ?? mark
        let scalar = character(place.line, place.column)
        return syntax(span(place.line, place.column, 1), problem, unclosedHint(scalar, isUnclosed) ?? hint(problem))
    }

    private func syntax(_ span: SourceSpan, _ problem: String, _ hint: String?) -> Diagnostic {
        Diagnostic(.error, DiagnosticCode.syntax.rawValue, at: span, problem, suggestion: hint)
    }

    /// A value on the line that YAML reads in another way than a person does.
    private func cause(_ mark: Mark) -> (span: SourceSpan, hint: String)? {
        let line = source.line(mark.line)
        guard let value = valueStart(line) else { return nil }
        let text = Self.text(SecretMask.masked(line)[value...])
        let place = span(mark.line, value + 1, 1)
        switch line[value] {
        case "{" where hasRest(line, value, "{", "}"):
            return (place, "a value that starts with { is a YAML map. Quote it: \"\(text)\"")
        case "[" where hasRest(line, value, "[", "]"):
            return (place, "a value that starts with [ is a YAML list. Quote it: \"\(text)\"")
        case "\"", "'":
            let end = value + source.tokenLength(mark.line, value + 1)
            let rest = line.dropFirst(end).drop { $0 == " " }
            guard let first = rest.first, !"#,}]:".unicodeScalars.contains(first) else { return nil }
            return (span(mark.line, end + 1, 1), "text after the closing quote; quote the whole value")
        case "*", "&", "!", "%", "@", "`", ">", "|":
            guard mark.column - 1 >= value else { return nil }
            return (place, quoteHint(String(line[value])) + ": \"\(text)\"")
        default:
            let colon = line.indices.dropFirst(value).first {
                line[$0] == ":" && ($0 + 1 == line.count || line[$0 + 1] == " ")
            }
            guard let colon, colon == mark.column - 1 else { return nil }
            return (span(mark.line, colon + 1, 1), "a value that holds \": \" must be quoted: \"\(text)\"")
        }
    }

    /// A reference without quotes in a flow map or list, where its brace begins a map.
    private func reference(_ mark: Mark) -> (span: SourceSpan, text: String)? {
        let line = source.line(mark.line)
        let brace = mark.column - 1
        guard brace > 0, brace < line.count, line[brace] == "{", line[brace - 1] == "$" else { return nil }
        let end = line[brace...].firstIndex(of: "}") ?? line.count - 1
        return (span(mark.line, brace, end - brace + 2), Self.text(line[(brace - 1)...end]))
    }

    private func quoteHint(_ first: String) -> String { "a value that starts with \(first) must be quoted" }

    private func unclosedHint(_ scalar: Unicode.Scalar?, _ isUnclosed: Bool) -> String? {
        guard isUnclosed, let scalar else { return nil }
        switch scalar {
        case "\"", "'": return "this quote is not closed"
        case "[", "{": return "this \(scalar) is not closed, or a comma is missing"
        default: return nil
        }
    }

    private func hint(_ problem: String) -> String? {
        switch problem {
        case "did not find expected key", "did not find expected '-' indicator":
            "is this line indented like the ones around it?"
        case "could not find expected ':'": "a key needs a colon and a space behind it"
        case "mapping values are not allowed in this context": "is this line indented like the ones around it?"
        default: nil
        }
    }

    /// Where the value of `key: value` or `- value` begins.
    private func valueStart(_ line: [Unicode.Scalar]) -> Int? {
        let first = line.firstIndex { $0 != " " } ?? line.count
        var start = first
        if let colon = line.indices.dropFirst(first).first(where: {
            line[$0] == ":" && $0 + 1 < line.count && line[$0 + 1] == " "
        }) {
            start = colon + 1
        } else if line.dropFirst(first).starts(with: ["-", " "]) {
            start = first + 1
        }
        guard start > first else { return nil }
        return line.indices.dropFirst(start).first { line[$0] != " " }
    }

    /// Whether the bracket at `start` closes on this line and more follows.
    private func hasRest(
        _ line: [Unicode.Scalar], _ start: Int, _ open: Unicode.Scalar, _ close: Unicode.Scalar
    ) -> Bool {
        var depth = 0
        for index in line.indices.dropFirst(start) {
            if line[index] == open { depth += 1 }
            if line[index] == close { depth -= 1 }
            guard depth == 0 else { continue }
            let rest = line.dropFirst(index + 1).drop { $0 == " " }
            return rest.first.map { $0 != "#" } ?? false
        }
        return false
    }

    private func tab(_ line: Int) -> SourceSpan? {
        for number in [line, line - 1] {
            let indent = source.line(number).prefix { $0 == " " || $0 == "\t" }
            if let index = indent.firstIndex(of: "\t") { return span(number, index + 1, 1) }
        }
        return nil
    }

    private func controlCharacter() -> SourceSpan? {
        for (row, line) in source.lines.enumerated() {
            let index = line.firstIndex { $0.value < 0x20 && $0 != "\t" || $0.value == 0x7F || $0.value == 0xFFFE }
            if let index { return span(row + 1, index + 1, 1) }
        }
        return nil
    }

    private func character(_ line: Int, _ column: Int) -> Unicode.Scalar? {
        let scalars = source.line(line)
        return column >= 1 && column <= scalars.count ? scalars[column - 1] : nil
    }

    /// A place; one behind the end of the text becomes the end of its last line that says something.
    private func span(_ line: Int, _ column: Int, _ length: Int) -> SourceSpan {
        if line > source.lines.count {
            let last = source.lines.lastIndex { !$0.isEmpty } ?? 0
            return SourceSpan(file: source.file, line: last + 1, column: source.lines[last].count + 1, length: 1)
        }
        return SourceSpan(file: source.file, line: line, column: column, length: length)
    }

    private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}
