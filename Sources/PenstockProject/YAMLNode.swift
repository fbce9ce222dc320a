// SPDX-License-Identifier: Apache-2.0

/// A YAML value as it was written: every scalar is a text, and every value knows its place.
///
/// Tags play no part, so `NO`, `12:30` and `0123` stay the texts that they are.
struct YAMLNode: Sendable {
    /// One key of a map with its value.
    struct Entry: Sendable {
        var key: String
        var keySpan: SourceSpan
        var value: YAMLNode
    }

    /// What the value is.
    enum Content: Sendable {
        /// A scalar; a plain one was written without quotes.
        case scalar(text: String, isPlain: Bool)
        case list([YAMLNode])
        case map([Entry])
        /// A value that was found wrong and reported; nothing more is to be said about it.
        case invalid
    }

    var content: Content
    var span: SourceSpan
    /// Whether the value comes from `defaults` and not from the file of the sync itself.
    var isInherited = false

    /// A map without keys.
    static func emptyMap(at span: SourceSpan) -> YAMLNode { YAMLNode(content: .map([]), span: span) }

    /// The text of a scalar, or nil.
    var text: String? { if case .scalar(let text, _) = content { text } else { nil } }

    /// The entries of a map; empty for anything else.
    var entries: [Entry] { if case .map(let entries) = content { entries } else { [] } }

    /// The elements of a list; empty for anything else.
    var items: [YAMLNode] { if case .list(let items) = content { items } else { [] } }

    /// Whether this is the plain scalar nothing, `~` or `null`.
    var isNull: Bool {
        guard case .scalar(let text, true) = content else { return false }
        return text.isEmpty || text == "~" || text.lowercased() == "null"
    }

    var isInvalid: Bool { if case .invalid = content { true } else { false } }

    /// The value of `key`, or nil.
    subscript(key: String) -> YAMLNode? { entries.first { $0.key == key }?.value }

    /// The entry of `key`, or nil.
    func entry(_ key: String) -> Entry? { entries.first { $0.key == key } }

    /// The kind of value, for messages.
    var kindName: String {
        switch content {
        case .scalar: isNull ? "nothing" : "a text"
        case .list: "a list"
        case .map: "a map"
        case .invalid: "a wrong value"
        }
    }

    /// This map without the entries of `keys`.
    func removing(_ keys: Set<String>) -> YAMLNode {
        var result = self
        result.content = .map(entries.filter { !keys.contains($0.key) })
        return result
    }

    /// This value with `other` laid over it: maps are merged key by key, anything else is replaced.
    func merged(with other: YAMLNode) -> YAMLNode {
        guard case .map(var entries) = content, case .map(let others) = other.content else {
            return other.isNull ? self : other
        }
        for entry in others {
            if let index = entries.firstIndex(where: { $0.key == entry.key }) {
                entries[index].value = entries[index].value.merged(with: entry.value)
                entries[index].keySpan = entry.keySpan
            } else {
                entries.append(entry)
            }
        }
        return YAMLNode(content: .map(entries), span: other.span)
    }

    /// This value, it and everything in it marked as coming from `defaults`.
    var inherited: YAMLNode {
        var result = self
        result.isInherited = true
        switch content {
        case .map(let entries):
            result.content = .map(
                entries.map { Entry(key: $0.key, keySpan: $0.keySpan, value: $0.value.inherited) })
        case .list(let items): result.content = .list(items.map(\.inherited))
        case .scalar, .invalid: break
        }
        return result
    }
}
