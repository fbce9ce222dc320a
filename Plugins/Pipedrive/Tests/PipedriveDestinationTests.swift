// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import PipedriveConnector
import PipedriveSandbox
import Testing

@Suite struct PipedriveDestinationTests {
    /// All rows of a read, with how many batches they came in.
    private func rows(_ stream: any RecordStream) throws -> (rows: [[Value]], batches: Int) {
        var rows: [[Value]] = []
        var batches = 0
        while let next = try stream.next() {
            batches += 1
            for row in 0..<next.batch.rowCount {
                rows.append(next.batch.columns.indices.map { next.batch.value(row, $0) })
            }
        }
        stream.close()
        return (rows, batches)
    }

    private func read(
        _ rig: Rig, _ selection: ReadBackRequest.Selection, _ fields: [String] = []
    ) throws -> (rows: [[Value]], batches: Int) {
        try rows(
            rig.destination.readBack(
                ReadBackRequest(object: "organization", selection: selection, fields: fields)))
    }

    @Test func aGoodConnectionNamesItsAccount() throws {
        let rig = try Rig()
        let report = try rig.destination.check()
        #expect(report.isOK)
        #expect(report.identity == ["company": "Sandbox", "domain": "sandbox", "user": "Mara Lindqvist"])
        #expect(rig.host.spent == 2)
    }

    @Test func aWrongTokenIsAStepThatFailed() throws {
        let rig = try Rig(token: "wrong")
        let report = try rig.destination.check()
        #expect(report.steps.last?.id == "credential")
        #expect(report.steps.last?.failure?.code == .unauthorized)
        #expect(rig.sandbox.counters.unauthorized401 == 1)
    }

    @Test func aServerThatIsNotThereIsAStepThatFailed() throws {
        let rig = try Rig()
        rig.sandbox.stop()
        let report = try rig.destination.check()
        #expect(report.steps.map(\.id) == ["network"])
        #expect(report.steps.first?.failure?.code == .unavailable)
        #expect(rig.host.answers.last?.wasNeverSent == true)
    }

    @Test func fieldsCostTenTokensAndUsersTwentyMore() throws {
        let rig = try Rig()
        let fields = try rig.destination.fields(of: "organization", optionsOf: ["name"])
        #expect(rig.host.spent == 10)
        #expect(fields.first?.key == "id")
        #expect(fields.filter(\.isCustom).count == 16)
        #expect(fields.first { $0.key == "owner_id" }?.options.isEmpty == true)
        #expect(fields.first { $0.label == "Segment" }?.options.map(\.label) == ["SMB", "Mid", "Enterprise"])

        let withUsers = try rig.destination.fields(of: "organization", optionsOf: ["Owner"])
        #expect(rig.host.spent == 40)
        let users = withUsers.first { $0.key == "owner_id" }?.options ?? []
        #expect(users.map(\.isActive) == [true, true, true, true, true, false])
        #expect(users.first?.aliases == ["mara@acme.example"])
        #expect(withUsers.map(\.key) == fields.map(\.key))
    }

    @Test func anUnknownObjectIsNamed() throws {
        let rig = try Rig()
        let error = #expect(throws: ConnectorError.self) {
            _ = try rig.destination.fields(of: "planet", optionsOf: [])
        }
        #expect(error?.code == .notFound)
    }

    @Test func allRecordsComePageByPage() throws {
        let rig = try Rig(records: 1_203)
        let (rows, batches) = try read(rig, .all, ["name"])
        #expect(rows.count == 1_203)
        #expect(batches == 3)
        #expect(rig.host.spent == 10 + 3 * 10)
        #expect(rows.map(\.[0]) == (1...1_203).map { .text(String($0)) })
    }

    @Test func idsThatDoNotExistAreLeftOut() throws {
        let rig = try Rig(records: 5)
        #expect(try read(rig, .ids(["4", "999", "2", "x", ""])).rows.map(\.[0]).map { "\($0)" }.sorted().count == 2)
        let spent = rig.host.spent
        #expect(try read(rig, .ids(["x"])).rows.isEmpty)
        #expect(try read(rig, .ids([])).rows.isEmpty)
        #expect(rig.host.spent == spent)
        #expect(throws: ConnectorError.self) { _ = try read(rig, .ids((0...100).map(String.init))) }
    }

    @Test func changesSinceATimeAreReadFromTheWholeSecond() throws {
        let rig = try Rig(records: 40)
        let time = try #require(rig.sandbox.organization(20)?.updateTime)
        let expected = rig.sandbox.organizations.filter { $0.updateTime >= time }.count
        let (rows, _) = try read(rig, .changedSince(time * 1_000 + 999), ["update_time"])
        #expect(rows.count == expected)
    }

    @Test func aRecordThatIsTouchedMeanwhileComesOnce() throws {
        let rig = try Rig(records: 1_200)
        let request = ReadBackRequest(object: "organization", selection: .changedSince(0), fields: ["name"])
        let stream = try rig.destination.readBack(request)
        defer { stream.close() }
        var ids: [String] = []
        while let next = try stream.next() {
            for row in 0..<next.batch.rowCount {
                if case .text(let id) = next.batch.value(row, 0) { ids.append(id) }
            }
            guard ids.count <= 500, let first = ids.first else { continue }
            let touch = SandboxRequest(
                method: "PATCH", target: "/api/v2/organizations/\(first)", token: "sandbox-token",
                contentType: "application/json", body: Array(#"{"name": "Touched"}"#.utf8))
            #expect(rig.sandbox.reply(to: touch).answer.status == 200)
        }
        #expect(ids.count == 1_200 && Set(ids).count == 1_200)
    }

    @Test func customFieldsWithoutAValueAreNULL() throws {
        let rig = try Rig(records: 3)
        let (rows, _) = try read(rig, .all, [rig.code("Contract value"), rig.code("Customer key"), "website"])
        #expect(rows.allSatisfy { $0[1] == .null })
        #expect(rows.allSatisfy { $0[2] != .null })
    }

    @Test func moreCustomFieldsThanTheParameterTakesAreStillRead() throws {
        let rig = try Rig(records: 1)
        let fields = try rig.destination.fields(of: "organization", optionsOf: []).filter(\.isCustom).map(\.key)
        #expect(fields.count == 16)
        #expect(try read(rig, .all, fields).rows.first?.count == 17)
    }

    @Test func anUnknownFieldIsNamedBeforeAnyRecordIsRead() throws {
        let rig = try Rig(records: 1)
        let error = #expect(throws: ConnectorError.self) { _ = try read(rig, .all, ["no_such"]) }
        #expect(error?.code == .notFound)
        #expect(error?.field == "no_such")
    }

    @Test func readsAreRepeatedUntilAFaultHasPassed() throws {
        let rig = try Rig(faults: ["status=503:count=2:path=/api/v2/organizations"], records: 2)
        #expect(try read(rig, .all).rows.count == 2)
        #expect(rig.sandbox.counters.faults == 2)
        #expect(rig.host.pauses == [500, 1_000])
    }

    @Test func readsGiveUpInTheEnd() throws {
        let rig = try Rig(faults: ["garbage:path=/api/v2/organizationFields"])
        let error = #expect(throws: ConnectorError.self) {
            _ = try rig.destination.fields(of: "organization", optionsOf: [])
        }
        #expect(error?.code == .unavailable)
        #expect(rig.sandbox.counters.faults == 4)
    }

    @Test func aSpentDayIsNotRepeated() throws {
        let rig = try Rig(dailyTokens: 5)
        let error = #expect(throws: ConnectorError.self) {
            _ = try rig.destination.fields(of: "organization", optionsOf: [])
        }
        #expect(error?.code == .quotaSpent)
        #expect(rig.sandbox.counters.requests == 1)
    }

    @Test func aCancelledReadEnds() throws {
        let rig = try Rig(records: 1)
        let stream = try rig.destination.readBack(
            ReadBackRequest(object: "organization", selection: .all, fields: []))
        stream.cancel()
        let error = #expect(throws: ConnectorError.self) { _ = try stream.next() }
        #expect(error?.code == .cancelled)
    }

    @Test func aMarkerFieldIsMadeOnceAndFoundAfterwards() throws {
        let rig = try Rig()
        let key = try rig.destination.prepareMarker(of: "organization", label: "Penstock key")
        #expect(key == rig.sandbox.fieldCode("Penstock key"))
        #expect(try rig.destination.prepareMarker(of: "organization", label: "Penstock key") == key)
        #expect(rig.sandbox.counters.byRoute["POST /api/v2/organizationFields"] == 1)
        let (results, _) = try rig.write(.create, [("name", .text), (key, .text)], [[.text("A"), .text("m1")]])
        #expect(results.map(\.status) == [.created])
    }

    @Test func aFieldOfAnotherTypeIsNoMarker() throws {
        let rig = try Rig()
        let error = #expect(throws: ConnectorError.self) {
            _ = try rig.destination.prepareMarker(of: "organization", label: "Segment")
        }
        #expect(error?.code == .badConfig)
    }

    @Test func limitsAreKnownFromAnswers() throws {
        let rig = try Rig()
        #expect(try rig.destination.limits().isEmpty)
        _ = try rig.destination.check()
        #expect(try rig.destination.limits().map(\.bucket) == [RateLimit.burst, RateLimit.daily])
        #expect(try rig.destination.limits().last?.limit == 1_000_000)
    }
}
