// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockModel
import Testing

@testable import PenstockHost

/// The fields of lines of requests, held against JSON that is made of values.
@Suite struct SentFieldsTests {
    /// What is written without a value for each member reads as those would.
    @Test func sentFieldsReadAsTheirValues() throws {
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
        print("sentFieldsReadAsTheirValues: seed \(seed)")
        var random = SplitMix(state: seed)
        let letters = Array("ab\"\\\n\t\u{1}é€😀 ")
        for _ in 0..<200 {
            let values: [(name: String, value: Value)] = (0..<6).map { place in
                let length = [0, 3, 40, 1_999, 2_000, 2_001, 2_500].randomElement(using: &random) ?? 0
                let text = String((0..<length).map { _ in letters.randomElement(using: &random) ?? "a" })
                let value: Value =
                    [.null, .int64(.random(in: .min ... .max, using: &random)), .bool(true), .text(text)]
                    .randomElement(using: &random) ?? .null
                return ("field \"\(place)\"", value)
            }
            let out = JSONBuffer()
            var writer = SentFieldsWriter(dotted: ["field \"2\""], dots: "•••", charactersMax: 2_000)
            out.append("{")
            writer.write(SentFields(values), into: out)
            out.append("}")
            let read = try JSON(parsing: out.bytes)
            for (name, value) in values {
                var expected = value.isNull ? nil : SourceRowText.text(of: value)
                if let text = expected, text.count > 2_000 { expected = text.prefix(2_000) + "…" }
                if name == "field \"2\"", expected != nil { expected = "•••" }
                #expect(read[name]?.stringValue == expected)
                #expect(read[name] != nil)
            }
        }
    }

    private static let kinds: [DestinationField.Kind] = [.text, .number, .integer, .boolean, .date, .instant, .json]

    /// Chunks of random rows, of which each is written as a whole or for the fields that changed.
    @Test func cellsReadAsTheirValues() throws {
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
        print("cellsReadAsTheirValues: seed \(seed)")
        var random = SplitMix(state: seed)
        let source = Schema([Schema.Field("id", .int64)] + Self.kinds.map { Schema.Field($0.rawValue, $0.columnType) })
        let fields =
            [DestinationField("id", .id)] + Self.kinds.map { DestinationField($0.rawValue, $0, isClearable: true) }
        let mapping = try CompiledMapping(
            map: source.fields.map { MapEntry(target: $0.name, from: $0.name) },
            insert: InsertDefinition(mode: .update, onNull: .clear), source: source, fields: fields)
        let dots = "\"•\""
        var writer = SentFieldsWriter(dotted: ["boolean", "json"], dots: dots, charactersMax: 20)
        for _ in 0..<40 {
            let batch = Self.batch(source, &random)
            let chunk = ChunkBox(DecidedChunk(source: batch, mapped: mapping.map(batch), rows: []))
            for row in 0..<batch.rowCount {
                let changed =
                    Bool.random(using: &random) ? nil : mapping.targets.indices.filter { _ in .random(using: &random) }
                var expected = JSONObject()
                for place in mapping.targets.indices where chunk.chunk.mapped.presence[row, place] {
                    guard changed?.contains(place) ?? true else { continue }
                    let value = chunk.chunk.mapped.columns[place].value(row)
                    var text = SourceRowText.text(of: value)
                    if text.count > 20 { text = text.prefix(20) + "…" }
                    let name = mapping.targets[place].name
                    expected[name] = value.isNull ? .null : .string(["boolean", "json"].contains(name) ? dots : text)
                }
                let out = JSONBuffer(capacity: 1)
                out.append("{")
                writer.write(SentFields(chunk, row, mapping.targets, only: changed), into: out)
                out.append("}")
                #expect(out.bytes == JSON.object(expected).utf8)
            }
        }
    }

    private static func batch(_ source: Schema, _ random: inout SplitMix) -> RecordBatch {
        var batch = RecordBatch(source)
        for row in 0..<Int.random(in: 1...70, using: &random) {
            batch.append(
                [.int64(Int64(row + 1))]
                    + kinds.map { Int.random(in: 0..<5, using: &random) == 0 ? .null : value($0, &random) })
        }
        return batch
    }

    private static func value(_ kind: DestinationField.Kind, _ random: inout SplitMix) -> Value {
        let far = Bool.random(using: &random)
        let number = Int64.random(in: far ? .min ... .max : -999...999, using: &random)
        let letters = Array("ab\"\\\n\t\u{1}é€😀 ")
        let count = [0, 1, 7, 8, 19, 20, 21, 60].randomElement(using: &random) ?? 0
        let text = String((0..<count).map { _ in letters.randomElement(using: &random) ?? "a" })
        return switch kind {
        case .number: .decimal("\(number).25")
        case .integer: .int64(number)
        case .boolean: .bool(far)
        case .date: .date(number % (far ? 2_500_000_000 : 40_000))
        case .instant: .instant(number)
        case .json: .json(JSON.string(text).text)
        default: .text(text)
        }
    }
}
