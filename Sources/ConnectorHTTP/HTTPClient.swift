// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Sends one request at a time for each calling thread and waits for the answer; connections are kept.
package final class HTTPClient: Sendable {
    private let settings: HTTPSettings
    private let idle = Mutex<[HTTPMulti]>([])

    /// A client without connections.
    package init(_ settings: HTTPSettings) { self.settings = settings }

    /// Sends `request` and waits; allowed from any thread.
    ///
    /// - Parameter isCancelled: Asked a few times per second; true drops the request.
    package func send(_ request: HTTPRequest, isCancelled: () -> Bool) -> HTTPOutcome {
        let multi = idle.withLock { $0.popLast() } ?? HTTPMulti(settings, transfersMax: 1)
        defer { idle.withLock { $0.append(multi) } }
        multi.start(request, tag: 0)
        while true {
            if let ended = multi.poll(milliseconds: 200).first { return ended.outcome }
            if isCancelled(), let dropped = multi.cancelAll().first { return dropped.outcome }
        }
    }

    /// Closes the kept connections.
    package func close() { idle.withLock { $0.removeAll() } }
}
