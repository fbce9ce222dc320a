// SPDX-License-Identifier: Apache-2.0

/// A range of versions as in `>=0.3 <1.0`, `^1.2`, `~1.2`, `1.2.3` and `*`.
package struct VersionRange: Sendable, Hashable {
    private struct Bound: Sendable, Hashable {
        var comparison: String
        var version: [Int]
    }

    private var bounds: [Bound] = []

    /// Reads a range; nil where `text` is none.
    package init?(_ text: String) {
        let words = text.split { $0 == " " || $0 == "," }
        guard !words.isEmpty else { return nil }
        for word in words where word != "*" {
            let mark = word.prefix { "<>=^~".contains($0) }
            guard let version = Self.parse(word.dropFirst(mark.count)) else { return nil }
            guard let bounds = Self.bounds(String(mark), version) else { return nil }
            self.bounds += bounds
        }
    }

    /// Whether `version`, written `major.minor.patch`, is in the range.
    ///
    /// What follows a `-` or `+` in a version is not looked at.
    package func contains(_ version: String) -> Bool {
        guard let version = Self.parse(version.prefix { $0 != "-" && $0 != "+" }) else { return false }
        return bounds.allSatisfy { bound in
            let isLess = version.lexicographicallyPrecedes(bound.version)
            switch bound.comparison {
            case ">=": return !isLess
            case ">": return !isLess && version != bound.version
            case "<": return isLess
            case "<=": return isLess || version == bound.version
            default: return version == bound.version
            }
        }
    }

    private static func parse(_ text: some StringProtocol) -> [Int]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { ScalarText.integer(String($0)) }
        guard (1...3).contains(parts.count), numbers.count == parts.count, numbers.allSatisfy({ $0 >= 0 }) else {
            return nil
        }
        return numbers + Array(repeating: 0, count: 3 - numbers.count)
    }

    private static func bounds(_ mark: String, _ version: [Int]) -> [Bound]? {
        switch mark {
        case "<", "<=", ">", ">=", "=": return [Bound(comparison: mark, version: version)]
        case "": return [Bound(comparison: "=", version: version)]
        case "~":
            return [
                Bound(comparison: ">=", version: version),
                Bound(comparison: "<", version: [version[0], version[1] + 1, 0]),
            ]
        case "^":
            let leading = version.firstIndex { $0 > 0 } ?? 2
            var next = [0, 0, 0]
            for index in 0...leading { next[index] = version[index] }
            next[leading] += 1
            return [Bound(comparison: ">=", version: version), Bound(comparison: "<", version: next)]
        default: return nil
        }
    }
}
