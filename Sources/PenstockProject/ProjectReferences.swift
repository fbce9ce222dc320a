// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A reference in a file of the project, and where it leads.
package struct ProjectReference: Sendable {
    /// The kind of place that a value comes from.
    package enum Place: String, Sendable, Hashable {
        /// A variable, which others can see.
        case environment
        /// A file that the project names.
        case file
        /// A file that the service manager hands out.
        case service
        /// A file of the container platform.
        case platform
        /// A sealed file of this user.
        case sealed
        /// A plain file of this user.
        case plain
        /// A program.
        case command
        /// Nowhere.
        case missing
    }

    /// The reference as it is written, but for a default, which may be a secret.
    package var raw: String
    /// The variable, path, credential or command.
    package var name: String
    /// The key whose value holds it.
    package var key: String
    /// Where it stands.
    package var span: SourceSpan
    /// Where the value comes from.
    package var place: Place
    /// The folder or file of the value; empty where there is none.
    package var path: String
    /// How many characters the value has; nil where there is no value.
    package var length: Int?
    /// Why there is no value, or nil.
    package var problem: String?
    /// The code of ``problem``, or nil.
    package var code: String?
}

extension Project {
    /// Every reference in the project's files, in order, without those of profiles that are not laid over it.
    package func references(_ resolver: ReferenceResolver) -> [ProjectReference] {
        var found: [ProjectReference] = []
        for file in files {
            var ignored = Findings()
            guard !file.hasSuffix(".sql"), let source = sources[file],
                let node = YAMLReader.read(source, findings: &ignored)
            else { continue }
            collect(node, key: "", path: [], &found, resolver)
        }
        return found
    }

    /// The references of one connection; no program runs for them.
    package func references(of connection: Connection, _ resolver: ReferenceResolver) -> [ProjectReference] {
        var found: [ProjectReference] = []
        var resolver = resolver
        resolver.sources = resolver.sources.withoutCommands
        for entry in connection.settings { collect(entry.value, key: entry.key, path: [], &found, resolver) }
        return found
    }

    /// The credentials to which something else than this connection refers: other connections, profiles, alerts.
    package func credentialNames(besides connection: Connection) -> Set<String> {
        var own: [(name: String, span: SourceSpan)] = []
        for entry in connection.settings { Self.collectCredentials(entry.value, &own) }
        let spans = Set(own.map(\.span))
        var all: [(name: String, span: SourceSpan)] = []
        for file in files where !file.hasSuffix(".sql") {
            var ignored = Findings()
            guard let source = sources[file], let node = YAMLReader.read(source, findings: &ignored) else { continue }
            Self.collectCredentials(node, &all)
        }
        return Set(all.filter { !spans.contains($0.span) }.map(\.name))
    }

    private static func collectCredentials(_ node: YAMLNode, _ found: inout [(name: String, span: SourceSpan)]) {
        switch node.content {
        case .map(let entries): for entry in entries { collectCredentials(entry.value, &found) }
        case .list(let items): for item in items { collectCredentials(item, &found) }
        case .scalar(let text, _):
            for case .reference(let reference) in Reference.parts(of: text) where reference.provider == .cred {
                found.append((reference.name, node.span))
            }
        case .invalid: break
        }
    }

    private func collect(
        _ node: YAMLNode, key: String, path: [String], _ found: inout [ProjectReference], _ resolver: ReferenceResolver
    ) {
        if path.count == 2, path[0] == "profiles", path[1] != profile { return }
        switch node.content {
        case .map(let entries):
            for entry in entries { collect(entry.value, key: entry.key, path: path + [entry.key], &found, resolver) }
        case .list(let items):
            for item in items { collect(item, key: key, path: path + [""], &found, resolver) }
        case .scalar(let text, _):
            for case .reference(let reference) in Reference.parts(of: text) {
                found.append(resolver.traced(reference, key: key, at: node.span))
            }
        case .invalid: break
        }
    }
}

extension ReferenceResolver {
    /// A reference with the place of its value; the value itself is read and dropped.
    func traced(_ reference: Reference, key: String, at span: SourceSpan) -> ProjectReference {
        var findings = Findings()
        let value = value(reference, at: span, isSecret: true, &findings)
        let isLeft = reference.provider == .exec && sources.leavesCommands
        let problem = isLeft ? nil : findings.diagnostics.first { $0.severity == .error }
        let (place, path) = place(of: reference, file: span.file)
        return ProjectReference(
            raw: reference.shown, name: reference.name, key: key, span: span,
            place: place, path: path, length: value?.count, problem: problem?.message, code: problem?.code)
    }

    private func place(of reference: Reference, file: String) -> (ProjectReference.Place, String) {
        switch reference.provider {
        case .env: return (.environment, "")
        case .file: return (.file, absolute(reference.name, file: file))
        case .exec: return (.command, "")
        case .cred:
            guard let folder = credentialFolders.first(where: { ProjectFiles.isFile("\($0)/\(reference.name)") })
            else { return (.missing, "") }
            if folder == userCredentials {
                return (isSealed("\(folder)/\(reference.name)") ? .sealed : .plain, folder)
            }
            return (folder == credentialFolders.first && hasServiceFolder ? .service : .platform, folder)
        }
    }
}
