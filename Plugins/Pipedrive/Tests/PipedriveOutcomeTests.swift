// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit
import PipedriveConnector
import Testing

@Suite struct PipedriveOutcomeTests {
    private func outcome(_ status: Int, _ body: String, _ mode: WriteRequest.Mode = .create) throws -> PipedriveOutcome
    {
        let response = HTTPResponse(status: status, body: Array(body.utf8))
        return PipedriveOutcome(.success(response), mode: mode, object: .organization, api: try Account.api())
    }

    private static let refusal = #"{"success":false,"error":"no","code":"ERR"}"#

    @Test(arguments: [
        (WriteRequest.Mode.create, RowResult.Status.created), (.update, .updated), (.delete, .deleted),
    ])
    func aReadableSuccessIsFinal(mode: WriteRequest.Mode, status: RowResult.Status) throws {
        for code in [200, 201] {
            let result = try outcome(code, #"{"success":true,"data":{"id":9007199254740993}}"#, mode).result
            #expect(result.status == status)
            #expect(result.remoteID == "9007199254740993")
            #expect(result.error == nil)
        }
    }

    @Test(arguments: [
        "", "<html>", #"{"success":true,"data":{"id":12"#, #"{"success":true,"data":{}}"#,
        #"{"success":false,"data":{"id":1}}"#, #"{"success":true}"#, #"{"success":true,"data":{"id":"x"}}"#,
    ])
    func aSuccessThatCannotBeReadIsUnknown(body: String) throws {
        for mode in [WriteRequest.Mode.create, .update] {
            let result = try outcome(200, body, mode).result
            #expect(result.status == .unknown)
            #expect(result.error != nil)
        }
    }

    @Test(arguments: [400, 403, 404, 405, 409, 410, 413, 415, 422])
    func aRefusalRejectsTheRowAndNothingElse(status: Int) throws {
        let outcome = try outcome(status, Self.refusal)
        #expect(outcome.result.status == .rejected)
        #expect(outcome.result.httpStatus == status)
        #expect(outcome.ending == nil)
    }

    @Test(arguments: [408, 302, 500, 501, 502, 503, 504])
    func everythingElseMayHaveBeenApplied(status: Int) throws {
        #expect(try outcome(status, "<html>").result.status == .unknown)
        #expect(try outcome(status, Self.refusal, .update).result.status == .unknown)
    }

    @Test(arguments: [(401, refusal), (402, refusal), (403, "<html>"), (429, #"{"error":"daily budget"}"#)])
    func whatHoldsForEveryRowEndsTheSessionAndLosesNone(status: Int, body: String) throws {
        let outcome = try outcome(status, body)
        #expect(outcome.result.status == .retry)
        #expect(outcome.ending != nil)
    }

    @Test func aBurst429IsSentAgainLater() throws {
        let outcome = try outcome(429, #"{"error":"request over limit"}"#)
        #expect(outcome.result.status == .retry)
        #expect(outcome.result.error?.retryAfterMilliseconds == 2_000)
        #expect(outcome.ending == nil)
    }

    @Test func anUpdateOfADeletedRecordIsNotASuccess() throws {
        let outcome = try outcome(200, #"{"success":true,"data":{"id":5,"is_deleted":true}}"#, .update)
        #expect(outcome.result.status == .rejected)
        #expect(outcome.result.error?.code == .notFound)
    }

    @Test func onlyWhatWasProvablyNotSentMayGoAgain() throws {
        let api = try Account.api()
        func status(_ cause: HTTPFailure.Cause, _ wasNeverSent: Bool) -> RowResult.Status {
            let failure = HTTPFailure(cause, wasNeverSent: wasNeverSent)
            return PipedriveOutcome(.failure(failure), mode: .create, object: .organization, api: api).result.status
        }
        #expect(status(.notConnected, true) == .retry)
        #expect(status(.timedOut, true) == .retry)
        #expect(status(.timedOut, false) == .unknown)
        #expect(status(.connectionLost, false) == .unknown)
        #expect(status(.notRepeated, false) == .unknown)
    }
}
