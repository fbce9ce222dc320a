// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// The states of the syncs that a map links to: what their source keys stand for at the destination.
///
/// Used from the thread of the run.
final class LinkedStates {
    /// The setting of a state file that holds the columns of the source key, a line each.
    static let keySetting = "source_key"

    private var stores: [String: StateStore] = [:]
    private let planned: [String: PlannedRecords]

    /// Why a state could not be read, once that has happened; what was resolved since means nothing.
    private(set) var failure: StateError?

    /// Opens the states of `syncs` for reading; a sync that never ran has none.
    ///
    /// - Parameter planned: What those of the syncs would do first that run with this one; only a plan has such ones.
    /// - Throws: ``RunStop`` `state`.
    init(_ syncs: [String], folder: String, planned: [String: PlannedRecords] = [:]) throws(RunStop) {
        self.planned = planned.filter { syncs.contains($0.key) }
        for sync in syncs {
            do {
                stores[sync] = try StateStore.openForReading(folder: folder, sync: sync)
                // Its run notes its key first, whatever an earlier one had.
                if let planned = planned[sync], !planned.isDiscarded {
                    if planned.keyColumns.count != 1 { throw Self.manyColumns(sync) }
                } else if let key = try stores[sync]?.meta(Self.keySetting), key.isEmpty || key.contains("\n") {
                    throw Self.manyColumns(sync)
                }
            } catch let stop as RunStop {
                throw stop
            } catch let error as StateError {
                throw .state(error)
            } catch {
                throw .state(.internal("The state of \(sync) cannot be read: \(error)"))
            }
        }
    }

    private static func manyColumns(_ sync: String) -> RunStop {
        .connector(
            ConnectorError(
                .badConfig,
                "The map links to \(sync), whose rows have no source key of one column; give it one with source.key."),
            connection: sync, doing: "looking for its key")
    }

    /// A text that changes with every attempt at a run of a linked sync; one that is yet to run has changed it.
    ///
    /// - Throws: ``RunStop`` `state`.
    func stamp() throws(RunStop) -> String {
        if planned.values.contains(where: { !$0.isDiscarded }) { return "planned" }
        do {
            return try stores.sorted { $0.key < $1.key }.map { name, store in
                let run = try store.lastRun()
                return "\(name) \(run?.number ?? 0) \(run?.attempts ?? 0) \(run?.finishedAtMilliseconds ?? 0)"
            }.joined(separator: "\n")
        } catch let error as StateError {
            throw .state(error)
        } catch {
            throw .state(.internal("The state of a linked sync cannot be read: \(error)"))
        }
    }

    /// What the source key `key` of `sync` stands for.
    func resolve(_ sync: String, _ key: Value) -> LinkResolution {
        do {
            let digests = Self.digests(of: key)
            if let outcome = try planned[sync]?.outcome(digests) { return Self.resolution(outcome, sync, key) }
            guard let store = stores[sync] else {
                let absence = planned[sync].map { $0.absence?(sync) ?? Self.noRow(sync) }
                return .missing(
                    absence
                        ?? "The sync \(sync) has not run yet; run it first, and this row goes by itself afterwards.")
            }
            let found = try store.entries(for: digests)
            guard let entry = digests.lazy.compactMap({ found[$0] }).first else {
                return .missing(planned[sync]?.absence?(sync) ?? Self.noRow(sync))
            }
            return try resolution(entry, store, sync)
        } catch {
            failure = error
            return .missing("The state of \(sync) cannot be read.")
        }
    }

    /// What stands for every key of a linked sync alike, whatever its record.
    ///
    /// By the keys, rows that were planned before there were records are known again.
    static func byKey(_ sync: String, _ key: Value) -> LinkResolution {
        .planned("\(sync) \(SourceRowText.text(of: key))")
    }

    private static func noRow(_ sync: String) -> String {
        "The sync \(sync) has no row with this source key; this row goes by itself once it has."
    }

    private static func resolution(_ outcome: PlannedRecords.Outcome, _ sync: String, _ key: Value) -> LinkResolution {
        switch outcome {
        case .record(let id): .record(id)
        case .created: byKey(sync, key)
        case .rejected(let code): .blocked(rejected(sync, code))
        case .skipped: .blocked(skipped(sync))
        }
    }

    private static func rejected(_ sync: String, _ code: String?) -> String {
        "Its row in \(sync) was rejected\(code.map { " (\($0))" } ?? ""); this row goes by itself once that one does."
    }

    private static func skipped(_ sync: String) -> String { "Its row in \(sync) was skipped and has no record." }

    private func resolution(
        _ entry: LedgerEntry, _ store: StateStore, _ sync: String
    ) throws(StateError) -> LinkResolution {
        if let id = entry.remoteID { return .record(id) }
        switch entry.outcome {
        case .rejected:
            return .blocked(Self.rejected(sync, try store.reject(for: entry.key)?.code))
        case .skipped: return .blocked(Self.skipped(sync))
        default:
            return .blocked("Its row in \(sync) is not settled yet; this row goes by itself once it is.")
        }
    }

    /// The digests under which a ledger may know a key: a number and its text are one key, because the two tables
    /// may hold it in different types.
    static func digests(of key: Value) -> [Fingerprint] {
        var values = [key]
        var text = SourceRowText.text(of: key)
        // A number is the same one with zeros behind its point.
        if case .decimal = key, let number = DecimalText(text) { text = number.canonicalText }
        if case .float64(let number) = key, let whole = Int64(exactly: number) { text = String(whole) }
        if text != SourceRowText.text(of: key) { values.append(.text(text)) }
        switch key {
        case .text, .decimal, .float64:
            if let number = Int64(text), String(number) == text { values.append(.int64(number)) }
            if let number = UInt64(text), number > Int64.max, String(number) == text { values.append(.uint64(number)) }
        default: values.append(.text(text))
        }
        return values.map { value in
            var column = Column(value.type ?? .text)
            column.append(value)
            var hasher = FingerprintHasher()
            hasher.combine(column, row: 0)
            return hasher.finish()
        }
    }
}
