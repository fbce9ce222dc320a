// SPDX-License-Identifier: Apache-2.0

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
            ]), "k", live(.text("hand"), .text("Bonn"), .decimal("2.5")), lastChange: nil)
        #expect(item.fields.map(\.image.field) == ["city", "size"])
        #expect(item.conflicts.map(\.reason) == [.edited])
        #expect(item.conflicts.first?.live == "hand" && item.conflicts.first?.written == "B")
    }

    @Test func whatIsAsBeforeNeedsNothing() {
        let images = [field("name", .text("A"), .text("B")), field("city", .null, .text("Bonn"))]
        let item = decider().decide(image(images), "k", live(.text("A"), .null, .null), lastChange: nil)
        #expect(!item.hasWork && item.conflicts.isEmpty)
    }

    @Test func whatCannotBeWrittenIsAConflict() {
        let cleared = decider().decide(
            image([field("name", .null, .text("B"))]), "k", live(.text("B"), .null, .null), lastChange: nil)
        #expect(cleared.conflicts.map(\.reason) == [.cannotClear] && !cleared.hasWork)
        let gone = decider([fields[0]]).decide(
            image([field("city", .null, .text("Bonn"))]), "k", live(.text("B"), .text("Bonn"), .null), lastChange: nil)
        #expect(gone.conflicts.map(\.reason) == [.fieldGone])
        let record = decider().decide(image([field("name", .null, .text("B"))]), "k", nil, lastChange: nil)
        #expect(record.conflicts.map(\.reason) == [.gone])
    }

    @Test func createdRecordsAreDeletedWhereNobodyHasChangedThem() {
        func decide(_ created: Int64, _ updated: Int64, lastChange: Int64? = nil, canDelete: Bool = true) -> UndoItem {
            decider(canDelete: canDelete).decide(
                image([], .create), "k", live(.text("B"), .null, .null, created: created, updated: updated),
                lastChange: lastChange)
        }
        #expect(decide(100, 100).isDelete)
        #expect(decide(100, 101).conflicts.map(\.reason) == [.edited])
        #expect(decide(100, 150, lastChange: 150_000).isDelete, "a later run of ours")
        #expect(decide(100, 160, lastChange: 150_000).conflicts.map(\.reason) == [.edited])
        #expect(decide(100, 100, canDelete: false).conflicts.map(\.reason) == [.cannotDelete])
        let gone = decider().decide(image([], .create), "k", nil, lastChange: nil)
        #expect(gone.isGone && !gone.hasWork && gone.conflicts.isEmpty)
    }
}
