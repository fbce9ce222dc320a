// SPDX-License-Identifier: Apache-2.0

import Yams

/// Turns the text of a YAML file into a tree with places, and everything wrong with it into findings.
struct YAMLReader {
    /// First of the characters that stand in for the first letter of a key that occurs again.
    private static let placeholder: UInt32 = 0xE000
    private static let duplicatesMax = 64
    private static let nodesMax = 100_000
    private static let depthMax = 100

    /// Thrown where the finding is already among the findings.
    private struct AlreadyReported: Error {}

    private let source: SourceText
    /// Original keys, by placeholder.
    private var renamed: [Unicode.Scalar: (key: String, span: SourceSpan)] = [:]
    /// Whether more than one document was found.
    private var isSeveral = false
    private var nodesLeft = YAMLReader.nodesMax

    private init(_ source: SourceText) { self.source = source }

    /// The tree of the one document in `source`; nil where there is none, which then is a finding.
    static func read(_ source: SourceText, findings: inout Findings) -> YAMLNode? {
        var reader = YAMLReader(source)
        return reader.read(&findings)
    }

    private mutating func read(_ findings: inout Findings) -> YAMLNode? {
        if let place = tooDeep() {
            findings.error(.syntax, at: place, "maps and lists are nested too deep")
            return nil
        }
        do {
            guard let root = try compose(&findings) else {
                findings.error(.emptyFile, at: SourceSpan(file: source.file, line: 1, column: 1), "the file is empty")
                return nil
            }
            guard !isSeveral else { return nil }
            let node = convert(root, fallback: SourceSpan(file: source.file, line: 1, column: 1), &findings)
            guard !node.isNull else {
                findings.error(.emptyFile, at: SourceSpan(file: source.file, line: 1, column: 1), "the file is empty")
                return nil
            }
            guard nodesLeft > 0 else {
                findings.error(.syntax, at: node.span, "the file has more than \(Self.nodesMax) values")
                return nil
            }
            return node
        } catch is AlreadyReported {
            return nil
        } catch {
            findings.add(YAMLSyntaxCause(source).diagnostic(error))
            return nil
        }
    }

    /// Composes; a key that occurs again gets another first letter and a new try, so that it is found each time.
    private mutating func compose(_ findings: inout Findings) throws -> Node? {
        var lines = source.lines
        for round in 0...Self.duplicatesMax {
            var view = String.UnicodeScalarView()
            for line in lines {
                view.append(contentsOf: line)
                view.append("\n")
            }
            do {
                // libyaml keeps a pointer into the text; one that is short is stored in place and would move.
                let parser = try Parser(yaml: String(view) + String(repeating: "\n", count: 32), encoding: .utf8)
                let root = try parser.nextRoot()
                try checkSingle(parser, &findings)
                return root
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                let key = keys.first ?? ""
                guard round < Self.duplicatesMax, let stand = Unicode.Scalar(Self.placeholder + UInt32(round)),
                    let index = replaceable(context.mark, in: lines)
                else {
                    findings.error(.duplicateKey, at: span(context.mark, length: 1), "\"\(key)\" occurs twice here")
                    throw AlreadyReported()
                }
                renamed[stand] = (key, span(context.mark, length: source.tokenLength(context.mark.line, index + 1)))
                lines[context.mark.line - 1][index] = stand
            }
        }
        throw AlreadyReported()
    }

    private mutating func checkSingle(_ parser: Parser, _ findings: inout Findings) throws {
        let second: Node?
        do { second = try parser.nextRoot() } catch YamlError.duplicatedKeysInMapping { return }
        guard let second, let mark = second.mark else { return }
        isSeveral = true
        let marker = (1...max(mark.line, 1)).last { source.line($0).starts(with: ["-", "-", "-"]) }
        findings.error(
            .documents, at: SourceSpan(file: source.file, line: marker ?? mark.line, column: 1, length: 3),
            "a second document begins here", suggestion: "only one is read; move it to a file of its own")
    }

    /// Index of the first letter of the key at `mark`.
    private func replaceable(_ mark: Mark, in lines: [[Unicode.Scalar]]) -> Int? {
        guard mark.line >= 1, mark.line <= lines.count else { return nil }
        let line = lines[mark.line - 1]
        var index = mark.column - 1
        guard index >= 0, index < line.count else { return nil }
        if line[index] == "\"" || line[index] == "'" { index += 1 }
        guard index < line.count, line[index] != "\"", line[index] != "'", line[index] != "\\" else { return nil }
        return index
    }

    private func tooDeep() -> SourceSpan? {
        var depth = 0
        for (row, line) in source.lines.enumerated() {
            let indent = line.prefix { $0 == " " || $0 == "-" || $0 == "?" }.count
            for (column, scalar) in line.enumerated() {
                if scalar == "[" || scalar == "{" { depth += 1 }
                if scalar == "]" || scalar == "}" { depth = max(depth - 1, 0) }
                if depth > Self.depthMax || indent > 4 * Self.depthMax {
                    return SourceSpan(file: source.file, line: row + 1, column: column + 1, length: 1)
                }
            }
        }
        return nil
    }

    private func span(_ mark: Mark, length: Int) -> SourceSpan {
        SourceSpan(file: source.file, line: mark.line, column: mark.column, length: length)
    }

    private mutating func convert(_ node: Node, fallback: SourceSpan, _ findings: inout Findings) -> YAMLNode {
        nodesLeft -= 1
        guard nodesLeft > 0 else { return YAMLNode(content: .invalid, span: fallback) }
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain
            var place = fallback
            if let mark = scalar.mark, !(isPlain && scalar.string.isEmpty) {
                place = source.span(of: scalar.string, style: scalar.style, line: mark.line, column: mark.column)
            }
            return YAMLNode(content: .scalar(text: scalar.string, isPlain: isPlain), span: place)
        case .sequence(let sequence):
            let place = sequence.mark.map { span($0, length: 1) } ?? fallback
            return YAMLNode(content: .list(sequence.map { convert($0, fallback: place, &findings) }), span: place)
        case .mapping(let mapping):
            return convert(mapping, fallback: fallback, &findings)
        case .alias:
            return YAMLNode(content: .invalid, span: fallback)
        }
    }

    private mutating func convert(
        _ mapping: Node.Mapping, fallback: SourceSpan, _ findings: inout Findings
    ) -> YAMLNode {
        let place = mapping.mark.map { span($0, length: 1) } ?? fallback
        var entries: [YAMLNode.Entry] = []
        var merges: [YAMLNode] = []
        for (keyNode, valueNode) in mapping {
            guard case .scalar(let scalar) = keyNode else {
                let keyPlace = keyNode.mark.map { span($0, length: 1) } ?? place
                findings.error(
                    .type, at: keyPlace, "a key must be a text",
                    suggestion: "a value that holds ${…} or {…} belongs behind a key")
                continue
            }
            var key = convert(keyNode, fallback: place, &findings)
            restore(&key, scalar.string)
            let value = convert(valueNode, fallback: key.span, &findings)
            guard let text = key.text else { continue }
            if text == "<<" {
                merges += value.items.isEmpty ? [value] : value.items
            } else {
                entries.append(YAMLNode.Entry(key: text, keySpan: key.span, value: value))
            }
        }
        entries = removeDuplicates(entries, &findings)
        for entry in merges.flatMap(\.entries) where !entries.contains(where: { $0.key == entry.key }) {
            entries.append(entry)
        }
        return YAMLNode(content: .map(entries), span: place)
    }

    /// Gives a key that was renamed its letter back.
    private func restore(_ key: inout YAMLNode, _ text: String) {
        guard let first = text.unicodeScalars.first, let original = renamed[first] else { return }
        key.content = .scalar(text: original.key, isPlain: false)
        key.span = original.span
    }

    /// Keeps the first of the entries with one key, and reports the others.
    private func removeDuplicates(_ entries: [YAMLNode.Entry], _ findings: inout Findings) -> [YAMLNode.Entry] {
        var kept: [YAMLNode.Entry] = []
        for entry in entries {
            guard let first = kept.first(where: { $0.key == entry.key }) else {
                kept.append(entry)
                continue
            }
            findings.error(
                .duplicateKey, at: entry.keySpan, "\"\(entry.key)\" occurs twice in this map",
                suggestion: "it already is in line \(first.keySpan.line)")
        }
        return kept
    }
}
