// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// The end of a run as text and as JSON, and its exit code.
struct RunRenderer {
    private let file: SyncFile
    private let sync: OpenSync
    private let report: RunReport
    private let width: Int?

    /// A renderer for the run of one sync.
    ///
    /// - Parameter width: How wide a line may be, or nil for no limit.
    init(_ file: SyncFile, _ sync: OpenSync, _ report: RunReport, width: Int?) {
        self.width = width
        self.file = file
        self.sync = sync
        self.report = report
    }

    private var counts: RunCounts { report.counts }

    /// The exit code: who must act first, then whether a later run helps, then whether too many were rejected.
    ///
    /// Trying again is no help where a person must act, so such a stop goes before rows whose fate is not known yet.
    var exitCode: ExitCode {
        // A run that a signal came too late for is done: to run again would insert anew.
        if let signal = Interruption.exitCode, report.run.status != .finished { return signal }
        let stop = stopCode
        if let stop, [.config, .permission, .fault, .cannotWrite, .failed].contains(stop) { return stop }
        if counts.unknown > 0 { return .tryLater }
        if let stop { return stop }
        if counts.notTried > report.left { return .unavailable }
        if report.run.status == .unfinished { return .tryLater }
        return isWithinLimit && report.duplicates.isEmpty ? .ok : .data
    }

    private var stopCode: ExitCode? {
        switch report.stop {
        case .connector(let error, _, _): ExitCode(error)
        case .state(let error), .spool(let error): CommandFailure(error, sync: file.name).exitCode
        case .refused(let refusal): CommandFailure(refusal, file).exitCode
        case nil: nil
        }
    }

    private var isWithinLimit: Bool {
        switch file.definition.rejectsMax {
        case .count(let limit): counts.rejected <= Int64(limit)
        case .basisPoints(let points): counts.rejected * 10_000 <= Int64(points) * counts.fetched
        }
    }

    private var state: String {
        if report.stop != nil || report.run.status == .unfinished { return "unfinished" }
        if counts.rejected == 0 { return "ok" }
        return isWithinLimit
            ? "ok, \(counts.rejected.grouped) rejected" : "partial, \(counts.rejected.grouped) rejected"
    }

    /// The text for people.
    var text: String {
        var lines = [
            "\(file.name)   \(state)   \(TimeDisplay.duration(milliseconds: report.elapsedMilliseconds))   run \(report.run.id)"
        ]
        if report.isResumed {
            let verb = report.run.status == .finished ? "finished" : "went on with"
            lines.append("  \(verb) an interrupted run; \(counted(counts.recovered, "row")) settled before")
        }
        for note in sync.pinNotes { lines.append("  warning[field-renamed]: \(note)") }
        if report.continuations > 0 {
            let times = report.continuations == 1 ? "once" : "\(report.continuations) times"
            lines.append("  warning[source-cut]: the source was cut off \(times); the rest was read in a new snapshot")
        }
        lines.append("")
        lines += numbers
        lines.append("")
        if file.definition.fetch.mode == .incremental { lines.append(watermarkLine) }
        lines.append(apiLine)
        if let planned = report.predicted { lines += plannedLine(planned).wrapped(to: width, indent: 14) }
        for name in report.passedLimits {
            lines.append("  limit       limits.\(name.rawValue) was exceeded, as --yes-really said")
        }
        if counts.rejected > 0 {
            lines.append(
                "  rejects     "
                    + report.rejectsByCode.map { "\($0.count.grouped) \($0.code)" }.joined(separator: " · "))
            lines.append("              penstock reject list \(file.name)")
        }
        if counts.conflicts > 0 {
            lines += HeldFields.line(counts.conflicts, report.conflicts).wrapped(to: width, indent: 14)
        }
        if let removed = report.removed, removed.count > 0 {
            lines += removedText(removed).wrapped(to: width, indent: 14)
        }
        if counts.nullKeys > 0 {
            lines.append("  NULL keys   \(counted(counts.nullKeys, "row")) without an Incremental Key")
        }
        if report.isLimited {
            lines.append(
                "  limit       stopped after \(counted(counts.fetched, "row")), as asked; the source may have more")
        }
        lines += reasons
        return lines.joined(separator: "\n") + "\n\n"
    }

    private var numbers: [String] {
        let pairs = counts.named.filter { name, value in
            ["fetched", "created", "updated", "unchanged", "rejected"].contains(name)
                || (value > 0 && ["skipped", "unknown", "not_tried", "reread"].contains(name))
        }
        var lines: [String] = []
        for start in stride(from: 0, to: pairs.count, by: 3) {
            let cells = pairs[start..<min(start + 3, pairs.count)].map { name, value in
                name.fitted(to: 10) + value.grouped.fitted(to: 10, alignedRight: true)
            }
            lines.append("  " + cells.joined(separator: "    "))
        }
        return lines
    }

    private func removedText(_ removed: RemovedRows) -> String {
        let shown = removed.examples.map { file.shownKey($0.keyText).printable.truncated(to: 40) }
        let more = removed.count > Int64(shown.count) ? ", …" : ""
        return "  removed     \(counted(removed.count, "row")) no longer in the source, left alone at the destination: "
            + shown.joined(separator: ", ") + more
    }

    private var watermarkLine: String {
        let before = report.run.watermarkBefore ?? "none"
        let why =
            report.isLimitedByWriters
            ? ", as rows may still be committed before it; later ones are looked at again" : ""
        guard !report.holdsWatermark, let after = report.run.watermarkAfter else {
            return "  watermark   stays at \(before)\(why)"
        }
        return "  watermark   \(before) → \(after)\(why)"
    }

    private var apiLine: String {
        var parts = [counted(report.meter.requestsTotal, "call"), counted(report.meter.spent, "token")]
        if let left = report.budgetLeft { parts.append("\(left.grouped) left today") }
        if report.retries > 0 { parts.append("\(report.retries.grouped) retries") }
        if report.meter.refusals > 0 { parts.append("\(report.meter.refusals.grouped) refused for rate") }
        return "  API         " + parts.joined(separator: " · ")
    }

    /// What the plan said, and whether it has come so.
    private func plannedLine(_ planned: PlanNumbers) -> String {
        let names = ["created", "updated", "unchanged", "rejected", "unknown"]
        var parts = [counted(planned.requests, "call"), counted(planned.tokens, "token")]
        parts += names.compactMap { name in
            let number = planned.counts[name] ?? 0
            return number > 0 ? "\(number.grouped) \(name)" : nil
        }
        if let isAsPlanned { parts.append(isAsPlanned ? "as it came" : "it came otherwise") }
        return "  planned     " + parts.joined(separator: " · ")
    }

    /// Whether everything came as the plan said; nil where that is not to be expected: of a run in several attempts
    /// only one is seen, and what becomes of a lost create cannot be planned.
    private var isAsPlanned: Bool? {
        guard let planned = report.predicted, planned.counts["unknown"] ?? 0 == 0 else { return nil }
        // The plan of a run that was interrupted before knows what it had settled by then.
        guard !report.isResumed || planned.counts["recovered"] ?? 0 == counts.recovered else { return nil }
        let actual = Dictionary(uniqueKeysWithValues: counts.named.map { ($0.name, $0.value) })
        return planned.requests == report.meter.requestsTotal && planned.tokens == report.meter.spent
            && ["fetched", "created", "updated", "unchanged", "skipped", "rejected"].allSatisfy {
                planned.counts[$0] ?? 0 == actual[$0] ?? 0
            }
    }

    private var reasons: [String] {
        var lines: [String] = []
        if let stop = report.stop { lines += "  stopped     \(stop.sentence)".wrapped(to: width, indent: 14) }
        if counts.unknown > 0 {
            lines += "  unknown     \(unknownText)".wrapped(to: width, indent: 14)
        }
        if report.gone > 0 {
            lines.append("  gone        \(counted(report.gone, "reject")) not sent: the source no longer has the rows")
        }
        for ids in report.duplicates {
            let text =
                "  duplicate   The records \(ids.joined(separator: " and ")) carry the marker of one row: a request was "
                + "carried out later than \(file.name) waits for. Delete or merge all but one, and write a longer "
                + "insert.settle."
            lines += text.wrapped(to: width, indent: 14)
        }
        if let forecast {
            lines += "  forecast    \(forecast.sentence)".wrapped(to: width, indent: 14)
        }
        if report.stop != nil || report.run.status == .unfinished {
            lines.append("  next        penstock run \(file.name)   goes on where this stopped")
        }
        return lines
    }

    /// When what is left is sent, where the budget ended the run and what is left is known.
    private var forecast: RunForecast? {
        guard case .connector(let error, _, _) = report.stop, error.code == .quotaSpent, let unread = report.unread
        else {
            return nil
        }
        let sent = [RequestIntent.Kind.create, .update].compactMap { report.meter.requests[$0] }.reduce(0, +)
        let costs = sync.object.costs
        return RunForecast(
            .init(
                open: counts.notTried, unread: unread, done: counts.fetched - counts.recovered, sent: sent,
                spent: report.meter.spent, highest: max(costs.create, costs.update)),
            report.allowance, file)
    }

    private var unknownText: String {
        let many = "\(counted(counts.unknown, "create")) may have been applied: the answer was lost."
        if case .atMostOnce = sync.guarantee {
            return "\(many) Look at the destination, and say what became of each: penstock reject resolve \(file.name)"
        }
        let them = counts.unknown == 1 ? "it" : "them"
        return
            "\(many) The next run looks for \(them) at the destination, once the time for the request is over; what it "
            + "cannot tell, because map or source have changed, is settled by: penstock reject resolve \(file.name)"
    }

    /// The document for programs: what `run_results.json` holds.
    var json: JSON {
        var object = JSONObject()
        object["sync"] = .string(file.name)
        object["run"] = .string(report.run.id)
        object["status"] = .string(report.run.status.rawValue)
        object["exit_code"] = .integer(exitCode.rawValue)
        object["resumed"] = .bool(report.isResumed)
        object["limited"] = .bool(report.isLimited)
        object["started_at"] = .string(TimeDisplay.utc(report.run.startedAtMilliseconds))
        object["execution_time"] = .double(Double(report.elapsedMilliseconds) / 1_000)
        object.append(counts, rejectsByCode: report.rejectsByCode)
        object["watermark"] = .object([
            "before": report.run.watermarkBefore.map { .string($0) } ?? .null,
            "after": report.run.watermarkAfter.map { .string($0) } ?? .null,
        ])
        object["api"] = .object([
            "requests": .integer(report.meter.requestsTotal), "tokens": .integer(report.meter.spent),
            "retries": .integer(report.retries), "refused": .integer(report.meter.refusals),
            "left_today": report.budgetLeft.map { .integer($0) } ?? .null,
        ])
        object["conflict"] = .array(report.conflicts.map { HeldFields.json($0, file) })
        object["predicted"] = report.predicted?.json ?? .null
        if let isAsPlanned { object["as_planned"] = .bool(isAsPlanned) }
        object["passed_limits"] = .strings(report.passedLimits.map(\.rawValue))
        object["forecast"] = forecast?.json ?? .null
        object["delivery"] = .string(sync.guarantee.name)
        object["duplicates"] = .array(report.duplicates.map { .strings($0) })
        object["gone"] = .integer(report.gone)
        object["removed"] =
            report.removed.map { removed in
                .object([
                    "count": .integer(removed.count),
                    "examples": .array(
                        removed.examples.map { example in
                            .object([
                                "key": .string(file.shownKey(example.keyText)),
                                "id": example.remoteID.map { .string($0) } ?? .null,
                            ])
                        }),
                ])
            } ?? .null
        object["source_cuts"] = .integer(report.continuations)
        object["watermark_limited"] = .bool(report.isLimitedByWriters)
        object["notes"] = .strings(sync.pinNotes)
        object["message"] = .string(report.run.message)
        if let stop = report.stop {
            object["error"] = .object(["code": .string(stop.code), "message": .string(stop.sentence)])
        }
        if case .connector(let error, _, _)? = report.stop {
            if let wait = error.retryAfterMilliseconds {
                object["try_again_at"] = .string(TimeDisplay.utc(WallClock.milliseconds + wait))
            }
            if error.isRation { object["rationed"] = .bool(true) }
        }
        return .object(object)
    }

    /// The line below several runs.
    static func total(_ codes: [ExitCode]) -> String {
        let good = codes.filter { $0 == .ok }.count
        return "\(good) ok, \(codes.count - good) not   exit \(ExitCode.mostSevere(codes).rawValue)\n"
    }
}
