// SPDX-License-Identifier: Apache-2.0

import PenstockProject

/// What is known of a sync at one moment: what rules of alerts are held against.
///
/// A part that is nil is not known now; what a rule says of it stays as it was.
package struct SyncFacts: Sendable, Hashable {
    /// How the last run ended.
    package struct Ending: Sendable, Hashable {
        /// The kind of failure, for example `unauthorized`; nil for a run that did not fail.
        package var failure: String?
        /// What went wrong, in one sentence; empty where nothing did.
        package var message: String
        /// How an ending is described.
        package init(failure: String?, message: String) {
            self.failure = failure
            self.message = message
        }
    }

    /// The rejects of a run.
    package struct Rejects: Sendable, Hashable {
        /// How many rows were rejected.
        package var rejected: Int64
        /// How many rows were fetched.
        package var fetched: Int64
        /// Whether that is more than the sync allows.
        package var isTooMany: Bool
        /// Numbers of a run.
        package init(rejected: Int64, fetched: Int64, isTooMany: Bool) {
            self.rejected = rejected
            self.fetched = fetched
            self.isTooMany = isTooMany
        }
    }

    /// The daily budget of the destination.
    package struct Budget: Sendable, Hashable {
        /// How many tokens are left.
        package var left: Int64
        /// How many there are a day, or nil where that is not known.
        package var daily: Int64?
        /// Whether it has ended a run.
        package var isSpent: Bool
        /// What is left of a budget.
        package init(left: Int64, daily: Int64?, isSpent: Bool) {
            self.left = left
            self.daily = daily
            self.isSpent = isSpent
        }
    }

    /// When the next run was due.
    package enum Due: Sendable, Hashable {
        /// It is not late.
        case onTime
        /// It was due then, in milliseconds since 1970, and has not run.
        case since(Int64)
    }

    /// The sync.
    package var sync: String
    /// The run that this is known from, or nil.
    package var run: String?
    /// How the last run ended.
    package var ending: Ending?
    /// The rejects of the last run.
    package var rejects: Rejects?
    /// How many rejects are waiting.
    package var queue: Int64?
    /// The daily budget.
    package var budget: Budget?
    /// Whether a run is late.
    package var due: Due?

    /// Nothing is known of the sync.
    package init(sync: String, run: String? = nil) {
        self.sync = sync
        self.run = run
    }
}

/// Something that is wrong, as a rule sees it.
package struct AlertFinding: Sendable, Hashable {
    /// What tells it from other things that are wrong in the same way; each is told once.
    package var cause: String
    /// One sentence.
    package var message: String
}

extension AlertDefinition {
    /// What is wrong in the way of `kind`.
    ///
    /// - Returns: Nil where the facts say nothing about it; an inner nil where all is well.
    package func finding(_ kind: Kind, _ facts: SyncFacts, now: Int64) -> AlertFinding?? {
        switch kind {
        case .failure: return failure(facts)
        case .rejects: return rejects(facts)
        case .overdue: return overdue(facts, now: now)
        case .budget: return budget(facts)
        case .rejectQueue: return queue(facts)
        }
    }

    private func failure(_ facts: SyncFacts) -> AlertFinding?? {
        guard let ending = facts.ending else { return nil }
        guard let code = ending.failure else { return .some(nil) }
        // What ended the run may name the sync itself.
        let name = facts.sync + ": "
        let sentence = ending.message.hasPrefix(name) ? String(ending.message.dropFirst(name.count)) : ending.message
        return AlertFinding(cause: code, message: "\(facts.sync) failed: \(sentence)")
    }

    private func rejects(_ facts: SyncFacts) -> AlertFinding?? {
        guard let found = facts.rejects else { return nil }
        let isTooMany =
            switch rejects {
            case .ofSync: found.isTooMany
            case .count(let limit): found.rejected > limit
            case .basisPoints(let points):
                Double(found.rejected) * 10_000 > Double(points) * Double(found.fetched)
            }
        guard isTooMany else { return .some(nil) }
        return AlertFinding(
            cause: "rejects",
            message: "\(facts.sync) rejected \(found.rejected) of \(found.fetched) rows")
    }

    private func overdue(_ facts: SyncFacts, now: Int64) -> AlertFinding?? {
        guard let due = facts.due else { return nil }
        guard case .since(let moment) = due, now - moment > graceMilliseconds else { return .some(nil) }
        return AlertFinding(
            cause: "overdue",
            message: "\(facts.sync) is overdue: it should have run \(Self.span(now - moment)) ago")
    }

    private func budget(_ facts: SyncFacts) -> AlertFinding?? {
        guard let budget = facts.budget else { return nil }
        if budget.isSpent {
            return AlertFinding(
                cause: "spent", message: "\(facts.sync) waits for the daily budget, which is used up")
        }
        guard let daily = budget.daily, daily > 0 else { return budget.left > 0 ? .some(nil) : nil }
        guard Double(budget.left) * 10_000 < Double(budgetBasisPoints) * Double(daily) else { return .some(nil) }
        return AlertFinding(
            cause: "low", message: "\(budget.left) of \(daily) tokens are left today where \(facts.sync) writes")
    }

    /// A queue is told of anew each time that it has doubled.
    private func queue(_ facts: SyncFacts) -> AlertFinding?? {
        guard let queue = facts.queue else { return nil }
        guard queue >= rejectQueue else { return .some(nil) }
        var step = max(1, rejectQueue)
        while step <= queue / 2 { step *= 2 }
        return AlertFinding(
            cause: "queue-\(step)", message: "\(facts.sync) has \(queue) reject\(queue == 1 ? "" : "s") waiting")
    }

    private static func span(_ milliseconds: Int64) -> String {
        let minutes = milliseconds / 60_000
        if minutes < 120 { return "\(minutes) min" }
        if minutes < 2 * 1_440 { return "\(minutes / 60) h" }
        return "\(minutes / 1_440) days"
    }
}
