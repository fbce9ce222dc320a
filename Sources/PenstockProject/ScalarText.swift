// SPDX-License-Identifier: Apache-2.0

/// Reads the small texts that project files are made of.
enum ScalarText {
    /// The word that turns a limit off.
    static let off = "off"

    /// An integer as people write it, `20_000` and `20,000` not included.
    static func integer(_ text: String) -> Int? {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Int(text)
    }

    /// `true` and `false`, in any case.
    static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true": true
        case "false": false
        default: nil
        }
    }

    /// Hundredths of a percent of `12.5%`, up to 100 %.
    static func basisPoints(_ text: String) -> Int? {
        guard text.hasSuffix("%") else { return nil }
        let number = text.dropLast().drop { $0 == " " }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = integer(String(parts[0])), (0...100).contains(whole) else {
            return nil
        }
        guard parts.count == 2 else { return whole * 100 }
        guard (1...2).contains(parts[1].count), let rest = integer(String(parts[1])), rest >= 0 else { return nil }
        let value = whole * 100 + (parts[1].count == 1 ? rest * 10 : rest)
        return value <= 10_000 ? value : nil
    }

    /// Whether this is a plain decimal number.
    static func isDecimal(_ text: String) -> Bool {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2 else { return false }
        return parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber } }
    }

    /// Whether this may name a sync, model, connection or credential.
    static func isName(_ text: String) -> Bool {
        guard let first = text.first, first.isLetter || first.isNumber, text.count <= 100 else { return false }
        return text.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" || $0 == "." }
    }

    /// `a, b, c`, at most `limit` of them.
    static func list(_ words: [String], limit: Int = 40) -> String {
        words.count <= limit
            ? words.joined(separator: ", ")
            : words.prefix(limit).joined(separator: ", ") + ", … \(words.count - limit) more"
    }
}
