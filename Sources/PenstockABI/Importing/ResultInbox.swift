// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel
import Synchronization

/// Receives the results of one session, accounts for every row, and passes each row's first result on.
final class ResultInbox: Sendable {
    private struct State {
        var accounts = ResultAccounts()
        var breach: ConnectorError?
    }

    private let state = Mutex(State())
    private let turn = Mutex(())
    private let onResults: @Sendable (UInt64, [RowResult]) -> Void
    private let checks: ContractChecks

    /// The inboxes of sessions that have not ended; a result that comes later finds none.
    static let open = NumberedObjects<ResultInbox>()

    init(_ checks: ContractChecks, _ onResults: @escaping @Sendable (UInt64, [RowResult]) -> Void) {
        self.checks = checks
        self.onResults = onResults
    }

    /// The slot `on_results` of every session.
    static let receive: penstock_results_fn = { context, batch, results, count in
        guard let inbox = open.object(at: context), let results else { return }
        inbox.receive(batch, UnsafeBufferPointer(start: results, count: Int(count)))
    }

    /// Awaits the results of a batch that is about to be submitted.
    func expect(_ batch: UInt64, rows: Int) throws(ConnectorError) {
        guard state.withLock({ $0.accounts.expect(batch, rows: rows) }) else {
            throw ConnectorError(.badRequest, "The batch \(batch) was submitted before in this session.")
        }
    }

    /// No longer awaits a batch that was not taken over.
    func forget(_ batch: UInt64) {
        state.withLock { state in
            if !state.accounts.forget(batch), state.breach == nil {
                state.breach = checks.breach("submit", "it reported rows of batch \(batch), which it did not take over")
            }
        }
    }

    /// Reports the rows that still have no result as unknown.
    ///
    /// - Returns: The first rule that was broken since the last call, or nil.
    func settleMissing(_ call: String) -> ConnectorError? {
        let missing = state.withLock { $0.accounts.takeMissing() }
        for (batch, rows) in missing {
            let breach = checks.breach(
                call, "\(rows.count) rows of batch \(batch) have no result, the first of them row \(rows.first ?? 0)")
            note(breach)
            deliver(batch, rows.map { RowResult(row: $0, status: .unknown, error: breach) })
        }
        return state.withLock { state in
            defer { state.breach = nil }
            return state.breach
        }
    }

    private func receive(_ batch: UInt64, _ rows: UnsafeBufferPointer<penstock_row_result>) {
        var results: [RowResult] = []
        results.reserveCapacity(rows.count)
        let verdicts = state.withLock { $0.accounts.settle(batch, rows: rows.lazy.map(\.row)) }
        for (row, verdict) in zip(rows, verdicts) {
            switch verdict {
            case .counts: results.append(result(row))
            case .repeated: note(checks.breach("on_results", "row \(row.row) of batch \(batch) was reported twice"))
            case .stray:
                note(checks.breach("on_results", "row \(row.row) of batch \(batch) was reported but never submitted"))
            }
        }
        if !results.isEmpty { deliver(batch, results) }
    }

    /// The engine is promised one call at a time, so this one lock is held while it copies the results.
    private func deliver(_ batch: UInt64, _ results: [RowResult]) { turn.withLock { _ in onResults(batch, results) } }

    private func note(_ breach: ConnectorError) {
        state.withLock { state in if state.breach == nil { state.breach = breach } }
    }

    private func result(_ row: penstock_row_result) -> RowResult {
        guard let status = RowResult.Status(rawValue: row.row_status) else {
            let breach = checks.breach("on_results", "the row status \(row.row_status) does not exist")
            note(breach)
            return RowResult(row: Int(row.row), status: .unknown, error: breach)
        }
        var error: ConnectorError?
        if status.rawValue >= RowResult.Status.rejected.rawValue {
            let code = row.code == penstock_status(PENSTOCK_OK) ? usualCode(status) : .init(rawValue: row.code)
            error = ConnectorError(
                code, String(copying: row.message) ?? "", detail: String(copying: row.detail) ?? "",
                field: String(copying: row.field) ?? "", vendorCode: String(copying: row.vendor_code) ?? "",
                retryAfterMilliseconds: row.has_retry_after != 0 ? row.retry_after_ms : nil)
        }
        return RowResult(
            row: Int(row.row), status: status, error: error, httpStatus: Int(row.http_status),
            remoteID: String(copying: row.remote_id) ?? "")
    }

    private func usualCode(_ status: RowResult.Status) -> ConnectorError.Code {
        switch status {
        case .rejected: .badData
        case .notTried: .cancelled
        default: .unavailable
        }
    }
}
