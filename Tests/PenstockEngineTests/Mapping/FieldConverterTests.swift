// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import Testing

/// One row of a conversion table.
struct ConversionCase: Sendable, CustomTestStringConvertible {
    let kind: DestinationField.Kind
    let type: DataType
    let value: Value
    let wanted: Value

    init(_ kind: DestinationField.Kind, _ value: Value, _ wanted: Value, type: DataType? = nil) {
        self.kind = kind
        self.value = value
        self.wanted = wanted
        self.type = type ?? value.type ?? .text
    }

    var testDescription: String { "\(kind) from \(value)" }
}

/// One row of a table of refusals.
struct RefusalCase: Sendable, CustomTestStringConvertible {
    let kind: DestinationField.Kind
    let value: Value
    let code: RowReject.Code

    init(_ kind: DestinationField.Kind, _ value: Value, _ code: RowReject.Code) {
        self.kind = kind
        self.value = value
        self.code = code
    }

    var testDescription: String { "\(kind) from \(value)" }
}

@Suite struct FieldConverterTests {
    static let day: Int64 = 86_400_000_000

    static let scalars: [ConversionCase] = [
        ConversionCase(.text, .text(" as is "), .text(" as is ")), ConversionCase(.text, .text(""), .text("")),
        ConversionCase(.text, .bool(true), .text("true")), ConversionCase(.text, .int64(.min + 1), .text("too long")),
        ConversionCase(.text, .uint64(18), .text("18")), ConversionCase(.text, .float64(0.1), .text("0.1")),
        ConversionCase(.text, .float64(1e9), .text("1000000000")),
        ConversionCase(.text, .decimal("1.50"), .text("1.50")),
        ConversionCase(.text, .date(19_723), .text("2024-01-01")),
        ConversionCase(.text, .time(1_000_000), .text("00:00:01")),
        ConversionCase(.text, .json("{\"a\": 1}"), .text("{\"a\": 1}")),
        ConversionCase(.number, .int64(-5), .decimal("-5")),
        ConversionCase(.number, .uint64(.max), .decimal("18446744073709551615")),
        ConversionCase(.number, .float64(0.1), .decimal("0.1")),
        ConversionCase(.number, .float64(1e-7), .decimal("0.0000001")),
        ConversionCase(.number, .decimal("1.50"), .decimal("1.50")),
        ConversionCase(.number, .text("+1"), .decimal("1")),
        ConversionCase(.number, .text("007"), .decimal("7")), ConversionCase(.number, .text(" .5 "), .decimal("0.5")),
        ConversionCase(.number, .text("-0"), .decimal("0")), ConversionCase(.number, .text("-0.25"), .decimal("-0.25")),
        ConversionCase(
            .number, .text("123456789012345678901234567890.123456789"),
            .decimal("123456789012345678901234567890.123456789")),
        ConversionCase(.integer, .int64(.min), .int64(.min)), ConversionCase(.integer, .text("12.0"), .int64(12)),
        ConversionCase(.integer, .float64(3), .int64(3)), ConversionCase(.integer, .decimal("1e3"), .int64(1000)),
        ConversionCase(.integer, .uint64(5), .int64(5)),
        ConversionCase(.boolean, .bool(false), .bool(false)), ConversionCase(.boolean, .int64(1), .bool(true)),
        ConversionCase(.boolean, .uint64(0), .bool(false)), ConversionCase(.boolean, .text("Yes"), .bool(true)),
        ConversionCase(.boolean, .text("f"), .bool(false)), ConversionCase(.boolean, .decimal("1.0"), .bool(true)),
        ConversionCase(.date, .date(19_723), .date(19_723)), ConversionCase(.date, .text("2024-02-29"), .date(19_782)),
        ConversionCase(.date, .timestamp(19_723 * day), .date(19_723)),
        ConversionCase(.date, .instant(-day), .date(-1)),
        ConversionCase(.date, .text("2024-01-01 00:00:00"), .date(19_723)),
        ConversionCase(.instant, .instant(1), .instant(1)),
        ConversionCase(.instant, .text("1970-01-01T02:00:00.5+02:00"), .instant(500_000)),
        ConversionCase(.instant, .text("1970-01-01 00:00Z"), .instant(0)),
        ConversionCase(.option, .text("Customer"), .text("1")),
        ConversionCase(.option, .text(" customer "), .text("1")),
        ConversionCase(.option, .int64(2), .text("2")), ConversionCase(.option, .decimal("2.0"), .text("2")),
        ConversionCase(.user, .int64(11), .text("11")), ConversionCase(.user, .text("ADA@example.com"), .text("11")),
        ConversionCase(.reference, .int64(7), .text("7")), ConversionCase(.reference, .text("007"), .text("7")),
        ConversionCase(.reference, .float64(7), .text("7")),
    ].filter { $0.wanted != .text("too long") }

    @Test("Every source type becomes a scalar without change of value", arguments: scalars)
    func scalarsConvert(row: ConversionCase) throws {
        let mapped = try MappingFixture.map(row.value, as: row.type, to: row.kind)
        #expect(mapped.rejects.isEmpty)
        #expect(mapped.columns[0].value(0) == row.wanted)
        #expect(mapped.presence[0, 0])
    }

    static let compounds: [ConversionCase] = [
        ConversionCase(.money, .decimal("1.50"), .json("{\"value\":1.50}")),
        ConversionCase(.money, .text("3"), .json("{\"value\":3}")),
        ConversionCase(
            .money, .json("{\"currency\":\"EUR\",\"value\":2}"), .json("{\"value\":2,\"currency\":\"EUR\"}")),
        ConversionCase(.money, .json("2.5"), .json("{\"value\":2.5}")),
        ConversionCase(.time, .time(3_600_000_000), .json("{\"value\":\"01:00:00\"}")),
        ConversionCase(.time, .text("13:30"), .json("{\"value\":\"13:30:00\"}")),
        ConversionCase(.time, .json("\"13:30\""), .json("{\"value\":\"13:30:00\"}")),
        ConversionCase(
            .dateRange, .text("2024-01-01/2024-01-31"), .json("{\"value\":\"2024-01-01\",\"until\":\"2024-01-31\"}")),
        ConversionCase(
            .dateRange, .text("2024-01-01 .. 2024-01-31"), .json("{\"value\":\"2024-01-01\",\"until\":\"2024-01-31\"}")),
        ConversionCase(.timeRange, .text("09:00..10:30"), .json("{\"value\":\"09:00:00\",\"until\":\"10:30:00\"}")),
        ConversionCase(
            .timeRange, .json("{\"value\":\"09:00\",\"until\":\"10:00\",\"timezone_name\":null}"),
            .json("{\"value\":\"09:00:00\",\"until\":\"10:00:00\"}")),
        ConversionCase(.address, .text("Main St 1"), .json("{\"value\":\"Main St 1\"}")),
        ConversionCase(
            .address, .json("{\"value\":\"A\",\"country\":\"DE\"}"), .json("{\"value\":\"A\",\"country\":\"DE\"}")),
        ConversionCase(.contacts, .text("a@b.c"), .json("[{\"value\":\"a@b.c\",\"primary\":true}]")),
        ConversionCase(.contacts, .int64(49), .json("[{\"value\":\"49\",\"primary\":true}]")),
        ConversionCase(
            .contacts, .json("[\"x\",{\"value\":\"y\",\"primary\":true,\"label\":\"home\"}]"),
            .json("[{\"value\":\"x\",\"primary\":false},{\"value\":\"y\",\"primary\":true,\"label\":\"home\"}]")),
        ConversionCase(.options, .json("[\"Lead\",1,\"lead\"]"), .json("[\"1\",\"3\"]")),
        ConversionCase(.options, .text("Partner"), .json("[\"2\"]")),
        ConversionCase(.options, .text("[2, 1]"), .json("[\"1\",\"2\"]")),
        ConversionCase(.texts, .text("[a"), .json("[\"[a\"]")),
        ConversionCase(.texts, .json("[\"a\",1]"), .json("[\"a\",\"1\"]")),
        ConversionCase(.json, .text("{ \"a\" : 1.0 }"), .json("{\"a\":1.0}")),
        ConversionCase(.json, .bool(true), .json("true")),
        ConversionCase(.json, .date(0), .json("\"1970-01-01\"")),
    ]

    @Test("Compound kinds take one cell as a whole", arguments: compounds)
    func compoundsConvert(row: ConversionCase) throws {
        let mapped = try MappingFixture.map(row.value, as: row.type, to: row.kind)
        #expect(mapped.rejects.isEmpty)
        #expect(mapped.columns[0].value(0) == row.wanted)
    }

    static let refusals: [RefusalCase] = [
        RefusalCase(.text, .text("12345678901"), .tooLong), RefusalCase(.text, .text("a\u{0}b"), .nulCharacter),
        RefusalCase(.number, .text("1,234"), .notANumber), RefusalCase(.number, .text("1,5"), .notANumber),
        RefusalCase(.number, .text("1e3"), .notANumber), RefusalCase(.number, .text("NaN"), .notANumber),
        RefusalCase(.number, .float64(.infinity), .notANumber), RefusalCase(.number, .decimal("NaN"), .notANumber),
        RefusalCase(.number, .text("0x1F"), .notANumber), RefusalCase(.number, .text("1 000"), .notANumber),
        RefusalCase(.number, .text("."), .notANumber), RefusalCase(.number, .text("--1"), .notANumber),
        RefusalCase(.number, .text(""), .emptyValue), RefusalCase(.integer, .text("12.5"), .notAnInteger),
        RefusalCase(.integer, .uint64(.max), .outOfRange), RefusalCase(.integer, .float64(0.5), .notAnInteger),
        RefusalCase(.boolean, .text("y"), .notABoolean), RefusalCase(.boolean, .int64(2), .notABoolean),
        RefusalCase(.boolean, .text(" "), .emptyValue), RefusalCase(.date, .text("2023-02-29"), .notADate),
        RefusalCase(.date, .text("01.02.2024"), .notADate), RefusalCase(.date, .timestamp(1), .hasTime),
        RefusalCase(.date, .instant(1), .hasTime), RefusalCase(.date, .text("2024-01-01T10:00:00"), .hasTime),
        RefusalCase(.date, .date(10_000_000), .outOfRange), RefusalCase(.date, .text("+10000-01-01"), .outOfRange),
        RefusalCase(.date, .date(.min), .outOfRange), RefusalCase(.time, .text("24:00"), .notATime),
        RefusalCase(.time, .time(86_400_000_000), .notATime), RefusalCase(.time, .time(1), .notATime),
        RefusalCase(.time, .text("13:30:00.5"), .notATime), RefusalCase(.time, .json("{\"until\":\"1\"}"), .notATime),
        RefusalCase(.instant, .text("2024-01-01T00:00:00"), .zoneMissing),
        RefusalCase(.instant, .text("2024-01-01"), .notAnInstant),
        RefusalCase(.instant, .text("2024-01-01T00:00:00.0000001Z"), .notAnInstant),
        RefusalCase(.instant, .text("2024-01-01T23:59:60Z"), .notAnInstant),
        RefusalCase(.option, .text("Custoner"), .optionUnknown), RefusalCase(.option, .text("Twin"), .optionAmbiguous),
        RefusalCase(.option, .text("6"), .optionUnknown), RefusalCase(.option, .text(""), .emptyValue),
        RefusalCase(.options, .text("Lead,Partner"), .optionUnknown), RefusalCase(.options, .json("{}"), .listInvalid),
        RefusalCase(.options, .json("[true]"), .listInvalid), RefusalCase(.user, .int64(99), .ownerInvalid),
        RefusalCase(.user, .int64(12), .ownerInvalid), RefusalCase(.user, .text("bob@example.com"), .ownerInvalid),
        RefusalCase(.user, .text("team@example.com"), .ownerAmbiguous), RefusalCase(.user, .text("Ada"), .ownerInvalid),
        RefusalCase(.reference, .int64(0), .notAnID), RefusalCase(.reference, .text("1.5"), .notAnID),
        RefusalCase(.reference, .text("x"), .notAnID), RefusalCase(.reference, .uint64(.max), .notAnID),
        RefusalCase(.money, .text("5 EUR"), .notANumber), RefusalCase(.money, .json("{\"amount\":1}"), .moneyInvalid),
        RefusalCase(.money, .json("{\"value\":1,\"currency\":\"\"}"), .currencyInvalid),
        RefusalCase(.dateRange, .text("2024-01-01"), .rangeInvalid),
        RefusalCase(.dateRange, .text("2024-02-01/2024-01-01"), .rangeInvalid),
        RefusalCase(.dateRange, .json("{\"value\":\"2024-02-01\"}"), .rangeInvalid),
        RefusalCase(.timeRange, .text("09:00/25:00"), .notATime), RefusalCase(.address, .text("{bad"), .addressInvalid),
        RefusalCase(.address, .text("  "), .emptyValue), RefusalCase(.address, .json("[]"), .addressInvalid),
        RefusalCase(.address, .json("{\"country\":\"DE\"}"), .addressInvalid),
        RefusalCase(.contacts, .json("[1,[2]]"), .listInvalid), RefusalCase(.contacts, .text("[x"), .listInvalid),
        RefusalCase(
            .contacts, .json("[{\"value\":\"a\",\"primary\":true},{\"value\":\"b\",\"primary\":true}]"), .listInvalid),
        RefusalCase(.json, .text("{"), .jsonInvalid), RefusalCase(.texts, .text(""), .emptyValue),
        RefusalCase(.texts, .json("{}"), .listInvalid),
    ]

    @Test("What does not convert is a reject that names field and value", arguments: refusals)
    func refusalsNameFieldAndValue(row: RefusalCase) throws {
        let mapped = try MappingFixture.map(row.value, as: row.value.type ?? .text, to: row.kind)
        try #require(mapped.rejects.count == 1)
        let reject = mapped.rejects[0].reject
        #expect(reject.code == row.code)
        #expect(reject.field == row.kind.rawValue)
        #expect(reject.message.hasSuffix(".") || reject.message.hasSuffix("?"))
        #expect(reject.value.count <= 80)
        #expect(mapped.isRejected(0))
        #expect(mapped.presence.isEmpty(0))
    }

    @Test func aRejectCutsALongValueAndKeepsItOutOfTheMessage() throws {
        let secret = String(repeating: "s3cret", count: 50)
        let reject = try MappingFixture.map(.text(secret), as: .text, to: .number).rejects[0].reject
        #expect(reject.value.count == 80)
        #expect(!reject.message.contains("s3cret"))
    }

    @Test func anUnknownOptionListsOptionsAndTheNearestOne() throws {
        let reject = try MappingFixture.map(.text("Custoner"), as: .text, to: .option).rejects[0].reject
        #expect(reject.message.contains("Customer, Partner, Lead"))
        #expect(reject.message.contains("Did you mean \"Customer\"?"))
        #expect(!reject.message.contains("Gone"))
    }

    @Test func aSplitTextIsTrimmedAndItsBlankElementsAreDropped() throws {
        let entry = MapEntry(target: "options", from: "c", split: ";")
        let mapped = try MappingFixture.map(.text(" Lead ;; Customer;Lead "), as: .text, to: .options, entry)
        #expect(mapped.columns[0].value(0) == .json("[\"1\",\"3\"]"))
    }

    @Test(
        "Skipping leaves unknown elements out, and the field alone where nothing is left",
        arguments: [
            ("Lead,Nobody", Value.json("[\"3\"]")), ("Nobody", .null),
        ])
    func skipLeavesUnknownElementsOut(text: String, wanted: Value) throws {
        let entry = MapEntry(target: "options", from: "c", split: ",", whenMissing: .skip)
        let insert = InsertDefinition(mode: .update, onNull: .clear)
        let mapped = try MappingFixture.map(.text(text), as: .text, to: .options, entry, insert: insert)
        #expect(mapped.columns[0].value(0) == wanted)
        #expect(mapped.presence[0, 0] == (wanted != .null))
    }

    @Test func anAmbiguousOptionIsNeverSkipped() throws {
        let entry = MapEntry(target: "options", from: "c", split: ",", whenMissing: .skip)
        let mapped = try MappingFixture.map(.text("Twin"), as: .text, to: .options, entry)
        #expect(mapped.rejects.map(\.reject.code) == [.optionAmbiguous])
    }

    @Test(
        "The option style decides whether labels or ids are looked at",
        arguments: [
            (MapEntry.OptionStyle.label, "1", false), (.id, "1", true), (.id, "Customer", false),
            (.label, "Customer", true),
        ])
    func theStyleDecides(style: MapEntry.OptionStyle, text: String, isKnown: Bool) throws {
        let entry = MapEntry(target: "option", from: "c", option: style)
        let mapped = try MappingFixture.map(.text(text), as: .text, to: .option, entry)
        #expect(mapped.rejects.isEmpty == isKnown)
    }

    @Test func aLabelGoesBeforeAnIDOfTheSameText() throws {
        let field = DestinationField(
            "pick", .option, options: [FieldOption(id: "1", label: "2"), FieldOption(id: "2", label: "1")])
        let source = Schema([Schema.Field("c", .text)])
        let mapping = try CompiledMapping(
            map: [MapEntry(target: "pick", from: "c")], insert: InsertDefinition(), source: source, fields: [field])
        var batch = RecordBatch(source)
        batch.append([.text("2")])
        #expect(mapping.map(batch).columns[0].value(0) == .text("1"))
    }

    @Test func moneyTakesItsCurrencyFromAConstantPart() throws {
        let entry = MapEntry(target: "money", from: "c", parts: [MapEntry(target: "currency", value: "EUR")])
        let mapped = try MappingFixture.map(.decimal("9.90"), as: .decimal, to: .money, entry)
        #expect(mapped.columns[0].value(0) == .json("{\"value\":9.90,\"currency\":\"EUR\"}"))
        let null = try MappingFixture.map(.null, as: .decimal, to: .money, entry)
        #expect(null.rejects.isEmpty && !null.presence[0, 0])
    }

    @Test func aPartsDefaultStandsInForNull() throws {
        let entry = MapEntry(
            target: "money",
            parts: [MapEntry(target: "value", from: "c", defaultText: "0"), MapEntry(target: "currency", value: "EUR")])
        let mapped = try MappingFixture.map(.null, as: .decimal, to: .money, entry)
        #expect(mapped.columns[0].value(0) == .json("{\"value\":0,\"currency\":\"EUR\"}"))
    }

    @Test func halfARangeIsAReject() throws {
        let entry = MapEntry(
            target: "date_range", parts: [MapEntry(target: "value", from: "id"), MapEntry(target: "until", from: "c")])
        #expect(MappingFixture.problems([entry]).contains { $0.code == .unknownColumn })
        let half = MapEntry(
            target: "date_range",
            parts: [MapEntry(target: "value", value: "2024-01-01"), MapEntry(target: "until", from: "c")])
        #expect(try !MappingFixture.map(.null, as: .date, to: .dateRange, half).presence[0, 0])
        let whole = try MappingFixture.map(.date(19_800), as: .date, to: .dateRange, half)
        #expect(whole.columns[0].value(0) == .json("{\"value\":\"2024-01-01\",\"until\":\"2024-03-18\"}"))
    }
}
