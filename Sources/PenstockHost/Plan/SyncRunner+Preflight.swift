// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

extension SyncRunner {
    /// What was looked at before a run begins.
    struct Looked {
        /// What holds the rows.
        var rows: any DecidedRows
        /// Limits that the run exceeds because a person has said so.
        var passed: [BlastRadius.Excess]
        /// The rows in the file that they are held in.
        var held: HeldRows
    }

    /// What a run goes by, from before it begins.
    struct Prepared {
        /// What is executed.
        var kind: String
        /// Where the fetch starts.
        var start: FetchStart
        /// What runs of the sync have overwritten; nil where nothing is kept.
        var images: BeforeImages?
        /// What was looked at; nil where nothing was to be.
        var looked: Looked?
        /// Whether its rows may refer to what the runs of other syncs are yet to create.
        var isBehindOthers = false

        /// Lets go of everything.
        func close() {
            looked?.rows.close()
            images?.close()
        }
    }

    /// The last run of a sync, where it has applied a plan to its end; nil otherwise.
    ///
    /// - Throws: ``StateError``.
    package static func finished(_ plan: SealedPlan, _ store: StateStore) throws(StateError) -> RunRecord? {
        guard let run = try store.lastRun(), run.status == .finished, try Preflight.applies(run, plan, store) else {
            return nil
        }
        return run
    }

    /// Refuses a plan that was made from something else than there is now, without a look at the rows.
    ///
    /// - Throws: ``RunStop``.
    package func checkPins() throws(RunStop) {
        try refusing { () throws(RunStop) in try preflight(options.preflight).checkPins() }
    }

    /// Looks at what the run would do, as ``run()`` does first, so that other runs can go before it that it was planned
    /// behind.
    ///
    /// - Parameters:
    ///   - parents: What these would do, by the names of their syncs.
    ///   - records: Takes note of what this run would do, for those that link to it; or nil.
    /// - Throws: ``RunStop``; the run has not begun then.
    package func prepare(parents: [String: PlannedRecords], records: PlannedRecords?) throws(RunStop) {
        // Until its turn comes it sends nothing, and the others have its slots.
        defer { sync.destinationHost.leave() }
        prepared = try preparation(parents.filter { sync.mapping.links.contains($0.key) }, records)
    }

    /// Looks at what stands in the way of the run, as ``run()`` does first, unless that was done; the records of those
    /// that it was planned behind are there now.
    ///
    /// - Throws: ``RunStop``; the run has not begun then, and nothing was sent.
    package func look() throws(RunStop) {
        guard lookedAt == nil else { return }
        let now = WallClock.milliseconds
        if let prepared { try relink(prepared) } else { prepared = try preparation() }
        lookedAt = now
    }

    /// Lets go of what was looked at, where it has not been run.
    package func close() {
        prepared?.close()
        prepared = nil
    }

    func preparation(
        _ parents: [String: PlannedRecords] = [:], _ records: PlannedRecords? = nil
    ) throws(RunStop) -> Prepared {
        abandoned = try runToAbandon()
        let kind = try kind()
        keeper = try recordKeeper()
        let start = try FetchStart.of(
            sync, store, isFullRefresh: kind != Self.plainKind, stateFolder: options.stateFolder, planned: parents)
        var prepared = Prepared(kind: kind, start: start, images: try RunImages.open(sync, options.stateFolder))
        do throws(RunStop) {
            prepared.looked = try refusing { () throws(RunStop) in try looked(prepared, parents, records) }
            guard !parents.isEmpty, let looked = prepared.looked else { return prepared }
            prepared.isBehindOthers = true
            // What becomes of the others' rows is seen by the next run, whatever was foreseen here.
            prepared.start.linkStamp = try LinkedStates(sync.mapping.links, folder: options.stateFolder).stamp()
            try looked.held.releaseLinks()
            return prepared
        } catch {
            prepared.close()
            throw error
        }
    }

    /// Makes sure that what the rows refer to is there now, where other runs have gone before this one.
    ///
    /// - Throws: ``RunStop``; the run has not begun then.
    func relink(_ prepared: Prepared) throws(RunStop) {
        guard prepared.isBehindOthers, let held = prepared.looked?.held else { return }
        try refusing { () throws(RunStop) in try preflight(options.preflight).relink(held) }
    }

    /// The unfinished run that is given up where that is asked for; one that applies the same plan goes on.
    ///
    /// - Throws: ``RunStop`` `state`.
    func runToAbandon() throws(RunStop) -> RunRecord? {
        guard options.abandonsUnfinished else { return nil }
        do {
            guard let unfinished = try store.unfinishedRun() else { return nil }
            if let plan = options.preflight.plan, try Preflight.applies(unfinished, plan, store) { return nil }
            return unfinished
        } catch {
            throw .state(error)
        }
    }

    /// Does `body`; a refusal of it says that an earlier run was interrupted, where that is so.
    private func refusing<R>(_ body: () throws(RunStop) -> R) throws(RunStop) -> R {
        do throws(RunStop) {
            return try body()
        } catch {
            guard case .refused(let refusal) = error else { throw error }
            let run: RunRecord?
            do { run = try store.unfinishedRun() } catch { throw .state(error) }
            throw .refused(run.map { refusal.behind($0.id, of: sync.definition.name) } ?? refusal)
        }
    }

    private func preflight(_ terms: PreflightTerms) -> Preflight {
        Preflight(sync, store, terms) { [observe, sync] counts in
            observe(
                .progress(
                    RunProgress(
                        counts: counts, openRows: Int(counts.created + counts.updated),
                        meter: sync.destinationHost.meter, waiting: nil)))
        }
    }

    /// Looks at what the run would do, where its terms ask for that.
    ///
    /// Nothing is written: a run that is given up is so once this has found nothing against the new one.
    ///
    /// - Returns: Nil where nothing was to be looked at.
    /// - Throws: ``RunStop``; the run has not begun then.
    private func looked(
        _ prepared: Prepared, _ parents: [String: PlannedRecords], _ records: PlannedRecords?
    ) throws(RunStop) -> Looked? {
        // Whoever replays rejects has chosen the rows.
        guard prepared.kind != Replay.kind else { return nil }
        do {
            var terms = options.preflight
            let resumed = abandoned == nil ? try store.unfinishedRun() : nil
            if let resumed { terms.passes.formUnion(try Preflight.passes(of: resumed, store)) }
            let preflight = preflight(terms)
            try preflight.checkPins()
            let mode = sync.definition.fetch.mode
            var limit = RunLimit(options.rowsMax)
            if let resumed { limit = try RunLimit(resuming: resumed, options.rowsMax, store) }
            let isWhole = limit.room == nil
            let watchesShrink = try isWhole && preflight.watchesShrink()
            guard terms.needsAll(mode) || watchesShrink else { return nil }
            let last = try store.lastRun()?.number ?? 0
            let number = resumed?.number ?? last + 1
            let pipeline = try pipeline(
                number, prepared.kind, prepared.start, limit, nil, prepared.images, planned: parents)
            // The ledger is another one once a run is given up: all rows are decided before that.
            let (held, radius, looks) = try preflight.hold(
                pipeline, folder: options.stateFolder, isWhole: isWhole, holdsAll: abandoned != nil, noting: records)
            let rows: any DecidedRows = looks.map { GuardedRows(held, pipeline, $0) } ?? held
            let passed = radius.excesses(terms.limits, mode).filter { terms.passes.contains($0.name) }
            return Looked(rows: rows, passed: passed, held: held)
        } catch let stop as RunStop {
            throw stop
        } catch let error as StateError {
            throw .state(error)
        } catch {
            throw .state(.internal("What the run would do could not be looked at: \(error)"))
        }
    }

    /// Remembers which plan the run of this id applies, and which limits it may exceed.
    ///
    /// - Parameter passed: The limits of which that was said when an earlier attempt of it began.
    /// - Throws: ``StateError``.
    func notePreflight(_ id: String, passed: Set<BlastLimits.Name> = []) throws(StateError) {
        if let plan = options.preflight.plan { try store.setMeta(Preflight.planSetting, "\(id) \(plan.digest)") }
        guard !options.preflight.passes.isEmpty else { return }
        let names = options.preflight.passes.union(passed).map(\.rawValue).sorted().joined(separator: " ")
        try store.setMeta(Preflight.passSetting, "\(id) \(names)")
    }

    /// The rows of a run, as the source has them.
    func pipeline(
        _ number: Int64, _ kind: String, _ start: FetchStart, _ limit: RunLimit, _ replay: Replay?,
        _ images: BeforeImages?, planned: [String: PlannedRecords] = [:]
    ) throws(RunStop) -> RowPipeline {
        let pipeline = try RowPipeline(
            sync, ledger: store, runNumber: number, abandoned: abandoned?.number, fetchStart: start,
            scratchFolder: options.stateFolder, limit: limit, isFullRefresh: kind == Self.fullKind,
            stateFolder: options.stateFolder, replay: replay,
            images: images, isGuarded: options.preflight.plan?.header.isGuarded ?? false, planned: planned)
        // What a plan has left alone is not looked at again by the attempts behind.
        pipeline.keepsRejects = options.preflight.plan != nil
        pipeline.remote.keeper = keeper
        return pipeline
    }

    /// The most rows of a run that begins, or goes on.
    func limit(of run: RunRecord, _ isResumed: Bool) throws(RunStop) -> RunLimit {
        do {
            return isResumed
                ? try RunLimit(resuming: run, options.rowsMax, store)
                : try RunLimit(beginning: run, options.rowsMax, store)
        } catch {
            throw .state(error)
        }
    }
}
