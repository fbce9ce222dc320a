// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Makes a sync of its checked tree, noting where each thing stands, and checks what one file can tell.
struct SyncDecoder {
    /// What else there is in the project.
    struct Context: Sendable {
        /// Connections by name; nil where a file of them could not be read.
        var connections: [String: Connection]?
        /// Models by name.
        var models: [String: Model]
        /// Models whose file could not be read.
        var brokenModels: Set<String> = []
        /// Whether a file with any number of models could not be read.
        var areModelsMissing = false
        /// dbt's models; nil where the project names no manifest, or it could not be read.
        var dbt: DBTModels?
        /// Whether there is a manifest that could not be read.
        var isDBTBroken = false

        /// Whether nothing can be said about the model called `name`.
        func isModelUnknowable(_ name: String) -> Bool { areModelsMissing || brokenModels.contains(name) }
    }

    let node: YAMLNode
    let context: Context
    var sync: SyncFile
    var findings: Findings

    /// Decodes `node`, with the defaults already under it.
    static func decode(
        _ node: YAMLNode, name: String, file: String, place: SourceSpan, context: Context, findings: inout Findings
    ) -> SyncFile {
        let definition = SyncDefinition(
            name: name, source: SyncSource(connection: "", target: .object("")),
            destination: SyncDestination(connection: "", object: ""), map: [])
        var decoder = SyncDecoder(
            node: node, context: context, sync: SyncFile(definition: definition, file: file), findings: findings)
        let errors = findings.errorCount
        decoder.sync.spans[.file] = place
        decoder.about()
        decoder.destination()
        decoder.source()
        decoder.map()
        decoder.fetch()
        decoder.insert()
        decoder.schedule()
        decoder.guards()
        findings = decoder.findings
        decoder.sync.hasErrors = findings.errorCount > errors
        return decoder.sync
    }

    /// Notes where a key's value stands and returns it.
    mutating func value(_ section: YAMLNode?, _ key: String, _ location: SyncLocation) -> YAMLNode? {
        guard let node = section?[key] else { return nil }
        sync.spans[location] = node.span
        return node
    }

    /// Notes where a section's key stands and returns the section.
    mutating func section(_ key: String, _ location: SyncLocation) -> YAMLNode? {
        guard let entry = node.entry(key) else { return nil }
        sync.spans[location] = entry.keySpan
        return entry.value
    }

    /// The word of a checked choice; nil where it was wrong or is not known before a reference is replaced.
    static func word<Word>(_ node: YAMLNode?, _ type: Word.Type) -> Word?
    where Word: RawRepresentable, Word.RawValue == String { (node?.text).flatMap(Word.init(rawValue:)) }

    private mutating func about() {
        let name = value(node, "name", .name)
        if let text = name?.text, text != sync.name, !Reference.isPresent(in: text) {
            findings.error(
                .nameMismatch, at: sync.position(of: .name),
                "the sync is called \"\(text)\" here and \"\(sync.name)\" by its file",
                suggestion: "did you mean \"\(sync.name)\"?")
        }
        sync.title = node["title"]?.text
        sync.description = node["description"]?.text
        sync.owner = node["owner"]?.text
        sync.tags = node["tags"]?.items.compactMap(\.text) ?? []
        sync.template = node["template"]?.text
        sync.definition.formerName = node["renamed_from"]?.text
        sync.isEnabled = (node["enabled"]?.text).flatMap(ScalarText.boolean) ?? true
    }

    private mutating func destination() {
        let destination = section("destination", .destination)
        if let connection = value(destination, "connection", .destinationConnection)?.text {
            sync.definition.destination.connection = connection
            checkConnection(connection, .destinationConnection)
        }
        sync.definition.destination.object = value(destination, "object", .destinationObject)?.text ?? ""
    }

    private mutating func checkConnection(_ name: String, _ location: SyncLocation) {
        guard let connections = context.connections, connections[name] == nil, !Reference.isPresent(in: name) else {
            return
        }
        let names = connections.keys.sorted()
        findings.error(
            .unknownConnection, at: sync.position(of: location), "there is no connection \"\(name)\"",
            suggestion: Spelling.suggestion(name, in: names),
            notes: names.isEmpty
                ? ["connections are written in connections.yml"]
                : ["connections: \(ScalarText.list(names))"])
    }

    private mutating func source() {
        guard let source = section("source", .source), !source.isInvalid else { return }
        let model = value(source, "model", .model)
        let table = value(source, "table", .table)
        let connection = value(source, "connection", .sourceConnection)
        if let keys = source["key"]?.items {
            sync.definition.source.key = keys.map { $0.text ?? "" }
            for (index, key) in keys.enumerated() { sync.spans[.sourceKey(index)] = key.span }
        }
        switch (model, table) {
        case (.some, .some):
            findings.error(
                .sourceBoth, at: source.entry("table")?.keySpan ?? source.span,
                "a sync reads a model or a table, never both", suggestion: "remove this, or model")
        case (nil, nil):
            findings.error(
                .sourceMissing, at: sync.position(of: .source), "the sync does not say what it reads",
                suggestion: "add model: NAME, or connection: and table:")
        case (.some(let model), nil): readModel(model, source)
        case (nil, .some(let table)):
            refuseParameters(source)
            sync.definition.source.target = .object(table.text ?? "")
            if let name = connection?.text {
                sync.definition.source.connection = name
                checkConnection(name, .sourceConnection)
            } else if connection == nil {
                findings.error(
                    .sourceConnection, at: source.entry("table")?.keySpan ?? source.span,
                    "a table needs the connection it is read from", suggestion: "add connection: NAME")
            }
        }
    }
}
