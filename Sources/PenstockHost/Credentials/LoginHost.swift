// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Synchronization

/// The services of a connection that is opened for a login: what the connector gets is kept at once.
package final class LoginHost: HostServices {
    /// Keeps a credential durably.
    package typealias Keeping = @Sendable (JSON) throws(ConnectorError) -> Void

    private let base: any HostServices
    private let keep: Keeping
    private let revision = Mutex<UInt64>(0)

    /// Services beside `base`.
    package init(_ base: any HostServices, keep: @escaping Keeping) {
        self.base = base
        self.keep = keep
    }

    /// Whether a credential was kept.
    package var hasKept: Bool { revision.withLock { $0 > 0 } }

    package func lockCredential(since revision: UInt64) throws(ConnectorError) -> StoredCredential? { nil }
    package func unlockCredential() {}

    package func saveCredential(
        _ credential: JSON, expecting expected: UInt64
    ) throws(ConnectorError) -> SavedCredential {
        try keep(credential)
        return .saved(
            revision: revision.withLock { revision in
                revision += 1
                return revision
            })
    }

    // MARK: - Everything else

    package func log(_ level: LogLevel, _ message: String, _ fields: [String: String]) {
        base.log(level, message, fields)
    }
    package var isCancelled: Bool { base.isCancelled }
    package var monotonicMilliseconds: Int64 { base.monotonicMilliseconds }
    package var wallMilliseconds: Int64 { base.wallMilliseconds }
    package func pause(milliseconds: Int64) throws(ConnectorError) { try base.pause(milliseconds: milliseconds) }
    package func progress(done: Int64, total: Int64?, note: String) {
        base.progress(done: done, total: total, note: note)
    }
    package func acquire(_ intent: RequestIntent) throws(ConnectorError) -> Acquisition { try base.acquire(intent) }
    package func release(_ ticket: UInt64, _ answer: RequestAnswer) { base.release(ticket, answer) }
    package func report(_ limit: RateLimit) { base.report(limit) }
}
