// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockState

/// A run as a page of text: the summary that it ended with, from what is kept of it.
struct RunPage {
    private let entry: HistoryEntry
    private let result: JSON?

    /// A page about a run, with the document that it left, if it is there.
    init(_ entry: HistoryEntry, _ result: JSON?) {
        self.entry = entry
        self.result = result
    }

    /// The text.
    var text: String {
        let duration = result?["execution_time"]?.doubleValue.map { Int64($0 * 1_000) } ?? entry.milliseconds
        let time = duration.map { "   \(TimeDisplay.duration(milliseconds: $0))" } ?? ""
        var lines = ["\(entry.sync)   \(state)\(time)   run \(entry.id)", ""]
        lines.append("  started     \(TimeDisplay.local(entry.startedAt))")
        if let undone = result?["undone"]?.stringValue { lines.append("  undid       run \(undone)") }
        if let end = entry.record?.finishedAtMilliseconds { lines.append("  ended       \(TimeDisplay.local(end))") }
        if let attempts = entry.record?.attempts, attempts > 1 { lines.append("  attempts    \(attempts)") }
        if let code = result?["exit_code"]?.intValue { lines.append("  exit code   \(code)") }
        lines += counts
        lines += watermark
        if let api = apiLine { lines.append(api) }
        if let planned = plannedLine { lines.append(planned) }
        for name in result?["passed_limits"]?.arrayValue ?? [] {
            lines.append("  limit       limits.\(name.stringValue ?? "") was exceeded, as --yes-really said")
        }
        let rejects = result?["rejects"]?.arrayValue ?? []
        if !rejects.isEmpty {
            let texts = rejects.map { "\(($0["count"]?.intValue ?? 0).grouped) \($0["code"]?.stringValue ?? "")" }
            lines.append("  rejects     " + texts.joined(separator: " · "))
            lines.append("              penstock reject list \(entry.sync)")
        }
        for note in result?["notes"]?.arrayValue ?? [] { lines.append("  note        \(note.stringValue ?? "")") }
        if !entry.message.isEmpty { lines.append("  stopped     \(entry.message)") }
        if entry.result == .unfinished {
            let command = result?["undone"]?.stringValue.map { "undo \($0)" } ?? "run \(entry.sync)"
            lines.append("  next        penstock \(command)   goes on where this stopped")
        }
        return lines.map(\.withoutTrailingSpace).joined(separator: "\n") + "\n"
    }

    private var state: String {
        let rejected = entry.count("rejected")
        switch entry.result {
        case .ok, .partial: return rejected == 0 ? "ok" : "\(entry.result.rawValue), \(rejected.grouped) rejected"
        default: return entry.record == nil ? "failed, it could not begin" : entry.result.rawValue
        }
    }

    private var counts: [String] {
        let shown = HistoryEntry.countNames.compactMap { name in entry.record?.counts[name].map { (name, $0) } }
            .filter { ["fetched", "created", "updated", "unchanged", "rejected"].contains($0.0) || $0.1 > 0 }
        guard !shown.isEmpty else { return [] }
        var lines = [""]
        for start in stride(from: 0, to: shown.count, by: 3) {
            let cells = shown[start..<min(start + 3, shown.count)].map { name, value in
                name.fitted(to: 10) + value.grouped.fitted(to: 10, alignedRight: true)
            }
            lines.append("  " + cells.joined(separator: "    "))
        }
        return lines + [""]
    }

    private var watermark: [String] {
        guard let record = entry.record, record.watermarkBefore != nil || record.watermarkAfter != nil else {
            return []
        }
        let before = record.watermarkBefore ?? "none"
        let after = record.watermarkAfter ?? before
        return ["  watermark   " + (before == after ? "stayed at \(before)" : "\(before) → \(after)")]
    }

    /// What the plan said that was applied.
    private var plannedLine: String? {
        guard let planned = result?["predicted"], !planned.isNull else { return nil }
        var parts = [
            counted(planned["requests"]?.intValue ?? 0, "call"), counted(planned["tokens"]?.intValue ?? 0, "token"),
        ]
        for name in ["created", "updated", "unchanged", "rejected"] {
            if let number = planned["counts"]?[name]?.intValue, number > 0 { parts.append("\(number.grouped) \(name)") }
        }
        if let isAsPlanned = result?["as_planned"]?.boolValue {
            parts.append(isAsPlanned ? "as it came" : "it came otherwise")
        }
        return "  planned     " + parts.joined(separator: " · ")
    }

    private var apiLine: String? {
        guard let api = result?["api"] else { return nil }
        var parts = [
            counted(api["requests"]?.intValue ?? 0, "call"), counted(api["tokens"]?.intValue ?? 0, "token"),
        ]
        if let left = api["left_today"]?.intValue { parts.append("\(left.grouped) left that day") }
        if let retries = api["retries"]?.intValue, retries > 0 { parts.append("\(retries.grouped) retries") }
        if let refused = api["refused"]?.intValue, refused > 0 { parts.append("\(refused.grouped) refused for rate") }
        return "  API         " + parts.joined(separator: " · ")
    }
}
