// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import Testing

@Suite struct BatchMapperTests {
    /// The mapping of `name`, `ARR (EUR)`, `option` and the id.
    private func mapping(_ insert: InsertDefinition, reversed: Bool = false) throws -> CompiledMapping {
        var map = [
            MapEntry(target: "name", from: "n"), MapEntry(target: "ARR (EUR)", from: "a"),
            MapEntry(target: "option", from: "o"),
        ]
        if reversed { map.reverse() }
        if insert.mode == .update { map.append(MapEntry(target: "id", from: "i")) }
        return try CompiledMapping(
            map: map, insert: insert, source: Self.source, fields: MappingFixture.fields)
    }

    static let source = Schema([
        Schema.Field("i", .text), Schema.Field("n", .text), Schema.Field("a", .text), Schema.Field("o", .text),
    ])

    private func batch(_ rows: [[Value]]) -> RecordBatch {
        var batch = RecordBatch(Self.source)
        for row in rows { batch.append(row) }
        return batch
    }

    @Test(
        "A NULL is left alone, cleared or refused as on_null says",
        arguments: [
            (InsertDefinition.OnNull.keep, "ARR (EUR)", false, RowReject.Code?.none), (.clear, "ARR (EUR)", true, nil),
            (.clear, "name", false, .cannotClear), (.keep, "name", false, nil),
        ])
    func nullsFollowOnNull(
        onNull: InsertDefinition.OnNull, field: String, isPresent: Bool, code: RowReject.Code?
    ) throws {
        let source = Schema([Schema.Field("i", .int64), Schema.Field("c", .text)])
        let mapping = try CompiledMapping(
            map: [MapEntry(target: "id", from: "i"), MapEntry(target: field, from: "c")],
            insert: InsertDefinition(mode: .update, onNull: onNull), source: source, fields: MappingFixture.fields)
        var batch = RecordBatch(source)
        batch.append([.int64(1), .null])
        let mapped = mapping.map(batch)
        #expect(mapped.rejects.map(\.reject.code) == (code.map { [$0] } ?? []))
        #expect(mapped.presence[0, 0] == isPresent)
        #expect(mapped.columns[0].isNull(0))
    }

    @Test func aNewRecordHasNothingToClear() throws {
        let mapped = try mapping(InsertDefinition(mode: .append, onNull: .clear)).map(
            batch([[.null, .text("x"), .null, .null]]))
        #expect(mapped.rejects.isEmpty)
        #expect(!mapped.presence[0, 1])
    }

    @Test("A new record without a name is a reject", arguments: [Value.null, .text(""), .text(" \u{A0}\t")])
    func aRequiredFieldIsNeverEmpty(name: Value) throws {
        let mapped = try mapping(InsertDefinition()).map(batch([[.null, name, .text("1"), .null]]))
        #expect(mapped.rejects.map(\.reject.code) == [.requiredEmpty])
        #expect(mapped.rejects.map(\.reject.field) == ["name"])
    }

    @Test func aRowThatCannotBecomeARecordCanStillUpdateOne() throws {
        let insert = InsertDefinition(mode: .update, onMissing: .create)
        let mapped = try mapping(insert).map(
            batch([[.text("1"), .null, .text("1"), .null], [.text("2"), .text("x"), .null, .null]]))
        #expect(mapped.rejects.isEmpty)
        #expect(mapped.createRejects.map(\.row) == [0])
        #expect(mapped.createRejects.map(\.reject.code) == [.requiredEmpty])
    }

    @Test(
        "An update's id is an id, nothing, or a reject",
        arguments: [
            (Value.text("12"), String?("12"), false), (.text("12.0"), "12", false), (.null, nil, false),
            (.text(" "), nil, false), (.text("x"), nil, true), (.text("0"), nil, true), (.text("-3"), nil, true),
        ])
    func idsAreChecked(value: Value, wanted: String?, isRejected: Bool) throws {
        let mapped = try mapping(MappingFixture.update).map(batch([[value, .text("x"), .null, .null]]))
        #expect(mapped.idText(0) == wanted)
        #expect(mapped.isRejected(0) == isRejected)
        if isRejected { #expect(mapped.rejects.map(\.reject.code) == [.notAnID]) }
    }

    @Test func aBadRowStopsNoGoodOne() throws {
        let mapped = try mapping(InsertDefinition()).map(
            batch([
                [.null, .text("a"), .text("1"), .text("Lead")], [.null, .text("b"), .text("x"), .text("none")],
                [.null, .text("c"), .text("3"), .text("1")],
            ]))
        #expect(mapped.rejects.map(\.row) == [1])
        #expect(mapped.rejects.map(\.reject.field) == ["ARR (EUR)"])
        #expect(mapped.columns[0].value(2) == .text("c"))
        #expect(mapped.columns[2].value(2) == .text("1"))
        #expect(mapped.columns.allSatisfy { $0.count == 3 })
    }

    @Test func columnsMayComeInAnotherOrder() throws {
        let schema = Schema([
            Schema.Field("extra", .bool), Schema.Field("o", .text), Schema.Field("a", .text), Schema.Field("n", .text),
        ])
        var other = RecordBatch(schema)
        other.append([.bool(true), .text("Lead"), .text("1"), .text("x")])
        let mapped = try mapping(InsertDefinition()).map(other)
        #expect(mapped.columns.map { $0.value(0) } == [.text("x"), .decimal("1"), .text("3")])
    }

    @Test func theMatchTextIsTheValueInItsOneSpelling() throws {
        let source = Schema([Schema.Field("a", .text)])
        let mapping = try CompiledMapping(
            map: [MapEntry(target: "ARR (EUR)", from: "a")],
            insert: InsertDefinition(mode: .update, match: MappingFixture.code, onNull: .clear), source: source,
            fields: MappingFixture.fields)
        var batch = RecordBatch(source)
        for value: Value in [.text("01.50"), .null] { batch.append([value]) }
        let mapped = mapping.map(batch)
        #expect(mapping.match == .target(0))
        #expect(mapped.matchText(0) == "1.5")
        #expect(mapped.matchText(1) == nil)
        #expect(!mapped.presence[1, 0], "a match field is never cleared")
    }

    @Test func presenceBitsMoveBehindReservedColumns() throws {
        let mapped = try mapping(InsertDefinition()).map(batch([[.null, .text("x"), .null, .text("Lead")]]))
        #expect(mapped.presence.bits(0, reserved: 0) == [0b101])
        #expect(mapped.presence.bits(0, reserved: 3) == [0b101000])
        #expect(mapped.presence.bits(0, reserved: 6) == [0b0100_0000, 0b1])
    }

    @Test func theDefaultStandsInForNullOnly() throws {
        let source = Schema([Schema.Field("n", .text)])
        let mapping = try CompiledMapping(
            map: [MapEntry(target: "name", from: "n", defaultText: "unnamed")], insert: InsertDefinition(),
            source: source, fields: MappingFixture.fields)
        var batch = RecordBatch(source)
        for value: Value in [.null, .text("x"), .text("")] { batch.append([value]) }
        let mapped = mapping.map(batch)
        #expect(mapped.columns[0].value(0) == .text("unnamed"))
        #expect(mapped.columns[0].value(1) == .text("x"))
        #expect(mapped.rejects.map(\.row) == [2])
    }

    // MARK: Payload

    @Test func aPayloadDoesNotDependOnTheOrderOfTheMap() throws {
        let rows = batch([[.null, .text("x"), .text("1.50"), .text("Lead")]])
        let payload = try mapping(InsertDefinition()).map(rows).payloads[0]
        #expect(try mapping(InsertDefinition(), reversed: true).map(rows).payloads[0] == payload)
    }

    @Test func aPayloadChangesExactlyWithThePresentValues() throws {
        let mapped = try mapping(MappingFixture.update).map(
            batch([
                [.text("1"), .text("x"), .text("1.50"), .text("Lead")],
                [.text("2"), .text("x"), .text("1.5"), .text("3")],
                [.text("1"), .text("y"), .text("1.50"), .text("Lead")],
                [.text("1"), .text("x"), .text("1.51"), .text("Lead")],
                [.text("1"), .text("x"), .null, .text("Lead")],
                [.text("1"), .text("x"), .text("1.50"), .null],
            ]))
        #expect(mapped.payloads[0] == mapped.payloads[1])
        #expect(Set(mapped.payloads).count == 5)
    }

    @Test func clearingIsAnotherPayloadThanLeavingAlone() throws {
        let rows = batch([[.text("1"), .text("x"), .null, .null]])
        let kept = try mapping(MappingFixture.update).map(rows).payloads[0]
        let cleared = try mapping(InsertDefinition(mode: .update, onNull: .clear)).map(rows).payloads[0]
        #expect(kept != cleared)
    }

    @Test func noIntegerHasThePayloadOfAClearedField() throws {
        let insert = InsertDefinition(mode: .update, onNull: .clear)
        let cleared = try MappingFixture.map(.null, as: .int64, to: .integer, insert: insert)
        let minusOne = try MappingFixture.map(.int64(-1), as: .int64, to: .integer, insert: insert)
        #expect(cleared.payloads != minusOne.payloads)
    }

    // MARK: Laws

    @Test func everyValueOfEveryTypeIsMappedOrRejected() throws {
        var random = SeededGenerator.announced()
        for kind in DestinationField.Kind.allCases where kind != .id {
            for type in DataType.allCases {
                let source = Schema([Schema.Field("i", .int64), Schema.Field("c", type)])
                let map = [MapEntry(target: "id", from: "i"), MapEntry(target: kind.rawValue, from: "c")]
                guard
                    // Not every kind can be written from every type.
                    let mapping = try? CompiledMapping(
                        map: map, insert: MappingFixture.update, source: source, fields: MappingFixture.fields)
                else { continue }
                var batch = RecordBatch(source)
                for _ in 0..<60 { batch.append([.int64(1), RandomValue.of(type, &random)]) }
                let mapped = mapping.map(batch)
                let rejected = Set(mapped.rejects.map(\.row))
                #expect(rejected.count == mapped.rejects.count)
                for row in 0..<60 {
                    #expect(mapped.isRejected(row) == rejected.contains(row))
                    let isNull = batch.value(row, 1).isNull
                    if mapped.presence[row, 0] { #expect(!mapped.columns[0].isNull(row)) }
                    if isNull { #expect(!mapped.presence[row, 0] && !mapped.isRejected(row)) }
                }
            }
        }
    }

    @Test func aConvertedTextConvertsToItself() throws {
        var random = SeededGenerator.announced()
        for kind: DestinationField.Kind in [.number, .integer, .date, .instant, .boolean, .reference] {
            for _ in 0..<200 {
                let value = RandomValue.of(.text, &random)
                let first = try MappingFixture.map(value, as: .text, to: kind)
                guard first.presence[0, 0] else { continue }
                let text = Value.text(CellText.of(first.columns[0].value(0)))
                let second = try MappingFixture.map(text, as: .text, to: kind)
                #expect(second.columns[0] == first.columns[0])
                #expect(second.payloads == first.payloads)
            }
        }
    }
}

/// Values that are likely to be right, nearly right, and wrong.
enum RandomValue {
    private static let texts = [
        "", " ", "0", "1", "-1", "+7", "007", "1.50", ".5", "5.", "-0.0", "1e5", "1,5", "true", "No", "2024-02-29",
        "2023-02-29", "2024-01-01T10:00:00Z", "2024-01-01 00:00", "13:30", "25:00", "09:00/10:00",
        "2024-01-01..2024-02-01", "Lead", "lead,Partner", "[1,2]", "[", "{\"value\":1}", "{}", "ada@example.com", "11",
        "\u{0}", "é", "null", "[{\"value\":\"x\"}]", "99999999999999999999999", "\u{1F600}",
    ]

    static func of(_ type: DataType, _ random: inout SeededGenerator) -> Value {
        if Int.random(in: 0..<10, using: &random) == 0 { return .null }
        let number = random.next()
        let small = Int64.random(in: -100...100, using: &random)
        let integer = Bool.random(using: &random) ? small : Int64(bitPattern: number)
        let text = texts[Int(number % UInt64(texts.count))]
        switch type {
        case .bool: return .bool(number & 1 == 0)
        case .int64: return .int64(integer)
        case .uint64: return .uint64(Bool.random(using: &random) ? number : number % 100)
        case .float64: return .float64(Bool.random(using: &random) ? Double(bitPattern: number) : Double(small))
        case .decimal: return .decimal(Bool.random(using: &random) ? "\(integer).\(number % 1000)" : "NaN")
        case .text: return .text(text)
        case .bytes: return .bytes(Array(text.utf8))
        case .date: return .date(integer)
        case .time: return .time(Int64(number % 86_400_000_001))
        case .timestamp: return .timestamp(integer)
        case .instant: return .instant(integer)
        case .json: return .json(text)
        }
    }
}
