// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// What a run must be before anything is sent: what was planned, and within the sync's limits.
package struct PreflightTerms: Sendable {
    /// The plan that is applied, or nil.
    package var plan: SealedPlan?
    /// What there is now of what the plan was made from, but for the state.
    package var pins: [PlanPin] = []
    /// The limits of the sync.
    package var limits = BlastLimits()
    /// The limits that may be exceeded this once.
    package var passes: Set<BlastLimits.Name> = []
    /// What a plan does not show.
    package var mask = PlanMask()

    /// Nothing but the usual limits.
    package init() {}

    /// The limits that are to be held.
    var heldLimits: BlastLimits {
        var limits = limits
        limits.off.formUnion(passes)
        return limits
    }

    /// Whether all rows must be decided before the first one is sent.
    func needsAll(_ mode: FetchDefinition.Mode) -> Bool {
        plan != nil || BlastLimits.Name.allCases.contains { $0 != .shrink && limits.bound($0, mode) != nil }
    }
}

/// Looks at what a run would do before it begins.
///
/// The rows are read and decided once, wait in a file, and are sent from there: what was looked at is what is sent
/// (ADR 0029). Only as many rows are held as the terms need: with no limit but that on a source
/// that shrinks, half of the rows of the run before; and where fields are guarded, these are only read.
final class Preflight {
    private let sync: OpenSync
    private let store: StateStore
    private let terms: PreflightTerms
    private let report: (RunCounts) -> Void

    /// - Parameter report: Is told how far it is.
    init(
        _ sync: OpenSync, _ store: StateStore, _ terms: PreflightTerms, report: @escaping (RunCounts) -> Void = { _ in }
    ) {
        self.report = report
        self.sync = sync
        self.store = store
        self.terms = terms
    }

    private var mode: FetchDefinition.Mode { sync.definition.fetch.mode }

    /// Refuses a plan that was made from something else than there is now.
    ///
    /// - Throws: ``RunStop``; nothing was read.
    func checkPins() throws(RunStop) {
        guard let plan = terms.plan else { return }
        let differences: [String]
        do {
            differences = try pinDifferences(plan)
            if !differences.isEmpty, let run = try SyncRunner.finished(plan, store) {
                throw RunStop.refused(
                    RunRefusal(
                        .stalePlan, "the plan \(plan.path) was applied by run \(run.id); nothing was sent now",
                        notes: ["see what it did: penstock history show \(run.id)"]))
            }
        } catch let stop as RunStop {
            throw stop
        } catch let error as StateError {
            throw .state(error)
        } catch {
            throw .state(.internal("The state could not be looked through: \(error)"))
        }
        if !differences.isEmpty { throw .refused(Self.stale(plan, differences)) }
    }

    private func pinDifferences(_ plan: SealedPlan) throws(StateError) -> [String] {
        // What finishes a run of this plan meets the state that the run has left.
        if try isOwnRun(plan) { return PlanPin.differences(plan.header.pins.filter { $0.kind != .state }, terms.pins) }
        return PlanPin.differences(plan.header.pins, terms.pins + (try PlanPin.state(store)))
    }

    /// - Parameter waits: Whether rows refer to records that another sync creates first, which has not run yet.
    private static func stale(_ plan: SealedPlan, _ differences: [String], waits: Bool = false) -> RunRefusal {
        let first =
            waits ? ["what it refers to goes first: penstock run \(plan.header.linked.joined(separator: " "))"] : []
        // Planned alone, rows would be rejects that refer to what other syncs create first.
        let names = (plan.header.linked + [plan.header.sync]).joined(separator: " ")
        let place = plan.header.linked.isEmpty ? "FILE" : "latest"
        return RunRefusal(
            .stalePlan, "the plan \(plan.path) is no longer true; nothing was sent",
            notes: differences + first + ["plan again, and look at it: penstock plan \(names) -O \(place)"])
    }

    /// Decides rows until it is known that they may be sent.
    ///
    /// - Parameters:
    ///   - isWhole: Whether the run reads all rows; else nothing is said of a source that shrinks.
    ///   - holdsAll: Whether all rows are decided, whatever the terms need.
    ///   - records: Takes note of what the run would do, for those that link to it; or nil.
    /// - Returns: What holds the rows, the numbers of the rows that were looked at, and for a guarded plan what it has
    ///   seen of the records.
    /// - Throws: ``RunStop``; nothing was sent, and the pipeline is closed.
    func hold(
        _ pipeline: RowPipeline, folder: String, isWhole: Bool, holdsAll: Bool = false,
        noting records: PlannedRecords? = nil
    ) throws(RunStop) -> (rows: HeldRows, radius: BlastRadius, looks: PlannedLooks?) {
        let rows = HeldRows(pipeline, folder: folder, cursorIndex: sync.cursorIndex)
        var isGood = false
        defer { if !isGood { rows.close() } }
        var radius = BlastRadius(sync.mapping)
        if isWhole { radius.rowsBefore = try rowsBefore() }
        let match = terms.plan.map { PlanMatch($0, sync, terms.mask, folder: folder) }
        let enough = terms.needsAll(mode) || holdsAll ? nil : radius.rowsForShrink(terms.limits, mode) ?? 0
        if let enough, sync.guardsFields, mode == .full {
            // A guard goes by what a record holds right before its row goes: the rows are only counted here.
            radius.counts.fetched = try pipeline.readAhead(enough)
            if radius.counts.fetched >= enough { radius.rowsBefore = nil }
            try check(radius)
            isGood = true
            return (rows, radius, nil)
        }
        var problem: PlanFileProblem?
        while enough.map({ radius.counts.fetched < $0 }) ?? true, !sync.destinationHost.isCancelled, problem == nil {
            let isMore = try rows.hold { chunk throws(RunStop) in
                radius.add(chunk)
                do throws(PlanFileProblem) { try match?.take(chunk) } catch { problem = error }
                try records?.note(chunk.rows, sync.guarantee, match?.looks)
            }
            if !isMore { break }
            report(radius.counts)
        }
        if sync.destinationHost.isCancelled { throw stopped }
        if let plan = terms.plan, let match { try check(plan, match, problem) }
        let updates = radius.counts.updated
        if let match { radius.correct(by: match.seen) }
        // A source that is read only in part may be as large as ever.
        if !rows.hasReadAll { radius.rowsBefore = nil }
        radius.tokens = tokens(radius.counts)
        if match?.looks != nil { radius.tokens? += GuardedRows.costs(sync).readByID(updates) ?? 0 }
        try check(radius)
        isGood = true
        return (rows, radius, match?.looks)
    }

    /// Refuses a run that would exceed a limit, unless that was allowed.
    private func check(_ radius: BlastRadius) throws(RunStop) {
        if sync.destinationHost.isCancelled { throw stopped }
        let excesses = radius.excesses(terms.heldLimits, mode)
        if let first = excesses.first { throw .refused(refusal(first, excesses)) }
    }

    /// Whether the source must have a certain number of rows.
    ///
    /// - Throws: ``StateError``.
    func watchesShrink() throws(StateError) -> Bool {
        guard terms.limits.bound(.shrink, mode) != nil else { return false }
        return try Self.rowsOfLastWholeRun(store) ?? 0 > 0
    }

    private var stopped: RunStop {
        .connector(
            ConnectorError(.cancelled, "The run was stopped."), connection: sync.definition.source.connection,
            doing: "looking at what it would do")
    }

    private func check(
        _ plan: SealedPlan, _ match: PlanMatch, _ problem: PlanFileProblem?
    ) throws(RunStop) {
        var differences = problem.map { [$0.message] } ?? []
        if problem == nil {
            do {
                differences = try match.finish()
            } catch {
                differences = [error.message]
            }
        }
        if !differences.isEmpty { throw .refused(Self.stale(plan, differences, waits: match.waitsForOthers)) }
    }

    /// Looks up again what the rows refer to that were held before linked syncs have run.
    ///
    /// - Throws: ``RunStop`` `refused` where a record is not there that was to be created; nothing was sent.
    func relink(_ rows: HeldRows) throws(RunStop) {
        var differences = PlanDifferences(terms.mask)
        try rows.relink { row, reject in
            differences.noteLink(row: row.number, keyText: row.keyText, reject.message)
        }
        guard let plan = terms.plan, differences.has(.linked) else { return }
        throw .refused(Self.stale(plan, differences.clauses))
    }

    private func tokens(_ counts: RunCounts) -> Int64 {
        let costs = sync.object.costs
        return sync.destinationHost.meter.spent + counts.created * costs.create + counts.updated * costs.update
    }

    private func refusal(_ first: BlastRadius.Excess, _ all: [BlastRadius.Excess]) -> RunRefusal {
        var refusal = RunRefusal(
            .limit(first.name), "\(first.said); nothing was sent", notes: all.dropFirst().map(\.said))
        refusal.limits = all.map(\.name)
        return refusal
    }

    // MARK: - What is remembered

    /// The setting that says which plan a run applies: the run's id and the plan's digest.
    static let planSetting = "run-plan"
    /// The setting that says which limits a run may exceed: the run's id and their names.
    static let passSetting = "run-passes"

    /// Whether the run that is to be finished is one that applies this plan.
    private func isOwnRun(_ plan: SealedPlan) throws(StateError) -> Bool {
        guard let run = try store.unfinishedRun() else { return false }
        return try Self.applies(run, plan, store)
    }

    /// Whether a run is one that applies this plan.
    static func applies(_ run: RunRecord, _ plan: SealedPlan, _ store: StateStore) throws(StateError) -> Bool {
        try store.meta(planSetting) == "\(run.id) \(plan.digest)"
    }

    /// How many rows the last finished run has fetched that read all of them, or nil.
    private func rowsBefore() throws(RunStop) -> Int64? {
        do {
            return try Self.rowsOfLastWholeRun(store)
        } catch {
            throw .state(error)
        }
    }

    /// How many rows the last finished run has fetched that was not limited to some, or nil.
    static func rowsOfLastWholeRun(_ store: StateStore?) throws(StateError) -> Int64? {
        let limited = try store?.meta(RunLimit.setting)?.split(separator: " ").first
        return try store?.runs(limit: 50).first { run in
            run.status == .finished && SyncRunner.wholeKinds.contains(run.kind) && limited != run.id[...]
        }?.counts["fetched"]
    }

    /// The limits that a run may exceed, as it was said when it began.
    static func passes(of run: RunRecord, _ store: StateStore) throws(StateError) -> Set<BlastLimits.Name> {
        let words = try store.meta(passSetting)?.split(separator: " ") ?? []
        guard words.first == run.id[...] else { return [] }
        return Set(words.dropFirst().compactMap { BlastLimits.Name(rawValue: String($0)) })
    }
}
