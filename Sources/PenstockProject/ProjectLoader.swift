// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel

/// Reads the files of a project one after the other and puts them together.
struct ProjectLoader {
    /// A sync's own tree, before the defaults are put under it.
    private struct SyncSection {
        var name: String
        var file: String
        var place: SourceSpan
        var node: YAMLNode
    }

    private static let bytesMax = 8 << 20
    private static let languageVersion = 1

    private let version: String
    private let takesAllModels: Bool
    private var dbt: DBTModels?
    private var isDBTBroken = false
    private let resolver: ReferenceResolver?
    /// Texts that stand for files, by path in the project: what is about to be written.
    private let drafts: [String: String]
    private(set) var project: Project
    private(set) var findings = Findings()
    private var connectionNodes: [YAMLNode.Entry] = []
    private var isConnectionsBroken = false
    private var models: [String: Model] = [:]
    private var brokenModels: Set<String> = []
    private var areModelsMissing = false
    private var brokenSyncs: Set<String> = []
    private var sections: [SyncSection] = []
    private var defaults: YAMLNode?

    /// - Parameter takesAllModels: Whether all of dbt's models are taken over, not just those that syncs read.
    init(
        root: String, version: String, resolver: ReferenceResolver?, takesAllModels: Bool = false,
        drafts: [String: String] = [:]
    ) {
        self.takesAllModels = takesAllModels
        self.version = version
        self.drafts = drafts
        self.resolver = resolver
        project = Project(root: URL(fileURLWithPath: root, isDirectory: true).standardizedFileURL.path)
    }

    /// Reads everything.
    mutating func load(profile: String?) {
        let root = readYAML(ProjectLocator.fileName, ProjectSchema.project, isRequired: true)
        project.name = root?["project"]?.text ?? URL(fileURLWithPath: project.root).lastPathComponent
        checkRequires(root?["requires"])
        readRequirements(root?["connectors"])
        defaults = root?["defaults"]
        readConnectionNodes(root)
        if let root { applyProfile(root, wanted: profile) }
        for entry in connectionNodes { addConnection(entry) }
        readModels(root)
        readSyncs(root)
        readDBT(root?["dbt"])
        decodeSyncs()
        readTemplates()
        checkFormerNames()
        checkAfter()
        project.settleLinks(&findings)
        readSettings(root)
    }

    /// Reads what is said about alerts, history and lineage.
    private mutating func readSettings(_ root: YAMLNode?) {
        let names = areModelsMissing || !brokenSyncs.isEmpty ? nil : sections.map(\.name)
        let decoder = SettingsDecoder(sources: project.sources, resolver: resolver, syncs: names)
        project.alerts = decoder.alerts(root?["alerts"], &findings)
        project.history = decoder.history(root?["history"])
        guard let entry = root?.entry("lineage") else { return }
        let checked = checker.check(
            entry.value, ProjectSchema.lineage, key: entry.key, at: entry.keySpan, &findings)
        project.lineage = decoder.lineage(checked, project: project.name, &findings)
    }

    private var checker: SchemaChecker { SchemaChecker(sources: project.sources, resolver: resolver) }

    // MARK: Files

    private mutating func readText(_ file: String, isRequired: Bool = false) -> SourceText? {
        if let draft = drafts[file] {
            let source = SourceText(file: file, text: draft)
            project.sources[file] = source
            project.files.append(file)
            return source
        }
        let path = "\(project.root)/\(file)"
        guard FileManager.default.fileExists(atPath: path) else {
            if isRequired {
                findings.error(.unreadable, at: SourceSpan(file: file), "there is no \(file) in \(project.root)")
            }
            return nil
        }
        guard let bytes = ProjectFiles.contents(path, bytesMax: Self.bytesMax) else {
            findings.error(.unreadable, at: SourceSpan(file: file), "the file cannot be read, or is larger than 8 MB")
            return nil
        }
        let errors = findings.errorCount
        let source = SourceText(file: file, bytes: bytes, findings: &findings)
        project.sources[file] = source
        project.files.append(file)
        return findings.errorCount == errors ? source : nil
    }

    private mutating func readYAML(_ file: String, _ schema: SchemaNode, isRequired: Bool = false) -> YAMLNode? {
        guard let source = readText(file, isRequired: isRequired) else { return nil }
        guard let node = YAMLReader.read(source, findings: &findings) else { return nil }
        let checked = checker.check(node, schema, key: "", &findings)
        checkVersion(checked["version"])
        return checked.isInvalid ? nil : checked
    }

    private mutating func checkVersion(_ node: YAMLNode?) {
        guard let node, let text = node.text, let number = ScalarText.integer(text) else { return }
        guard number != Self.languageVersion else { return }
        findings.error(
            .version, at: node.span, "version \(number) of the project language is not known to this Penstock",
            suggestion: "write 1, or update Penstock")
    }

    private mutating func names(in folder: String, _ extensions: [String]) -> [String] {
        var all: [String] = []
        let path = "\(project.root)/\(folder)"
        // A folder that is not there has no files; projects of one file have none of the folders.
        if ProjectFiles.isThere(path) {
            do {
                all = try FileManager.default.contentsOfDirectory(atPath: path)
            } catch {
                if folder == "models" { areModelsMissing = true }
                findings.error(
                    .unreadable, at: SourceSpan(file: folder),
                    ProjectFiles.isFolder(path) ? "the folder cannot be read" : "it is no folder",
                    suggestion: ProjectFiles.isFolder(path) ? "look at its owner and its rights" : nil)
            }
        }
        let drafted = drafts.keys.filter { $0.hasPrefix("\(folder)/") }.map { String($0.dropFirst(folder.count + 1)) }
        return Set(all + drafted).filter { name in
            !name.hasPrefix(".") && extensions.contains { name.hasSuffix(".\($0)") }
        }.sorted()
    }

    private static func stem(_ name: String) -> String { String(name[..<(name.lastIndex(of: ".") ?? name.endIndex)]) }

    private mutating func checkName(_ name: String, _ what: String, at span: SourceSpan) {
        guard !ScalarText.isName(name) else { return }
        findings.error(
            .badName, at: span, "\"\(name)\" cannot be the name of a \(what)",
            suggestion: "use letters, digits, - and _")
    }

    // MARK: penstock.yml

    private mutating func checkRequires(_ node: YAMLNode?) {
        guard let node, let text = node.text, !Reference.isPresent(in: text) else { return }
        guard let range = VersionRange(text) else {
            findings.error(
                .type, at: node.span, "\"\(text)\" is not a range of versions", suggestion: "write it as \">=0.3 <1.0\""
            )
            return
        }
        guard !range.contains(version) else { return }
        findings.error(.requires, at: node.span, "the project asks for Penstock \(text), and this is \(version)")
    }

    private mutating func readRequirements(_ node: YAMLNode?) {
        for entry in node?.entries ?? [] {
            guard let text = entry.value.text, !Reference.isPresent(in: text) else { continue }
            guard let range = VersionRange(text) else {
                findings.error(
                    .type, at: entry.value.span, "\"\(text)\" is not a range of versions",
                    suggestion: "write it as \"^1.0\"")
                continue
            }
            project.requirements.append(
                Project.Requirement(connector: entry.key, range: range, text: text, span: entry.value.span))
        }
    }

    private mutating func applyProfile(_ root: YAMLNode, wanted: String?) {
        let entries = root["profiles"]?.entries ?? []
        project.profiles = entries.map(\.key)
        let written = root["default_profile"]
        guard let name = wanted ?? written?.text, !Reference.isPresent(in: name) else { return }
        guard let profile = entries.first(where: { $0.key == name }) else {
            let span = wanted == nil ? written?.span : nil
            findings.error(
                .unknownProfile, at: span ?? SourceSpan(file: ProjectLocator.fileName),
                "there is no profile \"\(name)\"", suggestion: Spelling.suggestion(name, in: project.profiles),
                notes: [
                    project.profiles.isEmpty
                        ? "\(ProjectLocator.fileName) has no profiles"
                        : "profiles: \(ScalarText.list(project.profiles))"
                ])
            return
        }
        project.profile = name
        if let over = profile.value["defaults"] { defaults = defaults?.merged(with: over) ?? over }
        for entry in profile.value["connections"]?.entries ?? [] {
            if let index = connectionNodes.firstIndex(where: { $0.key == entry.key }) {
                connectionNodes[index].value = connectionNodes[index].value.merged(with: entry.value)
            } else if entry.value["connector"] != nil {
                connectionNodes.append(entry)
            } else if !isConnectionsBroken {
                let names = connectionNodes.map(\.key)
                findings.error(
                    .unknownConnection, at: entry.keySpan, "there is no connection \"\(entry.key)\" to change",
                    suggestion: Spelling.suggestion(entry.key, in: names),
                    notes: names.isEmpty ? [] : ["connections: \(ScalarText.list(names))"])
            }
        }
    }

    // MARK: Connections

    private mutating func readConnectionNodes(_ root: YAMLNode?) {
        connectionNodes = root?["connections"]?.entries ?? []
        let isThere = project.files.contains(ProjectLocator.fileName)
        isConnectionsBroken = (root == nil && isThere) || root?["connections"]?.isInvalid == true
        let file = "connections.yml"
        let node = readYAML(file, ProjectSchema.connections)
        if project.files.contains(file), node?["connections"]?.isInvalid ?? true { isConnectionsBroken = true }
        for entry in node?["connections"]?.entries ?? [] {
            guard let other = connectionNodes.first(where: { $0.key == entry.key }) else {
                connectionNodes.append(entry)
                continue
            }
            duplicate("connection", entry.key, at: entry.keySpan, first: other.keySpan)
        }
    }

    private mutating func duplicate(_ what: String, _ name: String, at span: SourceSpan, first: SourceSpan) {
        findings.error(
            .duplicateName, at: span, "there are two \(what)s \"\(name)\"",
            suggestion: "the other is in \(first.file):\(max(first.line, 1))")
    }

    private mutating func addConnection(_ entry: YAMLNode.Entry) {
        let errors = findings.errorCount
        checkName(entry.key, "connection", at: entry.keySpan)
        let node = checker.check(
            entry.value, ProjectSchema.connection, key: entry.key, at: entry.keySpan, &findings)
        var connection = Connection(name: entry.key, node: node, span: entry.keySpan)
        connection.hasErrors = findings.errorCount > errors
        project.connections.append(connection)
    }

    // MARK: Models

    private mutating func readModels(_ root: YAMLNode?) {
        areModelsMissing = root == nil || root?["models"]?.isInvalid == true
        for entry in root?["models"]?.entries ?? [] {
            let node = checker.check(
                entry.value, ProjectSchema.model, key: entry.key, at: entry.keySpan, &findings)
            if node.isInvalid {
                brokenModels.insert(entry.key)
            } else {
                addModel(entry.key, sql: nil, yaml: node, place: entry.keySpan)
            }
        }
        let files = names(in: "models", ["sql", "yml", "yaml"])
        for name in Set(files.map(Self.stem)).sorted() {
            let sqlFile = files.first { $0 == "\(name).sql" }
            let yamlFile = files.first { $0 == "\(name).yml" || $0 == "\(name).yaml" }
            let sql = sqlFile.flatMap { readText("models/\($0)") }
            let yaml = yamlFile.flatMap { readYAML("models/\($0)", ProjectSchema.model) }
            guard (sql != nil) == (sqlFile != nil), (yaml != nil) == (yamlFile != nil) else {
                brokenModels.insert(name)
                continue
            }
            let place = SourceSpan(file: "models/\(sqlFile ?? yamlFile ?? name)", line: 1, column: 1, length: 1)
            addModel(name, sql: sql, yaml: yaml, place: place)
        }
        project.models = models.values.sorted { $0.name < $1.name }
    }

    private mutating func addModel(_ name: String, sql: SourceText?, yaml: YAMLNode?, place: SourceSpan) {
        checkName(name, "model", at: place)
        let model = ModelReader(name: name, sql: sql, yaml: yaml, place: place).read(&findings)
        if let other = models[name] { return duplicate("model", name, at: place, first: other.sqlSpan) }
        models[name] = model
        let names = connectionNodes.map(\.key)
        guard !model.connection.isEmpty, !isConnectionsBroken, !names.contains(model.connection),
            !Reference.isPresent(in: model.connection)
        else { return }
        findings.error(
            .unknownConnection, at: model.connectionSpan, "there is no connection \"\(model.connection)\"",
            suggestion: Spelling.suggestion(model.connection, in: names),
            notes: names.isEmpty ? [] : ["connections: \(ScalarText.list(names))"])
        models[name]?.hasErrors = true
    }

    private mutating func readDBT(_ section: YAMLNode?) {
        guard let section, !section.isInvalid else { return }
        let used = sections.compactMap { $0.node["source"]?["model"]?.text }
        let isUsed = used.contains { $0.hasPrefix(DBTModels.prefix) }
        let names = connectionNodes.map(\.key)
        if let connection = section["connection"], let name = connection.text, !isConnectionsBroken,
            !names.contains(name), !Reference.isPresent(in: name)
        {
            findings.error(
                .unknownConnection, at: connection.span, "there is no connection \"\(name)\"",
                suggestion: Spelling.suggestion(name, in: names),
                notes: names.isEmpty ? [] : ["connections: \(ScalarText.list(names))"])
        }
        guard isUsed || takesAllModels else { return }
        dbt = DBTModels.read(section, root: project.root, &findings)
        isDBTBroken = dbt == nil
        project.dbt = dbt
        if takesAllModels { project.models += dbt?.all ?? [] }
    }

    // MARK: Syncs

    private mutating func readSyncs(_ root: YAMLNode?) {
        for entry in root?["syncs"]?.entries ?? [] {
            addSync(entry.key, file: entry.keySpan.file, place: entry.keySpan, node: entry.value)
        }
        for name in names(in: "syncs", ["yml", "yaml"]) {
            let file = "syncs/\(name)"
            guard let source = readText(file), let node = YAMLReader.read(source, findings: &findings) else {
                brokenSyncs.insert(Self.stem(name))
                continue
            }
            let place = SourceSpan(file: file, line: 1, column: 1, length: 1)
            addSync(Self.stem(name), file: file, place: place, node: node)
        }
    }

    private mutating func addSync(_ name: String, file: String, place: SourceSpan, node: YAMLNode) {
        checkName(name, "sync", at: place)
        let isOwnFile = file != ProjectLocator.fileName
        let checked = checker.check(
            node, ProjectSchema.sync, key: isOwnFile ? "" : name, at: isOwnFile ? nil : place, &findings)
        checkVersion(checked["version"])
        if let other = sections.first(where: { $0.name == name }) {
            return duplicate("sync", name, at: place, first: other.place)
        }
        sections.append(SyncSection(name: name, file: file, place: place, node: checked))
    }

    private mutating func decodeSyncs() {
        let context = SyncDecoder.Context(
            connections: isConnectionsBroken
                ? nil : Dictionary(project.connections.map { ($0.name, $0) }) { first, _ in first },
            models: models, brokenModels: brokenModels, areModelsMissing: areModelsMissing, dbt: dbt,
            isDBTBroken: isDBTBroken)
        let base = (defaults ?? .emptyMap(at: SourceSpan(file: ProjectLocator.fileName))).inherited
        for section in sections where !section.node.isInvalid {
            let sync = SyncDecoder.decode(
                base.merged(with: section.node), name: section.name, file: section.file, place: section.place,
                context: context, findings: &findings)
            project.syncs.append(sync)
        }
        takeUsedDBTModels()
        for (index, sync) in project.syncs.enumerated() where !sync.hasErrors {
            let used = [sync.definition.source.connection, sync.definition.destination.connection]
            let isUsingBad =
                sync.definition.source.model.map { project.model(named: $0)?.hasErrors ?? true } ?? false
                || project.connections.contains { $0.hasErrors && used.contains($0.name) }
            let isBad = findings.diagnostics.contains { diagnostic in
                diagnostic.severity == .error && diagnostic.file == sync.file
            }
            project.syncs[index].hasErrors = isBad || isUsingBad
        }
        project.syncs.sort { $0.name < $1.name }
    }

    /// Puts dbt's models that syncs read among the project's, without a word about names that were told of already.
    private mutating func takeUsedDBTModels() {
        guard let dbt, !takesAllModels else { return }
        for name in project.syncs.compactMap(\.definition.source.model) where project.model(named: name) == nil {
            var told = Findings()
            guard name.hasPrefix(DBTModels.prefix),
                let model = dbt.model(named: name, at: SourceSpan(file: ""), &told)
            else { continue }
            project.models.append(model)
        }
    }

    /// Two syncs whose records carry the same markers would take them for each other's.
    private mutating func checkFormerNames() {
        for sync in project.syncs {
            let others = project.syncs.filter { $0.name != sync.name }
            guard let former = sync.definition.formerName,
                let other = others.first(where: { ($0.definition.formerName ?? $0.name) == former })
            else { continue }
            findings.error(
                .duplicateName, at: sync.position(of: .name),
                "\(other.name) marks its records with the name \"\(former)\" too",
                suggestion: "remove renamed_from from the one that was not called so")
        }
    }

    private mutating func readTemplates() {
        for name in names(in: "templates", ["yml", "yaml"]) {
            let file = "templates/\(name)"
            guard let source = readText(file), let node = YAMLReader.read(source, findings: &findings) else { continue }
            let stem = Self.stem(name)
            checkName(stem, "template", at: SourceSpan(file: file, line: 1, column: 1, length: 1))
            let reader = TemplateReader(name: stem, source: source, sources: project.sources)
            if let template = reader.read(node, &findings) { project.templates.append(template) }
        }
    }

    private mutating func checkAfter() {
        let names = sections.map(\.name)
        for sync in project.syncs {
            let links = sync.definition.map.enumerated().compactMap { index, entry in
                entry.link.map { (SyncLocation.entry(index, .link), $0.sync) }
            }
            let after = sync.after.enumerated().map { (SyncLocation.after($0.offset), $0.element) }
            for (place, name) in after + links where !Reference.isPresent(in: name) {
                let span = sync.position(of: place)
                if brokenSyncs.contains(name) || areModelsMissing { continue }
                if !names.contains(name) {
                    findings.error(
                        .unknownSync, at: span, "there is no sync \"\(name)\"",
                        suggestion: Spelling.suggestion(name, in: names),
                        notes: ["syncs: \(ScalarText.list(names.sorted()))"])
                } else if let path = cycle(from: name, to: sync.name, seen: []) {
                    let way = ([sync.name] + path).joined(separator: " → ")
                    findings.error(.afterCycle, at: span, "\(sync.name) waits for itself", notes: [way])
                }
            }
        }
    }

    /// The way over `after` and `link` from one sync to another, both named, or nil.
    private func cycle(from name: String, to goal: String, seen: Set<String>) -> [String]? {
        if name == goal { return [name] }
        guard !seen.contains(name), let sync = project.sync(named: name) else { return nil }
        for next in sync.predecessors {
            if let rest = cycle(from: next, to: goal, seen: seen.union([name])) { return [name] + rest }
        }
        return nil
    }
}
