// SPDX-License-Identifier: Apache-2.0

/// A value that is to be written into a YAML file.
package indirect enum YAMLValue: Sendable {
    /// A text; quoted where a reader could take it for something else.
    case text(String)
    /// A whole number.
    case integer(Int64)
    /// `true` or `false`.
    case boolean(Bool)
    /// A list; one of scalars stands on one line where it fits.
    case list([YAMLValue])
    /// A map, in this order.
    case map([(key: String, value: YAMLValue)])
    /// The same on one line: `{a: b}`.
    case flow(YAMLValue)

    /// The longest line into which a list of scalars is put.
    private static let lineMax = 100

    /// The text of a whole file that holds this map.
    package func document() -> String {
        guard case .map(let entries) = self else { return inline + "\n" }
        return entries.flatMap { Self.lines($0.key, $0.value, indent: 0) }.map { $0 + "\n" }.joined()
    }

    /// The value on one line.
    var inline: String {
        switch self {
        case .text(let text): YAMLText.scalar(text, isInFlow: true)
        case .integer(let number): "\(number)"
        case .boolean(let value): value ? "true" : "false"
        case .list(let items): "[" + items.map(\.inline).joined(separator: ", ") + "]"
        case .map(let entries):
            "{"
                + entries.map { YAMLText.scalar($0.key, isInFlow: true) + ": " + $0.value.inline }
                .joined(separator: ", ") + "}"
        case .flow(let value): value.inline
        }
    }

    /// The value behind `key: ` where it fits on that line; nil where it takes lines of its own.
    func behindKey(_ room: Int) -> String? {
        switch self {
        case .text(let text): YAMLText.isBlock(text) ? nil : YAMLText.scalar(text, isInFlow: false)
        case .integer, .boolean, .flow: inline
        case .list(let items):
            items.isEmpty || (items.allSatisfy(\.isScalar) && inline.count <= room) ? inline : nil
        case .map(let entries): entries.isEmpty ? inline : nil
        }
    }

    private var isScalar: Bool {
        switch self {
        case .text, .integer, .boolean: true
        case .list, .map, .flow: false
        }
    }

    /// The lines of `key: value` in a map whose keys stand at `indent`.
    static func lines(_ key: String, _ value: YAMLValue, indent: Int) -> [String] {
        let pad = String(repeating: " ", count: indent)
        let head = pad + YAMLText.scalar(key, isInFlow: false) + ":"
        if let line = value.behindKey(lineMax - head.count - 1) { return ["\(head) \(line)"] }
        switch value {
        case .text(let text): return [head + " " + YAMLText.blockHeader(text)] + YAMLText.blockLines(text, indent + 2)
        case .map(let entries): return [head] + entries.flatMap { lines($0.key, $0.value, indent: indent + 2) }
        case .list(let items): return [head] + items.flatMap { lines($0, indent: indent + 2) }
        case .integer, .boolean, .flow: return ["\(head) \(value.inline)"]
        }
    }

    /// The lines of one element of a list whose dashes stand at `indent`.
    private static func lines(_ item: YAMLValue, indent: Int) -> [String] {
        let pad = String(repeating: " ", count: indent)
        guard case .map(let entries) = item, !entries.isEmpty else {
            if case .text(let text) = item {
                return ["\(pad)- \(YAMLText.scalar(text, isInFlow: false, isBlockAllowed: false))"]
            }
            return ["\(pad)- \(item.inline)"]
        }
        var lines = entries.flatMap { Self.lines($0.key, $0.value, indent: indent + 2) }
        lines[0] = pad + "- " + lines[0].dropFirst(indent + 2)
        return lines
    }

    /// What a reader makes of this value.
    var node: YAMLNode {
        let place = SourceSpan(file: "")
        switch self {
        case .text(let text): return YAMLNode(content: .scalar(text: text, isPlain: false), span: place)
        case .integer(let number): return YAMLNode(content: .scalar(text: "\(number)", isPlain: true), span: place)
        case .boolean(let value):
            return YAMLNode(content: .scalar(text: value ? "true" : "false", isPlain: true), span: place)
        case .list(let items): return YAMLNode(content: .list(items.map(\.node)), span: place)
        case .map(let entries):
            return YAMLNode(
                content: .map(entries.map { YAMLNode.Entry(key: $0.key, keySpan: place, value: $0.value.node) }),
                span: place)
        case .flow(let value): return value.node
        }
    }
}

/// How texts are written in YAML.
enum YAMLText {
    /// Words that YAML 1.1 or 1.2 takes for something other than a text.
    private static let words: Set<String> = [
        "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "=", "<<", ".inf", "-.inf", ".nan",
    ]

    /// Characters with which a plain text cannot begin.
    private static let indicators = Set("-?:,[]{}#&*!|>'\"%@`".unicodeScalars)

    /// The scalar for `text` on one line.
    static func scalar(_ text: String, isInFlow: Bool, isBlockAllowed: Bool = true) -> String {
        if text.unicodeScalars.contains(where: { !isPrintable($0) || $0 == "\t" }) { return doubleQuoted(text) }
        guard isPlain(text, isInFlow: isInFlow) else { return "\"" + escaped(text) + "\"" }
        return text
    }

    /// Whether `text` is written as a block of lines.
    static func isBlock(_ text: String) -> Bool {
        guard text.contains("\n"), text.unicodeScalars.allSatisfy({ $0 == "\n" || isPrintable($0) }) else {
            return false
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let first = lines.first { !$0.isEmpty }
        return first.map { !$0.hasPrefix(" ") } ?? false && !text.hasSuffix("\n\n") && lines.first?.isEmpty == false
    }

    /// `|` where the text ends with a line feed, `|-` where it does not.
    static func blockHeader(_ text: String) -> String { text.hasSuffix("\n") ? "|" : "|-" }

    /// The lines of a block.
    static func blockLines(_ text: String, _ indent: Int) -> [String] {
        let pad = String(repeating: " ", count: indent)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if text.hasSuffix("\n") { lines.removeLast() }
        return lines.map { $0.isEmpty ? "" : pad + $0 }
    }

    private static func isPlain(_ text: String, isInFlow: Bool) -> Bool {
        let scalars = Array(text.unicodeScalars)
        guard !words.contains(text.lowercased()), let first = scalars.first, !indicators.contains(first),
            scalars.last != " ", first != " ", scalars.last != ":", !looksLikeNumber(text)
        else { return false }
        if text == "---" || text == "..." { return false }
        for (index, scalar) in scalars.enumerated() {
            let next = index + 1 < scalars.count ? scalars[index + 1] : " "
            if scalar == ":", next == " " { return false }
            if scalar == " ", next == "#" { return false }
            if isInFlow, "[]{},".unicodeScalars.contains(scalar) { return false }
        }
        return true
    }

    /// Whether a reader of YAML 1.1 could take the text for a number, a time or a date.
    private static func looksLikeNumber(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, "+-.0123456789".unicodeScalars.contains(first) else {
            return false
        }
        return text.unicodeScalars.allSatisfy { "+-.0123456789:_eExXoOabcdfABCDFTZ ".unicodeScalars.contains($0) }
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF: true
        default: scalar == "\t"
        }
    }

    private static func doubleQuoted(_ text: String) -> String { "\"" + escaped(text) + "\"" }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if isPrintable(scalar) {
                    result.unicodeScalars.append(scalar)
                } else {
                    let digits = String(scalar.value, radix: 16)
                    let isLong = scalar.value > 0xFFFF
                    let width = isLong ? 8 : 4
                    result += (isLong ? "\\U" : "\\u") + String(repeating: "0", count: width - digits.count) + digits
                }
            }
        }
        return result
    }
}
