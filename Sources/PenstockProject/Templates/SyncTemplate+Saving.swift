// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension SyncTemplate {
    /// The text of a template's file made from the text of a sync's: its connections, model, table and cron expression
    /// become parameters, with what the sync has as defaults.
    ///
    /// - Parameters:
    ///   - name: The template's name.
    ///   - sync: The sync as it is understood.
    ///   - text: The text of its file.
    ///   - connector: The connector of a connection, or nil where there is no such connection.
    /// - Throws: ``YAMLEditProblem`` where the text is no readable YAML.
    package static func text(
        name: String, from sync: SyncFile, text: String, connector: (String) -> String?
    ) throws(YAMLEditProblem) -> String {
        var findings = Findings()
        guard let node = YAMLReader.read(SourceText(file: sync.file, text: text), findings: &findings) else {
            throw YAMLEditProblem(
                file: sync.file, reason: "the file is not readable YAML", diagnostics: findings.diagnostics)
        }
        var parameters: [(key: String, value: YAMLValue)] = []
        var root = node.removing(["version", "name", "template", "title", "renamed_from"])
        if let text = root.text(with: "{{") {
            throw YAMLEditProblem(
                file: sync.file,
                reason: "\(sync.file) holds the text \"\(text.prefix(40))\", and in a template {{ begins a parameter; "
                    + "write the template by hand")
        }
        /// Opens the place at `path`, where there is a text.
        func open(
            _ path: [String], _ name: String, _ type: ParameterType, _ more: [(key: String, value: YAMLValue)] = []
        ) {
            guard let value = root.text(at: path), !Reference.isPresent(in: value) else { return }
            root = root.replacing(path, by: "{{\(name)}}")
            let members: [(key: String, value: YAMLValue)] =
                [("type", .text(type.rawValue))] + more + [("default", .text(value))]
            parameters.append((name, .flow(.map(members))))
        }
        func kind(_ connection: String?) -> [(key: String, value: YAMLValue)] {
            connection.flatMap(connector).map { [("connector", .text($0))] } ?? []
        }
        open(
            ["destination", "connection"], "connection", .connection,
            kind(root.text(at: ["destination", "connection"])))
        open(["source", "model"], "model", .model)
        open(["source", "connection"], "source", .connection, kind(root.text(at: ["source", "connection"])))
        open(["source", "table"], "table", .table)
        open(["schedule", "cron"], "cron", .cron)
        var entries: [(key: String, value: YAMLValue)] = [("version", .integer(1)), ("template", .text(name))]
        if let description = root["description"]?.text {
            entries.append(("description", .text(description)))
            root = root.removing(["description"])
        }
        if !parameters.isEmpty { entries.append(("params", .map(parameters))) }
        entries.append(("sync", Self.styled(YAMLValue(root))))
        return YAMLValue.map(entries).document()
    }

    private static func styled(_ sync: YAMLValue) -> YAMLValue {
        guard case .map(let entries) = sync else { return sync }
        return .map(entries.map { ($0.key, styledMap($0)) })
    }
}

extension YAMLNode {
    /// The text of the scalar at a path of keys, or nil.
    fileprivate func text(at path: [String]) -> String? {
        var node: YAMLNode? = self
        for key in path { node = node?[key] }
        return node.flatMap { $0.isNull ? nil : $0.text }
    }

    /// The first text in the tree that holds `part`, or nil.
    fileprivate func text(with part: String) -> String? {
        if let text, text.contains(part) { return text }
        return (items + entries.map(\.value)).lazy.compactMap { $0.text(with: part) }.first
    }

    /// The tree with another text at a path of keys.
    fileprivate func replacing(_ path: [String], by text: String) -> YAMLNode {
        guard let key = path.first else {
            return YAMLNode(content: .scalar(text: text, isPlain: false), span: span)
        }
        var result = self
        result.content = .map(
            entries.map { entry in
                guard entry.key == key else { return entry }
                let value = entry.value.replacing(Array(path.dropFirst()), by: text)
                return YAMLNode.Entry(key: entry.key, keySpan: entry.keySpan, value: value)
            })
        return result
    }
}
