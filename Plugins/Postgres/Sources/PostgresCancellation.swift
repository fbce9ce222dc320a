// SPDX-License-Identifier: Apache-2.0

import CPostgres
import ConnectorKit
import Glibc
import Synchronization

/// Whether the work on one connection is to stop, and the wait for a socket that ends when it is.
///
/// libpq's own `PQcancel` blocks, so a thread that cancels only raises a flag and wakes the thread that waits, which
/// then ends the server's work itself.
final class PostgresCancellation: Sendable {
    /// How long one wait lasts before the host is asked again whether to stop.
    private static let slice: Int32 = 100

    private let flag = Atomic(false)
    private let host: any HostServices
    private let wake: Int32

    init(_ host: any HostServices) {
        self.host = host
        wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    }

    deinit { Glibc.close(wake) }

    /// Makes ``isRequested`` true and ends a running wait; any thread.
    func request() {
        flag.store(true, ordering: .releasing)
        eventfd_write(wake, 1)
    }

    /// Whether to stop.
    var isRequested: Bool { flag.load(ordering: .acquiring) || host.isCancelled }

    /// What a wait ended with.
    enum Wait {
        case ready
        case cancelled
        case timedOut
    }

    /// Waits until the socket can be read or, where asked for, written.
    ///
    /// - Parameter deadline: On ``now``'s clock, or nil.
    func wait(for socket: Int32, toWrite: Bool = false, until deadline: Int64? = nil) -> Wait {
        let events = Int16(toWrite ? POLLOUT : POLLIN)
        while !isRequested {
            var descriptors = [
                pollfd(fd: socket, events: events, revents: 0), pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            ]
            let left = deadline.map { $0 - Self.now } ?? .max
            if left <= 0 { return .timedOut }
            _ = poll(&descriptors, 2, Int32(min(left, Int64(Self.slice))))
            if descriptors[0].revents != 0 { return .ready }
        }
        return .cancelled
    }

    /// Milliseconds of a clock that never goes back.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
