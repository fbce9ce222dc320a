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

    /// Looks at what the run would do, where its terms ask for that.
    ///
    /// Nothing is written: a run that is given up is so once this has found nothing against the new one.
    ///
    /// - Returns: Nil where nothing was to be looked at.
    /// - Throws: ``RunStop``; the run has not begun then.
    func look(_ start: FetchStart, _ kind: String, _ images: BeforeImages?) throws(RunStop) -> Looked? {
        do throws(RunStop) {
            return try looked(start, kind, images)
        } catch {
            guard case .refused(let refusal) = error else { throw error }
            let run: RunRecord?
            do { run = try store.unfinishedRun() } catch { throw .state(error) }
            throw .refused(run.map { refusal.behind($0.id, of: sync.definition.name) } ?? refusal)
        }
    }

    private func looked(_ start: FetchStart, _ kind: String, _ images: BeforeImages?) throws(RunStop) -> Looked? {
        // Whoever replays rejects has chosen the rows.
        guard kind != Replay.kind else { return nil }
        do {
            var terms = options.preflight
            let resumed = abandoned == nil ? try store.unfinishedRun() : nil
            if let resumed { terms.passes.formUnion(try Preflight.passes(of: resumed, store)) }
            let preflight = Preflight(sync, store, terms) { [observe, sync] counts in
                observe(
                    .progress(
                        RunProgress(
                            counts: counts, openRows: Int(counts.created + counts.updated),
                            meter: sync.destinationHost.meter, waiting: nil)))
            }
            try preflight.checkPins()
            let mode = sync.definition.fetch.mode
            var limit = RunLimit(options.rowsMax)
            if let resumed { limit = try RunLimit(resuming: resumed, options.rowsMax, store) }
            let isWhole = limit.room == nil
            let watchesShrink = try isWhole && preflight.watchesShrink()
            guard terms.needsAll(mode) || watchesShrink else { return nil }
            let last = try store.lastRun()?.number ?? 0
            let number = resumed?.number ?? last + 1
            let pipeline = try pipeline(number, kind, start, limit, nil, images)
            // The ledger is another one once a run is given up: all rows are decided before that.
            let (held, radius, looks) = try preflight.hold(
                pipeline, folder: options.stateFolder, isWhole: isWhole, holdsAll: abandoned != nil)
            let rows: any DecidedRows = looks.map { GuardedRows(held, pipeline, $0) } ?? held
            let passed = radius.excesses(terms.limits, mode).filter { terms.passes.contains($0.name) }
            return Looked(rows: rows, passed: passed)
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
    /// - Throws: ``StateError``.
    func notePreflight(_ id: String) throws(StateError) {
        if let plan = options.preflight.plan { try store.setMeta(Preflight.planSetting, "\(id) \(plan.digest)") }
        guard !options.preflight.passes.isEmpty else { return }
        let names = options.preflight.passes.map(\.rawValue).sorted().joined(separator: " ")
        try store.setMeta(Preflight.passSetting, "\(id) \(names)")
    }

    /// The rows of a run, as the source has them.
    func pipeline(
        _ number: Int64, _ kind: String, _ start: FetchStart, _ limit: RunLimit, _ replay: Replay?,
        _ images: BeforeImages?
    ) throws(RunStop) -> RowPipeline {
        let pipeline = try RowPipeline(
            sync, ledger: store, runNumber: number, abandoned: abandoned?.number, fetchStart: start,
            scratchFolder: options.stateFolder, limit: limit, isFullRefresh: kind == Self.fullKind,
            stateFolder: options.stateFolder, replay: replay,
            images: images, isGuarded: options.preflight.plan?.header.isGuarded ?? false)
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
