// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState
import Synchronization

/// Keeps what it takes to undo a run, and to know later whose values guarded fields hold.
///
/// What an update overwrites is on disk before the update is sent. ``flush()`` may be called from any thread; the rest
/// from the thread of the run.
final class RunImages: Sendable {
    private let images: BeforeImages
    private let run: Int64
    private let targets: [CompiledMapping.Target]
    private let remembered: [Int]
    private let keepsImages: Bool
    private let clock: ServerClock
    private let gathered = Mutex<[ImageChange]>([])
    private let kinds: [DestinationField.Kind]
    // Used from the thread of the run only; see the type's contract.
    private nonisolated(unsafe) var intended: Set<Fingerprint> = []

    private static let gatheredMax = 2_000

    /// What keeps the images of one run in `images`.
    init(_ sync: OpenSync, _ images: BeforeImages, _ record: RunRecord) {
        self.images = images
        run = record.number
        targets = sync.mapping.targets
        kinds = targets.map(\.field.kind)
        remembered = sync.mapping.rememberedTargets
        keepsImages = sync.definition.undo != .off
        clock = sync.destinationHost.serverClock
        let fields = targets.map { ImageRun.Field(key: $0.field.key, name: $0.name, kind: $0.field.kind) }
        if keepsImages {
            gathered.withLock {
                $0 = [.run(ImageRun(number: record.number, id: record.id, object: sync.object.id, fields: fields))]
            }
        }
    }

    /// What runs of the sync have overwritten and created, open for writing; nil where the sync asks for none of it.
    ///
    /// - Throws: ``RunStop`` `state`.
    static func open(_ sync: OpenSync, _ folder: String) throws(RunStop) -> BeforeImages? {
        guard sync.definition.undo != .off || !sync.mapping.rememberedTargets.isEmpty else { return nil }
        do {
            return try BeforeImages.openForWriting(folder: folder, sync: sync.definition.name)
        } catch {
            throw .state(error)
        }
    }

    /// Writes down what updates that are about to be sent overwrite; it is on disk when this returns.
    ///
    /// - Throws: ``RunStop`` `state`; they must then not be sent.
    func intend(_ items: [Delivery.Item]) throws(RunStop) {
        var changes: [ImageChange] = []
        for item in items {
            guard let before = item.chunk.chunk.rows[item.place].before, intended.insert(item.row.key).inserted else {
                continue
            }
            let mapped = item.chunk.chunk.mapped
            if keepsImages {
                // A record that held all of it already is kept too, without fields: it was looked at, and written.
                let fields = before.sorted { $0.key < $1.key }.map { place, value in
                    FieldImage(
                        field: targets[place].field.key, kind: kinds[place], before: value,
                        after: mapped.columns[place].value(item.row.row))
                }
                changes.append(
                    .record(
                        RecordImage(
                            run: run, key: item.row.key, remoteID: Delivery.id(of: item.row) ?? "", action: .update,
                            fields: fields)))
            }
            for place in remembered where before[place] != nil {
                changes.append(.writing(key: item.row.key, field: targets[place].field.key, written(item, place)))
            }
        }
        guard !changes.isEmpty else { return }
        do {
            try gathered.withLock { gathered throws(StateError) in
                try images.commit(gathered + changes, isDurable: true)
                gathered = []
            }
        } catch {
            throw .state(error)
        }
    }

    /// Lets the next ``intend(_:)`` of the row write down once more what it overwrites: its record was looked at again.
    func reconsider(_ key: Fingerprint) { intended.remove(key) }

    private func written(_ item: Delivery.Item, _ place: Int) -> JSON {
        FieldImage.json(item.chunk.chunk.mapped.columns[place].value(item.row.row))
    }

    /// Whether ``close(_:_:remoteID:)`` does anything for rows that did not become a record: most syncs keep nothing of
    /// their updates.
    var looksAtUpdates: Bool { !intended.isEmpty || !remembered.isEmpty }

    /// Takes note of how a row ended that was sent, or whose record was found to be as the row wants it.
    ///
    /// - Throws: ``RunStop`` `state`.
    func close(_ item: Delivery.Item, _ outcome: RowOutcome, remoteID: String?) throws(RunStop) {
        let row = item.row
        var changes: [ImageChange] = []
        let wasIntended = intended.remove(row.key) != nil
        switch outcome {
        case .created:
            guard let remoteID else { return }
            return try created(row.key, remoteID, item.chunk.chunk.mapped, row.row) { .record($0) }
        case .updated, .unchanged:
            if wasIntended, keepsImages, outcome == .updated {
                changes.append(.done(run: run, key: row.key, at: now))
            }
            let held = row.conflicts.map(\.target)
            for place in remembered where item.chunk.chunk.mapped.presence[row.row, place] && !held.contains(place) {
                changes.append(.wrote(key: row.key, field: targets[place].field.key, written(item, place)))
            }
        case .rejected: if wasIntended, !remembered.isEmpty { changes.append(.refused(key: row.key)) }
        case .skipped, .unknown, .notTried: break
        }
        try add(changes)
    }

    /// Takes note of a record that was found, and that the run has created: it may be known already.
    ///
    /// - Parameter mapped: What it was given, in its first row; nil where that is not known.
    /// - Throws: ``RunStop`` `state`.
    func found(_ key: Fingerprint, _ remoteID: String, _ mapped: MappedBatch?) throws(RunStop) {
        try created(key, remoteID, mapped, 0) { .found($0) }
    }

    private func created(
        _ key: Fingerprint, _ remoteID: String, _ mapped: MappedBatch?, _ row: Int,
        _ change: (RecordImage) -> ImageChange
    ) throws(RunStop) {
        var changes: [ImageChange] = []
        if keepsImages {
            let mark = mapped.map { RecordMark.of($0, row, kinds) } ?? []
            changes.append(
                change(
                    RecordImage(
                        run: run, key: key, remoteID: remoteID, action: .create, mark: mark, doneAtMilliseconds: now)))
        }
        if let mapped {
            for place in remembered where mapped.presence[row, place] {
                let value = FieldImage.json(mapped.columns[place].value(row))
                changes.append(.wrote(key: key, field: targets[place].field.key, value))
            }
        }
        try add(changes)
    }

    private var now: Int64 { clock.milliseconds ?? WallClock.milliseconds }

    private func add(_ changes: [ImageChange]) throws(RunStop) {
        guard !changes.isEmpty else { return }
        let count = gathered.withLock { gathered in
            gathered += changes
            return gathered.count
        }
        guard count >= Self.gatheredMax else { return }
        do {
            try flush()
        } catch {
            throw .state(error)
        }
    }

    /// Writes what was gathered, so that the end of this process does not take it.
    ///
    /// The ledger calls it before it writes down how the rows ended.
    ///
    /// - Throws: ``StateError``.
    func flush() throws(StateError) {
        try gathered.withLock { gathered throws(StateError) in
            guard gathered.count > 1 || !isOnlyRun(gathered) else { return }
            try images.commit(gathered, isDurable: false)
            gathered = []
        }
    }

    /// Whether nothing but the run itself was gathered: a run that changes nothing leaves nothing.
    private func isOnlyRun(_ changes: [ImageChange]) -> Bool {
        guard let first = changes.first else { return true }
        if case .run = first { return changes.count == 1 }
        return false
    }
}
