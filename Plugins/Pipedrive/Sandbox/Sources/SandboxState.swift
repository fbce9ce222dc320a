// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Everything that the sandbox knows, and how it answers; not shared, so the server holds it under one lock.
struct SandboxState {
    /// One object with its fields and records.
    struct Table {
        let object: SandboxObject
        var fields: FieldCatalog
        var store = RecordStore()
    }

    let options: SandboxOptions
    var users = UserDirectory()
    let sales = SalesDirectory()
    var features: Set<SandboxFeature>
    var tables: [Table]
    var meter: RateMeter
    var counters = SandboxCounters()
    /// The API tokens that are accepted.
    var tokens: [String]
    var oauth: OAuthServer
    /// Requests that are carried out later, with the time for it.
    private var lateRequests: [(due: Int64, request: SandboxRequest)] = []
    var faults: [ActiveFault]

    /// A state as it is at the start.
    init(_ options: SandboxOptions) {
        self.options = options
        tokens = options.tokens
        oauth = OAuthServer(options.app)
        features = options.features
        meter = RateMeter(options)
        faults = options.faults.map { ActiveFault($0) }
        tables = SandboxObject.all.map { object in
            var fields = FieldCatalog(object.builtInFields)
            for field in object.customFields { fields.create(field.name, field.type, options: field.options) }
            return Table(object: object, fields: fields)
        }
        if options.seedDemo { seedDemo() }
        seedOrganizations(options.seedOrganizations)
    }

    /// The table of an object, or nil.
    func table(_ object: String) -> Table? { tables.first { $0.object.name == object } }

    /// Answers one request, or plays a fault on it.
    mutating func reply(to request: SandboxRequest, now: Int64) -> SandboxReply {
        settle(now: now)
        let target = RequestTarget(request.target)
        if target.path == "/oauth/token" { return renewal(request, now: now) }
        if target.path == "/oauth/authorize" {
            return SandboxReply(answer: oauth.consent(request, now: now), isAuthorized: false)
        }
        if target.segments.first == "_sandbox" {
            return SandboxReply(answer: introspect(request, target, now: now))
        }
        counters.requests += 1
        var reply = admitted(request, target, now: now)
        if reply.delivery == .answer || reply.isSlow { counters.byStatus[reply.answer.status, default: 0] += 1 }
        counters.tokensSpent += reply.cost
        if reply.isAuthorized { addLimitHeaders(to: &reply.answer, token: Self.meterKey(request), now: now) }
        return reply
    }

    /// Carries out what is late, as far as its time has come.
    mutating func settle(now: Int64) {
        while let index = lateRequests.firstIndex(where: { $0.due <= now }) {
            let (due, request) = lateRequests.remove(at: index)
            let target = RequestTarget(request.target)
            guard case .route(let route) = SandboxRoute.match(method: request.method, segments: target.segments)
            else { continue }
            _ = perform(route, request, target, now: due)
        }
    }

    private mutating func renewal(_ request: SandboxRequest, now: Int64) -> SandboxReply {
        var fault: SandboxFault?
        for index in faults.indices where faults[index].plays(method: request.method, path: "/oauth/token") {
            fault = fault ?? faults[index].fault
        }
        guard let fault else {
            let answer = oauth.answer(request, apiDomain: options.apiDomain, now: now)
            return SandboxReply(answer: answer, isAuthorized: false)
        }
        counters.faults += 1
        let answer =
            fault.commits
            ? oauth.answer(request, apiDomain: options.apiDomain, now: now) : SandboxAnswer.html(503, "Fault")
        return SandboxReply(playing: fault, answer: answer, cost: 0)
    }

    /// Whose burst window a request falls into: an app has one, whatever its access token is at the time.
    private static func meterKey(_ request: SandboxRequest) -> String {
        request.authorization != nil ? "app" : request.token ?? ""
    }

    private mutating func admitted(_ request: SandboxRequest, _ target: RequestTarget, now: Int64) -> SandboxReply {
        guard let token = request.token, tokens.contains(token) || oauth.accepts(token, now: now) else {
            counters.unauthorized401 += 1
            let headers = [(name: "x-401-by-gw", value: "true")]
            return SandboxReply(
                answer: .gateway(401, "unauthorized access", headers: headers), isAuthorized: false)
        }
        let match = SandboxRoute.match(method: request.method, segments: target.segments)
        var route: SandboxRoute?
        if case .route(let found) = match { route = found }
        counters.byRoute[route?.name ?? "other", default: 0] += 1
        let cost = route?.cost ?? 0
        let verdict = meter.admit(
            token: Self.meterKey(request), cost: cost, isSearch: route?.isSearch ?? false, now: now)
        if let refusal = refusal(verdict) { return SandboxReply(answer: refusal) }
        guard let route else { return SandboxReply(answer: Self.noRoute(match)) }
        var fault: SandboxFault?
        for index in faults.indices where faults[index].plays(method: request.method, path: target.path) {
            fault = fault ?? faults[index].fault
        }
        guard let fault else {
            return SandboxReply(answer: perform(route, request, target, now: now), cost: cost)
        }
        counters.faults += 1
        if case .late(let milliseconds) = fault.kind {
            lateRequests.append((now + Int64(milliseconds) * 1_000_000, request))
        }
        let answer = fault.commits ? perform(route, request, target, now: now) : SandboxAnswer.html(503, "Fault")
        if fault.isRefusal { meter.giveBack(cost) }
        return SandboxReply(playing: fault, answer: answer, cost: fault.isRefusal ? 0 : cost)
    }

    private mutating func refusal(_ verdict: RateMeter.Verdict) -> SandboxAnswer? {
        switch verdict {
        case .admitted: return nil
        case .blocked:
            counters.blocked403 += 1
            return .html(403, "Attention Required! | Cloudflare")
        case .burst(let seconds):
            counters.burst429 += 1
            return .gateway(429, "request over limit", headers: [("Retry-After", String(seconds))])
        case .daily(let seconds):
            counters.daily429 += 1
            return .gateway(429, "daily request budget exceeded", headers: [("Retry-After", String(seconds))])
        }
    }

    private static func noRoute(_ match: SandboxRoute.Match) -> SandboxAnswer {
        guard case .wrongMethod(let allowed) = match else { return .html(404, "404 Not Found") }
        var answer = SandboxAnswer.failure(405, "Method not allowed", code: "ERR_METHOD_NOT_ALLOWED")
        answer.headers = [("Allow", allowed.joined(separator: ", "))]
        return answer
    }

    private func addLimitHeaders(to answer: inout SandboxAnswer, token: String, now: Int64) {
        let burst = meter.burstState(token: token, now: now)
        answer.headers += [
            ("x-ratelimit-limit", String(meter.burst)), ("x-ratelimit-remaining", String(burst.remaining)),
            ("x-ratelimit-reset", String(burst.reset)),
            ("x-daily-ratelimit-token-limit", String(meter.dailyTokens)),
            ("x-daily-ratelimit-token-remaining", String(meter.tokensLeft)),
        ]
    }

    private mutating func perform(
        _ route: SandboxRoute, _ request: SandboxRequest, _ target: RequestTarget, now: Int64
    ) -> SandboxAnswer {
        switch route {
        case .list(let object): return list(tables[object], target)
        case .listArchived(let object): return list(tables[object], target, archived: true)
        case .pipelines:
            return unexpected(target, allowed: ["sort_by", "sort_direction", "limit", "cursor"])
                ?? sales.listPipelines(target)
        case .stages:
            return unexpected(target, allowed: ["pipeline_id", "sort_by", "sort_direction", "limit", "cursor"])
                ?? sales.listStages(target)
        case .read(let object, let id): return read(tables[object], id, target)
        case .search(let object): return search(tables[object], target)
        case .listFields(let object): return listFields(tables[object], target)
        case .readField(let object, let code): return readField(tables[object], code, target)
        case .delete(let object, let id): return delete(object, id, target, now: now)
        case .users: return unexpected(target, allowed: []) ?? .data(.array(users.users.map(\.json)))
        case .currentUser: return unexpected(target, allowed: []) ?? .data(users.me)
        case .create, .update, .createField: break
        }
        if let refused = unexpected(target, allowed: []) { return refused }
        let media = request.contentType?.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard media == "application/json" else {
            return .failure(415, "Unsupported media type", code: "ERR_UNSUPPORTED_MEDIA_TYPE")
        }
        // What is wrong with the text is not answered by the live API either.
        guard let body = try? JSON(parsing: request.body) else {
            return .failure(400, "Request body is not valid JSON", code: "ERR_BAD_REQUEST")
        }
        guard case .object(let members) = body else { return .invalid(["body: must be an object"]) }
        switch route {
        case .create(let object): return create(object, members, now: now)
        case .update(let object, let id): return update(object, id, members, now: now)
        case .createField(let object): return createField(object, members)
        default: return .html(404, "404 Not Found")
        }
    }

    /// 400 where the query names a parameter that the operation does not take.
    func unexpected(_ target: RequestTarget, allowed: Set<String>) -> SandboxAnswer? {
        let wrong = target.query.map(\.name).filter { !allowed.contains($0) }
        return wrong.isEmpty ? nil : .invalid(wrong.map { "\($0): Parameter '\($0)' is not allowed" })
    }
}
