// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Reads the file of one template, and checks what can be told without filling it in.
struct TemplateReader {
    let name: String
    let source: SourceText
    let sources: [String: SourceText]

    /// `templates/NAME.yml`; the sync is checked with values at its open places.
    static let schema = SchemaNode.map([
        .init("version", .integer(1...Int.max)),
        .init("template", .word),
        .init("description", .text),
        .init("params", .dictionary(noun: "parameter", parameter)),
        .init("sync", .any, isRequired: true),
    ])

    private static let parameter = SchemaNode.map([
        .init(
            "type",
            .choice(noun: "a type of parameter", SyncTemplate.ParameterType.allCases.map(\.rawValue)),
            isRequired: true),
        .init("description", .text),
        .init("connector", .word),
        .init("choices", .texts),
        .init("default", .text),
        .init("required", .boolean),
    ])

    /// The template; nil where the file has no sync in it.
    func read(_ node: YAMLNode, _ findings: inout Findings) -> SyncTemplate? {
        let errors = findings.errorCount
        // References belong to the sync that is made of it.
        let checker = SchemaChecker(sources: sources, resolver: nil)
        let checked = checker.check(node, Self.schema, key: "", &findings)
        guard let sync = checked["sync"], case .map = sync.content else {
            if let sync = checked["sync"], !sync.isInvalid {
                findings.error(.type, at: sync.span, "sync must be a map, not \(sync.kindName)")
            }
            return nil
        }
        var template = SyncTemplate(name: name, file: source.file, sync: sync)
        template.description = checked["description"]?.text
        if let own = checked["template"], let text = own.text, text != name {
            findings.error(
                .nameMismatch, at: own.span, "the template is called \"\(text)\" here and \"\(name)\" by its file",
                suggestion: "did you mean \"\(name)\"?")
        }
        for entry in checked["params"]?.entries ?? [] { template.parameters += parameter(entry, &findings) }
        checkPlaces(template, &findings)
        if findings.errorCount == errors { checkSync(template, checker, &findings) }
        template.hasErrors = findings.errorCount > errors
        return template
    }

    private func parameter(_ entry: YAMLNode.Entry, _ findings: inout Findings) -> [SyncTemplate.Parameter] {
        let node = entry.value
        guard ScalarText.isName(entry.key) else {
            findings.error(
                .badName, at: entry.keySpan, "\"\(entry.key)\" cannot be the name of a parameter",
                suggestion: "use letters, digits, - and _")
            return []
        }
        guard let type = (node["type"]?.text).flatMap(SyncTemplate.ParameterType.init(rawValue:)) else { return [] }
        var parameter = SyncTemplate.Parameter(name: entry.key, type: type, span: entry.keySpan)
        parameter.description = node["description"]?.text
        parameter.connector = node["connector"]?.text
        parameter.choices = node["choices"]?.items.compactMap(\.text) ?? []
        parameter.standard = node["default"]?.text
        parameter.isRequired = (node["required"]?.text).flatMap(ScalarText.boolean) ?? true
        for (key, owner) in [("connector", SyncTemplate.ParameterType.connection), ("choices", .choice)] {
            guard type != owner, let wrong = node.entry(key) else { continue }
            findings.error(
                .templateParam, at: wrong.keySpan, "a parameter of type \(type.rawValue) has no \(key)",
                suggestion: "remove it, or write type: \(owner.rawValue)")
        }
        if type == .choice, parameter.choices.isEmpty {
            findings.error(
                .templateParam, at: entry.keySpan, "a choice needs something to choose from",
                suggestion: "add choices: [A, B]")
        } else if let standard = parameter.standard, let value = node["default"],
            let fault = SyncTemplate.fault(of: standard, for: parameter, in: nil)
        {
            findings.error(
                .templateParam, at: value.span, fault.reason,
                suggestion: fault.suggestion.map { "did you mean \"\($0)\"?" },
                notes: fault.allowed.isEmpty ? [] : ["allowed: \(ScalarText.list(fault.allowed))"])
        }
        return [parameter]
    }

    /// Every open place names a parameter, and every parameter has a place.
    private func checkPlaces(_ template: SyncTemplate, _ findings: inout Findings) {
        let names = template.parameters.map(\.name)
        var used: Set<String> = []
        visit(template.sync) { text, span in
            for place in OpenPlace.all(in: text) {
                used.insert(place.name)
                guard !names.contains(place.name) else { continue }
                findings.error(
                    .templateParam, at: self.span(of: place, in: text, at: span),
                    "the template has no parameter \"\(place.name)\"",
                    suggestion: Spelling.suggestion(place.name, in: names) ?? "add it under params:",
                    notes: names.isEmpty ? [] : ["parameters: \(ScalarText.list(names))"])
            }
        }
        for parameter in template.parameters where !used.contains(parameter.name) {
            findings.warning(
                .templateParam, at: parameter.span, "the sync has no place for \"\(parameter.name)\"",
                suggestion: "write \"{{\(parameter.name)}}\" where it belongs, or remove it")
        }
    }

    private func visit(_ node: YAMLNode, _ body: (String, SourceSpan) -> Void) {
        if let text = node.text { body(text, node.span) }
        for entry in node.entries {
            body(entry.key, entry.keySpan)
            visit(entry.value, body)
        }
        for item in node.items { visit(item, body) }
    }

    private func span(of place: OpenPlace, in text: String, at span: SourceSpan) -> SourceSpan {
        let count = text.unicodeScalars.count
        // Inside of quotes only where the text stands as it is, without escapes.
        guard span.length == count || span.length == count + 2 else { return span }
        var result = span
        result.column += place.offset + (span.length == count ? 0 : 1)
        result.length = place.length
        return result
    }

    /// Holds the sync, with a value at every open place, against what a sync may be.
    private func checkSync(_ template: SyncTemplate, _ checker: SchemaChecker, _ findings: inout Findings) {
        var values: [String: String] = [:]
        for parameter in template.parameters { values[parameter.name] = parameter.standard ?? Self.example(parameter) }
        guard let filled = SyncTemplate.filling(template.sync, values) else { return }
        _ = checker.check(filled, ProjectSchema.sync, key: "sync", at: template.sync.span, &findings)
    }

    private static func example(_ parameter: SyncTemplate.Parameter) -> String {
        switch parameter.type {
        case .connection, .model, .table, .text: parameter.name
        case .cron: "0 6 * * *"
        case .number: "1"
        case .choice: parameter.choices.first ?? ""
        }
    }
}
