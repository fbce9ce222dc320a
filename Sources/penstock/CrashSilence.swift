// SPDX-License-Identifier: Apache-2.0

import CProcess
import Foundation

/// Lets a crash of this process show nothing of its memory, where credentials are.
///
/// Swift's own crash handler prints registers and stack, and a core file holds everything. What a crash leaves is the
/// shell's word for the signal; the next run finds out what was done and goes on.
enum CrashSilence {
    /// Where this is set to anything, a debugger or tracer of the same user may still look into the process.
    private static let debugVariable = "PENSTOCK_ALLOW_DEBUGGER"

    /// The signals that Swift's crash handler catches.
    private static let signals = [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP]

    /// Gives the signals of a crash back to the system, for this process and the programs it starts, and forbids core
    /// files.
    ///
    /// Call it first of all: before anything secret is read, and before there is another thread.
    static func install() {
        // Whoever starts this process may have some of them blocked, and hands that down.
        var unblocked = sigset_t()
        sigemptyset(&unblocked)
        for number in signals {
            signal(number, SIG_DFL)
            sigaddset(&unblocked, number)
        }
        pthread_sigmask(SIG_UNBLOCK, &unblocked, nil)
        setenv("SWIFT_BACKTRACE", "enable=no", 1)
        guard getenv(debugVariable) == nil else { return }
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        // Keeps out core files that are piped to a program, which the limit does not, and looks of the same user into
        // the memory and the environment.
        _ = penstock_forbid_dumps()
    }
}
