// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

@Suite struct OrganizationRecordTests {
    @Test func aNewOrganizationBelongsToTheCallerAndIsAnsweredWhole() throws {
        let rehearsal = try Rehearsal()
        let response = try rehearsal.client.send("POST", "/api/v2/organizations", #"{"name": "Nordwind"}"#)
        #expect(response.status == 200)
        let data = try response.data()
        #expect(data["name"] == .string("Nordwind"))
        #expect(data["owner_id"] == .number("101"))
        #expect(data["add_time"] == .string("2026-01-01T00:00:00Z"))
        #expect(data["is_deleted"] == .bool(false))
        #expect(try rehearsal.client.send("GET", "/api/v2/organizations/1").data() == data)
    }

    @Test(arguments: [
        ("2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00Z"), ("2000-01-01T00:59:59+01:00", "1999-12-31T23:59:59Z"),
        ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"), ("2100-03-01T00:00:00Z", "2100-03-01T00:00:00Z"),
    ])
    func theTimeOfCreationCanBeNamedInAnyZone(written: String, answered: String) throws {
        let rehearsal = try Rehearsal()
        let id = try rehearsal.create(#"{"name": "A", "add_time": "\#(written)"}"#)
        let data = try rehearsal.client.send("GET", "/api/v2/organizations/\(id)").data()
        #expect(data["add_time"] == .string(answered))
    }

    @Test func onlyARealChangeMovesTheUpdateTime() throws {
        let rehearsal = try Rehearsal()
        let id = try rehearsal.create(#"{"name": "A", "website": "https://a.example"}"#)
        rehearsal.clock.advance(milliseconds: 5000)
        for body in ["{}", #"{"name": "A"}"#] {
            let data = try rehearsal.client.send("PATCH", "/api/v2/organizations/\(id)", body).data()
            #expect(data["update_time"] == .string("2026-01-01T00:00:00Z"))
        }
        let data = try rehearsal.client.send("PATCH", "/api/v2/organizations/\(id)", #"{"website": null}"#).data()
        #expect(data["update_time"] == .string("2026-01-01T00:00:05Z"))
        #expect(data["website"] == .null)
        #expect(data["name"] == .string("A"))
        #expect(rehearsal.sandbox.counters.updated == 1)
        #expect(rehearsal.sandbox.counters.unchanged == 2)
    }

    @Test func anUpdateLeavesUnnamedCustomFieldsAloneAndNullClearsOne() throws {
        let rehearsal = try Rehearsal()
        let (arr, key) = (rehearsal.code("ARR (EUR)"), rehearsal.code("Customer key"))
        let id = try rehearsal.create(#"{"name": "A", "custom_fields": {"\#(arr)": 5, "\#(key)": "K"}}"#)
        let data = try rehearsal.client.send(
            "PATCH", "/api/v2/organizations/\(id)", #"{"custom_fields": {"\#(arr)": null}}"#
        ).data()
        #expect(data["custom_fields"]?[arr] == .null)
        #expect(data["custom_fields"]?[key] == .string("K"))
    }

    @Test func anEmptyCustomFieldsObjectClearsThemAll() throws {
        let rehearsal = try Rehearsal()
        let id = try rehearsal.create(#"{"name": "A", "custom_fields": {"\#(rehearsal.code("ARR (EUR)"))": 5}}"#)
        _ = try rehearsal.client.send("PATCH", "/api/v2/organizations/\(id)", #"{"custom_fields": {}}"#)
        #expect(rehearsal.sandbox.organization(id)?.customFields == [:])
    }

    @Test func oneWrongPropertyKeepsTheWholeUpdateOut() throws {
        let rehearsal = try Rehearsal()
        let id = try rehearsal.create(#"{"name": "A"}"#)
        let body = #"{"name": "B", "add_time": "2026-01-01T00:00:00Z"}"#
        #expect(try rehearsal.client.send("PATCH", "/api/v2/organizations/\(id)", body).status == 400)
        #expect(rehearsal.sandbox.organization(id)?.properties["name"] == .string("A"))
    }

    @Test func aDeletedOrganizationIsGoneForEveryOperation() throws {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 3 }
        let deleted = try rehearsal.client.send("DELETE", "/api/v2/organizations/2")
        #expect(try deleted.data() == JSON(parsing: #"{"id":2}"#))
        for (method, body) in [("GET", nil), ("PATCH", #"{"name": "B"}"#), ("DELETE", nil)] as [(String, String?)] {
            let response = try rehearsal.client.send(method, "/api/v2/organizations/2", body)
            #expect(response.status == 404)
            #expect(
                response.text
                    == #"{"success":false,"error":"Organization not found","code":"ERR_NOT_FOUND"}"#)
        }
        #expect(rehearsal.sandbox.organizations.map(\.id) == [1, 3])
    }

    @Test func anIdThatIsNoNumberIsRefused() throws {
        let rehearsal = try Rehearsal()
        #expect(try rehearsal.client.send("GET", "/api/v2/organizations/abc").status == 400)
        #expect(try rehearsal.client.send("GET", "/api/v2/organizations/7").status == 404)
    }

    @Test func searchFindsByNameAddressAndCustomField() throws {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 60 }
        func ids(_ query: String) throws -> [Int] {
            let items = try rehearsal.client.send("GET", "/api/v2/organizations/search?\(query)").data()["items"]
            return (items?.arrayValue ?? []).compactMap { $0["item"]?["id"]?.intValue }
        }
        #expect(try ids("term=c-000042&exact_match=true&fields=custom_fields") == [42])
        #expect(try ids("term=C-00004&fields=name").isEmpty)
        #expect(try ids("term=C-00004&fields=custom_fields").count == 10)
        #expect(try ids("term=K%C3%B8benhavn&fields=address").isEmpty == false)
        #expect(try rehearsal.client.send("GET", "/api/v2/organizations/search?term=a").status == 400)
        #expect(try rehearsal.client.send("GET", "/api/v2/organizations/search").status == 400)
    }

    @Test func labelsStandBesideIdsWhereTheyAreAskedFor() throws {
        let rehearsal = try Rehearsal()
        let segment = rehearsal.code("Segment")
        let id = try rehearsal.create(#"{"name": "A", "label_ids": [2], "custom_fields": {"\#(segment)": 32}}"#)
        let data = try rehearsal.client.send(
            "GET",
            "/api/v2/organizations/\(id)?include_option_labels=true&include_labels=true"
                + "&include_fields=people_count,smart_bcc_email&custom_fields=\(segment)"
        ).data()
        #expect(data["custom_fields"]?.text == #"{"\#(segment)":{"id":32,"label":"Mid"}}"#)
        #expect(data["labels"]?.text == #"[{"id":2,"label":"Prospect"}]"#)
        #expect(data["people_count"] == .number("0"))
        #expect(data["smart_bcc_email"] == .null)
    }
}
