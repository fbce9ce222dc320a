// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Puts a model together from its SQL file and the YAML next to it.
struct ModelReader {
    /// What the comments in the first lines of a SQL file say.
    private struct Header {
        var values: [String: (text: String, span: SourceSpan)] = [:]
        var keys: [(text: String, span: SourceSpan)] = []
        var misspelled: (word: String, span: SourceSpan)?
    }

    let name: String
    /// The SQL file, or nil.
    let sql: SourceText?
    /// The checked YAML, or nil.
    let yaml: YAMLNode?
    /// Where the model is named: its file, or its key in `penstock.yml`.
    let place: SourceSpan

    /// The model; what is missing is empty in it and among the findings.
    func read(_ findings: inout Findings) -> Model {
        let errors = findings.errorCount
        let header = sql.map(Self.header) ?? Header()
        var model = Model(
            name: name, file: sql?.file ?? place.file, connection: "", sql: "", key: [],
            connectionSpan: place, sqlSpan: place, keySpans: [])
        model.description = yaml?["description"]?.text
        readQuery(&model, &findings)
        if let written = yaml?["model"], let text = written.text, text != name {
            findings.error(
                .nameMismatch, at: written.span, "the model is called \"\(text)\" here and \"\(name)\" by its file",
                suggestion: "did you mean \"\(name)\"?")
        }
        let fromYAML = yaml?["connection"]
        if let connection = fromYAML?.text.map({ ($0, fromYAML?.span ?? place) })
            ?? header.values["connection"].map({ ($0.text, $0.span) })
        {
            (model.connection, model.connectionSpan) = connection
        } else if fromYAML == nil {
            let hint = sql == nil ? "add connection: NAME" : "write -- connection: NAME in the first line"
            findings.error(
                .modelConnection, at: header.misspelled?.span ?? model.sqlSpan,
                "model \(name) does not say which connection it is read from",
                suggestion: header.misspelled.map { "did you mean \"\($0.word)\"?" } ?? hint)
        }
        let keys = yaml?["key"]?.items.compactMap { item in item.text.map { ($0, item.span) } }
        for (text, span) in keys ?? header.keys.map({ ($0.text, $0.span) }) {
            model.key.append(text)
            model.keySpans.append(span)
        }
        model.hasErrors = findings.errorCount > errors
        return model
    }

    private func readQuery(_ model: inout Model, _ findings: inout Findings) {
        let inline = yaml?["sql"]
        if let sql, let inline {
            findings.error(
                .modelSql, at: inline.span, "model \(name) has a query here and in \(sql.file)",
                suggestion: "keep one of the two")
        }
        if let sql {
            model.sql = Self.trimmed(sql.text)
            model.sqlSpan = Self.firstLine(sql)
        } else if let inline {
            model.sql = Self.trimmed(inline.text ?? "")
            model.sqlSpan = inline.span
            if inline.isInvalid { return }
        }
        if Self.isEmpty(model.sql) {
            findings.error(
                .modelSql, at: model.sqlSpan, "model \(name) has no query",
                suggestion: inline == nil && sql == nil ? "write models/\(name).sql" : "write one SELECT")
        }
    }

    private static func trimmed(_ text: String) -> String {
        let isEnd: (Character) -> Bool = { $0.isWhitespace || $0 == ";" }
        let rest = text.drop(while: \.isWhitespace)
        return String(rest.dropLast(rest.reversed().prefix(while: isEnd).count))
    }

    /// Whether there is nothing but white space and comments.
    private static func isEmpty(_ sql: String) -> Bool {
        var rest = sql[...]
        while true {
            rest = rest.drop { $0.isWhitespace || $0 == ";" }
            if rest.hasPrefix("--") {
                rest = rest.drop { !$0.isNewline }
            } else if rest.hasPrefix("/*") {
                guard let end = rest.firstRange(of: "*/") else { return true }
                rest = rest[end.upperBound...]
            } else {
                return rest.isEmpty
            }
        }
    }

    private static func firstLine(_ source: SourceText) -> SourceSpan {
        for (index, line) in source.lines.enumerated() {
            guard let first = line.firstIndex(where: { !$0.properties.isWhitespace }) else { continue }
            if line[first...].starts(with: ["-", "-"]) { continue }
            return SourceSpan(file: source.file, line: index + 1, column: first + 1, length: line.count - first)
        }
        return SourceSpan(file: source.file, line: 1, column: 1, length: max(source.line(1).count, 1))
    }

    private static func header(_ source: SourceText) -> Header {
        var header = Header()
        for (index, line) in source.lines.enumerated() {
            guard let first = line.firstIndex(where: { !$0.properties.isWhitespace }) else { continue }
            guard line[first...].starts(with: ["-", "-"]) else { break }
            guard let colon = line[first...].firstIndex(of: ":") else { continue }
            let word = token(line, first + 2, colon, source.file, index + 1)
            let value = token(line, colon + 1, line.count, source.file, index + 1)
            switch word.text.lowercased() {
            case "connection": header.values["connection"] = value.text.isEmpty ? nil : value
            case "key": header.keys = columns(line, colon + 1, source.file, index + 1)
            default:
                if let near = NearestName.of(word.text, in: ["connection"]) { header.misspelled = (near, word.span) }
            }
        }
        return header
    }

    private static func columns(
        _ line: [Unicode.Scalar], _ start: Int, _ file: String, _ number: Int
    ) -> [(text: String, span: SourceSpan)] {
        var result: [(String, SourceSpan)] = []
        var from = start
        for index in start...line.count where index == line.count || line[index] == "," {
            let item = token(line, from, index, file, number)
            if !item.text.isEmpty { result.append((item.text, item.span)) }
            from = index + 1
        }
        return result
    }

    /// The text between two columns without white space around it.
    private static func token(
        _ line: [Unicode.Scalar], _ start: Int, _ end: Int, _ file: String, _ number: Int
    ) -> (text: String, span: SourceSpan) {
        var range = start..<max(start, end)
        while let first = range.first, line[first].properties.isWhitespace { range = (first + 1)..<range.upperBound }
        while let last = range.last, line[last].properties.isWhitespace { range = range.lowerBound..<last }
        let text = line[range].map(String.init).joined()
        let span = SourceSpan(file: file, line: number, column: range.lowerBound + 1, length: max(range.count, 1))
        return (text, span)
    }
}
