// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Gives references their values: from the environment, from files, from stored credentials, from programs.
package struct ReferenceResolver: Sendable {
    /// A scalar with its references replaced.
    struct Expansion: Sendable {
        var text: String
        /// Which of the values must not be shown.
        var secrets: [String] = []
    }

    private static let bytesMax = 1 << 17

    private let environment: [String: String]
    private let root: String
    private let sharedSecrets: String
    /// What opens sealed files and runs programs.
    package var sources: SecretSources

    /// A resolver for one project.
    ///
    /// - Parameters:
    ///   - root: The project's folder.
    ///   - environment: The variables, usually of this process.
    ///   - sharedSecrets: Where a container platform puts secrets.
    package init(
        root: String, environment: [String: String], sharedSecrets: String = "/run/secrets",
        sources: SecretSources = SecretSources()
    ) {
        self.root = root
        self.environment = environment
        self.sharedSecrets = sharedSecrets
        self.sources = sources
    }

    /// The folders in which `${cred:NAME}` is looked for, in order.
    package var credentialFolders: [String] {
        [environment["CREDENTIALS_DIRECTORY"], sharedSecrets, userCredentials].compactMap { $0 }
    }

    /// Where a user's own credentials are, or nil without a home.
    package var userCredentials: String? {
        let config = environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        let folder = config ?? environment["HOME"].map { "\($0)/.config" }
        return folder.map { "\($0)/penstock/credentials" }
    }

    /// The secret in a sealed file of the user's credentials; nil where it is not one, or cannot be opened.
    package func sealedCredential(_ name: String) -> String? {
        guard let folder = userCredentials,
            let bytes = ProjectFiles.contents("\(folder)/\(name)", bytesMax: Self.bytesMax)
        else { return nil }
        // What cannot be opened cannot be shown by anybody either.
        return try? sources.open(name, bytes)
    }

    /// Where a user's own settings of Penstock are, or nil without a home.
    package var userConfig: String? { userCredentials.map { $0.dropLast("credentials".count) + "config.yml" } }

    /// Whether there is a credential of this name in a folder, or one that is not stored yet; other folders than the
    /// user's own only where `elsewhere` is asked for.
    package func hasCredential(_ name: String, elsewhere: Bool = false) -> Bool {
        let folders = credentialFolders.filter { !elsewhere || $0 != userCredentials }
        return folders.contains { ProjectFiles.isFile("\($0)/\(name)") }
    }

    /// Replaces the references of a scalar; nil where one has no value, which then is among the findings.
    func expand(
        _ node: YAMLNode, source: SourceText?, isSecret: Bool, allowsCredentials: Bool, findings: inout Findings
    ) -> Expansion? {
        guard let text = node.text else { return nil }
        let errors = findings.errorCount
        var result = Expansion(text: "")
        var seen: [String: Int] = [:]
        for part in Reference.parts(of: text) {
            switch part {
            case .text(let text): result.text += text
            case .malformed(let raw, let code, let reason):
                let place = Self.place(raw, &seen, node, source)
                let works = "${env:NAME}, ${NAME}, ${file:path}, ${cred:NAME}, ${exec:program words}"
                findings.error(code, at: place, reason, notes: ["what works: \(works); a dollar sign is $$"])
            case .reference(let reference):
                let place = Self.place(reference.raw, &seen, node, source)
                if [.cred, .exec].contains(reference.provider), !allowsCredentials {
                    findings.error(
                        .reference, at: place, "a credential may only be used in a connection",
                        notes: ["here it would be shown in plans and stored with rows"])
                    continue
                }
                guard let value = value(reference, at: place, isSecret: isSecret, &findings) else { continue }
                result.text += value
                if isSecret || Self.isSecret(reference, in: text) { result.secrets.append(value) }
            }
        }
        return findings.errorCount == errors ? result : nil
    }

    /// A path from a project file, made absolute: `~/` is the home folder, anything else starts at the file's folder.
    func absolute(_ path: String, file: String) -> String {
        if path.hasPrefix("/") { return path }
        if path.hasPrefix("~/"), let home = environment["HOME"] { return home + path.dropFirst(1) }
        let folder = file.lastIndex(of: "/").map { "/" + file[..<$0] } ?? ""
        let relative = path.hasPrefix("./") ? path.dropFirst(2) : path[...]
        return "\(root)\(folder)/\(relative)"
    }

    private static func place(
        _ raw: String, _ seen: inout [String: Int], _ node: YAMLNode, _ source: SourceText?
    ) -> SourceSpan {
        let occurrence = seen[raw, default: 0]
        seen[raw] = occurrence + 1
        return source?.place(of: raw, occurrence: occurrence, from: node.span) ?? node.span
    }

    private static func isSecret(_ reference: Reference, in text: String) -> Bool {
        switch reference.provider {
        case .cred, .exec: true
        case .file: false
        case .env: SecretMask.isSecretName(reference.name) || text.contains("://")
        }
    }

    /// Whether a service manager hands out credentials.
    var hasServiceFolder: Bool { environment["CREDENTIALS_DIRECTORY"] != nil }

    /// Whether a file of the user's credentials is sealed.
    func isSealed(_ path: String) -> Bool {
        ProjectFiles.contents(path, bytesMax: Self.bytesMax).map(sources.isSealed) ?? false
    }

    func value(
        _ reference: Reference, at place: SourceSpan, isSecret: Bool, _ findings: inout Findings
    ) -> String? {
        switch reference.provider {
        case .env: return variable(reference, at: place, isSecret: isSecret, &findings)
        case .file:
            let path = absolute(reference.name, file: place.file)
            guard let text = contents(path) else {
                findings.error(
                    .fileMissing, at: place, "the file \(reference.name) cannot be read",
                    notes: ["a relative path starts at the folder of \(place.file)"])
                return nil
            }
            if isSecret, ProjectFiles.isShared(path) {
                findings.warning(
                    .filePermissions, at: place, "the file \(reference.name) can be read by other users",
                    suggestion: "chmod 600 \(reference.name)")
            }
            return text
        case .cred: return credential(reference, at: place, &findings)
        case .exec: return printed(reference, at: place, &findings)
        }
    }

    private func printed(_ reference: Reference, at place: SourceSpan, _ findings: inout Findings) -> String? {
        guard sources.runsCommands else {
            findings.error(
                .execForbidden, at: place, "programs may not run for this project's secrets",
                notes: [
                    "read the command first: whoever wrote the file chose it",
                    "then allow it: --allow-exec, PENSTOCK_ALLOW_EXEC=1, or allow_exec: true in "
                        + (userConfig ?? "config.yml"),
                ])
            return nil
        }
        do throws(SecretSources.Problem) {
            return try sources.printed(by: reference.name)
        } catch {
            findings.error(.execFailed, at: place, error.reason, notes: error.notes)
            return nil
        }
    }

    private func variable(
        _ reference: Reference, at place: SourceSpan, isSecret: Bool, _ findings: inout Findings
    ) -> String? {
        let value = environment[reference.name]
        let needsText = isSecret || reference.fallback != nil || reference.message != nil
        if let value, !(value.isEmpty && needsText) { return value }
        if let fallback = reference.fallback { return fallback }
        let state = value == nil ? "is not set" : "is empty"
        let detail = reference.message.map { $0.isEmpty ? "" : ": \($0)" } ?? ""
        let near = NearestName.of(reference.name, in: environment.keys.sorted())
        findings.error(
            .envUnset, at: place, "\(reference.name) \(state)\(detail)",
            suggestion: value == nil ? near.map { "did you mean \($0)?" } : nil,
            notes: isSecret ? ["set it, or store the secret as a file and write ${cred:NAME}"] : [])
        return nil
    }

    private func credential(
        _ reference: Reference, at place: SourceSpan, _ findings: inout Findings
    ) -> String? {
        let name = reference.name
        if let pending = sources.pending[name] { return pending.reveal { $0 } }
        var unusable: [String] = []
        for folder in credentialFolders {
            let path = "\(folder)/\(name)"
            guard let bytes = ProjectFiles.contents(path, bytesMax: Self.bytesMax) else {
                if ProjectFiles.isThere(path) { unusable.append(path) }
                continue
            }
            if folder == userCredentials, ProjectFiles.isShared(path) {
                findings.error(
                    .credPermissions, at: place, "the credential \(name) can be read by other users",
                    suggestion: "chmod 600 \(path)")
                return nil
            }
            do throws(SecretSources.Problem) {
                let opened = folder == userCredentials ? try sources.open(name, bytes) : nil
                guard let text = opened ?? Self.text(bytes) else {
                    unusable.append(path)
                    continue
                }
                guard !text.isEmpty else {
                    findings.error(.credMissing, at: place, "the credential \(name) is empty")
                    return nil
                }
                return text
            } catch {
                findings.error(.credSealed, at: place, error.reason, notes: error.notes)
                return nil
            }
        }
        guard unusable.isEmpty else {
            findings.error(
                .credMissing, at: place, "the credential \(name) cannot be used",
                notes: unusable + [
                    "it must be a file that can be read, of UTF-8 text, of at most \(Self.bytesMax / 1_024) KiB"
                ])
            return nil
        }
        findings.error(
            .credMissing, at: place, "there is no credential \(name)",
            notes: [
                "store it: penstock secret set \(name)", "looked in: \(credentialFolders.joined(separator: ", "))",
            ])
        return nil
    }

    /// The text of a small file without one trailing line feed; nil where it cannot be read or is not UTF-8.
    private func contents(_ path: String) -> String? {
        ProjectFiles.contents(path, bytesMax: Self.bytesMax).flatMap(Self.text)
    }

    private static func text(_ bytes: [UInt8]) -> String? {
        guard var text = String(validating: bytes, as: UTF8.self) else { return nil }
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
        return text
    }
}
