// SPDX-License-Identifier: Apache-2.0

import CService
import Foundation

/// Tells the service manager how the server is: the protocol of `sd_notify`, which is one datagram a message.
package struct ServiceManager: Sendable {
    private let socket: String?
    /// How often a sign of life is due, in milliseconds, or nil where nobody waits for one.
    package let watchdog: Int64?

    /// The manager that the environment names, or nobody.
    package init(environment: [String: String]) {
        let path = environment["NOTIFY_SOCKET"] ?? ""
        socket = path.hasPrefix("/") || path.hasPrefix("@") ? path : nil
        let isOurs = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
        let period = environment["WATCHDOG_USEC"].flatMap { Int64($0) }
        // Twice as often as asked, as its manual advises.
        watchdog = isOurs ? period.map { max(1, $0 / 2_000) } : nil
    }

    /// Sends a message; nobody hears it where there is no manager.
    package func tell(_ lines: String...) {
        guard let socket else { return }
        _ = penstock_send_datagram(socket, lines.joined(separator: "\n"))
    }

    /// Says that a reload has begun, with the time that newer managers compare.
    package func tellReloading() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        tell("RELOADING=1", "MONOTONIC_USEC=\(Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)")
    }
}
