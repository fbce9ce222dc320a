// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit
import ConnectorTesting
import PenstockEngine
import PipedriveConnector

extension FuzzTarget {
    /// Answers of the destination: whatever they say, a row counts as written only by an id in a success, and as
    /// refused only by a status that says so.
    static let answer = FuzzTarget(
        "answer",
        pieces: [
            "{\"success\":true,\"data\":{\"id\":1}}", "\"success\":false", "\"error\":\"", "\"is_deleted\":true",
            "\"field_code\":\"", "\"is_custom_field\":true", "\"field_type\":\"", "monetary", "\"options\":[",
            "retry-after: 1\n", "x-ratelimit-limit: ", "x-ratelimit-remaining: ", "x-ratelimit-reset: ",
            "x-daily-ratelimit-token-limit: ", "x-daily-ratelimit-token-remaining: ", "9223372036854775807", "-1",
            "Wed, 21 Oct 2099 07:28:00 GMT", "<html>", "daily", "Validation failed: name", "\u{0}",
        ]
    ) { bytes, isPlanted in
        var input = FuzzInput(bytes)
        let status = statuses[input.choice(statuses.count)]
        let mode = [WriteRequest.Mode.create, .update, .delete][input.choice(3)]
        let object = PipedriveObject.all[input.choice(PipedriveObject.all.count)]
        let headers = headers(input.line())
        let response = HTTPResponse(status: status, headers: headers, body: input.rest)
        guard let api else { return "the API cannot be opened" }
        let outcome = PipedriveOutcome(.success(response), mode: mode, object: object, api: api)
        if let fault = fault(outcome, response, mode) { return fault }
        // The planted fault: a server that is not there for a long time.
        let wait = outcome.result.error?.retryAfterMilliseconds ?? 0
        if isPlanted, wait > 1_000_000, status == 503 { return "planted" }
        if let fault = waitFault(wait) ?? limitFault(response, wait) { return fault }
        return definitionFault(response.body, object)
    }

    private static let statuses = [
        200, 201, 204, 302, 400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 415, 422, 429, 500, 501, 503, 0, 999,
    ]

    // The settings are right; nil would be the harness's own fault, and is reported.
    private static let api = try? PipedriveAPI(
        ConnectorSettings(
            .object(["company_domain": .string("acme"), "api_token": .string("token-123")]),
            PipedriveConnector.settings), host: TestHost())

    /// The lines of a head as libcurl hands them over: names in lower case.
    private static func headers(_ head: [UInt8]) -> [HTTPHeader] {
        head.split(separator: 10).compactMap { line in
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            let value = String(decoding: parts[1].drop { $0 == 32 }, as: UTF8.self)
            return HTTPHeader(String(decoding: parts[0], as: UTF8.self).lowercased(), value)
        }
    }

    private static func fault(
        _ outcome: PipedriveOutcome, _ response: HTTPResponse, _ mode: WriteRequest.Mode
    ) -> String? {
        let result = outcome.result
        let isWritten = [.created, .updated, .deleted].contains(result.status)
        let isSuccess = response.status == 200 || response.status == 201
        if isWritten {
            // A second look at the body, with the parser that the target json compares with a reference.
            guard isSuccess, let json = try? JSON(parsing: response.body), json["success"]?.boolValue != false,
                json["data"]?["id"]?.numberText == result.remoteID
            else { return "the row counts as written without an id in a success" }
        } else if result.error?.message.isEmpty != false {
            return "a row that was not written has no reason"
        }
        let isRefusal = (400..<500).contains(response.status) && response.status != 408
        let isRefused = result.status == .rejected || result.status == .retry
        if isRefused && !isRefusal && !(isSuccess && mode == .update) {
            return "refused by the status \(response.status)"
        }
        if result.error?.message.contains("\n") == true { return "the reason has more than one line" }
        return nil
    }

    private static func waitFault(_ wait: Int64) -> String? { wait < 0 ? "a negative wait" : nil }

    /// What the headers say of limits goes through the limits and the budget, as in a run.
    private static func limitFault(_ response: HTTPResponse, _ wait: Int64) -> String? {
        let budget = DailyBudget.Terms(daily: nil, reserve: .basisPoints(200))
        let terms = SharedLimits.Terms(slots: 40, window: 2_000, budget: budget)
        var limits = SharedLimits()
        guard let member = limits.join(place: 1, 0) else { return "nobody can join" }
        var outcome = SharedLimits.Outcome(status: response.status)
        outcome.retryAfter = wait == 0 ? nil : wait
        for limit in PipedriveAPI.limits(response) {
            switch limit.bucket {
            case RateLimit.burst: (outcome.limit, outcome.remaining) = (limit.limit, limit.remaining)
            case RateLimit.daily: (outcome.daily.limit, outcome.daily.remaining) = (limit.limit, limit.remaining)
            default: outcome.daily.writesLeft = limit.remaining
            }
        }
        for now in stride(from: Int64(0), to: 8_000, by: 1_000) {
            let wish = SharedLimits.Wish(cost: 5, isWrite: true, isFirst: now == 0)
            let moment = SharedLimits.Moment(time: now, hourEndsIn: 60_000)
            guard case .granted(let grant) = limits.acquire(wish, by: member, terms, moment) else { continue }
            limits.release(grant, outcome, terms, jitter: 0.5, now + 50)
            if limits.budget.reserved(budget) < 0 { return "the reserve is negative" }
            if !(1...40).contains(limits.allowed(terms, now)) {
                return "the limit was raised, or nothing is left of it"
            }
        }
        return limits.standstill(9_000).map { $0.tryIn < 0 || $0.overIn < 0 } == true ? "a negative wait" : nil
    }

    /// The same body as definitions of fields, and its elements as their values.
    private static func definitionFault(_ body: [UInt8], _ object: PipedriveObject) -> String? {
        // What is not JSON never gets this far.
        guard let listing = try? JSON(parsing: body)["data"]?.arrayValue else { return nil }
        let fields = PipedriveFields(object, listing: listing)
        _ = (PipedriveFields.users(listing), PipedriveFields.pipelines(listing), PipedriveFields.stages(listing))
        for field in fields.all {
            var column = Column(field.field.kind.columnType)
            for value in listing.prefix(8) { _ = PipedriveCell.append(value, field.field, to: &column) }
            let schema = Schema([Schema.Field("a", column.type)])
            if let fault = BatchCheck.fault(SourceBatch(RecordBatch(schema, [column]))) { return fault }
        }
        return nil
    }
}
