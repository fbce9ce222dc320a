// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockSchedule
import PenstockState

extension SyncCommand {
    /// `penstock sync describe`.
    struct Describe: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "describe", abstract: "One page in sentences: what a sync does, when, and how it went.",
            discussion: "Asks neither end.\n\nExample: penstock sync describe orgs_to_crm")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var name: String

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let sync = try workspace.sync(name, in: project)
            var runs: [RunRecord] = []
            var watermark: String?
            try workspace.withState(of: sync) { store in
                runs = try store.runs(limit: 5_000)
                watermark = runs.lazy.compactMap(\.watermarkAfter).first
            }
            let page = SyncDescription(
                sync: sync, project: project, runs: runs, watermark: watermark, now: WallClock.milliseconds)
            Terminal.write(
                options.isMachineReadable
                    ? Document(kind: "sync.describe", data: page.json).text(options.format)
                    : page.text(width: options.tableWidth ?? 100))
        }
    }
}

/// A sync in sentences.
struct SyncDescription {
    let sync: SyncFile
    let project: Project
    /// Its runs, the newest first.
    let runs: [RunRecord]
    /// The watermark's text, or nil where there is none.
    let watermark: String?
    /// The time, in milliseconds since 1970.
    let now: Int64

    private var definition: SyncDefinition { sync.definition }

    /// The page, in lines of at most `width` columns.
    func text(width: Int) -> String {
        var head = [sync.file, sync.isEnabled ? "enabled" : "disabled"]
        if let owner = sync.owner { head.append("owner \(owner)") }
        var lines = "\(sync.title ?? sync.name)  (\(head.joined(separator: ", ")))".printable.wrapped(
            to: width, indent: 2)
        if let description = sync.description {
            for line in description.split(separator: "\n") {
                lines += "  \(String(line).printable)".wrapped(to: width, indent: 2)
            }
        }
        lines.append("")
        lines += ("  " + sentences.joined(separator: " ").printable).wrapped(to: width, indent: 2)
        lines += ["", mapTable(width)]
        for (title, value) in facts {
            lines += ("  " + title.fitted(to: 12) + value.printable).wrapped(to: width, indent: 14)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: - Sentences

    /// What it does, sentence by sentence.
    var sentences: [String] {
        ["\(time) reads \(rows), and \(write)."] + missing + [nulls].compactMap { $0 } + guards + links + limits
    }

    private var time: String {
        guard let schedule = sync.schedule, schedule.isEnabled, sync.isEnabled else {
            return "When it is run by hand, it"
        }
        return ScheduleWords.words(schedule) + ", it"
    }

    private var rows: String {
        let source: String =
            switch (definition.source.model, definition.source.target) {
            case (let model?, _): "the data model \(model) (\(definition.source.connection))"
            case (nil, .object(let table)): "\(table) (\(definition.source.connection))"
            case (nil, .query): "a query (\(definition.source.connection))"
            }
        guard definition.fetch.mode == .incremental, let key = definition.fetch.key else {
            return "every row of \(source)"
        }
        let since = watermark.map { "is later than \($0)" } ?? definition.fetch.start.map { "is \($0) or later" }
        return "the rows of \(source)" + (since.map { " whose \(key) \($0)" } ?? " by \(key), all of them at first")
    }

    private var write: String {
        let object = definition.destination.object
        let place = "in \(definition.destination.connection)"
        guard definition.insert.mode == .update else {
            return "creates a new \(object) \(place) for each"
        }
        return "updates the \(object) \(place) with the same \(definition.insert.match)"
    }

    private var missing: [String] {
        guard definition.insert.mode == .update else {
            let isRepeated = definition.fetch.mode == .full
            return isRepeated ? ["Every run creates them again."] : []
        }
        let which = definition.insert.match == "id" ? "A row without an id" : "A row without such a record"
        var sentences: [String] =
            switch definition.insert.onMissing {
            case .reject: ["\(which) is rejected."]
            case .skip: ["\(which) is skipped."]
            case .create: ["\(which) creates one."]
            }
        if definition.insert.match == "id" { sentences.append("An id that does not exist is rejected.") }
        return sentences
    }

    private var nulls: String? {
        guard definition.insert.mode == .update else { return nil }
        let object = definition.destination.object
        return definition.insert.onNull == .keep
            ? "Empty values leave the \(object) alone." : "Empty values empty the field of the \(object)."
    }

    private var guards: [String] {
        guard definition.insert.mode == .update else { return [] }
        let entries = definition.map.filter { $0.target != "id" }
        return EditGuard.allCases.compactMap { editGuard in
            let fields = entries.filter { ($0.editGuard ?? definition.insert.editGuard) == editGuard }.map(\.target)
            guard !fields.isEmpty else { return nil }
            let isWhole = fields.count == entries.count
            let them = isWhole ? "Fields" : fields.joined(separator: ", ")
            let (be, they) = isWhole || fields.count > 1 ? ("are", "they") : ("is", "it")
            switch editGuard {
            case .overwrite: return nil
            case .ifEmpty: return "\(them) \(be) filled only where \(they) \(be) empty."
            case .ifUnchangedSinceUs:
                return "\(them) \(be) left alone where somebody else has changed \(they == "it" ? "it" : "them")."
            case .neverNull: return "\(them) \(be) never emptied."
            }
        }
    }

    private var links: [String] {
        let names = Set(sync.predecessors).sorted()
        return names.isEmpty ? [] : ["It waits for \(names.joined(separator: " and "))."]
    }

    private var limits: [String] {
        var parts: [String] = []
        if let rows = sync.limits.rows { parts.append("\(rows.grouped) rows") }
        if let tokens = sync.limits.tokensPerRun { parts.append("\(tokens.grouped) tokens") }
        let most = parts.isEmpty ? [] : ["A run takes at most \(parts.joined(separator: " and "))."]
        let blast = BlastLimits.Name.allCases.compactMap { name -> String? in
            guard let bound = sync.limits.blast.bound(name, definition.fetch.mode) else { return nil }
            return "\(name.rawValue) \(bound.text)"
        }
        return blast.isEmpty
            ? most : most + ["It stops before it sends anything beyond its limits: \(blast.joined(separator: ", "))."]
    }

    // MARK: - Map

    private func mapTable(_ width: Int) -> String {
        var listing = Listing(
            kind: "", columns: [.init("TARGET FIELD"), .init(cutFirst: "FROM"), .init(cutFirst: "NOTE")])
        for row in mapRows { listing.add([row.target, row.from, row.note], .null) }
        return listing.text(.table, width: width - 2).split(separator: "\n").map { "  " + $0 + "\n" }.joined()
    }

    private var mapRows: [(target: String, from: String, note: String)] {
        definition.map.map { entry in
            var notes: [String] = []
            if entry.target == definition.insert.match, definition.insert.mode == .update {
                notes.append("finds the record")
            }
            if sync.mask.contains(entry.target) { notes.append("masked") }
            if let option = entry.option { notes.append("by \(option.rawValue)") }
            if let split = entry.split { notes.append("split by \"\(split)\"") }
            if let link = entry.link { notes.append("key of \(link.sync)") }
            if let standard = entry.defaultText { notes.append("NULL → \(standard)") }
            if entry.whenMissing == .skip { notes.append("unknown ones left out") }
            if let editGuard = entry.editGuard { notes.append("guard: \(editGuard.rawValue)") }
            let parts = entry.parts.map { $0.from ?? "constant \($0.value ?? "")" }.joined(separator: ", ")
            let from = entry.from ?? (entry.parts.isEmpty ? "constant \(entry.value ?? "")" : parts)
            return (entry.target, from, notes.joined(separator: " · "))
        }
    }

    // MARK: - Runs

    private var facts: [(String, String)] {
        var facts: [(String, String)] = []
        if let schedule = sync.schedule, schedule.isEnabled, sync.isEnabled {
            let next = ScheduleWords.next(schedule, after: now, count: 3)
            if !next.isEmpty { facts.append(("next runs", next.joined(separator: " · "))) }
        }
        facts.append(("last run", runs.first.map(Self.summary) ?? "never"))
        if !recent.isEmpty { facts.append(("30 days", recentText)) }
        return facts
    }

    private static func summary(_ run: RunRecord) -> String {
        let counts = ["created", "updated", "unchanged", "rejected"].compactMap { name in
            run.counts[name].flatMap { $0 > 0 ? "\($0.grouped) \(name)" : nil }
        }
        return ([TimeDisplay.local(run.startedAtMilliseconds), run.status.rawValue] + counts).joined(separator: ", ")
    }

    private var recent: [RunRecord] { runs.filter { $0.startedAtMilliseconds >= now - 30 * 86_400_000 } }

    private var recentText: String {
        let runs = recent
        var parts = [counted(runs.count, "run")]
        for status in RunRecord.Status.allCases {
            let count = runs.count { $0.status == status }
            if count > 0 { parts.append("\(count) \(status.rawValue)") }
        }
        let lengths = runs.compactMap { run in run.finishedAtMilliseconds.map { $0 - run.startedAtMilliseconds } }
            .sorted()
        if !lengths.isEmpty { parts.append("median " + TimeDisplay.duration(milliseconds: lengths[lengths.count / 2])) }
        return parts.joined(separator: " · ")
    }

    /// The same for programs.
    var json: JSON {
        .object([
            "sync": .string(sync.name), "file": .string(sync.file), "enabled": .bool(sync.isEnabled),
            "sentences": .strings(sentences),
            "map": .array(
                mapRows.map { row in
                    .object(["target": .string(row.target), "from": .string(row.from), "note": .string(row.note)])
                }),
            "next_runs": .strings(
                sync.schedule.map { ScheduleWords.next($0, after: now, count: 3) } ?? []),
            "last_run": runs.first.map { HistoryEntry(sync, $0).json } ?? .null,
            "runs_30_days": .integer(recent.count),
        ])
    }
}
