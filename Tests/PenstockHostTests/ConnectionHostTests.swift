// SPDX-License-Identifier: Apache-2.0

import Logging
import PenstockEngine
import PenstockHost
import PenstockModel
import Synchronization
import Testing

@Suite struct ConnectionHostTests {
    private let cancellation = Cancellation()

    private func host(_ budget: ConnectionBudget = ConnectionBudget()) -> ConnectionHost {
        ConnectionHost(
            name: "crm", budget: budget, redactor: Redactor([]), cancellation: cancellation,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    private func granted(_ answer: Acquisition) throws -> UInt64 {
        guard case .granted(let ticket) = answer else { throw NotGranted() }
        return ticket
    }

    private struct NotGranted: Error {}

    @Test func aCreateIsJournalledBeforeItIsGranted() throws {
        let host = host()
        let rows = Mutex<[BatchRow]>([])
        host.setJournal { (row, _) in rows.withLock { $0.append(row) } }
        _ = try granted(
            try host.acquire(
                RequestIntent(bucket: "burst", cost: 5, kind: .create, row: BatchRow(batch: 3, row: 7))))
        _ = try granted(
            try host.acquire(
                RequestIntent(bucket: "burst", cost: 5, kind: .update, row: BatchRow(batch: 3, row: 8))))
        #expect(rows.withLock { $0 } == [BatchRow(batch: 3, row: 7)])
    }

    @Test func aCreateThatCannotBeJournalledIsNeitherGrantedNorPaid() throws {
        let host = host()
        host.setJournal { (_, _) throws(ConnectorError) in throw ConnectorError(.broken, "The disk is full.") }
        let intent = RequestIntent(bucket: "burst", cost: 5, kind: .create, row: BatchRow(batch: 1, row: 0))
        #expect(throws: ConnectorError.self) { try host.acquire(intent) }
        #expect(host.meter.spent == 0)
        #expect(host.meter.requestsTotal == 0)
    }

    @Test func theBudgetRefusesWhatWouldTouchItsReserve() throws {
        let host = host(ConnectionBudget(dailyTokens: 100, reserve: .amount(10)))
        _ = try granted(try host.acquire(RequestIntent(bucket: "burst", cost: 90, kind: .read)))
        let error = #expect(throws: ConnectorError.self) {
            try host.acquire(RequestIntent(bucket: "burst", cost: 1, kind: .read))
        }
        #expect(error?.code == .quotaSpent)
        #expect(host.meter.spent == 90)
    }

    @Test func aDailyRefusalEndsSpendingForToday() throws {
        let host = host()
        let ticket = try granted(try host.acquire(RequestIntent(bucket: "burst", cost: 5, kind: .update)))
        host.release(ticket, RequestAnswer(status: 429, retryAfterMilliseconds: 3_600_000))
        let error = #expect(throws: ConnectorError.self) {
            try host.acquire(RequestIntent(bucket: "burst", cost: 5, kind: .update))
        }
        #expect(error?.code == .quotaSpent)
        #expect(host.meter.spent == 0)
    }

    @Test func afterACancellationNothingIsGranted() {
        let host = host()
        cancellation.cancel()
        let error = #expect(throws: ConnectorError.self) {
            try host.acquire(RequestIntent(bucket: "burst", cost: 1, kind: .read))
        }
        #expect(error?.code == .cancelled)
    }

    @Test func secretsAreBlankedOut() {
        let redactor = Redactor([Secret("hunter2-token")])
        #expect(redactor.redacted("the token hunter2-token is bad") == "the token •••• is bad")
        let error = redactor.redacted(
            ConnectorError(.unauthorized, "Refused: hunter2-token.", detail: "x-api-token: hunter2-token"))
        #expect(error.message == "Refused: ••••.")
        #expect(error.detail == "x-api-token: ••••")
    }

    @Test func aSecretThatIsCutOffIsBlankedOutToo() {
        let redactor = Redactor([Secret("hunter2-token")])
        for cut in 6...12 {
            let beginning = String("hunter2-token".prefix(cut))
            let error = redactor.redacted(
                ConnectorError(.badData, "It says: aaa\(beginning)… (400)", detail: "aaa\(beginning)"))
            #expect(error.message == "It says: aaa••••… (400)")
            #expect(error.detail == "aaa••••")
        }
        #expect(redactor.redacted(ConnectorError(.badData, "a hunt…")).message == "a hunt…")
    }

    @Test func aSecretIsBlankedOutInEveryFormInWhichItMayComeBack() {
        let redactor = Redactor([Secret("a/b+\"c d")])
        for form in ["a/b+\"c d", "a%2Fb%2B%22c%20d", "a/b+\\\"c d", "YS9iKyJjIGQ="] {
            #expect(redactor.redacted("x \(form) y") == "x •••• y")
        }
    }

    @Test func aStopOfTheBudgetSaysWhenItGoesOn() throws {
        let host = host(ConnectionBudget(dailyTokens: 10, reserve: .amount(0)))
        _ = try granted(try host.acquire(RequestIntent(bucket: "burst", cost: 10, kind: .read)))
        let error = #expect(throws: ConnectorError.self) {
            try host.acquire(RequestIntent(bucket: "burst", cost: 1, kind: .read))
        }
        #expect(error?.message.contains("is renewed by ") == true)
        #expect(error?.retryAfterMilliseconds ?? 0 > 0)
    }

    @Test func aLimitOfOneRunIsNotWaitedFor() throws {
        var budget = ConnectionBudget()
        budget.tokensPerRun = 5
        let host = host(budget)
        let error = #expect(throws: ConnectorError.self) {
            try host.acquire(RequestIntent(bucket: "burst", cost: 6, kind: .read))
        }
        #expect(error?.code == .quotaSpent && error?.retryAfterMilliseconds == nil)
    }

    @Test func aBlockStopsEverything() throws {
        let host = host()
        let ticket = try granted(try host.acquire(RequestIntent(bucket: "burst", cost: 5, kind: .update)))
        host.release(ticket, RequestAnswer(status: 403, isBlocked: true))
        let error = #expect(throws: ConnectorError.self) {
            try host.acquire(RequestIntent(bucket: "burst", cost: 0, kind: .read))
        }
        #expect(error?.code == .quotaSpent && error?.message.contains("blocks") == true)
        #expect(host.meter.spent == 0)
    }
}
