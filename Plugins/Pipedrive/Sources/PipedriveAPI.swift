// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit
import Synchronization

/// The wire: addresses, the credential, tokens, limits, and reads with their repetitions.
package final class PipedriveAPI: Sendable {
    /// What listing the users costs, in tokens.
    package static let usersCost: Int64 = 20
    /// What one page of pipelines costs, in tokens.
    package static let pipelinesPageCost: Int64 = 5
    /// What one page of stages costs, in tokens.
    package static let stagesPageCost: Int64 = 5
    /// What one page of field definitions costs, in tokens.
    static let fieldsPageCost: Int64 = 10
    /// What asking who the credential belongs to costs, in tokens.
    static let meCost: Int64 = 2
    /// What creating a field costs, in tokens.
    static let createFieldCost: Int64 = 5

    /// How often a read is tried in all; reads change nothing, so any failure that may pass can be tried again.
    private static let readTriesMax = 4
    /// How long to wait before the second try of a read; it doubles with every further one.
    private static let readBackoff: Int64 = 500
    /// A longer wait than this is left to a later run.
    private static let readWaitMax: Int64 = 120_000

    /// The usual time that one request may take, in seconds.
    static let timeout = 30

    let host: any HostServices
    let http: HTTPSettings
    let authority: any PipedriveAuthority
    private let client: HTTPClient
    private let known = Mutex<[String: RateLimit]>([:])

    /// The wire to the account that the settings name.
    ///
    /// - Throws: ``ConnectorError`` `badConfig`, naming the setting.
    package init(_ settings: ConnectorSettings, host: any HostServices) throws(ConnectorError) {
        self.host = host
        var http = HTTPSettings()
        let timeout = settings.integer("timeout") ?? Self.timeout
        http.timeoutMilliseconds = timeout * 1_000
        // Who allows more time than usual waits for slow answers on purpose.
        if timeout > Self.timeout { http.idleSeconds = timeout }
        http.caFile = settings.text("ca_file")
        http.userAgent = "penstock/\(PipedriveConnector.version)"
        http.headersKept = Self.headersKept
        let (authority, site) = try PipedriveCredential.authority(settings, http: http, host: host)
        http.allowsPlainHTTP = site?.isPlain ?? false
        self.http = http
        self.authority = authority
        isPlain = http.allowsPlainHTTP
        client = HTTPClient(http)
    }

    /// Whether the account is reached without TLS, which only one on this machine may be.
    let isPlain: Bool

    /// The account's host, for messages.
    var siteName: String { authority.siteName }

    /// Closes what is kept open.
    func close() { client.close() }

    /// A request.
    ///
    /// - Parameters:
    ///   - path: From the root of the site, for example `/api/v2/organizations`.
    ///   - query: Names and values, encoded here.
    func request(
        _ method: HTTPRequest.Method, _ path: String, query: [(String, String)] = [], body: [UInt8] = []
    ) -> PipedriveRequest {
        let pairs = query.map { "\($0)=\(HTTPRequest.percentEncoded($1))" }.joined(separator: "&")
        return PipedriveRequest(method: method, target: path + (pairs.isEmpty ? "" : "?" + pairs), body: body)
    }

    /// Takes a slot, sends, and gives the slot back; once more where the credential was refused and could be renewed.
    ///
    /// A credential that is refused means that nothing was done, whatever the request was.
    /// - Throws: ``ConnectorError`` `quotaSpent` or `cancelled` where the slot was refused, and what renewing the
    ///   credential throws; nothing was sent.
    func sendOnce(
        _ request: PipedriveRequest, cost: Int64, kind: RequestIntent.Kind = .read,
        isCancelled: () -> Bool = { false }
    ) throws(ConnectorError) -> HTTPOutcome {
        let intent = RequestIntent(
            bucket: RateLimit.burst, cost: cost, kind: kind, timeoutMilliseconds: Int64(http.timeoutMilliseconds))
        for attempt in 1... {
            let access = try authority.access()
            let ticket = try slot(intent, isCancelled)
            let outcome = client.send(request.with(access)) { host.isCancelled || isCancelled() }
            host.release(ticket, note(outcome))
            guard isRefused(outcome, access), attempt < Self.refusalsMax else { return outcome }
            try authority.renew(after: access)
        }
        throw ConnectorError(.internalFault, "A request ended without an answer.")
    }

    /// How often one request is sent in all where its credential is refused each time.
    static let refusalsMax = 3

    /// Whether an answer says that the credential is not good and could be renewed.
    func isRefused(_ outcome: HTTPOutcome, _ access: PipedriveAccess) -> Bool {
        guard case .success(let response) = outcome else { return false }
        guard response.status == 401 else {
            authority.accepted(access)
            return false
        }
        return authority.isRenewable
    }

    private func slot(_ intent: RequestIntent, _ isCancelled: () -> Bool) throws(ConnectorError) -> UInt64 {
        while true {
            switch try host.acquire(intent) {
            case .wait(let milliseconds): try pause(max(1, milliseconds), isCancelled)
            case .granted(let ticket): return ticket
            }
        }
    }

    /// Waits, in pieces of a second, so that a read that is given up ends soon.
    private func pause(_ milliseconds: Int64, _ isCancelled: () -> Bool) throws(ConnectorError) {
        var left = milliseconds
        while left > 0 {
            if isCancelled() { throw ConnectorError(.cancelled, "The read was cancelled.") }
            try host.pause(milliseconds: min(left, 1_000))
            left -= 1_000
        }
    }

    /// Reads one answer of JSON with `success`, again where a failure may pass.
    ///
    /// - Throws: ``ConnectorError``.
    func read(
        _ path: String, query: [(String, String)] = [], cost: Int64, object: PipedriveObject? = nil,
        isCancelled: () -> Bool = { false }
    ) throws(ConnectorError) -> JSON {
        let request = request(.get, path, query: query)
        for attempt in 1... {
            let outcome = try sendOnce(request, cost: cost, isCancelled: isCancelled)
            let problem: PipedriveProblem
            switch answer(outcome, object: object) {
            case .success(let json): return json
            case .failure(let found): problem = found
            }
            let mayPass: Set<ConnectorError.Code> = [.unavailable, .rateLimited, .timedOut]
            let wait = problem.error.retryAfterMilliseconds ?? Self.readBackoff << Int64(attempt - 1)
            guard mayPass.contains(problem.error.code), !problem.endsWork, attempt < Self.readTriesMax,
                wait <= Self.readWaitMax
            else { throw problem.error }
            try pause(wait, isCancelled)
        }
        throw ConnectorError(.internalFault, "A read of \(siteName) ended without an answer.")
    }

    /// Reads every page of a list.
    ///
    /// - Throws: ``ConnectorError``.
    func readAll(_ path: String, pageCost: Int64) throws(ConnectorError) -> [JSON] {
        var items: [JSON] = []
        var cursor: String?
        repeat {
            let page = try read(
                path, query: [("limit", "500")] + (cursor.map { [("cursor", $0)] } ?? []), cost: pageCost)
            items += try self.items(page, of: path)
            let next = page["additional_data"]?["next_cursor"]?.stringValue
            guard next == nil || next != cursor else {
                throw ConnectorError(.unavailable, "\(siteName) sent the same page mark twice for \(path).")
            }
            cursor = next
        } while cursor != nil
        return items
    }

    /// The records of a page of a list; a page that is none must not pass for an empty one.
    ///
    /// - Throws: ``ConnectorError`` `unavailable`.
    func items(_ page: JSON, of path: String) throws(ConnectorError) -> [JSON] {
        guard page["success"]?.boolValue == true, let items = page["data"]?.arrayValue else {
            throw ConnectorError(.unavailable, "\(siteName) sent something that is no list for \(path).")
        }
        return items
    }

    /// The JSON of a success, or what else it means.
    func answer(_ outcome: HTTPOutcome, object: PipedriveObject?) -> Result<JSON, PipedriveProblem> {
        switch outcome {
        case .failure(let failure): return .failure(PipedriveProblem(failure, site: siteName))
        case .success(let response):
            guard response.status == 200 || response.status == 201 else {
                return .failure(problem(response, object: object))
            }
            // What is wrong with a success that cannot be read is the same whatever the parser found.
            guard let json = try? JSON(parsing: response.body), json["success"]?.boolValue != false,
                json["data"] != nil
            else { return .failure(PipedriveProblem(unreadable: response.status, site: siteName)) }
            return .success(json)
        }
    }

    /// What an answer that is no success means, without the credential should the server have repeated it.
    package func problem(_ response: HTTPResponse, object: PipedriveObject?) -> PipedriveProblem {
        var problem = PipedriveProblem(response, object: object, now: host.wallMilliseconds)
        if response.status == 401, authority.isRenewable { problem.error = PipedriveOAuth.refused }
        problem.error.message = authority.blanked(problem.error.message)
        return problem
    }

    /// Passes on what an answer says about limits, and returns what the host wants to know of it.
    func note(_ outcome: HTTPOutcome) -> RequestAnswer {
        switch outcome {
        case .failure(let failure): return RequestAnswer(status: 0, wasNeverSent: failure.wasNeverSent)
        case .success(let response):
            for limit in Self.limits(response) {
                known.withLock { $0[limit.bucket] = limit }
                host.report(limit)
            }
            if response.status == 429, PipedriveProblem.isDaily(response, host.wallMilliseconds) {
                // The header that says so may be missing.
                host.report(RateLimit(bucket: RateLimit.daily, remaining: 0))
            }
            let found = response.status == 403 || response.status == 429 ? problem(response, object: nil) : nil
            let wait =
                found?.error.retryAfterMilliseconds ?? PipedriveProblem.retryAfter(response, host.wallMilliseconds)
            return RequestAnswer(
                status: response.status, retryAfterMilliseconds: wait,
                serverTimeMilliseconds: response.header("date").flatMap(HTTPDate.milliseconds),
                isBlocked: found?.isBlocked ?? false)
        }
    }

    /// The headers of answers that say something to this connector.
    package static let headersKept = [
        "date", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset",
        "x-daily-ratelimit-token-limit", "x-daily-ratelimit-token-remaining", "x-daily-requests-left",
    ]

    /// The limits that answers have named so far, newest numbers.
    var limits: [RateLimit] {
        known.withLock { known in [RateLimit.burst, RateLimit.daily].compactMap { known[$0] } }
    }

    /// The limits in an answer's headers: requests in 2 seconds, tokens a day, and writes a day.
    package static func limits(_ response: HTTPResponse) -> [RateLimit] {
        let burst = RateLimit(
            bucket: RateLimit.burst, limit: response.number("x-ratelimit-limit"),
            remaining: response.number("x-ratelimit-remaining"), windowMilliseconds: 2_000,
            resetsInMilliseconds: resetMilliseconds(response))
        let daily = RateLimit(
            bucket: RateLimit.daily, limit: response.number("x-daily-ratelimit-token-limit"),
            remaining: response.number("x-daily-ratelimit-token-remaining"))
        let writes = RateLimit(bucket: RateLimit.dailyWrites, remaining: response.number("x-daily-requests-left"))
        return [burst, daily, writes].filter { $0.limit != nil || $0.remaining != nil }
    }

    /// The time left of the burst window.
    ///
    /// Its unit is not documented: a window has 2 seconds, so larger numbers than 60 are taken as milliseconds.
    package static func resetMilliseconds(_ response: HTTPResponse) -> Int64? {
        response.number("x-ratelimit-reset").map { $0 <= 60 ? $0 * 1_000 : min($0, 60_000) }
    }
}
