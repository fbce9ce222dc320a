// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What sample values look like.
enum SampleForm {
    /// Whether a value is NULL or blank.
    static func isBlank(_ value: Value) -> Bool {
        if case .text(let text) = value { return text.isBlank }
        return value.isNull
    }

    /// The values, each once, in the order in which they came.
    static func distinct(_ values: [Value]) -> [Value] {
        var seen: Set<Value> = []
        return values.filter { seen.insert($0).inserted }
    }

    /// Whether a value is one e-mail address.
    static func isEmail(_ value: Value) -> Bool {
        guard case .text(let raw) = value else { return false }
        let text = raw.trimmed
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !text.contains(where: \.isWhitespace) else { return false }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2 && labels.allSatisfy { !$0.isEmpty }
    }

    /// Whether a value may be a phone number: at least six digits, and nothing that none has.
    static func isPhone(_ value: Value) -> Bool {
        let text = CellText.of(value)
        let digits = text.count { $0.isASCII && $0.isNumber }
        return (6...20).contains(digits)
            && text.allSatisfy { $0.isASCII && $0.isNumber || "+()-/. ".contains($0) || $0.isWhitespace }
    }

    /// Whether a value is a phone number by its looks, and not just any number or date.
    static func isWrittenAsPhone(_ value: Value) -> Bool {
        guard case .text(let text) = value, isPhone(value) else { return false }
        return text.trimmed.hasPrefix("+") || text.contains("(") || text.trimmed.hasPrefix("0") && text.contains(" ")
    }

    /// Whether a value is an address of the web.
    static func isWebAddress(_ value: Value) -> Bool {
        guard case .text(let raw) = value else { return false }
        let text = raw.trimmed.lowercased()
        guard !text.contains(where: \.isWhitespace), !text.contains("@") else { return false }
        if text.hasPrefix("http://") || text.hasPrefix("https://") || text.hasPrefix("www.") { return true }
        let host = text.prefix { $0 != "/" }
        guard let dot = host.lastIndex(of: "."), dot != host.startIndex else { return false }
        let ending = host[host.index(after: dot)...]
        return ending.count >= 2 && ending.allSatisfy(\.isLetter)
    }

    /// Whether a value is a whole number from 1 on.
    static func isPositiveInteger(_ value: Value) -> Bool {
        guard let number = DecimalText(CellText.of(value)) else { return false }
        return number.isPositive && !number.canonicalText.contains(".")
    }

    /// The character that parts the elements of these texts, where any of them holds one; else nil.
    static func separator(_ values: [Value]) -> String? {
        let texts = values.compactMap { value -> String? in
            if case .text(let text) = value { text } else { nil }
        }
        guard !texts.contains(where: { $0.trimmed.hasPrefix("[") }) else { return nil }
        return [";", "|", ","].first { mark in texts.contains { $0.contains(mark) } }
    }

    /// What stands between the separators of all texts.
    static func elements(_ values: [Value], _ separator: String) -> [Value] {
        values.flatMap { value -> [Value] in
            guard case .text(let text) = value else { return [value] }
            return text.elements(separatedBy: separator).map { .text($0) }
        }
    }
}
