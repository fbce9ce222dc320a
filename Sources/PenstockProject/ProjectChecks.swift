// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension Project {
    /// Holds connections and syncs against what the connectors say about themselves; nothing is opened.
    ///
    /// - Parameters:
    ///   - connectors: The connectors that are there, by id.
    ///   - resolver: Gives references their values; nil leaves them as they are (`--no-env`).
    ///   - refusal: Why a connector is not there although its file was found, by its id: the path and a clause.
    ///   - selected: The syncs to check, with the connections that they use; nil checks everything.
    /// - Returns: The findings by file, line and column.
    package func check(
        connectors: [String: ConnectorDescriptor], resolver: ReferenceResolver?,
        refusal: (String) -> String? = { _ in nil }, syncs selected: Set<String>? = nil
    ) -> [Diagnostic] {
        var findings = Findings()
        let chosen = syncs.filter { selected?.contains($0.name) ?? true }
        let used = Set(chosen.flatMap { [$0.definition.source.connection, $0.definition.destination.connection] })
        for requirement in requirements { check(requirement, connectors, refusal, &findings) }
        for connection in connections where selected == nil || used.contains(connection.name) {
            check(connection, connectors, resolver, refusal, &findings)
        }
        for sync in chosen {
            checkSource(sync, connectors, &findings)
            checkDestination(sync, connectors, &findings)
        }
        return sorted(findings.diagnostics)
    }

    private func check(
        _ requirement: Requirement, _ connectors: [String: ConnectorDescriptor], _ refusal: (String) -> String?,
        _ findings: inout Findings
    ) {
        guard let found = connectors[requirement.connector] else {
            guard !connections.contains(where: { $0.connector == requirement.connector }) else { return }
            unknown(requirement.connector, at: requirement.span, connectors, refusal, &findings)
            return
        }
        guard !requirement.range.contains(found.version) else { return }
        findings.error(
            .connectorVersion, at: requirement.span,
            "the project asks for \(found.id) \(requirement.text), and \(found.version) is installed")
    }

    private func unknown(
        _ id: String, at span: SourceSpan, _ connectors: [String: ConnectorDescriptor],
        _ refusal: (String) -> String?, _ findings: inout Findings
    ) {
        let ids = connectors.keys.sorted()
        let written = (sources[span.file]?.line(span.line) ?? []).dropFirst(span.column - 1).prefix(span.length)
        // What a reference stands for may be a secret in the wrong place.
        let isReference = Reference.isPresent(in: String(String.UnicodeScalarView(written)))
        if !isReference, let refused = refusal(id) {
            return findings.error(
                .unknownConnector, at: span, "the connector \"\(id)\" was found, and is refused",
                notes: [refused, "what was found: penstock connector list"])
        }
        findings.error(
            .unknownConnector, at: span,
            isReference ? "there is no connector of the name that this stands for" : "there is no connector \"\(id)\"",
            suggestion: Spelling.suggestion(id, in: ids),
            notes: [ids.isEmpty ? "no connector is installed" : "connectors: \(ScalarText.list(ids))"])
    }

    private func check(
        _ connection: Connection, _ connectors: [String: ConnectorDescriptor], _ resolver: ReferenceResolver?,
        _ refusal: (String) -> String?, _ findings: inout Findings
    ) {
        guard !connection.connector.isEmpty, !Reference.isPresent(in: connection.connector) else { return }
        guard let descriptor = connectors[connection.connector] else {
            unknown(connection.connector, at: connection.connectorSpan, connectors, refusal, &findings)
            return
        }
        var check = ConnectionSettings(
            connection: connection, descriptor: descriptor, sources: sources, resolver: resolver)
        var found = Findings()
        _ = check.check(&found)
        let missing: [DiagnosticCode] = [.envUnset, .credMissing, .fileMissing, .execFailed]
        for var diagnostic in found.diagnostics {
            if missing.contains(where: { $0.rawValue == diagnostic.code }) {
                diagnostic.notes.insert(usage(of: connection), at: 0)
                // With several accounts side by side, nobody has the secrets of all.
                if users(of: connection) == 0 { diagnostic.severity = .warning }
            }
            findings.add(diagnostic)
        }
    }

    private func users(of connection: Connection) -> Int {
        syncs.count { sync in
            [sync.definition.source.connection, sync.definition.destination.connection].contains(connection.name)
        }
    }

    private func usage(of connection: Connection) -> String {
        let count = users(of: connection)
        return count == 0 ? "used by no sync" : "used by \(count) sync\(count == 1 ? "" : "s")"
    }

    private func checkSource(
        _ sync: SyncFile, _ connectors: [String: ConnectorDescriptor], _ findings: inout Findings
    ) {
        guard let connection = connection(named: sync.definition.source.connection),
            let descriptor = connectors[connection.connector]
        else { return }
        let isModel = sync.definition.source.model != nil
        let place = sync.position(of: isModel ? .model : .sourceConnection)
        if !descriptor.capabilities.contains(.source) {
            findings.error(
                .connectorRole, at: place, "\(connection.name) is a destination (\(descriptor.id)) and cannot be read",
                notes: sourceNames(connectors))
        } else if isModel, !descriptor.capabilities.contains(.query) {
            findings.error(
                .connectorRole, at: place,
                "\(connection.name) (\(descriptor.id)) reads tables and no models",
                suggestion: "write connection: \(connection.name) and table: NAME")
        }
    }

    private func sourceNames(_ connectors: [String: ConnectorDescriptor]) -> [String] {
        let names = connections.filter { connectors[$0.connector]?.capabilities.contains(.source) ?? false }.map(\.name)
        return names.isEmpty ? [] : ["sources: \(ScalarText.list(names))"]
    }

    private func checkDestination(
        _ sync: SyncFile, _ connectors: [String: ConnectorDescriptor], _ findings: inout Findings
    ) {
        let destination = sync.definition.destination
        guard let connection = connection(named: destination.connection),
            let descriptor = connectors[connection.connector]
        else { return }
        guard descriptor.capabilities.contains(.destination) else {
            let names = connections.filter { connectors[$0.connector]?.capabilities.contains(.destination) ?? false }
            findings.error(
                .connectorRole, at: sync.position(of: .destinationConnection),
                "\(connection.name) is a source (\(descriptor.id)) and cannot be written",
                notes: names.isEmpty ? [] : ["destinations: \(ScalarText.list(names.map(\.name)))"])
            return
        }
        guard !destination.object.isEmpty, !Reference.isPresent(in: destination.object) else { return }
        guard let object = descriptor.objects.first(where: { $0.id == destination.object }) else {
            let ids = descriptor.objects.map(\.id)
            findings.error(
                .unknownObject, at: sync.position(of: .destinationObject),
                "\(descriptor.id) has no object \"\(destination.object)\"",
                suggestion: Spelling.suggestion(destination.object, in: ids),
                notes: ["objects: \(ScalarText.list(ids))"])
            return
        }
        checkRequired(sync, object, &findings)
    }

    /// What creates records needs the fields without which there is no record.
    private func checkRequired(_ sync: SyncFile, _ object: ObjectDescriptor, _ findings: inout Findings) {
        let insert = sync.definition.insert
        let creates = insert.mode == .append || insert.onMissing == .create
        let targets = sync.definition.map.map(\.target)
        guard creates, !targets.isEmpty else { return }
        for field in object.requiredOnCreate where !targets.contains(field) {
            let what = insert.mode == .append ? "Append" : "on_missing: create"
            let near = NearestName.of(field, in: targets).flatMap(targets.firstIndex)
            findings.error(
                .appendField, at: sync.position(of: near.map { .entry($0, .target) } ?? .map),
                "\(what) needs \(field) for a new \(object.id), and \(field) is not mapped",
                suggestion: near == nil ? "add \(field): COLUMN" : "did you mean \"\(field)\"?",
                notes: insert.mode == .append
                    ? ["Append is the default; to change existing records: insert: {mode: Update}"] : [])
        }
    }
}
