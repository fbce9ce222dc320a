// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit
import PipedriveConnector
import Testing

@Suite struct PipedriveErrorsTests {
    private func problem(_ status: Int, _ body: String, headers: [(String, String)] = []) -> PipedriveProblem {
        let response = HTTPResponse(
            status: status, headers: headers.compactMap { HTTPHeader($0.0, $0.1) }, body: Array(body.utf8))
        return PipedriveProblem(response, object: .organization, now: 0)
    }

    private func validation(_ reason: String) -> String {
        let body: JSONObject = [
            "success": .bool(false), "error": .string("Validation failed: \(reason)"),
            "code": .string("ERR_SCHEMA_VALIDATION_FAILED"),
        ]
        return JSON.object(body).text
    }

    @Test(arguments: [
        ("owner_id: User not found or not accessible.", "owner_id"),
        ("address.value: is required", "address"),
        ("custom_fields: Unknown key '\(Account.code("enum"))'", Account.code("enum")),
        ("custom_fields: Expected 'number' for the field '\(Account.code("set"))'", Account.code("set")),
        ("body: odd; visible_to: must be one of 1, 3, 5, 7", "visible_to"),
        ("Parameter 'user_id' is not allowed for this request", "user_id"),
        ("something else", ""),
    ])
    func theFieldIsFoundInTheMessage(reason: String, field: String) {
        let problem = problem(400, validation(reason))
        #expect(problem.error.code == .badData)
        #expect(problem.error.field == field)
        #expect(problem.error.vendorCode == "ERR_SCHEMA_VALIDATION_FAILED")
        #expect(!problem.endsWork)
    }

    @Test func aRefusedTokenEndsTheWork() {
        let problem = problem(401, #"{"success":false,"error":"unauthorized access","errorCode":401}"#)
        #expect(problem.error.code == .unauthorized)
        #expect(problem.error.field == "api_token")
        #expect(problem.endsWork)
    }

    @Test func aPageInsteadOfJSONIsNotShown() {
        let problem = problem(404, "<html><body>404 <script>alert(1)</script></body></html>")
        #expect(problem.error.code == .notFound)
        #expect(!problem.error.message.contains("<"))
        #expect(problem.error.message.contains("404"))
    }

    @Test func theTwoKindsOf403AreToldApart() {
        let blocked = problem(403, "<!DOCTYPE html><title>Attention</title>")
        #expect(blocked.endsWork && blocked.isBlocked)
        #expect(blocked.error.code == .quotaSpent && blocked.error.vendorCode == "blocked")
        #expect(blocked.error.retryAfterMilliseconds == 300_000)
        #expect(!blocked.error.message.contains("Attention"))
        let longer = problem(403, "<html>", headers: [("retry-after", "3600")])
        #expect(longer.error.retryAfterMilliseconds == 3_600_000)
        let capped = problem(403, #"{"success":false,"error":"Limit reached","code":"feature_capping_limit"}"#)
        #expect(!capped.endsWork && !capped.isBlocked)
        #expect(capped.error.code == .forbidden)
        #expect(capped.error.vendorCode == "feature_capping_limit")
    }

    @Test func statusesAreUnderstoodAsTheFaultTableSays() {
        #expect(problem(408, "").error.code == .timedOut)
        #expect(problem(410, "{}").error.code == .notFound)
        let unpaid = problem(402, #"{"error":"unpaid"}"#)
        #expect(unpaid.endsWork && unpaid.error.code == .unauthorized)
        let moved = problem(307, "", headers: [("location", "https://evil.example/")])
        #expect(moved.endsWork && moved.error.vendorCode == "redirect")
        #expect(!moved.error.message.contains("evil"))
    }

    @Test func aBurst429WaitsForTheLongestOfWhatIsAskedFor() {
        let body = #"{"error":"request over limit"}"#
        let asked = problem(429, body, headers: [("retry-after", "1"), ("x-ratelimit-reset", "5")])
        #expect(asked.error.retryAfterMilliseconds == 5_000)
        #expect(problem(429, body, headers: [("retry-after", "1")]).error.retryAfterMilliseconds == 2_000)
    }

    @Test func aBurst429WaitsAndADailyOneEndsTheWork() {
        let burst = problem(429, #"{"success":false,"error":"request over limit"}"#, headers: [("retry-after", "2")])
        #expect(burst.error.code == .rateLimited)
        #expect(burst.error.retryAfterMilliseconds == 2_000)
        #expect(!burst.endsWork)
        #expect(problem(429, "<html>").error.retryAfterMilliseconds == 2_000)

        let body = #"{"success":false,"error":"daily request budget exceeded","errorCode":429}"#
        let daily = problem(429, body, headers: [("retry-after", "3939")])
        #expect(daily.error.code == .quotaSpent)
        #expect(daily.error.retryAfterMilliseconds == 3_939_000)
        #expect(daily.endsWork)
        #expect(problem(429, "<html>", headers: [("retry-after", "3939")]).error.code == .quotaSpent)
    }

    @Test func messagesAreOneLineAndOneSentence() {
        let problem = problem(400, validation("name: must not\\nbe\tempty."))
        #expect(problem.error.message.hasSuffix("."))
        #expect(!problem.error.message.hasSuffix(".."))
        #expect(!problem.error.message.contains("\t"))
    }

    @Test func aTokenThatTheServerRepeatsIsBlankedOut() throws {
        let response = HTTPResponse(status: 400, body: Array(validation("name: tok-123 is odd").utf8))
        let message = try Account.api().problem(response, object: .organization).error.message
        #expect(!message.contains("tok-123"))
    }

    @Test func threeCertificateFaultsHaveThreeSentences() {
        let causes: [HTTPFailure.Cause] = [.certificateUnknown, .certificateExpired, .certificateForOtherHost]
        let problems = causes.map { PipedriveProblem(HTTPFailure($0, wasNeverSent: true), site: "a.pipedrive.com") }
        #expect(Set(problems.map(\.error.message)).count == 3)
        #expect(problems.filter(\.endsWork).count == 3)
    }
}
