// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension SyncDecoder {
    /// Reads `source.model` and what belongs to it.
    mutating func readModel(_ node: YAMLNode, _ source: YAMLNode) {
        guard let name = node.text else { return }
        sync.definition.source.model = name
        sync.definition.source.target = .query("")
        if let connection = source.entry("connection"), !connection.value.isInvalid {
            findings.error(
                .sourceConnection, at: connection.keySpan, "a model names its connection itself",
                suggestion: "remove this")
        }
        guard let model = model(named: name, at: node.span) else { return }
        sync.definition.source.model = model.name
        sync.definition.source.connection = model.connection
        sync.definition.source.target = .query(query(model, source["params"], at: node.span))
        if sync.definition.source.key.isEmpty {
            sync.definition.source.key = model.key
            for (index, span) in model.keySpans.enumerated() { sync.spans[.sourceKey(index)] = span }
        }
    }

    /// Says that a table has no parameters, where some are given.
    mutating func refuseParameters(_ source: YAMLNode) {
        guard let params = source.entry("params") else { return }
        findings.error(
            .modelParam, at: params.keySpan, "a table has no parameters", suggestion: "remove this, or read a model")
    }

    private mutating func model(named name: String, at span: SourceSpan) -> Model? {
        if let model = context.models[name] { return model }
        guard !context.isModelUnknowable(name), !Reference.isPresent(in: name) else { return nil }
        if name.hasPrefix(DBTModels.prefix) {
            if let dbt = context.dbt { return dbt.model(named: name, at: span, &findings) }
            if !context.isDBTBroken {
                findings.error(
                    .dbtManifest, at: span, "the project does not say where dbt's manifest is",
                    suggestion: "add to penstock.yml: dbt: {manifest: target/manifest.json, connection: NAME}")
            }
            return nil
        }
        let names = context.models.keys.sorted()
        findings.error(
            .unknownModel, at: span, "there is no model \"\(name)\"",
            suggestion: Spelling.suggestion(name, in: names) ?? "write models/\(name).sql",
            notes: names.isEmpty ? [] : ["models: \(ScalarText.list(names))"])
        return nil
    }

    /// The query with the sync's values in it; as it was written where that is not possible.
    private mutating func query(_ model: Model, _ params: YAMLNode?, at span: SourceSpan) -> String {
        let entries = (params?.entries ?? []).filter { !$0.value.isInvalid }
        let values = Dictionary(entries.map { ($0.key, $0.value.text ?? "") }) { first, _ in first }
        let texts = values.values + model.parameters.compactMap(\.defaultText)
        guard !model.hasErrors, !texts.contains(where: Reference.isPresent) else { return model.sql }
        do throws(ModelParameterProblem) {
            return try model.query(values)
        } catch {
            let place =
                switch error {
                case .unknown(let name, _): entries.first { $0.key == name }?.keySpan
                case .wrongValue(_, let name, _): entries.first { $0.key == name }?.value.span
                case .missing: nil as SourceSpan?
                }
            var suggestion = error.suggestion
            if case .missing(let name) = error { suggestion = "add params: {\(name): …} under source" }
            findings.error(
                .modelParam, at: place ?? span, error.message(model: model.name), suggestion: suggestion,
                notes: error.notes)
            return model.sql
        }
    }
}
