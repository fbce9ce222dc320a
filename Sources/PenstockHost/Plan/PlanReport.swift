// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

/// What a run would do, without doing it.
package struct PlanReport: Sendable {
    /// What would become of the rows, as if every request succeeded.
    ///
    /// Rows that an interrupted attempt has settled are beside these, in ``RunCounts/recovered``.
    package var counts = RunCounts()
    /// What became of the rows that an interrupted attempt has settled; the run counts them, too.
    package var settled = RunCounts()
    /// Rows of which it cannot be known without asking whether there is anything to send; only offline.
    package var undecided: Int64 = 0
    /// Creates and updates that refer to records which linked syncs create first, in the same command.
    package var linked: Int64 = 0
    /// Creates and updates that refer to records which linked syncs change first without a look at them: where one is
    /// gone, more is rejected than is said here.
    package var linkedUnseen: Int64 = 0
    /// Updates of which it is known what they would change.
    package var comparedUpdates: Int64 = 0
    /// Unchanged rows that were found so by looking at the record.
    package var unchangedByLooking: Int64 = 0
    /// Rows of the ledger that a whole read of the source did not meet; nil where that is not looked for.
    package var removed: Int64?
    /// The first fields that guards would hold back; ``RunCounts/conflicts`` counts them all.
    package var conflicts: [HeldField] = []
    /// Rejects by code, most frequent first.
    package var rejectsByCode: [(code: String, count: Int64)] = []
    /// What opening the sync has sent: fields, users and options were read.
    package var opening = ConnectionHost.Meter()
    /// What planning itself has sent: the run reads the same again.
    package var meter = ConnectionHost.Meter()
    /// What requests cost.
    package var costs: RequestCosts
    /// What the creates cost.
    package var createCost: Int64 = 0
    /// What the updates cost.
    package var updateCost: Int64 = 0
    /// What it costs to ask about rows whose answer was lost, where nothing else has changed since.
    package var askCost: Int64 = 0
    /// Requests that the run would send.
    package var requests: Int64 { meter.requestsTotal + counts.created + counts.updated + (askCost > 0 ? 1 : 0) }
    /// What the run would cost in all.
    package var cost: Int64 { meter.spent + createCost + updateCost + askCost }
    /// The watermark the run would start from, or nil.
    package var watermark: String?
    /// Whether the run would finish an interrupted one.
    package var isResumed = false
    /// Whether everything is read, whatever the watermark.
    package var isFullRefresh = false
    /// Whether the destination was not asked anything.
    package var isOffline = false
    /// When the oldest record was read that a plan has used which asks nobody, in milliseconds since 1970; nil for
    /// none.
    package var recordsReadAt: Int64?
    /// Whether a record is looked at before it is changed.
    package var isGuarded = false
    /// Whether rows were left out because only so many were asked for.
    package var isLimited = false
    /// Rows behind the sample, or nil where they were not counted.
    package var unread: Int64?
    /// The limits of the sync that the run would exceed.
    package var excesses: [BlastRadius.Excess] = []
    /// What may still be spent today, or nil where that is not known.
    package var spendable: Int64?
    /// What is left today, the reserve included, or nil.
    package var budgetLeft: Int64?
    /// What may be spent today and on the days after; nil before it is planned.
    package var allowance: BudgetForecast.Allowance?

    /// What is read of records: snapshots, and records that are read back.
    package var recordReads: (requests: Int64, tokens: Int64) {
        (meter.requestsTotal - opening.requestsTotal, meter.spent - opening.spent)
    }

    /// What comparing saves: what the unchanged rows would cost if they were sent, without what looking costs.
    package var saved: Int64 {
        // Offline it is not known what the run has to spend on looking.
        if isOffline { return (counts.unchanged - unchangedByLooking) * costs.update }
        let looking = unchangedByLooking > 0 ? recordReads.tokens : 0
        return max(0, counts.unchanged * costs.update - looking)
    }

    /// What the run is to do and to cost.
    package var numbers: PlanNumbers {
        var numbers = PlanNumbers()
        numbers.counts = Dictionary(uniqueKeysWithValues: counts.named.map { ($0.name, $0.value) })
        for (name, value) in settled.named { numbers.counts[name, default: 0] += value }
        numbers.requests = requests
        numbers.tokens = cost
        return numbers
    }

    init(_ costs: RequestCosts) { self.costs = costs }
}
