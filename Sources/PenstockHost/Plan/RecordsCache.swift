// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// What plans and runs have read of a destination's records last, by sync, for plans that ask nobody.
///
/// It holds the mapped fields of records, and no setting of a connection.
package struct RecordsCache {
    /// Where the records of one sync are kept, and what they are read for.
    package struct Place: Sendable {
        let path: String
        let subject: String
    }

    private let folder: String

    /// The records of the project at `root`.
    package init(root: String) { folder = root + "/.penstock/cache/records" }

    /// Where the records of an open sync are kept.
    package func place(_ sync: OpenSync) -> Place {
        Place(path: path(sync.definition.name), subject: Self.subject(sync))
    }

    /// Forgets what is kept for a sync of this name.
    package func forget(_ sync: String) {
        // What is left is of no use to a sync that is another one, or has run since.
        try? RecordSnapshot.remove(path: path(sync))
    }

    private func path(_ sync: String) -> String { "\(folder)/\(sync).db" }

    /// What decides about what is read: the connection, the object, the fields with their kinds, and how they match.
    private static func subject(_ sync: OpenSync) -> String {
        var hasher = FingerprintHasher()
        for text in sync.destinationPins { hasher.combine(text) }
        hasher.combine(sync.object.id)
        for field in RemoteLookup(sync, scratchFolder: "").readSchema.fields {
            hasher.combine("\(field.name) \(field.type.rawValue)")
        }
        for target in sync.mapping.targets { hasher.combine("\(target.field.key) \(target.field.kind.rawValue)") }
        hasher.combine("\(sync.mapping.match)")
        if let matching = sync.mapping.matching { hasher.combine("\(matching)") }
        return hasher.finish().hex
    }

    /// Where the runs of a sync stand; nil while one is at work, or was killed: nobody knows then what it has written.
    ///
    /// - Throws: ``StateError``.
    static func run(_ store: StateStore?) throws(StateError) -> String? {
        guard let store, let last = try store.lastRun() else { return "none" }
        // A run that is not the last one may be gone on with.
        let writing = [last] + (try store.unfinishedRun().map { [$0] } ?? [])
        guard !writing.contains(where: { $0.status == .running }) else { return nil }
        // An undo that was killed holds nobody up: what was read behind it knows what it has written.
        let runs = writing + (try store.unfinishedUndos())
        return runs.map { "\($0.id) \($0.attempts) \($0.status.rawValue)" }.joined(separator: ", ")
    }
}

/// Looks at records as they were kept; used from one thread.
///
/// What cannot be read any more is not known.
final class KeptRecords {
    private var snapshot: RecordSnapshot?
    /// When the oldest was read of what was looked at, in milliseconds since 1970; nil before anything was.
    private(set) var readAt: Int64?
    /// What is older is not told any more, whether or not somebody has come to drop it.
    private let keptSince = WallClock.milliseconds - RecordSnapshot.keepMilliseconds

    /// What is kept at a place; nothing where that is of no use as the runs stand.
    init(_ place: RecordsCache.Place, run: String) {
        // What cannot be opened is not there.
        snapshot = try? RecordSnapshot.openForReading(
            path: place.path, RecordSnapshot.Stamp(subject: place.subject, run: run))
    }

    /// What is known of the record `id`.
    func find(id: String) -> RecordSnapshot.Found {
        let found = look(.unknown) { snapshot throws(StateError) in try snapshot.find(id: id) }
        let time: Int64
        switch found {
        case .record(let entry): time = entry.readAt
        case .absent(let listed): time = listed
        case .unknown: return found
        }
        guard time >= keptSince else { return .unknown }
        note(time)
        return found
    }

    /// At most three records that are found by one of `texts`; nil where that is not known.
    func find(matches texts: [String]) -> [RecordSnapshot.Entry]? {
        let found: [RecordSnapshot.Entry]? = look(nil) { snapshot throws(StateError) in
            try snapshot.find(matches: texts, limit: 3)
        }
        guard let found, (snapshot?.listedAt ?? .max) >= keptSince, found.allSatisfy({ $0.readAt >= keptSince }) else {
            return nil
        }
        // That there are no others is as old as the list.
        if let listedAt = snapshot?.listedAt { note(listedAt) }
        for entry in found { note(entry.readAt) }
        return found
    }

    private func note(_ time: Int64) { readAt = min(readAt ?? time, time) }

    private func look<R>(_ nothing: R, _ body: (RecordSnapshot) throws(StateError) -> R) -> R {
        guard let snapshot else { return nothing }
        do throws(StateError) {
            return try body(snapshot)
        } catch {
            self.snapshot = nil
            return nothing
        }
    }
}

/// Keeps what a plan or a run reads of records, and knows what the run writes; used from one thread.
///
/// What cannot be kept is not, and is no error of the plan or run: what was kept before then stays, and is of no use
/// once a run has written.
final class RecordKeeper {
    private let place: RecordsCache.Place
    private let before: String?
    private var snapshot: RecordSnapshot?
    private var hasFailed = false
    /// Whether it was looked for what is there already.
    private var hasLooked = false
    /// Whether something was written that is not in the snapshot: a list that is read afterwards may be older than it.
    private var missesWrites = false
    private var isUncertain = false
    private var listedAt: Int64?

    /// Nothing is touched before there is something to keep.
    ///
    /// - Parameter run: Where the runs of the sync stand; nil where what is there is of no use.
    init(_ place: RecordsCache.Place, after run: String?) {
        self.place = place
        before = run
    }

    // MARK: - Reading

    /// Keeps records that were asked for by their ids, and that the others do not exist.
    ///
    /// - Parameter texts: The values a record is found by.
    func keep(_ found: [String: RecordBatch], of ids: [String], _ texts: (RecordBatch) -> [String]) {
        let now = WallClock.milliseconds
        use(creates: true) { snapshot throws(StateError) in
            for id in ids {
                let record = found[id]
                try snapshot.keep(
                    id: id, matches: record.map(texts) ?? [], record: record.map { RecordCodec.encode($0, 0) },
                    readAt: now)
            }
        }
    }

    /// Keeps a record of the list.
    func keepListed(_ id: String, _ texts: [String], _ record: [UInt8]) {
        guard !missesWrites else { return }
        let now = WallClock.milliseconds
        if listedAt == nil { listedAt = now }
        use(creates: true) { snapshot throws(StateError) in
            try snapshot.keep(id: id, matches: texts, record: record, readAt: now)
        }
    }

    /// Takes note that the list was read to its end.
    func endList() {
        guard !missesWrites else { return }
        let time = listedAt ?? WallClock.milliseconds
        use(creates: true) { snapshot throws(StateError) in try snapshot.endList(readAt: time) }
    }

    // MARK: - Writing

    /// Takes note that a row is about to be sent.
    func noteWrite(_ row: DecidedRow, _ mapped: MappedBatch) {
        guard knowsWrites else { return }
        let texts = mapped.matchTexts(row.row)
        use(creates: false) { snapshot throws(StateError) in
            try snapshot.noteWritten(id: Delivery.id(of: row), matches: texts)
        }
    }

    /// Takes note of a record that was created.
    func noteCreated(_ id: String) {
        guard knowsWrites else { return }
        use(creates: false) { snapshot throws(StateError) in try snapshot.noteWritten(id: id, matches: []) }
    }

    /// Takes note that records may have been created of which nothing is known: no list is whole then.
    func noteUncertain() { isUncertain = true }

    /// Whether there is a snapshot in which writes are noted; where there is none, nothing can be told wrongly.
    var knowsWrites: Bool {
        if snapshot == nil, !hasFailed, !hasLooked { use(creates: false) { _ in } }
        if snapshot == nil { missesWrites = true }
        return snapshot != nil
    }

    /// Makes what was kept last.
    ///
    /// - Parameter run: Where the runs of the sync stand now; nil where nothing is to be kept.
    func finish(_ run: String?) {
        defer {
            snapshot?.close()
            snapshot = nil
            hasFailed = true
        }
        guard let run, snapshot != nil || (!missesWrites && run != before) else { return }
        let isUncertain = isUncertain
        // What is there stays true where nothing was written.
        use(creates: false) { snapshot throws(StateError) in
            if isUncertain { snapshot.forgetList() }
            try snapshot.commit(run: run, now: WallClock.milliseconds)
        }
    }

    private func use(creates: Bool, _ body: (RecordSnapshot) throws(StateError) -> Void) {
        guard !hasFailed else { return }
        do throws(StateError) {
            if let snapshot = try opened(creates) { try body(snapshot) }
        } catch {
            snapshot?.close()
            snapshot = nil
            hasFailed = true
        }
    }

    private func opened(_ creates: Bool) throws(StateError) -> RecordSnapshot? {
        if let snapshot { return snapshot }
        guard creates || !hasLooked else { return nil }
        hasLooked = true
        // No stamp has an empty run.
        let stamp = RecordSnapshot.Stamp(subject: place.subject, run: before ?? "")
        snapshot = try RecordSnapshot.openForWriting(
            path: place.path, stamp, creates: creates, now: WallClock.milliseconds)
        return snapshot
    }
}
