// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockModel
import PenstockState

/// Where nameless scratch files are made by what must not touch the project.
enum ScratchFolder {
    /// The folder for temporary files.
    static var temporary: String { FileManager.default.temporaryDirectory.path }
}

/// Where a fetch starts.
package struct FetchStart: Sendable, Hashable {
    /// The watermark, typed; nil in a first run and with FULL.
    package var watermark: Value?
    /// The lower limit of what is read, lookback taken off; nil for everything.
    package var lowerBound: ReadRequest.LowerBound?
    /// What the linked syncs' states were like, for the next run to see whether anything has changed there.
    var linkStamp = ""
    /// The Incremental Key of the oldest row that is read once more because it may go now; nil where there is none.
    var reach: Value?

    /// A fetch of everything.
    package static let everything = FetchStart(watermark: nil, lowerBound: nil)

    /// Where `definition` starts, given the watermark of earlier runs.
    ///
    /// - Parameter type: The Incremental Key's type at the source.
    /// - Returns: Nil where the stored watermark is not a value of the column as it is now.
    package static func resolve(
        _ fetch: FetchDefinition, _ stored: Watermark?, type: DataType
    ) -> FetchStart? {
        guard fetch.mode == .incremental, let key = fetch.key else { return .everything }
        // A text that no longer reads as a value of the column is reported as nil, for the caller to explain.
        guard let stored, stored.column == key else {
            let start = fetch.start.flatMap { try? KeyText.value(from: $0, type: type) }
            return FetchStart(
                watermark: nil,
                lowerBound: start.map { ReadRequest.LowerBound(column: key, value: $0, isInclusive: true) })
        }
        // A number may be held in another type of number; every other type has an order of its own.
        guard stored.type == type || (numbers.contains(stored.type) && numbers.contains(type)) else { return nil }
        // The same: nil is explained by the caller.
        guard let value = try? KeyText.value(from: stored.text, type: type) else { return nil }
        var from = fetch.lookback.flatMap { KeyOrder.subtract($0, from: value) } ?? value
        // What lies before the start was never asked for, however far back a run looks. A start that is no value of the
        // column is reported when the sync is opened.
        if let start = fetch.start.flatMap({ try? KeyText.value(from: $0, type: type) }),
            KeyOrder.compare(from, start) < 0
        {
            from = start
        }
        return FetchStart(
            watermark: value, lowerBound: ReadRequest.LowerBound(column: key, value: from, isInclusive: true))
    }

    private static let numbers: Set<DataType> = [.int64, .uint64, .decimal, .float64]

    /// Where a run of `sync` starts.
    ///
    /// Where the map or the fields have changed since the last settled run, the fetch reaches back to the oldest
    /// reject, because rejects may go now; else, where a linked sync has run since, to the oldest row that waits for
    /// one of its rows.
    ///
    /// - Parameter planned: What linked syncs would do first that run with this one; for plans.
    /// - Throws: ``RunStop``: `schemaChanged` where the stored watermark is not a value of the column as it is now;
    ///   `badConfig` where the state knows records of another object.
    static func of(
        _ sync: OpenSync, _ store: StateStore?, isFullRefresh: Bool, stateFolder: String,
        planned: [String: PlannedRecords] = [:]
    ) throws(RunStop) -> FetchStart {
        try OtherStates.checkObject(of: sync, in: store)
        guard let index = sync.cursorIndex else { return .everything }
        let linkStamp = try LinkedStates(sync.mapping.links, folder: stateFolder, planned: planned).stamp()
        let type = sync.readSchema.fields[index].type
        do {
            let stored = try store?.watermark()
            if isFullRefresh {
                // Nothing is kept from being read, and the watermark still never moves back.
                let value = stored.flatMap { $0.column == sync.definition.fetch.key ? $0.text : nil }
                    .flatMap { try? KeyText.value(from: $0, type: type) }
                var start = FetchStart(watermark: value, lowerBound: nil)
                start.reach =
                    try value == nil ? nil : store.flatMap { try oldest($0, sync, type, rejects: .all) }
                return start
            }
            if let stored, let key = sync.definition.fetch.key, stored.column != key {
                throw RunStop.connector(
                    ConnectorError(
                        .schemaChanged,
                        "The watermark is one of column \(stored.column), and fetch.key is \(key) now; forget it with: "
                            + "penstock state reset \(sync.definition.name) --watermark"
                            + (sync.definition.insert.mode == .append ? " (every row is then inserted again)" : "")),
                    connection: sync.definition.source.connection, doing: "looking for the watermark")
            }
            guard var start = resolve(sync.definition.fetch, stored, type: type) else {
                throw RunStop.connector(
                    ConnectorError(
                        .schemaChanged,
                        "The watermark \(stored?.text ?? "") was a \(stored?.type.rawValue ?? "value"), and column "
                            + "\(stored?.column ?? "") now holds \(type.rawValue); forget it with: "
                            + "penstock state reset \(sync.definition.name) --watermark"),
                    connection: sync.definition.source.connection, doing: "looking for the watermark")
            }
            start.linkStamp = linkStamp
            guard let store, let bound = start.lowerBound else { return start }
            let isChanged =
                try store.meta(settledDefinition) ?? sync.definitionDigest.hex != sync.definitionDigest.hex
            let isLinkChanged = try store.meta(settledLinks) ?? "" != linkStamp
            let rejects: Rejects = isChanged ? .all : isLinkChanged ? .waiting : .none
            if let oldest = try oldest(store, sync, type, rejects: rejects),
                KeyOrder.compare(oldest, bound.value) < 0
            {
                start.lowerBound?.value = oldest
                start.lowerBound?.isInclusive = true
                start.reach = oldest
            }
            return start
        } catch let stop as RunStop {
            throw stop
        } catch let error as StateError {
            throw .state(error)
        } catch {
            throw .state(.internal("The ledger could not be looked through: \(error)"))
        }
    }

    /// The setting of a state file that holds the definition under which a run was last settled.
    static let settledDefinition = "settled_definition"

    /// The setting of a state file that holds the ``linkStamp`` of the last settled run.
    static let settledLinks = "settled_links"

    /// Which rejects may go now.
    private enum Rejects {
        /// None of them.
        case none
        /// Those that wait for a row of a linked sync.
        case waiting
        /// All of them.
        case all
    }

    /// The oldest of the rejects that may go, and of what an attempt reached back to that has not come to its end: its
    /// rows may be no rejects any more, and nothing else says that they are to be read.
    private static func oldest(
        _ store: StateStore, _ sync: OpenSync, _ type: DataType, rejects: Rejects
    ) throws -> Value? {
        var oldest: Value?
        func look(_ text: String?) {
            // A text that is no value of the column any more cannot be fetched by.
            guard let text, let value = try? KeyText.value(from: text, type: type) else { return }
            if oldest.map({ KeyOrder.compare(value, $0) < 0 }) ?? true { oldest = value }
        }
        if let noted = try store.meta(reachSetting)?.split(separator: "\n", omittingEmptySubsequences: false),
            noted.count >= 3, noted[0] == sync.definition.fetch.key ?? "", noted[1] == (try store.lastReset()) ?? ""
        {
            look(noted[2...].joined(separator: "\n"))
        }
        guard rejects != .none else { return oldest }
        try store.forEachEntry(where: .rejected) { entry in
            if rejects == .waiting {
                let code = try store.reject(for: entry.key)?.code
                guard RowReject.Code.links.contains(where: { $0.rawValue == code }) else { return }
            }
            look(entry.cursor)
        }
        return oldest
    }

    /// The setting of a state file that holds how far back a run has reached that is not settled: the column, the last
    /// reset of the ledger, and the Incremental Key, a line each.
    private static let reachSetting = "reach"

    /// What is remembered of how far back runs reach that are not settled; nil where they do not.
    ///
    /// - Throws: ``StateError``.
    static func reach(in store: StateStore) throws(StateError) -> String? { try store.meta(reachSetting) }

    /// Remembers `reach` as it was, or nothing.
    ///
    /// - Throws: ``StateError``.
    static func setReach(_ reach: String?, in store: StateStore) throws(StateError) {
        if try store.meta(reachSetting) != reach { try store.setMeta(reachSetting, reach) }
    }

    /// How it is remembered that runs reach back to a key, beside what is remembered already; nil where there is none.
    ///
    /// - Parameter keepsEarlier: Whether what is remembered already counts.
    /// - Throws: ``RunStop`` `state`.
    static func reach(
        to key: Value?, of sync: OpenSync, in store: StateStore, keepsEarlier: Bool
    ) throws(RunStop) -> String? {
        do {
            let text = key.flatMap { KeyText.text(of: $0) }
            guard let column = sync.definition.fetch.key, let index = sync.cursorIndex, let key, let text else {
                return keepsEarlier ? try reach(in: store) : nil
            }
            let earlier =
                keepsEarlier ? try oldest(store, sync, sync.readSchema.fields[index].type, rejects: .none) : nil
            if let earlier, KeyOrder.compare(earlier, key) <= 0 { return try reach(in: store) }
            return "\(column)\n\(try store.lastReset() ?? "")\n\(text)"
        } catch let error as StateError {
            throw .state(error)
        } catch {
            throw .state(.internal("The ledger could not be looked through: \(error)"))
        }
    }

    /// Whether a row with this key is part of the fetch; keys that are NULL always are.
    func includes(_ cursor: Value) -> Bool {
        guard let lowerBound, !KeyOrder.isMissing(cursor) else { return true }
        let order = KeyOrder.compare(cursor, lowerBound.value)
        return lowerBound.isInclusive ? order >= 0 : order > 0
    }
}
