// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockSchedule

/// How the last run of a sync ended, as selectors name it.
package enum LastResult: String, Sendable, Hashable, CaseIterable {
    /// Everything was done, with no more rejects than allowed.
    case ok
    /// It was done, with more rejects than allowed.
    case partial
    /// It is not done: it failed, was stopped, or holds open rows.
    case failed
    /// There is none.
    case never
}

/// Names syncs: `orgs`, `orgs_*`, `tag:crm`, `connection:crm`, `object:deal`, `result:failed`.
package struct SyncSelector: Sendable, Hashable {
    /// What a selector looks at.
    package enum Method: String, Sendable, Hashable, CaseIterable {
        /// The sync's name.
        case name
        /// Its tags.
        case tag
        /// The connections that it reads and writes.
        case connection
        /// The object that it writes.
        case object
        /// How its last run ended.
        case result
    }

    /// Why a text is no selector.
    package struct Problem: Error, Sendable, Hashable {
        /// One sentence without a full stop.
        package var message: String
        /// What to write instead.
        package var suggestion: String
    }

    /// What it looks at.
    package let method: Method
    /// What it looks for; `*` stands for any letters, `?` for one.
    package let pattern: String

    /// Reads a selector.
    package init(_ text: String) throws(Problem) {
        guard let colon = text.firstIndex(of: ":") else {
            method = .name
            pattern = text
            return
        }
        let word = String(text[..<colon])
        let methods = Method.allCases.map(\.rawValue)
        guard let method = Method(rawValue: word) else {
            throw Problem(
                message: "\"\(word)\" is nothing that syncs are selected by",
                suggestion: NearestName.of(word, in: methods).map { "did you mean \($0):?" }
                    ?? "a name, \(methods.dropFirst().map { $0 + ":" }.joined(separator: ", "))")
        }
        self.method = method
        pattern = String(text[text.index(after: colon)...])
        let results = LastResult.allCases.map(\.rawValue)
        guard method == .result, !isGlob, LastResult(rawValue: pattern) == nil else { return }
        throw Problem(
            message: "\"\(pattern)\" is no result",
            suggestion: NearestName.of(pattern, in: results).map { "did you mean result:\($0)?" }
                ?? "results: \(results.joined(separator: ", "))")
    }

    /// Whether it is a name that is written out, and so means a sync that is disabled too.
    package var isExactName: Bool { method == .name && !isGlob }

    /// The words of a sync that it looks at.
    ///
    /// - Parameter result: How the last run ended; asked for `result:` only.
    func words<E: Error>(of sync: SyncFile, result: (SyncFile) throws(E) -> LastResult) throws(E) -> [String] {
        switch method {
        case .name: [sync.name]
        case .tag: sync.tags
        case .connection: [sync.definition.source.connection, sync.definition.destination.connection]
        case .object: [sync.definition.destination.object]
        case .result: [try result(sync).rawValue]
        }
    }

    /// Whether the pattern fits a word.
    func fits(_ word: String) -> Bool { Self.fits(Array(pattern)[...], Array(word)[...]) }

    private var isGlob: Bool { pattern.contains("*") || pattern.contains("?") }

    /// Goes back to the last `*` only, so that no pattern takes long.
    private static func fits(_ pattern: ArraySlice<Character>, _ word: ArraySlice<Character>) -> Bool {
        var (place, letter) = (pattern.startIndex, word.startIndex)
        var star: (place: Int, letter: Int)?
        while letter < word.endIndex {
            if place < pattern.endIndex, pattern[place] == "*" {
                star = (place, letter)
                place += 1
            } else if place < pattern.endIndex, pattern[place] == "?" || pattern[place] == word[letter] {
                place += 1
                letter += 1
            } else if let last = star {
                star = (last.place, last.letter + 1)
                place = last.place + 1
                letter = last.letter + 1
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == "*" }
    }
}

/// Which syncs a command is about.
package struct SyncSelection: Sendable, Hashable {
    /// What is taken; everything where there is none.
    package var selected: [SyncSelector]
    /// What is left out of it.
    package var excluded: [SyncSelector]

    /// A selection.
    package init(selected: [SyncSelector] = [], excluded: [SyncSelector] = []) {
        self.selected = selected
        self.excluded = excluded
    }

    /// What a selection gave.
    package struct Outcome: Sendable {
        /// The syncs, in the order of the project.
        package var syncs: [SyncFile]
        /// Selectors that fit nothing, with the words that there are.
        package var empty: [(selector: SyncSelector, words: [String])]
    }

    /// Applies the selection.
    ///
    /// - Parameters:
    ///   - enabledOnly: Whether syncs that are disabled are taken only where a selector is their name.
    ///   - result: How the last run of a sync ended; asked where a selector wants to know.
    /// - Throws: What `result` throws.
    package func of<E: Error>(
        _ syncs: [SyncFile], enabledOnly: Bool, result: (SyncFile) throws(E) -> LastResult
    ) throws(E) -> Outcome {
        var used = Array(repeating: false, count: selected.count)
        var words = Array(repeating: Set<String>(), count: selected.count)
        var found: [SyncFile] = []
        for sync in syncs {
            var isTaken = selected.isEmpty && (!enabledOnly || sync.isEnabled)
            for (index, selector) in selected.enumerated() {
                let all = try selector.words(of: sync, result: result)
                words[index].formUnion(all)
                guard all.contains(where: selector.fits) else { continue }
                used[index] = true
                if !enabledOnly || sync.isEnabled || selector.isExactName { isTaken = true }
            }
            var isLeftOut = false
            for selector in excluded where isTaken && !isLeftOut {
                isLeftOut = try selector.words(of: sync, result: result).contains(where: selector.fits)
            }
            if isTaken, !isLeftOut { found.append(sync) }
        }
        let empty = selected.indices.filter { !used[$0] && selected[$0].method != .result }
            .map { (selected[$0], words[$0].sorted()) }
        return Outcome(syncs: found, empty: empty)
    }
}

extension [SyncFile] {
    /// The same syncs, each behind those that it waits for.
    ///
    /// It waits for those that it names in `after` or links to. Of those that may go, the one with the highest
    /// `schedule.priority` is first, and else as they stand. What others wait for is as urgent as they are.
    package var inOrder: [SyncFile] {
        var rest = self
        let urgency = urgency
        var done: [SyncFile] = []
        while !rest.isEmpty {
            let names = Set(rest.map(\.name))
            let free = rest.indices.filter { !rest[$0].predecessors.contains(where: names.contains) }
            // Syncs that wait for each other are a finding; here they go as they stand.
            guard let first = free.first else { return done + rest }
            let priority = { (index: Int) in urgency[rest[index].name] ?? 0 }
            let next = free.dropFirst().reduce(first) { priority($1) > priority($0) ? $1 : $0 }
            done.append(rest.remove(at: next))
        }
        return done
    }

    /// The priority of each sync by name: its own, or that of one that waits for it where that is higher.
    private var urgency: [String: Int] {
        var found = Dictionary(map { ($0.name, $0.schedule?.priority ?? 0) }, uniquingKeysWith: Swift.max)
        // A chain of syncs is no longer than there are syncs.
        for _ in self {
            let before = found
            for sync in self {
                for name in sync.predecessors where found[name] != nil {
                    found[name] = Swift.max(found[name] ?? 0, found[sync.name] ?? 0)
                }
            }
            if found == before { break }
        }
        return found
    }
}
