// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// Undoes one run of one sync: puts back what still holds what the run wrote, and deletes what it created.
package final class UndoRunner {
    /// The kind of a run that undoes another one.
    package static let kind = StateStore.undoKind

    private let target: UndoTarget
    private let store: StateStore
    private let images: BeforeImages
    private let undone: RunRecord
    private let imageRun: ImageRun
    private let decider: UndoDecider
    private let options: RunOptions
    private let examplesMax: Int
    private let terms: UndoTerms?
    private let match: UndoMatch?

    /// A runner that undoes `run`.
    ///
    /// - Parameters:
    ///   - store: The state; open for writing where the run is to be undone and not only planned.
    ///   - images: What the runs have overwritten; likewise.
    ///   - examplesMax: How many records and conflicts are kept for display, each.
    ///   - terms: The kept plan that is applied, or nil.
    /// - Throws: ``StateError``, ``UndoProblem``.
    package init(
        _ target: UndoTarget, _ store: StateStore, _ images: BeforeImages?, undoing run: RunRecord,
        _ options: RunOptions, examplesMax: Int, applying terms: UndoTerms? = nil
    ) throws {
        guard let images, let imageRun = try images.run(run.number), imageRun.id == run.id else {
            throw UndoProblem.nothingKept
        }
        guard imageRun.object == target.object.id else { throw UndoProblem.otherObject(imageRun.object) }
        if run.status != .finished {
            let lost = try store.openEntries(of: run.number).count { [.intent, .unknown].contains($0.outcome) }
            guard lost == 0 else { throw UndoProblem.lostCreates(lost) }
        }
        self.target = target
        self.store = store
        self.images = images
        undone = run
        self.imageRun = imageRun
        self.options = options
        self.examplesMax = examplesMax
        self.terms = terms
        match = terms.map { UndoMatch($0.plan) }
        decider = UndoDecider(target.fields, imageRun, target.object, canDelete: target.canDelete)
    }

    // MARK: - Planning

    /// Says what undoing would do; nothing is written anywhere.
    ///
    /// - Parameters:
    ///   - scribe: Writes down what is done with records, for `observe`.
    ///   - observe: Is told of every record of which something is put back or left, in the order of the run.
    /// - Throws: ``RunStop``.
    package func plan(
        _ scribe: UndoScribe, _ observe: (PlanEntry) throws(PlanFileProblem) -> Void
    ) throws(RunStop) -> UndoReport {
        var report = UndoReport(undone: undone)
        try forEachItem(&report) { (item, report) throws(RunStop) in
            do throws(PlanFileProblem) {
                for entry in scribe.entries(item, decider) { try observe(entry) }
            } catch {
                throw .spool(.cannotWrite(error.message))
            }
            if item.isDelete { report.deleted += 1 }
            if !item.fields.isEmpty {
                report.restored += 1
                report.restoredFields += Int64(item.fields.count)
            }
        }
        complete(&report)
        report.undoneBy = try earlier()
        report.restoreCost = report.restored * target.object.costs.update
        report.deleteCost = report.deleted * target.object.costs.delete
        return report
    }

    /// What a plan of this undo is made from besides the files, the connection and the connector.
    ///
    /// - Throws: ``RunStop`` `state`.
    package func pins() throws(RunStop) -> [PlanPin] {
        let fields = imageRun.fields.compactMap { field in
            target.fields.first { $0.key == field.key }.map { PlanPin.field(field.name, $0) }
        }
        let run = PlanPin(
            .state, "run \(undone.id)", "\(undone.status.rawValue) \(undone.attempts)", shown: undone.status.rawValue)
        let undos = try undos { $0.status != .finished || Self.hasWorked($0) }
        // One that is gone on with and finished leaves another state than it found.
        let value = undos.map { $0.status == .finished ? $0.id : "\($0.id) unfinished" }.joined(separator: ", ")
        return fields + [run, PlanPin(.state, undosName, value, shown: undos.last?.id ?? "none")]
    }

    private var undosName: String { "undos of run \(undone.id)" }

    /// Refuses a plan that was made from something else than there is now.
    private func checkPins(_ terms: UndoTerms) throws(RunStop) {
        var (planned, now) = (terms.plan.header.pins, terms.pins + (try pins()))
        var differences: [String] = []
        if try isOwn(terms.plan) {
            // What goes on with an undo of this plan meets the state that it has left.
            planned.removeAll { $0.kind == .state }
            now.removeAll { $0.kind == .state }
        } else if let before = planned.first(where: { $0.name == undosName }),
            let after = now.first(where: { $0.name == undosName }), before.value != after.value
        {
            differences = ["run \(undone.id) was undone since, or a part of it: by run \(after.shown)"]
            now.removeAll { $0.name == undosName }
            now.append(before)
        }
        differences += PlanPin.differences(planned, now)
        guard !differences.isEmpty else { return }
        if let run = try appliedBy(terms.plan) {
            throw .refused(
                RunRefusal(
                    .stalePlan, "the plan \(terms.plan.path) was applied by run \(run); nothing was sent now",
                    notes: ["see what is left: penstock undo \(undone.id) --dry-run"]))
        }
        throw .refused(terms.stale(differences))
    }

    /// The finished undo that has applied this plan; nil where there is none, or another plan was applied since.
    private func appliedBy(_ plan: SealedPlan) throws(RunStop) -> String? {
        do {
            let words = try store.meta(Self.planSetting)?.split(separator: " ") ?? []
            guard words.count == 2, words[1] == plan.digest[...] else { return nil }
            return try store.runs(limit: .max).first { $0.id == words[0] && $0.status == .finished }?.id
        } catch {
            throw .state(error)
        }
    }

    /// Whether the undo that is to be gone on with applies this plan.
    private func isOwn(_ plan: SealedPlan) throws(RunStop) -> Bool {
        do {
            for run in try store.unfinishedUndos() where try images.run(run.number)?.undoes == undone.number {
                return try store.meta(Self.planSetting) == "\(run.id) \(plan.digest)"
            }
        } catch {
            throw .state(error)
        }
        return false
    }

    /// The setting that says which plan an undo applies: the id of its run and the plan's digest.
    private static let planSetting = "undo-plan"

    /// The runs that have undone it before, or a part of it, and were not undone themselves.
    private func earlier() throws(RunStop) -> [String] {
        do {
            let undos = try store.runs(limit: .max).compactMap { run -> UndoChain.Undo? in
                guard run.kind == Self.kind, run.status == .finished, Self.hasWorked(run) else { return nil }
                guard let undoes = try images.run(run.number)?.undoes else { return nil }
                return UndoChain.Undo(run: run.number, id: run.id, undoes: undoes)
            }
            return UndoChain(undos.reversed()).undos(of: undone.number)
        } catch let error as StateError {
            throw .state(error)
        } catch {
            throw .state(.internal("The runs could not be looked through: \(error)"))
        }
    }

    private static func hasWorked(_ run: RunRecord) -> Bool {
        (run.counts["updated"] ?? 0) + (run.counts["deleted"] ?? 0) > 0
    }

    /// The undos of the run that are meant, in their order.
    private func undos(_ areMeant: (RunRecord) -> Bool) throws(RunStop) -> [RunRecord] {
        do {
            return try store.runs(limit: .max).filter { run in
                guard run.kind == Self.kind, areMeant(run) else { return false }
                return try images.run(run.number)?.undoes == undone.number
            }.reversed()
        } catch let error as StateError {
            throw .state(error)
        } catch {
            throw .state(.internal("The runs could not be looked through: \(error)"))
        }
    }

    private func complete(_ report: inout UndoReport) {
        report.meter = target.host.meter
        report.budgetLeft = target.host.remaining
        let updates = undone.counts["updated"] ?? 0
        let creates = undone.counts["created"] ?? 0
        report.unknownBefore = max(0, updates - seen.updates)
        report.unknownCreated = max(0, creates - seen.creates)
    }

    /// How many records of the run are known here.
    private var seen: (updates: Int64, creates: Int64) = (0, 0)

    /// Looks at every record of the run, in groups of as many as one request can read.
    private func forEachItem(
        _ report: inout UndoReport, _ body: (UndoItem, inout UndoReport) throws(RunStop) -> Void
    ) throws(RunStop) {
        seen = (0, 0)
        var open: [(image: RecordImage, place: Int64)] = []
        for action in [RecordImage.Action.update, .create] {
            var position: Int64 = 0
            while !target.host.isCancelled {
                let page = try page(action, after: position)
                guard let last = page.last else { break }
                position = last.position
                if action == .update { seen.updates += Int64(page.count) } else { seen.creates += Int64(page.count) }
                report.already += Int64(page.count { $0.isUndone })
                for image in page {
                    report.records += 1
                    // What is put back already needs no look, and a group is filled before it is read.
                    if !image.isUndone { open.append((image, report.records)) }
                }
                while open.count >= groupMax { try decide(&open, &report, body) }
            }
        }
        while !open.isEmpty, !target.host.isCancelled { try decide(&open, &report, body) }
        if target.host.isCancelled {
            throw target.stop(ConnectorError(.cancelled, "The undo was stopped."), "looking at records")
        }
    }

    private var groupMax: Int { max(1, target.object.costs.readByIDsMax) }

    /// Decides about the first records of `open`, as many as one request can read.
    private func decide(
        _ open: inout [(image: RecordImage, place: Int64)], _ report: inout UndoReport,
        _ body: (UndoItem, inout UndoReport) throws(RunStop) -> Void
    ) throws(RunStop) {
        let group = Array(open.prefix(groupMax))
        open.removeFirst(group.count)
        let decided = try decided(group.map(\.image))
        for (var item, (_, place)) in zip(decided, group) {
            item.place = place
            if let match { item = try match.held(item, decider) }
            note(item, &report)
            try body(item, &report)
        }
    }

    private func page(_ action: RecordImage.Action, after position: Int64) throws(RunStop) -> [RecordImage] {
        do {
            return try images.records(run: undone.number, action, after: position, limit: Self.pageRows)
        } catch {
            throw .state(error)
        }
    }

    private static let pageRows = 500

    private func decided(_ open: [RecordImage]) throws(RunStop) -> [UndoItem] {
        var ids: [String] = []
        for image in open where image.action != .delete && !ids.contains(image.remoteID) { ids.append(image.remoteID) }
        let live = ids.isEmpty ? [:] : try target.records(ids, decider.keys)
        var items: [UndoItem] = []
        do {
            for image in open {
                let entry = try store.entry(for: image.key)
                let changes = try images.ownChanges(of: image)
                items.append(decider.decide(image, entry?.keyText ?? "", live[image.remoteID], changes))
            }
        } catch {
            throw .state(error)
        }
        return items
    }

    private func note(_ item: UndoItem, _ report: inout UndoReport) {
        report.conflictsTotal += Int64(item.conflicts.count)
        if !item.conflicts.isEmpty { report.recordsInConflict += 1 }
        report.conflicts += item.conflicts.prefix(max(0, examplesMax - report.conflicts.count))
        guard item.hasWork else {
            if item.conflicts.isEmpty { report.already += 1 } else { report.left += 1 }
            return
        }
        guard report.examples.count < examplesMax else { return }
        report.examples.append(
            UndoReport.Example(
                keyText: item.keyText, remoteID: item.image.remoteID,
                fields: item.fields.map {
                    UndoReport.Field(
                        name: decider.name($0.image.field), live: decider.text($0.live, $0.image),
                        before: decider.text($0.image.before, $0.image))
                }, isDelete: item.isDelete))
    }

    // MARK: - Undoing

    /// Undoes the run; an undo of it that was interrupted is gone on with.
    ///
    /// The rest of a run that is not finished is given up. What was done is on disk when this returns.
    ///
    /// - Throws: ``RunStop`` where it could not even begin, or the state cannot be written; `refused` for a plan that
    ///   is no longer true.
    package func run(observe: @escaping (RunEvent) -> Void) throws(RunStop) -> UndoReport {
        if let terms { try checkPins(terms) }
        let (record, isResumed) = try begin()
        observe(.began(record, isResumed: isResumed))
        var report = UndoReport(undone: undone)
        report.isResumed = isResumed
        report.predicted = terms?.plan.header.numbers
        report.undoneBy = try earlier().filter { $0 != record.id }
        let writable = target.fields.filter { field in
            field.isWritableOnUpdate && decider.keys.contains(field.key) && field.kind != .id
                && imageRun.fields.contains { $0.key == field.key }
        }
        let costs = target.object.costs
        let count = Counter()
        let delivery = UndoDelivery(target, store, images, record, fields: writable, options) {
            [decider] (item, field, result) throws(RunStop) in
            let conflict = Self.refusal(item, result, decider.name(field.image.field))
            count.add(conflict)
            observe(
                .delivered(DeliveredRows(Self.delivered(item, .rejected, result, costs, decider, count.total))))
            return conflict
        } settled: { [decider] (item, outcome, result) throws(RunStop) in
            count.add(item, outcome, result)
            observe(.delivered(DeliveredRows(Self.delivered(item, outcome, result, costs, decider, count.total))))
        }
        defer { delivery.end() }
        do throws(RunStop) {
            try forEachItem(&report) { (item, _) throws(RunStop) in
                if item.hasWork {
                    delivery.add(item)
                } else if item.image.action == .create, item.isGone {
                    try delivery.forgetRecord(item)
                } else if item.conflicts.isEmpty {
                    try delivery.noteAsBefore(item)
                }
                try delivery.work(untilOpen: 200)
                if let stop = delivery.stop { throw self.target.stop(stop, "putting records back") }
            }
        } catch {
            if case .state = error { throw error }
            report.stop = error
        }
        try delivery.work(untilOpen: 0)
        try delivery.flush()
        let totals = count.totals
        if report.stop == nil, let stop = delivery.stop { report.stop = target.stop(stop, "putting records back") }
        report.restored = totals.restored
        report.restoredFields = totals.fields
        report.deleted = totals.deleted
        report.refused = totals.refused
        report.refusedFields = totals.refusedFields
        report.notTried = totals.notTried
        report.conflictsTotal += totals.refused + totals.refusedFields
        // What the destination does not take is said first: it is what nobody could foresee.
        report.conflicts = Array((totals.conflicts + report.conflicts).prefix(max(0, examplesMax)))
        complete(&report)
        report.run = try finish(record, report)
        return report
    }

    /// What became of records so far.
    private struct Totals {
        var restored: Int64 = 0
        var fields: Int64 = 0
        var deleted: Int64 = 0
        var refused: Int64 = 0
        var refusedFields: Int64 = 0
        var notTried: Int64 = 0
        var conflicts: [UndoConflict] = []
    }

    private final class Counter {
        var totals = Totals()
        var total: Int64 = 0

        /// Counts a field that was refused, of a record that is sent once more without it.
        func add(_ conflict: UndoConflict) {
            total += 1
            totals.refusedFields += 1
            if totals.conflicts.count < 1_000 { totals.conflicts.append(conflict) }
        }

        func add(_ item: UndoItem, _ outcome: RowOutcome, _ result: RowResult?) {
            total += 1
            switch outcome {
            case .updated, .unchanged, .created:
                if item.isDelete { totals.deleted += 1 } else { totals.restored += 1 }
                totals.fields += Int64(item.fields.count)
            case .rejected:
                totals.refused += 1
                let conflict = UndoRunner.refusal(item, result, "")
                if totals.conflicts.count < 1_000 { totals.conflicts.append(conflict) }
            case .skipped, .unknown, .notTried: totals.notTried += 1
            }
        }
    }

    /// What is said of a record, or of one field of it, that the destination has refused.
    private static func refusal(_ item: UndoItem, _ result: RowResult?, _ field: String) -> UndoConflict {
        var conflict = UndoConflict(
            keyText: item.keyText, remoteID: item.image.remoteID, field: field, reason: .refused)
        conflict.message = result?.error?.message ?? "The destination refused it."
        return conflict
    }

    private static func delivered(
        _ item: UndoItem, _ outcome: RowOutcome, _ result: RowResult?, _ costs: RequestCosts, _ decider: UndoDecider,
        _ row: Int64
    ) -> DeliveredRow {
        var delivered = DeliveredRow(
            row: row, key: item.image.key, keyText: item.keyText, isCreate: false, ending: .outcome(outcome),
            remoteID: item.image.remoteID, httpStatus: result?.httpStatus ?? 0,
            code: result?.error.map { $0.vendorCode.isEmpty ? $0.code.description : $0.vendorCode } ?? "",
            message: result?.error?.message ?? "", tokens: item.isDelete ? costs.delete : costs.update,
            fields: SentFields(item.fields.map { (decider.name($0.image.field), $0.image.before) }))
        delivered.isDelete = item.isDelete
        return delivered
    }

    private func begin() throws(RunStop) -> (RunRecord, isResumed: Bool) {
        let now = WallClock.milliseconds
        do {
            if let unfinished = try store.unfinishedRun() {
                if unfinished.number == undone.number { try store.abandon(unfinished, at: now) }
            }
            for var earlier in try store.unfinishedUndos() {
                if try images.run(earlier.number)?.undoes == undone.number {
                    earlier.attempts += 1
                    earlier.status = .running
                    try store.updateRun(earlier)
                    try notePlan(earlier.id)
                    return (earlier, true)
                }
                earlier.status = .abandoned
                earlier.finishedAtMilliseconds = now
                try store.updateRun(earlier)
            }
            var record = try store.beginRun(
                id: RunID.make(milliseconds: now), kind: Self.kind, startedAtMilliseconds: now,
                definition: undone.definition, watermarkBefore: try store.watermark()?.text)
            record.watermarkAfter = record.watermarkBefore
            var begun = imageRun
            begun.number = record.number
            begun.id = record.id
            begun.undoes = undone.number
            try notePlan(record.id)
            try images.commit([.run(begun)], isDurable: true)
            return (record, false)
        } catch {
            throw .state(error)
        }
    }

    /// Remembers which plan the undo of this id applies.
    private func notePlan(_ id: String) throws(StateError) {
        if let terms { try store.setMeta(Self.planSetting, "\(id) \(terms.plan.digest)") }
    }

    private func finish(_ record: RunRecord, _ report: UndoReport) throws(RunStop) -> RunRecord {
        var run = record
        run.status = report.stop == nil && report.notTried == 0 ? .finished : .unfinished
        run.finishedAtMilliseconds = WallClock.milliseconds
        run.counts = report.counts
        run.message = report.stop?.sentence ?? ""
        do {
            try store.updateRun(run)
        } catch {
            throw .state(error)
        }
        return run
    }
}
