// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Holds a tree against a schema, replaces references, and collects everything that does not fit.
///
/// Keys that begin with `x-` are the user's own, for example to hold anchors, and are left out.
///
/// In the tree it returns, values that were found wrong are ``YAMLNode/Content/invalid`` and choices have the
/// spelling of the schema.
struct SchemaChecker {
    /// Keys of other tools and earlier drafts, and what they are called here.
    private static let synonyms = [
        "type": "connector", "skip_unchanged": "compare", "null_cursor": "null_key", "mapping": "map",
        "mappings": "map", "fields": "map", "query": "sql", "cursor": "key", "cursor_field": "key",
        "primary_key": "key", "column": "from", "constant": "value", "view": "table", "primaryKey": "key",
        "missing": "on_missing", "on_null_value": "on_null", "interval": "every", "tz": "timezone",
    ]

    let sources: [String: SourceText]
    /// Nil leaves references as they are and does not check the kinds of such scalars.
    let resolver: ReferenceResolver?

    /// The cleaned tree.
    ///
    /// - Parameters:
    ///   - key: The key of the value, for messages; empty for a whole file.
    ///   - place: Where the key stands, for what is missing behind it.
    func check(
        _ node: YAMLNode, _ schema: SchemaNode, key: String, at place: SourceSpan? = nil, _ findings: inout Findings
    ) -> YAMLNode {
        switch schema {
        case .any: return node
        case .map(let keys, let isOpen): return map(node, keys, isOpen, key, place ?? node.span, &findings)
        case .dictionary(let noun, let inner): return dictionary(node, noun, inner, key, &findings)
        case .list(let inner):
            guard !node.isNull else { return list([], node) }
            guard case .list(let items) = node.content else { return wrong(node, key, "a list", &findings) }
            return list(items.map { check($0, inner, key: key, &findings) }, node)
        case .texts:
            if case .list = node.content { return check(node, .list(.word), key: key, &findings) }
            let item = scalar(node, .word, key, &findings)
            return item.isInvalid ? item : list([item], node)
        case .textOr(let other):
            if case .scalar = node.content { return scalar(node, .word, key, &findings) }
            return check(node, other, key: key, at: place, &findings)
        case .textsOr(let other):
            if case .map = node.content { return check(node, other, key: key, at: place, &findings) }
            return check(node, .texts, key: key, at: place, &findings)
        default: return scalar(node, schema, key, &findings)
        }
    }

    private func list(_ items: [YAMLNode], _ node: YAMLNode) -> YAMLNode {
        YAMLNode(content: .list(items), span: node.span, isInherited: node.isInherited)
    }

    private func invalid(_ node: YAMLNode) -> YAMLNode {
        YAMLNode(content: .invalid, span: node.span, isInherited: node.isInherited)
    }

    private func wrong(
        _ node: YAMLNode, _ key: String, _ wanted: String, _ findings: inout Findings
    ) -> YAMLNode {
        guard !node.isInvalid else { return node }
        let isEmpty = node.isNull
        let key = key.isEmpty ? "the file" : key
        let isUnspaced = wanted == "a map" && node.text?.contains(":") == true
        findings.error(
            .type, at: node.span, isEmpty ? "\(key) has no value" : "\(key) must be \(wanted), not \(node.kindName)",
            suggestion: isEmpty
                ? "write \(wanted), or remove the key" : isUnspaced ? "a space is missing behind the colon" : nil)
        return invalid(node)
    }

    private func map(
        _ node: YAMLNode, _ keys: [SchemaNode.Key], _ isOpen: Bool, _ key: String, _ place: SourceSpan,
        _ findings: inout Findings
    ) -> YAMLNode {
        var node = node
        if node.isNull { node = YAMLNode(content: .map([]), span: node.span, isInherited: node.isInherited) }
        guard case .map(let entries) = node.content else { return wrong(node, key, "a map", &findings) }
        var result: [YAMLNode.Entry] = []
        for var entry in entries {
            if let known = keys.first(where: { $0.name == entry.key }) {
                entry.value = check(entry.value, known.schema, key: entry.key, at: entry.keySpan, &findings)
                result.append(entry)
            } else if isOpen, !isMeant(entry, keys, entries) {
                result.append(entry)
            } else if !entry.key.hasPrefix("x-") {
                let meant = unknown(entry, keys.map(\.name), key, &findings)
                // The key that was meant counts as there, so that nothing else is said about it.
                guard let meant, !entries.contains(where: { $0.key == meant }) else { continue }
                result.append(YAMLNode.Entry(key: meant, keySpan: entry.keySpan, value: invalid(entry.value)))
            }
        }
        for known in keys where known.isRequired {
            guard !result.contains(where: { $0.key == known.name }) else { continue }
            findings.error(
                .missingKey, at: place, "\(key.isEmpty ? "the file" : key) has no \"\(known.name)\"",
                suggestion: "add \(known.name):")
        }
        node.content = .map(result)
        return node
    }

    /// Whether an entry of an open map is a required key in a wrong spelling.
    private func isMeant(_ entry: YAMLNode.Entry, _ keys: [SchemaNode.Key], _ entries: [YAMLNode.Entry]) -> Bool {
        let missing = keys.filter { key in key.isRequired && !entries.contains { $0.key == key.name } }.map(\.name)
        if let synonym = Self.synonyms[entry.key], missing.contains(synonym) { return true }
        return NearestName.of(entry.key, in: missing) != nil
    }

    /// Reports an unknown key and returns the key that may have been meant.
    private func unknown(
        _ entry: YAMLNode.Entry, _ names: [String], _ key: String, _ findings: inout Findings
    ) -> String? {
        let synonym = Self.synonyms[entry.key].flatMap { names.contains($0) ? $0 : nil }
        let hasParts = names.contains("parts")
        let near = synonym ?? NearestName.of(entry.key, in: names) ?? (hasParts ? "parts" : nil)
        let isPart = near == "parts" && entry.key.first != "p"
        findings.error(
            .unknownKey, at: entry.keySpan, "unknown key \"\(entry.key)\"\(key.isEmpty ? "" : " in \(key)")",
            suggestion: isPart
                ? "parts of a field stand under parts:" : near.map { "did you mean \"\($0)\"?" },
            notes: near == nil || hasParts ? ["allowed: \(ScalarText.list(names))"] : [])
        return near
    }

    private func dictionary(
        _ node: YAMLNode, _ noun: String, _ inner: SchemaNode, _ key: String, _ findings: inout Findings
    ) -> YAMLNode {
        var node = node
        if node.isNull { node = YAMLNode(content: .map([]), span: node.span, isInherited: node.isInherited) }
        guard case .map(let entries) = node.content else {
            return wrong(node, key, "a map with one key for each \(noun)", &findings)
        }
        node.content = .map(
            entries.map { entry in
                let value = check(entry.value, inner, key: entry.key, at: entry.keySpan, &findings)
                return YAMLNode.Entry(key: entry.key, keySpan: entry.keySpan, value: value)
            })
        return node
    }

    private func scalar(
        _ node: YAMLNode, _ schema: SchemaNode, _ key: String, _ findings: inout Findings
    ) -> YAMLNode {
        guard case .scalar(let raw, let isPlain) = node.content, !node.isNull else {
            return wrong(node, key, Self.wanted(schema), &findings)
        }
        var text = raw
        if let resolver {
            let expansion = resolver.expand(
                node, source: sources[node.span.file], isSecret: false, allowsCredentials: false, findings: &findings)
            guard let expansion else { return invalid(node) }
            text = expansion.text
        } else if Reference.isPresent(in: raw) {
            return node
        }
        let shown = Reference.isPresent(in: raw) ? raw : text
        guard let clean = clean(text, shown, schema, key, node.span, &findings) else { return invalid(node) }
        var result = node
        result.content = .scalar(text: clean, isPlain: isPlain && !clean.isEmpty)
        return result
    }

    private static func wanted(_ schema: SchemaNode) -> String {
        switch schema {
        case .integer: "a whole number"
        case .boolean: "true or false"
        case .duration, .durationFrom: "a duration as 10m or PT10M"
        case .durationOrNumber: "a duration as 10m, or a number"
        case .countOrPercent: "a number of rows, or a percentage as 1%"
        case .percent: "a percentage as 25%"
        case .limit(.count): "a number, or off"
        case .limit(.percent): "a percentage as 25%, or off"
        case .limit(.countOrPercent): "a number, a percentage as 25%, or off"
        case .choice(_, let words): words.count > 4 ? "a text" : words.joined(separator: " or ")
        default: "a text"
        }
    }

    /// The text in its final spelling, or nil where it does not fit.
    private func clean(
        _ text: String, _ shown: String, _ schema: SchemaNode, _ key: String, _ span: SourceSpan,
        _ findings: inout Findings
    ) -> String? {
        var isGood = true
        switch schema {
        case .integer(let range):
            guard let number = ScalarText.integer(text) else { isGood = false; break }
            guard range.contains(number) else {
                let limits =
                    range.upperBound == Int.max
                    ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
                findings.error(.range, at: span, "\(key) must be \(limits)")
                return nil
            }
        case .word where text.isEmpty:
            findings.error(.type, at: span, "\(key) is empty", suggestion: "write a text")
            return nil
        case .boolean: isGood = ScalarText.boolean(text) != nil
        case .duration: isGood = DurationText.microseconds(text) != nil
        case .durationFrom(let least):
            guard let duration = DurationText.microseconds(text) else { isGood = false; break }
            guard duration >= DurationText.microseconds(least) ?? 0 else {
                findings.error(.range, at: span, "\(key) must be at least \(least)")
                return nil
            }
        case .durationOrNumber: isGood = DurationText.microseconds(text) != nil || ScalarText.isDecimal(text)
        case .countOrPercent:
            isGood = ScalarText.basisPoints(text) != nil || ScalarText.integer(text).map { $0 >= 0 } ?? false
        case .percent: isGood = ScalarText.basisPoints(text) != nil
        case .limit(let form):
            if text.lowercased() == ScalarText.off { return ScalarText.off }
            isGood =
                (form != .count && ScalarText.basisPoints(text) != nil)
                || (form != .percent && ScalarText.integer(text).map { $0 >= 0 } ?? false)
        case .choice(let noun, let words):
            if let word = words.first(where: { $0.lowercased() == text.lowercased() }) { return word }
            findings.error(
                .enum, at: span, "\"\(shown)\" is not \(noun)",
                suggestion: NearestName.of(text, in: words).map { "did you mean \($0)?" },
                notes: ["allowed: \(words.joined(separator: ", "))"])
            return nil
        default: break
        }
        guard isGood else {
            findings.error(
                .type, at: span, "\"\(shown)\" is not \(Self.wanted(schema))", suggestion: Self.fix(shown, schema))
            return nil
        }
        return text
    }

    private static func fix(_ text: String, _ schema: SchemaNode) -> String? {
        switch schema {
        case .boolean:
            switch text.lowercased() {
            case "yes", "on", "1", "y": "did you mean true?"
            case "no", "off", "0", "n": "did you mean false?"
            default: nil
            }
        case .integer:
            ScalarText.integer(text.filter { !"_,. ".contains($0) }).map { "did you mean \($0)?" }
        case .duration, .durationFrom:
            ScalarText.isDecimal(text) ? "a duration needs a unit: \(text)s, \(text)m, \(text)h, \(text)d" : nil
        case .percent, .countOrPercent, .limit(.percent), .limit(.countOrPercent):
            if text.hasSuffix("%") {
                ScalarText.isDecimal(String(text.dropLast())) ? "from 0% to 100%, with two decimal places at most" : nil
            } else {
                switch schema {
                case .countOrPercent, .limit(.countOrPercent): nil
                default: ScalarText.integer(text) != nil ? "did you mean \(text)%?" : nil
                }
            }
        case .limit(.count):
            text.hasSuffix("%") ? "write how many, without %" : nil
        default: nil
        }
    }
}
