// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockModel
import PenstockProject

/// One connection of a new project.
struct InitSide {
    /// The connection as it is written.
    var draft: ConnectionDraft
    /// The secrets that are stored together with the project, by name.
    var secrets: [String: Secret] = [:]
    /// Whether anything was asked for it.
    var wasAsked = false
    /// Whether it is to log in in a browser once the project is there.
    var needsLogin = false
    /// Whether it writes to a sandbox.
    var isSandbox = false
    /// What came of trying it; nil where it was not tried.
    var report: CheckReport?

    /// The connection's name.
    var name: String { draft.name }

    /// Whether it was tried, and works.
    var works: Bool { report?.isOK ?? false }

    /// The first object that can be written, or nil.
    var object: ObjectDescriptor? { draft.descriptor.objects.first }

    /// The files inside the project that hold secrets.
    var secretFiles: [String] {
        draft.keys.compactMap { draft.text($0) }.compactMap { text in
            guard text.hasPrefix("${file:"), text.hasSuffix("}") else { return nil }
            let path = String(text.dropFirst("${file:".count).dropLast())
            return path.hasPrefix("/") || path.hasPrefix("~") ? nil : path
        }
    }

    /// The connection in `connections.yml`.
    var yaml: String {
        YAMLValue.map([(key: "connections", value: .map([(key: name, value: draft.document(description: nil))]))])
            .document().split(separator: "\n").dropFirst().map { $0 + "\n" }.joined()
    }
}
