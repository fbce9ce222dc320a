// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// What a run would do, without doing it.
package struct PlanReport: Sendable {
    /// One row that would be created, updated or rejected, for display.
    package struct Example: Sendable {
        /// The row's position, from 1.
        package var number: Int64
        /// The source key for people.
        package var keyText: String
        /// The record's id, or nil for a new one.
        package var remoteID: String?
        /// What would change, where that is known.
        package var changes: [FieldChange]?
        /// The values that would be sent, by target, where nothing was compared.
        package var values: [(target: Int, text: String)]
        /// Why the row would be rejected, or nil.
        package var reason: RejectReason?
    }

    /// What would become of the rows, as if every request succeeded.
    ///
    /// Rows that an interrupted attempt has settled are beside these, in ``RunCounts/recovered``.
    package var counts = RunCounts()
    /// Updates of which it is known what they would change.
    package var comparedUpdates: Int64 = 0
    /// The first creates, updates and rejects, in order.
    package var creates: [Example] = []
    /// The first updates.
    package var updates: [Example] = []
    /// The first rejects.
    package var rejects: [Example] = []
    /// The first fields that guards would hold back; ``RunCounts/conflicts`` counts them all.
    package var conflicts: [HeldField] = []
    /// Rejects by code, most frequent first.
    package var rejectsByCode: [(code: String, count: Int64)] = []
    /// What planning itself has sent: the run reads the same again.
    package var meter = ConnectionHost.Meter()
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
    /// What may still be spent today, or nil where that is not known.
    package var spendable: Int64?
    /// What is left today, the reserve included, or nil.
    package var budgetLeft: Int64?
    /// What may be spent today and on the days after; nil before it is planned.
    package var allowance: BudgetForecast.Allowance?
}

/// Plans one run of one sync.
///
/// Reads at both ends; writes nothing anywhere.
package final class SyncPlanner {
    private let sync: OpenSync
    private let store: StateStore?
    private let options: RunOptions
    private let examplesMax: Int
    private let comparison: RecordComparison

    /// A planner over a sync that is open.
    ///
    /// - Parameters:
    ///   - store: The state, open for reading, or nil where the sync never ran.
    ///   - examplesMax: How many creates, updates and rejects are kept for display, each.
    package init(_ sync: OpenSync, store: StateStore?, options: RunOptions, examplesMax: Int) {
        self.sync = sync
        self.store = store
        self.options = options
        self.examplesMax = examplesMax
        comparison = RecordComparison(sync.mapping, records: sync.mapping.fieldSchema)
    }

    /// Plans.
    ///
    /// - Throws: ``RunStop``.
    package func plan() throws(RunStop) -> PlanReport {
        var report = PlanReport()
        report.isFullRefresh = options.isFullRefresh
        try noteWatermark(&report)
        let start = try FetchStart.of(
            sync, store, isFullRefresh: options.isFullRefresh, stateFolder: options.stateFolder)
        let (runNumber, limit) = try run(&report)
        let images = try images()
        defer { images?.close() }
        let pipeline = try RowPipeline(
            sync, ledger: store, runNumber: runNumber, fetchStart: start,
            scratchFolder: ScratchFolder.temporary, limit: limit,
            isFullRefresh: options.isFullRefresh, stateFolder: options.stateFolder, images: images)
        defer { pipeline.close() }
        var codes: [String: Int64] = [:]
        var unknown: Set<Fingerprint> = []
        while !sync.destinationHost.isCancelled, let chunk = try pipeline.next() {
            report.counts.add(chunk.quiet)
            for row in chunk.rows {
                count(row, chunk, &report, &codes)
                if case .maybeCreated = row.fate { unknown.insert(row.key) }
            }
        }
        if pipeline.isExhausted { try countVanished(runNumber, unknown, &report) }
        if sync.destinationHost.isCancelled {
            throw .connector(
                ConnectorError(.cancelled, "The plan was stopped."), connection: sync.definition.source.connection,
                doing: "planning")
        }
        report.rejectsByCode = codes.map { ($0.key, $0.value) }.sorted { ($1.count, $0.code) < ($0.count, $1.code) }
        report.meter = sync.destinationHost.meter
        report.createCost = report.counts.created * sync.object.costs.create
        report.updateCost = report.counts.updated * sync.object.costs.update
        if report.counts.unknown > 0, sync.guarantee != .atMostOnce { report.askCost = sync.object.costs.readPage }
        // What an interrupted attempt has settled costs nothing again.
        report.spendable = sync.destinationHost.spendable
        report.budgetLeft = sync.destinationHost.remaining
        report.allowance = sync.destinationHost.allowance
        return report
    }

    /// What runs of the sync wrote last; nil where nothing is kept.
    private func images() throws(RunStop) -> BeforeImages? {
        guard !sync.mapping.rememberedTargets.isEmpty else { return nil }
        do {
            return try BeforeImages.openForReading(folder: options.stateFolder, sync: sync.definition.name)
        } catch {
            throw .state(error)
        }
    }

    /// Takes note of the fields of a row that guards would hold back.
    private func noteHeld(_ row: DecidedRow, _ report: inout PlanReport) {
        switch row.fate {
        case .update, .unchanged: break
        default: return
        }
        report.counts.conflicts += Int64(row.conflicts.count)
        for conflict in row.conflicts where report.conflicts.count < examplesMax {
            report.conflicts.append(HeldField(conflict, row, sync))
        }
    }

    /// Counts the lost creates of an interrupted run whose rows are gone from the source.
    private func countVanished(_ run: Int64, _ met: Set<Fingerprint>, _ report: inout PlanReport) throws(RunStop) {
        do {
            for entry in try store?.openEntries(of: run) ?? []
            where [.intent, .unknown].contains(entry.outcome) && !met.contains(entry.key) {
                report.counts.fetched += 1
                report.counts.unknown += 1
            }
        } catch {
            throw .state(error)
        }
    }

    private func noteWatermark(_ report: inout PlanReport) throws(RunStop) {
        guard sync.cursorIndex != nil else { return }
        do {
            report.watermark = try store?.watermark()?.text
        } catch {
            throw .state(error)
        }
    }

    /// The number of the run that would execute this, and its limit.
    private func run(_ report: inout PlanReport) throws(RunStop) -> (number: Int64, limit: RunLimit) {
        do {
            if let store, let unfinished = try store.unfinishedRun(), !options.abandonsUnfinished {
                report.isResumed = true
                return (unfinished.number, try RunLimit(resuming: unfinished, options.rowsMax, store))
            }
            return ((try store?.lastRun()?.number ?? 0) + 1, RunLimit(options.rowsMax))
        } catch {
            throw .state(error)
        }
    }

    private func count(
        _ row: DecidedRow, _ chunk: DecidedChunk, _ report: inout PlanReport, _ codes: inout [String: Int64]
    ) {
        if case .reread = row.fate {
            report.counts.reread += 1
            return
        }
        switch row.fate {
        case .recovered:
            report.counts.recovered += 1
            return
        default: break
        }
        report.counts.fetched += 1
        if sync.cursorIndex != nil, KeyOrder.isMissing(row.cursor) { report.counts.nullKeys += 1 }
        if !row.conflicts.isEmpty { noteHeld(row, &report) }
        switch row.fate {
        case .reread, .recovered: break
        case .rejected(let reason):
            report.counts.rejected += 1
            codes[reason.code, default: 0] += 1
            if report.rejects.count < examplesMax { report.rejects.append(example(row, chunk, reason: reason)) }
        case .skipped, .dropped: report.counts.skipped += 1
        case .unchanged: report.counts.unchanged += 1
        case .maybeCreated: report.counts.unknown += 1
        case .create:
            report.counts.created += 1
            if report.creates.count < examplesMax { report.creates.append(example(row, chunk)) }
        case .update(let id, let changes):
            report.counts.updated += 1
            if changes != nil { report.comparedUpdates += 1 }
            if report.updates.count < examplesMax { report.updates.append(example(row, chunk, id: id, changes)) }
        }
    }

    private func example(
        _ row: DecidedRow, _ chunk: DecidedChunk, id: String? = nil, _ changes: [FieldChange]? = nil,
        reason: RejectReason? = nil
    ) -> PlanReport.Example {
        var values: [(target: Int, text: String)] = []
        if changes == nil, reason == nil {
            for target in sync.mapping.targets.indices where chunk.mapped.presence[row.row, target] {
                values.append((target, comparison.display(chunk.mapped.columns[target], row.row, target)))
            }
        }
        return PlanReport.Example(
            number: row.number, keyText: row.keyText, remoteID: id, changes: changes, values: values, reason: reason)
    }
}

extension RunCounts {
    /// Counts rows that need nothing.
    mutating func add(_ quiet: QuietRows) {
        fetched += quiet.unchanged
        unchanged += quiet.unchanged
        reread += quiet.reread
    }
}
