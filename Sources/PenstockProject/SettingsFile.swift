// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A file with the settings of one connection outside of a project, as YAML or JSON.
package struct SettingsFile: Sendable {
    /// The settings, ready for a connector; nil where there is an error among ``diagnostics``.
    package var settings: ResolvedSettings?
    /// Texts by name under a key that starts with `x-`.
    package var reasons: [String: String] = [:]
    /// Everything that was found wrong.
    package var diagnostics: [Diagnostic] = []
    /// Writes findings with excerpts of the file.
    package var renderer: DiagnosticRenderer

    /// Reads the settings in `bytes`.
    ///
    /// - Parameters:
    ///   - file: The file's path, for messages and for relative paths in it.
    ///   - descriptor: Whose settings they are.
    ///   - reasonsKey: The key of ``reasons``.
    package init(
        _ bytes: [UInt8], file: String, descriptor: ConnectorDescriptor, resolver: ReferenceResolver, reasonsKey: String
    ) {
        var findings = Findings()
        let source = SourceText(file: file, bytes: bytes, findings: &findings)
        renderer = DiagnosticRenderer(sources: [file: source])
        if let node = YAMLReader.read(source, findings: &findings) {
            let connection = Connection(name: "settings", node: node, span: node.span)
            var check = ConnectionSettings(
                connection: connection, descriptor: descriptor, sources: [file: source], resolver: resolver)
            let settings = check.check(&findings)
            if findings.errorCount == 0 { self.settings = ResolvedSettings(settings: settings, secrets: check.secrets) }
            reasons = Self.texts(node[reasonsKey])
        }
        diagnostics = findings.diagnostics
    }

    /// Reads texts by name, as a whole file.
    package static func texts(
        _ bytes: [UInt8], file: String
    ) -> (texts: [String: String], diagnostics: [Diagnostic], renderer: DiagnosticRenderer) {
        var findings = Findings()
        let source = SourceText(file: file, bytes: bytes, findings: &findings)
        let node = YAMLReader.read(source, findings: &findings)
        return (texts(node), findings.diagnostics, DiagnosticRenderer(sources: [file: source]))
    }

    /// What is not a text counts as an empty one.
    private static func texts(_ node: YAMLNode?) -> [String: String] {
        var texts: [String: String] = [:]
        for entry in node?.entries ?? [] { texts[entry.key] = entry.value.isNull ? "" : entry.value.text ?? "" }
        return texts
    }
}
