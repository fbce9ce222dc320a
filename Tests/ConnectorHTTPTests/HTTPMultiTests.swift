// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import Synchronization
import Testing

@Suite struct HTTPMultiTests {
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    private func settings(timeout: Int = 20_000) -> HTTPSettings {
        var settings = HTTPSettings()
        settings.allowsPlainHTTP = true
        settings.timeoutMilliseconds = timeout
        return settings
    }

    /// Sends the requests one after the other and returns what came of each.
    private func send(_ requests: [HTTPRequest], _ settings: HTTPSettings) -> [HTTPOutcome] {
        let client = HTTPClient(settings)
        return requests.map { client.send($0) { false } }
    }

    private func post(_ server: ScriptedServer, isRepeatable: Bool = false) -> HTTPRequest {
        HTTPRequest(.post, server.url + "/x", body: Array("{\"a\":1}".utf8), isRepeatable: isRepeatable)
    }

    private func cause(_ outcome: HTTPOutcome?) -> HTTPFailure.Cause? {
        if case .failure(let failure)? = outcome { failure.cause } else { nil }
    }

    @Test func aRequestGoesOutAsItWasGiven() throws {
        let server = ScriptedServer { _ in .text(Self.ok) }
        defer { server.stop() }
        var settings = settings()
        settings.userAgent = "penstock/9"
        let token = try #require(HTTPHeader("x-api-token", "abc"))
        let request = HTTPRequest(
            .patch, server.url + "/a?b=%20", headers: [token], body: Array("{\"a\":1}".utf8), isRepeatable: true)
        #expect(try send([request], settings).first?.get().body == Array("{}".utf8))
        let sent = try #require(server.requests.first)
        #expect(sent.hasPrefix("PATCH /a?b=%20 HTTP/1.1\r\n"))
        #expect(sent.hasSuffix("\r\n\r\n{\"a\":1}"))
        #expect(sent.contains("x-api-token: abc\r\n"))
        #expect(sent.contains("User-Agent: penstock/9\r\n"))
        #expect(!sent.contains("Expect"))
    }

    @Test func nothingOfARequestStaysForTheNext() throws {
        let server = ScriptedServer { _ in .text(Self.ok) }
        defer { server.stop() }
        _ = send(
            [
                post(server), HTTPRequest(.get, server.url + "/g", isRepeatable: true),
                HTTPRequest(.delete, server.url + "/d", isRepeatable: true), post(server),
            ], settings())
        #expect(server.requests.map { $0.split(separator: " ").first } == ["POST", "GET", "DELETE", "POST"])
        #expect(server.requests.map { $0.contains("{\"a\":1}") } == [true, false, false, true])
    }

    @Test func connectionsAreKept() {
        let server = ScriptedServer { _ in .text(Self.ok) }
        defer { server.stop() }
        #expect(send(Array(repeating: post(server), count: 10), settings()).allSatisfy { cause($0) == nil })
        #expect(server.connections == 1)
    }

    @Test func aRedirectIsAnAnswerAndNotFollowed() throws {
        let other = ScriptedServer { _ in .text(Self.ok) }
        let server = ScriptedServer { _ in
            .text("HTTP/1.1 302 Found\r\nLocation: \(other.url)/\r\nContent-Length: 0\r\n\r\n")
        }
        defer {
            server.stop()
            other.stop()
        }
        let request = HTTPRequest(.get, server.url, isRepeatable: true)
        #expect(try send([request], settings()).first?.get().status == 302)
        #expect(other.connections == 0)
    }

    @Test func aPOSTOnADeadKeptConnectionGoesOutOnce() {
        let server = ScriptedServer { $0 == 1 ? .last("") : .text(Self.ok) }
        defer { server.stop() }
        let outcomes = send(Array(repeating: post(server), count: 3), settings())
        #expect(outcomes.map(cause) == [nil, .notRepeated, nil])
        #expect(server.requests.count == 3)
    }

    @Test func aRequestThatMayBeRepeatedIsRepeated() {
        let server = ScriptedServer { $0 == 1 ? .last("") : .text(Self.ok) }
        defer { server.stop() }
        let outcomes = send(Array(repeating: post(server, isRepeatable: true), count: 2), settings())
        #expect(outcomes.map(cause) == [nil, nil])
        #expect(server.requests.count == 3)
    }

    @Test(arguments: ["", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"])
    func whatIsNoWholeAnswerIsALostConnection(text: String) {
        let server = ScriptedServer { _ in .last(text) }
        defer { server.stop() }
        let outcome = send([post(server)], settings()).first
        #expect(cause(outcome) == .connectionLost)
        if case .failure(let failure)? = outcome { #expect(!failure.wasNeverSent) }
    }

    @Test func anAnswerMayNotBeLargerThanAllowed() {
        var small = settings()
        small.bodyBytesMax = 1_000
        small.headerBytesMax = 500
        let long = String(repeating: "x", count: 1_001)
        let body = ScriptedServer { _ in .text("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n\(long)") }
        let header = ScriptedServer { _ in .text("HTTP/1.1 200 OK\r\nx-a: \(long)\r\nContent-Length: 0\r\n\r\n") }
        defer {
            body.stop()
            header.stop()
        }
        #expect(cause(send([post(body)], small).first) == .tooLarge)
        #expect(cause(send([post(header)], small).first) == .tooLarge)
    }

    @Test func anAnswerThatNeverComesTimesOut() {
        let server = ScriptedServer { _ in .nothing }
        defer { server.stop() }
        let outcome = send([post(server)], settings(timeout: 100)).first
        #expect(cause(outcome) == .timedOut)
        if case .failure(let failure)? = outcome { #expect(!failure.wasNeverSent) }
    }

    @Test func anAnswerThatStandsStillIsGivenUpBeforeTheWholeTimeIsOver() {
        let server = ScriptedServer { number in
            number == 0 ? .nothing : .text("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
        }
        defer { server.stop() }
        var settings = settings(timeout: 600_000)
        settings.idleSeconds = 1
        let outcomes = send([post(server), post(server)], settings)
        #expect(outcomes.map(cause) == [.timedOut, .timedOut])
    }

    @Test func theUsualLimitsAreThoseOfTheFaultTable() {
        let usual = HTTPSettings()
        #expect(usual.timeoutMilliseconds == 30_000 && usual.connectTimeoutMilliseconds == 10_000)
        #expect(usual.idleSeconds == 20 && usual.bodyBytesMax == 32 << 20)
    }

    @Test func aCancelledRequestSaysThatItMayHaveBeenSent() {
        let server = ScriptedServer { _ in .nothing }
        defer { server.stop() }
        let outcome = HTTPClient(settings()).send(post(server)) { !server.requests.isEmpty }
        #expect(cause(outcome) == .cancelled)
        if case .failure(let failure) = outcome { #expect(!failure.wasNeverSent) }
    }

    @Test func headersOfProvisionalAnswersAreLeftOut() throws {
        let server = ScriptedServer { _ in
            .text("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nX-B:  c \r\nContent-Length: 0\r\n\r\n")
        }
        defer { server.stop() }
        let response = try #require(try send([post(server)], settings()).first?.get())
        #expect(response.header("x-b") == "c")
        #expect(response.header("link") == nil)
    }

    @Test func manyRequestsRunSideBySideAndEachIsAnsweredOnce() {
        let server = ScriptedServer { _ in .text(Self.ok) }
        defer { server.stop() }
        let multi = HTTPMulti(settings(), transfersMax: 8)
        var answered: [Int] = []
        var next = 0
        while answered.count < 200 {
            while multi.hasRoom, next < 200 {
                multi.start(post(server), tag: next)
                next += 1
            }
            answered += multi.poll(milliseconds: 1_000).map(\.tag)
        }
        #expect(answered.sorted() == Array(0..<200))
        #expect(multi.runningCount == 0)
        #expect(server.connections <= 8)
    }

    @Test func aWaitingLoopCanBeWokenUp() {
        let multi = HTTPMulti(settings(), transfersMax: 1)
        let start = MonotonicClock.milliseconds
        multi.wakeUp()
        #expect(multi.poll(milliseconds: 60_000).isEmpty)
        #expect(MonotonicClock.milliseconds - start < 30_000)
    }
}
