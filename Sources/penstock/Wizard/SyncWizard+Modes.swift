// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockProject

/// Step 3, the second half: how rows are fetched and inserted. Step 4: when.
extension SyncWizard {
    /// Fetch Mode, Incremental Key and Insert Mode.
    func modes(_ draft: inout SyncDraft, _ object: ObjectDescriptor) throws {
        try fetch(&draft)
        draft.start = options.start
        draft.lookback = options.lookback
        if let mode = try options.word(options.insert, InsertDefinition.Mode.self, "--insert") {
            draft.insert = mode
        } else if asks {
            draft.insert = try questions.choice(
                "    Insert Mode  ",
                [
                    Questions.Choice("Append", note: "creates a record for every row", .append),
                    Questions.Choice("Update", note: "changes the mapped fields of records", .update),
                ])
        }
        if draft.insert == .append { try append(&draft, object) } else { try update(&draft, object) }
    }

    private func fetch(_ draft: inout SyncDraft) throws {
        if let mode = try options.word(options.fetch, FetchDefinition.Mode.self, "--fetch") {
            draft.fetch = mode
        } else if asks {
            draft.fetch = try questions.choice(
                "    Fetch Mode   ",
                [
                    Questions.Choice("FULL", note: "every row, every run", .full),
                    Questions.Choice("INCREMENTAL", note: "what is new since the last run", .incremental),
                ])
        }
        guard draft.fetch == .incremental else { return }
        draft.fetchKey = options.key
        guard draft.fetchKey == nil else { return }
        guard asks, let view else { throw missing("--key", "INCREMENTAL needs the Incremental Key") }
        let columns = view.cursorColumns
        guard !columns.isEmpty else {
            questions.say("    No column has an order that can be kept; it stays FULL.")
            draft.fetch = .full
            return
        }
        draft.fetchKey = try questions.choice(
            "    Incremental Key",
            columns.map { Questions.Choice($0.name, note: SourceView.typeName($0), $0.name) })
    }

    // MARK: - Insert

    private func append(_ draft: inout SyncDraft, _ object: ObjectDescriptor) throws {
        draft.onNull = try options.word(options.onNull, InsertDefinition.OnNull.self, "--on-null")
        guard asks else { return }
        let ids = fields.filter { $0.kind == .id }.map(\.key)
        if let place = draft.map.firstIndex(where: { ids.contains($0.target) || $0.target == "id" }) {
            let dropped = draft.map.remove(at: place)
            questions.say("    Append gives new records their id: \(dropped.target) is left out.")
        }
        try requireFields(&draft, object, "Append")
    }

    private func requireFields(_ draft: inout SyncDraft, _ object: ObjectDescriptor, _ what: String) throws {
        guard let view else { return }
        for field in object.requiredOnCreate where !draft.map.contains(where: { $0.target == field }) {
            let subject = AutoMap.Subject(object: object.id)
            var dialogue = MapDialogue(
                fields: fields, view: view, subject: subject, entries: draft.map, questions: questions)
            try dialogue.require(field, "\(what) needs \(field) for a new \(object.id).")
            draft.map = dialogue.entries
        }
    }

    private func update(_ draft: inout SyncDraft, _ object: ObjectDescriptor) throws {
        draft.match = options.match
        draft.onMissing = try options.word(options.onMissing, InsertDefinition.OnMissing.self, "--on-missing")
        draft.onNull = try options.word(options.onNull, InsertDefinition.OnNull.self, "--on-null")
        guard asks else { return }
        if draft.match == nil { try chooseMatch(&draft) }
        if draft.onMissing == nil {
            let what = draft.match.map { "no record has the same \($0)" } ?? "the row has no id"
            draft.onMissing = try questions.choice(
                "    Where \(what)",
                [
                    Questions.Choice("reject", .reject), Questions.Choice("skip", .skip),
                    Questions.Choice("create", note: "a new record", .create),
                ])
        }
        if draft.onMissing == .create { try requireFields(&draft, object, "create") }
        if draft.onNull == nil {
            draft.onNull = try questions.choice(
                "    Empty values ",
                [
                    Questions.Choice("keep", note: "leave the field alone", .keep),
                    Questions.Choice("clear", note: "empty the field", .clear),
                ])
        }
    }

    private func chooseMatch(_ draft: inout SyncDraft) throws {
        guard !draft.map.contains(where: { $0.target == "id" }) else { return }
        let lookup = FieldLookup(fields)
        let able = draft.map.map(\.target).filter { target in
            guard case .found(let place) = lookup.find(target) else { return false }
            return fields[place].kind.canFindRecords
        }
        guard !able.isEmpty else {
            throw CommandFailure(
                .config, code: "update-id", "Update needs the id of the record, and no mapped field can find one",
                notes: ["map id, or a field that names a record; nothing was written"])
        }
        let columns = able.map { target in draft.map.first { $0.target == target }?.column }
        // What is filled by the source key, else by what tells rows apart; the first one is as good as any other.
        let isUnique = columns.map { column in column.map { view?.tellsApart($0) ?? false } ?? false }
        let likely =
            columns.firstIndex { $0.map { draft.key == [$0] } ?? false } ?? isUnique.firstIndex(of: true) ?? 0
        draft.match = try questions.choice(
            "    Find records by",
            zip(able, isUnique).map { target, isUnique in
                Questions.Choice(target, note: isUnique ? "no value twice so far" : "", target)
            }, default: likely)
    }

    // MARK: - 4/5 Schedule

    private enum Kind {
        case manual
        case every
        case cron
    }

    /// When it runs: of the options, else asked for.
    func schedule(_ draft: inout SyncDraft) throws {
        draft.timezone = options.timezone
        if let schedule = options.schedule {
            draft.schedule = schedule
            guard let problem = schedule.problem(zone: options.timezone) else { return }
            throw CommandFailure(
                .usage, code: "schedule", "\(problem.option): \(problem.message)",
                notes: problem.suggestion.map { [$0] } ?? [])
        }
        guard asks else { return }
        let kind: Kind = try questions.choice(
            "4/5 Schedule     ",
            [
                Questions.Choice("by hand", .manual), Questions.Choice("every …", note: "normal", .every),
                Questions.Choice("cron", note: "advanced", .cron),
            ])
        switch kind {
        case .manual: return
        case .every:
            let length = try questions.text("    How often     15m, 1h, 1d …", default: "1h") {
                ScheduleWords.problem(.every($0, start: nil))
            }
            let start = try questions.text("    First start   as 2026-12-01 06:00, or empty") {
                $0.isEmpty ? nil : ScheduleWords.problem(.every(length, start: $0))
            }
            draft.schedule = .every(length, start: start.isEmpty ? nil : start)
        case .cron:
            let expression = try questions.text(
                "    Cron          minute hour day month weekday", default: "0 6 * * *"
            ) { ScheduleWords.problem(.cron($0)) }
            draft.schedule = .cron(expression)
        }
        let schedule = draft.schedule
        draft.timezone = try questions.text("    Zone         ", default: ScheduleWords.localZone) {
            ScheduleWords.problem(schedule, zone: $0)
        }
        ScheduleWords.say(schedule, zone: draft.timezone, questions)
    }
}
