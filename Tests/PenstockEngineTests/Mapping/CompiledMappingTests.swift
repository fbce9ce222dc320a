// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import Testing

@Suite struct CompiledMappingTests {
    static let id = MapEntry(target: "id", from: "int64")

    private func problems(_ entry: MapEntry, _ insert: InsertDefinition = MappingFixture.update) -> [MappingProblem] {
        MappingFixture.problems([Self.id, entry], insert)
    }

    @Test func everythingMappedIsExposedInMapOrder() throws {
        let source = Schema([Schema.Field("a", .int64), Schema.Field("b", .text), Schema.Field("c", .decimal)])
        let map = [
            MapEntry(target: "ARR (EUR)", from: "c"), MapEntry(target: "id", from: "a"),
            MapEntry(target: "text", from: "b"), MapEntry(target: "integer", from: "c"),
        ]
        let mapping = try CompiledMapping(
            map: map, insert: MappingFixture.update, source: source, fields: MappingFixture.fields)
        #expect(mapping.targets.map(\.name) == ["ARR (EUR)", "text", "integer"])
        #expect(mapping.targets.map(\.entry) == [0, 2, 3])
        #expect(mapping.columns == ["c", "a", "b"])
        #expect(mapping.match == .id)
        #expect(mapping.fieldSchema.fields.map(\.name) == [MappingFixture.code, "text", "integer"])
        #expect(mapping.fieldSchema.fields.map(\.type) == [.decimal, .text, .int64])
    }

    @Test("A custom field is found by label and by code", arguments: ["ARR (EUR)", MappingFixture.code])
    func customFieldsAreFound(name: String) {
        #expect(problems(MapEntry(target: name, from: "int64")).isEmpty)
    }

    @Test func aVendorsKeyGoesBeforeALabelAndALabelBeforeACode() {
        let lookup = FieldLookup([
            DestinationField("x1", .text, label: "name", isCustom: true), DestinationField("name", .text),
            DestinationField("x2", .text, label: "x1", isCustom: true),
        ])
        #expect(lookup.find("name") == .found(1))
        #expect(lookup.find("x1") == .found(2))
        #expect(lookup.find("x2") == .found(2))
    }

    @Test func aLabelOfTwoFieldsNamesBothCodes() {
        let found = problems(MapEntry(target: "Same", from: "text"))
        #expect(found.map(\.code) == [.ambiguousLabel])
        #expect(found.first?.notes == [MappingFixture.otherCode, "c3"])
        #expect(found.first?.message.contains(MappingFixture.otherCode) == true)
    }

    @Test(
        "An unknown field comes with the name that was meant",
        arguments: [
            ("arr (eur)", "ARR (EUR)"), ("nmae", "name"), ("Name", "name"), ("integr", "integer"), ("The date", "date"),
        ])
    func unknownFieldsSuggest(name: String, meant: String) {
        let found = problems(MapEntry(target: name, from: "text"))
        #expect(found.map(\.code) == [.unknownField])
        #expect(found.first?.suggestion == meant)
        #expect(found.first?.entry == 1)
        #expect(found.first?.part == .target)
    }

    @Test func anUnknownColumnListsTheColumns() {
        let found = problems(MapEntry(target: "text", from: "txet"))
        #expect(found.map(\.code) == [.unknownColumn])
        #expect(found.first?.suggestion == "text")
        #expect(found.first?.notes.count == DataType.allCases.count)
    }

    static let faults: [(MapEntry, MappingProblem.Code, String)] = [
        (MapEntry(target: "number", from: "bool"), .typeMismatch, "from"),
        (MapEntry(target: "text", from: "bytes"), .typeMismatch, "from"),
        (MapEntry(target: "instant", from: "timestamp"), .zoneMissing, "from"),
        (MapEntry(target: "add_time", from: "instant"), .readOnlyField, "target"),
        (MapEntry(target: "text", from: "text", option: .label), .optionNotAllowed, "option"),
        (MapEntry(target: "user", from: "text", option: .label), .optionNotAllowed, "option"),
        (MapEntry(target: "text", from: "text", split: ","), .splitNotAllowed, "split"),
        (MapEntry(target: "options", from: "json", split: ","), .splitNotAllowed, "split"),
        (MapEntry(target: "options", from: "text", split: ""), .splitNotAllowed, "split"),
        (MapEntry(target: "user", from: "text", whenMissing: .skip), .whenMissingNotAllowed, "when_missing"),
        (MapEntry(target: "option", value: "Nobody"), .constantInvalid, "value"),
        (MapEntry(target: "integer", from: "int64", defaultText: "x"), .constantInvalid, "default"),
        (MapEntry(target: "name", value: " "), .constantInvalid, "value"),
        (MapEntry(target: "integer", value: "1", defaultText: "1"), .defaultNotAllowed, "default"),
        (MapEntry(target: "text"), .sourceMissing, "target"),
        (MapEntry(target: "text", from: "text", value: "x"), .sourceAmbiguous, "from"),
        (MapEntry(target: "text", parts: [MapEntry(target: "a", value: "b")]), .partUnknown, "a"),
        (
            MapEntry(target: "address", from: "text", parts: [MapEntry(target: "localty", from: "text")]), .partUnknown,
            "localty"
        ),
        (MapEntry(target: "address", parts: [MapEntry(target: "country", from: "text")]), .partMissing, "value"),
        (
            MapEntry(target: "money", from: "int64", parts: [MapEntry(target: "currency", value: "")]),
            .constantInvalid, "currency"
        ),
        (
            MapEntry(target: "money", from: "int64", parts: [MapEntry(target: "value", value: "1")]), .sourceAmbiguous,
            "value"
        ),
        (MapEntry(target: "money", from: "int64", parts: [MapEntry(target: "currency")]), .sourceMissing, "currency"),
        (MapEntry(target: "id", from: "text"), .duplicateTarget, "target"),
    ]

    @Test("Every fault of an entry has its code and its place", arguments: faults)
    func faultsHaveTheirPlace(entry: MapEntry, code: MappingProblem.Code, part: String) {
        let found = problems(entry)
        #expect(found.map(\.code) == [code])
        #expect(found.map(\.part.name) == [part])
        #expect(found.first?.entry == 1)
        #expect(found.first?.message.hasSuffix(".") == true)
    }

    @Test func allProblemsAreCollected() {
        let map = [
            MapEntry(target: "nowhere", from: "text"), MapEntry(target: "text", from: "nothing"),
            MapEntry(target: "number", from: "bool"),
        ]
        let found = MappingFixture.problems(map, InsertDefinition(mode: .append))
        #expect(found.map(\.code) == [.unknownField, .unknownColumn, .typeMismatch, .requiredNotMapped])
    }

    @Test func appendRefusesAnID() {
        let name = MapEntry(target: "name", from: "text")
        let found = MappingFixture.problems([Self.id, name], InsertDefinition())
        #expect(found.map(\.code) == [.readOnlyField])
    }

    @Test func aColumnIsFoundByItsBytesOnly() {
        let source = Schema([Schema.Field("Caf\u{E9}", .text), Schema.Field("n", .int64)])
        let map = [MapEntry(target: "id", from: "n"), MapEntry(target: "text", from: "Cafe\u{301}")]
        #expect(MappingFixture.problems(map, source: source).map(\.code) == [.unknownColumn])
    }

    @Test(
        "Update needs the field that finds the record",
        arguments: [
            ("id", MappingProblem.Code.matchNotMapped), ("address", .matchNotAllowed), ("nothing", .unknownField),
            ("Same", .ambiguousLabel),
        ])
    func updateNeedsItsMatch(match: String, code: MappingProblem.Code) {
        let map = [MapEntry(target: "text", from: "text"), MapEntry(target: "address", from: "text")]
        let found = MappingFixture.problems(map, InsertDefinition(mode: .update, match: match))
        #expect(found.map(\.code) == [code])
        #expect(found.first?.part == .match)
        #expect(found.first?.entry == nil)
    }

    @Test func anIDThatNothingUsesIsAProblem() {
        let map = [Self.id, MapEntry(target: "text", from: "text")]
        let found = MappingFixture.problems(map, InsertDefinition(mode: .update, match: "text"))
        #expect(found.map(\.code) == [.idNotUsed])
    }

    @Test func creatingOnMissingNeedsTheRequiredFields() {
        let found = MappingFixture.problems([Self.id], InsertDefinition(mode: .update, onMissing: .create))
        #expect(found.map(\.code) == [.requiredNotMapped])
    }

    @Test func usersThatWereNotReadPassOnlyWhereThatIsAskedFor() throws {
        let field = DestinationField("owner", .user, optionsCost: 20)
        let map = [MapEntry(target: "owner", value: "17")]
        let source = Schema([])
        #expect(throws: MappingProblems.self) {
            try CompiledMapping(map: map, insert: InsertDefinition(), source: source, fields: [field])
        }
        _ = try CompiledMapping(
            map: map, insert: InsertDefinition(), source: source, fields: [field], optionsKnown: false)
    }
}
