// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

@Suite struct OrganizationFieldTests {
    private let path = "/api/v2/organizationFields"

    @Test func everyCreatableTypeIsThereFromTheStart() throws {
        let rehearsal = try Rehearsal()
        let fields = try #require(try rehearsal.client.send("GET", path).data().arrayValue)
        let custom = fields.filter { $0["is_custom_field"] == .bool(true) }
        let types = Set(custom.compactMap { $0["field_type"]?.stringValue })
        #expect(types.count == 16)
        for field in custom {
            let code = field["field_code"]?.stringValue ?? ""
            #expect(code.utf8.count == 40 && code.allSatisfy { "0123456789abcdef".contains($0) })
        }
        #expect(Set(custom.map { $0["field_code"] }).count == custom.count)
        #expect(rehearsal.sandbox.optionID("Mid", of: "Segment") == 32)
    }

    @Test func fieldsArePagedByCursor() throws {
        let rehearsal = try Rehearsal()
        let first = try rehearsal.client.send("GET", "\(path)?limit=20").json()
        let cursor = first["additional_data"]?["next_cursor"]?.stringValue ?? ""
        let second = try rehearsal.client.send("GET", "\(path)?limit=20&cursor=\(cursor)").json()
        #expect(second["additional_data"]?["next_cursor"] == .null)
        let codes = [first, second].flatMap { ($0["data"]?.arrayValue ?? []).map { $0["field_code"] } }
        #expect(Set(codes).count == codes.count)
        #expect(codes.count == 29)
    }

    @Test func aCreatedFieldTakesValuesAtOnce() throws {
        let rehearsal = try Rehearsal()
        let body =
            #"{"field_name": "Region", "field_type": "enum", "options": [{"label": "North"}, {"label": "South"}]}"#
        let field = try rehearsal.client.send("POST", path, body).data()
        let code = try #require(field["field_code"]?.stringValue)
        let option = try #require(field["options"]?.arrayValue?.last?["id"]?.intValue)
        #expect(try rehearsal.client.send("GET", "\(path)/\(code)").data() == field)
        #expect(try rehearsal.create(#"{"name": "A", "custom_fields": {"\#(code)": \#(option)}}"#) == 1)
        let twin = try rehearsal.client.send("POST", path, body).data()
        #expect(twin["field_code"] != field["field_code"])
        #expect(try rehearsal.client.send("GET", "\(path)/nothing").status == 404)
    }

    @Test(arguments: [
        #"{"field_name": "A"}"#, #"{"field_name": "", "field_type": "text"}"#,
        #"{"field_name": "A", "field_type": "int"}"#,
        #"{"field_name": "A", "field_type": "enum"}"#, #"{"field_name": "A", "field_type": "enum", "options": []}"#,
        #"{"field_name": "A", "field_type": "text", "options": [{"label": "x"}]}"#,
        #"{"field_name": "A", "field_type": "set", "options": [{"name": "x"}]}"#,
        #"{"field_name": "A", "field_type": "text", "name": "A"}"#,
        #"{"field_name": "A", "field_type": "text", "ui_visibility": true}"#,
    ])
    func aWrongFieldIsRefused(body: String) throws {
        let rehearsal = try Rehearsal()
        #expect(try rehearsal.client.send("POST", path, body).status == 400)
    }
}
