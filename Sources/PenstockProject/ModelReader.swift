// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Puts a model together from its SQL file and the YAML next to it.
struct ModelReader {
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
        let header = sql.map(ModelHeader.init) ?? ModelHeader()
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
            ?? header.connection
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
        for (text, span) in keys ?? header.keys {
            model.key.append(text)
            model.keySpans.append(span)
        }
        readParameters(&model, &findings)
        model.columns = (yaml?["columns"]?.entries ?? []).map { entry in
            Model.Column(
                name: entry.key, type: entry.value["type"]?.text, description: entry.value["description"]?.text)
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

    private func readParameters(_ model: inout Model, _ findings: inout Findings) {
        for entry in yaml?["params"]?.entries ?? [] {
            let written = entry.value.text ?? entry.value["type"]?.text ?? ""
            guard ModelParameter.isName(entry.key) else {
                findings.error(
                    .badName, at: entry.keySpan, "\"\(entry.key)\" cannot be the name of a parameter",
                    suggestion: "use letters, digits and _")
                continue
            }
            guard let kind = ModelParameter.Kind(rawValue: written.lowercased()) else {
                if entry.value.isInvalid || entry.value["type"]?.isInvalid ?? (written.isEmpty) { continue }
                let kinds = ModelParameter.Kind.allCases.map(\.rawValue)
                findings.error(
                    .enum, at: entry.value["type"]?.span ?? entry.value.span,
                    "\"\(written)\" is not a type of parameter",
                    suggestion: NearestName.of(written, in: kinds).map { "did you mean \($0)?" },
                    notes: ["allowed: \(kinds.joined(separator: ", "))"])
                continue
            }
            let standard = entry.value["default"]
            if let text = standard?.text, !Reference.isPresent(in: text), kind.literal(text) == nil {
                findings.error(
                    .modelParam, at: standard?.span ?? entry.keySpan,
                    "\"\(text)\" is no value of the parameter \(entry.key)", suggestion: "write \(kind.example)")
            }
            model.parameters.append(
                ModelParameter(
                    name: entry.key, kind: kind, defaultText: standard?.text,
                    description: entry.value["description"]?.text))
        }
        do throws(QueryTemplate.Problem) {
            model.template = try QueryTemplate(model.sql, parameters: model.parameters)
        } catch {
            findings.error(
                .modelParam, at: place(of: error.bytes, in: model), error.message, suggestion: error.suggestion)
        }
    }

    /// Where bytes of the query stand in its file; for a query in YAML where it begins.
    private func place(of bytes: Range<Int>, in model: Model) -> SourceSpan {
        guard let sql else { return model.sqlSpan }
        let before =
            sql.text.prefix(while: \.isWhitespace)
            + String(decoding: model.sql.utf8.prefix(bytes.lowerBound), as: UTF8.self)
        let lines = SourceText(file: sql.file, text: String(before)).lines
        return SourceSpan(
            file: sql.file, line: lines.count, column: (lines.last?.count ?? 0) + 1, length: max(bytes.count, 1))
    }

    /// The text without white space around it, and without semicolons at its end.
    static func trimmed(_ text: String) -> String {
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
}
