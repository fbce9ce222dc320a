// SPDX-License-Identifier: Apache-2.0

/// Finds the name that somebody who wrote another one probably meant.
public enum NearestName {
    /// The nearest of `names`, or nil where none is near; of several, the first.
    ///
    /// Near is a third of the letters, at least 1 and at most 3 edits, and fewer than there are letters; case does
    /// not count.
    public static func of(_ name: String, in names: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased())
        let limit = min(max(wanted.count / 3, 1), 3, wanted.count - 1)
        var best: (name: String, edits: Int)?
        for candidate in names {
            let letters = Array(candidate.lowercased())
            guard abs(letters.count - wanted.count) <= limit else { continue }
            let edits = distance(wanted, letters)
            if edits <= limit, edits < best?.edits ?? Int.max { best = (candidate, edits) }
        }
        return best?.name
    }

    /// Edits between two words: insertions, deletions, replacements and swaps of neighbours (Damerau–Levenshtein,
    /// no part edited twice).
    package static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var before: [Int] = []
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
                row.append(cost)
            }
            before = last
            last = row
        }
        return last[b.count]
    }
}

extension NearestName {
    /// The bytes that a list of names in a message may take; what crosses the boundary is cut at 511.
    private static let listBytesMax = 240

    /// "a, b, c and 7 more": as many of `names` as fit into a message, the first at least.
    public static func listed(_ names: [String]) -> String {
        var bytes = 0
        let shown = names.prefix { name in
            bytes += name.utf8.count + 2
            return bytes <= listBytesMax
        }
        let count = max(shown.count, min(names.count, 1))
        let rest = names.count > count ? " and \(names.count - count) more" : ""
        return names.prefix(count).joined(separator: ", ") + rest
    }
}
