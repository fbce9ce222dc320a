// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// When a create whose answer was lost may be asked about.
///
/// Times are those of one clock that goes on while the machine sleeps and starts with it.
package struct LostCreateTime: Sendable, Hashable {
    /// When the request is over at the latest.
    package var deadline: Int64
    /// The boot of the machine that the deadline belongs to.
    package var boot: Int64

    /// When a create may be asked about.
    package init(deadline: Int64, boot: Int64) {
        self.deadline = deadline
        self.boot = boot
    }

    /// The moment from which an absent record stays absent.
    ///
    /// A deadline of another boot says nothing about the clock of this one: the whole wait then starts with the
    /// process.
    ///
    /// - Parameters:
    ///   - settle: How long after its deadline a request may still be carried out, in milliseconds.
    ///   - timeout: The longest that a request may be on its way, in milliseconds.
    package func dueAt(settle: Int64, timeout: Int64, boot current: Int64, processStartedAt: Int64) -> Int64 {
        boot == current ? deadline + settle : processStartedAt + timeout + settle
    }
}

/// What is known of creates whose answer was lost, and what to do about them; performs nothing itself.
///
/// All are asked about in one sweep over the records that changed since the oldest of them, which starts once the last
/// of them is due: what is not found then was not created and will not be.
package struct LostCreates<Key: Hashable & Sendable>: Sendable {
    /// What to do next.
    package enum Step: Sendable, Equatable {
        /// There are none.
        case nothing
        /// Wait until then.
        case wait(until: Int64)
        /// Read all records that changed since the oldest one was about to be sent, to the last page, and call
        /// ``LostCreates/settle(_:startedAt:)``.
        case sweep
    }

    /// What became of a create.
    package enum Verdict: Sendable, Equatable {
        /// It made this record.
        case adopted(String)
        /// It made none, and will not: send it once more.
        case absent
        /// Several records carry its marker; nobody but a person can mend that.
        case several([String])
    }

    private var dueAt: [Key: Int64] = [:]
    private var order: [Key] = []

    /// No lost creates.
    package init() {}

    /// How many there are.
    package var count: Int { order.count }

    /// Takes note of one.
    ///
    /// - Parameter dueAt: From when on an absent record stays absent.
    package mutating func add(_ key: Key, dueAt: Int64) {
        if self.dueAt.updateValue(dueAt, forKey: key) == nil { order.append(key) }
    }

    /// Forgets one that was settled otherwise.
    package mutating func remove(_ key: Key) {
        dueAt[key] = nil
        order.removeAll { $0 == key }
    }

    /// What to do at `now`.
    package func step(_ now: Int64) -> Step {
        guard let latest = dueAt.values.max() else { return .nothing }
        return now >= latest ? .sweep : .wait(until: latest)
    }

    /// Decides by what a complete sweep has found.
    ///
    /// - Parameters:
    ///   - found: Per create, the records that may be its own: those with its marker, or those with its whole payload
    ///     that nobody has claimed. A record may be there for several creates; it is given to one.
    ///   - startedAt: When the sweep began; creates that were not due then stay.
    ///   - isMarked: Whether a create's records carry its marker and belong to it beyond doubt, so that two of them are
    ///     a fault.
    /// - Returns: The verdicts of those that were due, which are forgotten.
    package mutating func settle(
        _ found: [Key: [String]], startedAt: Int64, isMarked: (Key) -> Bool
    ) -> [(key: Key, verdict: Verdict)] {
        let due = order.filter { (dueAt[$0] ?? .max) <= startedAt }
        let given = Self.assign(due.filter { !isMarked($0) }, found)
        for key in due { dueAt[key] = nil }
        order.removeAll { dueAt[$0] == nil }
        return due.map { key in
            let ids = found[key] ?? []
            guard isMarked(key) else { return (key, given[key].map { .adopted($0) } ?? .absent) }
            return (key, ids.isEmpty ? .absent : ids.count == 1 ? .adopted(ids[0]) : .several(ids))
        }
    }

    /// Gives as many creates as possible a record of their own, by augmenting paths.
    private static func assign(_ keys: [Key], _ found: [Key: [String]]) -> [Key: String] {
        var owner: [String: Key] = [:]
        func place(_ key: Key, _ seen: inout Set<String>) -> Bool {
            for id in found[key] ?? [] where seen.insert(id).inserted {
                if let other = owner[id], !place(other, &seen) { continue }
                owner[id] = key
                return true
            }
            return false
        }
        for key in keys {
            var seen: Set<String> = []
            _ = place(key, &seen)
        }
        return Dictionary(uniqueKeysWithValues: owner.map { ($0.value, $0.key) })
    }
}
