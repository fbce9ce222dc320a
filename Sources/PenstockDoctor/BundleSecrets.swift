// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockProject

/// Gathers what must not be in a bundle: every value that this process can find out to be a secret.
package enum BundleSecrets {
    private static let bytesMax = 1 << 16
    private static let linesMin = 4
    /// Shorter ones are words such as the name of a team.
    private static let argumentMin = 8

    /// The secrets of a project and of its surroundings.
    ///
    /// - Parameters:
    ///   - environment: The variables of this process.
    ///   - connectors: What is known of connectors, by id.
    package static func all(
        of project: Project?, environment: [String: String], connectors: [String: ConnectorDescriptor],
        resolver: ReferenceResolver?
    ) -> [String] {
        var secrets = environment.filter { SecretMask.isSecretVariable($0.key, $0.value) }.map(\.value)
        secrets += environment.values.flatMap(passwords)
        guard let project, let resolver else { return secrets }
        for connection in project.connections {
            secrets += connection.literals.flatMap { setting, text -> [String] in
                let field = connectors[connection.connector]?.settings.first { $0.name == setting }
                return field?.isSecret == true ? [text] : passwords(text)
            }
            for variable in connection.variables { secrets += [environment[variable]].compactMap { $0 } }
            for path in connection.files(root: project.root) { secrets += contents(path) }
            guard let descriptor = connectors[connection.connector] else { continue }
            let settings = project.resolvedSettings(of: connection, descriptor: descriptor, resolver: resolver).settings
            secrets += (settings?.secrets ?? []).map { $0.reveal { $0 } }
        }
        secrets += addresses(of: project).compactMap(behindHost) + arguments(of: project)
        for folder in resolver.credentialFolders {
            // A folder that is not there has no credentials in it.
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            secrets += names.flatMap { contents("\(folder)/\($0)") }
            if folder == resolver.userCredentials { secrets += names.compactMap(resolver.sealedCredential) }
        }
        return Array(Set(secrets.filter { $0.utf8.count >= linesMin }))
    }

    /// The text of a small file, whole and by its lines; nothing where it is not one.
    private static func contents(_ path: String) -> [String] {
        guard let data = FileManager.default.contents(atPath: path), data.count <= bytesMax,
            let text = String(validating: data, as: UTF8.self)
        else { return [] }
        let lines = text.split(whereSeparator: \.isNewline).map(String.init).filter { $0.utf8.count >= 8 }
        return [text.trimmingCharacters(in: .whitespacesAndNewlines)] + lines
    }

    /// The addresses that something is sent to: whoever has one can send there too.
    private static func addresses(of project: Project) -> [String] {
        let webhooks = project.alerts.flatMap(\.channels).compactMap { channel -> String? in
            if case .webhook(let url, _, _) = channel { url } else { nil }
        }
        return webhooks + [project.lineage?.url].compactMap { $0 }
    }

    /// What the programs of alerts are told: a token may be among it.
    private static func arguments(of project: Project) -> [String] {
        project.alerts.flatMap(\.channels).flatMap { channel -> [String] in
            guard case .command(let words) = channel else { return [] }
            return words.dropFirst().map { word in
                word.firstIndex(of: "=").map { String(word[word.index(after: $0)...]) } ?? word
            }.filter { $0.utf8.count >= argumentMin }
        }
    }

    /// What follows the host of an address; the whole of it where that is too short to be looked for.
    private static func behindHost(_ address: String) -> String? {
        guard let scheme = address.range(of: "://") else { return nil }
        let path = address[scheme.upperBound...].drop { $0 != "/" && $0 != "?" }
        return path.isEmpty || path == "/" ? nil : path.utf8.count < 8 ? address : String(path)
    }

    /// The passwords in addresses, `scheme://user:password@host`.
    private static func passwords(_ text: String) -> [String] {
        text.matches(of: /:\/\/[^\/\s:@]*:([^\/\s@]+)@/).map { String($0.1) }
    }
}
