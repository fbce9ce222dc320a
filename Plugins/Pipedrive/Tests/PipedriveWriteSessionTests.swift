// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import PipedriveConnector
import PipedriveSandbox
import Testing

@Suite struct PipedriveWriteSessionTests {
    private let idColumn = (WriteRequest.remoteIDColumn, DataType.text)

    @Test func everyRowBecomesOneRecordAndComesBackWithItsID() throws {
        let rig = try Rig()
        let names = (0..<50).map { "Company \($0)" }
        let (results, failure) = try rig.create(names, inFlightMax: 8)
        #expect(failure == nil)
        #expect(results.map(\.row) == Array(0..<50))
        #expect(results.allSatisfy { $0.status == .created })
        for (name, result) in zip(names, results) {
            let id = try #require(Int(result.remoteID))
            #expect(rig.sandbox.organization(id)?.properties["name"] == .string(name))
        }
        #expect(rig.sandbox.organizations.count == 50)
    }

    @Test func everyTypeOfCustomFieldIsAcceptedAndKept() throws {
        let rig = try Rig(records: 1)
        #expect(try rig.write(.create, [("name", .text)], [[.text("Ada")]], object: "person").failure == nil)
        let segment = try #require(rig.sandbox.optionID("Mid", of: "Segment"))
        let product = try #require(rig.sandbox.optionID("Sync", of: "Products"))
        let money = #"{"value":9007199254740993.10,"currency":"EUR"}"#
        let cells: [(String, Value)] = [
            ("Segment", .text(String(segment))), ("Customer key", .text("K-1")),
            ("ARR (EUR)", .decimal("0.1000000000000000055")), ("Account tier", .text("gold")),
            ("Account notes", .text("line\nline")), ("Contract value", .json(money)), ("Customer since", .date(19_783)),
            ("Contract period", .json(#"{"value":"2026-01-01","until":"2026-12-31"}"#)),
            ("Best time to call", .json(#"{"value":"13:30:00"}"#)),
            ("Opening hours", .json(#"{"value":"08:00:00","until":"17:00:00"}"#)),
            ("Products", .json("[\"\(product)\"]")), ("Success manager", .text("112")), ("Parent company", .text("1")),
            ("Main contact", .text("1")), ("Switchboard", .text("+49 40 1")),
            ("Billing address", .json(#"{"value":"1 Main St","locality":"Wien"}"#)),
        ]
        let columns = cells.map { (rig.code($0.0), $0.1.type ?? .text) }
        let (results, _) = try rig.write(.create, [("name", .text)] + columns, [[.text("All")] + cells.map(\.1)])
        #expect(results.map(\.error) == [nil])
        let id = try #require(results.first.flatMap { Int($0.remoteID) })
        let kept = try #require(rig.sandbox.organization(id)?.customFields)
        #expect(kept.count == 16)
        #expect(kept[rig.code("ARR (EUR)")] == .number("0.1000000000000000055"))
        #expect(kept[rig.code("Contract value")]?["value"] == .number("9007199254740993.10"))

        // The same values come back in the same shapes.
        let stream = try rig.destination.readBack(
            ReadBackRequest(object: "organization", selection: .ids([String(id)]), fields: columns.map(\.0)))
        let batch = try #require(try stream.next())
        #expect(batch.rejects.isEmpty)
        for (index, cell) in cells.enumerated() { #expect(batch.batch.value(0, index + 1) == cell.1, "\(cell.0)") }
    }

    @Test func anUpdateTouchesOnlyThePresentFields() throws {
        let rig = try Rig(records: 3)
        let before = try #require(rig.sandbox.organization(2))
        let (results, _) = try rig.write(
            .update, [idColumn, (WriteRequest.presenceColumn, .bytes), ("name", .text), ("website", .text)],
            [
                [.text("2"), .bytes([0b0100]), .text("Renamed"), .text("never")],
                [.text("3"), .bytes([0]), .text("never"), .text("never")],
            ])
        #expect(results.map(\.status) == [.updated, .unchanged])
        let after = try #require(rig.sandbox.organization(2))
        #expect(after.properties["name"] == .string("Renamed"))
        #expect(after.properties["website"] == before.properties["website"])
        #expect(after.customFields == before.customFields)
        #expect(rig.sandbox.counters.byRoute["PATCH /api/v2/organizations/{id}"] == 1)
    }

    @Test func badRowsAreRejectedWithTheirFieldAndGoodOnesGoOn() throws {
        let rig = try Rig()
        let (results, failure) = try rig.write(
            .create, [("name", .text), ("owner_id", .text)],
            [
                [.text("A"), .text("112")], [.text("B"), .text("999")], [.text(" "), .null], [.text("D"), .text("x")],
                [.text("E"), .null],
            ])
        #expect(failure == nil)
        #expect(results.map(\.status) == [.created, .rejected, .rejected, .rejected, .created])
        #expect(results.map { $0.error?.field ?? "" } == ["", "owner_id", "name", "owner_id", ""])
        #expect(results.map(\.httpStatus) == [200, 400, 400, 0, 200])
    }

    @Test func anUnknownIDIsRejectedAndNeverCreated() throws {
        let rig = try Rig(records: 1)
        let rows: [[Value]] = [
            [.text("99999"), .text("X")], [.text("1; drop"), .text("X")], [.text("../1"), .text("X")],
        ]
        let (results, _) = try rig.write(.update, [idColumn, ("name", .text)], rows)
        #expect(results.map(\.status) == [.rejected, .rejected, .rejected])
        #expect(results.allSatisfy { $0.error?.code == .notFound })
        #expect(rig.sandbox.organizations.count == 1)
        #expect(rig.sandbox.counters.byRoute["PATCH /api/v2/organizations/{id}"] == 1)
    }

    @Test func aDeleteRemovesTheRecord() throws {
        let rig = try Rig(records: 2)
        let (results, _) = try rig.write(.delete, [idColumn], [[.text("1")], [.text("77")]])
        #expect(results.map(\.status) == [.deleted, .rejected])
        #expect(rig.sandbox.organizations.map(\.id) == [2])
    }

    @Test(arguments: [1, 2, 3])
    func aConnectionThatDiesAfterTheCommitLeavesOneRecordAndADoubt(nth: Int) throws {
        // From the second request on the connection is a kept one, on which libcurl would repeat by itself.
        let rig = try Rig(faults: ["reset-after:nth=\(nth):method=POST"])
        let (results, failure) = try rig.create(["A", "B", "C", "D"], inFlightMax: 1)
        #expect(failure == nil)
        #expect(rig.sandbox.counters.faults == 1)
        #expect(results.filter { $0.status == .unknown }.map(\.row) == [nth - 1])
        #expect(results.filter { $0.status == .created }.count == 3)
        #expect(rig.sandbox.organizations.count == 4)
        #expect(rig.sandbox.counters.created == 4)
    }

    @Test(arguments: ["reset-before", "status=503", "status-after=500", "garbage", "garbage=cut"])
    func aFaultThatMayHideACommitIsADoubt(fault: String) throws {
        let rig = try Rig(faults: ["\(fault):nth=2:method=POST"])
        let (results, _) = try rig.create(["A", "B", "C"], inFlightMax: 1)
        #expect(rig.sandbox.counters.faults == 1)
        #expect(results.map(\.status) == [.created, .unknown, .created])
        #expect(results[1].error != nil)
    }

    @Test func anAnswerThatNeverComesIsADoubtAfterTheTimeout() throws {
        let rig = try Rig(faults: ["hang-after:nth=1:method=POST"], timeout: 1)
        let (results, _) = try rig.create(["A"])
        #expect(results.map(\.status) == [.unknown])
        #expect(results.first?.error?.code == .timedOut)
        #expect(rig.sandbox.organizations.count == 1)
    }

    @Test func aSlowAnswerIsStillAnAnswer() throws {
        let rig = try Rig(faults: ["slow=1ms:nth=1:method=POST"])
        #expect(try rig.create(["A"]).results.map(\.status) == [.created])
    }

    @Test func aBurst429IsPassedOnAndRetried() throws {
        let rig = try Rig(burst: 3)
        // The read of the fields takes one place of the window.
        let (results, failure) = try rig.create(["A", "B", "C", "D"], inFlightMax: 1)
        #expect(failure == nil)
        #expect(results.map(\.status) == [.created, .created, .retry, .retry])
        #expect(results[2].error?.code == .rateLimited)
        #expect((results[2].error?.retryAfterMilliseconds ?? 0) > 0)
        #expect(rig.host.answers.last?.status == 429)
        #expect(rig.host.limits.contains { $0.bucket == RateLimit.burst && $0.limit == 3 })
    }

    @Test func aSpentDayEndsTheSessionPolitely() throws {
        // 10 for the fields, 5 for each record.
        let rig = try Rig(dailyTokens: 20)
        let (results, failure) = try rig.create(["A", "B", "C", "D", "E"], inFlightMax: 1)
        #expect(failure?.code == .quotaSpent)
        #expect(results.map(\.status) == [.created, .created, .retry, .notTried, .notTried])
        #expect(results.dropFirst(2).allSatisfy { $0.error?.code == .quotaSpent })
        #expect(rig.sandbox.counters.daily429 == 1)
    }

    @Test func aBudgetThatTheHostRefusesEndsTheSessionWithoutARequest() throws {
        let rig = try Rig()
        rig.host.setQuota(after: 3)
        let (results, failure) = try rig.create(["A", "B", "C", "D"], inFlightMax: 1)
        #expect(failure?.code == .quotaSpent)
        #expect(results.map(\.status) == [.created, .created, .notTried, .notTried])
        #expect(rig.sandbox.counters.byRoute["POST /api/v2/organizations"] == 2)
    }

    @Test func aTokenThatIsRefusedMidwayLosesNoRow() throws {
        let rig = try Rig(faults: ["status=401:nth=2:method=POST"])
        let (results, failure) = try rig.create(["A", "B", "C"], inFlightMax: 1)
        #expect(failure?.code == .unauthorized)
        #expect(results.map(\.status) == [.created, .retry, .notTried])
    }

    @Test func aRightThatIsMissingForOneRowRejectsThatRow() throws {
        let rig = try Rig(faults: ["status=403:nth=1:method=POST"])
        let (results, failure) = try rig.create(["A", "B"], inFlightMax: 1)
        #expect(failure == nil)
        #expect(results.map(\.status) == [.rejected, .created])
        #expect(results.first?.error?.code == .forbidden)
    }

    @Test func aBlockWithAPageEndsTheSession() throws {
        // The read of the fields fills the window; the sandbox blocks after so many refusals in a minute.
        let rig = try Rig(burst: 1)
        let (results, failure) = try rig.create((0..<110).map(String.init), inFlightMax: 1)
        #expect(failure?.code == .quotaSpent)
        #expect(rig.sandbox.counters.blocked403 == 1)
        #expect(results.filter { $0.status == .retry }.count == rig.sandbox.counters.burst429 + 1)
        #expect(results.last?.status == .notTried)
        #expect(rig.sandbox.organizations.isEmpty)
    }

    @Test func everyRequestHasASlotWithItsCostAndItsRow() throws {
        let rig = try Rig()
        _ = try rig.create(["A", "B", "C"])
        let writes = rig.host.intents.filter { $0.kind == .create }
        #expect(writes.map(\.cost) == [5, 5, 5])
        #expect(writes.map(\.row) == (0..<3).map { BatchRow(batch: 1, row: $0) })
        #expect(rig.host.answers.count == rig.host.intents.count)
        #expect(rig.host.spent == Int64(rig.sandbox.counters.tokensSpent))
    }

    @Test func aRowThatMustWaitForItsSlotIsSentLater() throws {
        let rig = try Rig(services: { StingyHost($0, waits: 5) })
        #expect(try rig.create(["A", "B"]).results.map(\.status) == [.created, .created])
    }

    @Test func abortReportsWhatWasNotSent() throws {
        let rig = try Rig(services: { StingyHost($0) })
        let (session, collected, schema) = try open(rig)
        var batch = RecordBatch(schema)
        for name in ["A", "B", "C"] { batch.append([.text(name)]) }
        #expect(try session.submit(batch, id: 9))
        session.abort()
        try session.flush()
        session.end()
        #expect(collected.results(9).map(\.status) == [.notTried, .notTried, .notTried])
        #expect(rig.sandbox.organizations.isEmpty)
        #expect(throws: ConnectorError.self) { _ = try session.submit(batch, id: 10) }
    }

    @Test func aFullWindowSaysSo() throws {
        let rig = try Rig(services: { StingyHost($0) })
        let (session, _, schema) = try open(rig)
        var batch = RecordBatch(schema)
        for name in 0..<4 { batch.append([.text("\(name)")]) }
        #expect(try session.submit(batch, id: 1))
        #expect(try !session.submit(batch, id: 2))
        session.end()
    }

    @Test func cancellingTheWorkStopsTheSession() throws {
        let rig = try Rig()
        let (session, collected, schema) = try open(rig)
        rig.host.cancel()
        var batch = RecordBatch(schema)
        batch.append([.text("A")])
        // The session may have noticed already; either way nothing is sent.
        let isTaken = (try? session.submit(batch, id: 1)) ?? false
        session.end()
        #expect(collected.results(1).map(\.status) == (isTaken ? [.notTried] : []))
        #expect(rig.sandbox.organizations.isEmpty)
    }

    /// A session for creates with two requests at once.
    private func open(_ rig: Rig) throws -> (any WriteSession, Collected, Schema) {
        let schema = Schema([Schema.Field("name", .text)])
        let collected = Collected()
        let request = WriteRequest(object: "organization", mode: .create, schema: schema, inFlightMax: 2)
        let session = try rig.destination.begin(request) { collected.add($0, $1) }
        return (session, collected, schema)
    }
}
