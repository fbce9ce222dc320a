// SPDX-License-Identifier: Apache-2.0

import CProcess
import Foundation
import PenstockHost
import Synchronization

/// Ctrl-C and SIGTERM: the first asks the work to stop cleanly, the second ends the process.
enum Interruption {
    /// What the work of this process watches.
    static let cancellation = Cancellation()

    // Set once by the signal thread before the work is told; also read while an answer is waited for.
    private static let received = Atomic<Int32>(0)

    // Whether a child has the terminal, so that Ctrl-C is meant for it.
    private static let isTerminalLent = Atomic(false)

    /// Does something while a child has the terminal: Ctrl-C, which reaches both, is left to the child.
    static func lendingTerminal<Result>(_ work: () throws -> Result) rethrows -> Result {
        isTerminalLent.store(true, ordering: .releasing)
        defer { isTerminalLent.store(false, ordering: .releasing) }
        return try work()
    }

    /// The exit code that a clean stop has: 130 or 143; nil where no signal came.
    static var exitCode: ExitCode? {
        switch received.load(ordering: .acquiring) {
        case SIGINT: .interrupted
        case SIGTERM: .terminated
        default: nil
        }
    }

    /// Blocks both signals everywhere and starts the thread that waits for them.
    ///
    /// Call it before anything is loaded.
    static func install() {
        signal(SIGPIPE, SIG_IGN)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let waited = signals
        let thread = Thread {
            var signals = waited
            var number: Int32 = 0
            while sigwait(&signals, &number) == 0 {
                if number == SIGINT, isTerminalLent.load(ordering: .acquiring) { continue }
                if received.load(ordering: .relaxed) != 0 { _exit(number == SIGINT ? 130 : 143) }
                received.store(number, ordering: .releasing)
                cancellation.cancel()
            }
        }
        thread.stackSize = 1 << 18
        thread.start()
    }

    /// Lets a child process have the signals again that this process blocks.
    static func unblockForExec() {
        var signals = sigset_t()
        sigemptyset(&signals)
        pthread_sigmask(SIG_SETMASK, &signals, nil)
        signal(SIGPIPE, SIG_DFL)
    }
}
