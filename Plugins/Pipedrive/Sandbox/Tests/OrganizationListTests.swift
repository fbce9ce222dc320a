// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

@Suite struct OrganizationListTests {
    /// Every id of a list, page by page.
    private func walk(_ client: TestClient, _ query: String, betweenPages: () throws -> Void = {}) throws -> [Int] {
        var ids: [Int] = []
        var cursor: String?
        repeat {
            let mark = cursor.map { "&cursor=\($0)" } ?? ""
            let json = try client.send("GET", "/api/v2/organizations?\(query)\(mark)").json()
            ids += (json["data"]?.arrayValue ?? []).compactMap { $0["id"]?.intValue }
            cursor = json["additional_data"]?["next_cursor"]?.stringValue
            try betweenPages()
        } while cursor != nil
        return ids
    }

    @Test(arguments: ["id", "add_time", "update_time"], ["asc", "desc"])
    func everyOrderServesEveryRecordOnce(order: String, direction: String) throws {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 230 }
        let ids = try walk(rehearsal.client, "limit=50&sort_by=\(order)&sort_direction=\(direction)")
        var expected = rehearsal.sandbox.organizations.sorted { left, right in
            switch order {
            case "add_time": (left.addTime, left.id) < (right.addTime, right.id)
            case "update_time": (left.updateTime, left.id) < (right.updateTime, right.id)
            default: left.id < right.id
            }
        }.map(\.id)
        if direction == "desc" { expected.reverse() }
        #expect(ids == expected)
    }

    @Test func aPageHoldsOneHundredWhereNoLimitIsGiven() throws {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 101 }
        let json = try rehearsal.client.send("GET", "/api/v2/organizations").json()
        #expect(json["data"]?.arrayValue?.count == 100)
        #expect(json["additional_data"]?["next_cursor"]?.stringValue != nil)
    }

    @Test(arguments: ["asc", "desc"])
    func recordsDeletedBetweenPagesNeitherRepeatNorHideOthers(direction: String) throws {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 30 }
        var next = direction == "asc" ? 11 : 20
        let ids = try walk(rehearsal.client, "limit=10&sort_direction=\(direction)") {
            _ = try rehearsal.client.send("DELETE", "/api/v2/organizations/\(next)")
            next += direction == "asc" ? 10 : -10
        }
        let expected = direction == "asc" ? Array(1...10) + Array(12...21) + Array(22...30) : []
        #expect(Set(ids).count == ids.count)
        if direction == "asc" { #expect(ids == expected) }
        #expect(Set(ids).isSuperset(of: Set(1...30).subtracting([11, 21, 20, 10])))
    }

    @Test(arguments: ["id", "update_time"], [1, 40, 190])
    func updatedSinceIsInclusiveAndUpdatedUntilIsNot(order: String, position: Int) throws {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 200 }
        let all = rehearsal.sandbox.organizations
        let times = all.map(\.updateTime).sorted()
        let since = times[position]
        let until = times[199]
        let text = try #require(
            try rehearsal.client.send("GET", "/api/v2/organizations?limit=500&sort_by=update_time").data().arrayValue)
        let sinceText = text[position]["update_time"]?.stringValue ?? ""
        let untilText = text[199]["update_time"]?.stringValue ?? ""
        let ids = try walk(
            rehearsal.client, "limit=30&sort_by=\(order)&updated_since=\(sinceText)&updated_until=\(untilText)")
        let expected = all.filter { $0.updateTime >= since && $0.updateTime < until }.map(\.id)
        #expect(ids.sorted() == expected.sorted())
    }

    @Test func missingAndDeletedIdsAreSilentlyLeftOut() throws {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 20 }
        _ = try rehearsal.client.send("DELETE", "/api/v2/organizations/4")
        #expect(try walk(rehearsal.client, "ids=9,4,3,777,3&limit=1") == [3, 9])
    }

    @Test func anOwnersOrganizationsCanBeListed() throws {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 60 }
        let expected = rehearsal.sandbox.organizations.filter { $0.properties["owner_id"] == .number("118") }.map(\.id)
        #expect(try walk(rehearsal.client, "owner_id=118&limit=5") == expected)
        #expect(expected.isEmpty == false)
    }

    @Test(arguments: [
        "limit=0", "limit=501", "limit=x", "sort_by=name", "sort_direction=up", "cursor=abc",
        "updated_since=2025-01-01",
        "updated_since=2025-01-01T00:00:00.000Z", "ids=a", "include_fields=name", "status=deleted", "api_token=x",
        "include_labels=1", "custom_fields=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16",
        "cursor=eyJmaWVsZCI6ImlkIiwiZmllbGRWYWx1ZSI6Nywic29ydERpcmVjdGlvbiI6ImFzYyIsImlkIjo3fQ&sort_by=add_time",
    ])
    func aWrongParameterIsRefused(query: String) throws {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 10 }
        let response = try rehearsal.client.send("GET", "/api/v2/organizations?\(query)")
        #expect(response.status == 400)
        #expect(try response.json()["code"] == .string("ERR_SCHEMA_VALIDATION_FAILED"))
    }

    @Test func aPageOfAHundredThousandOrganizationsTakesNoWalkOverAll() throws {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 100_000 }
        var ids: [Int] = []
        var cursor = ""
        for _ in 0..<3 {
            let json = try rehearsal.client.send("GET", "/api/v2/organizations?limit=5\(cursor)").json()
            ids += (json["data"]?.arrayValue ?? []).compactMap { $0["id"]?.intValue }
            cursor = "&cursor=\(json["additional_data"]?["next_cursor"]?.stringValue ?? "")"
        }
        #expect(ids == Array(1...15))
        #expect(rehearsal.sandbox.organizations.count == 100_000)
    }
}
