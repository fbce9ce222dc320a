// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Why a setting cannot be what somebody wants it to be.
package struct ConnectionDraftProblem: Error, Sendable, Hashable {
    /// The code, as in findings about files.
    package var code: String
    /// One clause without a full stop; never holds a secret.
    package var message: String
    /// What is allowed, what to try.
    package var notes: [String]

    /// A problem.
    package init(code: String, message: String, notes: [String]) {
        self.code = code
        self.message = message
        self.notes = notes
    }
}

/// A connection as it would be in the project's files: made anew, or one of the project with changes.
package struct ConnectionDraft: Sendable {
    /// The connection's name.
    package let name: String
    /// Its connector.
    package let descriptor: ConnectorDescriptor
    private var entries: [YAMLNode.Entry]
    private let sources: [String: SourceText]
    private static let span = SourceSpan(file: "connections.yml")

    /// A connection without settings.
    package init(name: String, descriptor: ConnectorDescriptor) {
        self.name = name
        self.descriptor = descriptor
        entries = []
        sources = [:]
    }

    /// A connection of a project, as it is there.
    package init(_ connection: Connection, in project: Project, descriptor: ConnectorDescriptor) {
        name = connection.name
        self.descriptor = descriptor
        entries = connection.settings
        sources = project.sources
    }

    /// The settings that are written.
    package var keys: [String] { entries.map(\.key) }

    /// A setting as it is written; nil where it is not, or is a list or map.
    package func text(_ key: String) -> String? { entries.first { $0.key == key }?.value.text }

    /// Writes a setting: a list as `a,b`, a map as `a=b,c=d`; a secret only as one reference.
    ///
    /// - Throws: ``ConnectionDraftProblem``; the setting is then as it was.
    package mutating func set(_ key: String, to text: String) throws(ConnectionDraftProblem) {
        guard let field = descriptor.settings.first(where: { $0.name == key }) else {
            let names = descriptor.settings.map(\.name)
            let near = NearestName.of(key, in: names).map { "did you mean \($0)?" }
            throw ConnectionDraftProblem(
                code: DiagnosticCode.unknownSetting.rawValue, message: "\(descriptor.id) has no setting \"\(key)\"",
                notes: [near, "settings of \(descriptor.id): \(ScalarText.list(names))"].compactMap { $0 })
        }
        if field.isSecret, !Reference.isPure(text) {
            throw ConnectionDraftProblem(
                code: DiagnosticCode.secretLiteral.rawValue,
                message: "\(key) is a secret and does not belong on the command line, where others can read it",
                notes: [
                    "give it on standard input: --token-stdin, or from a file: --token-file FILE",
                    "or as a reference: --set '\(key)=${env:NAME}'",
                ])
        }
        let entry = YAMLNode.Entry(key: key, keySpan: Self.span, value: Self.node(text, field))
        try check(entry)
        if let index = entries.firstIndex(where: { $0.key == key }) {
            entries[index] = entry
        } else {
            entries.append(entry)
        }
    }

    /// Leaves a setting out.
    package mutating func unset(_ key: String) { entries.removeAll { $0.key == key } }

    /// The settings as the connector takes them.
    ///
    /// - Parameter left: Settings that are left out, although they are written.
    /// - Returns: The settings, or nil where there is an error among the findings.
    package func resolved(
        _ resolver: ReferenceResolver, without left: Set<String> = []
    ) -> (settings: ResolvedSettings?, diagnostics: [Diagnostic]) {
        var findings = Findings()
        var check = ConnectionSettings(
            connection: connection(entries.filter { !left.contains($0.key) }), descriptor: descriptor, sources: sources,
            resolver: resolver)
        let settings = check.check(&findings)
        let isGood = findings.errorCount == 0
        return (isGood ? ResolvedSettings(settings: settings, secrets: check.secrets) : nil, findings.diagnostics)
    }

    /// The settings that cannot be left out and are not written.
    package var missing: [ConfigField] {
        descriptor.settings.filter { field in
            field.isRequired && field.defaultValue == nil && !entries.contains { $0.key == field.name }
        }
    }

    /// A list or map as one text, as ``set(_:to:)`` takes it; empty for a setting that is not written.
    package func listed(_ key: String) -> String {
        guard let value = entries.first(where: { $0.key == key })?.value else { return "" }
        let pairs = value.entries.map { "\($0.key)=\($0.value.text ?? "")" }
        return (value.items.map { $0.text ?? "" } + pairs).joined(separator: ",")
    }

    /// The credentials to which the settings refer.
    package var credentialNames: [String] { connection(entries).credentialNames }

    /// A setting as it is put into a file.
    package func value(_ key: String) -> YAMLValue? {
        entries.first { $0.key == key }.map { entry in
            Self.value(entry.value, descriptor.settings.first { $0.name == key }?.kind ?? .string)
        }
    }

    /// The whole connection as it is put into a file.
    package func document(description: String?) -> YAMLValue {
        var members: [(key: String, value: YAMLValue)] = [("connector", .text(descriptor.id))]
        if let description { members.append(("description", .text(description))) }
        let order = descriptor.settings.map(\.name)
        for key in order + keys.filter({ !order.contains($0) }) {
            if let value = value(key) { members.append((key, value)) }
        }
        return .map(members)
    }

    /// Whether this may name a connection.
    package static func isName(_ name: String) -> Bool { ScalarText.isName(name) && name.count <= 60 }

    private func connection(_ entries: [YAMLNode.Entry]) -> Connection {
        let connector = YAMLNode.Entry(
            key: "connector", keySpan: Self.span,
            value: YAMLNode(content: .scalar(text: descriptor.id, isPlain: true), span: Self.span))
        return Connection(
            name: name, node: YAMLNode(content: .map([connector] + entries), span: Self.span), span: Self.span)
    }

    /// What is wrong with one setting as it is written; references keep their places.
    private func check(_ entry: YAMLNode.Entry) throws(ConnectionDraftProblem) {
        var findings = Findings()
        var check = ConnectionSettings(
            connection: connection([entry]), descriptor: descriptor, sources: [:], resolver: nil)
        _ = check.check(&findings)
        let found = findings.diagnostics.first { diagnostic in
            diagnostic.severity == .error && diagnostic.code != DiagnosticCode.missingSetting.rawValue
        }
        guard let found else { return }
        throw ConnectionDraftProblem(
            code: found.code, message: found.message, notes: [found.suggestion].compactMap { $0 } + found.notes)
    }

    private static func node(_ text: String, _ field: ConfigField) -> YAMLNode {
        func scalar(_ text: Substring) -> YAMLNode {
            let bare = String(text).drop { $0 == " " }
            return YAMLNode(content: .scalar(text: String(bare), isPlain: false), span: span)
        }
        switch field.kind {
        case .strings: return YAMLNode(content: .list(text.split(separator: ",").map(scalar)), span: span)
        case .map:
            let pairs = text.split(separator: ",").map { pair -> YAMLNode.Entry in
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return YAMLNode.Entry(
                    key: String(parts[0].drop { $0 == " " }), keySpan: span,
                    value: scalar(parts.count == 2 ? parts[1] : ""))
            }
            return YAMLNode(content: .map(pairs), span: span)
        default: return YAMLNode(content: .scalar(text: text, isPlain: false), span: span)
        }
    }

    private static func value(_ node: YAMLNode, _ kind: ConfigField.Kind) -> YAMLValue {
        switch node.content {
        case .list(let items): return .flow(.list(items.map { value($0, .string) }))
        case .map(let entries): return .flow(.map(entries.map { ($0.key, value($0.value, .string)) }))
        case .invalid: return .text("")
        case .scalar(let text, _):
            switch kind {
            case .integer: return ScalarText.integer(text).map { .integer(Int64($0)) } ?? .text(text)
            case .boolean: return ScalarText.boolean(text).map { .boolean($0) } ?? .text(text)
            default: return .text(text)
            }
        }
    }
}
