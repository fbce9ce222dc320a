// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import Synchronization

/// Whether the work on one database is to stop, asked by SQLite itself every few thousand of its instructions.
///
/// A flag instead of `sqlite3_interrupt`: SQLite forgets an interrupt that arrives between two statements, and the
/// call must not meet a connection that is being closed.
final class SQLiteCancellation: Sendable {
    private let flag = Atomic(false)
    private let host: any HostServices

    init(_ host: any HostServices) { self.host = host }

    /// Makes ``isRequested`` true; any thread.
    func request() { flag.store(true, ordering: .releasing) }

    /// Whether to stop.
    var isRequested: Bool { flag.load(ordering: .acquiring) || host.isCancelled }
}
