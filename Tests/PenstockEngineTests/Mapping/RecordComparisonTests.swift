// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import Testing

/// A wanted value, one of the destination, and whether they are the same.
struct SamenessCase: Sendable {
    let kind: DestinationField.Kind
    let wanted: Value
    let held: Value
    let isSame: Bool

    init(_ kind: DestinationField.Kind, _ wanted: Value, _ held: Value, _ isSame: Bool) {
        self.kind = kind
        self.wanted = wanted
        self.held = held
        self.isSame = isSame
    }
}

@Suite struct RecordComparisonTests {
    private func isSame(_ kind: DestinationField.Kind, _ a: Value, _ b: Value) -> Bool {
        var first = Column(kind.columnType)
        var second = Column(kind.columnType)
        first.append(a)
        second.append(b)
        return RecordComparison.isSame(first, 0, second, 0, kind)
    }

    static let cases: [SamenessCase] = [
        SamenessCase(.text, .text("a"), .text("a"), true), SamenessCase(.text, .text("a"), .text("A"), false),
        SamenessCase(.text, .text(""), .null, false), SamenessCase(.text, .null, .null, true),
        SamenessCase(.number, .decimal("1.50"), .decimal("1.5"), true),
        SamenessCase(.number, .decimal("1000"), .decimal("1e3"), true),
        SamenessCase(.number, .decimal("-0"), .decimal("0.00"), true),
        SamenessCase(.number, .decimal("9007199254740993"), .decimal("9007199254740992"), false),
        SamenessCase(.integer, .int64(0), .null, false), SamenessCase(.integer, .int64(3), .int64(3), true),
        SamenessCase(.boolean, .bool(false), .null, false), SamenessCase(.date, .date(1), .date(2), false),
        SamenessCase(.options, .json("[\"1\",\"2\"]"), .json("[2,1]"), true),
        SamenessCase(.options, .json("[\"1\"]"), .json("[\"1\",\"2\"]"), false),
        SamenessCase(.options, .null, .json("[]"), true),
        SamenessCase(.contacts, .null, .json("[{\"value\":\"\",\"primary\":true}]"), true),
        SamenessCase(.address, .json("{\"value\":\"A\"}"), .json("{\"value\":\"A\",\"country\":\"DE\"}"), true),
        SamenessCase(
            .address, .json("{\"value\":\"A\",\"country\":\"FR\"}"), .json("{\"value\":\"A\",\"country\":\"DE\"}"),
            false),
        SamenessCase(.address, .json("{\"value\":\"A\",\"country\":\"FR\"}"), .json("{\"value\":\"A\"}"), false),
        SamenessCase(.address, .json("{\"value\":\"A\"}"), .null, false),
        SamenessCase(.address, .null, .json("{\"value\":null}"), true),
        SamenessCase(.money, .json("{\"value\":1.50}"), .json("{\"value\":1.5,\"currency\":\"EUR\"}"), true),
        SamenessCase(
            .money, .json("{\"value\":1,\"currency\":\"USD\"}"), .json("{\"value\":1,\"currency\":\"EUR\"}"), false),
        SamenessCase(
            .time, .json("{\"value\":\"13:30:00\"}"), .json("{\"value\":\"13:30\",\"timezone_name\":\"UTC\"}"), true),
        SamenessCase(
            .timeRange, .json("{\"value\":\"13:30:00\",\"until\":\"14:00:00\"}"),
            .json("{\"value\":\"13:30\",\"until\":\"14:30\"}"), false),
        SamenessCase(
            .dateRange, .json("{\"value\":\"2024-01-01\",\"until\":\"2024-01-02\"}"),
            .json("{\"until\":\"2024-01-02\",\"value\":\"2024-01-01\"}"), true),
        SamenessCase(
            .contacts, .json("[{\"value\":\"a\",\"primary\":true}]"),
            .json("[{\"label\":\"work\",\"value\":\"a\",\"primary\":true}]"), true),
        SamenessCase(
            .contacts, .json("[{\"value\":\"a\",\"primary\":true,\"label\":\"home\"}]"),
            .json("[{\"label\":\"work\",\"value\":\"a\",\"primary\":true}]"), false),
        SamenessCase(
            .contacts, .json("[{\"value\":\"a\",\"primary\":true},{\"value\":\"b\",\"primary\":false}]"),
            .json("[{\"value\":\"a\",\"primary\":false},{\"value\":\"b\",\"primary\":true}]"), false),
        SamenessCase(
            .contacts, .json("[{\"value\":\"b\",\"primary\":false},{\"value\":\"a\",\"primary\":true}]"),
            .json("[{\"value\":\"a\",\"primary\":true},{\"value\":\"b\",\"primary\":false}]"), true),
        SamenessCase(
            .contacts, .json("[{\"value\":\"a\",\"primary\":true}]"),
            .json("[{\"value\":\"a\",\"primary\":true},{\"value\":\"b\",\"primary\":false}]"), false),
        SamenessCase(.texts, .json("[\"a\",\"b\"]"), .json("[\"b\",\"a\"]"), false),
        SamenessCase(.json, .json("{\"a\":1,\"b\":[1.0]}"), .json("{\"b\":[1],\"a\":1e0}"), true),
        SamenessCase(.json, .json("{\"a\":1}"), .json("{\"a\":1,\"b\":2}"), false),
    ]

    @Test("Values are compared by what they mean", arguments: cases)
    func meaningDecides(row: SamenessCase) {
        #expect(isSame(row.kind, row.wanted, row.held) == row.isSame)
    }

    @Test("Every value is the same as itself", arguments: cases)
    func comparisonIsReflexive(row: SamenessCase) {
        #expect(isSame(row.kind, row.wanted, row.wanted))
        #expect(isSame(row.kind, row.held, row.held))
    }

    @Test("Kinds without open parts compare the same both ways", arguments: cases)
    func comparisonIsSymmetric(row: SamenessCase) {
        let open: Set<DestinationField.Kind> = [.address, .money, .time, .timeRange, .contacts]
        guard !open.contains(row.kind) else { return }
        #expect(isSame(row.kind, row.held, row.wanted) == row.isSame)
    }

    @Test func numbersThatAreTheSameHaveOneMatchText() {
        var column = Column(.decimal)
        for text in ["1.50", "15e-1", "+1.5", "01.5"] { column.append(.decimal(text)) }
        let matching = MatchTexts(DestinationField("n", .number), MatchRule())
        #expect((0..<4).allSatisfy { matching.texts(column, $0) == ["1.5"] })
    }

    @Test func differencesNameTargetAndBothTexts() throws {
        let source = Schema([
            Schema.Field("i", .int64), Schema.Field("o", .text), Schema.Field("m", .decimal), Schema.Field("t", .text),
        ])
        let mapping = try CompiledMapping(
            map: [
                MapEntry(target: "id", from: "i"), MapEntry(target: "option", from: "o"),
                MapEntry(target: "money", from: "m", parts: [MapEntry(target: "currency", value: "EUR")]),
                MapEntry(target: "text", from: "t"), MapEntry(target: "c3", value: "new"),
            ], insert: MappingFixture.update, source: source, fields: MappingFixture.fields)
        var batch = RecordBatch(source)
        batch.append([.int64(1), .text("Lead"), .decimal("5"), .null])
        let schema = Schema([
            Schema.Field("id", .text), Schema.Field("money", .json), Schema.Field("option", .text),
            Schema.Field("text", .text),
        ])
        var records = RecordBatch(schema)
        records.append([.text("1"), .json("{\"value\":4,\"currency\":\"EUR\"}"), .text("1"), .text("kept")])
        let found = RecordComparison(mapping, records: schema).differences(mapping.map(batch), 0, records, 0)
        #expect(found.map(\.target) == [0, 1, 3])
        #expect(found.map(\.old) == ["Customer (1)", "4 EUR", ""])
        #expect(found.map(\.new) == ["Lead (3)", "5 EUR", "new"])
    }
}
