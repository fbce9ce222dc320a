// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The answers that make a new sync: one value, whether they were typed at prompts or given as options.
package struct SyncDraft: Sendable {
    /// What is read.
    package enum Source: Sendable, Hashable {
        /// A model of the project.
        case model(String)
        /// A table of a connection.
        case table(String, connection: String)
    }

    /// One line of the map.
    package struct Entry: Sendable {
        /// The target field.
        package var target: String
        /// A column, or a map as in a sync's file.
        package var content: YAMLValue

        /// One line of the map.
        package init(_ target: String, _ content: YAMLValue) {
            self.target = target
            self.content = content
        }

        /// The column that fills the field, or nil.
        package var column: String? {
            switch content {
            case .text(let column): column
            case .flow(let inner): YAMLValue.text(inner, at: "from")
            default: YAMLValue.text(content, at: "from")
            }
        }
    }

    /// When it runs by itself.
    package enum Schedule: Sendable, Hashable {
        /// Only by hand.
        case manual
        /// Again and again after so long, from a first start on where one is given.
        case every(String, start: String?)
        /// At the times of a cron expression.
        case cron(String)
    }

    /// The name, which is its file's name.
    package var name: String
    /// The connection that is written.
    package var connection: String
    /// The object that is written.
    package var object: String
    /// What is read.
    package var source: Source
    /// The source key's columns; empty to leave them to the model or table.
    package var key: [String] = []
    /// The field map.
    package var map: [Entry] = []
    /// How rows are fetched.
    package var fetch = FetchDefinition.Mode.full
    /// The Incremental Key, or nil.
    package var fetchKey: String?
    /// Where the first run starts, or nil.
    package var start: String?
    /// How far to read again, or nil.
    package var lookback: String?
    /// How rows are inserted.
    package var insert = InsertDefinition.Mode.append
    /// The field that finds a record, or nil for the id.
    package var match: String?
    /// What happens where there is no record; nil leaves it to the default.
    package var onMissing: InsertDefinition.OnMissing?
    /// What a NULL does; nil leaves it to the default.
    package var onNull: InsertDefinition.OnNull?
    /// Whether FULL + Append with a schedule is meant.
    package var repeats = false
    /// When it runs by itself.
    package var schedule = Schedule.manual
    /// The zone of the schedule, or nil for the default.
    package var timezone: String?
    /// The title, or nil.
    package var title: String?
    /// What it is for, or nil.
    package var description: String?
    /// Who answers for it, or nil.
    package var owner: String?
    /// Words to select it by.
    package var tags: [String] = []

    /// A draft with the defaults: FULL, Append, by hand.
    package init(name: String, connection: String, object: String, source: Source) {
        self.name = name
        self.connection = connection
        self.object = object
        self.source = source
    }

    /// Whether every run inserts every row again by itself.
    package var repeatsEverything: Bool { fetch == .full && insert == .append && schedule != .manual }

    // MARK: - The file

    /// The text of `syncs/NAME.yml`, in the order of the steps.
    package var text: String {
        let parts: [(title: String, entries: [(key: String, value: YAMLValue)])] = [
            ("Credentials and object", [("destination", destinationValue)]),
            ("Configuration", configuration),
            ("Schedule", scheduleValue.map { [("schedule", $0)] } ?? []),
            ("Name and description", about),
        ]
        return "version: 1\n"
            + parts.filter { !$0.entries.isEmpty }.map { part in
                "\n# \(part.title)\n" + YAMLValue.map(part.entries).document()
            }.joined()
    }

    private var destinationValue: YAMLValue {
        .map([("connection", .text(connection)), ("object", .text(object))])
    }

    private var configuration: [(key: String, value: YAMLValue)] {
        var reads: [(key: String, value: YAMLValue)] = []
        switch source {
        case .model(let model): reads = [("model", .text(model))]
        case .table(let table, let connection): reads = [("connection", .text(connection)), ("table", .text(table))]
        }
        if key.count == 1 { reads.append(("key", .text(key[0]))) }
        if key.count > 1 { reads.append(("key", .list(key.map { .text($0) }))) }
        var fetches: [(key: String, value: YAMLValue)] = [("mode", .text(fetch.rawValue))]
        if let fetchKey { fetches.append(("key", .text(fetchKey))) }
        if let start { fetches.append(("start", .text(start))) }
        if let lookback { fetches.append(("lookback", .text(lookback))) }
        var inserts: [(key: String, value: YAMLValue)] = [("mode", .text(insert.rawValue))]
        if let match { inserts.append(("match", .text(match))) }
        if let onMissing { inserts.append(("on_missing", .text(onMissing.rawValue))) }
        if let onNull { inserts.append(("on_null", .text(onNull.rawValue))) }
        if repeats { inserts.append(("repeat", .text(InsertDefinition.Repeat.allow.rawValue))) }
        return [
            ("source", .map(reads)), ("map", .map(map.map { ($0.target, $0.content) })), ("fetch", .map(fetches)),
            ("insert", .map(inserts)),
        ]
    }

    private var scheduleValue: YAMLValue? {
        var entries: [(key: String, value: YAMLValue)]
        switch schedule {
        case .manual: return nil
        case .every(let length, let start):
            entries = [("every", .text(length))]
            if let start { entries.append(("start", .text(start))) }
        case .cron(let expression): entries = [("cron", .text(expression))]
        }
        if let timezone { entries.append(("timezone", .text(timezone))) }
        return .map(entries)
    }

    private var about: [(key: String, value: YAMLValue)] {
        var entries: [(key: String, value: YAMLValue)] = [("name", .text(name))]
        if let title { entries.append(("title", .text(title))) }
        if let description { entries.append(("description", .text(description))) }
        if let owner { entries.append(("owner", .text(owner))) }
        if !tags.isEmpty { entries.append(("tags", .list(tags.map { .text($0) }))) }
        return entries
    }
}
