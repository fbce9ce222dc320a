// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

/// The function table through which one opened connection reaches its host.
///
/// Its context is a number: a call that comes after ``withdraw()`` finds no host and is refused.
package final class HostTable {
    /// The table to hand to `open`; valid as long as this object.
    package let pointer: UnsafeMutablePointer<penstock_host>
    private let number: UInt

    private static let hosts = NumberedObjects<any HostServices>()

    /// A table for `host`.
    package init(_ host: any HostServices) {
        number = Self.hosts.insert(host)
        pointer = .allocate(capacity: 1)
        var table = penstock_host()
        table.size = UInt32(MemoryLayout<penstock_host>.size)
        table.major = UInt16(PENSTOCK_MAJOR)
        table.minor = UInt16(PENSTOCK_MINOR)
        table.ctx = NumberedObjects<any HostServices>.context(number)
        table.name = Self.hostName
        table.version = Self.contractVersion
        Self.fillObserving(&table)
        Self.fillRequesting(&table)
        Self.fillStoring(&table)
        pointer.initialize(to: table)
    }

    deinit {
        withdraw()
        pointer.deallocate()
    }

    /// Takes the host away, once the connection is closed.
    package func withdraw() { Self.hosts.remove(number) }

    // Written once, before any connector sees them, and never freed.
    private nonisolated(unsafe) static let hostName = penstock_text(giving: Array("penstock".utf8)).ptr
    private nonisolated(unsafe) static let contractVersion =
        penstock_text(giving: Array("\(PENSTOCK_MAJOR).\(PENSTOCK_MINOR)".utf8)).ptr

    private static func fillObserving(_ table: inout penstock_host) {
        table.log = { context, level, message, fields in
            guard let host = HostTable.hosts.object(at: context) else { return }
            var pairs: [String: String] = [:]
            // What is not JSON is shown as it came; a log line is not worth an error.
            if let object = try? JSON(parsing: [UInt8](copying: fields)).objectValue {
                for member in object { pairs[member.key] = member.value.stringValue ?? member.value.text }
            } else if let text = String(copying: fields), !text.isEmpty {
                pairs["fields"] = text
            }
            host.log(LogLevel(rawValue: level) ?? .info, String(copying: message) ?? "", pairs)
        }
        table.cancelled = { context in HostTable.hosts.object(at: context)?.isCancelled ?? true ? 1 : 0 }
        table.now_ms = { context, clock in
            guard let host = HostTable.hosts.object(at: context) else { return 0 }
            return clock == Int32(PENSTOCK_CLOCK_WALL) ? host.wallMilliseconds : host.monotonicMilliseconds
        }
        table.pause = { context, milliseconds, error in
            reporting(error) { () throws(ConnectorError) in
                try HostTable.host(context).pause(milliseconds: max(0, milliseconds))
            }
        }
        table.progress = { context, done, total, note in
            HostTable.hosts.object(at: context)?
                .progress(done: done, total: total < 0 ? nil : total, note: String(copying: note) ?? "")
        }
    }

    /// The times that an answer may carry: after the start of 1970, before the year 10000.
    private static let times: Range<Int64> = 1..<253_402_300_800_000

    private static func fillRequesting(_ table: inout penstock_host) {
        table.acquire = { context, intent, permit, error in
            reporting(error) { () throws(ConnectorError) in
                guard let intent, let permit else { throw HostTable.refusal("acquire was called with NULL") }
                switch try HostTable.host(context).acquire(try RequestIntent(copying: intent.pointee)) {
                case .granted(let ticket):
                    permit.pointee.granted = 1
                    permit.pointee.ticket = ticket
                case .wait(let milliseconds): permit.pointee.wait_ms = milliseconds
                }
            }
        }
        table.release = { context, ticket, answer in
            guard let answer = answer?.pointee else { return }
            HostTable.hosts.object(at: context)?
                .release(
                    ticket,
                    RequestAnswer(
                        status: Int(answer.http_status), wasNeverSent: answer.never_sent != 0,
                        retryAfterMilliseconds: answer.has_retry_after != 0 ? answer.retry_after_ms : nil,
                        serverTimeMilliseconds: HostTable.times.contains(answer.server_time_ms)
                            ? answer.server_time_ms : nil,
                        isBlocked: answer.is_blocked != 0))
        }
        table.rate_limit = { context, limit in
            guard let limit = limit?.pointee else { return }
            func known(_ number: Int64) -> Int64? { number < 0 ? nil : number }
            HostTable.hosts.object(at: context)?
                .report(
                    RateLimit(
                        bucket: String(copying: limit.bucket) ?? "", limit: known(limit.limit),
                        remaining: known(limit.remaining), windowMilliseconds: known(limit.window_ms),
                        resetsInMilliseconds: known(limit.resets_in_ms)))
        }
    }

    private static func fillStoring(_ table: inout penstock_host) {
        table.save_credential = { context, expected, text, revision, latest, error in
            reporting(error) { () throws(ConnectorError) in
                let credential: JSON
                do {
                    credential = try JSON(parsing: [UInt8](copying: text))
                } catch {
                    throw HostTable.refusal("the credential to store is not JSON: \(error)")
                }
                switch try HostTable.host(context).saveCredential(credential, expecting: expected) {
                case .saved(let number): revision?.pointee = number
                case .superseded(let other, let number):
                    revision?.pointee = number
                    latest?.pointee = penstock_text(giving: other.utf8)
                    throw ConnectorError(.conflict, "Another run has stored a newer credential.")
                }
            }
        }
        table.lock_credential = { context, known, revision, latest, error in
            reporting(error) { () throws(ConnectorError) in
                guard let stored = try HostTable.host(context).lockCredential(since: known) else { return }
                revision?.pointee = stored.revision
                latest?.pointee = penstock_text(giving: stored.credential.utf8)
            }
        }
        table.unlock_credential = { context in HostTable.hosts.object(at: context)?.unlockCredential() }
    }

    private static func host(_ context: UnsafeMutableRawPointer?) throws(ConnectorError) -> any HostServices {
        guard let host = hosts.object(at: context) else {
            throw refusal("the host was called for a connection that is closed")
        }
        return host
    }

    private static func refusal(_ rule: String) -> ConnectorError {
        ConnectorError(.contractBreach, "The connector broke the connector contract: \(rule).")
    }
}

extension RequestIntent {
    fileprivate init(copying intent: penstock_intent) throws(ConnectorError) {
        guard let kind = Kind(rawValue: intent.kind) else {
            throw ConnectorError(
                .contractBreach,
                "The connector broke the connector contract in acquire: the kind \(intent.kind) does not exist.")
        }
        guard RequestCosts.allowed.contains(intent.cost) else {
            throw ConnectorError(
                .contractBreach,
                "The connector broke the connector contract in acquire: a request costs 0 to "
                    + "\(RequestCosts.allowed.upperBound), not \(intent.cost).")
        }
        let row = intent.has_row != 0 ? BatchRow(batch: intent.batch_id, row: Int(intent.row)) : nil
        self.init(
            bucket: String(copying: intent.bucket) ?? "", cost: intent.cost, kind: kind, row: row,
            timeoutMilliseconds: intent.timeout_ms > 0 ? intent.timeout_ms : nil)
    }
}
