// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// One row of a source as it is now, and what the map makes of it.
package struct RowInspection: Sendable {
    /// A target field and what fills it.
    package struct Field: Sendable, Hashable {
        /// The target as the map spells it.
        package var target: String
        /// The columns that fill it; none for a constant.
        package var columns: [String]
        /// Whether the row sets it.
        package var isSet: Bool
        /// The value that would be sent, as text; nil for none.
        package var value: String?
        /// The value that the record at the destination has, where it is another one; nil where it is not.
        package var remoteValue: String?
    }

    /// Where a row stands by the Incremental Key.
    package enum Fetch: Sendable, Hashable {
        /// Every run reads every row.
        case full
        /// It is past the watermark: the next run reads it.
        case past
        /// It is at the watermark or before it, and read once more all the same.
        case lookedAtAgain
        /// It is before the watermark: no run reads it unless it changes.
        case behind
        /// It has no value.
        case missing
    }

    /// How many rows have this key; those after the first are rejects.
    package var count: Int
    /// The columns that are read, with their values as text; nil for NULL.
    package var columns: [(name: String, value: String?)]
    /// The target fields, in the order of the map.
    package var fields: [Field]
    /// What is wrong with the row, or nil.
    package var reject: RejectReason?
    /// The digest of what would be sent; nil for a row that is a reject.
    package var payload: Fingerprint?
    /// Where the row stands by the Incremental Key.
    package var fetch: Fetch
    /// The Incremental Key's text, or nil.
    package var cursor: String?
    /// Whether the record was read back and is there; nil where it was not asked for.
    package var hasRemote: Bool?
}

/// Looks at one row of an open sync; writes nothing.
package struct RowInspector {
    private let sync: OpenSync
    private let stateFolder: String

    /// An inspector over an open sync.
    package init(_ sync: OpenSync, stateFolder: String) {
        self.sync = sync
        self.stateFolder = stateFolder
    }

    /// The row whose source key reads like `key`, or nil where there is none.
    ///
    /// Reads the source from the key on where that is possible, else from the beginning.
    ///
    /// - Parameters:
    ///   - store: The sync's state, or nil.
    ///   - remoteID: A record to read back and to compare with, or nil.
    ///   - createFault: The code with which the row was rejected when it should have become a record, or nil; whether
    ///     it still would be is then said.
    /// - Throws: ``RunStop``.
    package func inspect(
        _ key: [String], _ store: StateStore?, remoteID: String?, createFault: String? = nil
    ) throws(RunStop) -> RowInspection? {
        let text = key.joined(separator: ", ")
        guard let (row, count) = try find(key, text) else { return nil }
        let linked = try LinkedStates(sync.mapping.links, folder: stateFolder)
        let mapped = sync.mapping.map(row.batch, links: linked.resolve)
        if let failure = linked.failure { throw .state(failure) }
        let cursor = sync.cursorIndex.map { row.batch.value(0, $0) } ?? .null
        var inspection = RowInspection(
            count: count,
            columns: row.batch.schema.fields.enumerated().map { index, field in
                let value = row.batch.value(0, index)
                return (field.name, value.isNull ? nil : SourceRowText.text(of: value))
            },
            fields: fields(mapped), reject: nil, payload: nil,
            fetch: try fetch(cursor, store), cursor: KeyText.text(of: cursor), hasRemote: nil)
        inspection.reject =
            row.rejects.first.map { RejectReason($0) } ?? mapped.rejects.first.map { RejectReason($0.reject) }
            ?? mapped.createRejects.first { $0.reject.code.rawValue == createFault }.map { RejectReason($0.reject) }
        if inspection.reject == nil { inspection.payload = mapped.payloads[0] }
        if let remoteID { try compare(&inspection, mapped, remoteID) }
        return inspection
    }

    private func find(_ key: [String], _ text: String) throws(RunStop) -> (row: SourceBatch, count: Int)? {
        let places = sync.keyColumns.compactMap(sync.readSchema.index(of:))
        guard !places.isEmpty else { return nil }
        var request = ReadRequest(sync.definition.source.target, columns: sync.readSchema.fields.map(\.name))
        request.batchRowsMax = RowPipeline.batchRows
        request.needsOpenWriters = false
        let isOrdered = bound(&request, key, places[0])
        do throws(ConnectorError) {
            let stream = try sync.source.read(request)
            defer { stream.close() }
            var found: SourceBatch?
            var count = 0
            while let batch = try stream.next() {
                if sync.sourceHost.isCancelled { throw ConnectorError(.cancelled, "It was stopped.") }
                for row in 0..<batch.batch.rowCount where Self.text(batch.batch, row, places) == text {
                    count += 1
                    guard found == nil else { continue }
                    var single = SourceBatch(batch.batch.row(row))
                    single.rejects = batch.rejects.filter { $0.row == row }.map { reject in
                        var reject = reject
                        reject.row = 0
                        return reject
                    }
                    found = single
                }
                // In order, nothing further on can have the key.
                if isOrdered, found != nil, batch.batch.rowCount > 0,
                    Self.text(batch.batch, batch.batch.rowCount - 1, places) != text
                {
                    break
                }
            }
            return found.map { ($0, count) }
        } catch {
            throw sync.stop(error, .source, "looking for the row")
        }
    }

    /// Lets the source begin at the key where it can; returns whether rows then come in the order of the key.
    private func bound(_ request: inout ReadRequest, _ key: [String], _ place: Int) -> Bool {
        let field = sync.readSchema.fields[place]
        guard key.count == sync.keyColumns.count, sync.sourceCapabilities.contains(.lowerBound),
            ReadPosition.orders(field.type), let first = key.first,
            // A text that is no value of the column names no row; the source is then read from the beginning.
            let value = try? KeyText.value(from: first, type: field.type)
        else { return false }
        request.lowerBound = ReadRequest.LowerBound(column: field.name, value: value, isInclusive: true)
        guard sync.sourceCapabilities.contains(.order) else { return false }
        request.order = [field.name]
        return true
    }

    private static func text(_ batch: RecordBatch, _ row: Int, _ places: [Int]) -> String {
        places.map { place in
            let value = batch.value(row, place)
            return value.isNull ? "NULL" : SourceRowText.text(of: value)
        }.joined(separator: ", ")
    }

    private func fields(_ mapped: MappedBatch) -> [RowInspection.Field] {
        let entries = sync.definition.map
        return sync.mapping.targets.enumerated().map { place, target in
            let isSet = mapped.presence[0, place]
            let value = isSet ? mapped.columns[place].value(0) : .null
            return RowInspection.Field(
                target: target.name, columns: entries[target.entry].columns, isSet: isSet,
                value: value.isNull ? nil : SourceRowText.text(of: value), remoteValue: nil)
        }
    }

    private func fetch(_ cursor: Value, _ store: StateStore?) throws(RunStop) -> RowInspection.Fetch {
        guard sync.cursorIndex != nil else { return .full }
        guard !KeyOrder.isMissing(cursor) else { return .missing }
        let start = try FetchStart.of(sync, store, isFullRefresh: false, stateFolder: stateFolder)
        guard let watermark = start.watermark else { return start.includes(cursor) ? .past : .behind }
        if KeyOrder.compare(cursor, watermark) > 0 { return .past }
        return start.includes(cursor) ? .lookedAtAgain : .behind
    }

    private func compare(_ inspection: inout RowInspection, _ mapped: MappedBatch, _ id: String) throws(RunStop) {
        let lookup = RemoteLookup(sync, scratchFolder: ScratchFolder.temporary)
        let record = try lookup.records([id])[id]
        inspection.hasRemote = record != nil
        guard let record else { return }
        let comparison = RecordComparison(sync.mapping, records: lookup.readSchema)
        for difference in comparison.differences(mapped, 0, record, 0, isWhole: true) {
            inspection.fields[difference.target].remoteValue = difference.old
        }
    }
}
