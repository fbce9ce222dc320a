// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import Synchronization

/// Records read back, page by page.
final class PipedriveReadBack: RecordStream {
    let schema: Schema

    private let api: PipedriveAPI
    private let object: PipedriveObject
    private let fields: [PipedriveField]
    private let query: [(String, String)]
    private var cursor: String?
    private var hasEnded: Bool
    /// Whether the pages that are read now are those of archived records.
    private var isInArchive = false
    /// The one id that was asked for, where its record is read by itself, or nil.
    private var loneID: String?
    /// The ids that were asked for and have not come, or nil where all records were asked for.
    private var missing: Set<String>?
    /// The ids of the records that were delivered, where the order lets one come twice; nil where none can.
    private var seen: Set<String>?
    private let isCancelled = Atomic(false)

    /// The most keys that the query parameter `custom_fields` may name.
    private static let customFieldsMax = 15

    init(
        _ request: ReadBackRequest, object: PipedriveObject, fields: PipedriveFields, api: PipedriveAPI
    ) throws(ConnectorError) {
        self.api = api
        self.object = object
        self.fields = try Self.columns(request.fields, object, fields)
        schema = Schema(
            [Schema.Field("id", .text, isNullable: false)]
                + self.fields.map { Schema.Field($0.field.key, $0.field.kind.columnType) })
        var query: [(String, String)] = []
        hasEnded = false
        switch request.selection {
        case .ids(let ids):
            guard ids.count <= object.costs.readByIDsMax else {
                throw ConnectorError(
                    .badRequest, "At most \(object.costs.readByIDsMax) records can be read by id at once.")
            }
            // Other texts are ids of nothing; and without any id the list would be that of all records.
            let numbers = ids.filter { PipedriveBody.isID(Array($0.utf8)[...]) }
            hasEnded = numbers.isEmpty
            if ids.count == 1, object.costs.readOne > 0 {
                loneID = numbers.first
                break
            }
            missing = Set(numbers)
            query = [("ids", numbers.joined(separator: ",")), ("limit", String(object.costs.readByIDsMax))]
        case .changedSince(let milliseconds):
            var time: [UInt8] = []
            // Nothing has changed since a moment that cannot be written: the last one that can says the same.
            let since = min(max(0, milliseconds), PipedriveTime.lastMilliseconds)
            PipedriveTime.writeInstant(since * 1_000, into: &time)
            query = [
                ("updated_since", String(decoding: time, as: UTF8.self)), ("limit", String(object.costs.readPageMax)),
                // A record that is touched meanwhile moves to the end, and is seen again.
                ("sort_by", "update_time"), ("sort_direction", "asc"),
            ]
            seen = []
        case .all: query = [("limit", String(object.costs.readPageMax))]
        }
        let custom = self.fields.filter(\.field.isCustom).map(\.field.key)
        if (1...Self.customFieldsMax).contains(custom.count) {
            query.append(("custom_fields", custom.joined(separator: ",")))
        }
        let included = self.fields.filter(\.isIncludedOnDemand).map(\.field.key)
        if !included.isEmpty { query.append(("include_fields", included.joined(separator: ","))) }
        self.query = query
    }

    private static func columns(
        _ keys: [String], _ object: PipedriveObject, _ fields: PipedriveFields
    ) throws(ConnectorError) -> [PipedriveField] {
        var found: [PipedriveField] = []
        for key in keys where key != "id" {
            guard let field = fields[key] else {
                throw ConnectorError(.notFound, "The \(object.id) of this account has no field \(key).", field: key)
            }
            found.append(field)
        }
        return found
    }

    func next() throws(ConnectorError) -> SourceBatch? {
        while !hasEnded {
            if isCancelled.load(ordering: .relaxed) { throw ConnectorError(.cancelled, "The read was cancelled.") }
            if let loneID { return try one(loneID) }
            let path = isInArchive ? object.archivePath ?? object.path : object.path
            let page = try api.read(
                "/api/v2/\(path)", query: pageQuery, cost: isInArchive ? object.archivePageCost : object.costs.readPage,
                object: object, isCancelled: { isCancelled.load(ordering: .relaxed) })
            let next = page["additional_data"]?["next_cursor"]?.stringValue
            guard next == nil || next != cursor else {
                throw ConnectorError(.unavailable, "\(api.siteName) sent the same page mark twice.")
            }
            cursor = next
            let records = try api.items(page, of: path)
            if missing != nil { for record in records { missing?.remove(record["id"]?.numberText ?? "") } }
            if next == nil { endList() }
            let batch = try batch(records)
            if batch.batch.rowCount > 0 { return batch }
        }
        return nil
    }

    /// The record with this id, or nil where it does not exist.
    private func one(_ id: String) throws(ConnectorError) -> SourceBatch? {
        hasEnded = true
        let answer: JSON
        do {
            answer = try api.read(
                "/api/v2/\(object.path)/\(id)", query: query, cost: object.costs.readOne, object: object,
                isCancelled: { isCancelled.load(ordering: .relaxed) })
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
        guard let record = answer["data"], record["id"]?.numberText == id else {
            throw ConnectorError(.unavailable, "\(api.siteName) sent something else than \(object.id) \(id).")
        }
        let batch = try batch([record])
        return batch.batch.rowCount > 0 ? batch : nil
    }

    private var pageQuery: [(String, String)] {
        var query = query
        if isInArchive, let missing {
            query[0].1 = missing.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }.joined(separator: ",")
        }
        return query + (cursor.map { [("cursor", $0)] } ?? [])
    }

    /// Goes on with the archived records after the others; with ids, only where some have not come.
    private func endList() {
        guard !isInArchive, object.archivePath != nil, missing?.isEmpty != true else { return hasEnded = true }
        isInArchive = true
        cursor = nil
    }

    private func batch(_ records: [JSON]) throws(ConnectorError) -> SourceBatch {
        var columns = schema.fields.map { Column($0.type, capacity: records.count) }
        var rejects: [SourceReject] = []
        var row = 0
        for record in records where record["is_deleted"]?.boolValue != true {
            guard let id = record["id"]?.numberText else {
                throw ConnectorError(.unavailable, "\(api.siteName) sent a record of \(object.id) without an id.")
            }
            if seen?.insert(id).inserted == false { continue }
            columns[0].append(bytes: id.utf8)
            var isRejected = false
            for (index, field) in fields.enumerated() {
                let holder = field.field.isCustom ? record["custom_fields"] : record
                let value = holder?[field.field.key] ?? .null
                guard !PipedriveCell.append(value, field.field, to: &columns[index + 1]), !isRejected else { continue }
                isRejected = true
                rejects.append(
                    SourceReject(
                        row: row, column: field.field.key, value: String(value.text.prefix(80)),
                        message: "\(object.id) \(id) holds something else in \(field.field.key) than its kind says"))
            }
            row += 1
        }
        return SourceBatch(RecordBatch(schema, columns), rejects: rejects)
    }

    func cancel() { isCancelled.store(true, ordering: .relaxed) }

    func close() {
        cancel()
        hasEnded = true
    }
}
