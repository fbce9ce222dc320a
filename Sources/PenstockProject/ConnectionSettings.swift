// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Settings as a connector takes them.
package struct ResolvedSettings: Sendable {
    /// An object by setting; defaults are filled in, references replaced, relative paths absolute.
    package var settings: JSON
    /// Every value in it that must not be shown, for the host's redaction.
    package var secrets: [Secret]
}

/// Holds a connection's settings against the connector's description of them.
struct ConnectionSettings {
    let connection: Connection
    let descriptor: ConnectorDescriptor
    let sources: [String: SourceText]
    /// Nil leaves references as they are; such values are not checked any further.
    let resolver: ReferenceResolver?
    var secrets: [Secret] = []

    /// Checks all settings; with a resolver, the result can be given to the connector where nothing was found.
    mutating func check(_ findings: inout Findings) -> JSON {
        var result = JSONObject()
        let known = descriptor.settings
        for entry in connection.settings where !known.contains(where: { $0.name == entry.key }) {
            let names = known.map(\.name)
            let near = Spelling.suggestion(entry.key, in: names + ["connector", "description", "budget"])
            // It may be a secret under a misspelled key.
            let isLiteral = entry.value.text.map { !Reference.isPure($0) } ?? false
            findings.add(
                Diagnostic(
                    .error, DiagnosticCode.unknownSetting.rawValue, at: entry.keySpan,
                    "\(descriptor.id) has no setting \"\(entry.key)\"", suggestion: near,
                    notes: near == nil ? ["settings of \(descriptor.id): \(ScalarText.list(names))"] : [],
                    masks: isLiteral ? [entry.value.span] : []))
        }
        let unknown = connection.settings.map(\.key).filter { key in !known.contains { $0.name == key } }
        for field in known {
            if let entry = connection.settings.first(where: { $0.key == field.name }) {
                if let value = value(entry.value, field, &findings) { result.append(field.name, value) }
            } else if let value = field.defaultValue {
                result.append(field.name, value)
            } else if field.isRequired, !unknown.contains(where: { NearestName.of($0, in: [field.name]) != nil }) {
                let example = field.example.isEmpty ? "" : " \(field.example)"
                findings.error(
                    .missingSetting, at: connection.span, "\(connection.name) has no \(field.name)",
                    suggestion: "add \(field.name):\(field.isSecret ? " \(reference(field))" : example)",
                    notes: [field.summary])
            }
        }
        return .object(result)
    }

    private func reference(_ field: ConfigField) -> String {
        let name = field.name.map { $0 == "_" ? "-" : String($0) }.joined()
        return "${cred:\(connection.name)-\(name)}"
    }

    private mutating func value(_ node: YAMLNode, _ field: ConfigField, _ findings: inout Findings) -> JSON? {
        switch field.kind {
        case .strings:
            if case .scalar = node.content, !node.isNull {
                return text(node, field, &findings).map { .strings([$0]) }
            }
            guard case .list(let items) = node.content else { return wrong(node, field, "a list of texts", &findings) }
            // In a list, the word NULL is a word: lists of what stands for NULL are written so.
            let words = items.map { item in
                item.text.map { YAMLNode(content: .scalar(text: $0, isPlain: false), span: item.span) } ?? item
            }
            return .strings(words.compactMap { text($0, field, &findings) })
        case .map(let allowed):
            guard case .map(let entries) = node.content else { return wrong(node, field, "a map", &findings) }
            var object = JSONObject()
            for entry in entries {
                guard let text = text(entry.value, field, &findings) else { continue }
                let word = allowed.isEmpty ? text : choice(text, allowed, field, entry.value, &findings)
                if let word { object.append(entry.key, .string(word)) }
            }
            return .object(object)
        default:
            if field.isSecret, isLiteral(node, field, &findings) { return nil }
            let known = findings.diagnostics.count
            guard let text = text(node, field, &findings) else {
                if field.name == descriptor.login?.gives { findings.adviseLogin(connection.name, from: known) }
                return nil
            }
            if resolver == nil, Reference.isPresent(in: node.text ?? "") { return .string(text) }
            return typed(text, node, field, &findings)
        }
    }

    /// The text of a scalar with its references replaced.
    private mutating func text(_ node: YAMLNode, _ field: ConfigField, _ findings: inout Findings) -> String? {
        guard let raw = node.text, !node.isNull else {
            wrong(node, field, "a text", &findings)
            return nil
        }
        if let place = passwordPlace(node) {
            findings.add(
                Diagnostic(
                    .error, DiagnosticCode.secretLiteral.rawValue, at: place,
                    "\(field.name) holds a password that is written out",
                    suggestion: "write ${cred:\(connection.name)-password} in its place", masks: [place]))
            return nil
        }
        guard let resolver else { return raw }
        let expansion = resolver.expand(
            node, source: sources[node.span.file], isSecret: field.isSecret, allowsCredentials: true,
            findings: &findings)
        secrets += (expansion?.secrets ?? []).filter { !$0.isEmpty }.map(Secret.init)
        return expansion?.text
    }

    private func typed(
        _ text: String, _ node: YAMLNode, _ field: ConfigField, _ findings: inout Findings
    ) -> JSON? {
        switch field.kind {
        case .integer(let range):
            guard let number = ScalarText.integer(text) else {
                return wrong(node, field, "a whole number", &findings)
            }
            guard range.contains(number) else {
                findings.error(
                    .range, at: node.span,
                    "\(field.name) must be from \(range.lowerBound) to \(range.upperBound)")
                return nil
            }
            return .integer(number)
        case .boolean:
            guard let flag = ScalarText.boolean(text) else {
                return wrong(node, field, "true or false", &findings)
            }
            return .bool(flag)
        case .choice(let allowed):
            return choice(text, allowed, field, node, &findings).map(JSON.string)
        case .path: return .string(resolver?.absolute(text, file: node.span.file) ?? text)
        default: return .string(text)
        }
    }

    private func choice(
        _ text: String, _ allowed: [String], _ field: ConfigField, _ node: YAMLNode, _ findings: inout Findings
    ) -> String? {
        if let word = allowed.first(where: { $0 == text })
            ?? allowed.first(where: { $0.lowercased() == text.lowercased() })
        {
            return word
        }
        findings.error(
            .enum, at: node.span, "\"\(node.text ?? "")\" is not a choice for \(field.name)",
            suggestion: NearestName.of(text, in: allowed).map { "did you mean \($0)?" },
            notes: ["allowed: \(ScalarText.list(allowed))"])
        return nil
    }

    @discardableResult
    private func wrong(
        _ node: YAMLNode, _ field: ConfigField, _ wanted: String, _ findings: inout Findings
    ) -> JSON? {
        guard !node.isInvalid else { return nil }
        let isEmpty = node.isNull
        findings.error(
            .type, at: node.span,
            isEmpty ? "\(field.name) has no value" : "\(field.name) must be \(wanted)\(Self.found(node))",
            suggestion: isEmpty ? "write \(wanted), or remove the key" : nil, notes: [field.summary])
        return nil
    }

    private static func found(_ node: YAMLNode) -> String {
        guard let text = node.text else { return ", not \(node.kindName)" }
        return Reference.isPresent(in: text) ? ", and \(text) is not" : ", not \"\(text)\""
    }

    /// Whether a secret is written out; a default inside a reference is one too.
    private func isLiteral(_ node: YAMLNode, _ field: ConfigField, _ findings: inout Findings) -> Bool {
        guard let text = node.text, !node.isNull else { return false }
        if case .malformed = Reference.parts(of: text).first { return false }
        if Reference.isPure(text) { return false }
        let fix = reference(field)
        findings.add(
            Diagnostic(
                .error, DiagnosticCode.secretLiteral.rawValue, at: node.span,
                "\(field.name) holds a secret that is written out", suggestion: "write \(field.name): \(fix)",
                notes: [
                    "change the secret at its owner: this file may have been copied",
                    "store the new one: penstock secret set \(fix.dropFirst(7).dropLast())",
                ], masks: [node.span]))
        return true
    }

    /// Where a password is written out in an address as `scheme://user:password@host`.
    private func passwordPlace(_ node: YAMLNode) -> SourceSpan? {
        guard let text = node.text, let scheme = text.firstRange(of: "://") else { return nil }
        let authority = text[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        guard let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") else {
            return nil
        }
        let password = String(authority[authority.index(after: colon)..<at])
        let isReference = Reference.parts(of: password).allSatisfy {
            if case .reference(let reference) = $0 { (reference.fallback ?? "").isEmpty } else { false }
        }
        guard !password.isEmpty, !isReference else { return nil }
        return sources[node.span.file]?.place(of: password, occurrence: 0, from: node.span) ?? node.span
    }
}
