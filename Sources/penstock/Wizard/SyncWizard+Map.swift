// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject

/// Step 3, Map Fields.
extension SyncWizard {
    /// The field map: of the options, else proposed and changed until it is accepted.
    func map(_ draft: SyncDraft, _ object: ObjectDescriptor) throws -> [SyncDraft.Entry] {
        let given = try options.entries()
        guard asks || options.auto else {
            guard !given.isEmpty else { throw missing("--map", "TARGET=COLUMN, once for each field; or --auto") }
            return given
        }
        guard let view else { return given }
        var editor = MapDialogue(
            fields: fields, view: view, subject: subject(draft, object), entries: given, questions: questions)
        if options.auto || given.isEmpty {
            editor.propose(
                acceptsID: options.insert?.lowercased() != InsertDefinition.Mode.append.rawValue.lowercased())
        }
        guard asks, given.isEmpty, !options.auto else {
            guard !editor.entries.isEmpty else {
                throw missing("--map", "no column looks like a field of \(object.id)")
            }
            return editor.entries
        }
        try editor.run(object.id)
        return editor.entries
    }

    private func subject(_ draft: SyncDraft, _ object: ObjectDescriptor) -> AutoMap.Subject {
        let connector = project.connection(named: draft.connection)?.connector
        return AutoMap.Subject(object: object.id, system: [connector, draft.connection].compactMap { $0 })
    }
}

/// A field map that is proposed and changed at prompts.
struct MapDialogue {
    let fields: [DestinationField]
    let view: SourceView
    let subject: AutoMap.Subject
    private(set) var entries: [SyncDraft.Entry]
    let questions: Questions
    /// Why an entry is there, by target.
    private var reasons: [String: String] = [:]
    /// Proposals that are not taken by themselves.
    private var doubtful: [AutoMap.Proposal] = []

    init(
        fields: [DestinationField], view: SourceView, subject: AutoMap.Subject, entries: [SyncDraft.Entry],
        questions: Questions
    ) {
        self.fields = fields
        self.view = view
        self.subject = subject
        self.entries = entries
        self.questions = questions
    }

    /// Adds what looks certain or likely for what is not mapped yet.
    ///
    /// - Parameter acceptsID: Whether the id of a record may be among it.
    mutating func propose(acceptsID: Bool) {
        let lookup = FieldLookup(fields)
        let mapped = entries.compactMap { entry -> String? in
            if case .found(let place) = lookup.find(entry.target) { fields[place].key } else { nil }
        }
        let open = acceptsID ? fields : fields.filter { $0.kind != .id }
        let map = AutoMap(fields: open, columns: view.columns, subject: subject)
        for proposal in map.proposals(without: (Set(mapped), Set(entries.compactMap(\.column)))) {
            guard proposal.confidence >= .likely else {
                doubtful.append(proposal)
                continue
            }
            entries.append(Self.entry(proposal.target, proposal.column, split: proposal.split))
            reasons[proposal.target] =
                proposal.confidence == .exact ? proposal.reason.replacing("same name", with: "exact") : proposal.reason
        }
    }

    private static func entry(_ target: String, _ column: String, split: String?) -> SyncDraft.Entry {
        guard let split else { return SyncDraft.Entry(target, .text(column)) }
        return SyncDraft.Entry(target, .flow(.map([("from", .text(column)), ("split", .text(split))])))
    }

    /// Shows the map and changes it until it is accepted.
    mutating func run(_ object: String) throws {
        questions.say(
            "    Map Fields    \(entries.count) of \(counted(view.schema.fields.count, "column")) "
                + "\(entries.count == 1 ? "looks like a field" : "look like fields") of \(object).")
        while true {
            show()
            let ways =
                questions.width < 76
                ? "Enter, N, a, d N, ?" : "Enter = accept, N = change, a = add, d N = drop, ? = fields"
            let answer = try questions.text("    \(ways) [accept]")
            let words = answer.lowercased().split(separator: " ").map(String.init)
            switch (words.first, words.count) {
            case (nil, _):
                if !entries.isEmpty { return }
                questions.say("      a sync maps at least one field")
            case ("a", 1): try add()
            case ("?", _): showFields()
            case ("d", 2):
                guard let place = place(words[1]) else { continue }
                let dropped = entries.remove(at: place)
                reasons[dropped.target] = nil
            case (let word?, 1):
                guard let place = place(word) else { continue }
                try change(place)
            default: questions.say("      Enter, a number, a, d with a number, or ?")
            }
        }
    }

    private func place(_ word: String) -> Int? {
        if let number = Int(word), entries.indices.contains(number - 1) { return number - 1 }
        questions.say("      \"\(word.printable)\" is no number from 1 to \(entries.count)")
        return nil
    }

    private func show() {
        let room = questions.width - 1
        let targets = entries.map { $0.target.printable }
        let columns = entries.map { Self.filling($0) }
        let samples = entries.map { $0.column.map { view.sample($0) } ?? "" }
        func widest(_ texts: [String], _ limit: Int) -> Int { min(texts.map(\.displayWidth).max() ?? 0, limit) }
        let widths = [
            widest(targets, room / 3), widest(columns, room / 3), widest(samples, room / 5),
        ]
        for place in entries.indices {
            let number = "\(place + 1)".fitted(to: 7, alignedRight: true)
            let line =
                number + " " + targets[place].fitted(to: widths[0]) + " ← " + columns[place].fitted(to: widths[1])
                + "  " + samples[place].fitted(to: widths[2]) + "  " + (reasons[entries[place].target] ?? "")
            Terminal.writeError(line.withoutTrailingSpace.truncated(to: room) + "\n")
        }
        for proposal in doubtful where isOpen(proposal) {
            questions.say(
                "      not taken: \(proposal.target.printable) ← \(proposal.column.printable), \(proposal.reason)",
                indent: 8)
        }
    }

    private func isOpen(_ proposal: AutoMap.Proposal) -> Bool {
        !entries.contains { $0.target == proposal.target || $0.column == proposal.column }
    }

    /// What fills an entry, on one line.
    static func filling(_ entry: SyncDraft.Entry) -> String {
        let argument = entry.argument
        let written = argument.dropFirst(SyncDraft.Entry(entry.target, .text("c")).argument.count - 1)
        return String(written).printable
    }

    // MARK: - Changes

    private var openFields: [Questions.Choice<String>] {
        let lookup = FieldLookup(fields)
        return fields.indices.filter { place in
            let field = fields[place]
            let isWritable = field.kind == .id || field.isWritableOnCreate || field.isWritableOnUpdate
            let isMapped = entries.contains { lookup.find($0.target) == .found(place) }
            return isWritable && !isMapped
        }.map { place in
            let name = lookup.shortestName(of: place)
            return Questions.Choice(name, note: note(fields[place], name), name)
        }
    }

    private func note(_ field: DestinationField, _ name: String) -> String {
        [
            field.label == name ? "" : field.label, field.kind.rawValue, field.isCustom ? "custom" : "",
            field.isRequiredOnCreate ? "required for new records" : "",
        ].filter { !$0.isEmpty }.joined(separator: ", ")
    }

    private mutating func add() throws {
        let choices = openFields
        guard !choices.isEmpty else { return questions.say("      every field is mapped") }
        let target = try questions.choice("    Target field", choices, default: nil)
        entries.append(SyncDraft.Entry(target, try content(for: target)))
        reasons[target] = "by hand"
    }

    private mutating func change(_ place: Int) throws {
        let target = entries[place].target
        entries[place].content = try content(for: target)
        reasons[target] = "by hand"
    }

    private func content(for target: String) throws -> YAMLValue {
        let columns = view.schema.fields.map { field in
            let sample = view.sample(field.name)
            let note = SourceView.typeName(field) + (sample.isEmpty ? "" : ", \(sample.truncated(to: 24))")
            return Questions.Choice(field.name, note: note, Optional(field.name))
        }
        let chosen = try questions.choice(
            "    Column for \(target.printable)", columns + [Questions.Choice("=", note: "a constant", nil)],
            default: nil)
        if let chosen { return .text(chosen) }
        let constant = try questions.text("    Constant") { $0.isEmpty ? "a constant is not empty" : nil }
        return .flow(.map([("value", .text(constant))]))
    }

    private func showFields() {
        let lookup = FieldLookup(fields)
        let names = fields.indices.map { lookup.shortestName(of: $0).printable }
        let width = min(names.map(\.displayWidth).max() ?? 0, questions.width / 3)
        for place in fields.indices {
            let field = fields[place]
            let isWritable = field.kind == .id || field.isWritableOnCreate || field.isWritableOnUpdate
            let line =
                "      " + names[place].fitted(to: width) + "  "
                + (isWritable ? note(field, names[place]) : "cannot be written")
            Terminal.writeError(line.withoutTrailingSpace.truncated(to: questions.width - 1) + "\n")
        }
    }

    /// Maps `target` to a column that is asked for.
    mutating func require(_ target: String, _ why: String) throws {
        questions.say("    \(why)")
        entries.append(SyncDraft.Entry(target, try content(for: target)))
        reasons[target] = "by hand"
    }
}
