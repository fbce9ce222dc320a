// SPDX-License-Identifier: Apache-2.0

import ConnectorTesting
import PenstockABI
import PenstockModel
import Synchronization
import Testing

/// A connector that hands the host it was opened with to a test.
private struct ProbeConnector: Connector {
    let probe: @Sendable (any HostServices) throws -> Void

    var descriptor: ConnectorDescriptor {
        ConnectorDescriptor(
            id: "probe", title: "Probe", version: "1.0.0", summary: "Probes.", capabilities: [.source], settings: [])
    }

    func openSource(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Source {
        do {
            try probe(host)
        } catch let error as ConnectorError {
            throw error
        } catch {
            throw ConnectorError(.internalFault, "\(error)")
        }
        return ProbeSource()
    }

    func openDestination(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Destination {
        throw ConnectorError(.unsupported, "No.")
    }
}

private final class ProbeSource: Source {
    func check() throws(ConnectorError) -> CheckReport { CheckReport([]) }
    func discover(_ ids: [String]) throws(ConnectorError) -> Catalog { Catalog([]) }
    func describe(_ request: ReadRequest) throws(ConnectorError) -> Schema { Schema([]) }
    func read(_ request: ReadRequest) throws(ConnectorError) -> any RecordStream {
        throw ConnectorError(.notFound, "There is nothing.")
    }
    func close() {}
}

/// A host that writes down what it hears and gives prepared answers.
private final class RecordingHost: HostServices {
    private let heard = Mutex<[String]>([])
    var lines: [String] { heard.withLock { $0 } }
    private func note(_ line: String) { heard.withLock { $0.append(line) } }

    func log(_ level: LogLevel, _ message: String, _ fields: [String: String]) {
        note("log \(level) \(message) \(fields.sorted { $0.key < $1.key }.map { "\($0)=\($1)" })")
    }
    let isCancelled = true
    let monotonicMilliseconds: Int64 = 12
    let wallMilliseconds: Int64 = 1_700_000_000_123
    func pause(milliseconds: Int64) throws(ConnectorError) {
        note("pause \(milliseconds)")
        throw ConnectorError(.cancelled, "Enough.", retryAfterMilliseconds: 0)
    }
    func progress(done: Int64, total: Int64?, note text: String) { note("progress \(done) \(total ?? -7) \(text)") }
    func acquire(_ intent: RequestIntent) throws(ConnectorError) -> Acquisition {
        note("acquire \(intent)")
        return .wait(milliseconds: 42)
    }
    func release(_ ticket: UInt64, _ answer: RequestAnswer) { note("release \(ticket) \(answer)") }
    func report(_ limit: RateLimit) { note("report \(limit)") }
    func saveCredential(_ credential: JSON, expecting revision: UInt64) throws(ConnectorError) -> SavedCredential {
        note("save \(credential.text) \(revision)")
        return .superseded(by: .object(["b": .number("12345678901234567890")] as JSONObject), revision: 9)
    }
    func lockCredential(since revision: UInt64) throws(ConnectorError) -> StoredCredential? {
        note("lock \(revision)")
        return revision < 9 ? StoredCredential(.string("x"), revision: 9) : nil
    }
    func unlockCredential() { note("unlock") }
}

@Suite struct HostServicesTests {
    /// Opens a source through C and back, so that `probe` sees the host as a loaded connector does.
    private func probe(
        _ host: any HostServices, _ probe: @escaping @Sendable (any HostServices) throws -> Void
    ) throws {
        let source = try loopback(ProbeConnector(probe: probe)).openSource(.object([:] as JSONObject), host: host)
        source.close()
    }

    @Test func everyServiceHearsWhatADirectCallWouldSay() throws {
        let calls: @Sendable (any HostServices) throws -> Void = { host in
            host.log(.warning, "m\u{f6}p", ["b": "2", "a": "\"1\""])
            host.log(.trace, "", [:])
            host.progress(done: 5, total: nil, note: "n")
            host.progress(done: 5, total: 0, note: "")
            _ = try host.acquire(RequestIntent(bucket: "burst", cost: 10, kind: .read))
            _ = try host.acquire(
                RequestIntent(
                    bucket: "\u{fc}", cost: 0, kind: .delete, row: BatchRow(batch: .max, row: 3),
                    timeoutMilliseconds: 30_000))
            host.release(.max, RequestAnswer(status: 429, retryAfterMilliseconds: 0))
            host.release(1, RequestAnswer(status: 0, wasNeverSent: true))
            host.release(2, RequestAnswer(status: 201, serverTimeMilliseconds: 1_700_000_000_000))
            host.release(2, RequestAnswer(status: 403, retryAfterMilliseconds: 300_000, isBlocked: true))
            host.report(RateLimit(bucket: "daily", limit: 0, remaining: nil, windowMilliseconds: 5))
            _ = try host.saveCredential(.object(["a": .string("t")] as JSONObject), expecting: 8)
            _ = try host.lockCredential(since: 3)
            host.unlockCredential()
        }
        let direct = RecordingHost()
        try calls(direct)
        let loaded = RecordingHost()
        try probe(loaded, calls)
        #expect(loaded.lines == direct.lines)
        #expect(loaded.lines.count == 14)
    }

    @Test func everyAnswerComesBackWhole() throws {
        try probe(RecordingHost()) { host throws in
            #expect(host.isCancelled)
            #expect(host.monotonicMilliseconds == 12)
            #expect(host.wallMilliseconds == 1_700_000_000_123)
            let intent = RequestIntent(bucket: "burst", cost: 1, kind: .create)
            #expect(try host.acquire(intent) == .wait(milliseconds: 42))
            #expect(throws: ConnectorError(.cancelled, "Enough.", retryAfterMilliseconds: 0)) {
                try host.pause(milliseconds: 5)
            }
            let theirs = JSON.object(["b": .number("12345678901234567890")] as JSONObject)
            #expect(try host.saveCredential(.null, expecting: 1) == .superseded(by: theirs, revision: 9))
            #expect(try host.lockCredential(since: 8) == StoredCredential(.string("x"), revision: 9))
            #expect(try host.lockCredential(since: 9) == nil)
        }
        try probe(TestHost()) { host throws in
            #expect(try host.saveCredential(.null, expecting: 1) == .saved(revision: 2))
        }
    }

    @Test func aCallAfterTheCloseIsRefusedAndHarmless() throws {
        let stolen = Mutex<(any HostServices)?>(nil)
        let host = TestHost()
        try probe(host) { borrowed in stolen.withLock { $0 = borrowed } }
        // The table itself is freed with the connection; the connector keeps a copy, whose context is void.
        let late = try #require(stolen.withLock { $0 })
        late.log(.error, "too late", [:])
        #expect(host.lines.isEmpty)
        #expect(late.isCancelled)
        #expect(throws: ConnectorError.self) {
            try late.acquire(RequestIntent(bucket: "burst", cost: 1, kind: .read))
        }
    }

    @Test func longTextsInErrorsAreCutAtACharacter() throws {
        let long = String(repeating: "\u{fc}", count: 2_000)
        let error = #expect(throws: ConnectorError.self) {
            try probe(TestHost()) { _ in
                throw ConnectorError(.badData, "x" + long, detail: long, field: long, vendorCode: long)
            }
        }
        #expect(error?.message == "x" + String(repeating: "\u{fc}", count: 255))
        #expect(error?.detail.utf8.count == 1_022)
        #expect(error?.field.utf8.count == 126)
        #expect(error?.vendorCode.utf8.count == 62)
    }

    @Test("Numbers that nobody can reckon with are not believed")
    func numbersAreBounded() throws {
        let recording = RecordingHost()
        try probe(recording) { host throws in
            for cost: Int64 in [-5, 1_000_000_001, .max] {
                let error = #expect(throws: ConnectorError.self) {
                    try host.acquire(RequestIntent(bucket: "burst", cost: cost, kind: .read))
                }
                #expect(error?.code == .contractBreach && error?.message.contains("not \(cost)") == true)
            }
            host.release(1, RequestAnswer(status: 200, serverTimeMilliseconds: 253_402_300_800_000))
            host.release(1, RequestAnswer(status: 200, serverTimeMilliseconds: .max))
        }
        let unknown = RecordingHost()
        for _ in 0..<2 { unknown.release(1, RequestAnswer(status: 200)) }
        #expect(recording.lines == unknown.lines)
    }
}
