// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit
import Glibc
import PipedriveConnector
import Testing

/// Bodies made slowly and plainly, value by value: what the quick ones are held against.
struct PlainBody {
    let fields: PipedriveFields
    let schema: Schema
    let mode: WriteRequest.Mode

    /// The body of a row, or nil where it sets nothing.
    func body(_ batch: RecordBatch, _ row: Int) throws -> JSON? {
        var object = JSONObject()
        var custom = JSONObject()
        let reserved = [WriteRequest.rowKeyColumn, WriteRequest.remoteIDColumn, WriteRequest.presenceColumn]
        for (place, shape) in schema.fields.enumerated() where !reserved.contains(shape.name) {
            guard isPresent(batch, row, place) else { continue }
            let field = try #require(fields[shape.name])
            guard let value = try value(batch.value(row, place), field.wire) else { continue }
            if field.field.isCustom { custom[shape.name] = value } else { object[shape.name] = value }
        }
        if !custom.isEmpty { object["custom_fields"] = .object(custom) }
        return object.isEmpty ? nil : .object(object)
    }

    private func isPresent(_ batch: RecordBatch, _ row: Int, _ place: Int) -> Bool {
        guard let column = schema.index(of: WriteRequest.presenceColumn) else { return true }
        guard case .bytes(let bits) = batch.value(row, column), place / 8 < bits.count else { return false }
        return bits[place / 8] >> UInt8(place % 8) & 1 == 1
    }

    private func value(_ value: Value, _ wire: WireShape) throws -> JSON? {
        let nothing: JSON = wire == .idsNeverNull || wire == .listNeverNull ? .array([]) : .null
        switch value {
        case .null: return mode == .create ? nil : nothing
        case .text(let text): return wire == .id ? .number(text) : .string(text)
        case .decimal(let text): return .number(text)
        case .int64(let number): return .integer(number)
        case .bool(let flag): return .bool(flag)
        case .date(let days): return .string(CivilDate(near: days).text)
        case .instant(let microseconds):
            let text = TimeText.timestamp(microseconds - (microseconds % 1_000_000 + 1_000_000) % 1_000_000)
            return .string(wire == .utcTime ? text.replacing("T", with: " ") : text + "Z")
        case .json(let text):
            let json = try JSON(parsing: Array(text.utf8))
            guard wire == .ids || wire == .idsNeverNull else { return json }
            let ids = (json.arrayValue ?? []).map { JSON.number($0.stringValue ?? "") }
            if ids.isEmpty { return mode == .create ? nil : nothing }
            return .array(ids)
        default: throw ConnectorError(.badRequest, "no such value is written")
        }
    }
}

@Suite struct PlainBodyTests {
    @Test("Bodies are what they are when they are made value by value: all types, all escapes")
    func bodiesAreThePlainOnes() throws {
        let seed = PropertySeed.value
        var random = Numbers(seed)
        let fields = PipedriveFields(.person, listing: Account.listing)
        for round in 0..<400 {
            let isUpdate = random.below(2) == 0
            var shape = [Schema.Field(WriteRequest.rowKeyColumn, .text)]
            if isUpdate { shape.append(Schema.Field(WriteRequest.remoteIDColumn, .text)) }
            let hasPresence = random.below(3) > 0
            if hasPresence { shape.append(Schema.Field(WriteRequest.presenceColumn, .bytes)) }
            let reserved = shape.count
            let all = fields.all.filter { isUpdate ? $0.field.isWritableOnUpdate : $0.field.isWritableOnCreate }
            let chosen = all.filter { $0.field.key == "name" || random.below(2) == 0 }
            shape += chosen.map { Schema.Field($0.field.key, $0.field.kind.columnType) }
            let request = WriteRequest(
                object: "person", mode: isUpdate ? .update : .create, schema: Schema(shape), inFlightMax: 1)
            let quick = try PipedriveBody(request, object: .person, fields: fields)
            let plain = PlainBody(fields: fields, schema: request.schema, mode: request.mode)
            var batch = RecordBatch(request.schema)
            for _ in 0..<8 {
                var row: [Value] = [.text("k")]
                if isUpdate { row.append(.text("7")) }
                let bits = (0..<(reserved + chosen.count + 7) / 8).map { _ in UInt8(random.below(256)) }
                if hasPresence { row.append(.bytes(bits)) }
                row += chosen.map { Self.value($0, &random) }
                batch.append(row)
            }
            let out = JSONBuffer(capacity: 1)
            for row in 0..<batch.rowCount {
                out.truncate(to: 0)
                let sets = try quick.render(batch, row, into: out)
                let expected = try plain.body(batch, row)
                #expect(sets == (expected != nil), "PENSTOCK_SEED=\(seed), round \(round)")
                guard let expected else { continue }
                #expect(out.bytes == expected.utf8, "PENSTOCK_SEED=\(seed), round \(round)")
            }
        }
    }

    private static func value(_ field: PipedriveField, _ random: inout Numbers) -> Value {
        if random.below(6) == 0 { return .null }
        switch (field.field.kind.columnType, field.wire) {
        case (.text, .id): return .text(String(random.below(1_000_000)))
        case (.text, _): return .text(text(&random))
        case (.decimal, _): return .decimal(["0", "-0.5", "12.50", "1e3", "9007199254740993.25"][random.below(5)])
        case (.int64, _): return .int64(integer(&random))
        case (.bool, _): return .bool(random.below(2) == 0)
        case (.date, _): return .date(Int64(random.below(2_932_896 + 719_162)) - 719_162)
        case (.instant, _): return .instant(Int64(random.below(4_000_000_000_000_000)) - 1_000_000_000_000_000)
        case (.json, .ids), (.json, .idsNeverNull):
            return .json(JSON.strings((0..<random.below(4)).map { _ in String(random.below(500)) }).text)
        default:
            var object = JSONObject()
            object["value"] = .string(text(&random))
            return .json(JSON.object(object).text)
        }
    }

    private static func integer(_ random: inout Numbers) -> Int64 {
        let edges: [Int64] = [0, 9, 10, 99, 100, -1, .min, .max, 1_000_000, -999]
        return random.below(2) == 0
            ? edges[random.below(edges.count)]
            : Int64(bitPattern: random.next()) >> Int64(random.below(63))
    }

    /// Texts of all lengths, in which what has to be escaped stands at every place of a word.
    static func text(_ random: inout Numbers) -> String {
        var text = ""
        for _ in 0..<random.below(40) {
            switch random.below(12) {
            case 0: text.unicodeScalars.append(Unicode.Scalar(UInt8(random.below(0x20))))
            case 1: text += "\""
            case 2: text += "\\"
            case 3: text += ["é", "漢", "🦆", "\u{7F}", "\u{80}", "/"][random.below(6)]
            default: text.unicodeScalars.append(Unicode.Scalar(UInt8(0x20 + random.below(0x5F))))
            }
        }
        return text
    }
}

/// The seed of tests that try random things; `PENSTOCK_SEED` repeats one.
enum PropertySeed {
    static var value: UInt64 {
        getenv("PENSTOCK_SEED").flatMap { UInt64(String(cString: $0)) } ?? .random(in: 1...999_999)
    }
}
