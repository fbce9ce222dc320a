// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel

/// The models that a project takes over from dbt: `dbt:` in `penstock.yml`, and what its manifest holds.
struct DBTModels: Sendable {
    /// What names of dbt's models begin with.
    static let prefix = "dbt:"

    private static let bytesMax = 512 << 20

    private let manifest: DBTManifest
    private let file: String
    private let connection: String
    private let place: SourceSpan
    private let connectionPlace: SourceSpan

    /// Reads the manifest that a checked `dbt` section names; nil, and a finding, where that is not possible.
    ///
    /// - Parameter root: The project's folder; a relative path starts there.
    static func read(_ section: YAMLNode, root: String, _ findings: inout Findings) -> DBTModels? {
        guard let path = section["manifest"], let file = path.text, !Reference.isPresent(in: file) else { return nil }
        let connection = section["connection"]
        guard let bytes = ProjectFiles.contents(absolute(file, root), bytesMax: bytesMax) else {
            findings.error(
                .dbtManifest, at: path.span, "dbt's manifest \(file) cannot be read",
                suggestion: "run dbt parse, or correct the path",
                notes: ["a relative path starts at the project's folder"])
            return nil
        }
        guard let manifest = DBTManifest(bytes) else {
            findings.error(
                .dbtManifest, at: path.span, "\(file) is not a manifest of dbt",
                suggestion: "name the manifest.json of dbt's target folder")
            return nil
        }
        return DBTModels(
            manifest: manifest, file: file, connection: connection?.text ?? "", place: path.span,
            connectionPlace: connection?.span ?? path.span)
    }

    private static func absolute(_ path: String, _ root: String) -> String {
        if path.hasPrefix("~/"), let home = ProcessInfo.processInfo.environment["HOME"] {
            return home + path.dropFirst(1)
        }
        return path.hasPrefix("/") ? path : "\(root)/\(path)"
    }

    /// Every model that can be read, by name.
    var all: [Model] { manifest.nodes.filter { $0.relation != nil }.map(model).sorted { $0.name < $1.name } }

    /// The model that a sync calls `name`; nil, and a finding at `span`, where there is not exactly one.
    func model(named name: String, at span: SourceSpan, _ findings: inout Findings) -> Model? {
        let bare = String(name.dropFirst(Self.prefix.count))
        switch manifest.lookup(bare) {
        case .ambiguous(let names):
            findings.error(
                .dbtModel, at: span, "dbt has several models \"\(bare)\"",
                suggestion: "name one of them", notes: ["models: \(list(names))"])
        case .missing:
            let names = manifest.nodes.map(manifest.shortestName)
            let near = NearestName.of(bare, in: names).map { "did you mean \"\(Self.prefix)\($0)\"?" }
            findings.error(
                .dbtModel, at: span, "dbt's manifest has no model \"\(bare)\"",
                suggestion: near ?? "run dbt parse if it is new",
                notes: names.isEmpty ? ["\(file) has no models"] : ["models: \(list(names.sorted()))"])
        case .found(let node):
            guard node.relation == nil else { return model(node) }
            findings.error(
                .dbtModel, at: span, "dbt makes no table or view for \(bare), so there is nothing to read",
                suggestion: "materialize it as a table or view")
        }
        return nil
    }

    private func list(_ names: [String]) -> String { ScalarText.list(names.map { Self.prefix + $0 }) }

    private func model(_ node: DBTManifest.Node) -> Model {
        var model = Model(
            name: Self.prefix + manifest.shortestName(node), file: file, connection: connection,
            sql: "SELECT * FROM \(node.relation ?? node.name)", key: node.key, connectionSpan: connectionPlace,
            sqlSpan: place, keySpans: node.key.map { _ in place })
        model.description = node.description
        model.columns = node.columns
        model.origin = .dbt(uniqueID: node.uniqueID)
        return model
    }
}
