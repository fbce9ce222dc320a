// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// What undoing a run would do or has done, as text and as JSON, with masked fields as dots.
struct UndoRenderer {
    private let file: SyncFile
    private let object: ObjectDescriptor
    private let report: UndoReport
    private let diff: Int
    private let width: Int?

    /// A renderer of one report.
    ///
    /// - Parameters:
    ///   - diff: How many records and conflicts are shown, each.
    ///   - width: How wide a line may be, or nil for no limit.
    init(_ file: SyncFile, _ object: ObjectDescriptor, _ report: UndoReport, diff: Int, width: Int?) {
        self.file = file
        self.object = object
        self.report = report
        self.diff = diff
        self.width = width
    }

    /// The exit code of an undo that was carried out.
    var exitCode: ExitCode {
        if let signal = Interruption.exitCode, report.run?.status != .finished { return signal }
        switch report.stop {
        case .connector(let error, _, _): return ExitCode(error)
        case .state(let error), .spool(let error): return CommandFailure(error, sync: file.name).exitCode
        // Limits and kept plans are for runs of the sync, not for what undoes one.
        case .refused, nil: break
        }
        if report.notTried > 0 { return .tryLater }
        return report.refused + report.refusedFields > 0 ? .data : .ok
    }

    /// Whether anything is to be sent.
    var hasWork: Bool { report.hasWork }

    /// What the plan is to do and to cost.
    var numbers: PlanNumbers { report.numbers }

    /// What a kept plan shows beside its records.
    var about: JSONObject {
        var document = json.objectValue ?? [:]
        document["examples"] = nil
        document["conflict"] = nil
        return [
            "object": .string(object.id), "before": .strings(before), "after": .strings(after),
            "document": .object(document),
        ]
    }

    /// The id of the undoing run; nil for a plan.
    var runID: String? { report.run?.id }

    // MARK: - Text

    /// The plan for people.
    var planText: String { (before + examples + conflicts + after).joined(separator: "\n") + "\n" }

    /// The plan's lines before the records.
    var before: [String] {
        let lines =
            [
                "Undoing run \(report.undone.id) of \(file.name)   (nothing is written yet)", "",
                "  " + counted(report.records, "record") + " of the run",
            ] + numbers(isPlan: true) + [""]
        return lines.map(\.withoutTrailingSpace)
    }

    /// The plan's lines behind the records.
    var after: [String] {
        var lines = costs + notes.flatMap { $0.wrapped(to: width, indent: 2) }
        if !notes.isEmpty { lines.append("") }
        return (lines + [closing]).map(\.withoutTrailingSpace)
    }

    private func numbers(isPlan: Bool) -> [String] {
        var lines: [String] = []
        func add(_ number: Int64, _ sign: String, _ word: String, _ note: String) {
            guard number > 0 else { return }
            let count = String(number.grouped).fitted(to: 10, alignedRight: true)
            lines.append("  " + count + "  \(sign) " + word.fitted(to: 12) + "  " + note)
        }
        let fields = counted(report.restoredFields, "field")
        add(report.restored, "~", "put back", "\(fields) that \(isPlan ? "hold" : "held") what the run wrote")
        add(report.deleted, "-", isPlan ? "delete" : "deleted", "created by the run, and not changed since")
        add(report.already, "=", "as before", "nothing is left to do")
        add(report.left, "≠", "left alone", "nothing of them can be put back; see the conflicts")
        add(report.refused, "!", "refused", "by the destination; see below")
        add(report.refusedFields, "!", "refused", "fields; their records were sent again without them")
        add(report.notTried, "?", "not tried", "the next undo of this run goes on with them")
        return lines
    }

    private func shown(_ text: String, _ field: String) -> String {
        if file.mask.contains(field) { return "•••" }
        return text.isEmpty ? "(empty)" : text.printable.truncated(to: 40)
    }

    private func key(_ text: String) -> String { text.isEmpty ? "" : "   " + file.shownKey(text).printable }

    private var examples: [String] {
        guard diff > 0, !report.examples.isEmpty else { return [] }
        var lines: [String] = []
        for example in report.examples.prefix(diff) {
            lines.append("  \(example.isDelete ? "-" : "~") \(object.id) \(example.remoteID)\(key(example.keyText))")
            for field in example.fields {
                lines.append(
                    "      " + field.name.printable.fitted(to: 16) + "  " + shown(field.live, field.name) + " → "
                        + shown(field.before, field.name))
            }
        }
        let rest = report.restored + report.deleted - Int64(min(diff, report.examples.count))
        if rest > 0 { lines.append("  … \(rest.grouped) more; --diff N shows N of each") }
        return lines + [""]
    }

    private var conflicts: [String] {
        guard diff > 0, !report.conflicts.isEmpty else { return [] }
        var lines: [String] = []
        for conflict in report.conflicts.prefix(diff) {
            lines.append("  ≠ \(object.id) \(conflict.remoteID)\(key(conflict.keyText))")
            lines += ("      " + sentence(conflict)).wrapped(to: width, indent: 6)
        }
        let rest = report.conflictsTotal - Int64(min(diff, report.conflicts.count))
        if rest > 0 { lines.append("  … \(rest.grouped) more; --diff N shows N of each") }
        return lines + [""]
    }

    private func sentence(_ conflict: UndoConflict) -> String {
        conflict.sentence { shown($0, conflict.field) }.printable
    }

    private var costs: [String] {
        func row(_ name: String, _ calls: Int64, _ tokens: Int64) -> String {
            "    " + name.fitted(to: 30) + calls.grouped.fitted(to: 10, alignedRight: true)
                + tokens.grouped.fitted(to: 12, alignedRight: true)
        }
        var lines = ["  API cost" + String(repeating: " ", count: 29) + "calls      tokens"]
        lines.append(row("fields, records read", report.meter.requestsTotal, report.meter.spent))
        if report.restored > 0 {
            lines.append(
                row("put back \(report.restored.grouped) × \(object.costs.update)", report.restored, report.restoreCost)
            )
        }
        if report.deleted > 0 {
            lines.append(
                row("delete \(report.deleted.grouped) × \(object.costs.delete)", report.deleted, report.deleteCost))
        }
        lines.append(row("total", report.requests, report.cost))
        if let left = report.budgetLeft { lines.append("    left today \(left.grouped)") }
        return lines + [""]
    }

    /// What else is to be known.
    private var notes: [String] {
        var notes: [String] = []
        if report.undone.status != .finished, report.run == nil {
            notes.append("  The run is not finished: its rest is given up.")
        }
        if report.unknownBefore > 0 {
            notes.append(
                "  \(counted(report.unknownBefore, "update")) of the run cannot be put back: nobody had looked at the "
                    + "records. undo: on in \(file.file) looks at all of them.")
        }
        if report.unknownCreated > 0 {
            notes.append(
                "  \(counted(report.unknownCreated, "record")) that the run created cannot be told any more, and stay.")
        }
        if report.hasWork {
            notes.append(
                file.definition.fetch.mode == .incremental
                    ? "  A run of \(file.name) sends these rows again when they change, or with --full-refresh: the "
                        + "watermark stays."
                    : "  The next run of \(file.name) sends these rows again, unless source or map are mended first.")
        }
        return notes
    }

    private var closing: String {
        guard report.hasWork else {
            return "Undo: " + (earlier.map { "run \(report.undone.id) was undone by run \($0); " } ?? "") + rest + "."
        }
        return "Undo: \(report.restored.grouped) to put back, \(report.deleted.grouped) to delete, "
            + "\(counted(report.conflictsTotal, "conflict")) left alone, \(report.cost.grouped) tokens."
    }

    /// What is left where nothing is to be sent.
    private var rest: String {
        report.conflictsTotal == 0 ? "nothing is left to do" : "nothing is left to do but what is left alone"
    }

    /// The run that has undone it before, or nil.
    private var earlier: String? { report.undoneBy.last }

    /// How an undo has ended, in the head of its summary.
    private func ending(_ run: RunRecord, isNothing: Bool) -> String {
        if isNothing { return "nothing to undo" }
        guard run.status == .finished, report.refused + report.refusedFields > 0 else {
            return run.status == .finished ? "undone" : "undone in part"
        }
        return report.restored + report.deleted > 0 ? "undone in part" : "not undone"
    }

    /// The summary for people.
    var text: String {
        guard let run = report.run else { return planText }
        let isNothing = run.status == .finished && report.restored + report.deleted + report.refused == 0
        var lines = ["\(file.name)   \(ending(run, isNothing: isNothing))   run \(report.undone.id), by run \(run.id)"]
        if let earlier, isNothing { lines.append("  run \(report.undone.id) was undone by run \(earlier); \(rest)") }
        if report.isResumed { lines.append("  went on with an undo that was interrupted") }
        let numbers = numbers(isPlan: false)
        lines += [""] + (numbers.isEmpty ? [] : numbers + [""])
        lines += conflicts
        lines.append(
            "  API         \(counted(report.meter.requestsTotal, "call")) · \(counted(report.meter.spent, "token"))"
                + (report.budgetLeft.map { " · \($0.grouped) left today" } ?? ""))
        if let planned = report.predicted { lines += plannedLine(planned).wrapped(to: width, indent: 14) }
        if let stop = report.stop { lines += "  stopped     \(stop.sentence)".wrapped(to: width, indent: 14) }
        if run.status != .finished {
            let words = report.predicted == nil ? report.undone.id : "--plan FILE"
            lines.append("  next        penstock undo \(words)   goes on where this stopped")
        }
        lines += notes.flatMap { $0.wrapped(to: width, indent: 2) }
        return lines.map(\.withoutTrailingSpace).joined(separator: "\n") + "\n\n"
    }

    /// What was planned, beside what came.
    private func plannedLine(_ planned: PlanNumbers) -> String {
        var parts = [counted(planned.requests, "call"), counted(planned.tokens, "token")]
        for (name, words) in [("updated", "put back"), ("deleted", "deleted"), ("conflicts", "in conflict")] {
            if let number = planned.counts[name], number > 0 { parts.append("\(number.grouped) \(words)") }
        }
        if let isAsPlanned = report.isAsPlanned { parts.append(isAsPlanned ? "as it came" : "it came otherwise") }
        return "  planned     " + parts.joined(separator: " · ")
    }

    // MARK: - JSON

    /// The document for programs.
    var json: JSON {
        var object = JSONObject()
        object["sync"] = .string(file.name)
        object["undone"] = .string(report.undone.id)
        object["run"] = report.run.map { .string($0.id) } ?? .null
        object["kind"] = .string(UndoRunner.kind)
        object["undone_by"] = .strings(report.undoneBy)
        if let run = report.run {
            object["status"] = .string(run.status.rawValue)
            object["exit_code"] = .integer(exitCode.rawValue)
            object["resumed"] = .bool(report.isResumed)
            object["started_at"] = .string(TimeDisplay.utc(run.startedAtMilliseconds))
            let end = run.finishedAtMilliseconds ?? run.startedAtMilliseconds
            object["execution_time"] = .double(Double(end - run.startedAtMilliseconds) / 1_000)
        }
        object["counts"] = .object([
            "records": .integer(report.records), "restored": .integer(report.restored),
            "restored_fields": .integer(report.restoredFields), "deleted": .integer(report.deleted),
            "as_before": .integer(report.already), "left": .integer(report.left),
            "conflicts": .integer(report.conflictsTotal), "refused": .integer(report.refused),
            "refused_fields": .integer(report.refusedFields), "not_tried": .integer(report.notTried),
            "unknown_before": .integer(report.unknownBefore),
            "unknown_created": .integer(report.unknownCreated),
        ])
        if report.run == nil {
            object["cost"] = .object([
                "tokens": .integer(report.cost), "requests": .integer(report.requests),
                "tokens_read": .integer(report.meter.spent), "tokens_update": .integer(report.restoreCost),
                "tokens_delete": .integer(report.deleteCost),
                "left_today": report.budgetLeft.map { .integer($0) } ?? .null,
            ])
        } else {
            object["api"] = .object([
                "requests": .integer(report.meter.requestsTotal), "tokens": .integer(report.meter.spent),
                "refused": .integer(report.meter.refusals),
                "left_today": report.budgetLeft.map { .integer($0) } ?? .null,
            ])
        }
        if report.run != nil {
            object["predicted"] = report.predicted?.json ?? .null
            if let isAsPlanned = report.isAsPlanned { object["as_planned"] = .bool(isAsPlanned) }
        }
        object["examples"] = .array(report.examples.map { json($0) })
        object["conflict"] = .array(report.conflicts.map { json($0) })
        object["notes"] = .strings(notes.map { String($0.drop { $0 == " " }) })
        if let stop = report.stop {
            object["error"] = .object(["code": .string(stop.code), "message": .string(stop.sentence)])
        }
        return .object(object)
    }

    private func value(_ text: String, _ field: String) -> JSON {
        text.isEmpty ? .null : .string(file.mask.contains(field) ? "•••" : text)
    }

    private func json(_ example: UndoReport.Example) -> JSON {
        .object([
            "action": .string(example.isDelete ? "delete" : "restore"), "id": .string(example.remoteID),
            "key": .string(file.shownKey(example.keyText)),
            "changes": .array(
                example.fields.map {
                    .object([
                        "field": .string($0.name), "old": value($0.live, $0.name), "new": value($0.before, $0.name),
                    ])
                }),
        ])
    }

    private func json(_ conflict: UndoConflict) -> JSON {
        .object([
            "id": .string(conflict.remoteID), "key": .string(file.shownKey(conflict.keyText)),
            "field": conflict.field.isEmpty ? .null : .string(conflict.field),
            "reason": .string(conflict.reason.rawValue), "live": value(conflict.live, conflict.field),
            "written": value(conflict.written, conflict.field), "before": value(conflict.before, conflict.field),
            "message": .string(conflict.message), "run": conflict.run.isEmpty ? .null : .string(conflict.run),
        ])
    }
}
