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

    /// What a plan says of a run that its limits would stop.
    package init(planned first: BlastRadius.Excess, _ all: [BlastRadius.Excess]) {
        self.init(
            .limit(first.name), "\(first.said); the run would stop before anything is sent",
            notes: all.dropFirst().map(\.said))
        limits = all.map(\.name)
        isPlanned = true
    }

    /// The same of a run that had begun before: then something may have been sent.
    func behind(_ run: String, of sync: String) -> RunRefusal {
        var refusal = self
        refusal.sentence = sentence.replacing("nothing was sent", with: "nothing more was sent")
        let how = kind == .stalePlan ? "finishes it without the plan" : "finishes it"
        refusal.notes.append("run \(run) was interrupted and is not finished; penstock run \(sync) \(how)")
        return refusal
    }

    /// The code of the error.
    package var code: String {
        switch kind {
        case .stalePlan: "stale-plan"
        case .limit(let name): name.code
        }
    }
}
