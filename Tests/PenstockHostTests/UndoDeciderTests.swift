// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockModel
import PenstockState
import Testing

@testable import PenstockHost

/// What is put back of a record, and what is left.
@Suite struct UndoDeciderTests {
    private let object = ObjectDescriptor(
        id: "organization", title: "Organization", requiredOnCreate: ["name"],
        costs: RequestCosts(
            create: 5, update: 5, delete: 3, readByIDs: 10, readByIDsMax: 100, readPage: 10, readPageMax: 500),
        createdAtField: "add_time", updatedAtField: "update_time")
    private let fields = [
        DestinationField("name", .text, label: "Name"), DestinationField("city", .text, isClearable: true),
        DestinationField("size", .number, isClearable: true), DestinationField("add_time", .instant),
        DestinationField("update_time", .instant),
    ]
    private let run = ImageRun(
        number: 1, id: "01A", object: "organization",
        fields: [
            .init(key: "name", name: "Name", kind: .text), .init(key: "city", name: "City", kind: .text),
            .init(key: "size", name: "Size", kind: .number),
        ])

    private func decider(_ fields: [DestinationField]? = nil, canDelete: Bool = true) -> UndoDecider {
        UndoDecider(fields ?? self.fields, run, object, canDelete: canDelete)
    }

    private func live(_ name: Value, _ city: Value, _ size: Value, created: Int64 = 0, updated: Int64 = 0)
        -> RecordBatch
    {
        var batch = RecordBatch(
            Schema([
                Schema.Field("id", .text), Schema.Field("name", .text), Schema.Field("city", .text),
                Schema.Field("size", .decimal), Schema.Field("add_time", .instant),
                Schema.Field("update_time", .instant),
            ]), capacity: 1)
        batch.append([.text("7"), name, city, size, .instant(created * 1_000_000), .instant(updated * 1_000_000)])
        return batch
    }

    private func image(_ fields: [FieldImage], _ action: RecordImage.Action = .update, mark: [UInt8] = [])
        -> RecordImage
    {
        var hasher = FingerprintHasher()
        hasher.combine("k")
        return RecordImage(run: 1, key: hasher.finish(), remoteID: "7", action: action, fields: fields, mark: mark)
    }

    private func field(_ key: String, _ before: Value, _ after: Value, _ kind: DestinationField.Kind = .text)
        -> FieldImage
    {
        FieldImage(field: key, kind: kind, before: before, after: after)
    }

    @Test func onlyWhatTheRunWroteIsPutBack() {
        let item = decider().decide(
            image([
                field("name", .text("A"), .text("B")), field("city", .null, .text("Bonn")),
                field("size", .decimal("1"), .decimal("2.50"), .number),
            ]), "k", live(.text("hand"), .text("Bonn"), .decimal("2.5")), OwnChanges())
        #expect(item.fields.map(\.image.field) == ["city", "size"])
        #expect(item.conflicts.map(\.reason) == [.edited])
        #expect(item.conflicts.first?.live == "hand" && item.conflicts.first?.written == "B")
    }

    @Test func whatIsAsBeforeNeedsNothing() {
        let images = [field("name", .text("A"), .text("B")), field("city", .null, .text("Bonn"))]
        let item = decider().decide(image(images), "k", live(.text("A"), .null, .null), OwnChanges())
        #expect(!item.hasWork && item.conflicts.isEmpty)
    }

    @Test func whatCannotBeWrittenIsAConflict() {
        let cleared = decider().decide(
            image([field("name", .null, .text("B"))]), "k", live(.text("B"), .null, .null), OwnChanges())
        #expect(cleared.conflicts.map(\.reason) == [.cannotClear] && !cleared.hasWork)
        let gone = decider([fields[0]]).decide(
            image([field("city", .null, .text("Bonn"))]), "k", live(.text("B"), .text("Bonn"), .null), OwnChanges())
        #expect(gone.conflicts.map(\.reason) == [.fieldGone])
        let record = decider().decide(image([field("name", .null, .text("B"))]), "k", nil, OwnChanges())
        #expect(record.conflicts.map(\.reason) == [.gone])
    }

    @Test func createdRecordsAreDeletedWhereNobodyHasChangedThem() {
        func decide(
            _ created: Int64, _ updated: Int64, lastChange: Int64? = nil, laterRun: String? = nil, mark: [UInt8] = [],
            canDelete: Bool = true
        ) -> UndoItem {
            decider(canDelete: canDelete).decide(
                image([], .create, mark: mark), "k",
                live(.text("B"), .null, .null, created: created, updated: updated),
                OwnChanges(lastAtMilliseconds: lastChange, laterRun: laterRun))
        }
        #expect(decide(100, 100).isDelete)
        #expect(decide(100, 101).conflicts.map(\.reason) == [.edited])
        #expect(decide(100, 150, lastChange: 150_000).isDelete, "a later run of ours, which was undone")
        #expect(decide(100, 100, lastChange: 90_000).isDelete, "what was done before it was created")
        let later = decide(100, 150, lastChange: 150_000, laterRun: "01B")
        #expect(later.conflicts.map(\.reason) == [.laterRun] && later.conflicts.first?.run == "01B")
        let other = decide(100, 150, lastChange: 150_000, mark: [1] + [UInt8](repeating: 0, count: 8))
        #expect(other.conflicts.map(\.reason) == [.edited], "it does not hold what it was given")
        #expect(decide(100, 160, lastChange: 150_000).conflicts.map(\.reason) == [.edited])
        #expect(decide(100, 100, canDelete: false).conflicts.map(\.reason) == [.cannotDelete])
        let gone = decider().decide(image([], .create), "k", nil, OwnChanges())
        #expect(gone.isGone && !gone.hasWork && gone.conflicts.isEmpty)
    }

    /// What is decided about one field that holds `live`, and was given `after` over `before`.
    private func decide(
        _ kind: DestinationField.Kind, _ before: String?, _ after: String, _ live: String, updated: Int64 = 0,
        lastChange: Int64? = nil
    ) -> UndoItem {
        let run = ImageRun(
            number: 1, id: "01A", object: "organization", fields: [.init(key: "f", name: "F", kind: kind)])
        let decider = UndoDecider(
            [DestinationField("f", kind, isClearable: true), DestinationField("update_time", .instant)], run, object,
            canDelete: true)
        var record = RecordBatch(
            Schema([Schema.Field("id", .text), Schema.Field("f", .json), Schema.Field("update_time", .instant)]),
            capacity: 1)
        record.append([.text("7"), .json(live), .instant(updated * 1_000_000)])
        let field = field("f", before.map { Value.json($0) } ?? .null, .json(after), kind)
        return decider.decide(image([field]), "k", record, OwnChanges(lastAtMilliseconds: lastChange))
    }

    @Test func partsThatTheRunDidNotSendAreCompared() {
        let sent = #"{"value": "New 1"}"#
        let old = #"{"value": "Old 1", "country": "Germany"}"#
        #expect(decide(.address, old, sent, sent).fields.count == 1)
        let moved = decide(.address, old, sent, #"{"value": "New 1", "country": "Denmark"}"#)
        #expect(moved.conflicts.map(\.reason) == [.edited] && !moved.hasWork)
        let part = decide(.address, sent, old.replacing("Old", with: "New"), old.replacing("Old", with: "New"))
        #expect(part.fields.count == 1, "a part that the run has added is taken away again")
    }

    @Test func labelsAreCompared() {
        func list(_ label: String) -> String { #"[{"value": "a@b.example", "primary": true"# + label + "}]" }
        let old = #"[{"value": "old@b.example", "primary": true, "label": "home"}]"#
        #expect(decide(.contacts, old, list(""), list("")).fields.count == 1)
        #expect(decide(.contacts, old, list(""), list(#", "label": "work""#)).fields.count == 1, "added by itself")
        let edited = decide(.contacts, old, list(""), list(#", "label": "home""#))
        #expect(edited.conflicts.map(\.reason) == [.edited])
        #expect(edited.conflicts.first?.live == "a@b.example (home, primary)")
        let sent = list(#", "label": "home""#)
        #expect(decide(.contacts, old, sent, sent).fields.count == 1)
        let relabelled = decide(.contacts, list(#", "label": "home""#), list(""), list(#", "label": "work""#))
        #expect(relabelled.fields.count == 1, "the label is put back")
    }

    @Test func aCurrencyThatNobodySentIsToldByTheTime() {
        let sent = #"{"value": 2}"#
        let live = #"{"value": 2, "currency": "USD"}"#
        let euros = #"{"value": 1, "currency": "EUR"}"#
        #expect(decide(.money, euros, sent, live.replacing("USD", with: "EUR")).fields.count == 1)
        #expect(decide(.money, euros, sent, live, updated: 100, lastChange: 100_500).fields.count == 1)
        let later = decide(.money, euros, sent, live, updated: 101, lastChange: 100_500)
        #expect(later.conflicts.map(\.reason) == [.edited])
        let mine = decide(.money, euros, sent, live.replacing("USD", with: "EUR"), updated: 100, lastChange: 100_500)
        #expect(mine.undone == .whole)
        let touched = decide(.money, euros, sent, live.replacing("USD", with: "EUR"), updated: 103, lastChange: 100_500)
        #expect(touched.undone == .wholeOfEdited && later.undone == .inPart)
        #expect(decide(.money, nil, sent, live).conflicts.map(\.reason) == [.edited], "nothing tells")
    }

    @Test func anUndoThatWasUndoneCountsNoLonger() {
        let chain = UndoChain([
            .init(run: 2, id: "A", undoes: 1), .init(run: 3, id: "B", undoes: 2), .init(run: 4, id: "C", undoes: 1),
        ])
        #expect(chain.undos(of: 1) == ["C"])
        #expect(chain.undos(of: 2) == ["B"] && chain.undos(of: 3).isEmpty)
    }
}
