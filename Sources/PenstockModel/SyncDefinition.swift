// SPDX-License-Identifier: Apache-2.0

/// What a sync does, as values: everything the engine needs to know of a sync file.
public struct SyncDefinition: Sendable, Hashable {
    /// The sync's name, which is its file's name.
    public var name: String
    /// Where rows come from.
    public var source: SyncSource
    /// Where they go.
    public var destination: SyncDestination
    /// The field map, in the order of the file.
    public var map: [MapEntry]
    /// How rows are fetched.
    public var fetch: FetchDefinition
    /// How rows are inserted.
    public var insert: InsertDefinition
    /// How many rejects a run may have and still exit with 0.
    public var rejectsMax: RejectLimit
    /// Whether runs keep what they need to be undone.
    public var undo = UndoPolicy.auto
    /// The name that the sync had before it was renamed, with which its records are marked; or nil.
    public var formerName: String?

    /// A sync.
    public init(
        name: String, source: SyncSource, destination: SyncDestination, map: [MapEntry],
        fetch: FetchDefinition = FetchDefinition(), insert: InsertDefinition = InsertDefinition(),
        rejectsMax: RejectLimit = .count(0)
    ) {
        self.name = name
        self.source = source
        self.destination = destination
        self.map = map
        self.fetch = fetch
        self.insert = insert
        self.rejectsMax = rejectsMax
    }
}

/// Where a sync's rows come from.
public struct SyncSource: Sendable, Hashable {
    /// The connection's name.
    public var connection: String
    /// The table, or the text of the model's query.
    public var target: ReadRequest.Target
    /// The model's name, or nil for a table.
    public var model: String?
    /// The source key's columns: of the sync, else of the model; empty where neither names one.
    public var key: [String]

    /// Where a sync's rows come from.
    public init(connection: String, target: ReadRequest.Target, model: String? = nil, key: [String] = []) {
        self.connection = connection
        self.target = target
        self.model = model
        self.key = key
    }
}

/// Where a sync's rows go.
public struct SyncDestination: Sendable, Hashable {
    /// The connection's name.
    public var connection: String
    /// The object's id.
    public var object: String

    /// Where a sync's rows go.
    public init(connection: String, object: String) {
        self.connection = connection
        self.object = object
    }
}

/// One line of a field map: a target field and what fills it.
public struct MapEntry: Sendable, Hashable {
    /// What to do with a list element or option that the destination does not know.
    public enum WhenMissing: String, Sendable, Hashable, CaseIterable {
        /// The row is a reject.
        case reject
        /// The element is left out; where nothing is left, the field is left alone.
        case skip
    }

    /// How option values are named in the source.
    public enum OptionStyle: String, Sendable, Hashable, CaseIterable {
        /// By the label that people see.
        case label
        /// By the id.
        case id
    }

    /// The target field: an API name, a custom field's label, or its code.
    public var target: String
    /// The source column, or nil for a constant or for parts.
    public var from: String?
    /// The constant, as the text written in the file, or nil.
    public var value: String?
    /// What stands in for NULL, as the text written in the file, or nil.
    public var defaultText: String?
    /// How option values are named; nil lets the field's kind decide: label first, then id.
    public var option: OptionStyle?
    /// Splits the text into a list at this separator, or nil.
    public var split: String?
    /// The sync whose records the column's values name by their source keys, or nil.
    public var link: RecordLink?
    /// What happens to elements that do not exist.
    public var whenMissing: WhenMissing
    /// When an update may change what the field holds; nil for what ``InsertDefinition/editGuard`` says.
    public var editGuard: EditGuard?
    /// Parts of a compound target (address, money, ranges), by part name; empty for others.
    public var parts: [MapEntry]

    /// One line of a field map.
    public init(
        target: String, from: String? = nil, value: String? = nil, defaultText: String? = nil,
        option: OptionStyle? = nil, split: String? = nil, whenMissing: WhenMissing = .reject, parts: [MapEntry] = []
    ) {
        self.target = target
        self.from = from
        self.value = value
        self.defaultText = defaultText
        self.option = option
        self.split = split
        self.whenMissing = whenMissing
        self.parts = parts
    }

    /// The syncs whose records this entry refers to.
    public var links: [String] { link.map { [$0.sync] } ?? [] }

    /// The source columns that this entry reads, its parts included.
    public var columns: [String] { (from.map { [$0] } ?? []) + parts.flatMap(\.columns) }
}

/// A reference by the source key of another sync's row.
public struct RecordLink: Sendable, Hashable {
    /// The sync that wrote the record.
    public var sync: String
    /// The object that the sync writes; empty where there is no such sync.
    public var object: String

    /// A reference to records of a sync.
    public init(sync: String, object: String = "") {
        self.sync = sync
        self.object = object
    }
}

/// How rows are fetched.
public struct FetchDefinition: Sendable, Hashable {
    /// The two fetch modes.
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        /// Reads every row, every run.
        case full = "FULL"
        /// Reads the rows whose Incremental Key is past the watermark.
        case incremental = "INCREMENTAL"
    }

    /// What happens to rows whose Incremental Key is NULL.
    public enum NullKey: String, Sendable, Hashable, CaseIterable {
        /// They are rejects.
        case reject
        /// They are fetched in every run.
        case include
    }

    /// What is said of records whose row has left the source; nothing is ever done to them.
    public enum OnRemoved: String, Sendable, Hashable, CaseIterable {
        /// Nothing.
        case ignore
        /// How many there are, and some of them.
        case report
    }

    /// How far to read again for rows that were committed late.
    public enum Lookback: Sendable, Hashable {
        /// For dates and timestamps.
        case microseconds(Int64)
        /// For numbers, as a decimal text.
        case number(String)
    }

    /// The fetch mode.
    public var mode: Mode
    /// The Incremental Key's column; nil with FULL.
    public var key: String?
    /// Where the first run starts, as the text written in the file, or nil for everything.
    public var start: String?
    /// How far to read again, or nil.
    public var lookback: Lookback?
    /// What happens to rows whose key is NULL.
    public var nullKey: NullKey
    /// What is said of records whose row has left the source; for FULL, because nothing else reads every row.
    public var onRemoved: OnRemoved

    /// How rows are fetched.
    public init(
        mode: Mode = .full, key: String? = nil, start: String? = nil, lookback: Lookback? = nil,
        nullKey: NullKey = .reject, onRemoved: OnRemoved = .report
    ) {
        self.mode = mode
        self.key = key
        self.start = start
        self.lookback = lookback
        self.nullKey = nullKey
        self.onRemoved = onRemoved
    }
}

/// How rows are inserted.
public struct InsertDefinition: Sendable, Hashable {
    /// The two insert modes.
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        /// Creates one record for every fetched row.
        case append = "Append"
        /// Changes only the mapped fields of existing records.
        case update = "Update"
    }

    /// What happens to an Update row for which there is no record.
    public enum OnMissing: String, Sendable, Hashable, CaseIterable {
        /// It is a reject.
        case reject
        /// It is counted as skipped.
        case skip
        /// A record is created, and remembered.
        case create
    }

    /// What a NULL does to the field.
    public enum OnNull: String, Sendable, Hashable, CaseIterable {
        /// The field is left alone.
        case keep
        /// The field is cleared.
        case clear
    }

    /// How it is found out whether a record already is as the row wants it.
    public enum Compare: String, Sendable, Hashable, CaseIterable {
        /// The ledger where it knows the row, else the destination where that is cheaper than sending.
        case auto
        /// By what was last accepted; costs nothing.
        case ledger
        /// By what the destination holds now.
        case remote
        /// Not at all: everything is sent.
        case none
    }

    /// How a create is settled whose answer was lost.
    public enum Delivery: String, Sendable, Hashable, CaseIterable {
        /// The strongest that the connection permits.
        case auto
        /// By a marker in each record.
        case exactlyOnce = "exactly_once"
        /// By the whole payload, among the records that appeared since.
        case byMatch = "by_match"
        /// Not at all: a person says what became of it.
        case atMostOnce = "at_most_once"
    }

    /// Whether FULL + Append with a schedule is meant.
    public enum Repeat: String, Sendable, Hashable, CaseIterable {
        /// It is warned about.
        case warn
        /// It is meant.
        case allow
    }

    /// The insert mode.
    public var mode: Mode
    /// The target field that finds the record: `id`, or the name of another mapped field.
    public var match: String
    /// What happens where there is no record.
    public var onMissing: OnMissing
    /// What a NULL does.
    public var onNull: OnNull
    /// How unchanged rows are found.
    public var compare: Compare
    /// Whether repeating is meant.
    public var repeats: Repeat
    /// What is compared of the match field, and how.
    public var matchRule = MatchRule()
    /// How a create is settled whose answer was lost.
    public var delivery = Delivery.auto
    /// How long after its deadline a request may still be carried out, in milliseconds.
    public var settleMilliseconds: Int64 = 60_000
    /// When an update may change what a field holds, where the field's entry of the map does not say it.
    public var editGuard = EditGuard.overwrite

    /// How rows are inserted.
    public init(
        mode: Mode = .append, match: String = "id", onMissing: OnMissing = .reject, onNull: OnNull = .keep,
        compare: Compare = .auto, repeats: Repeat = .warn
    ) {
        self.mode = mode
        self.match = match
        self.onMissing = onMissing
        self.onNull = onNull
        self.compare = compare
        self.repeats = repeats
    }
}

/// How the values of a match field are compared.
public struct MatchRule: Sendable, Hashable {
    /// What is compared of a value.
    public enum Form: String, Sendable, Hashable, CaseIterable {
        /// The value, without white space around it.
        case text
        /// An e-mail address, whatever its case.
        case email
        /// The digits of a phone number.
        case phone
        /// The host of a web address, without `www.`, or what stands behind the `@` of an e-mail address.
        case domain
    }

    /// What is compared; nil lets the field decide.
    public var form: Form?
    /// Whether upper and lower case are the same; nil lets the form decide.
    public var ignoresCase: Bool?
    /// The column that is looked for where the map does not fill the match field, or nil.
    ///
    /// The field is then not changed in records that exist; a new record gets it.
    public var from: String?

    /// How the values of a match field are compared.
    public init(form: Form? = nil, ignoresCase: Bool? = nil, from: String? = nil) {
        self.form = form
        self.ignoresCase = ignoresCase
        self.from = from
    }
}

/// How many rejects a run may have and still succeed.
public enum RejectLimit: Sendable, Hashable {
    /// So many rows.
    case count(Int)
    /// So many hundredths of a percent of the fetched rows: `1%` is 100.
    case basisPoints(Int)
}
