// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit
import ConnectorTesting
import PipedriveConnector
import PipedriveSandbox
import Testing

@Suite struct PersonDealTests {
    /// The body of one row of an object whose account lists every field.
    private func body(
        _ object: PipedriveObject, _ mode: WriteRequest.Mode, _ cells: [(String, Value)]
    ) throws -> String? {
        let listing = object.fields.map { field -> JSON in
            let definition: JSONObject = [
                "field_name": .string(field.field.label), "field_code": .string(field.field.key),
                "field_type": .string("varchar"), "is_custom_field": .bool(false),
            ]
            return .object(definition)
        }
        let fields = PipedriveFields(object, listing: listing)
        var shape = [Schema.Field(WriteRequest.remoteIDColumn, .text)]
        for (key, _) in cells {
            shape.append(Schema.Field(key, try #require(fields[key]).field.kind.columnType))
        }
        let request = WriteRequest(object: object.id, mode: mode, schema: Schema(shape), inFlightMax: 1)
        let plan = try PipedriveBody(request, object: object, fields: fields)
        var batch = RecordBatch(request.schema)
        batch.append([.text("7")] + cells.map(\.1))
        let out = JSONBuffer()
        return try plan.render(batch, 0, into: out) ? String(decoding: out.bytes, as: UTF8.self) : nil
    }

    @Test func aPersonsBodyIsExact() throws {
        let mails = #"[{"value":"a@x","primary":true},{"value":"b@x","primary":false,"label":"home"}]"#
        let body = try body(
            .person, .create,
            [
                ("name", .text("Zoë \"Z\"")), ("emails", .json(mails)), ("phones", .null), ("org_id", .text("5")),
                ("owner_id", .text("112")), ("label_ids", .json(#"["1"]"#)), ("visible_to", .text("3")),
                ("add_time", .instant(0)), ("marketing_status", .text("subscribed")), ("job_title", .text("x")),
                ("birthday", .date(19_783)), ("postal_address", .json(#"{"value":"x"}"#)),
                ("im", .json(#"[{"value":"z"}]"#)), ("notes", .text("n")),
            ])
        #expect(
            body == #"{"name":"Zoë \"Z\"","emails":"# + mails
                + #","org_id":5,"owner_id":112,"label_ids":[1],"visible_to":3,"add_time":"1970-01-01T00:00:00Z","#
                + #""marketing_status":"subscribed","job_title":"x","birthday":"2024-03-01","#
                + #""postal_address":{"value":"x"},"im":[{"value":"z"}],"notes":"n"}"#)
    }

    @Test func aDealsBodyIsExact() throws {
        let body = try body(
            .deal, .create,
            [
                ("title", .text("A")), ("value", .decimal("9007199254740993.10")), ("currency", .text("EUR")),
                ("pipeline_id", .text("1")), ("stage_id", .text("3")), ("status", .text("lost")),
                ("lost_reason", .text("price")), ("close_time", .instant(1_735_726_800_999_999)),
                ("lost_time", .instant(1_735_726_800_000_000)), ("probability", .decimal("12.5")),
                ("expected_close_date", .date(19_783)), ("person_id", .text("5")), ("org_id", .text("6")),
                ("is_archived", .bool(true)), ("archive_time", .instant(1_735_726_800_000_000)),
            ])
        #expect(
            body == #"{"title":"A","value":9007199254740993.10,"currency":"EUR","pipeline_id":1,"stage_id":3,"#
                + #""status":"lost","lost_reason":"price","close_time":"2025-01-01T10:20:00Z","#
                + #""lost_time":"2025-01-01T10:20:00Z","probability":12.5,"expected_close_date":"2024-03-01","#
                + #""person_id":5,"org_id":6,"is_archived":true,"archive_time":"2025-01-01 10:20:00"}"#)
    }

    @Test func nullClearsAListWithAnEmptyOne() throws {
        #expect(
            try body(.person, .update, [("emails", .null), ("label_ids", .null), ("im", .null)])
                == #"{"emails":[],"label_ids":[],"im":[]}"#)
        #expect(
            try body(.deal, .update, [("probability", .null), ("lost_reason", .null)])
                == #"{"probability":null,"lost_reason":null}"#)
    }

    @Test(arguments: [
        ("person", "first_name", WriteRequest.Mode.update), ("person", "add_time", .update),
        ("deal", "add_time", .create), ("deal", "is_deleted", .update), ("deal", "origin", .create),
    ])
    func whatTheAPIDoesNotTakeIsRefusedBeforeAnyRow(id: String, key: String, mode: WriteRequest.Mode) throws {
        let object = try #require(PipedriveObject.all.first { $0.id == id })
        let field = try #require(object.fields.first { $0.field.key == key }).field
        let main = (object.id == "deal" ? "title" : "name", Value.text("A"))
        let value: Value = field.kind == .boolean ? .bool(true) : field.kind == .instant ? .instant(0) : .text("x")
        let error = #expect(throws: ConnectorError.self) { try body(object, mode, [main, (key, value)]) }
        #expect(error?.code == .badRequest && error?.field == key)
    }

    @Test func pipelinesAndStagesAreReadOnlyWhenTheyAreNamed() throws {
        let rig = try Rig()
        func cost(_ names: [String]) throws -> Int64 {
            let before = rig.host.spent
            _ = try rig.destination.fields(of: "deal", optionsOf: names)
            return rig.host.spent - before
        }
        #expect(try cost(["title"]) == 10)
        #expect(try cost(["pipeline_id"]) == 15)
        #expect(try cost(["Stage"]) == 20)
        #expect(try cost(["stage_id", "pipeline_id", "owner_id"]) == 40)
        let fields = try rig.destination.fields(of: "deal", optionsOf: ["stage_id"])
        let stage = try #require(fields.first { $0.key == "stage_id" })
        #expect(stage.optionsWithin == "pipeline_id" && stage.options.map(\.group) == ["1", "1", "1", "1", "2", "2"])
        #expect(fields.first { $0.key == "pipeline_id" }?.options.map(\.label) == ["Sales", "Partners"])
        #expect(fields.first { $0.key == "status" }?.options.map(\.id) == ["open", "won", "lost"])
    }

    private func ids(_ rig: Rig, _ selection: ReadBackRequest.Selection, _ fields: [String] = []) throws -> [Value] {
        let stream = try rig.destination.readBack(
            ReadBackRequest(object: "deal", selection: selection, fields: fields))
        defer { stream.close() }
        var ids: [Value] = []
        while let next = try stream.next() {
            for row in 0..<next.batch.rowCount { ids.append(next.batch.value(row, 0)) }
        }
        return ids
    }

    @Test func archivedDealsAreReadFromTheirOwnListAndOnlyWhereTheyMayBe() throws {
        let rig = try Rig()
        let rows: [[Value]] = [[.text("A"), .bool(false)], [.text("B"), .bool(true)], [.text("C"), .bool(true)]]
        let written = try rig.write(
            .create, [("title", .text), ("is_archived", .bool)], rows, inFlightMax: 1, object: "deal")
        #expect(written.results.allSatisfy { $0.status == .created })
        func check(_ selection: ReadBackRequest.Selection, _ found: [String], cost: Int64) throws {
            let before = rig.host.spent
            let ids = try ids(rig, selection)
            #expect(ids == found.map { .text($0) })
            #expect(rig.host.spent - before == cost)
        }
        // One alone has a request of its own, which finds archived ones, too.
        try check(.ids(["1"]), ["1"], cost: 1)
        try check(.ids(["3"]), ["3"], cost: 1)
        try check(.ids(["99"]), [], cost: 1)
        try check(.ids(["1", "3", "99"]), ["1", "3"], cost: 30)
        try check(.all, ["1", "2", "3"], cost: 30)
        #expect(rig.sandbox.counters.byRoute["GET /api/v2/deals/archived"] == 2)
        #expect(try ids(rig, .changedSince(0)).count == 3)
        #expect(try ids(rig, .changedSince(.max)).isEmpty && ids(rig, .changedSince(.min)).count == 3)
    }

    @Test func whatIsAnsweredOnDemandIsAskedFor() throws {
        let rig = try Rig()
        let mails = Value.json(#"[{"value":"a@x"}]"#)
        let written = try rig.write(
            .create, [("name", .text), ("emails", .json), ("marketing_status", .text)],
            [[.text("A"), mails, .text("subscribed")]], object: "person")
        #expect(written.results.map(\.error) == [nil])
        let stream = try rig.destination.readBack(
            ReadBackRequest(object: "person", selection: .all, fields: ["marketing_status", "first_name"]))
        defer { stream.close() }
        let batch = try #require(try stream.next()).batch
        #expect(batch.value(0, 1) == .text("subscribed") && batch.value(0, 2) == .text("A"))
    }

    @Test func aFeatureThatIsSwitchedOffMeanwhileIsExplained() throws {
        let rig = try Rig()
        _ = try rig.destination.fields(of: "person", optionsOf: [])
        rig.sandbox.setFeatures([])
        let written = try rig.write(
            .create, [("name", .text), ("job_title", .text)], [[.text("A"), .text("x")]], object: "person")
        let error = try #require(written.results.first?.error)
        #expect(written.results.first?.status == .rejected && error.field == "job_title")
        #expect(error.message.hasPrefix("The account cannot take job_title, which needs Contact Sync"))
        #expect(written.failure == nil, "one field does not end the work")
    }
}
