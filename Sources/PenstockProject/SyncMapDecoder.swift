// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension SyncDecoder {
    /// Decodes `map`, in the order of the file.
    mutating func map() {
        guard let map = section("map", .map), !map.isInvalid else { return }
        guard !map.entries.isEmpty else {
            findings.error(
                .mapEmpty, at: sync.position(of: .map), "the sync maps no field", suggestion: "add target: column")
            return
        }
        for (index, entry) in map.entries.enumerated() {
            let target = Self.trimmed(entry.key)
            if let earlier = sync.definition.map.first(where: { $0.target == target }) {
                findings.error(
                    .duplicateTarget, at: entry.keySpan, "\"\(earlier.target)\" is mapped twice",
                    suggestion: "remove one of the two")
            }
            sync.spans[.entry(index, .target)] = entry.keySpan
            sync.spans[.entry(index, .content)] = entry.value.span
            var decoded = MapEntry(target: target)
            fill(&decoded, entry) { .entry(index, $0) }
            if let parts = entry.value["parts"] {
                for (partIndex, part) in parts.entries.enumerated() {
                    let location: (SyncLocation.Item) -> SyncLocation = {
                        .part(entry: index, part: partIndex, $0)
                    }
                    sync.spans[location(.target)] = part.keySpan
                    sync.spans[location(.content)] = part.value.span
                    var inner = MapEntry(target: Self.trimmed(part.key))
                    fill(&inner, part, location)
                    decoded.parts.append(inner)
                }
            }
            sync.definition.map.append(decoded)
        }
    }

    private static func trimmed(_ text: String) -> String {
        let rest = text.drop(while: \.isWhitespace)
        return String(rest.dropLast(rest.reversed().prefix(while: \.isWhitespace).count))
    }

    /// Takes over what one entry or part says, and checks that it has exactly one origin.
    private mutating func fill(
        _ entry: inout MapEntry, _ written: YAMLNode.Entry, _ location: (SyncLocation.Item) -> SyncLocation
    ) {
        let node = written.value
        if let column = node.text {
            entry.from = column
            sync.spans[location(.from)] = node.span
            return
        }
        guard !node.isInvalid else { return }
        entry.from = value(node, "from", location(.from))?.text
        entry.value = value(node, "value", location(.value))?.text
        entry.defaultText = value(node, "default", location(.defaultText))?.text
        entry.option = Self.word(value(node, "option", location(.option)), MapEntry.OptionStyle.self)
        entry.split = value(node, "split", location(.split))?.text
        entry.link = value(node, "link", location(.link))?.text.map { RecordLink(sync: $0) }
        entry.editGuard = Self.word(value(node, "guard", location(.editGuard)), EditGuard.self)
        let missing = value(node, "when_missing", location(.whenMissing))
        entry.whenMissing = Self.word(missing, MapEntry.WhenMissing.self) ?? .reject
        let origins = ["from", "value", "parts"].filter { node[$0] != nil }
        if origins.isEmpty {
            findings.error(
                .mapSource, at: written.keySpan, "\"\(entry.target)\" does not say where its value comes from",
                suggestion: "add from: COLUMN or value: CONSTANT",
                notes: ["allowed: from, value, default, option, split, link, when_missing, guard, parts"])
        } else if origins.count > 1 {
            findings.error(
                .mapSource, at: node.entry(origins[1])?.keySpan ?? node.span,
                "\"\(entry.target)\" has \(origins.joined(separator: " and "))",
                suggestion: "keep one of them")
        } else if origins[0] != "from", let split = node.entry("split") {
            findings.error(
                .mapSplit, at: split.keySpan, "split takes a column apart, and \"\(entry.target)\" has none",
                suggestion: "remove split, or use from")
        }
        if origins != ["from"], let link = node.entry("link"), !origins.isEmpty {
            findings.error(
                .linkTarget, at: link.keySpan,
                "link follows the keys in a column, and \"\(entry.target)\" has none",
                suggestion: "use from: COLUMN beside link")
        }
        if let parts = node["parts"], parts.entries.isEmpty, !parts.isInvalid {
            findings.error(
                .mapSource, at: node.entry("parts")?.keySpan ?? node.span, "\"\(entry.target)\" has no part",
                suggestion: "add one, for example value: COLUMN")
        }
    }
}
