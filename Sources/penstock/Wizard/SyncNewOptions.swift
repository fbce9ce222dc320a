// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockEngine
import PenstockModel
import PenstockProject

/// Every answer of the wizard as an option.
struct SyncNewOptions: ParsableArguments {
    @Option(name: .long, help: "The connection to write to.")
    var connection: String?

    @Option(name: .long, help: "The object to write.")
    var object: String?

    @Option(name: .long, help: "The model to read.")
    var model: String?

    @Option(name: .long, help: "The connection to read a table from.")
    var sourceConnection: String?

    @Option(name: .long, help: "The table or view to read.")
    var table: String?

    @Option(name: .long, help: "A column that tells rows apart; repeat it for several, or separate them by commas.")
    var keyColumns: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "TARGET=COLUMN, or TARGET={value: CONSTANT} with the keys of a map entry; repeat it.", valueName: "t=s"))
    var map: [String] = []

    @Flag(name: .long, help: "Also map what looks certain or likely, by names, types and sample rows.")
    var auto = false

    @Option(name: .long, help: "full (the default) or incremental.")
    var fetch: String?

    @Option(name: .long, help: "The Incremental Key.")
    var key: String?

    @Option(name: .long, help: "Where the first incremental run starts.")
    var start: String?

    @Option(name: .long, help: "How much is read again, for rows that were committed late.")
    var lookback: String?

    @Option(name: .long, help: "append (the default) or update.")
    var insert: String?

    @Option(name: .long, help: "The mapped field by which an update finds its record; the id where it is left out.")
    var match: String?

    @Option(name: .long, help: "What an update does with a row without a record: reject, skip or create.")
    var onMissing: String?

    @Option(name: .long, help: "What a NULL does: keep or clear.")
    var onNull: String?

    @Option(name: .long, help: "allow: FULL + Append with a schedule is meant.")
    var `repeat`: String?

    @Option(name: .long, help: "Run again after so long, for example 15m.")
    var every: String?

    @Option(name: .long, help: "The first start of --every, for example 2026-12-01T06:00.")
    var startAt: String?

    @Option(name: .long, help: "Run at these times: minute, hour, day of month, month, day of week.")
    var cron: String?

    @Option(name: .long, help: "The time zone of the schedule, for example Europe/Berlin.")
    var timezone: String?

    @Option(name: .long, help: "The title.")
    var title: String?

    @Option(name: .long, help: "What it is for.")
    var description: String?

    @Option(name: .long, help: "Who answers for it.")
    var owner: String?

    @Option(name: .long, help: "A word to select it by; repeat it.")
    var tag: [String] = []

    @Option(name: .long, help: "Make the sync from this template.")
    var template: String?

    @Option(name: .long, help: ArgumentHelp("A parameter of the template; repeat it.", valueName: "name=value"))
    var param: [String] = []

    @Option(name: .long, help: "Also save it as a template of this name.")
    var saveTemplate: String?

    func validate() throws {
        if model != nil, table != nil { throw ValidationError("--model or --table, not both: a sync reads one.") }
        if model != nil, sourceConnection != nil {
            throw ValidationError("--model has its own connection; leave --source-connection out.")
        }
        if every != nil, cron != nil { throw ValidationError("--every or --cron, not both.") }
        if startAt != nil, every == nil { throw ValidationError("--start-at goes with --every.") }
        if timezone != nil, every == nil, cron == nil {
            throw ValidationError("--timezone goes with --cron or --every.")
        }
        if template != nil {
            let others = [
                connection, object, model, sourceConnection, table, fetch, key, start, lookback, insert, match,
                onMissing, onNull, `repeat`, every, startAt, cron, timezone, saveTemplate,
            ]
            guard others.allSatisfy({ $0 == nil }), map.isEmpty, keyColumns.isEmpty, !auto else {
                throw ValidationError("With --template the answers are given by --param; `template show` lists them.")
            }
        }
        if template == nil, !param.isEmpty { throw ValidationError("--param goes with --template.") }
        if key != nil || start != nil || lookback != nil,
            try word(fetch, FetchDefinition.Mode.self, "--fetch") != .incremental
        {
            throw ValidationError("--key, --start and --lookback go with --fetch incremental.")
        }
        if match != nil || onMissing != nil, try word(insert, InsertDefinition.Mode.self, "--insert") != .update {
            throw ValidationError("--match and --on-missing go with --insert update.")
        }
        _ = try word(onMissing, InsertDefinition.OnMissing.self, "--on-missing")
        _ = try word(onNull, InsertDefinition.OnNull.self, "--on-null")
        _ = try word(`repeat`, InsertDefinition.Repeat.self, "--repeat")
    }

    /// The word that an option takes, whatever its case.
    func word<Word>(_ text: String?, _ type: Word.Type, _ option: String) throws -> Word?
    where Word: CaseIterable & RawRepresentable, Word.RawValue == String {
        guard let text else { return nil }
        if let word = type.allCases.first(where: { $0.rawValue.lowercased() == text.lowercased() }) { return word }
        let words = type.allCases.map { $0.rawValue.lowercased() }
        let near = NearestName.of(text, in: words).map { " Did you mean \($0)?" } ?? ""
        throw ValidationError("\(option) is \(words.joined(separator: " or ")), not \"\(text)\".\(near)")
    }

    /// The schedule that was asked for, or nil where nothing was said of it.
    var schedule: SyncDraft.Schedule? {
        if let every { return .every(every, start: startAt) }
        return cron.map { .cron($0) }
    }

    /// The columns of the source key.
    var keys: [String] {
        keyColumns.flatMap { $0.split(separator: ",").map { String($0.trimmed) } }.filter { !$0.isEmpty }
    }

    /// The lines of the map.
    ///
    /// - Throws: ``CommandFailure`` 64.
    func entries() throws -> [SyncDraft.Entry] {
        var entries: [SyncDraft.Entry] = []
        for argument in map {
            let entry: SyncDraft.Entry
            do {
                entry = try SyncDraft.Entry(argument: argument)
            } catch {
                throw Self.mapFailure(error.reason)
            }
            if entries.contains(where: { $0.target == entry.target }) {
                throw Self.mapFailure("\"\(entry.target)\" is mapped twice")
            }
            entries.append(entry)
        }
        return entries
    }

    private static func mapFailure(_ reason: String) -> CommandFailure {
        CommandFailure(
            .usage, code: "usage", "--map: \(reason)",
            notes: ["example: --map name=company_name --map 'Segment={from: segment, option: label}'"])
    }

    /// Whether nothing that has no default is missing, so that nobody needs to be asked.
    func isComplete(name: String?) -> Bool {
        let readsSomething = model != nil || (table != nil && sourceConnection != nil)
        return name != nil && connection != nil && object != nil && readsSomething && (!map.isEmpty || auto)
    }
}
