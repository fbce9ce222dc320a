// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import PipedriveConnector
import PipedriveSandbox
import Synchronization

/// A sandbox on loopback with a connection to it, for one test.
final class Rig {
    let sandbox: RunningSandbox
    let host: TestHost
    let destination: any Destination

    /// A rig whose sandbox plays `faults`.
    ///
    /// - Parameter services: What the connector is given instead of ``host``, made from it.
    init(
        faults: [String] = [], records: Int = 0, dailyTokens: Int = 1_000_000, burst: Int = 1_000_000,
        token: String = "sandbox-token", timeout: Int = 20, services: (TestHost) -> any HostServices = { $0 }
    ) throws {
        var options = SandboxOptions()
        // Its time stands still, so that no window moves while a test runs.
        options.clock = ManualClock().clock
        options.burst = burst
        options.dailyTokens = dailyTokens
        options.seedOrganizations = records
        options.faults = try faults.map { try SandboxFault(parsing: $0) }
        sandbox = try PipedriveSandbox.start(options)
        host = TestHost()
        let settings: JSONObject = [
            "base_url": .string(sandbox.baseURL), "api_token": .string(token), "timeout": .integer(timeout),
        ]
        destination = try PipedriveConnector().openDestination(.object(settings), host: services(host))
    }

    deinit {
        destination.close()
        sandbox.stop()
    }

    /// The code of one of the sandbox's custom fields.
    func code(_ label: String) -> String { sandbox.fieldCode(label) ?? "" }

    /// Writes rows in one session and returns their results by row, in order.
    func write(
        _ mode: WriteRequest.Mode, _ columns: [(String, DataType)], _ rows: [[Value]], inFlightMax: Int = 4,
        object: String = "organization"
    ) throws -> (results: [RowResult], failure: ConnectorError?) {
        let schema = Schema(columns.map { Schema.Field($0.0, $0.1) })
        let collected = Collected()
        let request = WriteRequest(object: object, mode: mode, schema: schema, inFlightMax: inFlightMax)
        let session = try destination.begin(request) { collected.add($0, $1) }
        defer { session.end() }
        var batch = RecordBatch(schema)
        for row in rows { batch.append(row) }
        guard try session.submit(batch, id: 1) else { return ([], nil) }
        do throws(ConnectorError) { try session.flush() } catch { return (collected.results(1), error) }
        return (collected.results(1), nil)
    }

    /// Creates records with these names.
    func create(
        _ names: [String], inFlightMax: Int = 4
    ) throws -> (results: [RowResult], failure: ConnectorError?) {
        try write(.create, [("name", .text)], names.map { [.text($0)] }, inFlightMax: inFlightMax)
    }
}

/// The results of a session, as they come in.
final class Collected: Sendable {
    private let all = Mutex<[UInt64: [RowResult]]>([:])

    func add(_ batch: UInt64, _ results: [RowResult]) { all.withLock { $0[batch, default: []] += results } }

    /// The results of a batch in the order of its rows.
    func results(_ batch: UInt64) -> [RowResult] {
        all.withLock { ($0[batch] ?? []).sorted { $0.row < $1.row } }
    }
}

/// A host that makes every write wait, for ever or for so many questions.
final class StingyHost: HostServices {
    private let host: TestHost
    private let waits: Mutex<Int>

    init(_ host: TestHost, waits: Int = .max) {
        self.host = host
        self.waits = Mutex(waits)
    }

    func acquire(_ intent: RequestIntent) throws(ConnectorError) -> Acquisition {
        let mustWait = waits.withLock { waits in
            guard intent.kind != .read, waits > 0 else { return false }
            waits -= 1
            return true
        }
        return mustWait ? .wait(milliseconds: 1) : try host.acquire(intent)
    }

    func log(_ level: LogLevel, _ message: String, _ fields: [String: String]) { host.log(level, message, fields) }
    var isCancelled: Bool { host.isCancelled }
    var monotonicMilliseconds: Int64 { host.monotonicMilliseconds }
    var wallMilliseconds: Int64 { host.wallMilliseconds }
    func pause(milliseconds: Int64) throws(ConnectorError) { try host.pause(milliseconds: milliseconds) }
    func progress(done: Int64, total: Int64?, note: String) {}
    func release(_ ticket: UInt64, _ answer: RequestAnswer) { host.release(ticket, answer) }
    func report(_ limit: RateLimit) { host.report(limit) }
    func saveCredential(
        _ credential: JSON, expecting revision: UInt64
    ) throws(ConnectorError) -> SavedCredential { try host.saveCredential(credential, expecting: revision) }
}
