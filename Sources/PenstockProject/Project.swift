// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A project as it is on disk, with a place for everything in it.
package struct Project: Sendable {
    /// A range of versions that the project allows for a connector.
    package struct Requirement: Sendable, Hashable {
        /// The connector's id.
        package var connector: String
        /// The range.
        package var range: VersionRange
        /// The range as written.
        package var text: String
        /// Where it stands.
        package var span: SourceSpan
    }

    /// The folder, absolute.
    package var root: String
    /// The name; the folder's name where none is written.
    package var name = ""
    /// The profile that was laid over the project, or nil.
    package var profile: String?
    /// The names of all profiles, in the order of the file.
    package var profiles: [String] = []
    /// The connections, in the order of the files.
    package var connections: [Connection] = []
    /// The models, by name.
    package var models: [Model] = []
    /// The syncs, by name.
    package var syncs: [SyncFile] = []
    /// The templates of syncs, by name.
    package var templates: [SyncTemplate] = []
    /// What is asked of connectors.
    package var requirements: [Requirement] = []
    /// Who is told of what goes wrong, and how.
    package var alerts: [AlertDefinition] = []
    /// What is kept of runs.
    package var history = HistoryPolicy()
    /// Where events of OpenLineage go, or nil.
    package var lineage: LineageDefinition?
    /// What dbt's manifest holds, where it was read.
    var dbt: DBTModels?
    /// The text of every file that was read, for excerpts.
    package var sources: [String: SourceText] = [:]
    /// The files in the order in which they were read.
    package var files: [String] = []

    /// The connection called `name`, or nil.
    package func connection(named name: String) -> Connection? { connections.first { $0.name == name } }

    /// The model called `name`, or nil.
    package func model(named name: String) -> Model? { models.first { $0.name == name } }

    /// The model that is called `name` on a command line: as a sync may call it, so that dbt's have all their names.
    ///
    /// - Returns: The model, or the finding that says why dbt has none; neither where the name is not one of dbt's, or
    ///   the manifest was not read.
    package func model(calledBy name: String) -> (model: Model?, problem: Diagnostic?) {
        if let model = model(named: name) { return (model, nil) }
        guard let dbt, name.hasPrefix(DBTModels.prefix) else { return (nil, nil) }
        var findings = Findings()
        let model = dbt.model(named: name, at: SourceSpan(file: ProjectLocator.fileName), &findings)
        return (model, findings.diagnostics.first)
    }

    /// The sync called `name`, or nil.
    package func sync(named name: String) -> SyncFile? { syncs.first { $0.name == name } }

    /// What uses a connection: syncs, models and profiles, each in a few words.
    package func users(of connection: String) -> [String] {
        let syncs = syncs.filter {
            [$0.definition.source.connection, $0.definition.destination.connection].contains(connection)
        }
        let models = models.filter { $0.connection == connection }
        var ignored = Findings()
        let root = sources[ProjectLocator.fileName].flatMap { YAMLReader.read($0, findings: &ignored) }
        let profiles = (root?["profiles"]?.entries ?? []).filter { $0.value["connections"]?[connection] != nil }
        return syncs.map { "sync \($0.name) (\($0.file))" } + models.map { "model \($0.name) (\($0.file))" }
            + profiles.map { "profile \($0.key) (\(ProjectLocator.fileName))" }
    }

    /// The template called `name`, or nil.
    package func template(named name: String) -> SyncTemplate? { templates.first { $0.name == name } }

    /// Writes findings about this project with excerpts of its files.
    package var renderer: DiagnosticRenderer { DiagnosticRenderer(sources: sources) }

    /// Reads a project and checks everything that needs no connector.
    ///
    /// Never stops at a finding: what is wrong is left out of the project or left empty in it.
    ///
    /// - Parameters:
    ///   - root: The folder with `penstock.yml`.
    ///   - profile: The profile to lay over it; nil takes `default_profile`.
    ///   - version: The version of this Penstock, for `requires`.
    ///   - resolver: Gives references their values; nil leaves them as they are.
    ///   - takesAllModels: Whether all of dbt's models are taken over, not just those that syncs read.
    ///   - drafts: Texts that stand for files, by path in the project, whether or not those are there.
    /// - Returns: The project, and the findings by file, line and column.
    package static func load(
        root: String, profile: String? = nil, version: String, resolver: ReferenceResolver?,
        takesAllModels: Bool = false, drafts: [String: String] = [:]
    ) -> (project: Project, diagnostics: [Diagnostic]) {
        var loader = ProjectLoader(
            root: root, version: version, resolver: resolver, takesAllModels: takesAllModels, drafts: drafts)
        loader.load(profile: profile)
        return (loader.project, loader.project.sorted(loader.findings.diagnostics))
    }

    /// Whether a text may name a sync, model, connection or template.
    package static func isName(_ text: String) -> Bool { ScalarText.isName(text) }

    /// Findings in the order of the files, then by line and column.
    package func sorted(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
        func rank(_ diagnostic: Diagnostic) -> [Int] {
            [files.firstIndex(of: diagnostic.file) ?? files.count, diagnostic.line, diagnostic.column]
        }
        return diagnostics.enumerated().sorted { left, right in
            let (leftRank, rightRank) = (rank(left.element), rank(right.element))
            return leftRank == rightRank ? left.offset < right.offset : leftRank.lexicographicallyPrecedes(rightRank)
        }.map(\.element)
    }

    /// The settings of a connection, ready for its connector.
    ///
    /// - Returns: The settings, or nil where there is an error among the findings.
    package func resolvedSettings(
        of connection: Connection, descriptor: ConnectorDescriptor, resolver: ReferenceResolver
    ) -> (settings: ResolvedSettings?, diagnostics: [Diagnostic]) {
        var findings = Findings()
        var check = ConnectionSettings(
            connection: connection, descriptor: descriptor, sources: sources, resolver: resolver)
        let settings = check.check(&findings)
        let isGood = findings.errorCount == 0
        return (
            isGood ? ResolvedSettings(settings: settings, secrets: check.secrets) : nil, sorted(findings.diagnostics)
        )
    }
}
