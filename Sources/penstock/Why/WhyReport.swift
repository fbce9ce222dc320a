// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// Why a row is as it is at the destination: in sentences, then in detail.
struct WhyReport {
    /// The sync.
    let file: SyncFile
    /// The key as it was asked for.
    let key: String
    /// What is kept here, or nil.
    let story: RowStory?
    /// What the source says now; nil where it has no such row, or was not asked.
    let inspection: RowInspection?
    /// Why the source was not asked, or nil.
    let blindness: String?

    private var object: String { file.definition.destination.object }
    private static let dots = "•••"

    // MARK: - Sentences

    /// What is to be known, in sentences.
    var sentences: [String] {
        var found: [String] = []
        if let record = recordSentence { found.append(record) }
        if let doubt = doubtSentence { found.append(doubt) }
        if let last = lastRunSentence { found.append(last) }
        if let reject = rejectSentence { found.append(reject) }
        if story == nil {
            found.append(
                inspection == nil
                    ? "No run of \(file.name) has met a row with this key." : "No run of \(file.name) has met it yet.")
        }
        if let source = sourceSentence { found.append(source) }
        if let next = nextSentence { found.append(next) }
        if let remote = remoteSentence { found.append(remote) }
        return found
    }

    /// When the record was made and changed last, and whether that still holds.
    private var recordSentence: String? {
        guard let entry = story?.entry else { return nil }
        let id = entry.remoteID.map { "\(object) \($0)" } ?? "a record whose id is not known"
        let created = story?.requests.first { $0.text("result") == "created" }
        let updated = story?.requests.last { $0.text("result") == "updated" }
        switch entry.outcome {
        case .skipped:
            return "It was passed over \(when(nil)): it has no record, and the sync says to leave such rows out."
        case .dropped: return "A person said that it is left out."
        case .rejected, .notTried, .retry: return entry.remoteID.map { "Its record is \(object) \($0)." }
        case .intent, .unknown: return nil
        case .created, .updated, .unchanged:
            var text: String
            if let created {
                text = "It was created on \(created.time) as \(id)"
                if let updated { text += ", and updated on \(updated.time)" }
            } else if entry.outcome == .created {
                text = "It was created \(when(nil)) as \(id)"
            } else if let updated {
                text = "Its record is \(id), updated on \(updated.time)"
            } else if entry.outcome == .updated {
                text = "Its record is \(id), updated \(when(nil))"
            } else {
                text = "Its record is \(id), which held these values already \(when(nil))"
            }
            return text + unchangedClause + "."
        }
    }

    private func when(_ run: RunRecord?) -> String {
        guard let run = run ?? story?.lastRun else { return "in a run that is not kept any more" }
        return "on \(TimeDisplay.local(run.startedAtMilliseconds)) in run \(run.id)"
    }

    private var unchangedClause: String {
        guard let inspection, let entry = story?.entry else { return "" }
        guard let payload = inspection.payload else { return "; what the source has now cannot be sent" }
        guard let accepted = entry.payload else { return "" }
        return payload == accepted ? "; unchanged since" : "; the source has other values now"
    }

    /// Whether the last run had to do with it.
    private var lastRunSentence: String? {
        guard let entry = story?.entry, let newest = story?.newestRun, entry.run != newest.number else { return nil }
        return "The last run, on \(TimeDisplay.local(newest.startedAtMilliseconds)), had nothing to write for it."
    }

    private var doubtSentence: String? {
        guard let entry = story?.entry, [.intent, .unknown].contains(entry.outcome) else { return nil }
        let sent = entry.intent.map { "on \(TimeDisplay.local($0.startedAtMilliseconds))" } ?? when(nil)
        return "A create was sent \(sent), and its answer was lost: the record may exist or not. The next run looks "
            + "for it; what it cannot tell is settled by: penstock reject resolve \(file.name)"
    }

    private var rejectSentence: String? {
        guard let reject = story?.reject else { return nil }
        let field = reject.field.isEmpty ? "" : ", field \(reject.field)"
        let value = RejectText.value(reject, file)
        let shown = value.isEmpty ? "" : " \"\(value)\""
        return "It was rejected on \(TimeDisplay.local(reject.lastSeenMilliseconds)) (\(reject.code)\(field)\(shown)): "
            + reject.message
    }

    private var sourceSentence: String? {
        if let blindness { return "The source was not looked at: \(blindness)." }
        guard let inspection else {
            return "The source has no row with this key now" + (story == nil ? "." : "; its record is left as it is.")
        }
        guard inspection.count > 1 else { return nil }
        return "The source has \(inspection.count) rows with this key: the first one goes, the others are rejects."
    }

    private var nextSentence: String? {
        guard let inspection else { return nil }
        if let reject = inspection.reject {
            let place = reject.field.isEmpty ? "" : " in \(reject.field)"
            return "As it is now it cannot be sent: \(reject.code)\(place): \(reject.message)"
        }
        let cursor = inspection.cursor.map { isMaskedColumn(file.definition.fetch.key ?? "") ? Self.dots : $0 } ?? ""
        let key = file.definition.fetch.key ?? ""
        let watermark = story?.watermark.map { " \(cursor.isEmpty || cursor == Self.dots ? "" : $0.text)" } ?? ""
        let isSame = story?.entry?.payload == inspection.payload && story?.entry?.payload != nil
        switch inspection.fetch {
        case .full where file.definition.insert.mode == .append:
            return "Every run reads every row and inserts it again."
        case .full: return isSame ? nil : "The next run reads every row, and this one with them."
        case .past: return "Its \(key) \(cursor) is past the watermark\(watermark): the next run reads it."
        case .lookedAtAgain:
            return "Its \(key) \(cursor) is not past the watermark\(watermark), but near enough to be read again"
                + (isSame ? "; with the same values nothing is sent." : ".")
        case .behind:
            return "Its \(key) \(cursor) is before the watermark\(watermark): no run reads it unless it changes, or "
                + "with --full-refresh."
        case .missing:
            return "Its \(key) is NULL, so it can never be past a watermark; see fetch.null_key."
        }
    }

    private var remoteSentence: String? {
        guard let inspection, let hasRemote = inspection.hasRemote, let id = story?.entry?.remoteID else { return nil }
        guard hasRemote else { return "The destination has no \(object) \(id) now." }
        let names = inspection.fields.filter { $0.remoteValue != nil }.map(\.target)
        return names.isEmpty
            ? "\(object) \(id) has these values at the destination now."
            : "\(object) \(id) has other values at the destination now in: \(names.joined(separator: ", "))."
    }

    private func isMaskedColumn(_ name: String) -> Bool { file.maskedColumns.contains(name) }

    // MARK: - Text

    /// The page.
    func text(width: Int?) -> String {
        var lines = ["\(file.name)   \(file.shownKey(key))", ""]
        for sentence in sentences { lines += "  \(sentence.printable)".wrapped(to: width, indent: 2) }
        if let inspection {
            lines += ["", "  Source now"]
            for column in inspection.columns {
                lines.append("    \(column.name.fitted(to: 24)) \(shownColumn(column.name, column.value))")
            }
            lines += ["", "  Map"]
            for field in inspection.fields { lines.append("    " + line(field, inspection)) }
        }
        if let requests = story?.requests, !requests.isEmpty {
            lines += ["", "  Sent"]
            for request in requests.suffix(20) {
                let words = ["operation", "result", "http", "code", "remote_id", "message"].map(request.text)
                lines.append(
                    "    "
                        + ([request.time] + words + ["run \(request.run)"]).filter { !$0.isEmpty }.joined(
                            separator: "  "))
            }
        }
        if story?.isIncomplete == true { lines.append("    (older logs were not looked through)") }
        return lines.map { $0.printable.withoutTrailingSpace }.joined(separator: "\n") + "\n"
    }

    private func shownColumn(_ name: String, _ value: String?) -> String {
        guard let value else { return "NULL" }
        return isMaskedColumn(name) ? Self.dots : value
    }

    private func shown(_ field: RowInspection.Field, _ value: String?) -> String {
        guard let value else { return "NULL" }
        return file.mask.contains(field.target) ? Self.dots : value
    }

    private func line(_ field: RowInspection.Field, _ inspection: RowInspection) -> String {
        let from = field.columns.isEmpty ? "(constant)" : field.columns.joined(separator: ", ")
        var result: String
        if let reject = inspection.reject {
            let isAtFault = reject.field == field.target || reject.field.hasPrefix(field.target + ".")
            result = isAtFault ? "! \(reject.code)" : "not sent"
        } else {
            result = field.isSet ? shown(field, field.value) : "left as it is"
        }
        if let remote = field.remoteValue { result += "   (there: \(shown(field, remote)))" }
        return "\(from.fitted(to: 24)) → \(field.target.fitted(to: 24)) \(result)"
    }

    // MARK: - JSON

    /// The same for programs.
    var json: JSON {
        var object: JSONObject = [
            "sync": .string(file.name), "key": .string(file.shownKey(key)), "sentences": .strings(sentences),
        ]
        object["ledger"] = story?.entry.map(ledger) ?? .null
        object["reject"] = story?.reject.map { RejectText.json($0, file) } ?? .null
        object["source"] = inspection.map(source) ?? .null
        object["source_problem"] = blindness.map { .string($0) } ?? .null
        object["watermark"] = story?.watermark.map { .string($0.text) } ?? .null
        object["requests"] = .array(
            (story?.requests ?? []).map { request in
                var line = request.line.objectValue ?? [:]
                line["run"] = .string(request.run)
                return .object(line)
            })
        return .object(object)
    }

    private func ledger(_ entry: LedgerEntry) -> JSON {
        .object([
            "outcome": .string("\(entry.outcome)"), "remote_id": entry.remoteID.map { .string($0) } ?? .null,
            "run": story?.lastRun.map { .string($0.id) } ?? .null,
            "is_of_last_run": .bool(entry.run == story?.newestRun?.number),
            "same_payload": inspection.flatMap { inspection in
                entry.payload.map { .bool($0 == inspection.payload) }
            } ?? .null,
            "intent_at": entry.intent.map { .string(TimeDisplay.utc($0.startedAtMilliseconds)) } ?? .null,
        ])
    }

    private func source(_ inspection: RowInspection) -> JSON {
        var columns = JSONObject()
        for column in inspection.columns {
            columns[column.name] = column.value == nil ? .null : .string(shownColumn(column.name, column.value))
        }
        let fields = inspection.fields.map { field in
            JSON.object([
                "target": .string(field.target), "columns": .strings(field.columns), "set": .bool(field.isSet),
                "value": field.value == nil ? .null : .string(shown(field, field.value)),
                "remote_value": field.remoteValue == nil ? .null : .string(shown(field, field.remoteValue)),
            ])
        }
        return .object([
            "rows": .integer(inspection.count), "columns": .object(columns), "fields": .array(fields),
            "fetch": .string("\(inspection.fetch)"),
            "reject": inspection.reject.map { reject in
                .object([
                    "code": .string(reject.code), "field": .string(reject.field),
                    "value": .string(RejectText.value(reject.value, of: reject.field, file)),
                    "message": .string(reject.message),
                ])
            } ?? .null, "remote_exists": inspection.hasRemote.map { .bool($0) } ?? .null,
        ])
    }
}
