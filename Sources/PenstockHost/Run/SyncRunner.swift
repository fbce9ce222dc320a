// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// What a run is asked to do besides what its sync says.
package struct RunOptions: Sendable {
    /// The most rows to fetch, or nil.
    ///
    /// A limited run never moves the watermark.
    package var rowsMax: Int64?
    /// Reads everything, whatever the watermark.
    package var isFullRefresh = false
    /// Gives the rest of an unfinished run up and starts a new one.
    package var abandonsUnfinished = false
    /// How long a connector may deliver no result before it is asked for them.
    package var silenceMilliseconds: Int64 = 10_000
    /// The first pause before a row is sent again; further ones are longer.
    package var retryPauseMilliseconds: Int64 = 500
    /// The rejects that are sent once more, and nothing else; nil for an ordinary run.
    package var replays: ReplayChoice?
    /// Whether creates whose answer was lost are waited for and asked about; else they are left to the next run.
    package var waitsForLost = true
    /// What the run must be before anything is sent.
    package var preflight = PreflightTerms()
    /// Where state files are.
    package var stateFolder: String
    /// Where what is read of records is kept for plans that ask nobody; nil where it is not kept.
    package var records: RecordsCache.Place?

    /// What a run is asked to do.
    package init(stateFolder: String) { self.stateFolder = stateFolder }
}

/// How a run ended.
package struct RunReport: Sendable {
    /// The run as it is stored.
    package var run: RunRecord
    /// What became of the rows.
    package var counts: RunCounts
    /// What the destination's connection has sent.
    package var meter: ConnectionHost.Meter
    /// How often rows were sent again.
    package var retries: Int64
    /// What is left of the daily budget, or nil where that is not known.
    package var budgetLeft: Int64?
    /// Why it stopped early, or nil.
    package var stop: RunStop?
    /// Rejects of this run by code, most frequent first.
    package var rejectsByCode: [(code: String, count: Int64)]
    /// Whether it finished a run that was interrupted.
    package var isResumed: Bool
    /// Whether it stopped at the most rows that it may take; more may remain.
    package var isLimited: Bool
    /// Milliseconds from start to end of this attempt.
    package var elapsedMilliseconds: Int64
    /// Whether the watermark was held where it was because rows are open or the run was limited.
    package var holdsWatermark: Bool
    /// Whether the watermark stays behind the rows that were seen because others were writing at the source.
    package var isLimitedByWriters: Bool
    /// How often the read of the source was cut and went on in a new snapshot.
    package var continuations: Int
    /// Records that carry one marker, of rows that were sent again: what the assumptions of delivery rule out.
    package var duplicates: [[String]] = []
    /// Rejects that were to be replayed and whose rows the source no longer has.
    package var gone: Int64 = 0
    /// Rows of the source that were not looked at, or nil where they were not counted.
    package var unread: Int64?
    /// Records whose rows the source no longer has; nil where that was not looked for, or cannot be told.
    package var removed: RemovedRows?
    /// What may be spent today and on the days after.
    package var allowance: BudgetForecast.Allowance
    /// The first fields that guards have held back; ``RunCounts/conflicts`` counts them all.
    package var conflicts: [HeldField] = []
    /// What the plan said that was applied, or nil.
    package var predicted: PlanNumbers?
    /// Rows that were not tried because only the next attempt can look at the records that they are about.
    package var left: Int64 = 0
    /// The limits that it exceeded because a person had said so.
    package var passedLimits: [BlastLimits.Name] = []
}

/// Executes one run of one sync: reads, decides, delivers, and writes down what happened.
package final class SyncRunner {
    let sync: OpenSync
    let store: StateStore
    let options: RunOptions
    let observe: (RunEvent) -> Void
    /// The unfinished run that this one gives up when it begins, or nil.
    var abandoned: RunRecord?
    var rejectsByCode: [String: Int64] = [:]
    var conflicts: [HeldField] = []
    /// Keeps what is read of records; nil where it is not kept.
    var keeper: RecordKeeper?
    /// What was looked at before the run begins, where that is done already.
    var prepared: Prepared?
    /// When ``look()`` began, in milliseconds since 1970; nil where it was not called.
    var lookedAt: Int64?

    /// A runner over a sync that is open and a store that is open for writing.
    ///
    /// - Parameter observe: Is told what happens, on the thread that runs.
    package init(
        _ sync: OpenSync, store: StateStore, options: RunOptions, observe: @escaping (RunEvent) -> Void
    ) {
        self.sync = sync
        self.store = store
        self.options = options
        self.observe = observe
    }

    /// Runs.
    ///
    /// What was settled is on disk when this returns, whatever else happened.
    ///
    /// - Throws: ``RunStop`` where the run could not even begin; nothing was sent then.
    package func run() throws(RunStop) -> RunReport {
        try look()
        guard let prepared, let startedAt = lookedAt else { preconditionFailure("it was looked at above") }
        (self.prepared, lookedAt) = (nil, nil)
        defer { prepared.close() }
        let (kind, images, looked) = (prepared.kind, prepared.images, prepared.looked)
        let (record, isResumed, reachBefore) = try beginRun(startedAt, prepared.start, kind: kind)
        let ledger = RunLedger(
            store, record, definitionDigest: sync.definitionDigest,
            images: images.map { RunImages(sync, $0, record) }, keeper: keeper)
        let lost = try LostRows(sync, store: store, ledger: ledger, options)
        observe(.began(record, isResumed: isResumed))
        for excess in looked?.passed ?? [] { observe(.passed(excess)) }
        let delivery = Delivery(sync, ledger: ledger, lost: lost, options, observe: observe)
        defer { delivery.end() }
        var attempt = Attempt(
            isResumed: isResumed, startedAt: startedAt, start: prepared.start, limit: try limit(of: record, isResumed))
        (attempt.images, attempt.reachBefore) = (images, reachBefore)
        if kind == Replay.kind {
            attempt.replay = Replay(store, run: record.number)
            if !isResumed, let choice = options.replays { try attempt.replay?.mark(choice) }
        }
        attempt.held = looked?.rows
        attempt.passed = looked?.passed.map(\.name) ?? []
        // A state that cannot be written ends it here: what is open is found out by the next run.
        try execute(record, ledger, delivery, lost, &attempt)
        let report = try finish(record, ledger, delivery, lost, attempt)
        finishRecords()
        observe(.ended(report))
        return report
    }

    /// What is known of one attempt at a run while it goes on.
    private struct Attempt {
        var isResumed: Bool
        var startedAt: Int64
        var start: FetchStart
        var limit: RunLimit
        /// What was remembered of how far back runs reach, before this one began.
        var reachBefore: String?
        var tracker: WatermarkTracker
        /// Whether the source was read to its end.
        var isExhausted = false
        /// Whether the run has all the rows that it may have.
        var isAtLimit = false
        /// Why it stopped early, or nil.
        var stop: RunStop?
        /// The rows that the run is about where it replays rejects.
        var replay: Replay?
        /// What the sync wrote last, or nil where nothing is kept.
        var images: BeforeImages?
        /// Records that carry one marker.
        var duplicates: [[String]] = []
        /// What the source said of open writers.
        var writers: OpenWriters?
        /// How often the read was cut and went on.
        var continuations = 0
        /// Rows of the source that were not looked at, or nil where they were not counted.
        var unread: Int64?
        /// Records whose rows the source no longer has, where that is known.
        var removed: RemovedRows?
        /// The rows, where they were looked at before the run began.
        var held: (any DecidedRows)?
        /// The limits that it exceeds because a person has said so.
        var passed: [BlastLimits.Name] = []

        init(isResumed: Bool, startedAt: Int64, start: FetchStart, limit: RunLimit) {
            self.isResumed = isResumed
            self.startedAt = startedAt
            self.start = start
            self.limit = limit
            tracker = WatermarkTracker(start: start.watermark) { KeyOrder.compare($0, $1) < 0 }
        }
    }

    /// What is executed: what an unfinished run has begun, else what is asked for.
    func kind() throws(RunStop) -> String {
        do {
            if abandoned == nil, let unfinished = try store.unfinishedRun() {
                // Everything is read again where that is asked for now; a replay stays what it is.
                return options.isFullRefresh && unfinished.kind == Self.plainKind ? Self.fullKind : unfinished.kind
            }
        } catch {
            throw .state(error)
        }
        if options.replays != nil { return Replay.kind }
        return options.isFullRefresh ? Self.fullKind : Self.plainKind
    }

    /// How long the rows that are left are counted, in milliseconds.
    private static let countPause: Int64 = 5_000
    /// The kinds of runs that are about all rows of the source, or all new ones.
    static var wholeKinds: [String] { [plainKind, fullKind] }
    /// The kind of an ordinary run.
    static let plainKind = "run"
    /// The kind of a run that reads everything, whatever the watermark: its rest must be read so, too.
    static let fullKind = "full-refresh"

    private func beginRun(
        _ now: Int64, _ start: FetchStart, kind: String
    ) throws(RunStop) -> (RunRecord, isResumed: Bool, reachBefore: String?) {
        do {
            let reachBefore = try FetchStart.reach(in: store)
            // A replay reads everything however often it is interrupted, and leaves other rows alone.
            if kind != Replay.kind {
                let reach = try FetchStart.reach(to: start.reach, of: sync, in: store, keepsEarlier: true)
                try FetchStart.setReach(reach, in: store)
            }
            try OtherStates.notePlace(of: sync, in: store)
            if let unfinished = try store.unfinishedRun() {
                guard abandoned != nil else {
                    var run = unfinished
                    run.attempts += 1
                    run.status = .running
                    run.kind = kind
                    run.definition = sync.definitionDigest
                    try store.updateRun(run)
                    try notePreflight(run.id, passed: try Preflight.passes(of: run, store))
                    return (run, true, reachBefore)
                }
                try store.abandon(unfinished, at: now)
                observe(.gaveUp(unfinished))
            }
            try store.setMeta(LinkedStates.keySetting, sync.keyColumns.joined(separator: "\n"))
            let id = RunID.make(milliseconds: now)
            try notePreflight(id)
            observe(.begins(id))
            let record = try store.beginRun(
                id: id, kind: kind, startedAtMilliseconds: now,
                definition: sync.definitionDigest,
                watermarkBefore: try store.watermark()?.text)
            return (record, false, reachBefore)
        } catch let stop as RunStop {
            throw stop
        } catch let error as StateError {
            throw .state(error)
        } catch {
            throw .state(.internal("The run could not begin: \(error)"))
        }
    }

    /// Reads, decides and delivers until the source ends or something stops the run.
    ///
    /// - Throws: ``RunStop`` `state`.
    private func execute(
        _ record: RunRecord, _ ledger: RunLedger, _ delivery: Delivery, _ lost: LostRows, _ attempt: inout Attempt
    ) throws(RunStop) {
        do throws(RunStop) {
            let pipeline: any DecidedRows =
                if let held = attempt.held {
                    held
                } else {
                    try pipeline(
                        record.number, record.kind, attempt.start, attempt.limit, attempt.replay, attempt.images)
                }
            defer { pipeline.close() }
            bind(pipeline, delivery, ledger)
            while delivery.stop == nil, !sync.destinationHost.isCancelled, let chunk = try pipeline.next() {
                try take(chunk, ledger, delivery, lost, &attempt.tracker)
                try send(delivery, ledger, lost)
            }
            attempt.isExhausted = pipeline.isExhausted
            attempt.isAtLimit = pipeline.isAtLimit
            attempt.removed = try pipeline.removedRows()
            ledger.noteRemoved(attempt.removed?.count ?? 0)
            attempt.continuations = pipeline.continuations
            try pipeline.noteListCost(in: store)
            // Who has to wait for days wants to know for how many.
            if delivery.stop?.code == .quotaSpent { attempt.unread = pipeline.countRest(within: Self.countPause) }
            try limit(&attempt, pipeline)
        } catch {
            if case .state = error { throw error }
            attempt.stop = error
        }
        if attempt.stop == nil, sync.destinationHost.isCancelled { delivery.giveUp(Self.cancelled) }
        do throws(RunStop) {
            try work(delivery, ledger, lost, untilOpen: 0)
            try ledger.flush()
            // Behind the limit of its own run a row may stay unread; what became of its create is asked all the same.
            if attempt.isExhausted || attempt.isAtLimit { try lost.recoverVanished() }
            var rounds = 0
            while delivery.stop == nil, attempt.stop == nil, lost.count > 0, rounds < Self.roundsMax,
                try ask(lost, delivery, ledger)
            {
                try work(delivery, ledger, lost, untilOpen: 0)
                rounds += 1
            }
            try delivery.drain()
            if delivery.stop == nil { attempt.duplicates = try lost.audit() }
        } catch {
            if case .state = error { throw error }
            attempt.stop = attempt.stop ?? error
            try delivery.drain()
        }
        // What was found before something failed is told all the same.
        attempt.duplicates = lost.duplicates + attempt.duplicates
        lost.leaveUnknown()
        if let value = delivery.postponedFrom { attempt.tracker.leave(from: value) }
        if let stop = delivery.stop, attempt.stop == nil {
            attempt.stop = sync.stop(stop, .destination, "sending rows")
        }
        if !attempt.isExhausted || attempt.stop != nil || attempt.replay != nil { attempt.tracker.leaveOutstanding() }
    }

    /// Sends what was taken over, as far as that must be before the next rows are read.
    private func send(_ delivery: Delivery, _ ledger: RunLedger, _ lost: LostRows) throws(RunStop) {
        // Rows are on their way while the next ones are read, also where few are open.
        try delivery.keepUp()
        report(ledger, delivery)
        let looksFirst = isGuarded || sync.guardsFields
        try work(delivery, ledger, lost, untilOpen: looksFirst ? GuardedRows.openMax : delivery.openRowsMax)
    }

    /// Whether records are looked at right before their rows are sent.
    private var isGuarded: Bool { options.preflight.plan?.header.isGuarded ?? false }

    /// Delivers until so many rows are open, asking about lost ones in between where there are too many.
    private func work(
        _ delivery: Delivery, _ ledger: RunLedger, _ lost: LostRows, untilOpen rows: Int
    ) throws(RunStop) {
        while delivery.openRows > rows {
            try delivery.work(untilOpen: max(rows, delivery.openRows - 16), whileHolding: false)
            report(ledger, delivery)
            guard delivery.holdsCreates else { continue }
            guard try ask(lost, delivery, ledger) else {
                delivery.giveUp(Self.tooManyLost)
                continue
            }
        }
    }

    /// Waits until lost rows can be asked about, settles them, and sends those once more that are absent.
    ///
    /// - Returns: Whether any was settled.
    private func ask(_ lost: LostRows, _ delivery: Delivery, _ ledger: RunLedger) throws(RunStop) -> Bool {
        let before = lost.count
        // A record whose row is still on its way, or not written down yet, is nobody else's.
        try delivery.awaitResults()
        try ledger.flush()
        let again = try lost.settle { rows, milliseconds in report(ledger, delivery, (rows, milliseconds)) }
        for item in again ?? [] { delivery.add(item) }
        return again != nil && lost.count < before
    }

    /// Keeps the watermark behind what may still be committed, and what a cut has left over.
    private func limit(_ attempt: inout Attempt, _ pipeline: any DecidedRows) throws(RunStop) {
        guard let index = sync.cursorIndex else { return }
        let field = sync.readSchema.fields[index]
        do {
            let held = try HeldKeys(store: store, field: field).load()
            attempt.tracker.limit(LateCommits(pipeline.openWriters, type: field.type, held: held))
        } catch {
            throw .state(error)
        }
        attempt.writers = pipeline.openWriters
        if let value = pipeline.postponedFrom { attempt.tracker.leave(from: value) }
    }

    private func report(
        _ ledger: RunLedger, _ delivery: Delivery, _ waiting: (rows: Int, milliseconds: Int64)? = nil
    ) {
        observe(
            .progress(
                RunProgress(
                    counts: ledger.counts, openRows: delivery.openRows, meter: sync.destinationHost.meter,
                    waiting: waiting)))
    }

    private func finish(
        _ record: RunRecord, _ ledger: RunLedger, _ delivery: Delivery, _ lost: LostRows, _ attempt: Attempt
    ) throws(RunStop) -> RunReport {
        try ledger.flush()
        var attempt = attempt
        let counts = ledger.counts
        precondition(counts.addUp, "the counts of a run add up: \(counts)")
        if !counts.isSettled { attempt.tracker.leaveOutstanding() }
        // A run may be limited to some rows from its beginning; the rest of an unfinished one must not be cut off.
        let isWhole = attempt.isExhausted || attempt.isAtLimit
        let isFinished = counts.isSettled && attempt.stop == nil && isWhole
        var run = record
        run.status = isFinished ? .finished : .unfinished
        run.finishedAtMilliseconds = WallClock.milliseconds
        run.counts = Dictionary(uniqueKeysWithValues: counts.named.map { ($0.name, $0.value) })
        run.message = attempt.stop.map(\.sentence) ?? ""
        let moved = movedWatermark(attempt.tracker, run.number)
        run.watermarkAfter = moved?.text ?? run.watermarkBefore
        var last: [StateChange] = moved.map { [.watermark($0)] } ?? []
        let gone = isFinished ? try attempt.replay?.closeVanished() ?? 0 : 0
        if isFinished, attempt.isExhausted, sync.cursorIndex == nil, attempt.replay == nil {
            last.append(.rejectsOutdated(before: run.number))
        }
        last.append(.run(run))
        try ledger.flush(with: last)
        if isFinished, attempt.isExhausted, attempt.replay == nil {
            try noteSettled(attempt)
        } else if attempt.replay == nil {
            try noteReach(attempt, isFinished: isFinished, kind: record.kind)
        }
        for codes in [delivery.rejectsByCode, lost.rejectsByCode] {
            for entry in codes { rejectsByCode[entry.key, default: 0] += entry.value }
        }
        return RunReport(
            run: run, counts: counts, meter: sync.destinationHost.meter, retries: delivery.retriesTotal,
            budgetLeft: sync.destinationHost.remaining, stop: attempt.stop,
            rejectsByCode: rejectsByCode.map { ($0.key, $0.value) }.sorted {
                ($1.count, $0.code) < ($0.count, $1.code)
            },
            isResumed: attempt.isResumed, isLimited: !attempt.isExhausted && attempt.stop == nil,
            elapsedMilliseconds: WallClock.milliseconds - attempt.startedAt,
            holdsWatermark: sync.cursorIndex != nil && moved == nil,
            isLimitedByWriters: attempt.tracker.isLimited, continuations: attempt.continuations,
            duplicates: attempt.duplicates, gone: gone,
            unread: attempt.unread ?? (attempt.isExhausted || attempt.isAtLimit ? 0 : nil),
            removed: attempt.removed, allowance: sync.destinationHost.allowance, conflicts: conflicts,
            predicted: options.preflight.plan?.header.numbers, left: lost.left, passedLimits: attempt.passed)
    }

    /// Remembers rows that the next run is to try, which may lie before the watermark.
    private func noteReach(_ attempt: Attempt, isFinished: Bool, kind: String) throws(RunStop) {
        do throws(StateError) {
            // Of a full refresh that was only to take some rows the others are as they were.
            if isFinished, kind == Self.fullKind { try FetchStart.setReach(attempt.reachBefore, in: store) }
        } catch {
            throw .state(error)
        }
        let reach = try FetchStart.reach(to: attempt.tracker.left, of: sync, in: store, keepsEarlier: true)
        do throws(StateError) {
            try FetchStart.setReach(reach, in: store)
        } catch {
            throw .state(error)
        }
    }

    private func noteSettled(_ attempt: Attempt) throws(RunStop) {
        let reach = try FetchStart.reach(to: attempt.tracker.left, of: sync, in: store, keepsEarlier: false)
        do {
            if let index = sync.cursorIndex, attempt.tracker.isLimited, let writers = attempt.writers,
                let key = attempt.tracker.largest
            {
                try HeldKeys(store: store, field: sync.readSchema.fields[index]).note(key, writers)
            }
            try FetchStart.setReach(reach, in: store)
            try store.setMeta(FetchStart.settledDefinition, sync.definitionDigest.hex)
            if !sync.mapping.links.isEmpty { try store.setMeta(FetchStart.settledLinks, attempt.start.linkStamp) }
        } catch {
            throw .state(error)
        }
    }

    private func movedWatermark(_ tracker: WatermarkTracker, _ run: Int64) -> Watermark? {
        guard let index = sync.cursorIndex, let value = tracker.watermark, let text = KeyText.text(of: value)
        else { return nil }
        let field = sync.readSchema.fields[index]
        return Watermark(column: field.name, type: field.type, text: text, run: run)
    }

    /// How many held fields a report lists.
    static let conflictsMax = 1_000
    /// How often rows are asked about before the rest is left to the next run.
    private static let roundsMax = 5
    private static let cancelled = ConnectorError(.cancelled, "The run was stopped.")
    private static let tooManyLost = ConnectorError(
        .unavailable, "The answers of too many creates were lost, and what became of them cannot be told now.")
}
