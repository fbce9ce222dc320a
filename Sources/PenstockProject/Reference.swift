// SPDX-License-Identifier: Apache-2.0

/// A reference in a scalar: `${env:NAME}`, `${NAME:-default}`, `${file:path}`, `${cred:NAME}`, `${exec:program words}`.
struct Reference: Sendable, Hashable {
    /// Where the value comes from.
    enum Provider: String, Sendable, Hashable, CaseIterable {
        case env
        case file
        case cred
        case exec
    }

    /// A scalar taken apart.
    enum Part: Sendable, Hashable {
        case text(String)
        case reference(Reference)
        /// Something between `${` and `}` that is no reference, with what is wrong with it.
        case malformed(raw: String, code: DiagnosticCode, reason: String)
    }

    var provider: Provider
    /// The variable, path, credential or command.
    var name: String
    /// What stands in for a variable that is unset or empty.
    var fallback: String?
    /// What is said where the variable is unset or empty.
    var message: String?
    /// As it is written.
    var raw: String

    /// As it may be shown: a default may be a secret that was written out.
    var shown: String {
        guard let fallback, !fallback.isEmpty, let mark = raw.firstRange(of: ":-") else { return raw }
        return raw[..<mark.upperBound] + "••••}"
    }

    /// Takes a scalar apart; `$$` becomes `$`, a lone `$` stays.
    static func parts(of text: String) -> [Part] {
        var parts: [Part] = []
        var plain = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            plain += rest[..<dollar]
            let next = rest.index(after: dollar)
            guard next < rest.endIndex, rest[next] == "$" || rest[next] == "{" else {
                plain.append("$")
                rest = rest[next...]
                continue
            }
            guard rest[next] == "{" else {
                plain.append("$")
                rest = rest[rest.index(after: next)...]
                continue
            }
            if !plain.isEmpty { parts.append(.text(plain)) }
            plain = ""
            guard let end = rest[next...].firstIndex(of: "}") else {
                parts.append(.malformed(raw: "${", code: .reference, reason: "this reference is not closed by }"))
                return parts
            }
            parts.append(parse(rest[dollar...end]))
            rest = rest[rest.index(after: end)...]
        }
        plain += rest
        if !plain.isEmpty || parts.isEmpty { parts.append(.text(plain)) }
        return parts
    }

    /// Whether a scalar is one reference and nothing else, without a default written out.
    static func isPure(_ text: String) -> Bool {
        let parts = parts(of: text)
        guard parts.count == 1, case .reference(let reference) = parts[0] else { return false }
        return (reference.fallback ?? "").isEmpty
    }

    /// Whether a scalar holds a reference.
    static func isPresent(in text: String) -> Bool {
        parts(of: text).contains { if case .text = $0 { false } else { true } }
    }

    private static func parse(_ raw: Substring) -> Part {
        let body = raw.dropFirst(2).dropLast()
        func malformed(_ code: DiagnosticCode, _ reason: String) -> Part {
            .malformed(raw: String(raw), code: code, reason: reason)
        }
        let name = body.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        let tail = body.dropFirst(name.count)
        if tail.isEmpty || tail.hasPrefix(":-") || tail.hasPrefix(":?") { return variable(raw, name, tail) }
        guard tail.first == ":" else { return malformed(.reference, "\(raw) is not a reference") }
        let value = tail.dropFirst()
        switch name {
        case "env":
            let variable = value.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            return Self.variable(raw, variable, value.dropFirst(variable.count))
        case "file":
            guard !value.isEmpty else { return malformed(.reference, "\(raw) names no file") }
            return .reference(Reference(provider: .file, name: String(value), raw: String(raw)))
        case "cred":
            guard ScalarText.isName(String(value)) else {
                return malformed(.reference, "\"\(value)\" cannot be the name of a credential")
            }
            return .reference(Reference(provider: .cred, name: String(value), raw: String(raw)))
        case "exec":
            guard CommandWords.split(String(value)) != nil else {
                return malformed(.reference, "\(raw) names no program, or has a quote that is not closed")
            }
            return .reference(Reference(provider: .exec, name: String(value), raw: String(raw)))
        case "age", "keyring", "vault":
            return malformed(.notYet, "${\(name):…} is not read by this version")
        default:
            return malformed(.reference, "\"\(name)\" is not a kind of reference")
        }
    }

    private static func variable(_ raw: Substring, _ name: Substring, _ tail: Substring) -> Part {
        var reference = Reference(provider: .env, name: String(name), raw: String(raw))
        let isName = name.first.map { !$0.isNumber } ?? false
        guard isName, tail.isEmpty || tail.hasPrefix(":-") || tail.hasPrefix(":?") else {
            return .malformed(
                raw: String(raw), code: .reference, reason: "\(raw) does not name an environment variable")
        }
        if tail.hasPrefix(":-") { reference.fallback = String(tail.dropFirst(2)) }
        if tail.hasPrefix(":?") { reference.message = String(tail.dropFirst(2)) }
        return .reference(reference)
    }
}
