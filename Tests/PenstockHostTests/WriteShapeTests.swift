// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockModel
import Testing

@testable import PenstockHost

/// The columns in which rows cross, held against the same rows put together cell by cell.
@Suite struct WriteShapeTests {
    private static let kinds: [DestinationField.Kind] = [.text, .number, .integer, .boolean, .date, .json]
    private static let marker = DestinationField("marker", .text)

    @Test("rows cross as they would one by one, whole batches and pieces of several", arguments: 0..<60)
    func rowsCrossAsTheyAre(round: Int) throws {
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
        var random = SplitMix(state: seed &+ UInt64(round) &* 1_000_003)
        let mapping = try Self.mapping(clears: round % 2 == 0)
        let mode: WriteRequest.Mode = round % 3 == 0 ? .create : .update
        let guarantee: DeliveryGuarantee = round % 2 == 0 ? .exactlyOnce(marker: Self.marker) : .byMatch
        let shape = WriteShape(mode, mapping, guarantee)
        let chunks = (0..<3).map { _ in Self.chunk(mapping, mode, &random) }
        for items in Self.picks(chunks, &random) {
            let batch = shape.batch(items) { row in row.number % 3 == 0 ? nil : "marker \(row.number)" }
            #expect(batch.schema == shape.schema)
            #expect(batch.rowCount == items.count)
            for (place, item) in items.enumerated() {
                let expected = Self.plain(item, mapping, mode, hasMarker: mode == .create && guarantee != .byMatch)
                let found = batch.columns.indices.map { batch.columns[$0].value(place) }
                #expect(found == expected, "seed \(seed), round \(round), row \(place)")
            }
        }
    }

    // MARK: Random rows

    private static var source: Schema {
        Schema([Schema.Field("id", .int64)] + kinds.map { Schema.Field($0.rawValue, $0.columnType) })
    }

    private static func mapping(clears: Bool) throws -> CompiledMapping {
        let fields = [DestinationField("id", .id)] + kinds.map { DestinationField($0.rawValue, $0, isClearable: true) }
        return try CompiledMapping(
            map: source.fields.map { field in
                var entry = MapEntry(target: field.name, from: field.name)
                // Blank texts are left out then, although the column of the map holds them.
                if field.name == "text" { entry.editGuard = .neverNull }
                return entry
            },
            insert: InsertDefinition(mode: .update, onNull: clears ? .clear : .keep), source: source, fields: fields)
    }

    /// A chunk whose rows may have every field, so that its columns can go whole, or not.
    private static func chunk(
        _ mapping: CompiledMapping, _ mode: WriteRequest.Mode, _ random: inout SplitMix
    ) -> ChunkBox {
        var batch = RecordBatch(source)
        let hasNulls = Bool.random(using: &random)
        for row in 0..<Int.random(in: 1...40, using: &random) {
            let cells: [Value] = kinds.map { kind in
                hasNulls && Int.random(in: 0..<4, using: &random) == 0 ? .null : value(kind, &random)
            }
            batch.append([.int64(Int64(row + 1))] + cells)
        }
        let mapped = mapping.map(batch)
        let isWhole = Bool.random(using: &random)
        var rows: [DecidedRow] = []
        for row in 0..<batch.rowCount where isWhole || Bool.random(using: &random) {
            var fate = DecidedRow.Fate.create
            if mode != .create {
                let chosen = mapping.targets.indices.filter { _ in .random(using: &random) }
                let changes = chosen.map { FieldChange(target: $0, old: "", new: "") }
                fate = .update(id: "r\(row)", changes: Bool.random(using: &random) ? changes : nil)
            }
            var decided = DecidedRow(
                number: Int64(row + 1), row: row, key: Fingerprint(low: UInt64(row), high: 0), keyText: "key \(row)",
                cursor: .null, cursorText: nil, source: nil, payload: mapped.payloads[row], known: nil, fate: fate)
            if Int.random(in: 0..<5, using: &random) == 0 {
                decided.conflicts = [
                    RecordComparison.Conflict(target: 2, editGuard: .ifEmpty, live: "a", ours: nil, wanted: "b")
                ]
            }
            rows.append(decided)
        }
        return ChunkBox(DecidedChunk(source: batch, mapped: mapped, rows: rows))
    }

    private static func value(_ kind: DestinationField.Kind, _ random: inout SplitMix) -> Value {
        let number = Int64.random(in: -9_999...9_999, using: &random)
        return switch kind {
        case .number: .decimal("\(number).25")
        case .integer: .int64(number)
        case .boolean: .bool(number > 0)
        case .date: .date(number)
        case .json: .json("{\"a\":\(number)}")
        default: .text(String(repeating: "é\"", count: Int(number & 15)))
        }
    }

    /// All rows of each chunk, a piece of one, and some of all in any order.
    private static func picks(_ chunks: [ChunkBox], _ random: inout SplitMix) -> [[Delivery.Item]] {
        let all = chunks.map { chunk in chunk.chunk.rows.indices.map { Delivery.Item($0, of: chunk) } }
        let piece = all[0].dropFirst(all[0].count / 3).dropLast(all[0].count / 4)
        let some = all.flatMap { $0 }.filter { _ in .random(using: &random) }.shuffled(using: &random)
        return all + [Array(piece), some, all.flatMap { $0 }]
    }

    // MARK: The plain way

    private static func plain(
        _ item: Delivery.Item, _ mapping: CompiledMapping, _ mode: WriteRequest.Mode, hasMarker: Bool
    ) -> [Value] {
        let row = item.row
        let mapped = item.chunk.chunk.mapped
        var values: [Value] = [.text(row.keyText)]
        if case .update(let id, _) = row.fate { values.append(.text(id)) }
        let reserved = values.count + 1
        var bits = [UInt8](repeating: 0, count: (reserved + mapping.targets.count + (hasMarker ? 1 : 0) + 7) / 8)
        var cells: [Value] = []
        for (place, target) in mapping.targets.enumerated() {
            let has = mapped.presence[row.row, place]
            cells.append(has ? mapped.columns[place].value(row.row) : .null)
            var isSent = has && (mode == .create || !target.isFinderOnly)
            if case .update(_, let changes?) = row.fate, !changes.contains(where: { $0.target == place }) {
                isSent = false
            }
            if mode != .create, row.conflicts.contains(where: { $0.target == place }) { isSent = false }
            if isSent { bits[(place + reserved) >> 3] |= 1 << UInt8((place + reserved) & 7) }
        }
        if hasMarker {
            let isMarked = row.number % 3 != 0
            let place = reserved + mapping.targets.count
            if isMarked { bits[place >> 3] |= 1 << UInt8(place & 7) }
            cells.append(isMarked ? .text("marker \(row.number)") : .null)
        }
        return values + [.bytes(bits)] + cells
    }
}
