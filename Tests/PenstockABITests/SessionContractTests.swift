// SPDX-License-Identifier: Apache-2.0

import CPenstock
import ConnectorTesting
import Dispatch
import PenstockABI
import PenstockModel
import Synchronization
import Testing

/// A destination made of bare C tables, whose session does what a test tells it.
final class HandMadeDestination {
    typealias Report = (UInt64, [penstock_row_result]) -> Void

    var onSubmit: (UInt64, @escaping Report) -> Int32 = { _, _ in 0 }
    var onFlush: (@escaping Report) -> Int32 = { _ in 0 }
    var onEnd: (@escaping Report) -> Void = { _ in }
    private var report: Report = { _, _ in }

    private static func of(_ pointer: UnsafeMutableRawPointer?) -> HandMadeDestination {
        // A fault of the test itself, which nothing could go on from.
        guard let pointer else { fatalError("a NULL handle came back") }
        return Unmanaged<HandMadeDestination>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// A session of this destination.
    func begin(_ results: Results, _ host: TestHost = TestHost()) throws -> any WriteSession {
        try begin(host, onResults: results.add)
    }

    /// A session of this destination.
    func begin(
        _ host: TestHost = TestHost(), onResults: @escaping @Sendable (UInt64, [RowResult]) -> Void
    ) throws -> any WriteSession {
        try loaded().openDestination(.object([:] as JSONObject), host: host)
            .begin(nameRequest(inFlightMax: 10_000), onResults: onResults)
    }

    private func loaded() throws(ConnectorError) -> LoadedConnector {
        var table = penstock_connector()
        table.size = UInt32(MemoryLayout<penstock_connector>.size)
        table.major = UInt16(PENSTOCK_MAJOR)
        table.owner = Unmanaged.passRetained(self).toOpaque()
        table.id = kept("handmade")
        table.title = kept("Hand-made")
        table.version = kept("1.0.0")
        table.summary = kept("Made by hand.")
        table.caps = PENSTOCK_CAP_DESTINATION
        table.config_schema = kept("{\"v\":1,\"type\":\"object\"}")
        table.objects_json = kept("{\"v\":1,\"objects\":[{\"id\":\"thing\",\"title\":\"Thing\"}]}")
        table.destination = UnsafePointer(kept(api()))
        return try LoadedConnector(UnsafePointer(kept(table)))
    }

    private func api() -> penstock_destination_api {
        var api = penstock_destination_api()
        api.size = UInt32(MemoryLayout<penstock_destination_api>.size)
        api.open = { connector, _, out, _ in
            out?.pointee = OpaquePointer(connector?.pointee.owner)
            return 0
        }
        api.close = { _ in }
        api.check = { _, _, _ in 1 }
        api.fields = { _, _, _, _, _, _ in 1 }
        api.limits = { _, _, _ in 1 }
        api.read_back = { _, _, _, _, _ in 1 }
        api.read_cancel = { _ in }
        api.read_error = { _, _ in }
        api.read_close = { _ in }
        api.begin = { destination, request, out, _ in
            let object = HandMadeDestination.of(UnsafeMutableRawPointer(destination))
            let callback = request?.pointee.on_results
            let context = request?.pointee.results_ctx
            object.report = { batch, rows in callback?(context, batch, rows, UInt32(rows.count)) }
            out?.pointee = destination
            return 0
        }
        api.submit = { session, batch, array, _ in
            let object = HandMadeDestination.of(UnsafeMutableRawPointer(session))
            let status = object.onSubmit(batch, object.report)
            if status == 0 { array?.pointee.release(array) }
            return status
        }
        api.flush = { session, _ in
            let object = HandMadeDestination.of(UnsafeMutableRawPointer(session))
            return object.onFlush(object.report)
        }
        api.abort = { _ in }
        api.end = { session in
            let object = HandMadeDestination.of(UnsafeMutableRawPointer(session))
            object.onEnd(object.report)
        }
        return api
    }
}

/// A result of a row.
func row(_ row: Int64, _ status: Int = Int(PENSTOCK_ROW_CREATED)) -> penstock_row_result {
    var result = penstock_row_result()
    result.row = row
    result.row_status = Int32(status)
    return result
}

@Suite struct SessionContractTests {
    private func expectBreach(_ part: String, _ session: any WriteSession) {
        let error = #expect(throws: ConnectorError.self) { try session.flush() }
        #expect(error?.code == .contractBreach)
        #expect(error?.message.hasPrefix("The connector handmade broke the connector contract in ") == true)
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    }

    @Test func aRowWithoutAResultBecomesUnknown() throws {
        let destination = HandMadeDestination()
        destination.onFlush = { report in
            report(1, [row(0), row(2)])
            return 0
        }
        let results = Results()
        let session = try destination.begin(results)
        #expect(try session.submit(names(["a", "b", "c", "d"]), id: 1))
        expectBreach("2 rows of batch 1 have no result, the first of them row 1", session)
        session.end()
        #expect(results.all.map(\.row) == [0, 2, 1, 3])
        #expect(results.statuses == [.created, .created, .unknown, .unknown])
        #expect(results.all[3].error?.code == .contractBreach)
    }

    @Test func aRowReportedTwiceCountsOnce() throws {
        let destination = HandMadeDestination()
        destination.onSubmit = { batch, report in
            report(batch, [row(0), row(1, Int(PENSTOCK_ROW_REJECTED)), row(0, Int(PENSTOCK_ROW_UNKNOWN))])
            return 0
        }
        let results = Results()
        let session = try destination.begin(results)
        _ = try session.submit(names(["a", "b"]), id: 1)
        expectBreach("row 0 of batch 1 was reported twice", session)
        session.end()
        #expect(results.statuses == [.created, .rejected])
        #expect(results.all[1].error?.code == .badData)
    }

    @Test(
        "a result for a row that was never submitted is dropped",
        arguments: [(2, 0), (1, 1), (1, -1)] as [(UInt64, Int64)])
    func strayResults(batch: UInt64, stray: Int64) throws {
        let destination = HandMadeDestination()
        destination.onFlush = { report in
            report(1, [row(0)])
            report(batch, [row(stray)])
            return 0
        }
        let results = Results()
        let session = try destination.begin(results)
        _ = try session.submit(names(["a"]), id: 1)
        expectBreach("row \(stray) of batch \(batch) was reported but never submitted", session)
        session.end()
        #expect(results.statuses == [.created])
    }

    @Test func aStatusThatDoesNotExistIsUnknown() throws {
        let destination = HandMadeDestination()
        destination.onFlush = { report in
            report(1, [row(0, 99)])
            return 0
        }
        let results = Results()
        let session = try destination.begin(results)
        _ = try session.submit(names(["a"]), id: 1)
        expectBreach("the row status 99 does not exist", session)
        session.end()
        #expect(results.statuses == [.unknown])
    }

    @Test func resultsForABatchThatWasNotTakenAreABreach() throws {
        let destination = HandMadeDestination()
        destination.onSubmit = { batch, report in
            report(batch, [row(0)])
            return Int32(PENSTOCK_BUSY)
        }
        let results = Results()
        let session = try destination.begin(results)
        #expect(try !session.submit(names(["a"]), id: 1))
        expectBreach("it did not take over", session)
        session.end()
    }

    @Test func aFailedFlushIsKeptInTheDetail() throws {
        let destination = HandMadeDestination()
        destination.onFlush = { _ in Int32(PENSTOCK_BROKEN) }
        let results = Results()
        let session = try destination.begin(results)
        _ = try session.submit(names(["a"]), id: 1)
        let error = #expect(throws: ConnectorError.self) { try session.flush() }
        #expect(error?.code == .contractBreach)
        #expect(error?.detail.hasPrefix("broken: ") == true)
        session.end()
    }

    @Test func rowsLeftAtTheEndBecomeUnknownAndAreLogged() throws {
        let destination = HandMadeDestination()
        let results = Results()
        let host = TestHost()
        let session = try destination.begin(results, host)
        _ = try session.submit(names(["a"]), id: 1)
        session.abort()
        session.end()
        #expect(results.statuses == [.unknown])
        #expect(host.lines.count == 1 && host.lines[0].contains("handmade"))
    }

    @Test func aResultAfterTheEndIsHarmless() throws {
        let destination = HandMadeDestination()
        // Written before the session begins, read after it ended.
        nonisolated(unsafe) var late: HandMadeDestination.Report = { _, _ in }
        destination.onFlush = { report in
            late = report
            report(1, [row(0)])
            return 0
        }
        let results = Results()
        let session = try destination.begin(results)
        _ = try session.submit(names(["a"]), id: 1)
        try session.flush()
        session.end()
        late(1, [row(0)])
        #expect(results.statuses == [.created])
        #expect(throws: ConnectorError.self) { try session.flush() }
    }

    @Test func aNumberCannotBeUsedTwice() throws {
        let results = Results()
        let session = try HandMadeDestination().begin(results)
        _ = try session.submit(names(["a"]), id: 1)
        #expect(throws: ConnectorError.self) { try session.submit(names(["b"]), id: 1) }
        session.end()
    }

    @Test func resultsFromManyThreadsAreDeliveredOneAtATime() throws {
        let destination = HandMadeDestination()
        destination.onFlush = { report in
            // The test's own closures, which the contract allows on any thread.
            nonisolated(unsafe) let report = report
            DispatchQueue.concurrentPerform(iterations: 10) { batch in
                for index in 0..<100 { report(UInt64(batch), [row(Int64(index))]) }
            }
            return 0
        }
        let inside = Atomic(0)
        let overlaps = Atomic(0)
        let count = Atomic(0)
        let session = try destination.begin { _, results in
            if inside.add(1, ordering: .relaxed).oldValue != 0 { overlaps.add(1, ordering: .relaxed) }
            count.add(results.count, ordering: .relaxed)
            inside.subtract(1, ordering: .relaxed)
        }
        let batch = names([String?](repeating: "x", count: 100))
        for id in 0..<10 { _ = try session.submit(batch, id: UInt64(id)) }
        try session.flush()
        session.end()
        #expect(count.load(ordering: .relaxed) == 1_000)
        #expect(overlaps.load(ordering: .relaxed) == 0)
    }
}
