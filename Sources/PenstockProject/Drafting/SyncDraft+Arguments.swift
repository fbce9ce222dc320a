// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension SyncDraft {
    /// The arguments behind `penstock sync new` that make this draft without a question.
    package var arguments: [String] {
        var words = [name, "--connection", connection, "--object", object]
        func add(_ option: String, _ value: String?) {
            guard let value else { return }
            // What begins with a dash would be taken for an option.
            words += value.hasPrefix("-") ? ["\(option)=\(value)"] : [option, value]
        }
        switch source {
        case .model(let model): add("--model", model)
        case .table(let table, let connection):
            add("--source-connection", connection)
            add("--table", table)
        }
        for column in key { add("--key-columns", column) }
        for entry in map { add("--map", entry.argument) }
        add("--fetch", fetch.rawValue.lowercased())
        add("--key", fetchKey)
        add("--start", start)
        add("--lookback", lookback)
        add("--insert", insert.rawValue.lowercased())
        add("--match", match)
        add("--on-missing", onMissing?.rawValue)
        add("--on-null", onNull?.rawValue)
        if repeats { add("--repeat", "allow") }
        switch schedule {
        case .manual: break
        case .every(let length, let start):
            add("--every", length)
            add("--start-at", start)
        case .cron(let expression): add("--cron", expression)
        }
        add("--timezone", timezone)
        add("--title", title)
        add("--description", description)
        add("--owner", owner)
        for tag in tags { add("--tag", tag) }
        return words
    }
}

extension SyncDraft.Entry {
    /// The entry as the value of `--map`: `target=column`, or `target={from: column, …}`.
    package var argument: String {
        let scalars = target.unicodeScalars
        let isPlain = !scalars.contains("=") && scalars.first != "\""
        return (isPlain ? target : YAMLText.quoted(target)) + "=" + written
    }

    private var written: String {
        // A column whose name looks like a map has to be told from one.
        if case .text(let column) = content, column.unicodeScalars.first != "{" { return column }
        if case .text = content { return YAMLValue.map([("from", content)]).inline }
        return content.inline
    }

    /// An entry from the value of `--map`.
    ///
    /// - Throws: ``YAMLEditProblem`` with what is wrong in one clause.
    package init(argument: String) throws(YAMLEditProblem) {
        func problem(_ reason: String) -> YAMLEditProblem { YAMLEditProblem(file: "--map", reason: reason) }
        // Scalar by scalar: a name may begin with a mark that Swift joins to what stands before it.
        var rest = argument.unicodeScalars[...]
        var target = ""
        if rest.first == "\"" {
            guard let (name, behind) = Self.quoted(rest) else {
                throw problem("the quote of \(argument) is not closed")
            }
            (target, rest) = (name, behind)
        } else if let sign = rest.firstIndex(of: "=") {
            (target, rest) = (String(rest[..<sign]), rest[sign...])
        }
        guard !target.isEmpty, rest.first == "=", rest.count > 1 else {
            throw problem("\"\(argument)\" is not TARGET=COLUMN or TARGET={value: CONSTANT}")
        }
        let value = String(rest.dropFirst())
        guard rest.dropFirst().first == "{" else {
            self.init(target, .text(value))
            return
        }
        var findings = Findings()
        let source = SourceText(file: "--map", text: value)
        guard let node = YAMLReader.read(source, findings: &findings), findings.diagnostics.isEmpty,
            case .map(let entries) = node.content
        else { throw problem("\"\(value)\" is not a YAML map such as {from: COLUMN, option: label}") }
        if entries.count == 1, entries[0].key == "from", let column = entries[0].value.text {
            self.init(target, .text(column))
        } else {
            self.init(target, .flow(YAMLValue(node)))
        }
    }

    /// A text in double quotes at the beginning, and what follows it.
    private static func quoted(
        _ text: String.UnicodeScalarView.SubSequence
    ) -> (String, String.UnicodeScalarView.SubSequence)? {
        var name = String.UnicodeScalarView()
        var isEscaped = false
        for index in text.indices.dropFirst() {
            let scalar = text[index]
            if isEscaped {
                name.append(scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else if scalar == "\"" {
                return (String(name), text[text.index(after: index)...])
            } else {
                name.append(scalar)
            }
        }
        return nil
    }
}

extension YAMLText {
    /// A text in double quotes, in which only quotes and backslashes are escaped.
    static func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }
        return "\"" + escaped.joined() + "\""
    }
}

extension YAMLValue {
    /// The value that a tree was read from, without comments and styles.
    init(_ node: YAMLNode) {
        switch node.content {
        case .scalar(let text, let isPlain): self = Self.scalar(text, isPlain: isPlain)
        case .list(let items): self = .list(items.map { YAMLValue($0) })
        case .map(let entries): self = .map(entries.map { ($0.key, YAMLValue($0.value)) })
        case .invalid: self = .text("")
        }
    }

    private static func scalar(_ text: String, isPlain: Bool) -> YAMLValue {
        guard isPlain else { return .text(text) }
        // Only what is written again as it stood; everything else is a text to this language anyway.
        if let number = Int64(text), String(number) == text { return .integer(number) }
        return text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : .text(text)
    }

    /// The text at a key of a map, or nil.
    static func text(_ value: YAMLValue, at key: String) -> String? {
        guard case .map(let entries) = value, let entry = entries.first(where: { $0.key == key }) else { return nil }
        if case .text(let text) = entry.value { return text }
        if case .integer(let number) = entry.value { return String(number) }
        return nil
    }
}

/// Words as a shell reads them.
package enum ShellText {
    /// A command of these words, each quoted where a shell would read something else, on lines of at most `width`
    /// columns where it can be.
    ///
    /// - Parameter indent: The spaces before the lines after the first.
    package static func command(_ words: [String], width: Int, indent: Int) -> String {
        var lines: [String] = []
        var line = ""
        for group in groups(words.map(quoted)) {
            let room = width - 2
            if !line.isEmpty, DisplayWidth.width(line) + 1 + DisplayWidth.width(group) > room {
                lines.append(line)
                line = String(repeating: " ", count: indent)
                line += group
            } else {
                line += (line.isEmpty ? "" : " ") + group
            }
        }
        return (lines + [line]).joined(separator: " \\\n")
    }

    /// An option stays beside its value.
    private static func groups(_ words: [String]) -> [String] {
        var groups: [String] = []
        for word in words {
            if let last = groups.last, last.hasPrefix("--"), !last.contains(" "), !last.contains("="),
                !word.hasPrefix("--")
            {
                groups[groups.count - 1] = last + " " + word
            } else {
                groups.append(word)
            }
        }
        return groups
    }

    /// A word that a POSIX shell reads as exactly `text`.
    package static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy { scalar in
                scalar.isASCII
                    ? scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                        || "_-./:=@%+,".contains(Character(scalar))
                    : scalar.properties.isAlphabetic
            }
        return isPlain ? text : QuotedText.shell(text)
    }
}
