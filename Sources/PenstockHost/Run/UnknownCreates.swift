// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// Finds out what became of creates whose answer was lost, by looking at the destination.
///
/// A row is looked for by its whole payload among the records that were created since its intent and that are none of
/// this sync's. What is found is adopted. What is not found may still be on its way, so the row is sent once more only
/// after its request has had its time and a while more; before that it stays unknown. A row that has changed since
/// cannot be looked for by what was sent; it is sent again only where nothing at all was created since that is not known.
final class UnknownCreates {
    /// What is known of a lost create now.
    enum Verdict {
        /// This record is the row's.
        case adopted(String)
        /// There is no such record, and none can come any more.
        case absent
        /// There is no such record yet, or that cannot be told.
        case open
    }

    private struct Candidate {
        var id: String
        var record: RecordBatch
        var createdAtMilliseconds: Int64?
    }

    /// How long after its intent a create is waited for: the longest request that a connection may allow, and a minute.
    static let settleMilliseconds: Int64 = 360_000

    /// The most records that are looked through; with more, rows stay unknown.
    private static let recordsMax = 20_000
    /// How far the two clocks may be apart where changed records are asked for.
    private static let clockSkewMilliseconds: Int64 = 600_000
    /// How long before its intent a record may seem to be created, by another clock, and still be the row's.
    private static let creationSkewMilliseconds: Int64 = 2_000

    private enum Search {
        case notMade
        case made([Candidate])
        /// Too many records, or the destination did not answer: rows stay unknown.
        case impossible
    }

    private let sync: OpenSync
    private let ledger: StateStore
    private let stateFolder: String
    private let comparison: RecordComparison
    private let createdAtField: String?
    private var search = Search.notMade
    private var claimed: Set<String> = []

    /// A search that has not asked anything yet.
    ///
    /// - Parameter stateFolder: Where the states of the project's other syncs are; their records are not looked at.
    init(_ sync: OpenSync, ledger: StateStore, stateFolder: String, comparison: RecordComparison) {
        self.sync = sync
        self.ledger = ledger
        self.stateFolder = stateFolder
        self.comparison = comparison
        let field = sync.object.createdAtField
        let isMapped = sync.mapping.targets.contains { $0.field.key == field }
        createdAtField = field.isEmpty || isMapped ? nil : field
    }

    /// What became of the create of row `row`, whose ledger entry has `key`.
    ///
    /// - Throws: ``RunStop``.
    func verdict(_ key: Fingerprint, _ mapped: MappedBatch, _ row: Int) throws(RunStop) -> Verdict {
        let found: LedgerEntry.Intent?
        do {
            found = try ledger.entry(for: key)?.intent
        } catch {
            throw .state(error)
        }
        guard let intent = found, let candidates = try loaded() else { return .open }
        // A row that has changed, or is at fault now, cannot be looked for by what was sent.
        guard !mapped.isRejected(row), intent.payload == mapped.payloads[row] else {
            return verdictWithoutRow(intent, candidates)
        }
        for candidate in candidates where !claimed.contains(candidate.id) {
            guard comparison.differences(mapped, row, candidate.record, 0, isWhole: true).isEmpty else { continue }
            // Made shortly before: by somebody else, or by a clock that is behind. Nobody can tell.
            if isTooOld(candidate, intent) { return .open }
            claimed.insert(candidate.id)
            return .adopted(candidate.id)
        }
        return isSettled(intent) ? .absent : .open
    }

    /// What became of a create whose row is gone from the source.
    ///
    /// - Throws: ``RunStop``.
    func verdict(_ intent: LedgerEntry.Intent) throws(RunStop) -> Verdict {
        guard let candidates = try loaded() else { return .open }
        return verdictWithoutRow(intent, candidates)
    }

    /// A create is absent where nothing at all was created since that is not known.
    private func verdictWithoutRow(_ intent: LedgerEntry.Intent, _ candidates: [Candidate]) -> Verdict {
        guard isSettled(intent) else { return .open }
        return candidates.contains { !claimed.contains($0.id) && !isTooOld($0, intent) } ? .open : .absent
    }

    private func isTooOld(_ candidate: Candidate, _ intent: LedgerEntry.Intent) -> Bool {
        candidate.createdAtMilliseconds.map {
            $0 < intent.startedAtMilliseconds - Self.creationSkewMilliseconds
        } ?? false
    }

    private func isSettled(_ intent: LedgerEntry.Intent) -> Bool {
        sync.destinationHost.wallMilliseconds >= intent.startedAtMilliseconds + Self.settleMilliseconds
    }

    /// The records that may be lost creates; nil where they cannot be looked through.
    ///
    /// - Throws: ``RunStop`` where the run cannot go on either.
    private func loaded() throws(RunStop) -> [Candidate]? {
        switch search {
        case .made(let candidates): return candidates
        case .impossible: return nil
        case .notMade: break
        }
        search = .impossible
        let owners = [ledger] + (try OtherStates.open(in: stateFolder, but: sync.definition.name))
        defer { for owner in owners.dropFirst() { owner.close() } }
        let oldest = try oldestIntent()
        let fields = sync.mapping.targets.map(\.field.key) + (createdAtField.map { [$0] } ?? [])
        let request = ReadBackRequest(
            object: sync.object.id, selection: .changedSince(oldest - Self.clockSkewMilliseconds), fields: fields)
        var free: [Candidate] = []
        do {
            let stream = try sync.destination.readBack(request)
            defer { stream.close() }
            while let next = try stream.next() {
                for row in 0..<next.batch.rowCount {
                    guard let candidate = candidate(next.batch, row), try !Self.isOwned(candidate.id, owners) else {
                        continue
                    }
                    free.append(candidate)
                }
                if free.count > Self.recordsMax { return nil }
            }
        } catch let stop as RunStop {
            throw stop
        } catch let error as ConnectorError {
            guard [.unauthorized, .forbidden, .cancelled].contains(error.code) else { return nil }
            throw sync.stop(error, .destination, "looking for lost creates")
        } catch {
            throw .state(.internal("Lost creates could not be looked for: \(error)"))
        }
        search = .made(free)
        return free
    }

    private static func isOwned(_ id: String, _ owners: [StateStore]) throws(RunStop) -> Bool {
        do {
            for store in owners where try store.owns(remoteID: id) { return true }
            return false
        } catch {
            throw .state(error)
        }
    }

    /// The creates of a run without an answer whose rows were not met, once the source was read to its end.
    ///
    /// - Throws: ``RunStop`` `state`.
    static func vanished(
        of run: Int64, in store: StateStore, met: Set<Fingerprint>
    ) throws(RunStop) -> [LedgerEntry] {
        do {
            return try store.openEntries(of: run).filter { entry in
                [.intent, .unknown].contains(entry.outcome) && !met.contains(entry.key)
            }
        } catch {
            throw .state(error)
        }
    }

    private func candidate(_ batch: RecordBatch, _ row: Int) -> Candidate? {
        guard case .text(let id) = batch.value(row, 0) else { return nil }
        var record = RecordBatch(batch.schema, capacity: 1)
        record.append(batch.columns.map { $0.value(row) })
        var candidate = Candidate(id: id, record: record, createdAtMilliseconds: nil)
        if createdAtField != nil, case .instant(let created) = batch.value(row, batch.columns.count - 1) {
            candidate.createdAtMilliseconds = created / 1_000
        }
        return candidate
    }

    private func oldestIntent() throws(RunStop) -> Int64 {
        var oldest = Int64.max
        do {
            for outcome in [LedgerEntry.Outcome.intent, .unknown] {
                try ledger.forEachEntry(where: outcome) { entry in
                    if let intent = entry.intent { oldest = min(oldest, intent.startedAtMilliseconds) }
                }
            }
        } catch let error as StateError {
            throw .state(error)
        } catch {
            throw .state(.internal("The ledger could not be looked through: \(error)"))
        }
        return oldest == .max ? sync.destinationHost.wallMilliseconds : oldest
    }
}
