// SPDX-License-Identifier: Apache-2.0

/// A named, configured use of a connector, as it was written.
package struct Connection: Sendable {
    /// How much of the destination's limits this host may use; nil where nothing is written.
    package struct Budget: Sendable, Hashable {
        /// The most requests in one window.
        package var burst: Int?
        /// The window in microseconds.
        package var window: Int64?
        /// The most tokens a day.
        package var dailyTokens: Int?
        /// How many hundredths of a percent of the daily tokens are left to others.
        package var reserveBasisPoints: Int?
        /// The most requests in a second.
        package var requestsPerSecond: Int?
    }

    /// The name.
    package var name: String
    /// The connector's id; empty where it is missing.
    package var connector: String
    /// What it is for, or nil.
    package var description: String?
    /// The limits for requests.
    package var budget = Budget()
    /// Where the name stands.
    package var span: SourceSpan
    /// Where the connector's id stands.
    package var connectorSpan: SourceSpan
    /// Whether an error was found in it, apart from its settings.
    package var hasErrors = false
    /// The connector's settings, with their references.
    var settings: [YAMLNode.Entry] = []

    /// Where a setting's value stands; the connection's name where it is not written.
    package func position(of setting: String) -> SourceSpan {
        settings.first { $0.key == setting }?.value.span ?? span
    }

    /// The references in the settings, as they may be shown, with the setting that holds each.
    package var references: [(setting: String, reference: String, span: SourceSpan)] {
        settings.flatMap { entry in
            Reference.parts(of: entry.value.text ?? "").compactMap { part in
                if case .reference(let found) = part { (entry.key, found.shown, entry.value.span) } else { nil }
            }
        }
    }

    /// The names of the credentials to which the settings refer.
    package var credentialNames: [String] { names(of: .cred) }

    /// The settings that hold no reference, as written.
    package var literals: [(setting: String, text: String)] {
        settings.flatMap { entry in
            Self.texts(entry.value).filter { !Reference.isPresent(in: $0) }.map { (entry.key, $0) }
        }
    }

    /// The names of the environment's variables that the settings refer to.
    package var variables: [String] { names(of: .env) }

    /// The absolute paths of the files that the settings refer to.
    package func files(root: String) -> [String] {
        names(of: .file).map { path in
            if path.hasPrefix("/") { return path }
            return "\(root)/\(path.hasPrefix("./") ? String(path.dropFirst(2)) : path)"
        }
    }

    private func names(of provider: Reference.Provider) -> [String] {
        settings.flatMap { Self.texts($0.value) }.flatMap { text in
            Reference.parts(of: text).compactMap { part in
                if case .reference(let found) = part, found.provider == provider { found.name } else { nil }
            }
        }
    }

    private static func texts(_ node: YAMLNode) -> [String] {
        switch node.content {
        case .scalar(let text, _): [text]
        case .list(let items): items.flatMap(texts)
        case .map(let entries): entries.flatMap { texts($0.value) }
        case .invalid: []
        }
    }

    /// Decodes a checked tree.
    init(name: String, node: YAMLNode, span: SourceSpan) {
        self.name = name
        self.span = span
        connector = node["connector"]?.text ?? ""
        connectorSpan = node["connector"]?.span ?? span
        description = node["description"]?.text
        let written = node["budget"]
        budget.burst = (written?["burst"]?.text).flatMap(ScalarText.integer)
        budget.window = (written?["window"]?.text).flatMap(DurationText.microseconds)
        budget.dailyTokens = (written?["daily_tokens"]?.text).flatMap(ScalarText.integer)
        budget.reserveBasisPoints = (written?["reserve"]?.text).flatMap(ScalarText.basisPoints)
        budget.requestsPerSecond = (written?["requests_per_second"]?.text).flatMap(ScalarText.integer)
        settings = node.entries.filter { entry in
            !["connector", "description", "budget"].contains(entry.key) && !entry.key.hasPrefix("x-")
        }
    }
}
