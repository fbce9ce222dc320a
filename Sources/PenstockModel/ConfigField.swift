// SPDX-License-Identifier: Apache-2.0

/// One setting of a connector: how it is read, checked, shown and documented.
///
/// Parsing, defaults, lint, redaction, the wizard and the reference page all read this one description.
public struct ConfigField: Sendable, Hashable {
    /// What a setting may hold.
    public enum Kind: Sendable, Hashable {
        /// Any text.
        case string
        /// A text that must never be shown. Project files may only refer to it.
        case secret
        /// A file, folder or glob; a relative one is taken from the folder of the file that names it.
        case path
        /// An integer within bounds.
        case integer(ClosedRange<Int>)
        /// True or false.
        case boolean
        /// One of these texts.
        case choice([String])
        /// A list of texts.
        case strings
        /// Texts by name; the values are limited to these where the list is not empty.
        case map([String])
    }

    /// The key in the project file, in snake case.
    public var name: String
    /// What it may hold.
    public var kind: Kind
    /// What it is for, in one sentence.
    public var summary: String
    /// What holds where it is left out; nil where leaving it out means something else, or is not allowed.
    public var defaultValue: JSON?
    /// Whether it must be given.
    public var isRequired: Bool
    /// A value for the documentation and the wizard; may be empty.
    public var example: String
    /// Whether a form asks for it only on request: most connections do without.
    public var isAdvanced: Bool

    /// A setting.
    public init(
        _ name: String, _ kind: Kind, _ summary: String, defaultValue: JSON? = nil, isRequired: Bool = false,
        example: String = "", isAdvanced: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.summary = summary
        self.defaultValue = defaultValue
        self.isRequired = isRequired
        self.example = example
        self.isAdvanced = isAdvanced
    }

    /// Whether the value must never be shown.
    public var isSecret: Bool { kind == .secret }
}
