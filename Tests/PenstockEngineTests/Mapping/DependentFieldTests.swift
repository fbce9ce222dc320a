// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import Testing

/// Options within a group, and fields that depend on another field.
@Suite struct DependentFieldTests {
    private static let lines = [FieldOption(id: "1", label: "North"), FieldOption(id: "2", label: "South")]
    private static let stops = [
        FieldOption(id: "11", label: "Start", group: "1"), FieldOption(id: "12", label: "End", group: "1"),
        FieldOption(id: "21", label: "Start", group: "2"),
        FieldOption(id: "22", label: "Gone", isActive: false, group: "2"),
    ]
    private static let states = [FieldOption(id: "open", label: "Open"), FieldOption(id: "shut", label: "Shut")]
    static let fields = [
        DestinationField("name", .text, isRequiredOnCreate: true),
        DestinationField("line", .option, options: lines),
        DestinationField("stop", .option, options: stops, optionsWithin: "line"),
        DestinationField("state", .option, options: states),
        DestinationField(
            "reason", .text, isClearable: true, condition: FieldCondition("state", ["shut"], initial: "open")),
        DestinationField("mail", .contacts, isClearable: true, content: .email),
    ]
    private static let source = Schema(["n", "l", "s", "st", "r", "m"].map { Schema.Field($0, .text) })

    private func map(
        _ map: [MapEntry], _ insert: InsertDefinition, _ rows: [[Value]]
    ) throws -> (MappedBatch, CompiledMapping) {
        let mapping = try CompiledMapping(map: map, insert: insert, source: Self.source, fields: Self.fields)
        var batch = RecordBatch(Self.source)
        for row in rows { batch.append(row + [Value](repeating: .null, count: 6 - row.count)) }
        return (mapping.map(batch), mapping)
    }

    private func stop(_ line: String?, _ stop: String, mapsLine: Bool = true) throws -> (
        id: Value, code: RowReject.Code?
    ) {
        // The stop stands first: what it depends on is mapped before it all the same.
        let entries =
            [MapEntry(target: "stop", from: "s")] + (mapsLine ? [MapEntry(target: "line", from: "l")] : [])
            + [MapEntry(target: "name", from: "n")]
        let (mapped, _) = try map(
            entries, InsertDefinition(), [[.text("A"), line.map { .text($0) } ?? .null, .text(stop)]])
        return (mapped.columns[0].value(0), mapped.rejects.first?.reject.code)
    }

    @Test func anOptionIsTheOneOfTheRowsGroup() throws {
        #expect(try stop("North", "Start").id == .text("11"))
        #expect(try stop("2", "start").id == .text("21"))
        #expect(try stop(nil, "End").id == .text("12"))
        #expect(try stop(nil, "21", mapsLine: false).id == .text("21"))
        #expect(try stop(nil, "Start").code == .optionAmbiguous)
        #expect(try stop(nil, "Start", mapsLine: false).code == .optionAmbiguous)
        #expect(try stop("South", "End").code == .optionUnknown)
        #expect(try stop("North", "21").code == .optionUnknown)
        #expect(try stop("South", "Gone").code == .optionUnknown)
    }

    private let state = MapEntry(target: "state", from: "st")
    private let reason = MapEntry(target: "reason", from: "r")
    private let name = MapEntry(target: "name", from: "n")

    private func row(_ state: Value, _ reason: Value) -> [Value] { [.text("A"), .null, .null, state, reason] }

    @Test func aFieldHasAValueOnlyWithWhatItDependsOn() throws {
        let rows = [
            row(.text("shut"), .text("x")), row(.text("open"), .text("x")), row(.null, .text("x")),
            row(.text("open"), .null),
        ]
        let (mapped, _) = try map([name, reason, state], InsertDefinition(), rows)
        #expect(mapped.rejects.map(\.row) == [1, 2])
        #expect(mapped.rejects.allSatisfy { $0.reject.code == .conditionUnmet && $0.reject.field == "reason" })
        #expect(mapped.presence[0, 1] && !mapped.presence[3, 1])
    }

    @Test func anUpdateThatSaysNothingOfItIsLeftToTheDestination() throws {
        var insert = InsertDefinition(mode: .update, match: "name", onMissing: .create, onNull: .clear)
        let rows = [row(.null, .text("x")), row(.text("open"), .null), row(.text("shut"), .null)]
        let (mapped, _) = try map([name, reason, state], insert, rows)
        #expect(mapped.rejects.map(\.row) == [0], "a state cannot be cleared")
        insert.onNull = .keep
        let (kept, _) = try map([name, reason, state], insert, rows)
        #expect(kept.rejects.isEmpty)
        #expect(kept.createRejects.map(\.row) == [0], "a new record is open")
    }

    @Test func whatCannotBeThereIsNotCleared() throws {
        let insert = InsertDefinition(mode: .update, match: "name", onNull: .clear)
        let (mapped, _) = try map(
            [name, reason, state], insert, [row(.text("open"), .null), row(.text("shut"), .null)])
        #expect(!mapped.presence[0, 1] && mapped.presence[1, 1])
    }

    @Test func aNewRecordNeedsTheOtherFieldMapped() {
        let error = #expect(throws: MappingProblems.self) { try map([name, reason], InsertDefinition(), []) }
        #expect(error?.problems.map(\.code) == [.conditionNotMapped])
    }

    @Test func whatOnlyFindsRecordsIsNoPartOfAChange() throws {
        var insert = InsertDefinition(mode: .update, match: "mail", onMissing: .create)
        insert.matchRule.from = "m"
        let first: [Value] = [.text("A"), .null, .null, .null, .null, .text("a@x")]
        let second: [Value] = [.text("A"), .null, .null, .null, .null, .text("B@x")]
        let (mapped, mapping) = try map(
            [name], insert, [first, second, [.null, .null, .null, .null, .null, .text("c")]])
        #expect(mapping.targets.map(\.isFinderOnly) == [false, true])
        #expect(mapping.columns == ["n", "m"])
        #expect((0...2).map(mapped.matchTexts) == [["a@x"], ["b@x"], ["c"]])
        #expect(mapped.payloads[0] == mapped.payloads[1])
        #expect((0...2).map(mapped.changesNothing) == [false, false, true])
        var records = RecordBatch(mapping.fieldSchema)
        records.append([.text("A"), .json(#"[{"value":"a@x","primary":true}]"#)])
        let comparison = RecordComparison(mapping, records: mapping.fieldSchema)
        #expect(comparison.differences(mapped, 1, records, 0).isEmpty)
        #expect(comparison.differences(mapped, 1, records, 0, isWhole: true).map(\.target) == [1])
    }

    @Test(arguments: [
        ("mail", MatchRule(form: .domain, ignoresCase: true), MappingProblem.Code.matchRuleNotAllowed),
        ("line", MatchRule(form: .email), .matchRuleNotAllowed),
        ("line", MatchRule(ignoresCase: true), .matchRuleNotAllowed),
        ("id", MatchRule(from: "m"), .matchRuleNotAllowed),
        ("name", MatchRule(from: "m"), .duplicateTarget),
        ("mail", MatchRule(from: "zz"), .unknownColumn),
    ])
    func aRuleWithoutAMeaningIsRefused(match: String, rule: MatchRule, code: MappingProblem.Code) {
        var insert = InsertDefinition(mode: .update, match: match)
        insert.matchRule = rule
        var entries = [name]
        if match == "line" { entries.append(MapEntry(target: "line", from: "l")) }
        if match == "mail", rule.from == nil { entries.append(MapEntry(target: "mail", from: "m")) }
        if match == "id" { entries.append(MapEntry(target: "id", from: "l")) }
        let error = #expect(throws: MappingProblems.self) { try map(entries, insert, []) }
        #expect(error?.problems.first?.code == code)
        #expect(error?.problems.first?.entry == nil && error?.problems.first?.part == .match)
    }
}
