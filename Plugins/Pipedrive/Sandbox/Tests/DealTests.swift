// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

@Suite struct DealTests {
    private func send(_ rehearsal: Rehearsal, _ method: String, _ path: String, _ body: String) throws -> TestResponse {
        try rehearsal.client.send(method, "/api/v2/\(path)", body)
    }

    @Test func aNewDealIsOpenInTheFirstStageOfTheFirstPipeline() throws {
        let rehearsal = try Rehearsal()
        let data = try send(rehearsal, "POST", "deals", #"{"title": "A"}"#).data()
        #expect(data["status"] == .string("open") && data["currency"] == .string("EUR"))
        #expect(data["pipeline_id"]?.intValue == 1 && data["stage_id"]?.intValue == 1)
        #expect(data["is_archived"] == .bool(false) && data["archive_time"] == nil)
        let moved = try send(rehearsal, "PATCH", "deals/1", #"{"pipeline_id": 2}"#).data()
        #expect(moved["stage_id"]?.intValue == 5)
        let staged = try send(rehearsal, "PATCH", "deals/1", #"{"stage_id": 3}"#).data()
        #expect(staged["pipeline_id"]?.intValue == 1)
    }

    @Test(arguments: [
        (#"{}"#, "title: is required"),
        (#"{"title": "A", "value": "10"}"#, "value: must be a number"),
        (#"{"title": "A", "currency": "Euro"}"#, "currency: is not the code"),
        (#"{"title": "A", "pipeline_id": 9}"#, "pipeline_id: Pipeline 9 does not exist"),
        (#"{"title": "A", "stage_id": 9}"#, "stage_id: Stage 9 does not exist"),
        (#"{"title": "A", "pipeline_id": 1, "stage_id": 5}"#, "stage_id: Stage 5 does not belong to the pipeline 1"),
        (#"{"title": "A", "status": "closed"}"#, "status: must be one of"),
        (#"{"title": "A", "status": "deleted"}"#, "status: must be one of"),
        (#"{"title": "A", "lost_reason": "x"}"#, "lost_reason: can only be set if deal status is lost"),
        (#"{"title": "A", "status": "won", "lost_reason": "x"}"#, "lost_reason: can only be set"),
        (#"{"title": "A", "won_time": "2026-01-01T00:00:00Z"}"#, "won_time: can only be set if deal status is won"),
        (#"{"title": "A", "status": "won", "won_time": "2026-01-01 00:00:00"}"#, "won_time: must be a date and time"),
        (
            #"{"title": "A", "close_time": "2026-01-01T00:00:00Z"}"#,
            "close_time: can only be set if deal status is won or lost"
        ),
        (#"{"title": "A", "expected_close_date": "2026-01-01T00:00:00Z"}"#, "expected_close_date: must be a date"),
        (#"{"title": "A", "person_id": 1}"#, "person_id: Person not found"),
        (#"{"title": "A", "is_archived": 1}"#, "is_archived: must be a boolean"),
        (#"{"title": "A", "archive_time": "2026-01-01 00:00:00"}"#, "archive_time: can only be set"),
        (#"{"title": "A", "is_deleted": true}"#, "is_deleted: a record is deleted by a DELETE request only"),
        (#"{"title": "A", "add_time": "2026-01-01T00:00:00Z"}"#, "Parameter 'add_time' is not allowed"),
        (#"{"title": "A", "user_id": 101}"#, "Parameter 'user_id' is not allowed"),
    ])
    func aWrongBodyIsRefusedWithItsReason(body: String, reason: String) throws {
        let rehearsal = try Rehearsal()
        let response = try send(rehearsal, "POST", "deals", body)
        #expect(response.status == 400)
        #expect(try response.error().contains(reason), "\(response.text)")
        #expect(rehearsal.sandbox.records("deal").isEmpty)
    }

    @Test func aStatusSetsItsTimesAndClearsTheOthers() throws {
        let rehearsal = try Rehearsal()
        _ = try send(rehearsal, "POST", "deals", #"{"title": "A", "status": "lost", "lost_reason": "price"}"#)
        let lost = try rehearsal.client.send("GET", "/api/v2/deals/1").data()
        #expect(lost["lost_time"] == .string("2026-01-01T00:00:00Z") && lost["close_time"] == lost["lost_time"])
        let won = try send(
            rehearsal, "PATCH", "deals/1", #"{"status": "won", "won_time": "2025-12-31T23:00:00Z"}"#
        ).data()
        #expect(won["won_time"] == .string("2025-12-31T23:00:00Z") && won["close_time"] == won["won_time"])
        #expect(won["lost_time"] == .null && won["lost_reason"] == .null)
        let open = try send(rehearsal, "PATCH", "deals/1", #"{"status": "open"}"#).data()
        #expect(open["won_time"] == .null && open["close_time"] == .null)
    }

    @Test func archivedDealsAreInAListOfTheirOwnAndCannotBeEdited() throws {
        let rehearsal = try Rehearsal()
        for title in ["A", "B"] { _ = try send(rehearsal, "POST", "deals", #"{"title": "\#(title)"}"#) }
        #expect(try send(rehearsal, "PATCH", "deals/2", #"{"is_archived": true}"#).status == 200)
        func ids(_ path: String) throws -> [Int?] {
            try rehearsal.client.send("GET", "/api/v2/\(path)").data().arrayValue?.map { $0["id"]?.intValue } ?? []
        }
        #expect(try ids("deals") == [1])
        #expect(try ids("deals?ids=1,2") == [1])
        #expect(try ids("deals/archived") == [2])
        #expect(try ids("deals/archived?ids=1,2") == [2])
        let refused = try send(rehearsal, "PATCH", "deals/2", #"{"title": "C"}"#)
        #expect(refused.status == 403)
        #expect(try send(rehearsal, "PATCH", "deals/2", #"{"title": "C", "is_archived": false}"#).status == 200)
        #expect(try ids("deals") == [1, 2])
    }

    @Test func aListIsNarrowedByWhatItSays() throws {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 2 }
        _ = try send(rehearsal, "POST", "persons", #"{"name": "A", "org_id": 2}"#)
        for body in [
            #"{"title": "A", "org_id": 1}"#, #"{"title": "B", "org_id": 2, "person_id": 1, "status": "won"}"#,
            #"{"title": "C", "stage_id": 6}"#,
        ] { _ = try send(rehearsal, "POST", "deals", body) }
        func ids(_ path: String) throws -> [Int?] {
            try rehearsal.client.send("GET", "/api/v2/\(path)").data().arrayValue?.map { $0["id"]?.intValue } ?? []
        }
        #expect(try ids("deals?org_id=2") == [2])
        #expect(try ids("deals?status=won,lost") == [2])
        #expect(try ids("deals?pipeline_id=2&stage_id=6") == [3])
        #expect(try ids("persons?org_id=2") == [1])
        #expect(try ids("persons?deal_id=2") == [1])
        #expect(try ids("persons?deal_id=1") == [])
        _ = try rehearsal.client.send("DELETE", "/api/v2/deals/1")
        #expect(try ids("deals") == [2, 3])
        #expect(try ids("deals?status=deleted") == [1])
    }
}
