// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// Makes the state of a sync anew from the markers in its records.
///
/// Every record with a marker is read once, then the source; a row whose marker is found gets its record back. Nothing
/// is written at the destination.
package final class StateRebuilder {
    /// What was found.
    package struct Report: Sendable {
        /// Records that carry any marker.
        package var records: Int64 = 0
        /// Rows of the source.
        package var rows: Int64 = 0
        /// Rows whose record was found.
        package var found: Int64 = 0
        /// Rows for which several records carry the same marker, with the ids of the first two.
        package var duplicates: [(key: String, ids: [String])] = []
    }

    private let sync: OpenSync
    private let store: StateStore
    private let folder: String
    private var report = Report()

    /// A rebuilder of the state of `sync` into `store`, which is empty and open for writing.
    ///
    /// - Parameter folder: On whose disk large lists are kept meanwhile; the states of other syncs are there.
    package init(_ sync: OpenSync, into store: StateStore, folder: String) {
        self.sync = sync
        self.store = store
        self.folder = folder
    }

    /// Rebuilds.
    ///
    /// A FULL + Append gets the newest of its runs back, as one that was interrupted: the next run sends what that one
    /// has not, and ends it.
    ///
    /// - Throws: ``RunStop``, also where the sync's records carry no markers.
    package func rebuild() throws(RunStop) -> Report {
        guard case .exactlyOnce(let field) = sync.guarantee else {
            throw sync.stop(
                ConnectorError(
                    .unsupported,
                    "The records of \(sync.definition.name) carry no markers (insert.delivery is "
                        + "\(sync.guarantee.name)), so nothing tells which record belongs to which row."),
                .destination, "rebuilding its state")
        }
        let index = try readMarkers(field)
        let isWholeAppend = sync.definition.insert.mode == .append && sync.cursorIndex == nil
        var newest = ""
        if isWholeAppend {
            try forEachRow { (row) throws(RunStop) in
                for text in try self.find(Marker.stem(self.sync.origin, key: row.key), index, limit: 1_000) {
                    newest = max(newest, Marker.parts(text.marker)?.run ?? "")
                }
            }
        }
        report.rows = 0
        var changes: [StateChange] = []
        try forEachRow { (row) throws(RunStop) in
            self.report.rows += 1
            guard let marker = self.sync.marker(of: row, run: newest) else { return }
            let ids = try self.find(marker, index, limit: 2).map(\.id)
            guard let id = ids.first else { return }
            self.report.found += 1
            if ids.count > 1, self.report.duplicates.count < 100 { self.report.duplicates.append((row.keyText, ids)) }
            changes += self.changes(row, id, newest.isEmpty ? 0 : 1)
            if changes.count >= 1_000 { try self.commit(&changes) }
        }
        try commit(&changes)
        if !newest.isEmpty { try beginRun(newest) }
        return report
    }

    private func changes(_ row: DecidedRow, _ id: String, _ run: Int64) -> [StateChange] {
        var entry = LedgerEntry(key: row.key, keyText: row.keyText, remoteID: id, run: run, outcome: .created)
        if sync.definition.insert.mode == .update {
            // Its values are not known: the next run compares them.
            entry.outcome = .notTried
        } else {
            entry.source = row.source
            entry.payload = row.payload
            entry.cursor = row.cursorText
        }
        return [.ledger(entry), .created(remoteID: id)]
    }

    private func beginRun(_ id: String) throws(RunStop) {
        do {
            var run = try store.beginRun(
                id: id, startedAtMilliseconds: WallClock.milliseconds, definition: sync.definitionDigest)
            run.status = .unfinished
            run.message = "Rebuilt from the markers at the destination."
            try store.updateRun(run)
        } catch {
            throw .state(error)
        }
    }

    private func commit(_ changes: inout [StateChange]) throws(RunStop) {
        do {
            try store.commit(changes)
        } catch {
            throw .state(error)
        }
        changes = []
    }

    private func find(
        _ text: String, _ index: RemoteIndex, limit: Int
    ) throws(RunStop) -> [(id: String, marker: String)] {
        do {
            return try index.find(match: text, limit: limit).map { ($0.id, String(decoding: $0.record, as: UTF8.self)) }
        } catch {
            throw .state(error)
        }
    }

    /// Reads all markers, each to be found by itself and by its first part.
    private func readMarkers(_ field: DestinationField) throws(RunStop) -> RemoteIndex {
        do {
            let index = try RemoteIndex(folder: folder)
            let stream = try sync.destination.readBack(
                ReadBackRequest(object: sync.object.id, selection: .all, fields: [field.key]))
            defer { stream.close() }
            while let next = try stream.next() {
                for row in 0..<next.batch.rowCount {
                    guard case .text(let id) = next.batch.value(row, 0),
                        case .text(let text) = next.batch.value(row, 1),
                        let parts = Marker.parts(text)
                    else { continue }
                    report.records += 1
                    let matches = parts.stem == text ? [text] : [text, parts.stem]
                    try index.add(matches: matches, id: id, record: Array(text.utf8))
                }
            }
            return index
        } catch let error as ConnectorError {
            throw sync.stop(error, .destination, "reading the markers")
        } catch let error as StateError {
            throw .state(error)
        } catch {
            throw .state(.internal("The markers could not be read: \(error)"))
        }
    }

    private func forEachRow(_ body: (DecidedRow) throws(RunStop) -> Void) throws(RunStop) {
        let pipeline = try RowPipeline(
            sync, ledger: nil, runNumber: 0, fetchStart: .everything, scratchFolder: folder, limit: RunLimit(nil),
            isFullRefresh: false, stateFolder: folder)
        defer { pipeline.close() }
        while let chunk = try pipeline.nextUndecided() {
            if sync.destinationHost.isCancelled {
                throw sync.stop(ConnectorError(.cancelled, "The work was stopped."), .source, "reading")
            }
            for row in chunk.rows { try body(row) }
        }
    }
}
