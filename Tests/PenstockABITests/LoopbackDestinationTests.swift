// SPDX-License-Identifier: Apache-2.0

import ConnectorTesting
import LoopbackConnector
import PenstockABI
import PenstockModel
import Synchronization
import Testing

/// Collects results in the order in which they come.
final class Results: Sendable {
    private let state = Mutex<[(batch: UInt64, result: RowResult)]>([])

    func add(_ batch: UInt64, _ results: [RowResult]) {
        state.withLock { $0 += results.map { (batch, $0) } }
    }

    var all: [RowResult] { state.withLock { $0.map(\.result) } }
    var statuses: [RowResult.Status] { all.map(\.status) }
}

/// A batch of one text column.
func names(_ values: [String?]) -> RecordBatch {
    var batch = RecordBatch(Schema([Schema.Field("name", .text)]))
    for value in values { batch.append([value.map { .text($0) } ?? .null]) }
    return batch
}

/// What asks for a session that writes such batches.
func nameRequest(inFlightMax: Int = 100) -> WriteRequest {
    WriteRequest(object: "thing", mode: .create, schema: names([]).schema, inFlightMax: inFlightMax)
}

@Suite struct LoopbackDestinationTests {
    private func opened(_ host: TestHost = TestHost()) throws -> (direct: any Destination, loaded: any Destination) {
        let connector = LoopbackConnector()
        return (
            try connector.openDestination(.object(["path": .string("data")] as JSONObject), host: host),
            try loopback(connector).openDestination(.object(["path": .string("data")] as JSONObject), host: host)
        )
    }

    @Test func aRefusedSettingNamesItsField() throws {
        let expected = ConnectorError(.badConfig, "The token is wrong.", field: "token")
        #expect(throws: expected) {
            try loopback().openDestination(
                .object(["path": .string("data"), "token": .string("wrong")] as JSONObject), host: TestHost())
        }
    }

    @Test func fieldsLimitsAndChecksCrossWhole() throws {
        let host = TestHost()
        let (direct, loaded) = try opened(host)
        #expect(try loaded.check() == direct.check())
        #expect(try loaded.fields(of: "thing", optionsOf: ["7"]) == direct.fields(of: "thing", optionsOf: ["7"]))
        #expect(try loaded.limits() == direct.limits())
        #expect(host.limits.count == 2 && host.limits[0] == host.limits[1])
        #expect(try loaded.prepareMarker(of: "thing", label: "x") == "thing.x")
    }

    @Test func everySubmittedRowGetsItsResultWhole() throws {
        let host = TestHost()
        let (direct, loaded) = try opened(host)
        let results = Results()
        let session = try loaded.begin(nameRequest(), onResults: results.add)
        #expect(try session.submit(names(["a", "bad", nil]), id: 1))
        try session.flush()
        session.end()
        let refusal = ConnectorError(
            .badData, "The name is bad.", detail: "body", field: "name", vendorCode: "E1", retryAfterMilliseconds: 9)
        #expect(
            results.all == [
                RowResult(row: 0, status: .created, httpStatus: 201, remoteID: "1"),
                RowResult(row: 1, status: .rejected, error: refusal, httpStatus: 400),
                RowResult(row: 2, status: .created, httpStatus: 201, remoteID: "2"),
            ])
        #expect(host.intents.map(\.row) == (0..<3).map { BatchRow(batch: 1, row: $0) })
        #expect(host.answers.map(\.retryAfterMilliseconds) == [7, 7, 7])
        let request = ReadBackRequest(object: "thing", selection: .changedSince(1_000), fields: ["name"])
        #expect(try drained(loaded.readBack(request)) == drained(direct.readBack(request)))
    }

    @Test(
        "every selection of a read-back crosses",
        arguments: [ReadBackRequest.Selection.all, .ids(["1", "x"]), .ids([]), .changedSince(-5)])
    func selectionsCross(selection: ReadBackRequest.Selection) throws {
        let (direct, loaded) = try opened()
        let session = try loaded.begin(nameRequest()) { _, _ in }
        _ = try session.submit(names(["a"]), id: 1)
        try session.flush()
        session.end()
        let request = ReadBackRequest(object: "thing", selection: selection, fields: ["a", "b"])
        let batches = try drained(loaded.readBack(request))
        #expect(batches == (try drained(direct.readBack(request))))
        #expect(batches[0].batch.value(0, 1) == .text("\(selection)"))
    }

    @Test func aFullWindowLeavesTheBatchWithTheCaller() throws {
        let (_, loaded) = try opened()
        let results = Results()
        let session = try loaded.begin(nameRequest(inFlightMax: 3), onResults: results.add)
        #expect(try session.submit(names(["a", "b"]), id: 1))
        #expect(try !session.submit(names(["c", "d"]), id: 2))
        #expect(results.all.count == 2)
        #expect(try session.submit(names(["c", "d"]), id: 2))
        try session.flush()
        session.end()
        #expect(results.statuses == [.created, .created, .created, .created])
    }

    @Test func aBatchThatIsRefusedIsNotAwaited() throws {
        let (_, loaded) = try opened()
        let results = Results()
        let session = try loaded.begin(nameRequest(), onResults: results.add)
        #expect(throws: ConnectorError(.broken, "The session has given up.")) {
            try session.submit(names(["broken"]), id: 1)
        }
        try session.flush()
        session.end()
        #expect(results.all.isEmpty)
    }

    @Test func abortReportsTheRestAsNotTried() throws {
        let (_, loaded) = try opened()
        let results = Results()
        let session = try loaded.begin(nameRequest(), onResults: results.add)
        _ = try session.submit(names(["a", "b"]), id: 1)
        session.abort()
        session.end()
        session.abort()
        #expect(results.statuses == [.notTried, .notTried])
        #expect(results.all[0].error?.code == .cancelled)
    }

    @Test func aSpentQuotaReachesTheConnector() throws {
        let host = TestHost()
        host.setQuota(after: 1)
        let (_, loaded) = try opened(host)
        let results = Results()
        let session = try loaded.begin(nameRequest(), onResults: results.add)
        _ = try session.submit(names(["a", "b"]), id: 1)
        try session.flush()
        session.end()
        #expect(results.statuses == [.created, .notTried])
        #expect(results.all[1].error?.code == .quotaSpent)
    }
}
