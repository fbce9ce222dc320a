// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

/// The host, as a connector sees it through its function table.
///
/// `@unchecked Sendable`: the table is a copy that never changes, and the contract lets every call in it be made
/// from any thread.
final class BorrowedHost: HostServices, @unchecked Sendable {
    private let table: penstock_host
    private let checks = ContractChecks.ofHost

    /// Copies the table; its context stays the host's.
    init(_ host: UnsafePointer<penstock_host>?) throws(ConnectorError) {
        guard let host else { throw checks.breach("open", "the host table is NULL") }
        var table = penstock_host()
        copyTable(host, into: &table)
        guard table.major == UInt16(PENSTOCK_MAJOR) else {
            throw checks.breach("open", "the host table is of major version \(table.major)")
        }
        self.table = table
    }

    func log(_ level: LogLevel, _ message: String, _ fields: [String: String]) {
        var object = JSONObject()
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) { object[key] = .string(value) }
        var arena = TextArena()
        arena.add(message.utf8)
        arena.add(fields.isEmpty ? [] : JSON.object(object).utf8)
        arena.lend { texts in
            table.log?(table.ctx, level.rawValue, texts[0], fields.isEmpty ? penstock_str() : texts[1])
        }
    }

    var isCancelled: Bool { table.cancelled.map { $0(table.ctx) != 0 } ?? false }

    var monotonicMilliseconds: Int64 { table.now_ms?(table.ctx, Int32(PENSTOCK_CLOCK_MONOTONIC)) ?? 0 }

    var wallMilliseconds: Int64 { table.now_ms?(table.ctx, Int32(PENSTOCK_CLOCK_WALL)) ?? 0 }

    func pause(milliseconds: Int64) throws(ConnectorError) {
        guard let pause = table.pause else { throw checks.breach("pause", "the host does not offer it") }
        try checks.checked("pause") { error in pause(table.ctx, milliseconds, error) }
    }

    func progress(done: Int64, total: Int64?, note: String) {
        var arena = TextArena()
        arena.add(note.utf8)
        arena.lend { texts in table.progress?(table.ctx, done, total ?? -1, texts[0]) }
    }

    func acquire(_ intent: RequestIntent) throws(ConnectorError) -> Acquisition {
        guard let acquire = table.acquire else { throw checks.breach("acquire", "the host does not offer it") }
        var permit = penstock_permit()
        try checks.checked("acquire") { error in
            intent.bucket.lend { bucket in
                var asked = penstock_intent()
                asked.bucket = bucket
                asked.cost = intent.cost
                asked.kind = intent.kind.rawValue
                asked.timeout_ms = intent.timeoutMilliseconds ?? 0
                if let row = intent.row {
                    asked.has_row = 1
                    asked.batch_id = row.batch
                    asked.row = Int64(row.row)
                }
                return acquire(table.ctx, &asked, &permit, error)
            }
        }
        return permit.granted != 0 ? .granted(permit.ticket) : .wait(milliseconds: permit.wait_ms)
    }

    func release(_ ticket: UInt64, _ answer: RequestAnswer) {
        var given = penstock_answer()
        given.http_status = Int32(truncatingIfNeeded: answer.status)
        given.never_sent = answer.wasNeverSent ? 1 : 0
        given.is_blocked = answer.isBlocked ? 1 : 0
        if let milliseconds = answer.retryAfterMilliseconds {
            given.has_retry_after = 1
            given.retry_after_ms = milliseconds
        }
        given.server_time_ms = answer.serverTimeMilliseconds ?? 0
        table.release?(table.ctx, ticket, &given)
    }

    func report(_ limit: RateLimit) {
        limit.bucket.lend { bucket in
            var told = penstock_rate_limit()
            told.bucket = bucket
            told.limit = limit.limit ?? -1
            told.remaining = limit.remaining ?? -1
            told.window_ms = limit.windowMilliseconds ?? -1
            told.resets_in_ms = limit.resetsInMilliseconds ?? -1
            table.rate_limit?(table.ctx, &told)
        }
    }

    func saveCredential(
        _ credential: JSON, expecting revision: UInt64
    ) throws(ConnectorError) -> SavedCredential {
        guard let save = table.save_credential else {
            throw checks.breach("save_credential", "the host does not offer it")
        }
        var arena = TextArena()
        arena.add(credential.utf8)
        var saved: UInt64 = 0
        var latest = penstock_text()
        var room = penstock_error()
        let status = arena.lend { texts in save(table.ctx, revision, texts[0], &saved, &latest, &room) }
        if status == penstock_status(PENSTOCK_OK) { return .saved(revision: saved) }
        guard status == penstock_status(PENSTOCK_CONFLICT), latest.ptr != nil else {
            throw checks.error(room, status, "save_credential")
        }
        do {
            return .superseded(by: try JSON(parsing: [UInt8](taking: &latest)), revision: saved)
        } catch {
            throw checks.breach("save_credential", "the stored credential is not JSON: \(error)")
        }
    }

    func lockCredential(since revision: UInt64) throws(ConnectorError) -> StoredCredential? {
        // A host of before has no such call, and stores nothing that could be renewed by two.
        guard let lock = table.lock_credential else { return nil }
        var newest: UInt64 = 0
        var latest = penstock_text()
        try checks.checked("lock_credential") { error in lock(table.ctx, revision, &newest, &latest, error) }
        guard latest.ptr != nil else { return nil }
        do {
            return StoredCredential(try JSON(parsing: [UInt8](taking: &latest)), revision: newest)
        } catch {
            unlockCredential()
            throw checks.breach("lock_credential", "the stored credential is not JSON: \(error)")
        }
    }

    func unlockCredential() { table.unlock_credential?(table.ctx) }
}
