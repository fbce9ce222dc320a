// SPDX-License-Identifier: Apache-2.0

/// Hides what looks like a secret in a line of a project file before the line is shown.
///
/// The line may stand in a file that could not be parsed, so this goes by the look of the key and not by the
/// connector's settings.
package enum SecretMask {
    private static let words = [
        "password", "passwd", "secret", "token", "api_key", "apikey", "private_key", "passphrase",
    ]

    /// Whether a key's name says that its value is a secret.
    static func isSecretName(_ name: String) -> Bool {
        let name = name.lowercased()
        return words.contains { name.hasSuffix($0) } || name == "pass" || name.hasSuffix("_pass")
    }

    /// Whether a variable of the environment holds a secret, by its name or because it is an address with a password.
    package static func isSecretVariable(_ name: String, _ value: String) -> Bool {
        isSecretName(name) || name.lowercased().hasSuffix("_key") || value.contains(/:\/\/[^\/\s@]*:[^\/\s@]+@/)
    }

    /// A line of a project file with what looks like a secret replaced by dots; references stay.
    package static func maskedLine(_ line: String) -> String { text(masked(Array(line.unicodeScalars))[...]) }

    /// The line with every scalar of a secret replaced by a dot, so that columns stay what they were.
    static func masked(_ line: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result = line
        for range in secretValues(line) + credentials(line) where !isReference(line[range]) {
            for index in range { result[index] = "•" }
        }
        return result
    }

    private static func isReference(_ value: ArraySlice<Unicode.Scalar>) -> Bool {
        let bare = value.drop { $0 == "\"" || $0 == "'" }
        return bare.starts(with: ["$", "{"]) && !text(value).contains(":-")
    }

    private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// Values behind `password:` and the like, in block and in flow style.
    private static func secretValues(_ line: [Unicode.Scalar]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        for colon in line.indices where line[colon] == ":" {
            let nameStart = line[..<colon].lastIndex { " \t{,\"'".unicodeScalars.contains($0) }.map { $0 + 1 } ?? 0
            var name = line[nameStart..<colon]
            if name.isEmpty, colon > 0 {
                let inner = line[..<(colon - 1)]
                name = inner[(inner.lastIndex { $0 == "\"" || $0 == "'" }.map { $0 + 1 } ?? 0)...]
            }
            guard isSecretName(text(name)), name.first != "$" else { continue }
            guard let start = line[(colon + 1)...].firstIndex(where: { $0 != " " && $0 != "\t" }) else { continue }
            let isFlow = line[..<colon].contains("{")
            let end = isFlow ? line[start...].firstIndex { $0 == "," || $0 == "}" } ?? line.count : line.count
            // A reference holds a brace of its own.
            let isOpen = line[start..<end].starts(with: ["$", "{"])
            ranges.append(start..<(isOpen && end < line.count ? end + 1 : end))
        }
        return ranges
    }

    /// Passwords in addresses: `scheme://user:password@host`.
    private static func credentials(_ line: [Unicode.Scalar]) -> [Range<Int>] {
        let prefix: [Unicode.Scalar] = [":", "/", "/"]
        guard line.count > 3 else { return [] }
        return line.indices.dropLast(3).compactMap { start in
            guard line[start...].starts(with: prefix) else { return nil }
            let rest = line[(start + 3)...].prefix { $0 != "/" && $0 != " " && $0 != "\"" && $0 != "'" }
            guard let at = rest.lastIndex(of: "@"), let colon = rest[..<at].firstIndex(of: ":"), colon + 1 < at else {
                return nil
            }
            return (colon + 1)..<at
        }
    }
}
