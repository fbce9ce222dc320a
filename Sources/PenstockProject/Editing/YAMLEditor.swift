// SPDX-License-Identifier: Apache-2.0

/// Why a YAML file cannot be edited by a program.
package struct YAMLEditProblem: Error, Sendable, Hashable {
    /// The file.
    package var file: String
    /// One sentence.
    package var reason: String
    /// What is wrong with the file itself; empty where it is readable.
    package var diagnostics: [Diagnostic] = []
}

/// Changes values of a YAML file and leaves everything else as it was written: comments, order, quotes, blank lines.
///
/// A path is the keys from the root down. After each change the text is read again and compared with what was meant;
/// where the two differ, the change is refused and the text stays as it was.
package struct YAMLEditor: Sendable {
    /// The text as it is now.
    package private(set) var text: String

    /// The keys of the root in the order in which new ones are put; keys that it does not name go to the end.
    package var order: [String] = []

    private let file: String
    private var root: YAMLNode

    /// An editor for the text of `file`.
    ///
    /// An empty text, or one of comments alone, is an empty map.
    /// - Throws: ``YAMLEditProblem`` where the text is no readable YAML or no map.
    package init(file: String, text: String) throws(YAMLEditProblem) {
        self.file = file
        // Some editors put a byte order mark first. It says nothing, and is not kept.
        let text =
            text.unicodeScalars.first == "\u{FEFF}"
            ? String(String.UnicodeScalarView(text.unicodeScalars.dropFirst())) : text
        self.text = text
        root = try Self.read(text, file)
    }

    /// Whether there is a value, also an empty one.
    package func has(_ path: [String]) -> Bool { node(path) != nil }

    /// The text of a scalar; nil where there is none.
    package func scalar(_ path: [String]) -> String? { node(path)?.text }

    /// The texts of a list of scalars, or of one scalar; empty where there is none.
    package func scalars(_ path: [String]) -> [String] {
        guard let node = node(path) else { return [] }
        return node.text.map { node.isNull ? [] : [$0] } ?? node.items.compactMap(\.text)
    }

    /// The keys of a map; empty where there is none.
    package func keys(_ path: [String]) -> [String] { node(path)?.entries.map(\.key) ?? [] }

    /// Replaces the value, or adds it behind the others of its map; maps above that are missing are made.
    ///
    /// - Throws: ``YAMLEditProblem``; the text is then as it was.
    package mutating func set(_ path: [String], to value: YAMLValue) throws(YAMLEditProblem) {
        guard let key = path.last else { throw problem("a whole file is not replaced by an edit") }
        let parents = path.dropLast()
        if let entry = entry(path) {
            let wanted = Self.changed(root, path[...]) { _ in YAMLNode.Entry(entry.key, value.node) }
            return try apply(replacing(entry, in: parents, value), wanted)
        }
        if parents.isEmpty || node(Array(parents))?.isMap == true {
            let wanted = Self.appended(
                root, parents, YAMLNode.Entry(key, value.node), after: place(of: key, in: parents))
            return try apply(adding(key, value, to: parents), wanted)
        }
        if let above = node(Array(parents)), !above.isNull {
            throw problem("\(parents.joined(separator: ".")) is \(above.kindName), not a map")
        }
        try set(Array(parents), to: .map([(key: key, value: value)]))
    }

    /// Takes a key away with its value and the comments in it; nothing happens where it is not there.
    ///
    /// - Throws: ``YAMLEditProblem``; the text is then as it was.
    package mutating func remove(_ path: [String]) throws(YAMLEditProblem) {
        guard let entry = entry(path) else { return }
        let parents = path.dropLast()
        let siblings = keys(Array(parents)).count
        guard siblings > 1 || parents.isEmpty else { return try set(Array(parents), to: .flow(.map([]))) }
        try apply(removing(entry, in: parents), Self.changed(root, path[...]) { _ in nil })
    }

    /// Gives a key another name and leaves its value alone; nothing happens where it is not there.
    ///
    /// - Throws: ``YAMLEditProblem``; the text is then as it was. Also where the new name is there already.
    package mutating func rename(_ path: [String], to key: String) throws(YAMLEditProblem) {
        guard let entry = entry(path), entry.key != key else { return }
        let parents = path.dropLast()
        guard !has(parents + [key]) else { throw problem("there is a key \(key) already") }
        var lines = YAMLLines(text)
        let isFlow = self.isFlow(parents)
        lines.replace(
            line: entry.keySpan.line, from: entry.keySpan.column - 1, length: entry.keySpan.length,
            with: YAMLText.scalar(key, isInFlow: isFlow))
        try apply(lines, Self.changed(root, path[...]) { YAMLNode.Entry(key, $0.value) })
    }

    /// Replaces every element of a list of scalars that is `old`, or the scalar itself; comments between them stay.
    ///
    /// - Throws: ``YAMLEditProblem``; the text is then as it was.
    package mutating func replace(_ old: String, with new: String, in path: [String]) throws(YAMLEditProblem) {
        guard let list = node(path) else { return }
        if list.text == old { return try set(path, to: .text(new)) }
        while let index = node(path)?.items.firstIndex(where: { $0.text == old }), old != new {
            guard var items = node(path)?.items, let span = node(path)?.span else { return }
            var lines = YAMLLines(text)
            lines.replace(
                line: items[index].span.line, from: items[index].span.column - 1, length: items[index].span.length,
                with: YAMLText.scalar(new, isInFlow: lines.scalar(span.line, span.column - 1) == "["))
            items[index] = YAMLValue.text(new).node
            let wanted = Self.changed(root, path[...]) { entry in
                YAMLNode.Entry(entry.key, YAMLNode(content: .list(items), span: span))
            }
            try apply(lines, wanted)
        }
    }

    private mutating func apply(_ lines: YAMLLines?, _ wanted: YAMLNode) throws(YAMLEditProblem) {
        guard let changed = lines?.text else { throw tooIntricate }
        let read: YAMLNode
        do { read = try Self.read(changed, file) } catch { throw tooIntricate }
        guard read.means(wanted) else { throw tooIntricate }
        text = changed
        root = read
    }

    private var tooIntricate: YAMLEditProblem {
        problem("\(file) is written in a way that only a person can change safely; edit it by hand")
    }

    private func problem(_ reason: String) -> YAMLEditProblem { YAMLEditProblem(file: file, reason: reason) }

    private static func read(_ text: String, _ file: String) throws(YAMLEditProblem) -> YAMLNode {
        let source = SourceText(file: file, text: text)
        let isBare = source.lines.allSatisfy { line in line.first { $0 != " " }.map { $0 == "#" } ?? true }
        if isBare { return .emptyMap(at: SourceSpan(file: file)) }
        var findings = Findings()
        guard let node = YAMLReader.read(source, findings: &findings), findings.errorCount == 0 else {
            throw YAMLEditProblem(
                file: file, reason: "\(file) is not readable YAML", diagnostics: findings.diagnostics)
        }
        guard node.isMap else { throw YAMLEditProblem(file: file, reason: "\(file) is \(node.kindName), not a map") }
        return node
    }

    private func node(_ path: [String]) -> YAMLNode? {
        path.reduce(Optional(root)) { node, key in node?[key] }
    }

    private func entry(_ path: [String]) -> YAMLNode.Entry? {
        path.last.flatMap { node(Array(path.dropLast()))?.entry($0) }
    }

    private func isFlow(_ parents: some Collection<String>) -> Bool {
        guard !parents.isEmpty, let span = node(Array(parents))?.span else { return false }
        return YAMLLines(text).scalar(span.line, span.column - 1) == "{"
    }
}

// MARK: What the text becomes

extension YAMLEditor {
    private func replacing(
        _ entry: YAMLNode.Entry, in parents: ArraySlice<String>, _ value: YAMLValue
    ) -> YAMLLines? {
        var lines = YAMLLines(text)
        if isFlow(parents) {
            return lines.replaceInFlow(entry, with: value.inline) ? lines : nil
        }
        let indent = entry.keySpan.column - 1
        if entry.value.span.line == entry.keySpan.line, let room = value.behindKey(100 - indent),
            lines.replaceBehindKey(entry, with: room)
        {
            return lines
        }
        let range = lines.extent(of: entry)
        let comment = lines.trailingComment(entry.keySpan.line, behind: entry)
        // What stands before the key on its line: a dash of a list, for example.
        let head = String(String.UnicodeScalarView(lines.scalars(entry.keySpan.line).prefix(indent)))
        var new = YAMLValue.lines(entry.key, value, indent: indent)
        new[0] = head + new[0].dropFirst(indent) + comment
        lines.replace(range, with: new)
        return lines
    }

    private func adding(_ key: String, _ value: YAMLValue, to parents: ArraySlice<String>) -> YAMLLines? {
        var lines = YAMLLines(text)
        guard let map = node(Array(parents)) else { return nil }
        if isFlow(parents) {
            let entry = YAMLText.scalar(key, isInFlow: true) + ": " + value.inline
            return lines.addToFlow(map.span, entry, isFirst: map.entries.isEmpty) ? lines : nil
        }
        guard let last = map.entries.last else {
            lines.append(YAMLValue.lines(key, value, indent: 0))
            return lines
        }
        let previous = place(of: key, in: parents).flatMap { map.entry($0) }
        let indent = last.keySpan.column - 1
        let new = YAMLValue.lines(key, value, indent: indent)
        if previous == nil, place(of: key, in: parents) == "" {
            guard let first = map.entries.first else { return nil }
            lines.insert(new, before: first.keySpan.line)
        } else {
            lines.insert(new, before: lines.extent(of: previous ?? last).upperBound)
        }
        return lines
    }

    private func removing(_ entry: YAMLNode.Entry, in parents: ArraySlice<String>) -> YAMLLines? {
        var lines = YAMLLines(text)
        if isFlow(parents) { return lines.removeFromFlow(entry) ? lines : nil }
        let head = lines.scalars(entry.keySpan.line).prefix(entry.keySpan.column - 1)
        guard head.allSatisfy({ $0 == " " }) else { return nil }
        lines.replace(lines.extent(of: entry), with: [])
        return lines
    }

    /// Behind which key a new one is put: "" is the front, nil is the end.
    private func place(of key: String, in parents: ArraySlice<String>) -> String? {
        guard parents.isEmpty, let rank = order.firstIndex(of: key) else { return nil }
        let there = root.entries.map(\.key)
        if let last = there.last(where: { order.firstIndex(of: $0).map { $0 < rank } ?? false }) { return last }
        // Where none of the keys is known there is no order to keep.
        return there.contains { order.contains($0) } ? "" : nil
    }
}

// MARK: What the text must then mean

extension YAMLEditor {
    private static func changed(
        _ node: YAMLNode, _ path: ArraySlice<String>, _ change: (YAMLNode.Entry) -> YAMLNode.Entry?
    ) -> YAMLNode {
        guard let key = path.first else { return node }
        var result = node
        result.content = .map(
            node.entries.compactMap { entry in
                guard entry.key == key else { return entry }
                guard path.count > 1 else { return change(entry) }
                return YAMLNode.Entry(key, changed(entry.value, path.dropFirst(), change))
            })
        return result
    }

    private static func appended(
        _ node: YAMLNode, _ path: ArraySlice<String>, _ entry: YAMLNode.Entry, after: String?
    ) -> YAMLNode {
        var result = node
        var entries = node.entries
        if let key = path.first {
            entries = entries.map {
                $0.key == key ? YAMLNode.Entry(key, appended($0.value, path.dropFirst(), entry, after: after)) : $0
            }
        } else if after == "" {
            entries.insert(entry, at: 0)
        } else if let after, let index = entries.firstIndex(where: { $0.key == after }) {
            entries.insert(entry, at: index + 1)
        } else {
            entries.append(entry)
        }
        result.content = .map(entries)
        return result
    }
}

extension YAMLNode.Entry {
    fileprivate init(_ key: String, _ value: YAMLNode) {
        self.init(key: key, keySpan: SourceSpan(file: ""), value: value)
    }
}

extension YAMLNode {
    fileprivate var isMap: Bool { if case .map = content { true } else { false } }

    /// Whether both are the same values, wherever and however they are written.
    fileprivate func means(_ other: YAMLNode) -> Bool {
        switch (content, other.content) {
        case (.scalar(let text, _), .scalar(let wanted, _)): text == wanted && isNull == other.isNull
        case (.list(let items), .list(let wanted)):
            items.count == wanted.count && zip(items, wanted).allSatisfy { $0.means($1) }
        case (.map(let entries), .map(let wanted)):
            entries.count == wanted.count
                && zip(entries, wanted).allSatisfy { $0.key == $1.key && $0.value.means($1.value) }
        default: false
        }
    }
}
