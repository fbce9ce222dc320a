// SPDX-License-Identifier: Apache-2.0

import CCurl
import Glibc
import Synchronization

/// A thread of a connector's own: named, and with every signal blocked, so that signals reach the host's threads.
package final class WorkerThread: Sendable {
    private let thread: Mutex<pthread_t?>

    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a thread that runs `body` and ends.
    ///
    /// - Parameter name: At most 15 bytes.
    package init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        // A new thread inherits the mask, so none of its instructions can be interrupted by a handler.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var thread = pthread_t()
        // Retained here, released at the thread's first instruction.
        let start = Unmanaged.passRetained(Start(name, body)).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                _ = penstock_name_this_thread(start.name)
                start.body()
                return nil
            }, start)
        // Without a thread no result can ever be delivered, and there is nobody to tell.
        guard code == 0 else { fatalError("The system has no room for another thread.") }
        self.thread = Mutex(thread)
    }

    deinit {
        // Nobody can wait for it any more; the system frees it when it ends.
        if let thread = thread.withLock({ $0 }) { pthread_detach(thread) }
    }

    /// Waits until the thread has ended; later calls return at once.
    package func join() {
        let thread = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let thread { pthread_join(thread, nil) }
    }
}
