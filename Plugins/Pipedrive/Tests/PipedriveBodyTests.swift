// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit
import PipedriveConnector
import Testing

@Suite struct PipedriveBodyTests {
    private func code(_ type: String) -> String { Account.code(type) }

    /// The body of one row, or nil where it sets nothing.
    private func body(
        _ values: [(key: String, value: Value, type: DataType)], mode: WriteRequest.Mode = .update,
        presence: [UInt8]? = nil
    ) throws -> String? {
        var shape = [Schema.Field(WriteRequest.remoteIDColumn, .text)]
        var row: [Value] = [.text("7")]
        if let presence {
            shape.append(Schema.Field(WriteRequest.presenceColumn, .bytes))
            row.append(.bytes(presence))
        }
        shape += values.map { Schema.Field($0.key, $0.type) }
        let request = WriteRequest(object: "organization", mode: mode, schema: Schema(shape), inFlightMax: 4)
        let plan = try PipedriveBody(request, object: .organization, fields: Account.fields)
        var batch = RecordBatch(request.schema)
        batch.append(row + values.map(\.value))
        let out = JSONBuffer()
        return try plan.render(batch, 0, into: out) ? String(decoding: out.bytes, as: UTF8.self) : nil
    }

    @Test(arguments: [
        ("varchar", Value.text("a \"b\"\n"), #""a \"b\"\n""#),
        ("varchar_auto", .text("Zoë"), #""Zoë""#),
        ("text", .text(""), #""""#),
        ("phone", .text("+49 40 1"), #""+49 40 1""#),
        ("double", .decimal("9007199254740993.0000000000000001"), "9007199254740993.0000000000000001"),
        ("monetary", .json(#"{"value":12.50,"currency":"EUR"}"#), #"{"value":12.50,"currency":"EUR"}"#),
        ("date", .date(19_783), #""2024-03-01""#),
        (
            "daterange", .json(#"{"value":"2026-01-01","until":"2026-01-31"}"#),
            #"{"value":"2026-01-01","until":"2026-01-31"}"#
        ),
        ("time", .json(#"{"value":"13:30:00"}"#), #"{"value":"13:30:00"}"#),
        (
            "timerange", .json(#"{"value":"13:30:00","until":"14:00:00"}"#),
            #"{"value":"13:30:00","until":"14:00:00"}"#
        ),
        ("enum", .text("31"), "31"),
        ("set", .json(#"["31", "32"]"#), "[31,32]"),
        ("user", .text("112"), "112"),
        ("org", .text("9007199254740993"), "9007199254740993"),
        ("people", .text("5"), "5"),
        ("address", .json(#"{"value":"1 Main St","locality":"Wien"}"#), #"{"value":"1 Main St","locality":"Wien"}"#),
    ])
    func everyCustomTypeHasItsShape(type: String, value: Value, expected: String) throws {
        let kind = try #require(PipedriveFields.kind(ofType: type))
        let body = try body([(code(type), value, kind.columnType)])
        #expect(body == "{\"custom_fields\":{\"\(code(type))\":\(expected)}}")
    }

    @Test func builtInFieldsStandAtTheTopInTheirShapes() throws {
        let body = try body(
            [
                ("name", .text("Acme"), .text), ("owner_id", .text("112"), .text),
                ("label_ids", .json(#"["1","2"]"#), .json), ("visible_to", .text("3"), .text),
                ("add_time", .instant(1_735_726_800_999_999), .instant), (code("enum"), .text("31"), .text),
            ], mode: .create)
        #expect(
            body == #"{"name":"Acme","owner_id":112,"label_ids":[1,2],"visible_to":3,"#
                + #""add_time":"2025-01-01T10:20:00Z","custom_fields":{"\#(code("enum"))":31}}"#)
    }

    @Test func onlyPresentFieldsAreSent() throws {
        // Columns: 0 id, 1 presence, 2 name, 3 website, 4 enum.
        let values: [(key: String, value: Value, type: DataType)] = [
            ("name", .text("Acme"), .text), ("website", .null, .text), (code("enum"), .text("31"), .text),
        ]
        #expect(try body(values, presence: [0b0_0100]) == #"{"name":"Acme"}"#)
        #expect(try body(values, presence: [0b0_1000]) == #"{"website":null}"#)
        #expect(try body(values, presence: [0b1_0000]) == #"{"custom_fields":{"\#(code("enum"))":31}}"#)
        #expect(try body(values, presence: [0]) == nil)
        #expect(try body(values, presence: []) == nil)
    }

    @Test func customFieldsAreNeverAnEmptyObject() throws {
        let body = try body([("name", .text("A"), .text), (code("enum"), .null, .text)], mode: .create)
        #expect(body == #"{"name":"A"}"#)
    }

    @Test func nullClearsOnUpdateAndIsLeftOutOnCreate() throws {
        let values: [(key: String, value: Value, type: DataType)] = [
            ("name", .text("A"), .text), (code("set"), .json("[]"), .json), (code("time"), .null, .json),
            ("label_ids", .json("[]"), .json),
        ]
        #expect(
            try body(values)
                == #"{"name":"A","label_ids":[],"custom_fields":{"\#(code("set"))":null,"\#(code("time"))":null}}"#)
        #expect(try body(values, mode: .create) == #"{"name":"A"}"#)
    }

    @Test(arguments: [
        ("enum", Value.text("Gold")), ("enum", .text("031")), ("set", .json(#"["x"]"#)), ("set", .json("{}")),
        ("double", .decimal("NaN")), ("double", .decimal("1.")), ("double", .decimal("+1")), ("user", .text("")),
        ("date", .date(10_000_000)),
    ])
    func aValueThatFitsNoShapeIsTheRowsFault(type: String, value: Value) throws {
        let kind = try #require(PipedriveFields.kind(ofType: type))
        let error = #expect(throws: ConnectorError.self) { try body([(code(type), value, kind.columnType)]) }
        #expect(error?.code == .badData)
        #expect(error?.field == code(type))
    }

    @Test func aNumberIsWhatJSONSaysItIs() {
        let numbers = ["0", "-0", "7", "10", "-12.50", "0.0", "1e3", "1E+3", "0.5e-10", "9007199254740993.25"]
        for text in numbers { #expect(PipedriveBody.isNumber(text.utf8), "\(text)") }
        let others = [
            "", "-", "+1", "01", "-01", ".5", "1.", "1.e3", "1e", "1e+", "1 ", " 1", "1.2.3", "1e3.5", "0x1", "1d",
        ]
        for text in others { #expect(!PipedriveBody.isNumber(text.utf8), "\(text)") }
    }

    @Test func unknownReadOnlyAndWronglyTypedFieldsAreRefusedBeforeAnyRow() {
        func code(_ key: String, _ type: DataType, _ mode: WriteRequest.Mode = .update) -> ConnectorError.Code? {
            #expect(throws: ConnectorError.self) { try body([(key, .null, type)], mode: mode) }?.code
        }
        #expect(code("no_such", .text) == .notFound)
        #expect(code("update_time", .instant) == .badRequest)
        #expect(code("add_time", .instant) == .badRequest)
        #expect(code("name", .json) == .badRequest)
        #expect(code("website", .text, .create) == .badRequest)
    }
}
