// SPDX-License-Identifier: Apache-2.0

import PenstockModel
// The normal form C of Unicode, for which the standard library has no public name; there is no other one without a
// dependency, and no second implementation of Unicode's tables is wanted.
@_spi(_Unicode) import Swift

/// The texts by which records are found: the same for values that are the same for a field and a rule.
package struct MatchTexts: Sendable {
    private let kind: DestinationField.Kind
    private let form: MatchRule.Form
    private let ignoresCase: Bool

    /// The texts of `field` as `rule` compares them.
    package init(_ field: DestinationField, _ rule: MatchRule) {
        kind = field.kind
        form = rule.form ?? Self.form(of: field)
        ignoresCase = rule.ignoresCase ?? (form == .email)
    }

    /// What is compared of a field where the sync does not say it.
    package static func form(of field: DestinationField) -> MatchRule.Form {
        switch field.content {
        case .email: .email
        case .phone: .phone
        case .plain, .url: .text
        }
    }

    /// The texts of a cell, each once: several for a list, none for NULL and for what has nothing to compare.
    ///
    /// - Precondition: The column has the kind's column type.
    package func texts(_ column: Column, _ row: Int) -> [String] {
        guard kind.isMatchable || kind == .id, !column.isNull(row) else { return [] }
        switch (kind, column.value(row)) {
        case (_, .decimal(let text)): return DecimalText(text).map { [$0.canonicalText] } ?? []
        case (.text, .text(let text)): return [normalized(text)].compactMap { $0 }
        case (.contacts, .json(let text)), (.texts, .json(let text)), (.dateRange, .json(let text)):
            // What is no JSON is no list; nothing is found by it.
            guard let json = try? JSON(parsing: text) else { return [] }
            return kind == .dateRange ? Self.range(json) : elements(json)
        case (_, let value):
            let text = CellText.of(value)
            return text.isBlank ? [] : [text]
        }
    }

    private static func range(_ json: JSON) -> [String] {
        guard let first = json["value"]?.stringValue, let last = json["until"]?.stringValue else { return [] }
        return ["\(first)/\(last)"]
    }

    private func elements(_ json: JSON) -> [String] {
        var out: [String] = []
        for item in json.arrayValue ?? [json] {
            let text = item.stringValue ?? item["value"]?.stringValue
            if let text, let normal = normalized(text), !out.contains(normal) { out.append(normal) }
        }
        return out
    }

    /// The one spelling of a text, or nil where there is nothing to compare.
    package func normalized(_ text: String) -> String? {
        let trimmed = Self.composed(String(text.trimmed))
        let found: String? =
            switch form {
            case .text, .email: ignoresCase ? Self.folded(trimmed) : trimmed
            case .phone: Self.phone(trimmed)
            case .domain: Self.domain(trimmed)
            }
        return found?.isEmpty == true ? nil : found
    }

    /// The text in Unicode's normal form C, so that composed and decomposed letters are the same.
    private static func composed(_ text: String) -> String {
        // Below U+0300 nothing combines.
        guard text.unicodeScalars.contains(where: { $0.value >= 0x300 }) else { return text }
        var scalars = String.UnicodeScalarView()
        for scalar in text._nfc { scalars.append(scalar) }
        return String(scalars)
    }

    /// The text without the difference of upper and lower case, in any language: `ß` is `ss`.
    private static func folded(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.lowercased() }
        return composed(text.uppercased().lowercased())
    }

    /// The digits of a phone number, behind a `+` where it has its country's code; nil where it has no digit.
    ///
    /// No country is guessed: `040 123` and `+49 40 123` are two numbers.
    private static func phone(_ text: String) -> String? {
        var rest = text
        if rest.hasPrefix("+"), let trunk = rest.firstRange(of: "(0)") { rest.removeSubrange(trunk) }
        let digits = String(decoding: rest.utf8.filter { (0x30...0x39).contains($0) }, as: UTF8.self)
        guard !digits.isEmpty else { return nil }
        if text.hasPrefix("+") { return "+" + digits }
        return digits.hasPrefix("00") ? "+" + digits.dropFirst(2) : digits
    }

    /// The host of a web address or e-mail address in lower case, without `www.`; nil where there is none.
    private static func domain(_ text: String) -> String? {
        var rest = text[...]
        if let scheme = rest.firstRange(of: "://") { rest = rest[scheme.upperBound...] }
        rest = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        rest = rest.prefix { $0 != ":" }
        while rest.last == "." { rest.removeLast() }
        var host = folded(String(rest))
        if host.hasPrefix("www."), host.dropFirst(4).contains(".") { host.removeFirst(4) }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count > 1, labels.allSatisfy({ !$0.isEmpty && !$0.contains(where: \.isWhitespace) }) else {
            return nil
        }
        return host
    }
}
