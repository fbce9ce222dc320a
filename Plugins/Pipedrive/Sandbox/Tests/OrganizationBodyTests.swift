// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

@Suite struct OrganizationBodyTests {
    private static let tooLong = String(repeating: "n", count: 256)

    @Test(arguments: [
        (#"{}"#, "name: is required"),
        (#"{"name": "  "}"#, "name: must not be empty"),
        (#"{"name": 7}"#, "name: must be a string"),
        (#"{"name": null}"#, "name: must be a string"),
        (#"{"name": "\#(tooLong)"}"#, "name: must be at most 255"),
        (#"{"name": "A", "update_time": "2026-01-01T00:00:00Z"}"#, "Parameter 'update_time' is not allowed"),
        (#"{"name": "A", "id": 4}"#, "Parameter 'id' is not allowed"),
        (#"{"name": "A", "owner_id": "101"}"#, "owner_id: must be an integer"),
        (#"{"name": "A", "owner_id": 999}"#, "owner_id: User not found or not accessible."),
        (#"{"name": "A", "owner_id": 140}"#, "owner_id: User not found or not accessible."),
        (#"{"name": "A", "visible_to": 2}"#, "visible_to: must be one of"),
        (#"{"name": "A", "visible_to": "3"}"#, "visible_to: must be one of"),
        (#"{"name": "A", "label_ids": 1}"#, "label_ids: must be an array"),
        (#"{"name": "A", "label_ids": [1, 99]}"#, "label_ids: Option 99 does not exist"),
        (#"{"name": "A", "label_ids": ["1"]}"#, "label_ids: Option"),
        (#"{"name": "A", "address": "Main St"}"#, "address: must be an object"),
        (#"{"name": "A", "address": {"country": "EE"}}"#, "address: 'value' is required"),
        (#"{"name": "A", "address": {"value": "x", "formatted_address": "x"}}"#, "'formatted_address' is not allowed"),
        (#"{"name": "A", "address": {"value": "x", "postal_code": 10111}}"#, "'postal_code' must be a string"),
        (#"{"name": "A", "industry": 99}"#, "industry: Option 99 does not exist"),
        (#"{"name": "A", "annual_revenue": 1.5}"#, "annual_revenue: must be an integer"),
        (#"{"name": "A", "employee_count": "5"}"#, "employee_count: must be an integer"),
        (#"{"name": "A", "website": 1}"#, "website: must be a string"),
        (#"{"name": "A", "add_time": "2026-01-01 00:00:00"}"#, "add_time: must be a date and time"),
        (#"{"name": "A", "add_time": "2026-02-30T00:00:00Z"}"#, "add_time: must be a date and time"),
        (#"{"name": "A", "add_time": "2026-01-01T00:00:00.5Z"}"#, "add_time: must be a date and time"),
        (#"{"name": "A", "custom_fields": []}"#, "custom_fields: must be an object"),
        (#"{"name": "A", "custom_fields": {"abc": 1}}"#, "custom_fields: Unknown key 'abc'"),
        (#"{"name": "A", "custom_fields": {"name": "B"}}"#, "custom_fields: Unknown key 'name'"),
        (#"["name"]"#, "body: must be an object"),
    ])
    func aWrongBodyIsRefusedWithItsReason(body: String, reason: String) throws {
        let rehearsal = try Rehearsal()
        let response = try rehearsal.client.send("POST", "/api/v2/organizations", body)
        #expect(response.status == 400)
        #expect(try response.json()["code"] == .string("ERR_SCHEMA_VALIDATION_FAILED"))
        #expect(try response.error().hasPrefix("Validation failed: "))
        #expect(try response.error().contains(reason))
        #expect(rehearsal.sandbox.organizations.isEmpty)
    }

    @Test func everyReasonIsNamedAtOnce() throws {
        let rehearsal = try Rehearsal()
        let code = rehearsal.code("ARR (EUR)")
        let error = try rehearsal.client.send(
            "POST", "/api/v2/organizations", #"{"\#(code)": 1, "visible_to": 9, "custom_fields": {"\#(code)": "1"}}"#
        ).error()
        #expect(error.split(separator: "; ").count == 4)
        #expect(error.contains("Parameter '\(code)' is not allowed for this request"))
        #expect(error.contains("Expected 'number' as value for organization custom field '\(code)'"))
    }

    @Test(arguments: [
        ("ARR (EUR)", #""12""#), ("Customer key", "12"), ("Customer key", #""\#(tooLong)""#),
        ("Account tier", "true"), ("Switchboard", #"[{"value": "1"}]"#), ("Account notes", "[]"),
        ("Contract value", "12"), ("Contract value", #"{"currency": "EUR"}"#),
        ("Contract value", #"{"value": "12", "currency": "EUR"}"#),
        ("Contract value", #"{"value": 12, "currency": "euro"}"#), ("Customer since", #""2026-02-30""#),
        ("Customer since", #""2026-1-1""#), ("Contract period", #"{"value": "2026-01-01"}"#),
        ("Best time to call", #""10:00:00""#), ("Best time to call", #"{"value": "25:00:00"}"#),
        ("Best time to call", #"{"value": "10:00:00", "zone": "x"}"#), ("Opening hours", #"{"value": "10:00:00"}"#),
        ("Segment", #""SMB""#), ("Segment", "99"), ("Products", "[]"), ("Products", "34"), ("Products", "[34, 99]"),
        ("Success manager", "999"), ("Success manager", #""mara@acme.example""#), ("Parent company", "12345"),
        ("Main contact", #""1""#), ("Main contact", "12345"), ("Billing address", #""Main St""#),
        ("Billing address", #"{"country": "EE"}"#),
    ])
    func aWrongCustomValueIsRefusedAndTheFieldNamed(label: String, value: String) throws {
        let rehearsal = try Rehearsal()
        let code = rehearsal.code(label)
        let response = try rehearsal.client.send(
            "POST", "/api/v2/organizations", #"{"name": "A", "custom_fields": {"\#(code)": \#(value)}}"#)
        #expect(response.status == 400)
        #expect(try response.error().contains(code))
    }

    @Test(arguments: [
        ("ARR (EUR)", "12345678901234567.25", "12345678901234567.25"), ("Customer key", #""K""#, #""K""#),
        ("Account tier", #""gold""#, #""gold""#), ("Account notes", #""a\nb""#, #""a\nb""#),
        ("Switchboard", #""+49 40""#, #""+49 40""#),
        ("Contract value", #"{"value": 12.5}"#, #"{"value":12.5,"currency":"EUR"}"#),
        ("Customer since", #""2024-02-29""#, #""2024-02-29""#),
        (
            "Contract period", #"{"until": "2026-12-31", "value": "2026-01-01"}"#,
            #"{"value":"2026-01-01","until":"2026-12-31"}"#
        ),
        (
            "Best time to call", #"{"value": "10:30"}"#,
            #"{"value":"10:30:00","timezone_id":null,"timezone_name":null}"#
        ),
        (
            "Opening hours", #"{"value": "08:00:00", "until": "17:00:00", "timezone_name": "Europe/Berlin"}"#,
            #"{"value":"08:00:00","until":"17:00:00","timezone_id":null,"timezone_name":"Europe/Berlin"}"#
        ),
        ("Segment", "31", "31"), ("Products", "[34,36]", "[34,36]"), ("Success manager", "112", "112"),
        ("Main contact", "1", "1"),
    ])
    func aRightCustomValueIsKeptAsWritten(label: String, value: String, stored: String) throws {
        let rehearsal = try Rehearsal()
        _ = try rehearsal.client.send("POST", "/api/v2/persons", #"{"name": "Ada"}"#)
        let code = rehearsal.code(label)
        let response = try rehearsal.client.send(
            "POST", "/api/v2/organizations", #"{"name": "A", "custom_fields": {"\#(code)": \#(value)}}"#)
        #expect(response.status == 200, "\(response.text)")
        #expect(try response.data()["custom_fields"]?[code]?.text == stored)
    }

    @Test func partsOfAnAddressThatAreLeftOutBecomeNull() throws {
        let rehearsal = try Rehearsal()
        let id = try rehearsal.create(#"{"name": "A", "address": {"value": "x", "country": "EE"}}"#)
        let address = try rehearsal.client.send(
            "PATCH", "/api/v2/organizations/\(id)", #"{"address": {"value": "y", "locality": "Tallinn"}}"#
        ).data()["address"]
        #expect(address?["value"] == .string("y"))
        #expect(address?["locality"] == .string("Tallinn"))
        #expect(address?["country"] == .null)
    }

    @Test func aBodyThatIsNotJSONIsRefused() throws {
        let rehearsal = try Rehearsal()
        #expect(try rehearsal.client.send("POST", "/api/v2/organizations", #"{"name": "#).status == 400)
        #expect(
            try rehearsal.client.send("POST", "/api/v2/organizations", "name=A", contentType: "text/plain").status
                == 415)
        #expect(try rehearsal.client.send("POST", "/api/v2/organizations", "{}", contentType: nil).status == 415)
    }
}
