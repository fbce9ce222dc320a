// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

@Suite struct PersonTests {
    private func send(_ rehearsal: Rehearsal, _ method: String, _ path: String, _ body: String) throws -> TestResponse {
        try rehearsal.client.send(method, "/api/v2/\(path)", body)
    }

    @Test func everyContactGetsALabelAndOneIsPrimary() throws {
        let rehearsal = try Rehearsal()
        let data = try send(
            rehearsal, "POST", "persons",
            #"{"name": "Ada King Lovelace", "emails": [{"value": "a@x.example"}, {"value": "b@x.example", "label": "home"}]}"#
        ).data()
        #expect(
            data["emails"]?.text
                == #"[{"value":"a@x.example","primary":true,"label":"work"},{"value":"b@x.example","primary":false,"label":"home"}]"#
        )
        #expect(data["phones"] == .array([]))
        #expect(data["first_name"] == .string("Ada"))
        #expect(data["last_name"] == .string("King Lovelace"))
        #expect(data["marketing_status"] == nil)
    }

    @Test(arguments: [
        (#"{}"#, "name: is required"),
        (#"{"name": "A", "emails": "a@x.example"}"#, "emails: must be an array"),
        (#"{"name": "A", "emails": [{"primary": true}]}"#, "emails: 'value' is required"),
        (#"{"name": "A", "emails": [{"value": "a", "primary": 1}]}"#, "'primary' must be a boolean"),
        (#"{"name": "A", "emails": [{"value": "a", "type": "x"}]}"#, "Parameter 'type' is not allowed"),
        (
            #"{"name": "A", "phones": [{"value": "1", "primary": true}, {"value": "2", "primary": true}]}"#,
            "phones: only one element may be primary"
        ),
        (#"{"name": "A", "org_id": 7}"#, "org_id: Organization not found or not accessible."),
        (#"{"name": "A", "org_id": "1"}"#, "org_id: must be an integer"),
        (#"{"name": "A", "marketing_status": "maybe"}"#, "marketing_status: must be one of"),
        (#"{"name": "A", "birthday": "10.12.1815"}"#, "birthday: must be a date"),
        (#"{"name": "A", "first_name": "A"}"#, "Parameter 'first_name' is not allowed"),
        (#"{"name": "A", "email": "a@x.example"}"#, "Parameter 'email' is not allowed"),
    ])
    func aWrongBodyIsRefusedWithItsReason(body: String, reason: String) throws {
        let rehearsal = try Rehearsal()
        let response = try send(rehearsal, "POST", "persons", body)
        #expect(response.status == 400)
        #expect(try response.error().contains(reason))
        #expect(rehearsal.sandbox.records("person").isEmpty)
    }

    @Test func aFeatureThatIsNotThereIsNeitherListedNorAnsweredNorTaken() throws {
        let rehearsal = try Rehearsal { $0.features = [.campaigns] }
        let fields = try rehearsal.client.send("GET", "/api/v2/personFields?limit=500").data().arrayValue ?? []
        let codes = fields.compactMap { $0["field_code"]?.stringValue }
        #expect(codes.contains("marketing_status"))
        #expect(!codes.contains("job_title"))
        let refused = try send(rehearsal, "POST", "persons", #"{"name": "A", "job_title": "x"}"#)
        #expect(refused.status == 403)
        #expect(try refused.error().hasPrefix("job_title: "))
        #expect(try send(rehearsal, "POST", "persons", #"{"name": "A"}"#).data()["job_title"] == nil)
    }

    @Test func theMarketingStatusIsAnsweredOnDemandAndChangesOnce() throws {
        let rehearsal = try Rehearsal()
        func status(_ body: String) throws -> JSON? {
            _ = try send(rehearsal, "PATCH", "persons/1", body)
            return try rehearsal.client.send("GET", "/api/v2/persons/1?include_fields=marketing_status").data()[
                "marketing_status"]
        }
        _ = try send(rehearsal, "POST", "persons", #"{"name": "A", "marketing_status": "subscribed"}"#)
        #expect(try status("{}") == .string("no_consent"), "without an address there is nothing to consent to")
        #expect(try status(#"{"marketing_status": "subscribed"}"#) == .string("subscribed"))
        #expect(try status(#"{"marketing_status": "unsubscribed"}"#) == .string("subscribed"))
    }
}
