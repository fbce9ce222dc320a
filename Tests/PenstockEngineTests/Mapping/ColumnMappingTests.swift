// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

@testable import PenstockEngine

/// The map a column at a time, held against the map a cell at a time.
@Suite struct ColumnMappingTests {
    @Test("A batch is mapped as its cells are, whatever the kinds, the types and the modes")
    func aBatchIsMappedAsItsCellsAre() throws {
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init)
        var random = seed.map(SeededGenerator.init(seed:)) ?? SeededGenerator.announced()
        let rowsMax = ProcessInfo.processInfo.environment["PENSTOCK_ROWS"].flatMap(Int.init) ?? 4_000
        var rows = 0
        while rows < rowsMax {
            guard let mapping = randomMapping(&random) else { continue }
            let batch = randomBatch(&random)
            expectSame(mapping.map(batch), PlainMapper.map(mapping, batch), mapping)
            rows += batch.rowCount
        }
    }

    private static let source = Schema(
        [Schema.Field("id", .int64)] + DataType.allCases.map { Schema.Field($0.rawValue, $0) }
            + DataType.allCases.map { Schema.Field("plain_\($0.rawValue)", $0) })

    private func randomMapping(_ random: inout SeededGenerator) -> CompiledMapping? {
        let insert = InsertDefinition(
            mode: Bool.random(using: &random) ? .append : .update,
            onMissing: [.reject, .skip, .create].randomElement(using: &random) ?? .reject,
            onNull: Bool.random(using: &random) ? .keep : .clear)
        let columns = Self.source.fields.map(\.name)
        var map: [MapEntry] = []
        if insert.mode == .update {
            let idColumns = ["id", "int64", "text", "decimal", "plain_text"]
            map.append(MapEntry(target: "id", from: idColumns.randomElement(using: &random) ?? "id"))
        }
        if insert.mode == .append || insert.onMissing == .create || Bool.random(using: &random) {
            map.append(
                MapEntry(target: "name", from: ["text", "plain_text", "int64"].randomElement(using: &random) ?? ""))
        }
        for field in MappingFixture.fields where !["id", "name"].contains(field.key) && field.label != "Same" {
            guard Int.random(in: 0..<3, using: &random) == 0 else { continue }
            let entry: MapEntry
            switch Int.random(in: 0..<8, using: &random) {
            case 0: entry = MapEntry(target: field.key, value: "1")
            case 1: entry = MapEntry(target: field.key, from: columns.randomElement(using: &random), defaultText: "1")
            default:
                entry = MapEntry(
                    target: field.key, from: columns.randomElement(using: &random),
                    whenMissing: Bool.random(using: &random) ? .skip : .reject)
            }
            let whole = map + [entry]
            // Not every kind can be written from every type: such an entry is left out.
            if (try? CompiledMapping(map: whole, insert: insert, source: Self.source, fields: MappingFixture.fields))
                != nil
            {
                map = whole
            }
        }
        // A map that needs more than was drawn is not one.
        return try? CompiledMapping(map: map, insert: insert, source: Self.source, fields: MappingFixture.fields)
    }

    private func randomBatch(_ random: inout SeededGenerator) -> RecordBatch {
        var batch = RecordBatch(Self.source)
        let rows = [0, 1, 63, 64, 65, 130].randomElement(using: &random) ?? 1
        let nulls = Int.random(in: 0...2, using: &random)
        for row in 0..<rows {
            batch.append(
                Self.source.fields.enumerated().map { place, field in
                    if place == 0 { return .int64(Int64(row + 1)) }
                    if nulls == 0 || place > DataType.allCases.count {
                        return PlainValue.of(field.type, &random, hasNulls: nulls == 2)
                    }
                    return RandomValue.of(field.type, &random)
                })
        }
        return batch
    }

    /// Whether two batches say the same; an expectation a cell takes longer than all the mapping.
    private func areSame(_ mapped: MappedBatch, _ plain: MappedBatch) -> Bool {
        guard mapped.rejects == plain.rejects, mapped.createRejects == plain.createRejects,
            mapped.presence == plain.presence, mapped.rowCount == plain.rowCount
        else { return false }
        return (0..<mapped.rowCount).allSatisfy { row in
            guard mapped.isRejected(row) == plain.isRejected(row) else { return false }
            if mapped.isRejected(row) { return true }
            return mapped.idText(row) == plain.idText(row) && mapped.payloads[row] == plain.payloads[row]
                && mapped.columns.indices.allSatisfy {
                    !mapped.presence[row, $0] || mapped.columns[$0].value(row) == plain.columns[$0].value(row)
                }
        }
    }

    private func expectSame(_ mapped: MappedBatch, _ plain: MappedBatch, _ mapping: CompiledMapping) {
        if areSame(mapped, plain) { return }
        Issue.record("The batches differ.")
        let map = mapping.targets.map(\.name)
        #expect(mapped.rejects == plain.rejects, "\(map)")
        #expect(mapped.createRejects == plain.createRejects, "\(map)")
        #expect(mapped.presence == plain.presence, "\(map)")
        for row in 0..<mapped.rowCount {
            #expect(mapped.isRejected(row) == plain.isRejected(row))
            guard !mapped.isRejected(row) else { continue }
            #expect(mapped.idText(row) == plain.idText(row), "row \(row) of \(map)")
            #expect(mapped.payloads[row] == plain.payloads[row], "row \(row) of \(map)")
            for target in map.indices where mapped.presence[row, target] {
                #expect(
                    mapped.columns[target].value(row) == plain.columns[target].value(row),
                    "row \(row) of \(map[target])")
            }
        }
    }
}

extension PlainMapper {
    /// What the map makes of a batch.
    static func map(_ mapping: CompiledMapping, _ batch: RecordBatch) -> MappedBatch {
        var mapper = PlainMapper(mapping, batch)
        return mapper.map()
    }
}

/// Values that are mostly right, as sources have them.
enum PlainValue {
    static func of(_ type: DataType, _ random: inout SeededGenerator, hasNulls: Bool) -> Value {
        if hasNulls, Int.random(in: 0..<4, using: &random) == 0 { return .null }
        let number = Int64.random(in: -5...200_000, using: &random)
        let day = Int64.random(in: -800_000...3_000_000, using: &random)
        switch type {
        case .bool: return .bool(number & 1 == 0)
        case .int64: return .int64(number)
        case .uint64: return .uint64(number.magnitude)
        case .float64: return .float64(Double(number) / 4)
        case .decimal: return .decimal("\(number).\(number.magnitude % 10)0")
        case .text: return .text(text(number, day, &random))
        case .bytes: return .bytes([1, 2])
        case .date: return .date(day)
        case .time: return .time(number * 1_000_000)
        case .timestamp, .instant:
            let moment = day &* 86_400_000_000 &+ (number & 1) &* 3_600_000_000
            return type == .instant ? .instant(moment) : .timestamp(moment)
        case .json: return .json("[\(number)]")
        }
    }

    private static func text(_ number: Int64, _ day: Int64, _ random: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<9, using: &random) {
        case 0: String(number)
        case 1: "\(number / 100).\(number.magnitude % 100)"
        case 2: TimeText.date(day) ?? ""
        case 3: TimeText.instant(day * 86_400_000_000 + number * 1_000)
        case 4: TimeText.timestamp(day * 86_400_000_000) + "+0\(number.magnitude % 9):30"
        case 5: ["Customer", "Partner", "Lead", "customer", "Twin", "Gone"].randomElement(using: &random) ?? ""
        case 6: "ÄÖÜ \(number % 7)"
        case 7: String(repeating: "é", count: Int(number.magnitude % 14))
        default: "\(number.magnitude % 3)"
        }
    }
}
