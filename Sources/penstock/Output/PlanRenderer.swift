// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject

/// A plan as text and as JSON.
struct PlanRenderer {
    private let file: SyncFile
    private let sync: OpenSync
    private let report: PlanReport
    private let examples: PlanExamples?
    private let width: Int?
    /// The syncs that were planned before this one.
    var linked: Set<String> = []
    /// What the syncs that were planned before this one are to spend of the same budget.
    var ahead = BudgetForecast.Work.none
    /// How many rows were asked for as a sample, or nil.
    var sampleRows: Int64?
    /// When the fields were told that an offline plan uses, in milliseconds since 1970; or nil.
    var fieldsReadAt: Int64?

    /// A renderer for the plan of one sync.
    ///
    /// - Parameters:
    ///   - examples: The rows that are shown; nil where they are shown by themselves.
    ///   - width: How wide a line may be, or nil for no limit.
    init(_ file: SyncFile, _ sync: OpenSync, _ report: PlanReport, _ examples: PlanExamples?, width: Int?) {
        self.width = width
        self.file = file
        self.sync = sync
        self.report = report
        self.examples = examples
    }

    private var counts: RunCounts { report.counts }

    /// The text for people.
    var text: String { ((before + exampleLines + after).joined(separator: "\n")) + "\n\n" }

    /// The lines before the rows.
    var before: [String] { heading + rowLines }

    /// The lines behind the rows.
    var after: [String] {
        heldLines + costLines + limitLines + closing.wrapped(to: width, indent: 6)
            + extrapolation.flatMap { $0.wrapped(to: width, indent: 6) }
    }

    private var heading: [String] {
        let definition = file.definition
        var fetch = SyncSummary.fetch(definition.fetch)
        if definition.fetch.mode == .incremental {
            fetch +=
                report.isFullRefresh
                ? " (full refresh: everything is read)" : report.watermark.map { " since \($0)" } ?? " (first run)"
        }
        var lines = [
            "Planning \(file.name)   (nothing is written)", "",
            "  Source   \(SyncSummary.source(definition))", "  Fetch    \(fetch)",
            "  Target   \(SyncSummary.destination(definition))", "  Insert   \(SyncSummary.insert(definition.insert))",
        ]
        if createsRecords { lines.append("  Deliver  \(sync.guarantee.name): \(sync.guarantee.note)") }
        if report.isResumed {
            lines += "  Resume   \(resumed)".wrapped(to: width, indent: 11)
        }
        if let fieldsReadAt {
            lines += offline(fieldsReadAt).wrapped(to: width, indent: 11)
        }
        if report.isGuarded { lines.append("  Guard    a record that has changed since is left alone") }
        for note in sync.pinNotes { lines.append("  warning[field-renamed]: \(note)") }
        return lines + [""]
    }

    /// How old what a plan is made from that asks nobody.
    private func offline(_ fieldsReadAt: Int64) -> String {
        func age(_ time: Int64) -> String {
            TimeDisplay.duration(milliseconds: max(0, WallClock.milliseconds - time)) + " ago"
        }
        let records = report.recordsReadAt.map { "records as read \(age($0))" } ?? "no record was looked at"
        return "  Offline  nobody was asked; fields and users are as told \(age(fieldsReadAt)), \(records)"
    }

    /// What an interrupted run has done already.
    private var resumed: String {
        let start = "an interrupted run is finished first"
        guard counts.recovered > 0 else { return start }
        let parts = report.settled.named.filter { $0.name != "fetched" && $0.value > 0 }
            .map { "\($0.value.grouped) \($0.name)" }
        return start
            + "; the \(counted(counts.recovered, "row")) that it has settled (\(parts.joined(separator: ", "))) "
            + "are not among those below, and the run counts them too"
    }

    private var createsRecords: Bool {
        file.definition.insert.mode == .append || file.definition.insert.onMissing == .create
    }

    private var unknownNote: String {
        sync.guarantee == .atMostOnce
            ? "may have been created by an interrupted run: penstock reject resolve \(file.name)"
            : "may have been created by an interrupted run: asked about, and sent again where absent"
    }

    private var rowLines: [String] {
        let sample = isSample ? ": a sample, the first ones of the source" : ""
        var lines = ["  " + counted(counts.fetched, "row") + sample]
        func add(_ number: Int64, _ sign: String, _ word: String, _ note: String) {
            guard number > 0 else { return }
            let text = String(number.grouped)
            let line = "  " + text.fitted(to: 10, alignedRight: true) + "  \(sign) " + word.fitted(to: 10) + "  " + note
            lines.append(line.withoutTrailingSpace)
        }
        add(
            counts.created, "+", "create",
            createNote)
        add(counts.updated, "~", "update", report.comparedUpdates == counts.updated ? "compared" : "")
        add(counts.unchanged, "=", "unchanged", "nothing will be sent")
        add(counts.skipped, "-", "skip", "rows without a record")
        add(
            counts.rejected, "!", "reject",
            report.rejectsByCode.map { "\($0.count.grouped) \($0.code)" }.joined(separator: " · "))
        add(counts.unknown, "?", "unknown", "\(unknownNote)")
        add(report.undecided, "?", "undecided", "update, create or unchanged: only the destination knows")
        add(report.removed ?? 0, "-", "removed", "no longer in the source; their records are left alone")
        if counts.reread > 0 {
            lines.append("  and \(counts.reread.grouped) reread: settled by an earlier run, not part of this one")
        }
        if report.linked > 0 {
            lines.append(
                "  of these, \(report.linked.grouped) refer to records that are created first: "
                    + sync.mapping.links.filter(linked.contains).joined(separator: ", "))
        }
        lines += unseenHint + linkHint
        if counts.conflicts > 0 {
            lines.append("  and \(counted(counts.conflicts, "field")) held back by a guard; the other fields go")
        }
        if counts.nullKeys > 0 { lines.append("  of these, \(counts.nullKeys.grouped) with NULL as Incremental Key") }
        return lines + [""]
    }

    /// What is said of rows that count on records nobody has looked at.
    private var unseenHint: [String] {
        guard report.linkedUnseen > 0 else { return [] }
        let names = sync.mapping.links.filter(linked.contains).joined(separator: ", ")
        let text =
            "  of these, \(report.linkedUnseen.grouped) refer to records that are changed first without a look at them "
            + "(\(names)): where one is gone, more is rejected than is planned"
        return text.wrapped(to: width, indent: 4)
    }

    /// What would tell of rows whose parents nobody has planned.
    private var linkHint: [String] {
        let alone = sync.mapping.links.filter { !linked.contains($0) }
        let isMissing = report.rejectsByCode.contains { $0.code == RowReject.Code.linkMissing.rawValue }
        guard isMissing, !alone.isEmpty else { return [] }
        let names = (alone + [file.name]).joined(separator: " ")
        return "  with the records that \(alone.joined(separator: ", ")) would create first: penstock plan \(names)"
            .wrapped(to: width, indent: 4)
    }

    private var createNote: String {
        guard file.definition.insert.mode == .append else { return "rows without a record" }
        return file.definition.fetch.mode == .full ? "one record a row, and again on every run" : "one record a row"
    }

    private static let sorts: [PlanEntry.Action] = [.update, .create, .ask, .undecided, .reject, .removed]

    /// The rows of each sort that are shown, and how many more there are.
    private var exampleLines: [String] {
        guard let examples, examples.limit > 0 else { return [] }
        let text = PlanEntryText(object: sync.object.id, width: width)
        return Self.sorts.flatMap { sort -> [String] in
            let shown = examples.of(sort)
            guard !shown.isEmpty else { return [] }
            var lines = shown.flatMap(text.lines)
            let rest = total(sort) - Int64(shown.count)
            if rest > 0 { lines.append("  … \(rest.grouped) more; --diff N shows N of each, --diff all every row") }
            return lines + [""]
        }
    }

    private var heldLines: [String] {
        guard !report.conflicts.isEmpty else { return [] }
        var lines = report.conflicts.flatMap { held in
            let live = HeldFields.shown(held.live, held.field, file)
            let wanted = HeldFields.shown(held.wanted, held.field, file)
            return [
                "  ≠ \(sync.object.id) \(held.remoteID)   \(file.shownKey(held.keyText).printable)",
                "      " + held.field.printable.fitted(to: 16) + "  stays "
                    + (live.isEmpty ? "(empty)" : live.printable.truncated(to: 40)) + ", the row has "
                    + (wanted.isEmpty ? "(empty)" : wanted.printable.truncated(to: 40))
                    + "   \(held.editGuard.rawValue)",
            ]
        }
        let rest = counts.conflicts - Int64(report.conflicts.count)
        if rest > 0 { lines.append("  … \(rest.grouped) more; --diff N shows N of each") }
        return lines + [""]
    }

    private func total(_ sort: PlanEntry.Action) -> Int64 {
        switch sort {
        case .create: counts.created
        case .update: counts.updated
        case .ask: counts.unknown
        case .undecided: report.undecided
        case .reject: counts.rejected
        case .removed: report.removed ?? 0
        case .restore, .delete, .leave: 0
        }
    }

    // MARK: - Cost

    private var costLines: [String] {
        func row(_ name: String, _ calls: Int64, _ tokens: Int64) -> String {
            "    " + name.fitted(to: 30) + calls.grouped.fitted(to: 10, alignedRight: true)
                + tokens.grouped.fitted(to: 12, alignedRight: true)
        }
        var lines = ["  API cost" + String(repeating: " ", count: 29) + "calls      tokens"]
        lines += PlanCosts(report).rows.map { row($0.name, $0.requests, $0.tokens) }
        lines.append(row("total", report.requests, report.cost))
        lines += PlanCosts(report, ahead: ahead).standing(isAffordable: isAffordable).flatMap {
            "    \($0)".wrapped(to: width, indent: 6)
        }
        if report.isOffline {
            lines.append("    reading fields, users and records is not among them: offline nobody was asked")
        } else {
            lines.append(
                "    planning itself cost \(counted(report.meter.spent, "token")); the run reads the same again")
        }
        if report.saved > 0 { lines.append("    comparing saves \(counted(report.saved, "token"))") }
        return lines + budgetLines + [""]
    }

    private var budgetLines: [String] {
        guard let available, needed > available else { return [] }
        var lines = ["    needs \(needed.grouped) tokens for writing, \(available.grouped) are available"]
        if ahead.tokens > 0, !isOverRunLimit {
            lines.append("    once the syncs before it have spent \(ahead.tokens.grouped) of this connection's")
        }
        lines.append(
            isOverRunLimit
                ? "    limits.tokens_per_run ends the run there; the next run goes on"
                : "    the run ends there; run again after the daily reset, and it goes on")
        if !isOverRunLimit, let forecast { lines += "    \(forecast.sentence)".wrapped(to: width, indent: 6) }
        return lines
    }

    /// What the run of this plan is to spend; of a run that stops at a limit only what it reads.
    var work: BudgetForecast.Work {
        guard report.excesses.isEmpty else {
            return .init(tokens: report.meter.spent, requests: report.meter.requestsTotal)
        }
        guard isOverRunLimit, let most = file.limits.tokensPerRun else {
            return .init(tokens: report.cost, requests: report.requests)
        }
        let share = Double(most) / Double(report.cost)
        return .init(tokens: Int64(most), requests: Int64((Double(report.requests) * share).rounded(.up)))
    }

    private var needed: Int64 { report.createCost + report.updateCost }

    /// When everything is sent.
    private var forecast: RunForecast? {
        report.allowance.map { allowance in
            RunForecast(
                .init(tokens: needed, requests: report.counts.created + report.counts.updated), ahead: ahead,
                allowance, file)
        }
    }

    /// What may still be spent on writing, or nil where nothing limits it.
    private var available: Int64? {
        let run = file.limits.tokensPerRun.map { max(0, Int64($0) - report.meter.spent) }
        return [run, report.spendable.map { max(0, $0 - ahead.tokens) }].compactMap { $0 }.min()
    }

    private var isOverRunLimit: Bool {
        file.limits.tokensPerRun.map { report.cost > Int64($0) } ?? false
    }

    /// Whether a run could send everything at once.
    var isAffordable: Bool { available.map { needed <= $0 } ?? true }

    // MARK: - Limits

    private var limitLines: [String] {
        guard !report.excesses.isEmpty else { return [] }
        var lines = ["  Limits: the run would stop before anything is sent"]
        for excess in report.excesses {
            let place = file.limitPlace(excess.name)
            lines += "    \(excess.clause); limits.\(excess.name.rawValue) is \(excess.bound.text) (\(place))"
                .wrapped(to: width, indent: 6)
        }
        let flags = report.excesses.map { "--yes-really \($0.name.rawValue)" }.joined(separator: " ")
        lines.append("    once, where it is meant: penstock run \(file.name) \(flags)")
        return lines + [""]
    }

    private var closing: String {
        let work = counts.created + counts.updated
        let undecided = report.undecided > 0 ? ", \(report.undecided.grouped) undecided" : ""
        let summary =
            "Plan: \(counts.created.grouped) to create, \(counts.updated.grouped) to update, "
            + "\(counts.unchanged.grouped) unchanged, \(counts.rejected.grouped) to reject"
            + (counts.skipped > 0 ? ", \(counts.skipped.grouped) to skip" : "") + undecided
        return work == 0 && counts.unknown == 0 && report.undecided == 0
            ? summary + (counts.rejected == 0 ? ". Nothing left to do." : ". Nothing left to do but the rejects.")
            : summary + ", \(report.cost.grouped) tokens."
    }

    /// What all rows come to if they are like those of the sample, which they need not be.
    private var extrapolation: [String] {
        guard isSample else { return [] }
        guard let unread = report.unread, counts.fetched > 0 else {
            return ["A sample of \(counted(counts.fetched, "row")); how many there are was not counted."]
        }
        let all = counts.fetched + unread
        func share(_ number: Int64) -> String {
            Int64((Double(number) * Double(all) / Double(counts.fetched)).rounded()).grouped
        }
        let writes = report.createCost + report.updateCost
        return [
            "Extrapolated from \(counted(counts.fetched, "row")) to \(all.grouped), if all are like these: about "
                + "\(share(counts.created)) to create, \(share(counts.updated)) to update, \(share(counts.unchanged)) "
                + "unchanged, \(share(counts.rejected)) to reject, \(share(writes)) tokens for writing."
        ]
    }

    private var isSample: Bool { report.isLimited && sampleRows != nil }

    /// The document for programs, without rows.
    var document: JSONObject {
        var object = JSONObject()
        object["sync"] = .string(file.name)
        object["fetch"] = .string(file.definition.fetch.mode.rawValue)
        object["insert"] = .string(file.definition.insert.mode.rawValue)
        object["delivery"] = .string(sync.guarantee.name)
        object["watermark"] = report.watermark.map { .string($0) } ?? .null
        object["resumes"] = .bool(report.isResumed)
        object["offline"] = .bool(report.isOffline)
        object["fields_read_at"] = fieldsReadAt.map { .string(TimeDisplay.utc($0)) } ?? .null
        object["records_read_at"] = report.recordsReadAt.map { .string(TimeDisplay.utc($0)) } ?? .null
        object["guarded"] = .bool(report.isGuarded)
        object.append(counts, rejectsByCode: report.rejectsByCode)
        object["settled"] = settled
        object["undecided"] = .integer(report.undecided)
        object["linked"] = .integer(report.linked)
        object["linked_unseen"] = .integer(report.linkedUnseen)
        object["removed"] = report.removed.map { .integer($0) } ?? .null
        object["sample"] =
            isSample
            ? .object([
                "rows": .integer(counts.fetched), "unread": report.unread.map { .integer($0) } ?? .null,
            ]) : .null
        object["cost"] = PlanCosts(report, ahead: ahead).json
        object["limits_exceeded"] = .array(
            report.excesses.map {
                .object([
                    "limit": .string($0.name.rawValue), "code": .string($0.name.code),
                    "bound": .string($0.bound.text), "what": .string($0.clause),
                ])
            })
        object["forecast"] = forecast?.json ?? .null
        object["conflict"] = .array(report.conflicts.map { HeldFields.json($0, file) })
        object["notes"] = .strings(sync.pinNotes)
        return object
    }

    /// What an interrupted run has settled; null where none has.
    private var settled: JSON {
        guard counts.recovered > 0 else { return .null }
        var object = JSONObject()
        for (name, value) in report.settled.named where value > 0 { object[name] = .integer(value) }
        return .object(object)
    }

    /// The document for programs.
    var json: JSON {
        var object = document
        object["examples"] = .array((examples?.entries ?? []).map(PlanEntryText.json))
        return .object(object)
    }
}
