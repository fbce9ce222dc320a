// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// What a plan is asked to do besides what its sync says.
package struct PlanOptions: Sendable {
    /// The most rows to look at, as a sample of all of them; or nil.
    package var sampleRows: Int64?
    /// Whether a record is looked at before it is changed, so that the run can see whether it has changed since.
    package var isGuarded = false
    /// What is not shown.
    package var mask = PlanMask()
    /// The limits of the sync.
    package var limits = BlastLimits()
    /// A text that goes into the digests of what records hold.
    package var salt = ""
    /// How many of the fields that guards hold back are named.
    package var heldMax = 3
    /// How many rows of each sort are told of, or nil for all of them.
    package var examplesMax: Int?

    /// A plan of all rows.
    package init() {}
}

/// Plans one run of one sync.
///
/// Reads at both ends; writes nothing anywhere.
package final class SyncPlanner {
    private let sync: OpenSync
    private let store: StateStore?
    private let options: RunOptions
    private let planOptions: PlanOptions
    private let scribe: PlanScribe
    private let observe: (PlanEntry) throws -> Void
    private let parents: [String: PlannedRecords]
    private let records: PlannedRecords?
    private let unseen: UnseenLinks?
    private var told: [PlanEntry.Action: Int] = [:]

    /// A planner over a sync that is open.
    ///
    /// - Parameters:
    ///   - store: The state, open for reading, or nil where the sync never ran.
    ///   - parents: What linked syncs would do first that run with this one, by their names.
    ///   - records: Takes note of what this sync would do, for those that link to it; or nil.
    ///   - observe: Is told of the rows that the run would touch, in the order of the source; of all of them, or of as
    ///     many of each sort as the options say.
    package init(
        _ sync: OpenSync, store: StateStore?, options: RunOptions, plan: PlanOptions = PlanOptions(),
        parents: [String: PlannedRecords] = [:], records: PlannedRecords? = nil,
        observe: @escaping (PlanEntry) throws -> Void
    ) {
        self.sync = sync
        self.store = store
        self.options = options
        planOptions = plan
        self.observe = observe
        self.parents = parents.filter { sync.mapping.links.contains($0.key) }
        self.records = records
        unseen = UnseenLinks(sync, self.parents)
        scribe = PlanScribe(sync, plan.mask, salt: plan.isGuarded ? plan.salt : nil)
    }

    /// Plans.
    ///
    /// - Throws: ``RunStop``, and what the observer throws.
    package func plan() throws -> PlanReport {
        var report = PlanReport(sync.object.costs)
        report.isFullRefresh = options.isFullRefresh
        report.isOffline = sync.destinationHost.isOffline
        report.isGuarded = planOptions.isGuarded
        report.opening = sync.destinationHost.meter
        try noteWatermark(&report)
        let start = try FetchStart.of(
            sync, store, isFullRefresh: options.isFullRefresh, stateFolder: options.stateFolder, planned: parents)
        let (runNumber, abandoned, limit) = try run(&report)
        let images = try images()
        defer { images?.close() }
        let pipeline = try RowPipeline(
            sync, ledger: store, runNumber: runNumber, abandoned: abandoned, fetchStart: start,
            scratchFolder: ScratchFolder.temporary, limit: limit,
            isFullRefresh: options.isFullRefresh, stateFolder: options.stateFolder, images: images,
            isGuarded: planOptions.isGuarded, planned: parents)
        defer { pipeline.close() }
        let rows: any DecidedRows = planOptions.isGuarded ? GuardedRows(pipeline, pipeline, nil) : pipeline
        let before = try connectRecords(pipeline)
        var radius = BlastRadius(sync.mapping)
        let unknown = try read(rows, pipeline, &report, &radius)
        if pipeline.isExhausted { try countVanished(runNumber, unknown, &report) }
        try noteRemoved(pipeline, &report)
        report.isLimited = !pipeline.isExhausted
        if planOptions.sampleRows != nil, report.isLimited { records?.noteSample() }
        if planOptions.sampleRows != nil, !pipeline.isExhausted {
            report.unread = pipeline.countRest(within: Self.countPause, room: nil)
        }
        report.recordsReadAt = pipeline.remote.kept?.readAt
        if let keeper = pipeline.remote.keeper { keeper.finish(try standing() == before ? before : nil) }
        reckon(&report)
        try check(&radius, &report, isWhole: pipeline.isExhausted && limit.room == nil)
        return report
    }

    /// Lets what is read of records be kept, or what was kept be looked at where nobody is asked.
    ///
    /// - Returns: Where the runs of the sync stand; nil while one is at work: nothing is kept then.
    private func connectRecords(_ pipeline: RowPipeline) throws(RunStop) -> String? {
        guard let place = options.records, let run = try standing() else { return nil }
        if sync.destinationHost.isOffline {
            pipeline.remote.kept = KeptRecords(place, run: run)
        } else {
            pipeline.remote.keeper = RecordKeeper(place, after: run)
        }
        return run
    }

    private func standing() throws(RunStop) -> String? {
        do {
            return try RecordsCache.run(store)
        } catch {
            throw .state(error)
        }
    }

    /// How long the rows behind a sample are counted, in milliseconds.
    private static let countPause: Int64 = 5_000

    private func read(
        _ rows: any DecidedRows, _ pipeline: RowPipeline, _ report: inout PlanReport, _ radius: inout BlastRadius
    ) throws -> Set<Fingerprint> {
        var codes: [String: Int64] = [:]
        var unknown: Set<Fingerprint> = []
        while !sync.destinationHost.isCancelled {
            // Syncs that are linked count on rows one by one.
            let isCounted = records == nil && parents.isEmpty && !planOptions.isGuarded
            pipeline.countsCreates = isCounted && !wants(.create)
            guard let chunk = try rows.next() else { break }
            radius.add(chunk)
            report.counts.add(chunk.quiet)
            for row in chunk.rows {
                count(row, &report, &codes)
                try note(row, chunk, &report)
                if case .maybeCreated = row.fate { unknown.insert(row.key) }
                if tells(of: PlanScribe.action(row)), let entry = scribe.entry(row, chunk) { try observe(entry) }
            }
        }
        if sync.destinationHost.isCancelled {
            throw RunStop.connector(
                ConnectorError(.cancelled, "The plan was stopped."), connection: sync.definition.source.connection,
                doing: "planning")
        }
        report.rejectsByCode = codes.map { ($0.key, $0.value) }.sorted { ($1.count, $0.code) < ($0.count, $1.code) }
        return unknown
    }

    /// Takes note of what the syncs that link to this one would find, and of the rows that count on others.
    private func note(_ row: DecidedRow, _ chunk: DecidedChunk, _ report: inout PlanReport) throws(RunStop) {
        do {
            try records?.note(row, sync.guarantee)
        } catch {
            throw .spool(error)
        }
        guard !parents.isEmpty, [.create, .update].contains(PlanScribe.action(row)) else { return }
        if !sync.mapping.plannedLinks(chunk.mapped, row.row).isEmpty { report.linked += 1 }
        if try unseen?.isOne(row, chunk) ?? false { report.linkedUnseen += 1 }
    }

    /// Whether a row is told of: to describe one costs more than to decide about it.
    private func tells(of action: PlanEntry.Action?) -> Bool {
        guard let action, wants(action) else { return false }
        told[action, default: 0] += 1
        return true
    }

    /// Whether more rows of a sort are to be told of.
    private func wants(_ action: PlanEntry.Action) -> Bool {
        planOptions.examplesMax.map { told[action, default: 0] < $0 } ?? true
    }

    /// Tells of the rows that the source no longer has.
    private func noteRemoved(_ pipeline: RowPipeline, _ report: inout PlanReport) throws {
        guard let removed = try pipeline.removedRows() else { return }
        report.removed = removed.count
        report.counts.removed = removed.count
        guard removed.count > 0 else { return }
        var failure: (any Error)?
        try pipeline.forEachRemoved { entry in
            do {
                guard tells(of: .removed) else { return false }
                try observe(scribe.removed(entry))
            } catch {
                failure = error
            }
            return failure == nil
        }
        if let failure { throw failure }
    }

    /// What the run costs, and what may be spent.
    private func reckon(_ report: inout PlanReport) {
        report.meter = sync.destinationHost.meter
        report.createCost = report.counts.created * sync.object.costs.create
        report.updateCost = report.counts.updated * sync.object.costs.update
        if report.counts.unknown > 0, sync.guarantee != .atMostOnce { report.askCost = sync.object.costs.readPage }
        // What an interrupted attempt has settled costs nothing again.
        report.spendable = sync.destinationHost.spendable
        report.budgetLeft = sync.destinationHost.remaining
        report.allowance = sync.destinationHost.allowance
    }

    private func check(_ radius: inout BlastRadius, _ report: inout PlanReport, isWhole: Bool) throws(RunStop) {
        radius.tokens = report.cost
        var passes: Set<BlastLimits.Name> = []
        do {
            if isWhole { radius.rowsBefore = try Preflight.rowsOfLastWholeRun(store) }
            // What a person has let the run pass when it began, it passes when it goes on.
            if report.isResumed, let store, let run = try store.unfinishedRun() {
                passes = try Preflight.passes(of: run, store)
            }
        } catch {
            throw .state(error)
        }
        report.excesses = radius.excesses(planOptions.limits, sync.definition.fetch.mode)
            .filter { !passes.contains($0.name) }
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
        for conflict in row.conflicts where report.conflicts.count < planOptions.heldMax {
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

    /// The number of the run that would execute this, that of the run which it gives up, and its limit.
    private func run(
        _ report: inout PlanReport
    ) throws(RunStop) -> (number: Int64, abandoned: Int64?, limit: RunLimit) {
        let asked = [options.rowsMax, planOptions.sampleRows].compactMap { $0 }.min()
        do {
            let unfinished = try store?.unfinishedRun()
            if let store, let unfinished, !options.abandonsUnfinished {
                report.isResumed = true
                return (unfinished.number, nil, try RunLimit(resuming: unfinished, asked, store))
            }
            return ((try store?.lastRun()?.number ?? 0) + 1, unfinished?.number, RunLimit(asked))
        } catch {
            throw .state(error)
        }
    }

    private func count(_ row: DecidedRow, _ report: inout PlanReport, _ codes: inout [String: Int64]) {
        switch row.fate {
        case .reread:
            report.counts.reread += 1
            return
        case .recovered(let outcome):
            report.counts.recovered += 1
            report.settled.fetched += 1
            report.settled.add(outcome)
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
        case .skipped, .dropped: report.counts.skipped += 1
        case .unchanged(_, let isKnown):
            report.counts.unchanged += 1
            if !isKnown { report.unchangedByLooking += 1 }
        case .maybeCreated: report.counts.unknown += 1
        case .undecided: report.undecided += 1
        case .create: report.counts.created += 1
        case .update(_, let changes):
            report.counts.updated += 1
            if changes != nil { report.comparedUpdates += 1 }
        }
    }
}

extension RunCounts {
    /// Counts rows that are not looked at one by one.
    mutating func add(_ quiet: QuietRows) {
        fetched += quiet.unchanged + quiet.created
        created += quiet.created
        unchanged += quiet.unchanged
        reread += quiet.reread
    }
}
