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
    private let diff: Int
    private let width: Int?

    /// A renderer for the plan of one sync.
    ///
    /// - Parameters:
    ///   - diff: How many rows of each sort are shown.
    ///   - width: How wide a line may be, or nil for no limit.
    init(_ file: SyncFile, _ sync: OpenSync, _ report: PlanReport, diff: Int, width: Int?) {
        self.width = width
        self.file = file
        self.sync = sync
        self.report = report
        self.diff = diff
    }

    private var counts: RunCounts { report.counts }

    /// The text for people.
    var text: String {
        ([heading, rowLines, updateLines, heldLines, createLines, rejectLines, costLines].flatMap { $0 }
            + closing.wrapped(to: width, indent: 6))
            .joined(separator: "\n") + "\n\n"
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
            lines.append(
                "  Resume   an interrupted run is finished first; it has settled \(counted(counts.recovered, "row"))")
        }
        for note in sync.pinNotes { lines.append("  warning[field-renamed]: \(note)") }
        return lines + [""]
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
        var lines = ["  " + counted(counts.fetched, "row")]
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
        if counts.reread > 0 {
            lines.append("  and \(counts.reread.grouped) reread: settled by an earlier run, not part of this one")
        }
        if counts.conflicts > 0 {
            lines.append("  and \(counted(counts.conflicts, "field")) held back by a guard; the other fields go")
        }
        if counts.nullKeys > 0 { lines.append("  of these, \(counts.nullKeys.grouped) with NULL as Incremental Key") }
        return lines + [""]
    }

    private var createNote: String {
        guard file.definition.insert.mode == .append else { return "rows without a record" }
        return file.definition.fetch.mode == .full ? "one record a row, and again on every run" : "one record a row"
    }

    private func name(_ target: Int) -> String { sync.mapping.targets[target].name }

    private func isMasked(_ target: Int) -> Bool {
        file.mask.contains(name(target)) || file.mask.contains(sync.mapping.targets[target].field.key)
    }

    private func shown(_ text: String, _ target: Int) -> String {
        isMasked(target) ? "•••" : (text.isEmpty ? "(empty)" : text.printable.truncated(to: 40))
    }

    private var updateLines: [String] {
        examples(report.updates, of: counts.updated) { example in
            var lines = [
                "  ~ \(sync.object.id) \(example.remoteID ?? "")   \(file.shownKey(example.keyText).printable)"
            ]
            for change in example.changes ?? [] {
                lines.append(
                    "      " + name(change.target).printable.fitted(to: 16) + "  " + shown(change.old, change.target)
                        + " → " + shown(change.new, change.target))
            }
            if example.changes == nil { lines.append("      not compared: all mapped fields are sent") }
            return lines
        }
    }

    private var heldLines: [String] {
        guard !report.conflicts.isEmpty, diff > 0 else { return [] }
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

    private var createLines: [String] {
        examples(report.creates, of: counts.created) { example in
            let values = example.values.map { "\(name($0.target).printable): \(shown($0.text, $0.target))" }
            return ["  + \(sync.object.id)   \(file.shownKey(example.keyText).printable)"]
                + ("      " + values.joined(separator: ", ")).wrapped(to: width, indent: 6)
        }
    }

    private var rejectLines: [String] {
        examples(report.rejects, of: counts.rejected) { example in
            guard let reason = example.reason else { return [] }
            let value = RejectText.value(reason.value, of: reason.field, file)
            let shown = value.isEmpty ? "" : " \"\(value.printable.truncated(to: 40))\""
            let field = reason.field.isEmpty ? "" : " \(reason.field.printable)"
            return ["  ! row \(example.number)   \(file.shownKey(example.keyText).printable)  \(field)\(shown)"]
                + "      \(reason.message)".wrapped(to: width, indent: 6)
        }
    }

    private func examples(
        _ examples: [PlanReport.Example], of total: Int64, _ render: (PlanReport.Example) -> [String]
    ) -> [String] {
        guard !examples.isEmpty, diff > 0 else { return [] }
        var lines = examples.flatMap(render)
        let rest = total - Int64(examples.count)
        if rest > 0 { lines.append("  … \(rest.grouped) more; --diff N shows N of each") }
        return lines + [""]
    }

    private var costLines: [String] {
        func row(_ name: String, _ calls: Int64, _ tokens: Int64) -> String {
            "    " + name.fitted(to: 30) + calls.grouped.fitted(to: 10, alignedRight: true)
                + tokens.grouped.fitted(to: 12, alignedRight: true)
        }
        let costs = sync.object.costs
        var lines = ["  API cost" + String(repeating: " ", count: 29) + "calls      tokens"]
        lines.append(row("fields, users, records read", report.meter.requestsTotal, report.meter.spent))
        if counts.created > 0 {
            lines.append(row("create \(counts.created.grouped) × \(costs.create)", counts.created, report.createCost))
        }
        if counts.updated > 0 {
            lines.append(row("update \(counts.updated.grouped) × \(costs.update)", counts.updated, report.updateCost))
        }
        lines.append(row("total", report.requests, report.cost))
        if let left = report.budgetLeft {
            lines.append("    left today \(left.grouped)" + (isAffordable ? " · fits today" : ""))
        }
        if let available, report.createCost + report.updateCost > available {
            let needed = (report.createCost + report.updateCost).grouped
            lines.append("    needs \(needed) tokens for writing, \(available.grouped) are available")
            lines.append(
                isOverRunLimit
                    ? "    limits.tokens_per_run ends the run there; the next run goes on"
                    : "    the run ends there; run again after the daily reset, and it goes on")
            if !isOverRunLimit, let forecast {
                lines += "    \(forecast.sentence)".wrapped(to: width, indent: 6)
            }
        }
        return lines + [""]
    }

    /// When everything is sent.
    private var forecast: RunForecast? {
        report.allowance.map { allowance in
            RunForecast(
                .init(
                    tokens: report.createCost + report.updateCost,
                    requests: report.counts.created + report.counts.updated),
                allowance, file)
        }
    }

    /// What may still be spent on writing, or nil where nothing limits it.
    private var available: Int64? {
        let run = file.limits.tokensPerRun.map { max(0, Int64($0) - report.meter.spent) }
        return [run, report.spendable].compactMap { $0 }.min()
    }

    private var isOverRunLimit: Bool {
        file.limits.tokensPerRun.map { report.cost > Int64($0) } ?? false
    }

    /// Whether a run could send everything at once.
    var isAffordable: Bool { available.map { report.createCost + report.updateCost <= $0 } ?? true }

    private var closing: String {
        let work = counts.created + counts.updated
        let summary =
            "Plan: \(counts.created.grouped) to create, \(counts.updated.grouped) to update, "
            + "\(counts.unchanged.grouped) unchanged, \(counts.rejected.grouped) to reject"
            + (counts.skipped > 0 ? ", \(counts.skipped.grouped) to skip" : "")
        return work == 0 && counts.unknown == 0
            ? summary + (counts.rejected == 0 ? ". Nothing left to do." : ". Nothing left to do but the rejects.")
            : summary + ", \(report.cost.grouped) tokens."
    }

    /// The document for programs.
    var json: JSON {
        var object = JSONObject()
        object["sync"] = .string(file.name)
        object["fetch"] = .string(file.definition.fetch.mode.rawValue)
        object["insert"] = .string(file.definition.insert.mode.rawValue)
        object["delivery"] = .string(sync.guarantee.name)
        object["watermark"] = report.watermark.map { .string($0) } ?? .null
        object["resumes"] = .bool(report.isResumed)
        object.append(counts, rejectsByCode: report.rejectsByCode)
        object["cost"] = .object([
            "tokens": .integer(report.cost), "requests": .integer(report.requests),
            "tokens_read": .integer(report.meter.spent), "tokens_create": .integer(report.createCost),
            "tokens_update": .integer(report.updateCost),
            "left_today": report.budgetLeft.map { .integer($0) } ?? .null,
        ])
        object["forecast"] = forecast?.json ?? .null
        object["conflict"] = .array(report.conflicts.map { HeldFields.json($0, file) })
        object["notes"] = .strings(sync.pinNotes)
        object["examples"] = .array(
            (report.creates.map { ("create", $0) } + report.updates.map { ("update", $0) }
                + report.rejects.map { ("reject", $0) }).map { json($0.0, $0.1) })
        return .object(object)
    }

    private func json(_ action: String, _ example: PlanReport.Example) -> JSON {
        var object = JSONObject()
        object["action"] = .string(action)
        object["row"] = .integer(example.number)
        object["key"] = .string(file.shownKey(example.keyText))
        object["id"] = example.remoteID.map { .string($0) } ?? .null
        if let changes = example.changes {
            object["changes"] = .array(
                changes.map {
                    .object([
                        "field": .string(name($0.target)), "old": .string(isMasked($0.target) ? "•••" : $0.old),
                        "new": .string(isMasked($0.target) ? "•••" : $0.new),
                    ])
                })
        }
        if !example.values.isEmpty {
            var values = JSONObject()
            for value in example.values {
                values[name(value.target)] = .string(isMasked(value.target) ? "•••" : value.text)
            }
            object["values"] = .object(values)
        }
        if let reason = example.reason {
            object["code"] = .string(reason.code)
            object["field"] = .string(reason.field)
            object["value"] = .string(RejectText.value(reason.value, of: reason.field, file))
            object["message"] = .string(reason.message)
        }
        return .object(object)
    }
}
