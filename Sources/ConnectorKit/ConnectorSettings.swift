// SPDX-License-Identifier: Apache-2.0

/// Typed access to the settings a connection was opened with.
///
/// The host has checked them against the descriptor, so a wrong type here is the host's breach, not the user's.
public struct ConnectorSettings: Sendable {
    private let values: JSON
    private let fields: [ConfigField]

    /// Settings of a connector with these fields; what is missing takes the field's default.
    public init(_ values: JSON, _ fields: [ConfigField]) {
        self.values = values
        self.fields = fields
    }

    private func value(_ name: String) -> JSON? {
        if let value = values[name], !value.isNull { return value }
        return fields.first { $0.name == name }?.defaultValue
    }

    /// A text, secret, path or choice; nil where it was left out and has no default.
    public func text(_ name: String) -> String? { value(name)?.stringValue }

    /// A text that must be there.
    ///
    /// - Throws: ``ConnectorError`` `badConfig` where it is missing.
    public func requiredText(_ name: String) throws(ConnectorError) -> String {
        guard let text = text(name) else {
            throw ConnectorError(.badConfig, "The setting \(name) is missing.", field: name)
        }
        return text
    }

    /// An integer; nil where it was left out and has no default.
    public func integer(_ name: String) -> Int? { value(name)?.intValue }

    /// A boolean; false where it was left out and has no default.
    public func flag(_ name: String) -> Bool { value(name)?.boolValue ?? false }

    /// A list of texts; empty where it was left out.
    public func texts(_ name: String) -> [String] { value(name)?.arrayValue?.compactMap(\.stringValue) ?? [] }

    /// Texts by name, in order; empty where it was left out.
    public func map(_ name: String) -> [(key: String, value: String)] {
        (value(name)?.objectValue?.members ?? []).compactMap { member in
            member.value.stringValue.map { (member.key, $0) }
        }
    }
}
