// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Why a run was not begun although it could have been: what it would do is not what a person wants.
package struct RunRefusal: Sendable, Hashable {
    /// What kind of refusal it is.
    package enum Kind: Sendable, Hashable {
        /// The plan that was to be applied is no longer true.
        case stalePlan
        /// The run would do more than the sync's limits allow.
        case limit(BlastLimits.Name)
    }

    /// What kind of refusal it is.
    package var kind: Kind
    /// One sentence without a full stop.
    package var sentence: String
    /// What else is to be said, a clause a line.
    package var notes: [String]

    /// The limits that would be exceeded.
    package var limits: [BlastLimits.Name] = []

    /// Whether it is a plan that says so of its run.
    package var isPlanned = false

    /// Why a run was not begun.
    package init(_ kind: Kind, _ sentence: String, notes: [String] = []) {
        self.kind = kind
        self.sentence = sentence
        self.notes = notes
    }

    /// That limits would be exceeded; nil where there is none of them.
    ///
    /// - Parameters:
    ///   - isPlanned: Whether it is a plan that says so of its run.
    ///   - isResumed: Whether the run had begun before.
    package init?(_ excesses: [BlastRadius.Excess], isPlanned: Bool = false, isResumed: Bool = false) {
        guard let first = excesses.first else { return nil }
        func clause(_ excess: BlastRadius.Excess) -> String {
            "\(excess.clause); limits.\(excess.name.rawValue) is \(excess.bound.text)"
        }
        let end = isPlanned ? "the run would stop before anything is sent" : Self.nothing(isResumed)
        self.init(.limit(first.name), "\(clause(first)); \(end)", notes: excesses.dropFirst().map(clause))
        limits = excesses.map(\.name)
        self.isPlanned = isPlanned
    }

    /// What was not sent.
    static func nothing(_ isResumed: Bool) -> String { isResumed ? "nothing more was sent" : "nothing was sent" }

    /// The code of the error.
    package var code: String {
        switch kind {
        case .stalePlan: "stale-plan"
        case .limit(let name): name.code
        }
    }
}
