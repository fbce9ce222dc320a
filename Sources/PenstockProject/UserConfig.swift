// SPDX-License-Identifier: Apache-2.0

/// A user's own settings of Penstock, outside of any project: `penstock/config.yml` in the user configuration folder.
package struct UserConfig: Sendable {
    /// Whether programs may run for the secrets of projects.
    package var allowsExec = false
    /// What is wrong with the file; nothing of it counts then.
    package var diagnostics: [Diagnostic] = []
    /// Writes findings with excerpts of the file.
    package var renderer = DiagnosticRenderer(sources: [:])

    private static let schema = SchemaNode.map([.init("allow_exec", .boolean)])

    /// Reads the file; without one, everything is as it is at first.
    package init(path: String?) {
        guard let path, let bytes = ProjectFiles.contents(path, bytesMax: 1 << 16) else { return }
        var findings = Findings()
        let source = SourceText(file: path, bytes: bytes, findings: &findings)
        renderer = DiagnosticRenderer(sources: [path: source])
        if ProjectFiles.isWritableByOthers(path) {
            findings.error(
                .filePermissions, at: SourceSpan(file: path), "other users can write to this file",
                suggestion: "chmod 600 \(path)")
        }
        if findings.errorCount == 0, let node = YAMLReader.read(source, findings: &findings) {
            let checked = SchemaChecker(sources: [path: source], resolver: nil)
                .check(node, Self.schema, key: "", &findings)
            allowsExec = checked["allow_exec"]?.text.flatMap(ScalarText.boolean) ?? false
        }
        diagnostics = findings.diagnostics
        if findings.errorCount > 0 { allowsExec = false }
    }
}
